"""Stages of two taps as ``a + (b - a) * weight``, whose roundings are others than those of two products.

Weights are pairs, of which the second one counts. `fused`: the product is not rounded.
"""

from __future__ import annotations

from fastup.cpu.resample.kernels.horizontal import P as ROW
from fastup.cpu.resample.kernels.horizontal import row_by_row
from fastup.cpu.resample.kernels.short_pixels import FOUR
from fastup.cpu.resample.kernels.vertical import FLOATS, P
from fastup.cpu.simd import vectors
from fastup.cpu.simd.moves import load_item
from fastup.cpu.simd.pointers import as_int64, at, fma, view
from fastup.runtime.kernel import inline, intrinsic, kernel


def between(fused):
    """A helper ``(a, b, weight)``."""

    @inline
    def rounded_once(a, b, weight):
        return fma(b - a, weight, a)

    @inline
    def rounded_twice(a, b, weight):
        return a + (b - a) * weight

    return rounded_once if fused else rounded_twice


def four_items(fused):
    """A helper ``(line, begin, apart, weight, dst, target)`` for four neighbouring items of a pixel and of the next."""

    @intrinsic
    def pixel(_, line, begin, apart, weight, dst, target):
        from numba import types

        def generate(context, builder, _signature, arguments):
            line, begin, apart, weight, dst, target = arguments
            kind = context.get_value_type(element)
            first = builder.gep(line, [begin])
            a = vectors.load(builder, first, kind, FOUR)
            b = vectors.load(builder, builder.gep(first, [apart]), kind, FOUR)
            by, apart = vectors.splat(builder, weight, FOUR), builder.fsub(b, a)
            made = vectors.fma(builder, apart, by, a) if fused else builder.fadd(a, builder.fmul(apart, by))
            vectors.store(builder, made, builder.gep(dst, [target]))
            return context.get_dummy_value()

        element, n = dst.dtype, types.intp
        return types.void(line, n, n, weight, dst, n), generate

    return pixel


@kernel("element", "element", "element", elements=FLOATS, fused=(0, 1))
def blend(fused):
    """Two rows."""
    lerp = between(fused)

    def body(params, base, dst, weights, start, stop):
        a, b, weight = at(base, params[P.size]), at(base, params[P.size + 1]), weights[1]
        for k in range(params[P.items]):
            dst[k] = lerp(a[k], b[k], weight)

    return body


@kernel("element", "element", "uint8", "int64", elements=FLOATS, fused=(0, 1))
def by_table(fused):
    """Two pixels of a row."""
    lerp, four = between(fused), four_items(fused)

    @inline
    def one_row(params, line, dst, table):
        first, weights = as_int64(table, params[ROW.first]), view(table, params[ROW.weights], dst)
        items = params[ROW.items]
        for pixel in range(params[ROW.outputs]):
            begin, weight = load_item(first, pixel) * items, weights[2 * pixel + 1]
            if items == FOUR or (items == FOUR - 1 and pixel + 1 < params[ROW.outputs]):
                four(line, begin, items, weight, dst, pixel * items)  # the next pixel overwrites a fourth item
                continue
            for item in range(items):
                dst[pixel * items + item] = lerp(line[begin + item], line[begin + items + item], weight)

    return row_by_row(one_row)
