"""Means in float64: of integers, whose sums are exact there, and of more items than a float32 can add.

onnxruntime's AveragePool and ReduceMean add in float32 one after the other: over 10,000 x 10,000 items of 0.1 they are
off by 16 and 12 %.
"""

from __future__ import annotations

import math

import numpy as np

from fastup.export.graph import Dim, Graph, Value
from fastup.export.operators.request import Request
from fastup.plan.sampling.axes import MOST_ADDED
from fastup.plan.sampling.table import Taps


def needs_double(request: Request) -> bool:
    """Whether means of this call are sums in float64, divided once an axis."""
    axes = [axis for axis in request.plan.axes if axis.mode == "area" and not axis.copies]
    if not axes:
        return False
    return request.plan.dtype.kind in "iu" or math.prod(axis.taps for axis in axes) > MOST_ADDED


def of_equal_windows(graph: Graph, x: Value, request: Request, group: list[int]) -> Value:
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


def sums(table: Taps) -> Taps:
    """A table of means as one of sums."""
    return Taps(table.first, (table.weights != 0).astype(np.float64))


def divided(graph: Graph, x: Value, request: Request) -> Value:
    """Sums along all axes, divided: only then, since of integers they are exact and a mean is not."""
    for axis, place in zip(request.plan.axes, request.plan.spatial_axes, strict=True):
        if axis.mode == "area" and not axis.copies:
            counts = axis.windows()[:, 1].reshape(-1, *(1,) * (len(x.shape) - place - 1))
            x = graph.op("Div", x, graph.const(counts, np.float64))
    return x
