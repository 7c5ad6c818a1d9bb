"""Permuted copies of whole pixels, as channels-last pictures have them: several channels move by one vector.

``params`` and the walk over rows are those of `shuffle`.
"""

from __future__ import annotations

import math

from fastup.cpu.copy.kernels.permuted_copy import FACTORS, NARROW, P, length_of, rows
from fastup.cpu.simd.moves import Step, copy_item, items_to_alignment, lane_count, move
from fastup.runtime.kernel import inline, kernel


@kernel("element", "element", elements=NARROW, factor=FACTORS)
def split_pixels(factor):
    """Source row of pixels whose channels hold two phases: (width, any), (channels, 1), (factor, any) twice."""
    phases = factor * factor

    def steps(lanes):
        return [Step(0, tuple(range(phase, lanes * phases, phases)), *divmod(phase, factor)) for phase in range(phases)]

    block = move(span=lambda lanes: lanes * phases, steps=steps)
    streamed_block = move(span=lambda lanes: lanes * phases, steps=steps, stream=True)

    @inline
    def copy_row(params, src, dst, target, source):
        channels, lanes, outer, inner = params[P.row + 2], lane_count(src), params[P.row + 5], params[P.row + 7]
        # Streamed stores are whole aligned vectors: pixels of whole vectors in aligned memory, strides included.
        aligned = params[P.streamed] != 0 and (target | channels | outer | inner | params[P.row + 1]) & (lanes - 1) == 0
        aligned = aligned and items_to_alignment(dst, 0) == 0
        for column in range(params[P.row]):
            begin = source + column * channels * phases
            end = target + column * params[P.row + 1]
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
        channels, outer, inner = params[P.row + 2], params[P.row + 5], params[P.row + 7]
        for column in range(params[P.row]):
            begin = source + column * params[P.row + 1]
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
        width, outer = params[P.row], params[P.row + 5]
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
        width, lanes = params[P.row], lane_count(src)
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
