"""Weights in the order in which the micro-kernel reads them, and one bias and slope per row of z."""

from __future__ import annotations

import ctypes
import itertools
from typing import Any

import numpy as np

from fastup.cpu.lattice import PANEL, Geometry, TapGroup
from fastup.cpu.panels import Bundle, bundles, panels_of
from fastup.cpu.tiles import choose
from fastup.plan import ConvPlan
from fastup.plan.base import Array
from fastup.plan.operands import PackedWeight


class Operands:
    """What every call of one plan does with its weight, its bias and its slopes."""

    def __init__(self, plan: ConvPlan) -> None:
        self.plan, self.geometry = plan, Geometry.of(plan)
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
        """Group by group, range by range, channels by channels, bundle by bundle, panel by panel: ``[k][row]``."""
        tiling, geometry = self.tiling, self.geometry
        matrices = [self._matrix(weight.astype(geometry.computed), group) for group in geometry.tap_groups]
        parts = []
        for begin in range(0, geometry.group_out, tiling.channels_out):
            outputs = min(tiling.channels_out, geometry.group_out - begin)
            for channel in range(0, geometry.group_in, tiling.channels_in):
                for first, bundle in bundles(geometry, outputs):
                    for number in bundle.groups:
                        per = len(geometry.tap_groups[number].phases)
                        rows = slice((begin + first) * per, (begin + first + bundle.channels) * per)
                        block = matrices[number][:, rows, channel : channel + tiling.channels_in]
                        parts += _panels(block.reshape(*block.shape[:2], block.shape[2] * block.shape[3]))
        return np.concatenate(parts, axis=1).ravel()

    def _matrix(self, weight: Array, group: TapGroup) -> Array:
        """``[group][output channel and phase][input channel][tap]``."""
        plan, geometry = self.plan, self.geometry
        flat = weight.reshape(*weight.shape[:2], -1)
        if plan.kind == "conv_transpose":
            flat = flat.reshape(plan.groups, geometry.group_in, geometry.group_out, -1).swapaxes(1, 2)
        else:
            flat = flat.reshape(plan.groups, -1, geometry.group_in, flat.shape[-1])
        chosen = []
        for phase in group.phases:
            taps = [self._taps(axis, p) for axis, p in enumerate(phase[3 - plan.rank :])] if group.size else [()]
            places = [int(np.ravel_multi_index(tap, plan.kernel_size)) for tap in itertools.product(*taps)]
            part = flat
            if plan.kind == "subpixel_conv":
                part = flat[:, self._phase_number(phase) :: geometry.phases]
            chosen.append(part[..., places] if group.size else part[..., :0])
        rows = geometry.group_out * len(group.phases)
        return np.stack(chosen, axis=2).reshape(plan.groups, rows, geometry.group_in, group.size)

    def _taps(self, axis: int, phase: int) -> tuple[int, ...]:
        return self.plan.axes[axis].phases[phase].taps

    def _phase_number(self, phase: tuple[int, ...]) -> int:
        number = 0
        for lattice, p in zip(self.geometry.lattices, phase, strict=True):
            number = number * lattice.axis.up + p
        return number

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
            phases = np.array([self._phase_number(phase) for phase in self.geometry.tap_groups[number].phases])
            part = channels * self.geometry.phases + phases if with_phase else channels + 0 * phases
            parts.append(part.ravel())
        return np.concatenate(parts)

    def _per_row(self, values: Array | None, of_row: Array, otherwise: float) -> Array:
        if values is None:
            return np.full(of_row.shape, otherwise, self.geometry.computed)
        if values.size == 1:  # one slope may stand for all channels
            of_row = np.minimum(of_row, 0)
        return np.append(values.astype(self.geometry.computed), self.geometry.computed.type(0))[of_row]


def _panels(block: Array) -> list[Array]:
    """The rows of a block as panels, all full ones at once."""
    groups, rows, products = block.shape
    whole = rows // PANEL * PANEL
    full = block[:, :whole].reshape(groups, whole // PANEL, PANEL, products)
    parts = [full.swapaxes(2, 3).reshape(groups, whole * products)]
    for count in panels_of(rows - whole):
        parts.append(block[:, whole : whole + count].swapaxes(1, 2).reshape(groups, count * products))
        whole += count
    return parts
