"""Max pooling with positions, and unpooling in which the last of several values wins."""

from __future__ import annotations

from typing import Any

from numba import cuda


@cuda.jit
def pool(total: Any, table: Any, src: Any, dst: Any, places: Any) -> None:
    """The largest value of each window, or no number where one is in it, and where it lies in its plane.

    `table`: per axis (slices, rows, columns) input and output extent, kernel, stride, padding, dilation; then the items
    of a pixel, and whether `places` are wanted.
    """
    inner = table[18]
    for i in range(cuda.grid(1), total, cuda.gridsize(1)):
        rest = i // inner
        item = i - rest * inner
        above = rest // table[13]
        column = (rest - above * table[13]) * table[15] - table[16]
        rest = above
        above = rest // table[7]
        row = (rest - above * table[7]) * table[9] - table[10]
        outer = above // table[1]
        slice_ = (above - outer * table[1]) * table[3] - table[4]
        found, best = -1, src[0]
        for a in range(table[2]):
            s = slice_ + a * table[5]
            if s >= 0 and s < table[0]:
                for b in range(table[8]):
                    r = row + b * table[11]
                    if r >= 0 and r < table[6]:
                        for c in range(table[14]):
                            k = column + c * table[17]
                            if k >= 0 and k < table[12]:
                                place = (s * table[6] + r) * table[12] + k
                                value = src[(outer * table[0] * table[6] * table[12] + place) * inner + item]
                                if found < 0 or value > best or value != value:
                                    found, best = place, value
        dst[i] = best
        if table[19] != 0:
            places[i] = found


@cuda.jit
def claim(total: Any, table: Any, indices: Any, owners: Any, wrong: Any) -> None:
    """The last item that wants each position. `table`: positions of a plane before and after, items of a pixel."""
    for i in range(cuda.grid(1), total, cuda.gridsize(1)):
        rest = i // table[2]
        index = indices[i]
        if index < 0 or index >= table[1]:
            cuda.atomic.max(wrong, 0, i)
        else:
            cuda.atomic.max(owners, (rest // table[0] * table[1] + index) * table[2] + i - rest * table[2], i)


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
