"""Weighted sums of neighbours that LLVM would gather: whole vectors are loaded and permuted in registers.

A block of `LANES` outputs reads, per tap, items from one short stretch of the row. The stretch is loaded as one vector
(or as two), and a permutation that the table holds brings each item to its lane: one load and one permutation where a
gather would be eight loads.
"""

from __future__ import annotations

from fastup.cpu.simd.vectors import call, fma, in_order, load, moved, repeated, store, vector
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


def permuted_sum(taps, pair, rows=1, adds=False):
    """A helper ``(line, line_step, begin, apart, block, dst, target_step, index, count)`` for `LANES` outputs of rows.

    So many `rows` lie `line_step` bytes from each other, and their results `target_step`. The items of tap k lie within
    `LANES` (with `pair`: twice as many) items of ``line[begin + k * apart]``. `block` points to the places of the lanes
    (int32) and to the weights, tap by tap. `taps` is 2, 4, or 0 for `count`, summed in sequence; there a weight of 0
    stands for a tap that is not read. With `adds` the sums begin with what `dst` holds.
    """

    @intrinsic
    def block_sum(_, line, line_step, begin, apart, block, dst, target_step, index, count):
        from llvmlite import ir
        from numba import types

        def generate(context, builder, _signature, arguments):
            line, line_step, begin, apart, block, dst, target_step, index, count = arguments
            floats, word = ir.FloatType(), ir.IntType(64)
            places = load(builder, block, ir.IntType(32), LANES)
            beyond = builder.icmp_unsigned(">", places, ir.Constant(vector(ir.IntType(32), LANES), [LANES - 1] * LANES))
            lines = [moved(builder, line, number, line_step) for number in range(rows)]
            targets = [builder.gep(moved(builder, dst, number, target_step), [index]) for number in range(rows)]

            def values(tap):
                return [value(one, builder.add(begin, builder.mul(tap, apart))) for one in lines]

            def value(line, place):
                at = builder.gep(line, [place])
                near = _permute(builder, load(builder, at, floats, LANES), places)
                if not pair:
                    return near
                far = load(builder, builder.gep(at, [word(LANES)]), floats, LANES)
                return builder.select(beyond, _permute(builder, far, places), near)

            def weight(tap):
                distance = builder.add(word(BLOCK_HEAD), builder.mul(tap, word(4 * LANES)))
                return load(builder, builder.gep(block, [distance]), floats, LANES)

            def added(tap, totals, whole):
                by = weight(tap)
                sums = [fma(builder, one, by, total) for one, total in zip(values(tap), totals, strict=True)]
                if whole:
                    return sums
                read = builder.fcmp_unordered("une", by, ir.Constant(vector(floats, LANES), [0.0] * LANES))
                return [builder.select(read, one, total) for one, total in zip(sums, totals, strict=True)]

            if adds:
                totals = [load(builder, target, floats, LANES) for target in targets]
                totals = repeated(builder, count, totals, lambda tap, sums: added(tap, sums, False))
            else:
                first, *rest = in_order(taps) if taps else [0]
                by = weight(word(first))
                totals = [builder.fmul(one, by) for one in values(word(first))]
                for tap in rest:
                    totals = added(word(tap), totals, True)
                if not taps:
                    more, one = builder.sub(count, word(1)), word(1)
                    totals = repeated(builder, more, totals, lambda k, sums: added(builder.add(k, one), sums, False))
            for total, target in zip(totals, targets, strict=True):
                store(builder, total, target)
            return context.get_dummy_value()

        long = types.intp
        return types.void(line, long, long, long, block, dst, long, long, long), generate

    return block_sum
