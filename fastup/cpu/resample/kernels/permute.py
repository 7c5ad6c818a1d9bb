"""Weighted sums of neighbours that LLVM would gather: whole vectors are loaded and permuted in registers.

A block of `LANES` outputs reads, per tap, items from one short stretch of the row. The stretch is loaded as one vector
(or as two), and a permutation that the table holds brings each item to its lane: one load and one permutation where a
gather would be eight loads.
"""

from __future__ import annotations

from fastup.cpu.simd.vectors import call, fma, in_order, load, store, vector
from fastup.runtime.kernel import intrinsic, target_has

LANES = 8  # of float32: one AVX register
BLOCK_HEAD = 4 * LANES  # bytes of a block's permutation, before its weights


def _permute(builder, values, places):
    """Lane i takes the value at place i, of which the last three bits count."""
    from llvmlite import ir

    if target_has("avx2"):
        return call(builder, "llvm.x86.avx2.permps", values.type, [values, places])
    result = ir.Constant(vector(ir.FloatType(), LANES), ir.Undefined)
    for lane in range(LANES):
        number = ir.Constant(ir.IntType(32), lane)
        place = builder.and_(builder.extract_element(places, number), ir.Constant(ir.IntType(32), LANES - 1))
        result = builder.insert_element(result, builder.extract_element(values, place), number)
    return result


def permuted_sum(taps, pair, adds=False):
    """A helper ``(line, begin, apart, block, dst, index, count)`` that computes one block of `LANES` outputs.

    The items of tap k lie within `LANES` (with `pair`: twice as many) items of ``line[begin + k * apart]``. `block`
    points to the places of the lanes (int32) and to the weights, tap by tap. `taps` is 2, 4, or 0 for `count`, summed
    in sequence; there a weight of 0 stands for a tap that is not read. With `adds` the sums begin with what `dst`
    holds.
    """

    @intrinsic
    def block_sum(_, line, begin, apart, block, dst, index, count):
        from llvmlite import ir
        from numba import types
        from numba.core import cgutils

        def generate(context, builder, _signature, arguments):
            line, begin, apart, block, dst, index, count = arguments
            floats, word = ir.FloatType(), ir.IntType(64)
            places = load(builder, block, ir.IntType(32), LANES)
            beyond = builder.icmp_unsigned(">", places, ir.Constant(vector(ir.IntType(32), LANES), [LANES - 1] * LANES))

            def value(tap):
                at = builder.gep(line, [builder.add(begin, builder.mul(tap, apart))])
                near = _permute(builder, load(builder, at, floats, LANES), places)
                if not pair:
                    return near
                far = load(builder, builder.gep(at, [word(LANES)]), floats, LANES)
                return builder.select(beyond, _permute(builder, far, places), near)

            def weight(tap):
                distance = builder.add(word(BLOCK_HEAD), builder.mul(tap, word(4 * LANES)))
                return load(builder, builder.gep(block, [distance]), floats, LANES)

            if taps:
                order = in_order(taps)
                total = builder.fmul(value(word(order[0])), weight(word(order[0])))
                for tap in order[1:]:
                    total = fma(builder, value(word(tap)), weight(word(tap)), total)
            else:
                total = builder.fmul(value(word(0)), weight(word(0)))
                if adds:
                    total = load(builder, builder.gep(dst, [index]), floats, LANES)
                kept = cgutils.alloca_once_value(builder, total)
                zero = ir.Constant(vector(floats, LANES), [0.0] * LANES)
                with cgutils.for_range_slice(builder, word(0 if adds else 1), count, word(1)) as (tap, _):
                    by, before = weight(tap), builder.load(kept)
                    added = fma(builder, value(tap), by, before)
                    builder.store(builder.select(builder.fcmp_unordered("une", by, zero), added, before), kept)
                total = builder.load(kept)
            store(builder, total, builder.gep(dst, [index]))
            return context.get_dummy_value()

        kinds = (line, types.intp, types.intp, block, dst, types.intp, types.intp)
        return types.void(*kinds), generate

    return block_sum
