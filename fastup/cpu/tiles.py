"""How a convolution is cut: strips of columns, blocks of rows, ranges of channels, panels of weights.

The rule is fixed, not tried out: the staged input takes three eighths of the L2 cache and z the rest, while the weights
pass; as many input channels are staged at a time as make `_PRODUCTS` products (96 and 2,304 lost up to 8 and 12 %);
there are `_ITEMS` items to share where the call is large enough.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from fastup.cpu.kernels import gemm
from fastup.cpu.lattice import PANEL, Geometry, Lattice
from fastup.plan import ConvPlan
from fastup.runtime import cpu_info

_MOST_L2 = 2**20  # counted; a workspace stays below 4 MB
_PRODUCTS = 288
_STRIP = 512  # columns
_COLUMNS = 256  # of z that are wanted before the output channels are split
_ITEMS = 8
_STAGINGS = 4  # items that ranges of channels may make: each range stages its input anew
_FEWEST_COLUMNS = 64  # of an item that is not split further
_PER_MICROSECOND = 40_000  # products of one thread in float32


class Tiling(NamedTuple):
    """The tiles of one call."""

    ranges: int
    channels_out: int  # of a range
    channels_in: int  # staged at a time
    rows: int  # of z in a block
    row_blocks: int
    strips: list[tuple[int, int]]  # output positions of one phase, from and to
    pitch: int  # columns from row to row
    staged_rows: int
    plane: int  # items of the staged slices of a channel and residue
    channel: int  # items of a staged channel
    z_step: int
    microseconds: float

    def offset(self, geometry: Geometry, *taps: int) -> int:
        """Where a tap lies in the staged input of a channel."""
        part = shifted = 0
        steps = (self.staged_rows * self.pitch, self.pitch, 1)
        for lattice, tap, step in zip(geometry.lattices, taps, steps, strict=True):
            residue, shift = lattice.place(tap)
            part, shifted = part * len(lattice.residues) + residue, shifted + shift * step
        return part * self.plane + shifted


def panels_of(rows: int) -> list[int]:
    """Rows of each panel: full ones, and what is left in one panel or two."""
    rest = {0: [], 5: [3, 2]}.get(rows % PANEL, [rows % PANEL])
    return [PANEL] * (rows // PANEL) + rest


def choose(plan: ConvPlan, geometry: Geometry) -> Tiling:
    """The tiles of a plan."""
    depth, height, width = geometry.lattices
    size = geometry.computed.itemsize
    staged_bytes, z_bytes = _budgets()
    most = max(group.size for group in geometry.tap_groups)
    blocks = -(-geometry.group_in * most // _PRODUCTS)
    channels_in = max(1, -(-geometry.group_in // max(1, blocks)))
    planes = channels_in * (1 + depth.more) * geometry.residues
    staged_columns = staged_bytes // (size * planes * (1 + height.more)) - width.spread - width.more
    strips = _strips(width, min(staged_columns, z_bytes // (size * geometry.phases)))
    pitch = _pitch(width, strips)
    channels_out = _channels_out(geometry, z_bytes // (min(_COLUMNS, height.length * pitch) * size))
    z_row = channels_out * geometry.phases * pitch * size
    rows = max(1, min(height.length, z_bytes // z_row, staged_bytes // (planes * pitch * size) - height.more))
    apart = plan.batch * plan.groups * depth.length * len(strips)
    rows, channels_out = _shared(geometry, apart, rows, channels_out, pitch)
    alone = apart * -(-height.length // rows) * -(-geometry.group_out // channels_out)
    if alone < _ITEMS:
        strips = _strips(width, max(_FEWEST_COLUMNS, len(strips) * strips[0][1] * alone // _ITEMS))
        pitch = _pitch(width, strips)
        apart = plan.batch * plan.groups * depth.length * len(strips)
    row_blocks, ranges = -(-height.length // rows), -(-geometry.group_out // channels_out)
    rows = -(-height.length // row_blocks)
    staged_rows = rows + height.more
    plane = (1 + depth.more) * staged_rows * pitch
    vector = gemm.vector_bytes() // size
    columns = apart * row_blocks * rows * pitch
    products = columns * geometry.group_out * geometry.weights_per_channel * geometry.group_in
    moved = columns * (geometry.group_in * planes // channels_in * ranges + geometry.group_out * geometry.phases)
    return Tiling(
        ranges,
        channels_out,
        channels_in,
        rows,
        -(-height.length // rows),
        strips,
        pitch,
        staged_rows,
        plane,
        plane * geometry.residues,
        -(-((rows - 1) * pitch + strips[0][1] + width.spread) // vector) * vector,
        (products * size / 4 + 20 * moved) / _PER_MICROSECOND,
    )


def _strips(width: Lattice, most: int) -> list[tuple[int, int]]:
    """Equal strips of at most so many columns, or of what one vector needs."""
    outputs = -(-width.axis.n_out // width.axis.up)
    most = max(16, min(_STRIP, most))
    each = -(-outputs // -(-outputs // most))
    return [(begin, min(begin + each, outputs)) for begin in range(0, outputs, each)]


def _budgets() -> tuple[int, int]:
    """Bytes of the staged input and of z."""
    level2 = min(cpu_info.caches().level2, _MOST_L2)
    return level2 * 3 // 8, level2 * 5 // 8


def _pitch(width: Lattice, strips: list[tuple[int, int]]) -> int:
    """Columns from row to row: those of z, and those that taps reach beyond them."""
    return strips[0][1] + width.spread + width.more - overlap(width, len(strips))


def overlap(width: Lattice, strips: int) -> int:
    """Zeros that end a row and at the same time begin the next one, where a row is the whole width."""
    if strips > 1:
        return 0
    columns = width.length + width.more
    ends = [lattice_edges(width, residue, columns) for residue in width.residues]
    return min(min(before, columns - stop) for before, stop in ends)


def lattice_edges(width: Lattice, residue: int, columns: int, begin: int = 0) -> tuple[int, int]:
    """Zeros before the input in a staged row of one residue, and where the input ends in it."""
    origin = (width.first + begin) * width.axis.step + residue
    before = max(0, -(origin // width.axis.step))
    stop = min(columns, -(-(width.axis.n_in - origin) // width.axis.step))
    return min(before, columns), max(stop, min(before, columns))


def _channels_out(geometry: Geometry, most_rows: int) -> int:
    """Output channels whose rows of z fit, in whole panels where they are not all."""
    unit = _channels_of_whole_panels(geometry)
    most = max(1, most_rows // geometry.phases)
    if most >= geometry.group_out:
        return geometry.group_out
    return max(1, most // unit) * unit


def _channels_of_whole_panels(geometry: Geometry) -> int:
    return PANEL // math.gcd(PANEL, *(len(group.phases) for group in geometry.tap_groups))


def _shared(geometry: Geometry, apart: int, rows: int, channels_out: int, pitch: int) -> tuple[int, int]:
    """Fewer rows or channels per item, until there are enough items to share."""
    length, unit = geometry.lattices[1].length, _channels_of_whole_panels(geometry)

    def items() -> int:
        return apart * -(-length // rows) * -(-geometry.group_out // channels_out)

    while items() < _ITEMS and rows > 1 and rows * pitch >= 2 * _FEWEST_COLUMNS:
        rows = -(-rows // 2)
    while items() < _STAGINGS and channels_out > unit:
        channels_out = -(-channels_out // (2 * unit)) * unit
    return rows, channels_out
