"""Means of cells as OpenCV's area has them where a picture shrinks by whole factors.

Each output takes its pixels row by row in groups of four, ``total += ((a + b) + c) + d`` in float32, and what is left
one by one; groups of integers are added as integers. Cells of two by two pixels may be *paired*: items of float32 that
lead are ``(a + b) + (c + d)``, the others ``((a + b) + c) + d``; integers are rounded half up.

``params``: rows of cells, of all pictures; rows of one; cells of a row; items of a pixel; rows and columns of a cell;
items that lead; whether cells are paired; bytes from picture to picture and from row to row.
"""

from __future__ import annotations

import numpy as np

from fastup.cpu.resample.kernels.cell_halves import (
    LANES,
    P,
    by_items,
    four_lanes,
    halved,
    neighbours_halved,
    pixels_halved,
    quads_of_bytes_halved,
)
from fastup.cpu.simd.pointers import at
from fastup.runtime.kernel import inline, intrinsic, kernel

_GROUP = 4
_GRID = np.float32(1.5 * 2.0**23)  # beside it a float32 has steps of 1
_AT_ONCE = 2048  # sums that wait on the stack: rows are read in runs that the processor fetches ahead


@intrinsic
def sums_on_stack(_, like):
    """Memory for `_AT_ONCE` sums."""
    from llvmlite import ir
    from numba import types

    def generate(_context, builder, _signature, _arguments):
        with builder.goto_entry_block():
            return builder.alloca(ir.FloatType(), size=ir.Constant(ir.IntType(64), _AT_ONCE))

    return types.CPointer(types.float32)(like), generate


def _added(total):
    """Four pixels of each cell, or one, to the sums, `LANES` of which a pixel of three has."""

    def made(pixel):
        @inline
        def run(params, a, b, c, d, sums, start, stop):
            each = pixel if pixel else params[P.items]
            stride, apart = params[P.across] * each, max(each, LANES) if pixel > 1 else each
            for cell in range(start, stop):
                for item in range(each):
                    k = cell * stride + item
                    sums[cell * apart + item] += total(a[k], b[k], c[k], d[k])

        return run

    return by_items(made)


def _pixels_added(lanes, total):
    """The same for pixels of three or four items of float32; the last one's vector may reach beyond the picture."""
    four, scalar = four_lanes(lanes, True), _added(total)

    @inline
    def run(params, a, b, c, d, sums, start, stop):
        items, last = params[P.items], start
        if items == 3 or items == 4:
            last, stride = max(start, stop - 1), params[P.across] * items
            for cell in range(start, last):
                four(a, b, c, d, cell * stride, sums, LANES * cell)
        scalar(params, a, b, c, d, sums, last, stop)

    return run


