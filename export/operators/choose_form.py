"""Which form an interpolation with weights takes: what ONNX cannot say and onnxruntime cannot run, and what to do."""

from __future__ import annotations

import math

import numpy as np

from fastup.export.graph import UnsupportedExport
from fastup.export.operators import resize, sums, symbolic, tables
from fastup.export.operators.request import PORTABLE, Request, unsupported

# "auto" writes no larger tables: they are part of every copy of the model, and are slower than a Resize.
_LARGEST_TABLES = 1 << 20


def choose(request: Request, lowering: str, opset: int) -> str:
    """Native or portable, as asked or as "auto" decides; an error where that form does not exist."""
    wrong = inexpressible(request, opset)
    if lowering == "native":
        if wrong:
            raise unsupported(wrong, _known_sizes(request) or PORTABLE)
        return "native"
    if lowering == "portable":
        if unknown := _unknown(request):
            reason = f"tables of mode {request.plan.mode!r} need known spatial sizes, got {unknown!r}"
            raise unsupported(reason, _known_sizes(request) if wrong else "lowering='native' exports this call")
        return "portable"
    return _automatic(request, wrong)


def _automatic(request: Request, wrong: str | None) -> str:
    unknown, size = _unknown(request), tables.stored_bytes(request)
    if request.plan.axes[0].fixed and not unknown and size <= _LARGEST_TABLES:
        return "portable"  # exact, where a native form is off by 1 or 2 in up to one pixel of eight
    reason = wrong or unrunnable(request)
    if reason is None:
        return "native"
    if unknown:
        raise unsupported(reason, _known_sizes(request) + ("" if wrong else _other_runtimes()))
    if size > _LARGEST_TABLES:
        remedy = f"lowering='portable' exports this call with tables of {math.ceil(size / 2**20)} MB"
        raise unsupported(reason, remedy + ("" if wrong else _other_runtimes()))
    return "portable"


def _unknown(request: Request) -> str | None:
    """The first symbolic spatial size."""
    return next((str(request.name(k)) for k in request.numbers if request.symbolic(k)), None)


def _known_sizes(request: Request) -> str:
    return "known spatial sizes export this call" if _unknown(request) else ""


def _other_runtimes() -> str:
    return ", and lowering='native' writes it for other runtimes"


def inexpressible(request: Request, opset: int) -> str | None:
    """Why no native operator means the same, if none does."""
    for k in request.numbers:
        axis = request.plan.axes[k]
        if request.idle(k) or request.copies(k):
            continue
        if axis.filter.averages:
            if request.symbolic(k) or axis.n_in % axis.n_out:
                sizes = f"{request.name(k)} to {request.extent(k)}"
                return f"ONNX has no average over windows of unequal size, as {axis.filter.name} from {sizes} needs"
        elif request.resize_mode(k) is None:
            return f"ONNX has no {axis.filter.name}"
        if axis.antialias and axis.align_corners:
            return "Resize cannot antialias with align_corners=True"
        if axis.antialias and opset < 18:
            return f"Resize needs opset 18 for antialias, got {opset}"
    return _without_scale(request)


def _without_scale(request: Request) -> str | None:
    """Why no `scales` give the size of an axis whose scale factor sets the coordinates."""
    for k in request.numbers:
        if request.idle(k) or request.plan.axes[k].filter.averages or resize.follows_sizes(request, k):
            continue
        factor = request.factor(k)
        if factor is None:
            if resize.static_scale(request, k) is None:
                return f"lowering='native' {resize.no_scale(request, k)}"
        elif not factor.is_integer() and request.rounding != "floor":
            return f"lowering='native' takes the floor of symbolic sizes, not rounding={request.rounding!r}"
    return None


def unrunnable(request: Request) -> str | None:
    """Why onnxruntime would not run the native form, or give other numbers than rounding explains."""
    working = sums.working(request.plan.dtype)
    if working == np.float64:
        return f"onnxruntime has no Resize in float64, as dtype {request.plan.dtype.name} needs"
    busy = [k for k in request.numbers if not request.idle(k)]
    cubic = [k for k in busy if request.resize_mode(k) == "cubic"]
    if cubic and len(request.dims) > 4:
        return "onnxruntime has no cubic Resize of volumes"
    if cubic and request.plan.data_format == "channels_last" and any(_may_shrink(request, k) for k in cubic):
        return "onnxruntime has no cubic Resize that shrinks channels-last pictures"
    if cubic and all(_may_keep(request, k) for k in cubic):
        return "onnxruntime copies where a cubic Resize keeps every size, whatever the scale factor"
    if any(request.plan.axes[k].filter.copies and not request.exact(k) for k in busy):
        return "a native nearest takes other pixels unless the factor is whole"
    return None


def _may_keep(request: Request, k: int) -> bool:
    axis, factor = request.plan.axes[k], request.factor(k)
    if not axis.heeds_scale or resize.follows_sizes(request, k):
        return False
    return axis.n_in == axis.n_out if factor is None else symbolic.may_keep_size(factor)


def _may_shrink(request: Request, k: int) -> bool:
    axis, factor = request.plan.axes[k], request.factor(k)
    if axis.antialias:
        return False
    return (request.symbolic(k) or axis.n_out < axis.n_in) if factor is None else factor < 1


def symbolic_nearest(request: Request) -> UnsupportedExport | None:
    """The error for a native nearest whose scale would follow from sizes that are not known yet."""
    recomputed = request.plan.scale_factor is None and request.scale_factor is not None
    if recomputed and any(request.symbolic(k) and not request.exact(k) for k in request.numbers):
        return unsupported("lowering='native' cannot recompute the scale factor of symbolic sizes", PORTABLE)
    return None
