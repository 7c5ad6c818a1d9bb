"""Convolutions with output channels in lanes: which plans these are, how they are cut, and their calls.

Others are left to the kernel whose vectors run along columns. The rule is fixed, as that of `column_tiling` is.
"""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

from fastup.cpu.conv.kernels import conv_in_lanes, gemm, gemm_in_lanes, interleave_phases, transpose
from fastup.cpu.conv.packing import ConvPacking
from fastup.cpu.conv.phase_grid import Lattice, PhaseGrid, tap_groups
from fastup.cpu.conv.row_stages import interleaving
from fastup.cpu.conv.weight_layout import Panel
from fastup.cpu.conv.weights import Operands
from fastup.cpu.simd.convert import LOAD
from fastup.plan import ConvPlan
from fastup.runtime import cpu_info
from fastup.runtime.workers import Launch

FAMILIES = (conv_in_lanes.conv_in_lanes, gemm_in_lanes.gemm_in_lanes, transpose.transpose)
_PER_MICROSECOND = 40_000  # products of one thread in float32
_MOST_L2 = 2**21  # counted; a workspace stays below 4 MB
_FEWEST_COLUMNS, _ROWS, _SHARES = 48, 4, 16
_FEWEST_PRODUCTS, _NARROW = 256, 32


class LaneTiling(NamedTuple):
    """How a call is cut."""

    rows: int
    row_blocks: int
    columns: int
    strips: int
    panels: int  # of a range
    ranges: int


def applies(plan: ConvPlan) -> bool:
    """Whether the kernel is the quicker one for a plan, and half of the L2 cache holds what a row of its result reads.

    Where channels come last, it is, unless too many lanes would idle. Where they come first, its sums must be long
    enough to pay for the turning of pixels into rows: from 256 products on it was 3 to 13 % quicker on Emerald Rapids,
    at 64 and 128 it was 10 to 20 % slower, as it was for pictures 8 wide. Zen reads 64 bytes in two halves, so that
    rows across cache lines cost it nothing.
    """
    grid = grid_of(plan)
    if sum(widths(grid)) * 3 > grid.group_out * 4:
        return False
    if has_channels_last(plan):
        if plan.activation[0] == "prelu":  # a slope per lane
            return False
    elif "AMD" in cpu_info.brand() or not _long(grid):
        return False
    return _fits(plan, grid, 1, min(_FEWEST_COLUMNS, grid.lattices[2].length))


def _fits(plan: ConvPlan, grid: PhaseGrid, rows: int, columns: int) -> bool:
    """Whether half of the L2 cache holds the staged input of an item, and a quarter a row of z of all its phases."""
    budget = min(cpu_info.caches().level2, _MOST_L2) // 2
    phases = 1 if has_channels_last(plan) else grid.lattices[2].axis.up
    line = columns * max(widths(grid)) * phases * grid.computed.itemsize
    return staged_bytes(grid, rows, columns) <= budget and line <= budget // 2


def _long(grid: PhaseGrid) -> bool:
    products = grid.weights_per_channel // grid.phases * grid.group_in
    return products >= _FEWEST_PRODUCTS and grid.lattices[2].length >= _NARROW


def has_channels_last(plan: ConvPlan) -> bool:
    """Whether the channel axis comes after space."""
    return plan.channel_axis >= plan.first_spatial_axis


def grid_of(plan: ConvPlan) -> PhaseGrid:
    """As everywhere, but every phase is computed at its own positions, and strides are steps of the pixels."""
    usual = PhaseGrid.of(plan)
    lattices = [Lattice(lattice.axis, True) for lattice in usual.lattices]
    return usual._replace(lattices=lattices, tap_groups=tap_groups(lattices))


def extents(grid: PhaseGrid, rows: int, columns: int) -> tuple[int, ...]:
    """Slices, rows and columns that are staged for so many rows and columns of one slice of the result."""
    reach = [max((tap for taps in lattice.taps for tap in taps), default=0) for lattice in grid.lattices]
    steps = (lattice.axis.step for lattice in grid.lattices)
    return tuple(
        step * (count - 1) + 1 + more for step, count, more in zip(steps, (1, rows, columns), reach, strict=True)
    )


