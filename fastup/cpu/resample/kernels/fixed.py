"""Stages of fixed-point arithmetic of bytes: integer weights, 32-bit sums, rounded to uint8 after each axis.

``clamp((2**(bits - 1) + sum_k weight[k] * x[k]) >> bits, 0, 255)``. torch's weights have 16 bits, one *word*; Pillow's
have 22 behind the point and take two, of which the lower one has `LOW_BITS`. Taps go in pairs, as the processor's
multiply-and-add of 16-bit neighbours has them; an odd last tap is paired with weight 0. Sums are of integers, so every
order gives the same bits; where the processor has no such instruction they are plain loops.

Two taps whose weights are small multiples of a power of two, as whole factors of 2 have them, need 16 bits only: those
are the *narrow* stages: bilinear x2 of a 1080p picture takes 1.75 times less.

``params`` are those of `vertical` and of `horizontal`. Weights are 16-bit words: of a pair of taps the upper words,
then the lower ones. Those of rows follow an int32 that holds the bits; the narrow stages have all of them as int32.
"""

from __future__ import annotations

import numpy as np

from fastup.cpu.resample.kernels.byte_vectors import (
    CELL,
    LOW_BITS,
    VECTORS,
    long_pixel_sum,
    pieces_sum,
    rows_sum,
    taps_of,
)
from fastup.cpu.resample.kernels.horizontal import P as ROW
from fastup.cpu.resample.kernels.horizontal import row_by_row, two_by_two
from fastup.cpu.resample.kernels.vertical import P as ROWS
from fastup.cpu.simd.byte_lanes import PIECE, clamped, pieces, width
from fastup.cpu.simd.pointers import SEEN_AS, as_int32, as_int64, at
from fastup.runtime.kernel import inline, intrinsic, kernel

LONG_PIXEL = 8  # items
as_int16 = SEEN_AS["int16"]


@intrinsic
def _weigh(_, total, byte, weight):
    """The sum total + byte * weight in 32 bits."""
    from llvmlite import ir

    def generate(_context, builder, _signature, arguments):
        total, byte, weight = arguments
        wide = builder.zext(byte, ir.IntType(32))
        return builder.add(total, builder.mul(wide, builder.sext(weight, ir.IntType(32))))

    return total(total, byte, weight), generate


@intrinsic
def _half(_, bits):
    """Half of 2**bits, in 32 bits: what rounds a shift."""
    from llvmlite import ir

    def generate(_context, builder, _signature, arguments):
        one = ir.Constant(ir.IntType(32), 1)
        return builder.shl(one, builder.sub(arguments[0], one))

    return bits(bits), generate


@intrinsic
def _word(_, number):
    """The lower 32 bits."""
    from llvmlite import ir
    from numba import types

    def generate(_context, builder, _signature, arguments):
        return builder.trunc(arguments[0], ir.IntType(32))

    return types.int32(number), generate


@intrinsic
def _narrow(_, a, b, weight_a, weight_b, bits):
    """The rounded sum of two weighted bytes in 16 bits; no weight is negative and together they are 2**bits."""
    from llvmlite import ir
    from numba import types

    def generate(_context, builder, _signature, arguments):
        short = ir.IntType(16)
        first, second = (builder.zext(byte, short) for byte in arguments[:2])
        weights = [builder.trunc(weight, short) for weight in arguments[2:4]]
        shift = builder.trunc(arguments[4], short)
        one = ir.Constant(short, 1)
        half = builder.shl(one, builder.sub(shift, one))
        total = builder.add(builder.mul(first, weights[0]), builder.mul(second, weights[1]))
        return builder.trunc(builder.lshr(builder.add(total, half), shift), ir.IntType(8))

    return types.uint8(a, b, weight_a, weight_b, bits), generate


@intrinsic
def _byte(_, total, bits):
    """A sum as a byte."""
    from llvmlite import ir
    from numba import types

    def generate(_context, builder, _signature, arguments):
        return clamped(builder, builder.ashr(*arguments), ir.IntType(8))

    return types.uint8(total, bits), generate


