"""Cells of two by two pixels, the most frequent ones: rows of their means, without a gather or a sum that waits.

A function of a row takes ``(params, a, b, c, d, dst, start, stop)``: where the four pixels of the first cell begin, and
which cells are made. Gathers of AVX-512 take 4 cycles an item on Zen 4; vectors of one pixel take 1.
"""

from __future__ import annotations

import numpy as np

from fastup.cpu.simd import vectors
from fastup.cpu.simd.pointers import SEEN_AS
from fastup.runtime.fields import Fields
from fastup.runtime.kernel import inline, intrinsic

P = Fields("total rows cells items down across lead paired picture row")
PIXELS = (1, 3, 4)  # items of pixels whose loops are unrolled
LANES = 4


def four_lanes(total, adds):
    """A helper ``(a, b, c, d, k, dst, place)`` for four items of float32: a mean of them, or a sum to what is there."""

    @intrinsic
    def four(_, a, b, c, d, k, dst, place):
        from llvmlite import ir
        from numba import types

        def generate(context, builder, _signature, arguments):
            *sources, k, dst, place = arguments
            kind, target = ir.FloatType(), builder.gep(dst, [place])
            a, b, c, d = (vectors.load(builder, builder.gep(source, [k]), kind, LANES) for source in sources)
            made = total(builder.fadd, a, b, c, d)
            if adds:
                made = builder.fadd(vectors.load(builder, target, kind, LANES), made)
            else:
                made = builder.fmul(made, vectors.splat(builder, ir.Constant(kind, 0.25), LANES))
            vectors.store(builder, made, target)
            return context.get_dummy_value()

        return types.void(a, b, c, d, types.intp, dst, types.intp), generate

    return four


def by_items(made):
    """A function of a row for any pixels out of those that ``made(items)`` gives; 0 stands for any number."""
    one, three, four, any_number = (made(pixel) for pixel in (*PIXELS, 0))

    @inline
    def run(params, a, b, c, d, dst, start, stop):
        items = params[P.items]
        if items == 1:
            one(params, a, b, c, d, dst, start, stop)
        elif items == 3:
            three(params, a, b, c, d, dst, start, stop)
        elif items == 4:
            four(params, a, b, c, d, dst, start, stop)
        else:
            any_number(params, a, b, c, d, dst, start, stop)

    return run


def halved(mean, others):
    """Cells of two by two pixels of two rows. Two pointers: of four LLVM does not see that they interleave."""

    def made(pixel):
        if pixel in others:
            return others[pixel]

        @inline
        def run(params, a, _b, c, _d, dst, start, stop):
            each = pixel if pixel else params[P.items]
            for cell in range(start, stop):
                for item in range(each):
                    k = 2 * cell * each + item
                    dst[cell * each + item] = mean(a[k], a[k + each], c[k], c[k + each])

        return run

    return by_items(made)


def pixels_halved(total):
    """Pixels of four items of float32."""
    four = four_lanes(total, False)

    @inline
    def run(_params, a, b, c, d, dst, start, stop):
        for cell in range(start, stop):
            four(a, b, c, d, 2 * LANES * cell, dst, LANES * cell)

    return run


def neighbours_halved(word, size):
    """Pixels of one integer of `size` bits: two of them are a word."""
    seen, convert, bits, two = SEEN_AS[word], np.dtype(word).type, np.int32(size), np.int32(2)
    mask = np.int32((1 << size) - 1)

    @inline
    def run(_params, a, _b, c, _d, dst, start, stop):
        above, below = seen(a, 0), seen(c, 0)
        for cell in range(start, stop):
            p, q = above[cell], below[cell]
            total = np.int32(p & convert(mask)) + np.int32(p >> convert(bits))
            total += np.int32(q & convert(mask)) + np.int32(q >> convert(bits))
            dst[cell] = (total + two) >> two

    return run


def quads_of_bytes_halved():
    """Pixels of four bytes: two of them are a word, every second byte of which is added beside an empty one."""
    low, twos = np.uint64(0x00FF00FF00FF00FF), np.uint64(0x0002000200020002)
    two, eight, half = np.uint64(2), np.uint64(8), np.uint64(32)
    as_words, as_pixels = SEEN_AS["uint64"], SEEN_AS["uint32"]

    @inline
    def mean(p, q):
        total = (p & low) + (q & low)
        return ((total + (total >> half) + twos) >> two) & low

    @inline
    def run(_params, a, _b, c, _d, dst, start, stop):
        above, below, made = as_words(a, 0), as_words(c, 0), as_pixels(dst, 0)
        for cell in range(start, stop):
            p, q = above[cell], below[cell]
            made[cell] = mean(p, q) | (mean(p >> eight, q >> eight) << eight)

    return run
