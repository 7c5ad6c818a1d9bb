"""Which convolutions have output channels in lanes, and how these are cut: by a fixed rule, as of `column_tiling`."""

from __future__ import annotations

import math
from typing import NamedTuple

from fastup.cpu.conv.kernels import gemm, gemm_in_lanes
from fastup.cpu.conv.phase_grid import Lattice, PhaseGrid, tap_groups
from fastup.plan import ConvPlan
from fastup.runtime import cpu_info

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
    elif cpu_info.cpu_name().startswith("znver") or not _long(grid):
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
