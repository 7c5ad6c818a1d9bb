"""torch: torch.nn.functional.interpolate, all modes of `fastup.interpolate`."""

from __future__ import annotations

import functools

from fastup.plan.conventions.record import Convention, Request
from fastup.plan.conventions.steps import Step
from fastup.plan.interpolation import make_interpolate
from fastup.plan.sampling.filters import FILTERS

# torch's lanczos is always antialiased.
_MODES = {"linear": "bilinear", "cubic": "bicubic"}
_NUMBERS = (
    "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float16", "bfloat16", "float32",
    "float64",
)  # fmt: skip
_ITEMS = (*_NUMBERS, "bool", "complex64")


def _build(mode: str, align_corners: bool | None, antialias: bool, request: Request) -> tuple[Step, ...]:
    size = request.size if request.scale_factor is None else None
    plan = make_interpolate(
        request.shape, request.dtype, size, request.scale_factor, mode, align_corners, None, antialias, "floor", None,
        "channels_last",
    )  # fmt: skip
    return (plan,)


def _conventions() -> list[Convention]:
    found = []
    for record in FILTERS.values():
        mode = _MODES.get(record.name, record.name)
        ways: list[tuple[str, bool | None, bool]] = [("", None, False)] if record.name != "lanczos" else []
        ways += [("-align_corners", True, False)] if record.align_corners else []
        ways += [("-antialias", None, True)] if record.stretched else []
        for suffix, aligned, smooth in ways:
            options = (", align_corners=True" if aligned else "") + (", antialias=True" if smooth else "")
            found.append(
                Convention(
                    f"torch/{mode}{suffix}",
                    f"torch.nn.functional.interpolate(x, size, mode={mode!r}{options})",
                    _ITEMS if record.copies else _NUMBERS,
                    "torch has no weights for it",
                    functools.partial(_build, mode, aligned, smooth),
                )
            )
    return found


CONVENTIONS = tuple(_conventions())
