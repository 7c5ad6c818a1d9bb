"""ONNX: Resize-19 with sizes, every coordinate rule, as `fastup.export.backend` runs it."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from fastup.plan.conventions.record import Convention, Request
from fastup.plan.conventions.steps import Step, resample
from fastup.plan.sampling.filter import Filter, Form
from fastup.plan.sampling.filters import FILTERS, keys
from fastup.plan.sampling.libraries.onnx import COORDINATES, NEAREST_MODES, OnnxRule

_NUMBERS = (
    "uint8", "int8", "uint16", "int16", "uint32", "int32", "float16", "bfloat16", "float32", "float64",
)  # fmt: skip
_DEFAULT = ("half_pixel", "round_prefer_floor")
_CUBIC = Filter("cubic", 2, Form(functools.partial(keys, -0.75)))
_WITHOUT_REGION = tuple(one for one in COORDINATES if one != "tf_crop_and_resize")


def _build(
    mode: str, coordinates: str, nearest: str, antialias: bool, exclude_outside: bool, request: Request
) -> tuple[Step, ...]:
    record = _CUBIC if mode == "cubic" else FILTERS[mode]
    rules = []
    for n, m in zip(request.shape[1:3], request.size, strict=True):
        rule = OnnxRule(
            coordinates, m / n, float(m), nearest, exclude_outside, filter=record, antialias=antialias
        )  # fmt: skip
        stays = n == m and coordinates != "tf_half_pixel_for_nn"
        rules.append(None if stays else rule)
    if rules == [None, None]:
        return ()
    double = request.dtype.kind in "iu" or request.dtype.itemsize == 8
    return (resample(request.shape, request.dtype, (rules[0], rules[1]), request.size, double=double),)


def _conventions() -> Iterator[Convention]:
    for mode in ("nearest", "linear", "cubic"):
        for coordinates in _WITHOUT_REGION:
            for nearest in NEAREST_MODES if mode == "nearest" else _DEFAULT[1:]:
                for antialias in (False,) if mode == "nearest" else (False, True):
                    for outside in (False,) if mode == "nearest" else (False, True):
                        words = [one for one in (coordinates, nearest) if one not in _DEFAULT]
                        words += ["antialias"] * antialias + ["exclude_outside"] * outside
                        attributes = f"mode={mode}, coordinate_transformation_mode={coordinates}"
                        attributes += f", nearest_mode={nearest}" if mode == "nearest" else ""
                        attributes += ", antialias=1" * antialias + ", exclude_outside=1" * outside
                        yield Convention(
                            "/".join(("onnx", "-".join((mode, *words)))),
                            f"Resize-19 with {attributes}, sizes",
                            dtypes=_NUMBERS,
                            instead="runtimes have no Resize of it",
                            build=functools.partial(_build, mode, coordinates, nearest, antialias, outside),
                            filter=mode,
                            coordinates=coordinates,
                            antialias=antialias,
                        )


CONVENTIONS = tuple(_conventions())
