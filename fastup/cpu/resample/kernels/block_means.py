"""Means of blocks of bytes: in Pillow's integers, ``(sum + n // 2) * floor(2**24 / n) >> 24``, or in float32.

``params``: rows of blocks, of all pictures; rows of one picture; rows and columns of the input; items of a pixel; rows
and columns of a block; bytes from picture to picture and from row to row; whether the sum is multiplied by 1 / n in
float32 and rounded half to even, as in OpenCV. The last blocks may hold fewer pixels.
"""

from __future__ import annotations

import numpy as np

from fastup.cpu.simd.pointers import SEEN_AS, at
from fastup.runtime.fields import Fields
from fastup.runtime.kernel import inline, kernel

P = Fields("total rows height width items down across picture row floats")
_GRID = np.float32(1.5 * 2.0**23)  # beside it a float32 has steps of 1


@inline
def add_rows(src, count, row_bytes, length, sums):
    """Sums of so many rows, item by item."""
    for k in range(length):
        sums[k] = src[k]
    for row in range(1, count):
        line = at(src, row * row_bytes)
        for k in range(length):
            sums[k] += line[k]


@inline
def factor_of(count):
    """What a sum of so many bytes is multiplied by: the quotient is one of float32 numbers, cut off."""
    return np.uint32(np.int64(np.float32(4294967296.0) / np.float32(256 * count)))


@inline
def add_columns(sums, first, columns, items, rows, floats, dst, place):
    """The means of one block."""
    count = rows * columns
    half, by, part = np.uint32(count // 2), factor_of(count), np.float32(1) / np.float32(count)
    for item in range(items):
        total = np.uint32(0)
        for column in range(columns):
            total += sums[(first + column) * items + item]
        if floats:
            dst[place + item] = np.uint8(np.int32((np.float32(total) * part + _GRID) - _GRID))
        else:
            dst[place + item] = np.uint8((total + half) * by >> np.uint32(24))


@kernel("uint8", "uint8", "uint8", "uint8", elements=("uint8",))
def block_means():
    """Rows of blocks."""
    as_uint32 = SEEN_AS["uint32"]

    def body(params, src, dst, table, work, start, stop):
        items, across, width = params[P.items], params[P.across], params[P.width]
        blocks = (width + across - 1) // across
        sums = as_uint32(work, 0)
        for number in range(start, stop):
            picture = number // params[P.rows]
            first = (number - picture * params[P.rows]) * params[P.down]
            rows = min(params[P.down], params[P.height] - first)
            source = at(src, picture * params[P.picture] + first * params[P.row])
            add_rows(source, rows, params[P.row], width * items, sums)
            for block in range(blocks):
                columns = min(across, width - block * across)
                place = (number * blocks + block) * items
                add_columns(sums, block * across, columns, items, rows, params[P.floats], dst, place)

    return body
