"""How a convolution is cut: strips of columns, blocks of rows, ranges of output channels.

The rule is fixed, not tried out. Where half of the L2 cache holds all input channels of a tile, they are staged at once
and z is one bundle of panels, in an eighth of it; else blocks of channels are staged in three eighths of it, and added
up in all of z, in the rest. There are `_ITEMS` items to share where the call is large enough.
"""

from __future__ import annotations

from typing import NamedTuple

from fastup.cpu.conv.kernels import gemm
from fastup.cpu.conv.phase_grid import Lattice, PhaseGrid
from fastup.cpu.conv.weight_layout import channels_of_whole_panels, whole_bundles
from fastup.plan import ConvPlan
from fastup.runtime import cpu_info

_MOST_L2 = 2**20  # counted; a workspace stays below 4 MB
_STRIP = 1024  # columns
_COLUMNS = 256  # of z that are wanted before the output channels are split
_ITEMS = 8
_STAGINGS = 4  # items that ranges of channels may make: each range stages its input anew
_FEWEST_COLUMNS = 64  # of an item that is not split further
_PER_MICROSECOND = 40_000  # products of one thread in float32


class ColumnTiling(NamedTuple):
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

    def z_rows(self, grid: PhaseGrid) -> int:
        """Rows of z at a time: of a bundle, or all where the products of several blocks of channels are added up."""
        if self.channels_in == grid.group_in:
            return _bundle_rows(grid)
        return self.channels_out * grid.phases

    def offset(self, grid: PhaseGrid, *taps: int) -> int:
        """Where a tap lies in the staged input of a channel."""
        part = shifted = 0
        steps = (self.staged_rows * self.pitch, self.pitch, 1)
        for lattice, tap, step in zip(grid.lattices, taps, steps, strict=True):
            residue, shift = lattice.place(tap)
            part, shifted = part * len(lattice.residues) + residue, shifted + shift * step
        return part * self.plane + shifted


class _Cut(NamedTuple):
    """What is chosen; the rest follows from it."""

    channels_in: int
    channels_out: int
    strips: list[tuple[int, int]]
    rows: int


