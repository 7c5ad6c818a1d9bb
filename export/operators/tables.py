"""Portable form of interpolation: the plan's own tables as constants, in operators that leave nothing to interpret."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastup.export.graph import Graph, Value
from fastup.export.operators import sums, symbolic
from fastup.export.operators.request import Request
from fastup.plan.sampling import fixed_point
from fastup.plan.sampling.axis import Axis
from fastup.plan.sampling.table import Taps, repetition, whole_table

Array = np.ndarray[Any, Any]
# Each tap is a Gather, a product and a sum over the whole result; beyond these a matrix has fewer nodes, though it
# multiplies by zeros (1080p x 2.5 as matrices: 48 MB and 1,060 ms, as a Resize 42 ms).
_MOST_TAPS = 8


def stored_bytes(request: Request) -> int:
    """Bytes of the constants that `append` will write for axes that do not copy."""
    total = 0
    for k in request.numbers:
        axis = request.plan.axes[k]
        item = 8 if axis.double or axis.sums_many else 4
        if not request.copies(k):
            per_output = axis.taps * (8 + item) if axis.taps <= _MOST_TAPS else axis.n_in * item
            total += axis.length * per_output
    return total


def gather(graph: Graph, x: Value, request: Request, k: int) -> Value:
    """An axis whose positions copy."""
    plan, axis = request.plan, request.plan.spatial_axes[k]
    if request.idle(k) and request.length(k) == request.name(k):
        return x
    if request.symbolic(k):
        positions = symbolic.index(graph, x, request, k, axis)
    else:
        positions = graph.const(_copied(plan.axes[k]))
    shape = (*x.shape[:axis], request.length(k), *x.shape[axis + 1 :])
    return graph.op("Gather", x, positions, shape=shape, axis=axis)


def _copied(axis: Axis) -> Array:
    if factor := repetition(axis.whole()):
        return np.arange(*axis.window) // factor
    return whole_table(axis).first


def weigh(graph: Graph, x: Value, request: Request, k: int) -> Value:
    """An axis whose positions are weighted sums."""
    axis, place = request.plan.axes[k], request.plan.spatial_axes[k]
    table = whole_table(axis)
    kind = np.dtype(sums.exact_float(table.weights, fixed_point.bits(axis)) if axis.fixed else table.weights.dtype)
    if axis.sums_many:
        kind = np.dtype(np.float64)
    if axis.filter.averages and sums.means_need_float64(request):
        kind = np.dtype(np.float64)
        table = sums.undivided(table)
    x = graph.cast(x, kind)
    if table.weights.shape[1] <= _MOST_TAPS:
        y = _taps(graph, x, place, axis, table)
    else:
        y = _matrix(graph, x, place, axis, table)
    return sums.shifted(graph, y, fixed_point.bits(axis)) if axis.fixed else y


def _taps(graph: Graph, x: Value, place: int, axis: Axis, table: Taps) -> Value:
    """Per tap a Gather, a product and a sum; rounded as two numbers, so within an ulp or two of a fused sum."""
    shape = (*x.shape[:place], axis.length, *x.shape[place + 1 :])
    column = [axis.length] + [1] * (len(x.shape) - place - 1)
    total: Value | None = None
    for tap in range(table.weights.shape[1]):
        positions = graph.const(np.clip(table.first + tap, 0, axis.n_in - 1))
        source = graph.op("Gather", x, positions, shape=shape, axis=place)
        part = graph.op("Mul", source, graph.const(table.weights[:, tap].reshape(column), x.dtype))
        total = part if total is None else graph.op("Add", total, part)
    return total or x


def _matrix(graph: Graph, x: Value, place: int, axis: Axis, table: Taps) -> Value:
    """One product with the whole table; its zeros multiply too, so an infinity spreads along the axis."""
    matrix = np.zeros((axis.n_in, axis.length), x.dtype)
    for tap in range(table.weights.shape[1]):
        rows = np.clip(table.first + tap, 0, axis.n_in - 1)
        np.add.at(matrix, (rows, np.arange(axis.length)), table.weights[:, tap].astype(x.dtype))
    last = len(x.shape) - 1
    if place == last:
        return graph.op("MatMul", x, graph.const(matrix, x.dtype), shape=(*x.shape[:last], axis.length))
    order = list(range(last + 1))
    if place < last - 1:
        order[place], order[last] = last, place
        moved = graph.transpose(x, order)
        return graph.transpose(_matrix(graph, moved, last, axis, table), order)
    left, right = graph.const(matrix.T, x.dtype), x
    return graph.op("MatMul", left, right, dtype=x.dtype, shape=(*x.shape[:place], axis.length, x.shape[last]))