def _grouped(size, total, single, finished, fours, ones):
    """Cells of a row: totals of four pixels, then what is left one by one; ``finished(mean)`` is an item."""

    @inline
    def pixel(params, src, number):
        across = params[P.across]
        return at(src, number // across * params[P.row] + number % across * params[P.items] * size)

    @inline
    def one_by_one(params, src, dst, by):
        items, pixels = params[P.items], params[P.down] * params[P.across]
        for cell in range(params[P.cells]):
            source, target = at(src, cell * params[P.across] * items * size), at(dst, cell * items * size)
            for item in range(items):
                sums, number = np.float32(0), 0
                while number + _GROUP <= pixels:
                    a, b = pixel(params, source, number), pixel(params, source, number + 1)
                    c, d = pixel(params, source, number + 2), pixel(params, source, number + 3)
                    sums += total(a[item], b[item], c[item], d[item])
                    number += _GROUP
                while number < pixels:
                    a = pixel(params, source, number)
                    sums += single(a[item], a[item], a[item], a[item])
                    number += 1
                target[item] = finished(sums * by)

    @inline
    def run(params, src, dst):
        cells, items, pixels = params[P.cells], params[P.items], params[P.down] * params[P.across]
        by = np.float32(1) / np.float32(pixels)
        sums, apart = sums_on_stack(dst), LANES if items == 3 else items
        width = _AT_ONCE // apart
        if width == 0:
            one_by_one(params, src, dst, by)
            return
        for begin in range(0, cells, width):
            count = min(width, cells - begin)
            source = at(src, begin * params[P.across] * items * size)
            for k in range(count * apart):
                sums[k] = np.float32(0)
            number = 0
            while number + _GROUP <= pixels:
                a, b = pixel(params, source, number), pixel(params, source, number + 1)
                c, d = pixel(params, source, number + 2), pixel(params, source, number + 3)
                fours(params, a, b, c, d, sums, 0, count)
                number += _GROUP
            while number < pixels:
                a = pixel(params, source, number)
                ones(params, a, a, a, a, sums, 0, count)
                number += 1
            target = at(dst, begin * items * size)
            if items == apart:
                for k in range(count * items):
                    target[k] = finished(sums[k] * by)
            else:
                for cell in range(count):
                    for item in range(LANES - 1):
                        target[cell * (LANES - 1) + item] = finished(sums[cell * LANES + item] * by)

    return run


def _means(size, grouped, leads, leading, resting):
    """The body: cells in groups, and rows of two by two pixels, those that lead and the others."""

    def body(params, src, dst, start, stop):
        items, cells = params[P.items], params[P.cells]
        for number in range(start, stop):
            picture = number // params[P.rows]
            first = (number - picture * params[P.rows]) * params[P.down]
            a = at(src, picture * params[P.picture] + first * params[P.row])
            target = at(dst, number * cells * items * size)
            if params[P.paired]:
                b, c = at(a, items * size), at(a, params[P.row])
                d, lead = at(c, items * size), params[P.lead] // items
                leading(params, a, b, c, d, target, 0, lead)
                resting(params, a, b, c, d, target, lead, cells)
                for k in range(params[P.lead] - lead * items):
                    place = 2 * lead * items + k
                    target[lead * items + k] = leads(a[place], b[place], c[place], d[place])
            else:
                grouped(params, a, target)

    return body


@inline
def _in_turn(a, b, c, d):
    return ((a + b) + c) + d


@inline
def _first(a, _b, _c, _d):
    return a


@kernel("element", "element", elements=("float32",))
def cell_means():
    """Of float32."""

    @inline
    def same(value):
        return value

    @inline
    def of_pairs(a, b, c, d):
        return ((a + b) + (c + d)) * np.float32(0.25)

    @inline
    def quarter(a, b, c, d):
        return _in_turn(a, b, c, d) * np.float32(0.25)

    def lanes_in_turn(add, a, b, c, d):
        return add(add(add(a, b), c), d)

    def lanes_of_pairs(add, a, b, c, d):
        return add(add(a, b), add(c, d))

    grouped = _grouped(
        4,
        _in_turn,
        _first,
        same,
        _pixels_added(lanes_in_turn, _in_turn),
        _pixels_added(lambda _add, a, *_others: a, _first),
    )
    leading = halved(of_pairs, {LANES: pixels_halved(lanes_of_pairs)})
    return _means(4, grouped, of_pairs, leading, halved(quarter, {LANES: pixels_halved(lanes_in_turn)}))


def _of_integers(dtype, words):
    """Of unsigned integers of less than 32 bits."""
    convert, top, size = np.dtype(dtype).type, np.float32(np.iinfo(dtype).max), np.dtype(dtype).itemsize

    @inline
    def total(a, b, c, d):
        return np.float32(np.int32(a) + np.int32(b) + np.int32(c) + np.int32(d))

    @inline
    def single(a, _b, _c, _d):
        return np.float32(np.int32(a))

    @inline
    def rounded(mean):
        return convert(np.int32(min((mean + _GRID) - _GRID, top)))

    @inline
    def half_up(a, b, c, d):
        return convert((np.int32(a) + np.int32(b) + np.int32(c) + np.int32(d) + np.int32(2)) >> np.int32(2))

    rows = halved(half_up, words)
    return _means(size, _grouped(size, total, single, rounded, _added(total), _added(single)), half_up, rows, rows)


@kernel("element", "element", elements=("uint8",))
def cell_means_of_bytes():
    """Of bytes."""
    return _of_integers("uint8", {1: neighbours_halved("uint16", 8), LANES: quads_of_bytes_halved()})


@kernel("element", "element", elements=("uint16",))
def cell_means_of_shorts():
    """Of uint16."""
    return _of_integers("uint16", {1: neighbours_halved("uint32", 16)})
