"""What an interpolation's sums are computed in, and how they return to the input's dtype.

Means are added in float64, where those of integers are exact: onnxruntime's AveragePool and ReduceMean add in float32
one after the other, and over 10,000 x 10,000 items of 0.1 they are off by 16 and 12 %.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastup.export.graph import Dim, Graph, Value
from fastup.export.operators.request import Request
from fastup.plan.sampling.axis import MOST_ADDED
from fastup.plan.sampling.table import Taps

Array = np.ndarray[Any, Any]


def working(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The type of the sums: float32, or float64 for float64 and for integers beyond 16 bits."""
    wide = dtype == np.float64 or (dtype.kind in "iu" and dtype.itemsize > 2)
    return np.dtype(np.float64 if wide else np.float32)


def returned(graph: Graph, y: Value, dtype: np.dtype[Any]) -> Value:
    """Sums as items of the dtype: integers are rounded half to even and saturate."""
    if dtype.kind not in "iu":
        return graph.cast(y, dtype)
    y, limits = graph.op("Round", y), np.iinfo(dtype)
    if dtype.itemsize == 8:
        return _saturated(graph, y, dtype)
    return graph.cast(graph.clamp(y, limits.min, limits.max), dtype)


def _saturated(graph: Graph, y: Value, dtype: np.dtype[Any]) -> Value:
    """64 bits: the largest is no float64, and a Cast of what is beyond it gives anything."""
    low, beyond = float(np.iinfo(dtype).min), float(np.iinfo(dtype).max)
    inside = graph.clamp(y, low, np.nextafter(beyond, 0))
    largest = graph.const(-1 if dtype.kind == "u" else np.iinfo(dtype).max)
    if dtype.kind == "u":  # as int64 of the same bits: onnxruntime has no Where for uint64
        inside = _wrapped(graph, inside)
    whole = graph.cast(inside, np.int64)
    fits = graph.op("Less", y, graph.const(beyond, np.float64), dtype=np.bool_)
    return graph.cast(graph.op("Where", fits, whole, largest, dtype=np.int64, shape=y.shape), dtype)


def _wrapped(graph: Graph, y: Value) -> Value:
    """2**63 and more, less 2**64."""
    small = graph.op("Less", y, graph.const(2.0**63, np.float64), dtype=np.bool_)
    return graph.op(
        "Where", small, y, graph.op("Sub", y, graph.const(2.0**64, np.float64)), dtype=np.float64, shape=y.shape
    )


def rounded_picture(graph: Graph, y: Value) -> Value:
    """Values of a uint8 picture after one axis: torch rounds them half up."""
    half = graph.op("Add", y, graph.const(0.5, y.dtype))
    return graph.clamp(graph.op("Floor", half), 0, 255)


def exact_float(weights: Array, bits: int) -> type[np.floating[Any]]:
    """A type in which sums of 8-bit pixels and integer weights are exact in any order: float32 below 2**24."""
    largest = 255 * int(np.abs(weights.astype(np.int64)).sum(axis=1).max(initial=0)) + (1 << max(bits - 1, 0))
    return np.float32 if largest < 1 << 24 else np.float64


def shifted(graph: Graph, y: Value, bits: int) -> Value:
    """Sums with 16-bit weights as pixels: (y + half) >> bits, kept within 0 to 255."""
    half = graph.op("Add", y, graph.const(float(1 << (bits - 1)), y.dtype))
    scaled = graph.op("Mul", half, graph.const(2.0**-bits, y.dtype))
    return graph.cast(graph.clamp(graph.op("Floor", scaled), 0, 255), np.float32)


def means_need_float64(request: Request) -> bool:
    """Whether means of this call are sums in float64, divided once an axis."""
    axes = [axis for axis in request.plan.axes if axis.filter.averages and not axis.copies]
    if not axes:
        return False
    return request.plan.dtype.kind in "iu" or math.prod(axis.taps for axis in axes) > MOST_ADDED


def means_of_equal_windows(graph: Graph, x: Value, request: Request, group: list[int]) -> Value:
    """Windows as axes of their own, which are summed."""
    split: list[Dim] = list(x.shape[:2])
    summed, shape, count = [], list(x.shape), 1
    for k, axis in enumerate(request.plan.axes):
        window = axis.n_in // axis.n_out if k in group else 1
        extent = axis.n_out if k in group else x.shape[2 + k]
        split.append(extent)
        if window > 1:
            summed.append(len(split))
            split.append(window)
        shape[2 + k], count = extent, count * window
    known = [graph.extent(x, axis) if isinstance(dim, str) else dim for axis, dim in enumerate(x.shape[:2])]
    wide = graph.reshape(graph.cast(x, np.float64), [*known, *split[2:]], tuple(split))
    total = graph.sum(wide, summed, tuple(shape))
    mean = graph.op("Div", total, graph.const(count, np.float64))
    if request.plan.dtype.kind in "iu" and all(request.copies(k) for k in request.numbers if k not in group):
        mean = graph.op("Round", mean)  # now, before float32 could move a half
    return graph.cast(mean, x.dtype)


def undivided(table: Taps) -> Taps:
    """A table of means as one of sums."""
    return Taps(table.first, (table.weights != 0).astype(np.float64))


def divided(graph: Graph, x: Value, request: Request) -> Value:
    """Sums along all axes, divided: only then, since of integers they are exact and a mean is not."""
    x = graph.cast(x, np.float64)  # axes that are no means may have left it as float32
    for axis, place in zip(request.plan.axes, request.plan.spatial_axes, strict=True):
        if axis.filter.averages and not axis.copies:
            counts = axis.windows()[:, 1].reshape(-1, *(1,) * (len(x.shape) - place - 1))
            x = graph.op("Div", x, graph.const(counts, np.float64))
    return x