def weight_at(words):
    """A helper ``(weights, tap)``: the whole weight of a tap, whose pair's words lie side by side."""

    @inline
    def one_word(weights, tap):
        return weights[tap]

    @inline
    def two_words(weights, tap):
        place = 4 * (tap // 2) + tap % 2
        return np.int32(np.int32(weights[place]) * np.int32(1 << LOW_BITS) + np.int32(weights[place + 2]))

    return {1: one_word, 2: two_words}[words]


@kernel("uint8", "uint8", "int32", elements=("uint8",), words=(1, 2))
def blend(words):
    """Rows of bytes times weights."""
    size, vectors, weight_of = width(), VECTORS // words, weight_at(words)
    longest = vectors * size
    long_block, short_block = (rows_sum(size, vectors, words), rows_sum(PIECE, 1, words)) if size else (None, None)

    @inline
    def blended_byte(params, base, weights, k):
        total = _half(weights[0])
        sixteen = as_int16(weights, 4)
        for row in range(params[ROWS.rows]):
            total = _weigh(total, at(base, params[ROWS.size + row])[k], weight_of(sixteen, row))
        return _byte(total, weights[0])

    @inline
    def one_by_one(params, base, dst, weights):
        for k in range(params[ROWS.items]):
            dst[k] = blended_byte(params, base, weights, k)

    def in_vectors(params, base, dst, weights, start, stop):
        count, rows = params[ROWS.items], params[ROWS.rows]
        if rows % 2:  # the last row again, with weight 0
            params[ROWS.size + rows] = params[ROWS.size + rows - 1]
        pairs = (rows + 1) // 2
        if count >= longest:
            for k in range(0, count - longest + 1, longest):
                long_block(params, base, dst, weights, k, pairs)
            if count % longest:
                long_block(params, base, dst, weights, count - longest, pairs)
        elif count >= PIECE:
            for k in range(0, count - PIECE + 1, PIECE):
                short_block(params, base, dst, weights, k, pairs)
            if count % PIECE:
                short_block(params, base, dst, weights, count - PIECE, pairs)
        else:
            one_by_one(params, base, dst, weights)

    def plain(params, base, dst, weights, start, stop):
        one_by_one(params, base, dst, weights)

    return in_vectors if size else plain


@kernel("uint8", "uint8", "uint8", "int64", elements=("uint8",), words=(1, 2))
def by_table(words):
    """Any ratio, any pixel: rows of weights have an even number."""
    vectors, weight_of, eight_items = width() > 0, weight_at(words), long_pixel_sum(words)

    @inline
    def one_by_one(line, begin, items, weights, dst, target, taps, bits):
        for item in range(items):
            total = _half(bits)
            for k in range(taps):
                total = _weigh(total, line[begin + k * items + item], weight_of(weights, k))
            dst[target + item] = _byte(total, bits)

    @inline
    def pixel_in_vectors(line, begin, items, weights, dst, target, taps, bits):
        if items >= LONG_PIXEL:
            for k in range(0, items, LONG_PIXEL):
                item = min(k, items - LONG_PIXEL)
                eight_items(at(line, begin + item), items, weights, at(dst, target + item), (taps + 1) // 2, bits)
        else:
            one_by_one(line, begin, items, weights, dst, target, taps, bits)

    one_pixel = pixel_in_vectors if vectors else one_by_one

    @inline
    def one_row(params, line, dst, table):
        first, weights = as_int64(table, params[ROW.first]), as_int16(table, params[ROW.weights])
        items, taps = params[ROW.items], params[ROW.taps]
        row = 2 * words * ((taps + 1) // 2 * 2)
        bits = _word(params[ROW.bits])
        for pixel in range(params[ROW.outputs]):
            one_pixel(line, first[pixel] * items, items, at(weights, pixel * row), dst, pixel * items, taps, bits)

    return row_by_row(one_row)


def in_pieces(orders, pixel, groups, words, as_floats=False):
    """The body that makes rows by vectors of pieces; the last one lies over the one before."""
    number = pieces()
    outputs, head, taps = (pixel or CELL) * number, number * PIECE * orders, taps_of(orders, pixel)

    def of_rows(rows):
        block_sum = pieces_sum(orders, pixel, groups, rows, words, as_floats)

        @inline
        def make(params, line, line_step, dst, target_step, table):
            places, blocks = as_int32(table, params[ROW.places]), at(table, params[ROW.blocks])
            apart, count, bits = taps * params[ROW.items], (params[ROW.taps] + taps - 1) // taps, params[ROW.bits]
            total = params[ROW.outputs] * params[ROW.items]
            size = head * (1 + words * count)
            for block in range((total + outputs - 1) // outputs):
                index = min(block * outputs, total - outputs)
                begins, weights = at(places, 4 * number * block), at(blocks, block * size)
                block_sum(line, line_step, begins, apart, weights, dst, target_step, index, count, bits)

        return make

    def absent(params, line, dst, table, rows, start, stop):
        return

    return two_by_two(of_rows) if number else absent


@kernel("uint8", "uint8", "uint8", "int64", elements=("uint8",), groups=(1, 2, 0))
def by_pieces(groups):
    """Any ratio of short pixels: a piece makes four neighbouring items, a pair of taps at a time."""
    return in_pieces(1, 0, groups, 1)


@kernel("uint8", "uint8", "uint8", "int64", elements=("uint8",))
def by_pieces_of_two_words():
    """The same with weights of two words."""
    return in_pieces(1, 0, 0, 2)


@kernel("uint8", "uint8", "uint8", "int64", elements=("uint8",), pixel=(0, 1, 2, 3), words=(1, 2))
def by_full_pieces(pixel, words):
    """Two pairs of taps from every piece; of four neighbouring items, or of one pixel for ratios beyond those."""
    return in_pieces(2, pixel, 0, words)


@kernel("uint8", "uint8", "int32", elements=("uint8",))
def blend_narrow():
    """Two rows of bytes times small weights."""

    def body(params, base, dst, weights, start, stop):
        a, b = at(base, params[ROWS.size]), at(base, params[ROWS.size + 1])
        bits, wa, wb = weights[0], weights[1], weights[2]
        for k in range(params[ROWS.items]):
            dst[k] = _narrow(a[k], b[k], wa, wb, bits)

    return body


@kernel("uint8", "uint8", "uint8", "int64", elements=("uint8",), factor=(2, 4))
def regular_narrow(factor):
    """Two taps with small weights that repeat with every input pixel."""

    @inline
    def pixels(first, weights, line, dst, begin, end):
        for pixel in range(begin, end):
            place, w = first[pixel], 1 + 2 * pixel
            dst[pixel] = _narrow(line[place], line[place + 1], weights[w], weights[w + 1], weights[0])

    @inline
    def one_row(params, line, dst, table):
        first, weights = as_int64(table, params[ROW.first]), as_int32(table, params[ROW.weights])
        begin, end = params[ROW.regular_from], params[ROW.regular_to]
        pixels(first, weights, line, dst, 0, begin)
        bits, out = weights[0], at(dst, begin)
        for k in range((end - begin) // factor):
            for phase in range(factor):
                w = 1 + 2 * (begin + phase)
                place = first[begin + phase] + k
                out[k * factor + phase] = _narrow(line[place], line[place + 1], weights[w], weights[w + 1], bits)
        pixels(first, weights, line, dst, end, params[ROW.outputs])

    return row_by_row(one_row)
