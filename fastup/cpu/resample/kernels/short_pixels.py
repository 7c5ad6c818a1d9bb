"""Weighted sums of pixels with three or four items, which one vector holds."""

from __future__ import annotations

from fastup.cpu.simd import vectors
from fastup.runtime.kernel import intrinsic

FOUR = 4  # items of a vector that is a pixel


def four_items(taps, in_steps):
    """A helper ``(line, begin, apart, weights, w, count, dst, target)`` for four neighbouring items of a pixel."""
    add = vectors.plus if in_steps else vectors.fma

    @intrinsic
    def pixel(_, line, begin, apart, weights, w, count, dst, target):
        from llvmlite import ir
        from numba import types

        def generate(context, builder, _signature, arguments):
            line, begin, apart, weights, w, count, dst, target = arguments
            kind, long = context.get_value_type(element), ir.IntType(64)

            def value(tap):
                place = builder.add(begin, builder.mul(tap, apart))
                return vectors.load(builder, builder.gep(line, [place]), kind, FOUR)

            def weight(tap):
                return builder.load(builder.gep(weights, [builder.add(w, tap)]))

            def step(number, totals):
                tap = builder.add(number, long(1))
                by = weight(tap)
                read = builder.fcmp_ordered("ord", by, by)
                if not in_steps:
                    read = builder.fcmp_unordered("une", by, ir.Constant(kind, 0.0))
                total = add(builder, value(tap), vectors.splat(builder, by, FOUR), totals[0])
                return [builder.select(read, total, totals[0])]

            if taps:
                total = vectors.weighted(
                    builder, taps, lambda n: value(long(n)), lambda n: vectors.splat(builder, weight(long(n)), FOUR)
                )
            else:
                first = builder.fmul(value(long(0)), vectors.splat(builder, weight(long(0)), FOUR))
                (total,) = vectors.repeated(builder, builder.sub(count, long(1)), [first], step)
            vectors.store(builder, total, builder.gep(dst, [target]))
            return context.get_dummy_value()

        element, n = dst.dtype, types.intp
        return types.void(line, n, n, weights, n, n, dst, n), generate

    return pixel
