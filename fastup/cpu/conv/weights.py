"""Weights in the order in which a micro-kernel reads them, and one bias and slope per row of the panels."""

from __future__ import annotations

import ctypes
import itertools
from typing import Any

import numpy as np

from fastup.cpu.conv.phase_grid import PhaseGrid
from fastup.cpu.conv.weight_layout import Panel, packing
from fastup.plan import ConvPlan, phases
from fastup.plan.base import Array
from fastup.plan.operands import PackedWeight
from fastup.runtime.workers import Launch

_PHASE_BYTES, _PANEL_BYTES = 640, 200  # of Python objects, as tracemalloc counts them
_MOST_PACKS = 16  # arrangements of one weight, which differ by how a call is cut


_Table = ctypes.c_int64 * 3


class _Part:
    """An array and where it lies, which NumPy takes half a microsecond to tell."""

    __slots__ = ("address", "array")

    def __init__(self, array: Array) -> None:
        self.array, self.address = array, array.ctypes.data


class _Key:
    """A tuple whose hash is computed once; a call looks its packed weight up by it."""

    __slots__ = ("_hash", "_parts")

    def __init__(self, parts: tuple[Any, ...]) -> None:
        self._parts, self._hash = parts, hash(parts)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self._parts == other._parts


class Operands:
    """What every call of one plan does with its weight, its bias and its slopes."""

    def __init__(
        self, plan: ConvPlan, geometry: PhaseGrid, ranges: list[list[Panel]], rows: int, key: tuple[Any, ...]
    ) -> None:
        """`ranges` holds the panels of each range of output channels of a group, which has room for so many `rows`.

        Equal keys have equal panels.
        """
        self.plan, self.geometry = plan, geometry
        self.panels = list(itertools.chain.from_iterable(ranges))
        self.packing: Launch | None = None
        self.channel_of_row = self._rows(ranges, rows, False)
        self.bias_of_row = self._rows(ranges, rows, True) if plan.kind == "subpixel_conv" else self.channel_of_row
        self.key = _Key((plan.kind, plan.groups, *map(phases.taps_of, plan.axes), plan.dtype.name, *key))
        self.zeros = _Part(np.zeros(self.bias_of_row.shape, geometry.computed))
        self.slope = _Part(np.full(self.channel_of_row.shape, plan.activation[1], geometry.computed))

    @property
    def nbytes(self) -> int:
        """Bytes of the lists of rows, of the geometry, and of the launch that packs."""
        rows = 3 * self.channel_of_row.nbytes + self.bias_of_row.nbytes
        described = _PHASE_BYTES * self.geometry.phases + _PANEL_BYTES * len(self.panels)
        return rows + described + (self.packing.nbytes if self.packing else 0)

    def addresses(self, weight: Any, bias: Array | None, slopes: Array | None) -> tuple[Any, tuple[Any, ...]]:
        """The kernel's table, and what must stay alive beside it."""
        parts = (
            self._packed(weight),
            self.zeros if bias is None else self._per_row(bias, self.bias_of_row),
            self.slope if slopes is None else self._per_row(slopes, self.channel_of_row),
        )
        return _Table(parts[0].address, parts[1].address, parts[2].address), parts

    def _packed(self, weight: Any) -> _Part:
        if not isinstance(weight, PackedWeight):
            return _Part(self.pack(weight))
        found: _Part | None = weight.packs.get(self.key)
        if found is None:
            if len(weight.packs) >= _MOST_PACKS:
                weight.packs.clear()
            found = weight.packs[self.key] = _Part(self.pack(weight.array))
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

    def _per_row(self, values: Array, of_row: Array) -> _Part:
        """One value per row; rows that a range does not have, -1, take the first and are not computed."""
        if values.dtype != self.geometry.computed:
            values = values.astype(self.geometry.computed)
        return _Part(values.take(of_row, mode="clip"))  # one slope may stand for all channels
