"""Weighted sums in a library's order: per tap a Gather, a product and a sum, each rounded as the library does."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastup.export.graph import Graph, Value
from fastup.plan.base import Array
from fastup.plan.interpolation import InterpolatePlan
from fastup.plan.sampling.axis import Axis
from fastup.plan.sampling.table import Taps, whole_table


def weighted(graph: Graph, x: Value, place: int, axis: Axis, step: InterpolatePlan) -> Value:
    """One axis of (N, H, W, C); rows as the rule blends them."""
    x = graph.cast(x, np.float64 if axis.double else np.float32)
    sums = _Sums(graph, x, place, axis)
    kind = axis.rule.blend if axis.rule else "in steps"
    if kind in ("lerp", "fused lerp"):
        return sums.lerp(fused=kind == "fused lerp")
    if place == 2 or kind == "in steps":
        return sums.forward()
    if kind == "bytes linear":
        return sums.of_bytes()
    if kind == "bytes exact linear":
        return graph.op("Floor", graph.op("Add", sums.forward(), graph.const(0.5, np.float32)))
    if kind == "bytes exactly":
        total = _Sums(graph, graph.cast(x, np.float64), place, axis).forward()
        whole = graph.op("Floor", graph.op("Add", total, graph.const(0.5, np.float64)))
        return graph.clamp(graph.cast(whole, np.float32), 0, 255)
    leads = _leading(step, axis)
    if kind == "backward":
        return sums.either(leads, sums.backward(), sums.forward())
    whole = graph.op("Floor", graph.op("Add", _Sums(graph, graph.cast(x, np.float64), place, axis).forward(),
                                       graph.const(0.5, np.float64)))  # fmt: skip
    rounded = graph.op("Round", sums.backward())
    return graph.clamp(sums.either(leads, rounded, graph.cast(whole, np.float32)), 0, 255)


def _leading(step: InterpolatePlan, axis: Axis) -> Array:
    """Which items of a row lie in whole vectors of the library."""
    columns, items = step.axes[1], step.output_shape[3]
    lanes = axis.rule.lanes if axis.rule else 1
    number = columns.window[0] * items + np.arange(columns.length * items)
    return np.asarray((number < columns.n_out * items // lanes * lanes).reshape(1, 1, columns.length, items))


class _Sums:
    """The taps of one axis."""

    def __init__(self, graph: Graph, x: Value, place: int, axis: Axis) -> None:
        self.graph, self.x, self.place, self.axis = graph, x, place, axis
        self.table: Taps = whole_table(axis)
        self.shape = (*x.shape[:place], axis.length, *x.shape[place + 1 :])
        self.column = [axis.length] + [1] * (len(x.shape) - place - 1)
        self.absent = np.isnan(self.table.weights)

    def source(self, tap: int) -> Value:
        """What a tap reads."""
        positions = self.graph.const(np.clip(self.table.first + tap, 0, self.axis.extent - 1))
        return self.graph.op("Gather", self.x, positions, shape=self.shape, axis=self.place)

    def weight(self, tap: int, dtype: Any = None) -> Value:
        """Its weights, 0 where it is absent."""
        weights = np.where(self.absent[:, tap], 0.0, self.table.weights[:, tap]).reshape(self.column)
        return self.graph.const(weights, dtype or self.x.dtype)

    def forward(self) -> Value:
        """From the first tap on."""
        return self._sum(range(self.table.weights.shape[1]))

    def backward(self) -> Value:
        """From the last tap on."""
        return self._sum(reversed(range(self.table.weights.shape[1])))

    def _sum(self, taps: Any) -> Value:
        graph, total = self.graph, None
        for tap in taps:
            part = graph.op("Mul", self.source(tap), self.weight(tap))
            if total is None:
                total = part
            elif self.absent[:, tap].any():  # 0 * inf would be NaN
                read = graph.const(~self.absent[:, tap].reshape(self.column), np.bool_)
                total = graph.op("Where", read, graph.op("Add", total, part), total, dtype=part.dtype, shape=self.shape)
            else:
                total = graph.op("Add", total, part)
        return total or self.x

    def lerp(self, fused: bool) -> Value:
        """``a + (b - a) * weight``; with one rounding through float64, which holds the product as it is."""
        graph, a, b = self.graph, self.source(0), self.source(1)
        apart = graph.op("Sub", b, a)
        if not fused:
            return graph.op("Add", a, graph.op("Mul", apart, self.weight(1)))
        product = graph.op("Mul", graph.cast(apart, np.float64), self.weight(1, np.float64))
        return graph.cast(graph.op("Add", graph.cast(a, np.float64), product), np.float32)

    def of_bytes(self) -> Value:
        """OpenCV's two rows of bytes: whole numbers, without their lowest bits."""
        graph, total = self.graph, None
        for tap in (0, 1):
            value = graph.op("Floor", graph.op("Mul", self.source(tap), graph.const(2.0**-4, np.float32)))
            product = graph.op("Mul", graph.cast(value, np.float64), self.weight(tap, np.float64))
            part = graph.op("Floor", graph.op("Mul", product, graph.const(2.0**-16, np.float64)))
            total = part if total is None else graph.op("Add", total, part)
        half = graph.op("Add", total, graph.const(2.0, np.float64))
        return graph.cast(graph.op("Floor", graph.op("Mul", half, graph.const(0.25, np.float64))), np.float32)

    def either(self, leads: Array, one: Value, other: Value) -> Value:
        """One where items lead, the other where they do not."""
        if leads.all():
            return one
        if not leads.any():
            return other
        chosen = self.graph.const(leads, np.bool_)
        return self.graph.op("Where", chosen, one, other, dtype=one.dtype, shape=one.shape)
