"""B-splines and what comes before and after them, in float64: filters along whole axes are products with matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastup.export.graph import Graph, UnsupportedExport, Value
from fastup.plan.base import Array
from fastup.plan.conventions.spline_steps import Clipped, Mixed, Scaled, Smoothed, Splined
from fastup.plan.sampling.libraries import scipy

_MOST_BYTES = 2**28  # of a matrix: a model may take 2 GiB
_SPACE = [1, 2, 3]


def append(graph: Graph, x: Value, step: Any) -> Value:
    """One step on (N, H, W, C)."""
    if isinstance(step, Scaled):
        y = graph.op("Mul", graph.cast(x, np.float64), graph.const(step.factor, np.float64))
        return graph.op("Max", y, graph.const(-1.0, np.float64)) if step.factor < 1 else y
    if isinstance(step, Mixed):
        by = graph.const(np.array(step.matrix).T, np.float64)
        return graph.op("MatMul", x, by, shape=x.shape)
    if isinstance(step, Smoothed):
        matrix = _checked(scipy.smoothing, step.input_shape[step.axis], step.size, step.edge)
        return graph.cast(_times(graph, graph.cast(x, np.float64), step.axis, matrix), x.dtype)
    if isinstance(step, Splined):
        return _splined(graph, x, step)
    raise UnsupportedExport(f"resize: {type(step).__name__} has no graph")


def _checked(made: Any, n_in: int, n_out: int, *arguments: Any) -> Array:
    """A matrix, unless it is too large for a model."""
    if n_in * max(n_in, n_out) * 8 > _MOST_BYTES:
        raise UnsupportedExport(
            f"resize: an axis of {n_in} pixels to {n_out} must be shorter: its filter is a matrix in the graph"
        )
    return np.asarray(made(n_in, n_out, *arguments))


def _times(graph: Graph, x: Value, place: int, by: Array) -> Value:
    """A matrix times rows (`place` 1) or columns."""
    n, height, width, items = x.shape
    if place == 2:
        return graph.op("MatMul", graph.const(by, np.float64), x, shape=(n, height, len(by), items), dtype=x.dtype)
    lead = -1 if isinstance(n, str) else n
    row = int(width) * int(items)
    flat = graph.reshape(x, [lead, height, row], (n, height, row))
    made = graph.op("MatMul", graph.const(by, np.float64), flat, shape=(n, len(by), row), dtype=x.dtype)
    return graph.reshape(made, [lead, len(by), width, items], (n, len(by), width, items))


def _splined(graph: Graph, x: Value, step: Splined) -> Value:
    """Orders with a filter by a matrix per axis; others tap by tap, so that a NaN stays where it is."""
    coordinates = step.coordinates()
    if step.order > 1:
        for place in (1, 2):
            found = coordinates[place - 1]
            by = _checked(
                lambda n_in, _, x: scipy.matrix(step.order, step.mode, x, n_in, step.most_terms),
                step.input_shape[place], len(found), found,
            )  # fmt: skip
            x = _times(graph, x, place, by)
        return x
    rows, columns = (
        scipy.taps(step.order, step.mode, found, extent)
        for found, extent in zip(coordinates, step.input_shape[1:3], strict=True)
    )
    total: Value | None = None
    for down in range(step.order + 1):
        for across in range(step.order + 1):
            part = _tap(graph, x, [one[:, down] for one in rows], [one[:, across] for one in columns])
            total = part if total is None else graph.op("Add", total, part)
    return total or x


def _tap(graph: Graph, x: Value, row: list[Array], column: list[Array]) -> Value:
    """One tap of both axes; 0 where it lies nowhere."""
    (rows, down), (columns, across) = row, column
    n, _, width, items = x.shape
    shape = (n, len(rows), len(columns), items)
    lines = graph.op("Gather", x, graph.const(np.maximum(rows, 0)), shape=(n, len(rows), width, items), axis=1)
    read = graph.op("Gather", lines, graph.const(np.maximum(columns, 0)), shape=shape, axis=2)
    part = graph.op("Mul", read, graph.const(down[:, None, None], np.float64))
    part = graph.op("Mul", part, graph.const(across[:, None], np.float64))
    nowhere = (rows < 0)[:, None, None] | (columns < 0)[:, None]
    if not nowhere.any():
        return part
    return graph.op(
        "Where", graph.const(nowhere, np.bool_), graph.const(0.0, x.dtype), part, dtype=x.dtype, shape=shape
    )


def range_of(graph: Graph, x: Value) -> tuple[Value, Value]:
    """The least and the largest item of each picture."""
    shape = (x.shape[0], 1, 1, 1)
    if graph.opset < _AXES_AS_INPUT:
        low, high = (graph.op(kind, x, axes=_SPACE, keepdims=1, shape=shape) for kind in ("ReduceMin", "ReduceMax"))
    else:
        axes = graph.const(_SPACE)
        low, high = (graph.op(kind, x, axes, keepdims=1, shape=shape) for kind in ("ReduceMin", "ReduceMax"))
    return low, high


_AXES_AS_INPUT = 18


def clipped(graph: Graph, x: Value, step: Clipped, limits: Any) -> Value:
    """Nothing beyond the limits; beyond the edges there was 0, which stays if it was outside them."""
    low, high = limits
    if step.widened:
        least, most = range_of(graph, x)
        zero = graph.const(0.0, x.dtype)

        def at_most(a: Value, b: Value) -> Value:
            return graph.op("LessOrEqual", a, b, dtype=np.bool_, shape=low.shape)

        met = graph.op("And", at_most(least, zero), at_most(zero, most))
        outside = graph.op("Not", graph.op("And", at_most(low, zero), at_most(zero, high)))
        widen = graph.op("And", met, outside)
        low, high = (
            graph.op("Where", widen, graph.op(kind, one, zero), one, dtype=x.dtype, shape=low.shape)
            for kind, one in (("Min", low), ("Max", high))
        )
    return graph.op("Min", graph.op("Max", x, low, shape=x.shape), high, shape=x.shape)
