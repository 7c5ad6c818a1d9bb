"""Inputs of any layout as ONNX's operators take them, and back."""

from __future__ import annotations

from typing import Any

from fastup.export.graph import Graph, Value


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