def choose(plan: ConvPlan, grid: PhaseGrid) -> ColumnTiling:
    """The tiles of a plan."""
    planes = plan.batch * plan.groups * grid.lattices[0].length
    cut = _shared(grid, planes, _fitting(grid))
    depth, height, width = grid.lattices
    size = grid.computed.itemsize
    row_blocks, ranges = -(-height.length // cut.rows), -(-grid.group_out // cut.channels_out)
    rows, pitch = -(-height.length // row_blocks), _pitch(width, cut.strips)
    staged_rows = rows + height.more
    plane = (1 + depth.more) * staged_rows * pitch
    vector = gemm.vector_bytes() // size
    columns = planes * len(cut.strips) * row_blocks * rows * pitch
    products = columns * grid.group_out * grid.weights_per_channel * grid.group_in
    staged = grid.group_in * (1 + depth.more) * grid.residues * ranges
    moved = columns * (staged + grid.group_out * grid.phases)
    return ColumnTiling(
        ranges,
        cut.channels_out,
        cut.channels_in,
        rows,
        -(-height.length // rows),
        cut.strips,
        pitch,
        staged_rows,
        plane,
        plane * grid.residues,
        -(-((rows - 1) * pitch + cut.strips[0][1] + width.spread) // vector) * vector,
        (products * size / 4 + 20 * moved) / _PER_MICROSECOND,
    )


def _fitting(grid: PhaseGrid) -> _Cut:
    """The largest tiles that the caches hold."""
    _, height, width = grid.lattices
    size = grid.computed.itemsize
    channels_in = _channels_in(grid)
    whole = channels_in == grid.group_in
    staged_bytes, z_bytes = _budgets(whole)
    z_rows = _bundle_rows(grid) if whole else grid.phases
    column = _staged_columns(grid) * channels_in * size  # bytes
    most = staged_bytes // (column * (1 + height.more)) - width.spread - width.more
    strips = _strips(width, min(most, z_bytes // (size * z_rows)))
    pitch = _pitch(width, strips)
    channels_out = grid.group_out
    if not whole:
        channels_out = _channels_out(grid, z_bytes // (min(_COLUMNS, height.length * pitch) * size))
        z_rows = channels_out * grid.phases
    rows = min(z_bytes // (z_rows * pitch * size), staged_bytes // (column * pitch) - height.more)
    return _Cut(channels_in, channels_out, strips, max(1, min(height.length, rows)))


def _staged_columns(grid: PhaseGrid) -> int:
    """Staged items of a channel per column and row."""
    return (1 + grid.lattices[0].more) * grid.residues


def _strips(width: Lattice, most: int) -> list[tuple[int, int]]:
    """Equal strips of at most so many columns, or of what one vector needs."""
    outputs = -(-width.axis.n_out // width.axis.up)
    most = max(16, min(_STRIP, most))
    each = -(-outputs // -(-outputs // most))
    return [(begin, min(begin + each, outputs)) for begin in range(0, outputs, each)]


def _budgets(whole: bool) -> tuple[int, int]:
    """Bytes of the staged input and of z, which is one bundle at a time where the whole input of a tile is staged."""
    level2 = min(cpu_info.caches().level2, _MOST_L2)
    return (level2 // 2, level2 // 8) if whole else (level2 * 3 // 8, level2 * 5 // 8)


def _channels_in(grid: PhaseGrid) -> int:
    """Input channels that are staged at a time: all, where a tile of `_COLUMNS` columns of them fits."""
    _, height, width = grid.lattices
    pitch = _pitch(width, _strips(width, _COLUMNS))
    rows = min(height.length, -(-_COLUMNS // pitch)) + height.more
    each = _staged_columns(grid) * rows * pitch * grid.computed.itemsize
    if grid.group_in * each <= _budgets(True)[0]:
        return grid.group_in
    unit = grid.channels_at_once
    blocks = -(-grid.group_in // max(unit, _budgets(False)[0] // each // unit * unit))
    return min(grid.group_in, -(-grid.group_in // (blocks * unit)) * unit)


def _bundle_rows(grid: PhaseGrid) -> int:
    """Rows of the largest bundle."""
    whole = (bundle._replace(channels=min(bundle.channels, grid.group_out)) for bundle in whole_bundles(grid))
    return max(bundle.rows(grid) for bundle in whole)


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


def _channels_out(grid: PhaseGrid, most_rows: int) -> int:
    """Output channels whose rows of z fit, in whole panels where they are not all."""
    unit = channels_of_whole_panels(grid)
    most = max(1, most_rows // grid.phases)
    if most >= grid.group_out:
        return grid.group_out
    return max(1, most // unit) * unit


def _shared(grid: PhaseGrid, planes: int, cut: _Cut) -> _Cut:
    """Fewer rows, channels or columns per item, until there are enough items to share."""
    _, height, width = grid.lattices
    unit, pitch = channels_of_whole_panels(grid), _pitch(width, cut.strips)
    rows, channels_out = cut.rows, cut.channels_out

    def items() -> int:
        blocks, ranges = -(-height.length // rows), -(-grid.group_out // channels_out)
        return planes * len(cut.strips) * blocks * ranges

    while items() < _ITEMS and rows > 1 and rows * pitch >= 2 * _FEWEST_COLUMNS:
        rows = -(-rows // 2)
    while items() < _STAGINGS and channels_out > unit:
        channels_out = -(-channels_out // (2 * unit)) * unit
    strips = cut.strips
    if items() < _ITEMS:
        strips = _strips(width, max(_FEWEST_COLUMNS, len(strips) * strips[0][1] * items() // _ITEMS))
    return _Cut(cut.channels_in, channels_out, strips, rows)
