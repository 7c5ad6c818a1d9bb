"""Stages of torch's uint8 arithmetic: 16-bit weights, 32-bit sums, rounded to uint8 after each axis.

``clamp((2**(bits - 1) + sum_k weight[k] * x[k]) >> bits, 0, 255)``. Taps go in pairs, as the processor's
multiply-and-add of 16-bit neighbours has them; an odd last tap is paired with weight 0. Without that instruction
the same sums are plain loops of 32-bit integers.

Two taps whose weights are small multiples of a power of two, as whole factors of 2 have them, need 16 bits only: those
are the *narrow* stages: bilinear x2 of a 1080p picture takes 1.75 times less.

``params`` are those of `vertical` and of `horizontal`. The weights of rows, and of pixels by table, are one int32 that
holds the bits, then the int32 weights; those of blocks are int16 in pairs.
"""

from __future__ import annotations

from fastup.cpu.resample.kernels.byte_vectors import BLOCK, BLOCK_HEAD, clamped, permuted_pairs, rows_sum
from fastup.cpu.resample.kernels.horizontal import P as ROW
from fastup.cpu.resample.kernels.vertical import P as ROWS
from fastup.cpu.simd.pointers import as_int32, as_int64, at
from fastup.cpu.simd.vectors import call, load, repeated, vector
from fastup.runtime.kernel import inline, intrinsic, kernel, target_has

SUMMED = 8  # taps of a block


@intrinsic
def _weigh(_, total, byte, weight):
    """The sum total + byte * weight in 32 bits."""
    from llvmlite import ir

    def generate(_context, builder, _signature, arguments):
        total, byte, weight = arguments
        wide = builder.zext(byte, ir.IntType(32))
        return builder.add(total, builder.mul(wide, weight))

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


@kernel("uint8", "uint8", "int32", elements=("uint8",), taps=(2, 4, 0))
def blend(taps):
    """Rows of bytes times weights."""
    block = rows_sum(taps)
    vectors = target_has("avx2")

    @inline
    def blended_byte(params, base, weights, k):
        total = _half(weights[0])
        for row in range(params[ROWS.rows]):
            total = _weigh(total, at(base, params[ROWS.size + row])[k], weights[1 + row])
        return _byte(total, weights[0])

    def body(params, base, dst, weights, start, stop):
        count, pairs = params[ROWS.items], (params[ROWS.rows] + 1) // 2
        begin = 0
        if vectors:
            begin = count // 16 * 16
            for k in range(0, begin, 16):
                block(params, base, dst, weights, k, pairs)
        for k in range(begin, count):
            dst[k] = blended_byte(params, base, weights, k)

    return body


@intrinsic
def _weigh_blocks(_, total, line, begin, weights, first, blocks):
    """The sum of `total` and of so many times `SUMMED` neighbouring bytes times weights, in 32 bits."""
    from llvmlite import ir
    from numba import types

    def generate(_context, builder, _signature, arguments):
        total, line, begin, weights, first, blocks = arguments
        long, word = ir.IntType(64), ir.IntType(32)

        def step(number, sums):
            k = builder.mul(number, long(SUMMED))
            items = load(builder, builder.gep(line, [builder.add(begin, k)]), ir.IntType(8), SUMMED)
            by = load(builder, builder.gep(weights, [builder.add(first, k)]), word, SUMMED)
            return [builder.add(sums[0], builder.mul(builder.zext(items, by.type), by))]

        (sums,) = repeated(builder, blocks, [ir.Constant(vector(word, SUMMED), None)], step)
        return builder.add(total, call(builder, f"llvm.vector.reduce.add.v{SUMMED}i32", word, [sums]))

    return total(total, line, types.intp, weights, types.intp, types.intp), generate


@kernel("uint8", "uint8", "uint8", elements=("uint8",))
def by_table():
    """Any ratio, any pixel: one sum after the other; rows of weights have zeros up to a whole block."""

    def body(params, line, dst, table, start, stop):
        first, weights = as_int64(table, params[ROW.first]), as_int32(table, params[ROW.weights])
        items, taps = params[ROW.items], params[ROW.taps]
        bits, blocks = weights[0], (taps + SUMMED - 1) // SUMMED
        for pixel in range(params[ROW.outputs]):
            begin, w = first[pixel] * items, 1 + pixel * blocks * SUMMED
            if items == 1:
                dst[pixel] = _byte(_weigh_blocks(_half(bits), line, begin, weights, w, blocks), bits)
            else:
                for item in range(items):
                    total = _half(bits)
                    for k in range(taps):
                        total = _weigh(total, line[begin + k * items + item], weights[w + k])
                    dst[pixel * items + item] = _byte(total, bits)

    return body


@kernel("uint8", "uint8", "uint8", elements=("uint8",), taps=(2, 4, 0))
def by_permutation(taps):
    """Any ratio of short pixels: both taps of eight outputs are brought together by one permutation."""
    block_sum = permuted_pairs(taps)

    def body(params, line, dst, table, start, stop):
        places, blocks = as_int64(table, params[ROW.places]), at(table, params[ROW.blocks])
        items, pairs = params[ROW.items], (params[ROW.taps] + 1) // 2
        total = params[ROW.outputs] * items
        size = BLOCK_HEAD + 4 * BLOCK * pairs
        for block in range((total + BLOCK - 1) // BLOCK):
            index = min(block * BLOCK, total - BLOCK)
            block_sum(line, places[block], 2 * items, at(blocks, block * size), dst, index, pairs, params[ROW.bits])

    return body


@kernel("uint8", "uint8", "int32", elements=("uint8",))
def blend_narrow():
    """Two rows of bytes times small weights."""

    def body(params, base, dst, weights, start, stop):
        a, b = at(base, params[ROWS.size]), at(base, params[ROWS.size + 1])
        bits, wa, wb = weights[0], weights[1], weights[2]
        for k in range(params[ROWS.items]):
            dst[k] = _narrow(a[k], b[k], wa, wb, bits)

    return body


@kernel("uint8", "uint8", "uint8", elements=("uint8",), factor=(2, 4))
def regular_narrow(factor):
    """Two taps with small weights that repeat with every input pixel."""

    @inline
    def pixels(first, weights, line, dst, begin, end):
        for pixel in range(begin, end):
            place, w = first[pixel], 1 + 2 * pixel
            dst[pixel] = _narrow(line[place], line[place + 1], weights[w], weights[w + 1], weights[0])

    def body(params, line, dst, table, start, stop):
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

    return body
