"""Permuted copies: every item moves once, and one side is walked strictly in order.

One side of a copy, the *sequential* one, is a list of digits, outermost first; each digit has an extent and a stride
on the other, *strided* side (all in items). The last digits form the *row*, which each kernel copies in its own way;
the digits above it are decoded once per plane and then counted up. ``params``:

    0        rows
    1 2 3    extent and stride of the digit above the row, and the rows per plane
    4        stride of the next digit
    5..14    five plane digits, innermost first: extent, stride
    15..     the row's own digits, outermost first: extent, stride

Pixel shuffle and its inverse are such copies, and so is nearest-neighbour upsampling by whole factors: there all the
phases of a factor have stride 0.
"""

from __future__ import annotations

from fastup.cpu.simd.moves import Step, copy_item, flush, lane_count, move, publish, row_buffer
from fastup.runtime.kernel import inline, kernel

INNER, INNER_STRIDE, PLANE_ROWS, OUTER_STRIDE, PLANES, ROW = 1, 2, 3, 4, 5, 15
PLANE_DIGITS = 5
NEST_DIGITS = 4
NARROW = ("uint8", "uint16", "uint32")
INTEGERS = (*NARROW, "uint64")
FACTORS = (2, 3, 4)
_NEST_BLOCK = 64  # items of the outermost row digit moved before the next inner digit: both sides stay in L1


@inline
def plane_offset(params, plane):
    """Where a plane begins on the strided side."""
    offset = 0
    rest = plane
    for at in range(PLANES, PLANES + 2 * PLANE_DIGITS, 2):
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
            plane = row // params[PLANE_ROWS]
            base = plane_offset(params, plane)
            first = row - plane * params[PLANE_ROWS]
            last = min(params[PLANE_ROWS], first + stop - row)
            outer = first // params[INNER]
            inner = first - outer * params[INNER]
            for _ in range(first, last):
                strided = base + outer * params[OUTER_STRIDE] + inner * params[INNER_STRIDE]
                copy_row(params, src, dst, strided, row * length)
                row += 1
                inner += 1
                if inner == params[INNER]:
                    inner = 0
                    outer += 1
        publish()

    return body


def streamed(copy_row, row_length):
    """`copy_row`, but past the caches: the row is put together in L1 and flushed as a whole."""

    @inline
    def copy(params, src, dst, source, target):
        line = row_buffer(dst)
        copy_row(params, src, line, source, 0)
        flush(line, row_length(params), dst, target)

    return copy


def length_of(digits, items=1):
    """Items in a row of so many digits; `items` is the product of extents that are constants."""
    if digits == 1:
        return inline(lambda params: params[ROW] * items)
    return inline(lambda params: params[ROW] * params[ROW + 2] * items)


@kernel("element", "element", elements=INTEGERS, factor=FACTORS, stream=(0, 1))
def interleave(factor, stream):
    """Target row woven from `factor` streams: (width, 1), (factor, any)."""
    row_length = length_of(1, factor)

    @inline
    def copy_row(params, src, dst, source, target):
        apart = params[ROW + 3]
        for column in range(params[ROW]):
            for phase in range(factor):
                dst[target + column * factor + phase] = src[source + phase * apart + column]

    return rows(streamed(copy_row, row_length) if stream else copy_row, row_length)


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
        width, lanes = params[ROW], lane_count(src)
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
        width, apart, lanes = params[ROW], params[ROW + 3], lane_count(src)
        for column in range(0, width - lanes + 1, lanes):
            block(src, source + column * factor, dst, target + column, apart, 0)
        for column in range(width // lanes * lanes, width):
            for phase in range(factor):
                copy_item(src, source + column * factor + phase, dst, target + column + phase * apart)

    return rows(copy_row, length_of(1, factor))


@kernel("element", "element", elements=INTEGERS, stream=(0, 1))
def copy_runs(stream):
    """Target row of contiguous runs: (count, any), (length, 1)."""
    row_length = length_of(2)

    @inline
    def copy_row(params, src, dst, source, target):
        length = params[ROW + 2]
        for run in range(params[ROW]):
            for k in range(length):
                dst[target + run * length + k] = src[source + run * params[ROW + 1] + k]

    return rows(streamed(copy_row, row_length) if stream else copy_row, row_length)


@kernel("element", "element", elements=INTEGERS)
def copy_nest():
    """Target row of any four digits, the first of them in blocks: the fallback for every other permutation."""

    @inline
    def row_length(params):
        return params[ROW] * params[ROW + 2] * params[ROW + 4] * params[ROW + 6]

    @inline
    def copy_row(params, src, dst, source, target):
        apart = params[ROW + 2] * params[ROW + 4] * params[ROW + 6]
        for first in range(0, params[ROW], _NEST_BLOCK):
            count = min(_NEST_BLOCK, params[ROW] - first)
            at = target + first * apart
            for a in range(params[ROW + 2]):
                for b in range(params[ROW + 4]):
                    begin = source + first * params[ROW + 1] + a * params[ROW + 3] + b * params[ROW + 5]
                    for _ in range(params[ROW + 6]):
                        for k in range(count):
                            copy_item(src, begin + k * params[ROW + 1], dst, at + k * apart)
                        begin += params[ROW + 7]
                        at += 1

    return rows(copy_row, row_length)
