"""Weights in the order in which a micro-kernel reads them, and one bias and slope per row of the panels."""

from __future__ import annotations

import ctypes
import itertools
from typing import Any

import numpy as np

from fastup.cpu.conv.phase_grid import Geometry
from fastup.cpu.conv.weight_layout import Panel, packing
from fastup.plan import ConvPlan, phases
from fastup.plan.base import Array
from fastup.plan.operands import PackedWeight
from fastup.runtime.workers import Launch

_PHASE_BYTES, _PANEL_BYTES = 640, 200  # of Python objects, as tracemalloc counts them
_MOST_PACKS = 16  # arrangements of one weight, which differ by how a call is cut


class Operands:
    """What every call of one plan does with its weight, its bias and its slopes."""

    def __init__(
        self, plan: ConvPlan, geometry: Geometry, ranges: list[list[Panel]], rows: int, key: tuple[Any, ...]
    ) -> None:
        """`ranges` holds the panels of each range of output channels of a group, which has room for so many `rows`.

        Equal keys have equal panels.
        """
        self.plan, self.geometry = plan, geometry
        self.panels = list(itertools.chain.from_iterable(ranges))
        self.packing: Launch | None = None
        self.channel_of_row = self._rows(ranges, rows, False)
        self.bias_of_row = self._rows(ranges, rows, True) if plan.kind == "subpixel_conv" else self.channel_of_row
        self.key = (plan.kind, plan.groups, *map(phases.taps_of, plan.axes), plan.dtype.name, *key)

    @property
    def nbytes(self) -> int:
        """Bytes of the lists of rows, of the geometry, and of the launch that packs."""
        rows = self.channel_of_row.nbytes + self.bias_of_row.nbytes
        described = _PHASE_BYTES * self.geometry.phases + _PANEL_BYTES * len(self.panels)
        return rows + described + (self.packing.nbytes if self.packing else 0)

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
            if len(weight.packs) >= _MOST_PACKS:
                weight.packs.clear()
            found = weight.packs[self.key] = self.pack(weight.array)
        return found

    def pack(self, weight: Array) -> Array:
        """The weight in the order in which the micro-kernel reads it, from an address that vectors are aligned at."""
        if self.packing is None:
            self.packing = packing(self.plan, self.geometry, self.panels)
        source = np.require(weight, self.geometry.computed, ["C", "A"])
        numbers = self.plan.groups * sum(panel.size for panel in self.panels)
        memory = np.empty(numbers + 64 // source.itemsize, source.dtype)
        begin = -memory.ctypes.data % 64 // source.itemsize
        packed = memory[begin : begin + numbers]
        self.packing(source.ctypes.data, packed.ctypes.data, (source, packed))
        return packed

    def _rows(self, ranges: list[list[Panel]], room: int, with_phase: bool) -> Array:
        """The output channel (and phase) of each row, of all groups and ranges; -1 where a range has fewer rows."""
        rows = np.full((self.plan.groups, len(ranges), room), -1, np.int64)
        for number, panels in enumerate(ranges):
            of_range = self._rows_of(panels, with_phase)
            rows[:, number, : of_range.size] = of_range
        per = self.geometry.group_out * (self.geometry.phases if with_phase else 1)
        moved = rows + np.arange(self.plan.groups)[:, None, None] * per
        return np.where(rows < 0, -1, moved).ravel()

    def _rows_of(self, panels: list[Panel], with_phase: bool) -> Array:
        phases, number = (self.geometry.phases, self.geometry.phase_number) if with_phase else (1, lambda _: 0)
        first = (panel for panel in panels if panel.channel == 0)  # others are added to the same rows
        return np.array([output * phases + number(phase) for panel in first for output, phase in panel.rows], np.int64)

    def _per_row(self, values: Array | None, of_row: Array, otherwise: float) -> Array:
        if values is None:
            return np.full(of_row.shape, otherwise, self.geometry.computed)
        if values.size == 1:  # one slope may stand for all channels
            of_row = np.minimum(of_row, 0)
        return np.append(values.astype(self.geometry.computed), self.geometry.computed.type(0))[of_row]
