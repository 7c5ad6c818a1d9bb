"""Max pooling with positions, and unpooling in which the last of several values wins."""

from __future__ import annotations

from typing import Any

from numba import cuda

from fastup.runtime.fields import Fields

P = Fields(
    "inputs outputs kernel stride padding dilation items indices",
    **dict.fromkeys(("inputs", "outputs", "kernel", "stride", "padding", "dilation"), 3),
)
SLICE, ROW, COLUMN = range(3)  # of three numbers along the axes
CLAIM = Fields("values positions items")  # of a plane before and after, of a pixel


@cuda.jit
def pool(total: Any, table: Any, src: Any, dst: Any, places: Any) -> None:
    """The largest value of each window, or no number where one is in it, and where it lies in its plane.

    `table`: input, output and windows along the axes; then the items of a pixel, and whether `places` are wanted.
    """
    inner = table[P.items]
    slices, rows, columns = table[P.inputs + SLICE], table[P.inputs + ROW], table[P.inputs + COLUMN]
    for i in range(cuda.grid(1), total, cuda.gridsize(1)):
        rest = i // inner
        item = i - rest * inner
        above = rest // table[P.outputs + COLUMN]
        column = (rest - above * table[P.outputs + COLUMN]) * table[P.stride + COLUMN] - table[P.padding + COLUMN]
        rest = above
        above = rest // table[P.outputs + ROW]
        row = (rest - above * table[P.outputs + ROW]) * table[P.stride + ROW] - table[P.padding + ROW]
        outer = above // table[P.outputs + SLICE]
        slice_ = (above - outer * table[P.outputs + SLICE]) * table[P.stride + SLICE] - table[P.padding + SLICE]
        found, best = -1, src[0]
        for a in range(table[P.kernel + SLICE]):
            s = slice_ + a * table[P.dilation + SLICE]
            if s >= 0 and s < slices:
                for b in range(table[P.kernel + ROW]):
                    r = row + b * table[P.dilation + ROW]
                    if r >= 0 and r < rows:
                        for c in range(table[P.kernel + COLUMN]):
                            k = column + c * table[P.dilation + COLUMN]
                            if k >= 0 and k < columns:
                                place = (s * rows + r) * columns + k
                                value = src[(outer * slices * rows * columns + place) * inner + item]
                                if found < 0 or value > best or value != value:
                                    found, best = place, value
        dst[i] = best
        if table[P.indices] != 0:
            places[i] = found


@cuda.jit
def claim(total: Any, table: Any, indices: Any, owners: Any, wrong: Any) -> None:
    """The last item that wants each position."""
    values, positions, items = table[CLAIM.values], table[CLAIM.positions], table[CLAIM.items]
    for i in range(cuda.grid(1), total, cuda.gridsize(1)):
        rest = i // items
        index = indices[i]
        if index < 0 or index >= positions:
            cuda.atomic.max(wrong, 0, i)
        else:
            cuda.atomic.max(owners, (rest // values * positions + index) * items + i - rest * items, i)


@cuda.jit
def fill(total: Any, value: Any, dst: Any) -> None:
    """The same number everywhere."""
    for i in range(cuda.grid(1), total, cuda.gridsize(1)):
        dst[i] = value


@cuda.jit
def place(total: Any, owners: Any, src: Any, dst: Any) -> None:
    """Each position takes the item that owns it, or 0."""
    for i in range(cuda.grid(1), total, cuda.gridsize(1)):
        owner = owners[i]
        if owner < 0:
            dst[i] = 0
        else:
            dst[i] = src[owner]


@cuda.jit
def place_pairs(total: Any, owners: Any, src: Any, dst: Any) -> None:
    """The same for items of 16 bytes, as pairs of words."""
    for i in range(cuda.grid(1), total, cuda.gridsize(1)):
        owner = owners[i // 2]
        if owner < 0:
            dst[i] = 0
        else:
            dst[i] = src[2 * owner + i % 2]
