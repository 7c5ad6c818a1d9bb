"""Means of cells as OpenCV's area has them where a picture shrinks by whole factors: float32, four pixels at a time.

Each output takes its pixels row by row in groups of four, ``total += ((a + b) + c) + d``, and what is left one by one;
groups of integers are added as integers. Cells of two by two pixels of float32 may be *paired*: items that lead are
``(a + b) + (c + d)``, the others ``((a + b) + c) + d``.

``params``: rows of cells, of all pictures; rows of one; cells of a row; items of a pixel; rows and columns of a cell;
items that lead; whether cells are paired; items from picture to picture and from row to row.
"""

from __future__ import annotations

import numpy as np

from fastup.cpu.simd.moves import load_item
from fastup.runtime.fields import Fields
from fastup.runtime.kernel import inline, kernel

P = Fields("total rows cells items down across lead paired picture row")
_GROUP = 4
_GRID = np.float32(1.5 * 2.0**23)  # beside it a float32 has steps of 1
_TOP = np.float32(65535)


def _means(added, finished):
    """The body: ``added(item)`` as the type that groups are added in, ``finished(mean)`` as an item."""

    @inline
    def of_groups(params, src, begin):
        across, items, row = params[P.across], params[P.items], params[P.row]
        count = params[P.down] * across
        grouped = count // _GROUP * _GROUP
        total, column, place = np.float32(0), 0, begin
        group = added(load_item(src, begin)) - added(load_item(src, begin))
        for number in range(count):
            value = added(load_item(src, place + column * items))
            column += 1
            if column == across:
                column, place = 0, place + row
            if number >= grouped:
                total += np.float32(value)
            elif number % _GROUP == 0:
                group = value
            else:
                group = group + value
                if number % _GROUP == _GROUP - 1:
                    total += np.float32(group)
        return total

    @inline
    def of_pairs(params, src, begin, leads):
        items, row = params[P.items], params[P.row]
        a, b = added(load_item(src, begin)), added(load_item(src, begin + items))
        c, d = added(load_item(src, begin + row)), added(load_item(src, begin + row + items))
        if leads:
            return np.float32((a + b) + (c + d))
        return np.float32(((a + b) + c) + d)

    def body(params, src, dst, start, stop):
        items, cells = params[P.items], params[P.cells]
        by = np.float32(1) / np.float32(params[P.down] * params[P.across])
        for number in range(start, stop):
            picture = number // params[P.rows]
            first = (number - picture * params[P.rows]) * params[P.down]
            base = picture * params[P.picture] + first * params[P.row]
            for index in range(cells * items):
                cell = index // items
                begin = base + cell * params[P.across] * items + (index - cell * items)
                if params[P.paired]:
                    total = of_pairs(params, src, begin, index < params[P.lead])
                else:
                    total = of_groups(params, src, begin)
                dst[number * cells * items + index] = finished(total * by)

    return body


@kernel("element", "element", elements=("float32",))
def cell_means():
    """Of float32."""

    @inline
    def same(value):
        return value

    return _means(same, same)


@kernel("element", "element", elements=("uint16",))
def cell_means_of_shorts():
    """Of uint16, rounded half to even."""

    @inline
    def as_integer(value):
        return np.int32(value)

    @inline
    def rounded(mean):
        return np.uint16(np.int32(min((mean + _GRID) - _GRID, _TOP)))

    return _means(as_integer, rounded)
