"""Means of cells of whole pixels, in OpenCV's order."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastup.export.graph import Graph, Value
from fastup.plan.conventions.steps import CellMeans

_GROUP = 4


def means(graph: Graph, x: Value, step: CellMeans) -> Value:
    """(N, H, W, C) by whole factors."""
    n, height, width, c = x.shape
    down, across = step.factors
    apart = (n, int(height) // down, down, int(width) // across, across, c)
    split = graph.reshape(x, [-1 if isinstance(n, str) else n, *apart[1:]], apart)
    shape = (n, apart[1], apart[3], c)
    if x.dtype == np.uint8 or (step.lead is not None and x.dtype == np.uint16):  # whole numbers below 2**24
        total = graph.sum(graph.cast(split, np.float32), [2, 4], shape)
        return _finished(graph, total, step, x.dtype)
    cells = [
        graph.op(
            "Gather",
            graph.op("Gather", split, graph.const(row), shape=(*apart[:2], *apart[3:]), axis=2),
            graph.const(column), shape=shape, axis=3,
        )
        for row in range(down)
        for column in range(across)
    ]  # fmt: skip
    return _finished(graph, _grouped(graph, cells, step), step, x.dtype)


def _grouped(graph: Graph, cells: list[Value], step: CellMeans) -> Value:
    """Groups of four in their own type, then what is left one by one."""
    if step.lead is not None:
        return _paired(graph, cells, step.lead)
    wide = np.int32 if cells[0].dtype == np.uint16 else np.float32
    whole = len(cells) // _GROUP * _GROUP
    parts = []
    for begin in range(0, whole, _GROUP):
        group = graph.cast(cells[begin], wide)
        for cell in cells[begin + 1 : begin + _GROUP]:
            group = graph.op("Add", group, graph.cast(cell, wide))
        parts.append(graph.cast(group, np.float32))
    total, *others = [*parts, *(graph.cast(cell, np.float32) for cell in cells[whole:])]
    for part in others:
        total = graph.op("Add", total, part)
    return total


def _paired(graph: Graph, cells: list[Value], lead: int) -> Value:
    """Cells of two by two pixels: pairs of pairs where items lead."""
    a, b, c, d = cells
    first = graph.op("Add", a, b)
    pairs = graph.op("Add", first, graph.op("Add", c, d))
    rest = graph.op("Add", graph.op("Add", first, c), d)
    _, _, width, items = a.shape
    leads = (np.arange(int(width) * int(items)) < lead).reshape(1, 1, int(width), int(items))
    return graph.op("Where", graph.const(leads, np.bool_), pairs, rest, dtype=a.dtype, shape=a.shape)


def _finished(graph: Graph, total: Value, step: CellMeans, dtype: np.dtype[Any]) -> Value:
    by = np.float32(1) / np.float32(step.factors[0] * step.factors[1])
    mean = graph.op("Mul", total, graph.const(by, np.float32))
    if dtype == np.float32:
        return mean
    if step.lead is not None:
        up = graph.op("Floor", graph.op("Add", mean, graph.const(0.5, np.float32)))
        return graph.cast(up, dtype)
    return graph.cast(graph.clamp(graph.op("Round", mean), 0, np.iinfo(dtype).max), dtype)
