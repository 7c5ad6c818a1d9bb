"""OpenCV: cv2.resize of 5.0, and of 4.14 where it differs, as its generic code has it."""

from __future__ import annotations

import functools

import numpy as np

from fastup.plan.conventions.record import Convention, Request
from fastup.plan.conventions.spline_steps import Banded
from fastup.plan.conventions.steps import CellMeans, Step, resample
from fastup.plan.interpolation import InterpolatePlan
from fastup.plan.sampling.libraries.opencv import (
    HALVES,
    ONE,
    IppCubic,
    IppLinear,
    OpenCvArea,
    OpenCvExactLinear,
    OpenCvNearest,
    OpenCvTaps,
    scale_of,
)

_NEAREST = {"nearest": "floor", "nearest_exact": "running", "nearest_exact of 4": "fixed"}
_VECTOR = 16  # bytes of the vectors of the wheels' baseline: they decide how many items of a row are summed backward
_SQUARED = float(ONE * ONE)


def _build(method: str, request: Request) -> tuple[Step, ...]:
    (_, height, width, channels), (h, w) = request.shape, request.size
    if (height, width) == (h, w):
        return ()
    if method in _NEAREST:
        nearest = OpenCvNearest(_NEAREST[method])
        return (resample(request.shape, request.dtype, (nearest, nearest), request.size),)
    if method == "linear_exact" and request.dtype == np.float32:
        method = "linear"
    scales = (scale_of(height, h), scale_of(width, w))
    factors = (round(scales[0]), round(scales[1]))
    whole = scales == factors
    if whole and factors == (2, 2) and (method == "linear" or (method == "linear_exact" and channels != 2)):
        method = "area"
    if method == "area" and min(scales) >= 1:
        return (_shrunk(request, factors) if whole else _covered(request),)
    return (_exact(request) if method == "linear_exact" else _filtered(method, request),)


def _shrunk(request: Request, factors: tuple[int, int]) -> Step:
    """Area of whole factors."""
    channels, size = request.shape[3], request.size
    if factors == (2, 2) and channels != 2:
        lanes = _VECTOR // 4
        lead = 0 if channels == 3 else size[1] * channels // lanes * lanes
        return CellMeans(request.shape, factors, lead)
    return CellMeans(request.shape, factors)


def _covered(request: Request) -> InterpolatePlan:
    """Area of other factors."""
    return resample(request.shape, request.dtype, (OpenCvArea(), OpenCvArea()), request.size)


def _exact(request: Request) -> InterpolatePlan:
    """Whole numbers all the way."""
    if request.dtype == np.uint8:
        rules = (OpenCvExactLinear(8, 2.0**-8, "bytes exact linear"), OpenCvExactLinear(8, 2.0**8))
        return resample(request.shape, request.dtype, rules, request.size)
    rule = OpenCvExactLinear(16)
    return resample(request.shape, request.dtype, (rule, rule), request.size, double=True, rounding="half up")


def _filtered(method: str, request: Request) -> InterpolatePlan:
    """Taps around a coordinate; bytes with integer weights."""
    if request.dtype != np.uint8:
        shorts = request.dtype == np.uint16
        backward = method == "cubic" or (method == "lanczos4" and not shorts)
        lanes = _VECTOR // request.dtype.itemsize if backward else 0
        rows = OpenCvTaps(method, False, blend="backward" if backward else "in steps", lanes=lanes)
        return resample(request.shape, request.dtype, (rows, OpenCvTaps(method, True)), request.size)
    columns = OpenCvTaps(method, True, True)
    if method == "lanczos4":  # sums of whole numbers of 32 bits
        rows = OpenCvTaps(method, False, True, _SQUARED, "bytes exactly")
    elif method == "cubic":
        rows = OpenCvTaps(method, False, True, _SQUARED, "bytes cubic", _VECTOR // 2)
    else:
        rows = OpenCvTaps(method, False, True, blend="bytes linear")
    return resample(request.shape, request.dtype, (rows, columns), request.size)


def _ipp_linear(request: Request) -> tuple[Step, ...]:
    """Linear where the wheels call Intel's library; else the generic code."""
    (_, height, width, channels), (h, w) = request.shape, request.size
    if (height, width) == (h, w) or request.dtype == np.uint8 or channels == 2 or min(height, width) < 2:
        return _build("linear", request)
    plan = resample(request.shape, request.dtype, (IppLinear(), IppLinear()), request.size)
    columns = _bands(width, w, channels) if request.dtype == np.float32 else ()
    return (Banded(request.shape, plan, columns, _IN_BANDS[channels]),) if columns else (plan,)


def _ipp_cubic(request: Request) -> tuple[Step, ...]:
    """Cubic where the wheels call Intel's library; else the generic code."""
    (_, height, width, channels), (h, w) = request.shape, request.size
    if (height, width) == (h, w) or channels == 2 or min(height, width) < 2 * HALVES["cubic"]:
        return _build("cubic", request)
    return (resample(request.shape, request.dtype, (IppCubic(), IppCubic()), request.size),)


_BLOCK, _SHORT = 16, 4  # pixels of a band that are made at once, and so few that they are made one by one
_IN_BANDS = {3: 2, 4: 4}  # channels of those columns


def _bands(width: int, w: int, channels: int) -> tuple[int, ...]:
    """Columns at the sides, where the edge is repeated, whose blocks have other instructions."""
    if channels not in _IN_BANDS:
        return ()
    x, found = (np.arange(w) + 0.5) * (width / w) - 0.5, list[int]()
    for band in (np.flatnonzero(x < 0), np.flatnonzero(x >= width - 1)):
        full = len(band) // _BLOCK * _BLOCK
        found += band[:full].tolist() if channels == _VECTOR // 4 else []
        found += band[full:].tolist() if len(band) - full > _SHORT else []
    return tuple(found)


_DTYPES = ("uint8", "uint16", "float32")
_INSTEAD = "OpenCV has other code for others, which no row has, or refuses them"
_AS_IMPORTED = "5.0, as its x86 wheel is imported"
_METHODS = ("nearest", "nearest_exact", "linear", "linear_exact", "cubic", "area", "lanczos4")


def _call(method: str, version: str) -> str:
    return f"cv2.resize(image, (width, height), interpolation=cv2.INTER_{method.upper()}) of OpenCV {version}"


CONVENTIONS = (
    *(
        Convention(f"opencv/{name}", _call(name, "5.0"), _DTYPES, _INSTEAD, functools.partial(_build, name))
        for name in _METHODS
    ),
    Convention(
        "opencv-4/nearest_exact", _call("nearest_exact", "4.14"), _DTYPES, _INSTEAD,
        functools.partial(_build, "nearest_exact of 4"),
    ),
    Convention("opencv-ipp/linear", _call("linear", _AS_IMPORTED), _DTYPES, _INSTEAD, _ipp_linear),
    Convention("opencv-ipp/cubic", _call("cubic", _AS_IMPORTED), _DTYPES, _INSTEAD, _ipp_cubic, within=3e-7),
)  # fmt: skip
