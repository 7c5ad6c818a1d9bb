"""Inputs of any layout as ONNX's operators take them, and back."""

from __future__ import annotations

from typing import Any

from fastup.export.graph import Graph, Value
from fastup.plan import Plan


def arranged(graph: Graph, x: Value, plan: Any) -> Value:
    """(N, C, *space), whatever the plan's layout."""
    if len(plan.input_shape) == plan.rank + 1:
        x = graph.with_axis(x, 0)
    if plan.data_format == "channels_last":
        x = graph.transpose(x, [0, plan.rank + 1, *range(1, plan.rank + 1)])
    return x


def arranged_back(graph: Graph, y: Value, plan: Any) -> Value:
    """The plan's layout again."""
    if plan.data_format == "channels_last":
        y = graph.transpose(y, [0, *range(2, plan.rank + 2), 1])
    return graph.without_axis(y, 0) if len(plan.input_shape) == plan.rank + 1 else y


def cut(graph: Graph, y: Value, plan: Plan) -> Value:
    """The wanted window of a whole result."""
    starts, stops = zip(*plan.window or (), strict=True)
    axes = [graph.const(numbers) for numbers in (starts, stops, plan.spatial_axes)]
    shape = [*y.shape]
    for axis, (start, stop) in zip(plan.spatial_axes, plan.window or (), strict=True):
        shape[axis] = stop - start
    return graph.op("Slice", y, *axes, shape=tuple(shape))
