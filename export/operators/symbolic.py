"""Sizes, scales and positions that the graph computes itself, where the input's size is known at run time only.

Rounding for rounding as `fastup.plan` computes them: a runtime's own product of size and scale is another one in 73 of
13,527 pairs (onnxruntime) or 649 (the reference evaluator).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fastup.export.graph import Graph, Value
from fastup.export.operators.request import Request
from fastup.plan.sampling.axis import precision_of

_ROUNDINGS = {"floor": "Floor", "round": "Round", "ceil": "Ceil"}
# Numerators of so few bits give exact products with any size below 2**20, in float32 as in float64.
_SHORT_NUMERATOR = 16


def near(scale: float) -> list[np.float32]:
    """The float32 numbers next to a scale, the nearest first."""
    middle = np.float32(scale)
    above, below = (np.nextafter(middle, np.float32(end)) for end in (np.inf, 0))
    return [middle, above, below, np.nextafter(above, np.float32(np.inf)), np.nextafter(below, np.float32(0))]


def output_extent(graph: Graph, x: Value, request: Request, k: int, axis: int) -> Any:
    """Extent of an axis of the whole result: a number, or a tensor of one int64."""
    factor = request.factor(k)
    if factor is None:
        return request.plan.size[k]
    return graph.cast(_unrounded(graph, x, request, factor, axis), np.int64)


def _unrounded(graph: Graph, x: Value, request: Request, factor: float, axis: int) -> Value:
    extent = graph.cast(graph.extent(x, axis), np.float64)
    exact = graph.op("Mul", extent, graph.const([factor], np.float64))
    return graph.op(_ROUNDINGS[request.rounding], exact)


def resize_scale(graph: Graph, x: Value, request: Request, k: int, axis: int) -> Any:
    """The scale of a symbolic axis: a number, or a tensor of one float32 from which runtimes find the plan's size."""
    factor = request.factor(k) or 1.0
    if factor.is_integer() or (_is_short(factor) and not may_keep_size(factor)):
        return factor
    wanted = _unrounded(graph, x, request, factor, axis)
    extent = graph.extent(x, axis)
    scale = _fitting(graph, extent, wanted, factor)
    if request.plan.axes[k].heeds_scale or not may_keep_size(factor):
        return scale
    # torch leaves an axis alone that keeps its size, whatever the factor.
    kept = graph.op("Equal", wanted, graph.cast(extent, np.float64), dtype=np.bool_)
    return graph.op("Where", kept, graph.const([1.0], np.float32), scale, dtype=np.float32)


def _fitting(graph: Graph, extent: Value, wanted: Value, factor: float) -> Value:
    """The number next to the factor whose products with the extent, in float32 and in float64, have the wanted floor.

    There was one for each of 39 million pairs of a factor and an extent up to 8,192.
    """
    candidates = graph.const(near(factor), np.float32)
    agree = []
    for kind in (np.float32, np.float64):
        product = graph.op("Mul", graph.cast(candidates, kind), graph.cast(extent, kind))
        floor = graph.cast(graph.op("Floor", product), np.float64)
        agree.append(graph.op("Equal", floor, wanted, dtype=np.bool_))
    fits = graph.cast(graph.op("And", *agree), np.float32)
    return graph.op("Gather", candidates, graph.op("ArgMax", fits, shape=(1,), dtype=np.int64, axis=0), shape=(1,))


def _is_short(factor: float) -> bool:
    """Whether the factor's products with sizes are exact."""
    return factor.as_integer_ratio()[0] < _SHORT_NUMERATOR


def may_keep_size(factor: float) -> bool:
    """Whether an axis of two or more positions may keep its size: floor(2 * 1.49) = 2."""
    return 1 < factor < 1.5


def index(graph: Graph, x: Value, request: Request, k: int, axis: int) -> Value:
    """The input position that each wanted position copies."""
    start, stop = _wanted(graph, x, request, k, axis)
    numbers = graph.op("Range", start, stop, graph.const(1), shape=("outputs",))
    if not request.plan.axes[k].filter.copies:
        return graph.op("Div", numbers, graph.const(request.repetition(k)))
    precision = precision_of(request.plan.dtype)
    scale = _sampling_scale(graph, x, request, k, axis, precision)
    position = graph.cast(numbers, precision)
    source = _source(graph, position, scale, request.plan.axes[k].filter.copies_at or 0.0)
    found = graph.cast(graph.op("Floor", graph.cast(source, np.float32)), np.int64)
    last = graph.op("Sub", graph.extent(x, axis), graph.const([1]))
    if graph.opset >= 12:
        return graph.op("Min", found, last)
    return graph.op("Where", graph.op("Less", found, last, dtype=np.bool_), found, last, dtype=np.int64)


def _wanted(graph: Graph, x: Value, request: Request, k: int, axis: int) -> tuple[Value, Value]:
    """The wanted output positions, from and to, as scalars."""
    if request.plan.window is not None:
        start, stop = request.plan.axes[k].window
        return graph.const(start), graph.const(stop)
    count = graph.vector([output_extent(graph, x, request, k, axis)])
    return graph.const(0), graph.op("Reshape", count, graph.const([]), shape=())


def _source(graph: Graph, position: Value, scale: Value, shift: float) -> Value:
    if shift == 0:
        return graph.op("Mul", position, scale)
    precision = position.dtype
    centre = graph.cast(graph.op("Add", position, graph.const(shift, precision)), np.float64)
    exact = graph.op("Mul", centre, graph.cast(scale, np.float64))
    exact = graph.cast(graph.op("Sub", exact, graph.const(shift, np.float64)), precision)
    clamped = graph.cast(graph.op("Max", exact, graph.const(0, precision)), np.float64)
    return graph.op("Add", clamped, graph.const(shift, np.float64))


def _sampling_scale(graph: Graph, x: Value, request: Request, k: int, axis: int, precision: Any) -> Value:
    if request.plan.scale_factor is not None:
        return graph.const([1.0 / request.plan.scale_factor[k]], precision)
    outputs = graph.vector([output_extent(graph, x, request, k, axis)])
    return graph.op("Div", graph.cast(graph.extent(x, axis), precision), graph.cast(outputs, precision))
