"""SciPy's ndimage.zoom of 1.17, scikit-image's transform.resize of 0.26, and SimpleITK's Resample of 2.5."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np

from fastup.plan.conventions.record import Convention, Request
from fastup.plan.conventions.spline_steps import Clipped, Mixed, Rounded, Scaled, Smoothed, Splined
from fastup.plan.conventions.steps import Cast, Step
from fastup.plan.sampling.libraries.scipy import EDGES, ORDERS, along_channels

_DOUBLE = np.dtype(np.float64)
_NUMBERS = (
    "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64",
)  # fmt: skip
_MODES = {
    "reflect": "mirror",
    "symmetric": "reflect",
    "edge": "nearest",
    "constant": "grid-constant",
    "wrap": "grid-wrap",
}
_SMOOTH_EDGES = {"grid-constant": "constant", "grid-wrap": "wrap"}
_WITHIN = 1e-6  # of the range, where a recursion is summed in another order and the result is float32


def _zoom(order: int, mode: str, positions: str, request: Request) -> tuple[Step, ...]:
    if request.size == request.shape[1:3]:
        return ()
    steps: tuple[Step, ...] = (Splined(request.shape, request.size, order, mode, positions),)
    if request.dtype == _DOUBLE:
        return steps
    return (Cast(request.shape, _DOUBLE), *steps, Rounded(steps[-1].output_shape, request.dtype))


def _resize(order: int, mode: str, smooth: bool | None, keeps: bool, request: Request) -> tuple[Step, ...]:
    """Floats, a Gaussian where axes shrink, zoom, and nothing beyond the picture's range."""
    integers, kind = request.dtype.kind in "iu", _MODES[mode]
    as_floats = order > 0 and integers
    steps: list[Step] = []
    if as_floats:
        steps.append(Scaled(request.shape, 1.0 if keeps else 1 / np.iinfo(request.dtype).max))
    shrinks = any(m < n for n, m in zip(request.shape[1:3], request.size, strict=True))
    if (shrinks and not (integers and order == 0)) if smooth is None else smooth:
        edge = _SMOOTH_EDGES.get(kind, kind)
        for axis, n, m in ((1, request.shape[1], request.size[0]), (2, request.shape[2], request.size[1])):
            if m < n:
                steps.append(Smoothed(request.shape, axis, m, edge))
    floats = _DOUBLE if as_floats or request.dtype == _DOUBLE else np.dtype(request.dtype)
    if request.size != request.shape[1:3]:
        if floats != _DOUBLE:
            steps.append(Cast(request.shape, _DOUBLE))
        if order > 1 and kind == "reflect" and request.shape[3] > 1:  # channels are one more axis of the zoom
            steps.append(Mixed(request.shape, along_channels(order, kind, request.shape[3])))
        steps.append(Splined(request.shape, request.size, order, kind, "cells"))
        if floats != _DOUBLE:
            steps.append(Rounded(steps[-1].output_shape, floats))
    if order > 0 or not integers:
        steps.append(Clipped((*request.shape[:1], *request.size, request.shape[3]), mode == "constant"))
    return tuple(steps)


def _of_scipy() -> Iterator[Convention]:
    for order in ORDERS:
        for mode in EDGES:
            for grid in (False, True):
                suffix = "-grid" if grid else ""
                option = ", grid_mode=True" if grid else ""
                yield Convention(
                    f"scipy/{order}-{mode}{suffix}",
                    f"scipy.ndimage.zoom(image, factors, order={order}, mode={mode!r}{option})",
                    _NUMBERS,
                    "SciPy has no zoom of it",
                    functools.partial(_zoom, order, mode, "cells" if grid else "corners"),
                    within=_WITHIN if order > 1 else 0.0,
                )


def _of_skimage() -> Iterator[Convention]:
    for order in ORDERS:
        for mode in _MODES:
            for smooth in (None, False):
                for keeps in (False, True):
                    name = f"skimage/{order}" + ("" if mode == "reflect" else f"-{mode}")
                    name += ("" if smooth is None else "-no_anti_aliasing") + ("-preserve_range" if keeps else "")
                    options = "" if mode == "reflect" else f", mode={mode!r}"
                    options += "" if smooth is None else ", anti_aliasing=False"
                    options += ", preserve_range=True" if keeps else ""
                    yield Convention(
                        name,
                        f"skimage.transform.resize(image, size, order={order}{options})",
                        _NUMBERS,
                        "scikit-image would convert it",
                        functools.partial(_resize, order, mode, smooth, keeps),
                        result="float of integers" if order else "",
                        within=_WITHIN if order > 1 else 0.0,
                    )


CONVENTIONS = (*_of_scipy(), *_of_skimage())
