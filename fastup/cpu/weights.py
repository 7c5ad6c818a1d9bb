"""Weights in the order in which the micro-kernel reads them, and one bias and slope per row of z."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from fastup.cpu.lattice import Geometry
from fastup.cpu.packing import packing
from fastup.cpu.panels import Bundle, bundles
from fastup.cpu.tiles import choose
from fastup.plan import ConvPlan
from fastup.plan.base import Array
from fastup.plan.operands import PackedWeight
from fastup.runtime.workers import Launch


class Operands:
    """What every call of one plan does with its weight, its bias and its slopes."""

    def __init__(self, plan: ConvPlan) -> None:
        self.plan, self.geometry = plan, Geometry.of(plan)
        self.packing: Launch | None = None
        self.tiling = choose(plan, self.geometry)
        self.channel_of_row = self._rows(False)
        self.bias_of_row = self._rows(True) if plan.kind == "subpixel_conv" else self.channel_of_row
        phases = tuple(axis.phases for axis in plan.axes)
        self.key = (plan.kind, plan.groups, phases, self.tiling.channels_out, self.tiling.channels_in, plan.dtype.name)

    def addresses(self, weight: Any, bias: Array | None, slopes: Array | None) -> tuple[Any, tuple[Any, ...]]:
        """The kernel's table, and what must stay alive beside it."""
        packed = self._packed(weight)
        biases = self._per_row(bias, self.bias_of_row, 0.0)
        slope = self._per_row(slopes, self.channel_of_row, self.plan.activation[1])
        parts = (packed, biases, slope)
        return (ctypes.c_int64 * 3)(*(part.ctypes.data for part in parts)), parts

    def _packed(self, weight: Any) -> Array:
        if not isinstance(weight, PackedWeight):
            return self.pack(weight)
        found = weight.packs.get(self.key)
        if found is None:
            found = weight.packs[self.key] = self.pack(weight.array)
        return found

    def pack(self, weight: Array) -> Array:
        """The weight in the order in which the micro-kernel reads it."""
        if self.packing is None:
            self.packing = packing(self.plan, self.geometry, self.tiling)
        geometry = self.geometry
        source = np.require(weight, geometry.computed, ["C", "A"])
        numbers = self.plan.groups * geometry.group_out * geometry.weights_per_channel * geometry.group_in
        packed = np.empty(numbers, source.dtype)
        self.packing(source.ctypes.data, packed.ctypes.data, (source, packed))
        return packed

    def _rows(self, with_phase: bool) -> Array:
        """The output channel (and phase) of each row of z, of all groups and ranges; -1 for rows that are not used."""
        geometry, tiling = self.geometry, self.tiling
        rows = np.full((self.plan.groups, tiling.ranges, geometry.phases * tiling.channels_out), -1, np.int64)
        for number in range(tiling.ranges):
            begin = number * tiling.channels_out
            outputs = min(tiling.channels_out, geometry.group_out - begin)
            made = [self._rows_of(begin + first, bundle, with_phase) for first, bundle in bundles(geometry, outputs)]
            of_range = np.concatenate(made)
            rows[:, number, : of_range.size] = of_range
        per = geometry.group_out * (geometry.phases if with_phase else 1)
        moved = rows + np.arange(self.plan.groups)[:, None, None] * per
        return np.where(rows < 0, -1, moved).ravel()

    def _rows_of(self, first: int, bundle: Bundle, with_phase: bool) -> Array:
        channels = np.arange(first, first + bundle.channels)[:, None]
        parts = []
        for number in bundle.groups:
            phases = np.array([self.geometry.phase_number(phase) for phase in self.geometry.tap_groups[number].phases])
            part = channels * self.geometry.phases + phases if with_phase else channels + 0 * phases
            parts.append(part.ravel())
        return np.concatenate(parts)

    def _per_row(self, values: Array | None, of_row: Array, otherwise: float) -> Array:
        if values is None:
            return np.full(of_row.shape, otherwise, self.geometry.computed)
        if values.size == 1:  # one slope may stand for all channels
            of_row = np.minimum(of_row, 0)
        return np.append(values.astype(self.geometry.computed), self.geometry.computed.type(0))[of_row]
