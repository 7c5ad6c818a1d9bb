"""Zero stuffing: an axis of extent 1 behind each spatial axis, padded to the stride, joined, cut and padded."""

from __future__ import annotations

from typing import Any

from fastup.export.graph import Dim, Graph, Value
from fastup.export.operators.call import Call
from fastup.plan import ZeroStuffPlan


def append(graph: Graph, x: Value, plan: ZeroStuffPlan, call: Call) -> Value:
    """Append zero stuffing to the graph; all dimensions of `x` may be symbolic."""
    y = x
    for axis, stride, pad in zip(plan.spatial_axes, plan.stride, plan.padding, strict=True):
        if stride > 1:
            y = _spread(graph, y, axis, stride)
        if pad:
            y = _padded(graph, y, axis, pad, pad, f"+{2 * pad}")
    return graph.op("Identity", y) if y is x else y


def _spread(graph: Graph, x: Value, axis: int, stride: int) -> Value:
    """One axis with zeros between its items."""
    apart = _padded(graph, graph.with_axis(x, axis + 1), axis + 1, 0, stride - 1, "")
    dims: list[Any] = [graph.extent(x, k) if isinstance(dim, str) else dim for k, dim in enumerate(x.shape)]
    dim = x.shape[axis]
    dims[axis] = graph.op("Mul", dims[axis], graph.const([stride])) if isinstance(dim, str) else dim * stride
    joined = graph.reshape(apart, dims, _with(x.shape, axis, f"{dim}*{stride}" if isinstance(dim, str) else dims[axis]))
    bounds = [graph.const([number]) for number in (0, 1 - stride, axis)]
    kept: Dim = f"{dim}*{stride}-{stride - 1}" if isinstance(dim, str) else max(0, dim * stride - stride + 1)
    return graph.op("Slice", joined, *bounds, shape=_with(x.shape, axis, kept))


def _padded(graph: Graph, x: Value, axis: int, before: int, after: int, name: str) -> Value:
    """Zeros before and after the items of one axis."""
    pads = [0] * (2 * len(x.shape))
    pads[axis], pads[axis + len(x.shape)] = before, after
    dim = x.shape[axis]
    grown: Dim = dim + name if isinstance(dim, str) else dim + before + after
    return graph.op("Pad", x, graph.const(pads), shape=_with(x.shape, axis, grown))


def _with(shape: tuple[Dim, ...], axis: int, dim: Dim) -> tuple[Dim, ...]:
    return (*shape[:axis], dim, *shape[axis + 1 :])
