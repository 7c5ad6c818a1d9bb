"""TensorFlow: tf.image.resize of 2.21 and the operators of version 1, and Keras on them. Results are float32."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np

from fastup.plan.conventions.record import Convention, Request
from fastup.plan.conventions.spline_steps import Rounded
from fastup.plan.conventions.steps import Cast, Scale, Step, resample
from fastup.plan.sampling.libraries.tensorflow import (
    TensorFlowArea,
    TensorFlowCubic,
    TensorFlowLinear,
    TensorFlowNearest,
    TensorFlowScaled,
)
from fastup.plan.sampling.rule import Rule

_FLOAT = np.dtype(np.float32)
_NUMBERS = ("uint8", "int8", "uint16", "int16", "int32", "int64", "float16", "float32", "float64")
_INSTEAD = "TensorFlow has no kernel for it"
_OF_SINES = 2e-6  # TensorFlow calls the system's sine
_OF_KERAS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")
_SCALED = ("lanczos3", "lanczos5", "gaussian", "mitchellcubic")
_COORDINATES = {"": "asymmetric", "-align_corners": "align_corners", "-half_pixel": "half_pixel"}


def _nearest(coordinates: str, request: Request) -> tuple[Step, ...]:
    rule = TensorFlowNearest(coordinates)
    return (resample(request.shape, request.dtype, (rule, rule), request.size),)


def _both(rule: Rule, request: Request) -> tuple[Step, ...]:
    """Columns, then rows."""
    if request.size == request.shape[1:3]:
        return _cast(request) or ()
    return (*_cast(request), resample(request.shape, _FLOAT, (rule, rule), request.size))


def _rows_first(rule: Rule, request: Request) -> tuple[Step, ...]:
    rows = resample(request.shape, _FLOAT, (rule, None), (request.size[0], request.shape[2]))
    return (*_cast(request), rows, resample(rows.output_shape, _FLOAT, (None, rule), request.size))


def _area(aligned: bool, request: Request) -> tuple[Step, ...]:
    """Columns, rows, and then what both cover."""
    rule = TensorFlowArea(aligned)
    sums = resample(request.shape, _FLOAT, (rule, rule), request.size)
    scales = [rule.scale(n, m) for n, m in zip(request.shape[1:3], request.size, strict=True)]
    factor = float(np.float32(1.0 / np.float64(scales[0] * scales[1])))
    return (*_cast(request), sums, Scale(sums.output_shape, factor))


def _cast(request: Request) -> tuple[Step, ...]:
    return () if request.dtype == _FLOAT else (Cast(request.shape, _FLOAT),)


def _row(name: str, call: str, build: functools.partial[tuple[Step, ...]], result: str = "float32") -> Convention:
    within = _OF_SINES if "lanczos" in name else 0.0
    return Convention(name, call, _NUMBERS, _INSTEAD, build, (), result, within)


def _version_2() -> Iterator[Convention]:
    call = "tf.image.resize(image, size, {!r}{})".format
    smooth = ", antialias=True"
    yield _row("tensorflow/nearest", call("nearest", ""), functools.partial(_nearest, "half_pixel"), "")
    linear = functools.partial(_both, TensorFlowLinear("half_pixel"))
    yield _row("tensorflow/bilinear", call("bilinear", ""), linear)
    yield _row("tensorflow/bicubic", call("bicubic", ""), functools.partial(_rows_first, TensorFlowCubic("half_pixel")))
    yield _row("tensorflow/area", call("area", ""), functools.partial(_area, False))
    for name in ("bilinear", "bicubic", *_SCALED):
        for antialias in (False, True) if name in _SCALED else (True,):
            build = functools.partial(_rows_first, TensorFlowScaled(name, antialias))
            suffix = "-antialias" if antialias else ""
            yield _row(f"tensorflow/{name}{suffix}", call(name, smooth if antialias else ""), build)


def _version_1() -> Iterator[Convention]:
    for suffix, coordinates in _COORDINATES.items():
        options = {"align_corners": ", align_corners=True", "half_pixel": ", half_pixel_centers=True"}
        call = f"tf.compat.v1.image.resize_{{}}(images, size{options.get(coordinates, '')})"
        builds = {
            "nearest_neighbor": functools.partial(_nearest, coordinates),
            "bilinear": functools.partial(_both, TensorFlowLinear(coordinates)),
            "bicubic": functools.partial(_rows_first, TensorFlowCubic(coordinates)),
        }
        if coordinates != "half_pixel":
            builds["area"] = functools.partial(_area, coordinates == "align_corners")
        for name, build in builds.items():
            short = name.removesuffix("_neighbor")
            yield _row(
                f"tensorflow1/{short}{suffix}", call.format(name), build, "" if short == "nearest" else "float32"
            )


def _returned(build: functools.partial[tuple[Step, ...]], request: Request) -> tuple[Step, ...]:
    """What TensorFlow gives, as items of the picture's dtype: halves to even, saturated."""
    steps = build(request)
    if request.dtype == _FLOAT or not steps:
        return steps
    return (*steps, Rounded(steps[-1].output_shape, request.dtype, "half even"))


def _keras() -> Iterator[Convention]:
    for one in [*_version_2()]:
        name = one.name.partition("/")[2]
        if name.removesuffix("-antialias") in _OF_KERAS:
            method, smooth = name.removesuffix("-antialias"), ", antialias=True" * name.endswith("-antialias")
            call = f"keras.ops.image.resize(image, size, {method!r}{smooth}), on TensorFlow"
            made: Any = one.build
            build: Any = made if name == "nearest" else functools.partial(_returned, made)
            yield Convention(f"keras/{name}", call, _NUMBERS, _INSTEAD, build, (), "", one.within)


CONVENTIONS = (*_version_2(), *_version_1(), *_keras())