def staged_bytes(grid: PhaseGrid, rows: int, columns: int) -> int:
    """Bytes of what is staged."""
    return math.prod(extents(grid, rows, columns)) * grid.group_in * grid.computed.itemsize


def widths(grid: PhaseGrid) -> list[int]:
    """Output channels of each panel, in whole vectors; the last one may have some to spare."""
    lanes = gemm.vector_bytes() // grid.computed.itemsize
    left, widest = -(-grid.group_out // lanes), max(gemm_in_lanes.VECTORS)
    return [lanes * min(widest, left - begin) for begin in range(0, left, widest)]


def choose(plan: ConvPlan, grid: PhaseGrid) -> LaneTiling:
    """Blocks of `_ROWS` rows or more, as wide as the cache holds; then so many of them that threads can share."""
    depth, height, width = grid.lattices
    columns, rows, ranges = width.length, height.length, 1
    panels, planes = len(widths(grid)), plan.batch * plan.groups * depth.length
    while columns > _FEWEST_COLUMNS and not _fits(plan, grid, min(_ROWS, rows), columns):
        columns = max(_FEWEST_COLUMNS, -(-columns // 2))
    while rows > 1 and not _fits(plan, grid, rows, columns):
        rows -= 1

    def items() -> int:
        return planes * -(-width.length // columns) * ranges * -(-height.length // rows)

    pixels = math.prod(lattice.axis.n_in for lattice in grid.lattices)
    if grid.weights_per_channel * grid.group_out > pixels:  # so weights are read once
        while items() < _SHARES and ranges < panels:
            ranges = min(panels, 2 * ranges)
    while items() < _SHARES and rows > 1:
        rows = -(-rows // 2)
    while items() < _SHARES and columns >= 2 * _FEWEST_COLUMNS:
        columns = -(-columns // 2)
    blocks, each = -(-height.length // rows), -(-panels // ranges)
    rows = -(-height.length // blocks)
    return LaneTiling(rows, -(-height.length // rows), columns, -(-width.length // columns), each, -(-panels // each))


def _phases(grid: PhaseGrid) -> list[tuple[tuple[int, ...], tuple[tuple[int, ...], ...]]]:
    """All phases in order, with their taps."""
    return sorted((phase, group.taps) for group in grid.tap_groups for phase in group.phases)


def operands(plan: ConvPlan) -> Operands:
    """What calls do with weights: panel by panel, phase by phase; surplus lanes repeat the last channel."""
    grid = grid_of(plan)
    panels, first = [], 0
    for width in widths(grid):
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
        super().__init__(conv_in_lanes.P, plan, grid_of(plan), strides)
        self.last = has_channels_last(plan)
        self.tiling = choose(plan, self.grid)
        self.extents = extents(self.grid, self.tiling.rows, self.tiling.columns)

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
        grid, lanes = self.grid, gemm.vector_bytes() // self.size
        entries, first = [], 0
        for width in widths(grid):
            kernel = gemm_in_lanes.gemm_in_lanes(grid.computed.name, width // lanes).address
            outputs, before = min(width, grid.group_out - first), first * grid.phases
            entries += conv_in_lanes.PANEL.fill(
                kernel=kernel, width=width, outputs=outputs, first=first, weights=first * products, biases=before
            )
            first += width
        self.set(panels=len(widths(grid)), panel_list=self.append(entries))
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
        lanes, widest = gemm.vector_bytes() // self.size, max(widths(grid))
        line = -(-tiling.columns // lanes) * lanes
        self.room(max(gemm_in_lanes.P.bytes, transpose.P.bytes, LOAD.bytes))
        self.set(interleave_at=self.room(interleave_phases.P.bytes + interleave_phases.PHASE.bytes * up))
        self.set(line=line, line_at=self.room(tiling.columns * up * self.item))
        self.set(staged_at=self.room(staged_bytes(grid, tiling.rows, tiling.columns)))
        self.set(z_at=self.room(line * widest * self.size))
        rows = line * widest * (1 if self.last else up)
        self.set(transposed_at=self.room(0 if self.last else rows * self.size))
        self.set(stored_at=self.room(rows * self.item if self.stages.store else 0))
