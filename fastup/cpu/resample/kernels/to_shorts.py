"""Stages that put rows together and write integers of 16 bits at once: no row of floats on the way.

A sum is rounded by adding a number whose step is 1, half to even; the lower 16 bits of what that gives are the integer.
float64 is rounded to a grid of 2**-30 before, as `store` does. ``params`` are those of `vertical`.
"""

from __future__ import annotations

from fastup.cpu.resample.kernels.vertical import FLOATS, P
from fastup.cpu.simd import vectors
from fastup.cpu.simd.moves import items_to_alignment
from fastup.runtime.kernel import inline, intrinsic, kernel

LANES = 32  # items of a block: 64 bytes of the result
_GRID, _WHOLE = 1.5 * 2.0**22, {"float32": 1.5 * 2.0**23, "float64": 1.5 * 2.0**52}
_SPAN = 65535.0


def _rows_sum(taps, lanes, store=vectors.store):
    """A helper ``(params, base, dst, weights, k)`` for `lanes` items of all rows, from item k on."""

    @intrinsic
    def block(_, params, base, dst, weights, k):
        from llvmlite import ir
        from numba import types

        def generate(context, builder, _signature, arguments):
            params, base, dst, weights, k = arguments
            long, byte = ir.IntType(64), ir.IntType(8).as_pointer()
            kind = context.get_value_type(element)

            def row(tap):
                distance = builder.load(builder.gep(params, [builder.add(tap, long(P.size))]))
                begin = builder.bitcast(builder.gep(builder.bitcast(base, byte), [distance]), base.type)
                return vectors.load(builder, builder.gep(begin, [k]), kind, lanes)

            def weight(tap):
                return vectors.splat(builder, builder.load(builder.gep(weights, [tap])), lanes)

            def step(number, totals):
                tap = builder.add(number, long(1))
                return [vectors.fma(builder, row(tap), weight(tap), totals[0])]

            if taps:
                total = vectors.weighted(builder, taps, lambda n: row(long(n)), lambda n: weight(long(n)))
            else:
                first = builder.fmul(row(long(0)), weight(long(0)))
                last = builder.sub(builder.load(builder.gep(params, [long(P.rows)])), long(1))
                (total,) = vectors.repeated(builder, last, [first], step)
            if taps != 2:  # weights below 0 overshoot
                least = builder.sitofp(builder.load(builder.gep(params, [long(P.lowest)])), kind)
                total = _clamped(builder, total, least)
            store(builder, _rounded(builder, total, str(element)), builder.gep(dst, [k]))
            return context.get_dummy_value()

        element = base.dtype
        return types.void(params, base, dst, weights, types.intp), generate

    return block


def _clamped(builder, total, least):
    """Between the least integer and the largest."""
    lanes = total.type.count
    low = vectors.splat(builder, least, lanes)
    high = vectors.splat(builder, builder.fadd(least, least.type(_SPAN)), lanes)
    total = builder.select(builder.fcmp_ordered("<", total, low), low, total)
    return builder.select(builder.fcmp_ordered(">", total, high), high, total)


def _rounded(builder, total, element):
    """As 16 bits."""
    from llvmlite import ir

    lanes = total.type.count

    def number(value):
        return ir.Constant(total.type, [value] * lanes)

    if element == "float64":
        total = builder.fsub(builder.fadd(total, number(_GRID)), number(_GRID))
    bits = builder.bitcast(
        builder.fadd(total, number(_WHOLE[element])),
        vectors.vector(ir.IntType(64 if element == "float64" else 32), lanes),
    )
    return builder.trunc(bits, vectors.vector(ir.IntType(16), lanes))


@kernel("element", "uint16", "element", elements=FLOATS, taps=(2, 4, 0))
def blend(taps):
    """Rows times weights; 0 stands for any number in sequence."""
    block, far_block, one = _rows_sum(taps, LANES), _rows_sum(taps, LANES, vectors.stream), _rows_sum(taps, 1)

    @inline
    def far_rows(params, base, dst, weights):
        count = params[P.items]
        head = min(count, items_to_alignment(dst, 0))
        whole = head + (count - head) // LANES * LANES
        for k in range(head):
            one(params, base, dst, weights, k)
        for k in range(head, whole, LANES):
            far_block(params, base, dst, weights, k)
        for k in range(whole, count):
            one(params, base, dst, weights, k)

    def body(params, base, dst, weights, start, stop):
        count = params[P.items]
        if params[P.far] != 0:
            far_rows(params, base, dst, weights)
        elif count < LANES:
            for k in range(count):
                one(params, base, dst, weights, k)
        else:
            for k in range(0, count - LANES + 1, LANES):
                block(params, base, dst, weights, k)
            if count % LANES:
                block(params, base, dst, weights, count - LANES)

    return body
