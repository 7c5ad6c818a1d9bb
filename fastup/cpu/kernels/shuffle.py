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

import math

from fastup.cpu.kernels.simd import (
    Step,
    copy_item,
    flush,
    items_to_alignment,
    lane_count,
    move,
    publish,
    row_buffer,
)
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


@kernel("element", "element", elements=NARROW, factor=FACTORS, stream=(0, 1))
def split_pixels(factor, stream):
    """Source row of pixels whose channels hold two phases: (width, any), (channels, 1), (factor, any) twice."""
    phases = factor * factor

    def steps(lanes):
        return [Step(0, tuple(range(phase, lanes * phases, phases)), *divmod(phase, factor)) for phase in range(phases)]

    block = move(span=lambda lanes: lanes * phases, steps=steps)
    streamed_block = move(span=lambda lanes: lanes * phases, steps=steps, stream=True)

    @inline
    def copy_row(params, src, dst, target, source):
        channels, lanes, outer, inner = params[ROW + 2], lane_count(src), params[ROW + 5], params[ROW + 7]
        # Streamed stores are whole aligned vectors: pixels of whole vectors in aligned memory, strides included.
        aligned = stream and (target | channels | outer | inner | params[ROW + 1]) & (lanes - 1) == 0
        aligned = aligned and items_to_alignment(dst, 0) == 0
        for column in range(params[ROW]):
            begin = source + column * channels * phases
            end = target + column * params[ROW + 1]
            if aligned:
                for channel in range(0, channels, lanes):
                    streamed_block(src, begin + channel * phases, dst, end + channel, outer, inner)
                continue
            for channel in range(0, channels - lanes + 1, lanes):
                block(src, begin + channel * phases, dst, end + channel, outer, inner)
            for channel in range(channels // lanes * lanes, channels):
                for phase in range(phases):
                    at = end + channel + phase // factor * outer + phase % factor * inner
                    copy_item(src, begin + channel * phases + phase, dst, at)

    return rows(copy_row, length_of(2, phases))


@kernel("element", "element", elements=NARROW)
def join_pixels():
    """Target row of pixels woven from two phases of two: (width, any), (channels, 1), (2, any), (2, any).

    LLVM weaves up to eight streams; nine or sixteen, of larger factors, it would scatter.
    """

    @inline
    def copy_row(params, src, dst, source, target):
        channels, outer, inner = params[ROW + 2], params[ROW + 5], params[ROW + 7]
        for column in range(params[ROW]):
            begin = source + column * params[ROW + 1]
            end = target + column * channels * 4
            for channel in range(channels):
                for phase in range(4):
                    dst[end + channel * 4 + phase] = src[begin + channel + phase // 2 * outer + phase % 2 * inner]

    return rows(copy_row, length_of(2, 4))


@kernel("element", "element", elements=NARROW, factor=FACTORS)
def split_rgb(factor):
    """`split_pixels` for three channels, target pixels apart by the row itself: (width, 3 * factor), (3, 1), ...

    A pixel is one short shuffle per target row. Its store is wider than the pixel; what lies beyond is written again
    by the next pixel, and the last pixels of a row go one by one.
    """
    size, chunk = 3 * factor * factor, 3 * factor
    span, width_of_store = 1 << (size - 1).bit_length(), 1 << (chunk - 1).bit_length()
    masks = [
        [channel * factor * factor + row * factor + phase for phase in range(factor) for channel in range(3)]
        for row in range(factor)
    ]
    block = move(
        span=lambda lanes: span,
        steps=lambda lanes: [
            Step(0, tuple(mask + [0] * (width_of_store - chunk)), row, 0) for row, mask in enumerate(masks)
        ],
    )
    # A load may not leave the source row, nor a store the target row.
    scalar = max(-(-(span - size) // size), -(-(width_of_store - chunk) // chunk))

    @inline
    def copy_row(params, src, dst, target, source):
        width, outer = params[ROW], params[ROW + 5]
        for column in range(width - scalar):
            block(src, source + column * size, dst, target + column * chunk, outer, 0)
        for column in range(max(0, width - scalar), width):
            for row in range(factor):
                for phase in range(factor):
                    for channel in range(3):
                        end = target + column * chunk + row * outer + phase * 3 + channel
                        begin = source + column * size + (channel * factor + row) * factor + phase
                        copy_item(src, begin, dst, end)

    return rows(copy_row, length_of(1, size))


@kernel("element", "element", elements=NARROW, factor=FACTORS)
def repeat_rgb(factor):
    """Target row of pixels of three channels, each repeated: (width, 3), (factor, 0), (3, 1)."""
    group = 3 * factor

    def steps(lanes):
        found = []
        for chunk in range(math.lcm(lanes, group) // lanes):
            first = chunk * lanes // group * 3
            mask = tuple(item // group * 3 + item % 3 - first for item in range(chunk * lanes, (chunk + 1) * lanes))
            found.append(Step(first, mask, chunk, 0))
        return found

    block = move(span=lambda lanes: lanes, steps=steps)

    @inline
    def copy_row(params, src, dst, source, target):
        width, lanes = params[ROW], lane_count(src)
        period = lanes * group // math.gcd(lanes, group)
        pixels = period // group
        # The last load of a block reads a whole vector, of which it needs a part: stay that far from the row's end.
        blocks = max(0, (width * 3 - lanes) // (pixels * 3))
        for k in range(blocks):
            block(src, source + k * pixels * 3, dst, target + k * period, lanes, 0)
        for column in range(blocks * pixels, width):
            for phase in range(factor):
                for channel in range(3):
                    copy_item(src, source + column * 3 + channel, dst, target + column * group + phase * 3 + channel)

    return rows(copy_row, length_of(1, group))


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
