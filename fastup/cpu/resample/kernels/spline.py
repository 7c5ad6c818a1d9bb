"""B-splines of any order in float64: the recursive filter, the sum of all taps, and a symmetric filter before both.

Sums are those of SciPy, product by product: ``sum (c * wy) * wx``, and ``c[0] * w[0] + sum (c[-j] + c[j]) * w[j]``.
Positions of -1 read 0.
"""

from __future__ import annotations

import numpy as np

from fastup.cpu.resample.kernels.vertical import FLOATS
from fastup.cpu.simd.moves import load_item
from fastup.cpu.simd.pointers import as_float64, as_int64, at
from fastup.runtime.fields import Fields
from fastup.runtime.kernel import inline, kernel

# Rows of the result, of all pictures, and of one; pixels of a row, items of one; taps; items from picture to picture;
# where the table has rows' and pixels' positions (in items) and their weights.
TAPS = Fields("total rows width items taps picture row_places row_weights places weights")
# Lines, each of so many positions, whose neighbours lie `inner` items apart, `inner` lines side by side; poles.
FILTER = Fields("total extent inner poles")
POLE = Fields("pole first first_count last last_count")  # and where lists of (position, weight) begin in the table
SMOOTH = Fields("total extent inner radius places weights")


@kernel("float64", "float64", "uint8", elements=("float64",))
def spline():
    """Sums of all taps of two axes."""

    @inline
    def value(src, row, place):
        if row < 0 or place < 0:
            return 0.0
        return load_item(src, row + place)

    def body(params, src, dst, table, start, stop):
        items, taps, width = params[TAPS.items], params[TAPS.taps], params[TAPS.width]
        rows, row_weights = as_int64(table, params[TAPS.row_places]), as_float64(table, params[TAPS.row_weights])
        places, weights = as_int64(table, params[TAPS.places]), as_float64(table, params[TAPS.weights])
        for number in range(start, stop):
            picture = number // params[TAPS.rows]
            row = (number - picture * params[TAPS.rows]) * taps
            source = at(src, 8 * picture * params[TAPS.picture])
            for pixel in range(width):
                for item in range(items):
                    total = 0.0
                    for p in range(taps):
                        line, by = rows[row + p], row_weights[row + p]
                        for q in range(taps):
                            place = places[pixel * taps + q]
                            read = value(source, line, place + item) if place >= 0 else 0.0
                            total += read * by * weights[pixel * taps + q]
                    dst[(number * width + pixel) * items + item] = total

    return body


@inline
def weighted(line, inner, table, begin, count):
    """The sum of some positions of a line times their weights."""
    places, weights = as_int64(table, begin), as_float64(table, begin)
    total = 0.0
    for k in range(count):
        total += load_item(line, places[2 * k] * inner) * weights[2 * k + 1]
    return total


@kernel("float64", "float64", "uint8", elements=("float64",))
def recursive_filter():
    """In place: pole by pole, forward and backward; lines that lie side by side run side by side."""

    @inline
    def one_block(params, src, table, begin, width):
        inner, extent = params[FILTER.inner], params[FILTER.extent]
        poles = as_int64(table, 0)
        for number in range(params[FILTER.poles]):
            one = at(poles, number * POLE.bytes)
            pole = as_float64(table, number * POLE.bytes)[POLE.pole]
            for k in range(width):
                line = at(src, 8 * (begin + k))
                line[0] = weighted(line, inner, table, one[POLE.first], one[POLE.first_count])
            for i in range(1, extent):
                above, row = at(src, 8 * (begin + (i - 1) * inner)), at(src, 8 * (begin + i * inner))
                for k in range(width):
                    row[k] += pole * above[k]
            for k in range(width):
                line = at(src, 8 * (begin + k))
                line[(extent - 1) * inner] = weighted(line, inner, table, one[POLE.last], one[POLE.last_count])
            for i in range(extent - 2, -1, -1):
                below, row = at(src, 8 * (begin + (i + 1) * inner)), at(src, 8 * (begin + i * inner))
                for k in range(width):
                    row[k] = pole * (below[k] - row[k])

    def body(params, src, dst, table, start, stop):
        inner = params[FILTER.inner]
        number = start
        while number < stop:
            outer = number // inner
            first = number - outer * inner
            width = min(inner - first, stop - number)
            one_block(params, src, table, outer * params[FILTER.extent] * inner + first, width)
            number += width

    return body


@kernel("element", "element", "uint8", elements=FLOATS)
def smooth():
    """A symmetric filter along lines, in float64; the result has the picture's items."""

    def body(params, src, dst, table, start, stop):
        inner, extent, radius = params[SMOOTH.inner], params[SMOOTH.extent], params[SMOOTH.radius]
        places, weights = as_int64(table, params[SMOOTH.places]), as_float64(table, params[SMOOTH.weights])
        for number in range(start, stop):
            outer = number // extent
            i = number - outer * extent
            for k in range(inner):
                first = outer * extent * inner + k
                total = np.float64(load_item(src, first + i * inner)) * weights[radius]
                for j in range(radius, 0, -1):
                    before, behind = places[i + radius - j], places[i + radius + j]
                    one = 0.0 if before < 0 else np.float64(load_item(src, first + before * inner))
                    other = 0.0 if behind < 0 else np.float64(load_item(src, first + behind * inner))
                    total += (one + other) * weights[radius - j]
                dst[first + i * inner] = total

    return body
