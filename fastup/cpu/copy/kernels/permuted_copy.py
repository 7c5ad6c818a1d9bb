"""Permuted copies: every item moves once, and one side is walked strictly in order.

One side of a copy, the *sequential* one, is a list of digits, outermost first; each digit has an extent and a stride
on the other, *strided* side (all in items). The last digits form the *row*, which each kernel copies in its own way;
the digits above it are decoded once per plane and then counted up. ``params``: rows; extent and stride of the digit
above the row; rows per plane; stride of the next digit; the digits of the plane, innermost first, then the row's own,
outermost first: extent and stride of each.

Pixel shuffle and its inverse are such copies, and so is nearest-neighbour upsampling by whole factors: there all the
phases of a factor have stride 0.
"""

from __future__ import annotations

import sys

from fastup.cpu.simd.moves import Step, copy_item, flush, lane_count, move, publish, row_buffer
from fastup.runtime.fields import Fields
from fastup.runtime.kernel import inline, kernel

PLANE_DIGITS, ROW_DIGITS = 5, 4
P = Fields(
    "total inner inner_stride plane_rows outer_stride planes row streamed", planes=2 * PLANE_DIGITS, row=2 * ROW_DIGITS
)
NARROW = ("uint8", "uint16", "uint32")
INTEGERS = (*NARROW, "uint64")
FACTORS = (2, 3, 4)
_NEST_BLOCK = 64  # items of the outermost row digit moved before the next inner digit: both sides stay in L1


@inline
def plane_offset(params, plane):
    """Where a plane begins on the strided side."""
    offset = 0
    rest = plane
    for at in range(P.planes, P.planes + 2 * PLANE_DIGITS, 2):
        extent = params[at]
        above = rest // extent
        offset += (rest - above * extent) * params[at + 1]
        rest = above
    return offset


def rows(copy_row, row_length):
    """The body that walks its share of the rows: ``copy_row(params, src, dst, strided, sequential)``."""

    def body(params, src, dst, start, stop):
        length = row_length(params)
        row = start
        while row < stop:
            plane = row // params[P.plane_rows]
            base = plane_offset(params, plane)
            first = row - plane * params[P.plane_rows]
            last = min(params[P.plane_rows], first + stop - row)
            outer = first // params[P.inner]
            inner = first - outer * params[P.inner]
            for _ in range(first, last):
                strided = base + outer * params[P.outer_stride] + inner * params[P.inner_stride]
                copy_row(params, src, dst, strided, row * length)
                row += 1
                inner += 1
                if inner == params[P.inner]:
                    inner = 0
                    outer += 1
        publish()

    return body


def near_or_far(copy_row, row_length):
    """`copy_row`, or the same past the caches: the row is put together in L1 and flushed as a whole."""
    if sys.platform == "win32":  # where no row is streamed, since its buffer would call a stack probe
        return copy_row

    @inline
    def copy(params, src, dst, source, target):
        if params[P.streamed] != 0:
            line = row_buffer(dst)
            copy_row(params, src, line, source, 0)
            flush(line, row_length(params), dst, target)
        else:
            copy_row(params, src, dst, source, target)

    return copy


def length_of(digits, items=1):
    """Items in a row of so many digits; `items` is the product of extents that are constants."""
    if digits == 1:
        return inline(lambda params: params[P.row] * items)
    return inline(lambda params: params[P.row] * params[P.row + 2] * items)


@kernel("element", "element", elements=INTEGERS, factor=FACTORS)
def interleave(factor):
    """Target row woven from `factor` streams: (width, 1), (factor, any)."""
    row_length = length_of(1, factor)

    @inline
    def copy_row(params, src, dst, source, target):
        apart = params[P.row + 3]
        for column in range(params[P.row]):
            for phase in range(factor):
                dst[target + column * factor + phase] = src[source + phase * apart + column]

    return rows(near_or_far(copy_row, row_length), row_length)


@kernel("element", "element", elements=INTEGERS, factor=FACTORS)
def repeat(factor):
    """Target row of items, each repeated: (width, 1), (factor, 0).

    One load serves all repetitions. Rows are whole vectors, the last of them laid over the one before where the width
    is no multiple: short rows of a picture within the caches have no slow end.
    """

    def steps(lanes):
        return [
            Step(0, tuple((part * lanes + item) // factor for item in range(lanes)), part, 0) for part in range(factor)
        ]

    block = move(span=lambda lanes: lanes, steps=steps)

    @inline
    def copy_row(params, src, dst, source, target):
        width, lanes = params[P.row], lane_count(src)
        if width < lanes:
            for column in range(width):
                for phase in range(factor):
                    copy_item(src, source + column, dst, target + column * factor + phase)
        else:
            for column in range(0, width - lanes + 1, lanes):
                block(src, source + column, dst, target + column * factor, lanes, 0)
            if width % lanes:
                block(src, source + width - lanes, dst, target + (width - lanes) * factor, lanes, 0)

    return rows(copy_row, length_of(1, factor))


@kernel("element", "element", elements=INTEGERS, factor=FACTORS)
def deinterleave(factor):
    """Source row taken apart into `factor` streams: (width, 1), (factor, any)."""
    block = move(
        span=lambda lanes: lanes * factor,
        steps=lambda lanes: [Step(0, tuple(range(phase, lanes * factor, factor)), phase, 0) for phase in range(factor)],
    )

    @inline
    def copy_row(params, src, dst, target, source):
        width, apart, lanes = params[P.row], params[P.row + 3], lane_count(src)
        for column in range(0, width - lanes + 1, lanes):
            block(src, source + column * factor, dst, target + column, apart, 0)
        for column in range(width // lanes * lanes, width):
            for phase in range(factor):
                copy_item(src, source + column * factor + phase, dst, target + column + phase * apart)

    return rows(copy_row, length_of(1, factor))


@kernel("element", "element", elements=INTEGERS)
def copy_runs():
    """Target row of contiguous runs: (count, any), (length, 1)."""
    row_length = length_of(2)

    @inline
    def copy_row(params, src, dst, source, target):
        length = params[P.row + 2]
        for run in range(params[P.row]):
            for k in range(length):
                dst[target + run * length + k] = src[source + run * params[P.row + 1] + k]

    return rows(near_or_far(copy_row, row_length), row_length)


@kernel("element", "element", elements=INTEGERS)
def copy_nest():
    """Target row of any four digits, the first of them in blocks: the fallback for every other permutation."""

    @inline
    def row_length(params):
        return params[P.row] * params[P.row + 2] * params[P.row + 4] * params[P.row + 6]

    @inline
    def copy_row(params, src, dst, source, target):
        apart = params[P.row + 2] * params[P.row + 4] * params[P.row + 6]
        for first in range(0, params[P.row], _NEST_BLOCK):
            count = min(_NEST_BLOCK, params[P.row] - first)
            at = target + first * apart
            for a in range(params[P.row + 2]):
                for b in range(params[P.row + 4]):
                    begin = source + first * params[P.row + 1] + a * params[P.row + 3] + b * params[P.row + 5]
                    for _ in range(params[P.row + 6]):
                        for k in range(count):
                            copy_item(src, begin + k * params[P.row + 1], dst, at + k * apart)
                        begin += params[P.row + 7]
                        at += 1

    return rows(copy_row, row_length)
