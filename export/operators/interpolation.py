"""Interpolation: Resize where it gives the same numbers, else the plan's own tables.

A native nearest computes coordinates in another order of roundings and picks another pixel in 267 of 8,192 size pairs:
"auto" writes it for whole factors only, and Gather else. Where pixels are weighted a native Resize differs by rounding,
and "auto" leaves it only where it would be wrong, or where onnxruntime could not run it.
"""

from __future__ import annotations

import numpy as np

from fastup.export.graph import Graph, Value
from fastup.export.operators import choose_form, resize, sums, tables
from fastup.export.operators.call import Call
from fastup.export.operators.request import Request, unsupported
from fastup.plan import InterpolatePlan
from fastup.plan.sampling.filter import Filter
from fastup.plan.sampling.filters import FILTERS

# onnxruntime's CPU has Resize records for these (float16 runs through float32).
_RUNS = {np.dtype(t) for t in (np.float16, np.float32, np.int8, np.uint8, np.int32)}
_REPEATS = FILTERS["nearest"]  # a whole repetition is any nearest mode's
_Groups = list[tuple[Filter, list[int]]]


def append(graph: Graph, x: Value, plan: InterpolatePlan, call: Call) -> Value:
    """Append the interpolation to the graph.

    Any dimension of `x` may be symbolic; what the plan does not keep of how its size was asked for comes along.
    """
    request = Request(plan, x.shape, call.factors(plan.rank), call.arguments.get("rounding", "floor"))
    if plan.window is not None and any(request.factor(k) is not None for k in request.numbers):
        raise unsupported("window needs known output sizes", "size, or known spatial sizes, export this call")
    if all(request.copies(k) for k in request.numbers):
        return _copy(graph, x, request, call.lowering)
    if choose_form.choose(request, call.lowering, graph.opset) == "native":
        return _native(graph, x, request)
    return _portable(graph, x, request)


def _copy(graph: Graph, x: Value, request: Request, lowering: str) -> Value:
    """Positions only: every dtype, no arithmetic on values."""
    if lowering == "auto":
        exact = all(request.exact(k) for k in request.numbers) and request.plan.window is None
        lowering = "native" if exact and x.dtype in _RUNS else "portable"
    if lowering == "portable":
        for k in request.numbers:
            x = tables.gather(graph, x, request, k)
        return x
    if obstacle := choose_form.symbolic_nearest(request):
        raise obstacle
    records = [axis.filter for axis in request.plan.axes]
    first = request.plan.first_spatial_axis
    common = next((record for record in records if record.copies), _REPEATS)
    records = [record if record.copies else common for record in records]
    for record in dict.fromkeys(records):
        x = resize.resize(graph, x, request, record, [k for k, other in enumerate(records) if other is record], first)
    return _cut(graph, x, request, first)


def _portable(graph: Graph, x: Value, request: Request) -> Value:
    """Axis by axis from the last, in the order of fastup's own sums."""
    fixed = request.plan.axes[0].fixed
    y = x if fixed else graph.cast(x, sums.working(x.dtype))
    if request.plan.wide:
        y = graph.cast(x, np.float64)
    for k in reversed(request.numbers):
        y = (tables.gather if request.copies(k) else tables.weigh)(graph, y, request, k)
    if sums.means_need_float64(request):
        y = sums.divided(graph, y, request)
    return graph.cast(y, x.dtype) if fixed else sums.returned(graph, y, x.dtype)


def _native(graph: Graph, x: Value, request: Request) -> Value:
    """One operator per group of axes that share their attributes."""
    groups, fixed = _groups(request), request.plan.axes[0].fixed
    y = x if x.dtype == np.float16 and len(groups) == 1 else graph.cast(x, sums.working(x.dtype))
    moved, first = _needs_channels_first(request, groups), request.plan.first_spatial_axis
    rank = len(x.shape)
    if moved:
        y, first = graph.transpose(y, [0, rank - 1, *range(1, rank - 1)]), 2
    for record, group in groups:
        y = _operator(graph, y, request, record, group, first)
        y = sums.rounded_picture(graph, y) if fixed else y
    y = _cut(graph, y, request, first)
    if moved:
        y = graph.transpose(y, [0, *range(2, rank), 1])
    return graph.cast(y, x.dtype) if fixed else sums.returned(graph, y, x.dtype)


def _needs_channels_first(request: Request, groups: _Groups) -> bool:
    """Whether onnxruntime takes the operators in channels-first order only: AveragePool, and Resize of volumes."""
    pools = any(record.averages for record, _ in groups)
    return request.plan.data_format == "channels_last" and (pools or len(request.dims) == 5)


def _groups(request: Request) -> _Groups:
    """Axes by what is written for them; pictures of uint8 axis by axis from the last, since torch rounds between."""
    busy = [k for k in request.numbers if not request.idle(k)]
    if request.plan.axes[0].fixed:
        return [(request.plan.axes[k].filter, [k]) for k in reversed(busy)]
    groups: dict[Filter, list[int]] = {}
    for k in busy:
        record = request.plan.axes[k].filter
        groups.setdefault(_REPEATS if record.averages and request.repetition(k) else record, []).append(k)
    return list(groups.items())


def _operator(graph: Graph, y: Value, request: Request, record: Filter, group: list[int], first: int) -> Value:
    if record.averages:
        return resize.average_pool(graph, y, request, group)
    if request.resize_mode(group[0]) != "cubic" or len(y.shape) != 3:
        return resize.resize(graph, y, request, record, group, first)
    # onnxruntime's cubic Resize takes pictures only: a line is a picture of height 1.
    flat = resize.resize(graph, graph.with_axis(y, first), request, record, group, first + 1)
    return graph.without_axis(flat, first)


def _cut(graph: Graph, y: Value, request: Request, first: int) -> Value:
    """The wanted window of the whole result."""
    if request.plan.window is None:
        return y
    starts, stops = zip(*(axis.window for axis in request.plan.axes), strict=True)
    shape = (*y.shape[:first], *(axis.length for axis in request.plan.axes), *y.shape[first + len(starts) :])
    axes = [first + k for k in request.numbers]
    return graph.op("Slice", y, graph.const(starts), graph.const(stops), graph.const(axes), shape=shape)
