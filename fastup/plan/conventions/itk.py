"""ITK: SimpleITK's Resample of 2.5 with spacing and origin such that the outer edges of both pictures coincide."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fastup.plan.conventions.record import Convention, Request
from fastup.plan.conventions.spline_steps import Rounded, Splined
from fastup.plan.conventions.steps import Cast, Shape, Step, resample
from fastup.plan.sampling.libraries.itk import ItkLinear, ItkNearest

_NUMBERS = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64")
_DOUBLE = np.dtype(np.float64)
_CUBIC = 3
_OF_SPLINES = 1e-6  # of the range: sums in another order


def _nearest(request: Request) -> tuple[Step, ...]:
    plane = resample(request.shape, request.dtype, (ItkNearest(False), ItkNearest(True)), request.size)
    if request.depth is None:
        return (plane,)
    shape, size = _upright(plane.output_shape, request.depth)
    return plane, resample(shape, request.dtype, (ItkNearest(False), None), size)


def _linear(request: Request) -> tuple[Step, ...]:
    """In float64; integers lose their fraction."""
    rules = (ItkLinear(False), ItkLinear(True))
    if request.depth is None:
        rounding = _rounding(request)
        return (resample(request.shape, request.dtype, rules, request.size, double=True, rounding=rounding),)
    plane = resample(request.shape, _DOUBLE, rules, request.size, double=True)
    shape, size = _upright(plane.output_shape, request.depth)
    return _in_doubles(request, plane, resample(shape, _DOUBLE, (rules[0], None), size, double=True))


def _b_spline(request: Request) -> tuple[Step, ...]:
    """A polynomial of degree 3 in float64; integers lose their fraction."""
    plane = Splined(request.shape, request.size, _CUBIC, "mirror", "itk")
    if request.depth is None:
        return _in_doubles(request, plane)
    return _in_doubles(request, plane, Splined(*_upright(plane.output_shape, request.depth), _CUBIC, "mirror", "itk"))


def _rounding(request: Request) -> str:
    return "toward zero" if request.dtype.kind in "iu" else "half even"


def _upright(shape: Shape, depth: tuple[int, int]) -> tuple[Shape, tuple[int, int]]:
    """Planes side by side as columns of one row each, and the size of that picture after the depth's resize."""
    n_in, n_out = depth
    planes, height, width, channels = shape
    return (planes // n_in, n_in, 1, height * width * channels), (n_out, 1)


def _in_doubles(request: Request, *steps: Step) -> tuple[Step, ...]:
    if request.dtype == _DOUBLE:
        return steps
    rounded = Rounded(steps[-1].output_shape, request.dtype, _rounding(request))
    return (Cast(request.shape, _DOUBLE), *steps, rounded)


_ROWS: tuple[tuple[str, str, Callable[[Request], tuple[Step, ...]], float], ...] = (
    ("nearest", "NearestNeighbor", _nearest, 0.0),
    ("linear", "Linear", _linear, 0.0),
    ("bspline", "BSpline3", _b_spline, _OF_SPLINES),
)
CONVENTIONS = tuple(
    Convention(
        f"itk/{name}",
        f"SimpleITK.Resample(image, size, Transform(), SimpleITK.sitk{word}, origin, spacing)",
        _NUMBERS,
        "ITK has no such pixels here",
        build,
        within=within,
        volumes=True,
    )
    for name, word, build, within in _ROWS
)
