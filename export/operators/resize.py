"""Native operators of interpolation: how a mode is written as Resize, and when `sizes` or `scales` say it.

`sizes` is what runtimes agree on; `scales` is written only where a scale factor sets the coordinates.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fastup.export.graph import Dim, Graph, Value
from fastup.export.operators import sums, symbolic
from fastup.export.operators.request import PORTABLE, Request, unsupported
from fastup.plan.sampling.axis import Axis, sampling_scale
from fastup.plan.sampling.filter import Filter


def attributes(record: Filter, axis: Axis) -> dict[str, Any]:
    """The attributes of Resize for a filter; half_pixel is torch's rule where corners are not aligned."""
    coordinates = "align_corners" if axis.align_corners else "half_pixel"
    return {"coordinate_transformation_mode": coordinates, **(record.form(axis.antialias).onnx or {})}


def resize(graph: Graph, x: Value, request: Request, record: Filter, group: list[int], first: int) -> Value:
    """One Resize of a group of axes by their filter, or by one that copies where they are only repeated.

    `first` is where the spatial axes of `x` begin.
    """
    shape = list(x.shape)
    for k in group:
        shape[first + k] = request.extent(k)
    options = attributes(record, request.plan.axes[group[0]]) | {"shape": tuple(shape)}
    absent = None if graph.opset >= 13 else graph.const([], np.float32)
    if _by_sizes(request, record, group):
        sizes, only = _sizes(graph, x, request, group, first)
        return graph.op("Resize", x, absent, absent, sizes, **options, **only)
    scales: list[Any] = [1.0] * len(x.shape)
    for k in group:
        scales[first + k] = _scale(graph, x, request, record, k, first)
    return graph.op("Resize", x, absent, graph.vector(scales, np.float32), **options)


def _by_sizes(request: Request, record: Filter, group: list[int]) -> bool:
    if record.copies:
        # Whole factors are written as scales: they hold for symbolic sizes too.
        return not all(request.exact(k) for k in group) and request.plan.scale_factor is None
    return all(follows_sizes(request, k) for k in group)


def follows_sizes(request: Request, k: int) -> bool:
    """Whether the sampling scale of an axis is the ratio of its sizes (its corners', where they are aligned)."""
    axis = request.plan.axes[k]
    if axis.align_corners or request.plan.scale_factor is None:
        return True
    if request.symbolic(k):
        return False
    precision = np.float64 if axis.double else np.float32
    return axis.scale == sampling_scale(axis.n_in, axis.n_out, None, precision)


def _sizes(graph: Graph, x: Value, request: Request, group: list[int], first: int) -> tuple[Value, dict[str, Any]]:
    """The input `sizes`: of all axes, or with the attribute `axes` of the group where others are symbolic."""
    wanted = {first + k: symbolic.output_extent(graph, x, request, k, first + k) for k in group}
    others = [dim for axis, dim in enumerate(x.shape) if axis not in wanted]
    # onnxruntime 1.32 moves a Transpose past a Resize and permutes `sizes` as if they were those of all axes.
    if graph.opset >= 18 and any(isinstance(dim, str) for dim in others) and not graph.has("Transpose"):
        return graph.vector(list(wanted.values())), {"axes": list(wanted)}
    entries = [wanted.get(axis, dim) for axis, dim in enumerate(x.shape)]
    return graph.vector([graph.extent(x, a) if isinstance(e, str) else e for a, e in enumerate(entries)]), {}


def _scale(graph: Graph, x: Value, request: Request, record: Filter, k: int, first: int) -> Any:
    if record.copies:
        return _scale_of_nearest(request, k)
    if request.symbolic(k):
        return symbolic.resize_scale(graph, x, request, k, first + k)
    return static_scale(request, k)


def _scale_of_nearest(request: Request, k: int) -> float:
    if request.exact(k):
        return float(request.repetition(k))
    if not request.symbolic(k):
        scale = static_scale(request, k)
        if scale is None:
            raise unsupported(f"lowering='native' {no_scale(request, k)}", PORTABLE)
        return scale
    if request.rounding != "floor":
        raise unsupported(
            f"lowering='native' takes the floor of symbolic sizes, not rounding={request.rounding!r}", PORTABLE
        )
    return float(np.float32(request.plan.scale_factor[k])) if request.plan.scale_factor else 1.0


def no_scale(request: Request, k: int) -> str:
    """Why an axis whose scale factor sets the coordinates cannot be resized."""
    return f"has no scale that turns {request.name(k)} into {request.plan.size[k]}"


def static_scale(request: Request, k: int) -> float | None:
    """A float32 scale from which onnxruntime (float32) and the reference (float64) both floor to the plan's size."""
    axis, factors = request.plan.axes[k], request.plan.scale_factor
    wanted = axis.n_out / axis.n_in if factors is None or follows_sizes(request, k) else factors[k]
    for candidate in symbolic.near(wanted):
        if int(np.float32(axis.n_in) * candidate) == int(axis.n_in * float(candidate)) == axis.n_out:
            return float(candidate)
    return None


def average_pool(graph: Graph, x: Value, request: Request, group: list[int]) -> Value:
    """Area where the sizes divide, in channels-first order."""
    if sums.means_need_float64(request):
        return sums.means_of_equal_windows(graph, x, request, group)
    shape: list[Dim] = list(x.shape)
    kernel = [1] * len(request.plan.axes)
    for k in group:
        kernel[k], shape[2 + k] = request.plan.axes[k].n_in // request.plan.axes[k].n_out, request.plan.size[k]
    return graph.op("AveragePool", x, shape=tuple(shape), kernel_shape=kernel, strides=kernel)
