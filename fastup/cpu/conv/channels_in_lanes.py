"""Convolutions on the CPU with output channels in lanes: pack a plan for the kernel whose vectors run along them.

`lane_tiling` says which plans these are; others are left to the kernel whose vectors run along columns.
"""

from __future__ import annotations

import itertools
import math

from fastup.cpu.conv import lane_tiling
from fastup.cpu.conv.kernels import conv_in_lanes, gemm, gemm_in_lanes, interleave_phases, transpose
from fastup.cpu.conv.packing import ConvPacking
from fastup.cpu.conv.phase_grid import PhaseGrid
from fastup.cpu.conv.row_stages import interleaving
from fastup.cpu.conv.weight_layout import Panel
from fastup.cpu.conv.weights import Operands
from fastup.cpu.simd.convert import LOAD
from fastup.plan import ConvPlan
from fastup.runtime.workers import Launch

FAMILIES = (conv_in_lanes.conv_in_lanes, gemm_in_lanes.gemm_in_lanes, transpose.transpose)
_PER_MICROSECOND = 40_000  # products of one thread in float32


def _phases(grid: PhaseGrid) -> list[tuple[tuple[int, ...], tuple[tuple[int, ...], ...]]]:
    """All phases in order, with their taps."""
    return sorted((phase, group.taps) for group in grid.tap_groups for phase in group.phases)


def operands(plan: ConvPlan) -> Operands:
    """What calls do with weights: panel by panel, phase by phase; surplus lanes repeat the last channel."""
    grid = lane_tiling.grid_of(plan)
    panels, first = [], 0
    for width in lane_tiling.widths(grid):
        outputs = [min(output, grid.group_out - 1) for output in range(first, first + width)]
        for phase, taps in _phases(grid):
            rows = tuple((output, phase) for output in outputs)
            panels.append(Panel(0, grid.group_in, math.prod(map(len, taps)), rows))
        first += width
    return Operands(plan, grid, [panels], first * grid.phases, ("lanes",))


def launch(plan: ConvPlan, strides: tuple[int, ...]) -> Launch:
    """The kernel call for a source with these strides (in items)."""
    return _Packing(plan, strides).pack()


class _Packing(ConvPacking):
    def __init__(self, plan: ConvPlan, strides: tuple[int, ...]) -> None:
        super().__init__(conv_in_lanes.P, plan, lane_tiling.grid_of(plan), strides)
        self.last = lane_tiling.has_channels_last(plan)
        self.tiling = lane_tiling.choose(plan, self.grid)
        self.extents = lane_tiling.extents(self.grid, self.tiling.rows, self.tiling.columns)

    def pack(self) -> Launch:
        self.set_items(self.tiling.rows, self.tiling.row_blocks, self.tiling.strips, self.tiling.ranges)
        self._set_numbers()
        self._set_phases()
        self._set_interleaving()
        self._lay_out_workspace()
        return self.launch(conv_in_lanes.conv_in_lanes(self.grid.computed.name), self._microseconds())

    def _microseconds(self) -> float:
        grid = self.grid
        positions = self.plan.batch * self.plan.groups * math.prod(lattice.length for lattice in grid.lattices)
        products = positions * grid.group_out * grid.weights_per_channel * grid.group_in
        moved = positions * (grid.group_in * self.tiling.ranges + grid.group_out * grid.phases)
        return (products * self.size / 4 + 20 * moved) / _PER_MICROSECOND

    def _set_numbers(self) -> None:
        tiling, (_, height, width) = self.tiling, self.grid.lattices
        self.set(rows=height.length, columns=width.length, strip=tiling.columns, range=tiling.panels)
        inside, channel = self.grid.group_in, self.source_channel
        layers, items = (1, inside) if self.last else (inside, 1)
        item, ahead = (channel, 0) if self.last else (self.item, channel)
        self.set(staged=self.extents, source_group=inside * channel, source_layer=channel, layers=layers, items=items)
        self.set(load_params=self.load(0, items, self.source[2], item, ahead))

    def _set_phases(self) -> None:
        inside, phases = self.grid.group_in, _phases(self.grid)
        _, high, wide = self.extents
        plane = math.prod(self.extents)
        entries, before = [], 0
        for phase, taps in phases:
            places = [(s * high + r) * wide + c for s, r, c in itertools.product(*taps)]
            offsets = [
                channel + place * inside if self.last else channel * plane + place
                for channel in range(inside)
                for place in places
            ]
            at_once, run = self.grid.accumulators(len(places))
            entries += conv_in_lanes.PHASE.fill(
                number=phase, products=len(offsets), offsets=self.append(offsets), before=before, at_once=at_once,
                run=run,
            )  # fmt: skip
            before += len(offsets)
        self.set(pairs=len(phases) // self.grid.lattices[2].axis.up, phase_list=self.append(entries))
        self._set_panels(before)

    def _set_panels(self, products: int) -> None:
        """The panels of a group; all phases together have so many products."""
        grid, lanes, widths = self.grid, gemm.vector_bytes() // self.size, lane_tiling.widths(self.grid)
        entries, first = [], 0
        for width in widths:
            kernel = gemm_in_lanes.gemm_in_lanes(grid.computed.name, width // lanes).address
            outputs, before = min(width, grid.group_out - first), first * grid.phases
            entries += conv_in_lanes.PANEL.fill(
                kernel=kernel, width=width, outputs=outputs, first=first, weights=first * products, biases=before
            )
            first += width
        self.set(panels=len(widths), panel_list=self.append(entries))
        self.set(group_weights=first * products, group_biases=first * grid.phases)

    def _set_interleaving(self) -> None:
        if self.last:
            direct = self.stages.activate == self.stages.store == 0
            self.set(direct=direct, stream=0, transpose=0, interleave=interleaving(self.item, 1))
        else:
            self.set(direct=0, stream=self.streams(self.tiling.columns))
            self.set(transpose=transpose.transpose(self.grid.computed.name).address)
            self.set(interleave=interleaving(self.item, self.grid.lattices[2].axis.up))

    def _lay_out_workspace(self) -> None:
        tiling, grid, up = self.tiling, self.grid, self.grid.lattices[2].axis.up
        lanes, widest = gemm.vector_bytes() // self.size, max(lane_tiling.widths(grid))
        line = -(-tiling.columns // lanes) * lanes
        self.room(max(gemm_in_lanes.P.bytes, transpose.P.bytes, LOAD.bytes))
        self.set(interleave_at=self.room(interleave_phases.P.bytes + interleave_phases.PHASE.bytes * up))
        self.set(line=line, line_at=self.room(tiling.columns * up * self.item))
        self.set(staged_at=self.room(lane_tiling.staged_bytes(grid, tiling.rows, tiling.columns)))
        self.set(z_at=self.room(line * widest * self.size))
        rows = line * widest * (1 if self.last else up)
        self.set(transposed_at=self.room(0 if self.last else rows * self.size))
        self.set(stored_at=self.room(rows * self.item if self.stages.store else 0))
