"""LLVM IR for sums of bytes in vectors: pairs of taps through the processor's multiply-and-add of 16-bit neighbours."""

from __future__ import annotations

from fastup.cpu.resample.kernels.vertical import P
from fastup.cpu.simd.vectors import call, lane_numbers, load, splat, store
from fastup.runtime.kernel import intrinsic

BLOCK = 8  # outputs of a permutation: their two taps fill one register of 16 bytes
BLOCK_HEAD = 16  # bytes of a block's permutation, before its weights


def clamped(builder, total, byte_kind):
    """Signed sums as bytes, saturated."""
    from llvmlite import ir

    lanes = total.type.count if isinstance(total.type, ir.VectorType) else 0
    zero, top = (ir.Constant(total.type, [bound] * lanes if lanes else bound) for bound in (0, 255))
    low = builder.select(builder.icmp_signed("<", total, zero), zero, total)
    high = builder.select(builder.icmp_signed(">", low, top), top, low)
    return builder.trunc(high, byte_kind)


def _pair_sums(builder, pairs, weights):
    """16 bytes in pairs times 16 weights of 16 bits: eight sums of 32 bits."""
    from llvmlite import ir

    wide = builder.zext(pairs, ir.VectorType(ir.IntType(16), 16))
    return call(builder, "llvm.x86.avx2.pmadd.wd", ir.VectorType(ir.IntType(32), BLOCK), [wide, weights])


def _word(number):
    from llvmlite import ir

    return ir.Constant(ir.IntType(32), number)


def _rounded(builder, sums, bits):
    """Sums that began with half a unit, as eight bytes."""
    from llvmlite import ir

    shifted = builder.ashr(sums, splat(builder, bits, BLOCK))
    return clamped(builder, shifted, ir.VectorType(ir.IntType(8), BLOCK))


def _summed(builder, begin, pairs, add):
    """`begin` with every pair added: ``add(sums, pair)`` unrolled for a constant number, else in a loop."""
    from llvmlite import ir
    from numba.core import cgutils

    if isinstance(pairs, int):
        for pair in range(pairs):
            begin = add(begin, ir.Constant(ir.IntType(64), pair))
        return begin
    kept = [cgutils.alloca_once_value(builder, one) for one in begin]
    with cgutils.for_range(builder, pairs) as loop:
        for place, one in zip(kept, add([builder.load(place) for place in kept], loop.index), strict=True):
            builder.store(one, place)
    return [builder.load(place) for place in kept]


def rows_sum(taps):
    """A helper ``(params, base, dst, weights, k, pairs)`` that blends 16 bytes of each row."""

    @intrinsic
    def block(_, params, base, dst, weights, k, pairs):
        from llvmlite import ir
        from numba import types

        def generate(context, builder, _signature, arguments):
            params, base, dst, weights, k, pairs = arguments
            long = ir.IntType(64)
            one, two = ir.Constant(long, 1), ir.Constant(long, 2)
            bits = builder.load(weights)
            last = builder.sub(builder.load(builder.gep(params, [ir.Constant(long, P.rows)])), one)

            def row(tap):
                number = builder.select(builder.icmp_signed("<", tap, last), tap, last)
                distance = builder.load(builder.gep(params, [builder.add(number, ir.Constant(long, P.size))]))
                return load(builder, builder.gep(base, [builder.add(distance, k)]), ir.IntType(8), 16)

            def add(sums, pair):
                tap = builder.mul(pair, two)
                upper, lower = row(tap), row(builder.add(tap, one))
                low, high = (builder.load(builder.gep(weights, [builder.add(tap, n)])) for n in (one, two))
                both = builder.or_(builder.and_(low, _word(0xFFFF)), builder.shl(high, _word(16)))
                repeated = builder.bitcast(splat(builder, both, BLOCK), ir.VectorType(ir.IntType(16), 16))
                found = []
                for half, total in enumerate(sums):
                    mask = [place for n in range(8) for place in (8 * half + n, 16 + 8 * half + n)]
                    woven = builder.shuffle_vector(upper, lower, lane_numbers(mask))
                    found.append(builder.add(total, _pair_sums(builder, woven, repeated)))
                return found

            half = splat(builder, builder.shl(_word(1), builder.sub(bits, _word(1))), BLOCK)
            sums = _summed(builder, [half, half], taps // 2 if taps else pairs, add)
            parts = [_rounded(builder, one, bits) for one in sums]
            store(builder, builder.shuffle_vector(*parts, lane_numbers(range(16))), builder.gep(dst, [k]))
            return context.get_dummy_value()

        return types.void(params, base, dst, weights, types.intp, types.intp), generate

    return block


def permuted_pairs(taps):
    """A helper ``(line, begin, apart, block, dst, index, pairs, bits)`` that computes eight bytes of a row.

    `block` points to the 16 places of the first pair of taps and to the weights, eight pairs of int16 for each pair of
    taps; the pairs lie `apart` bytes from each other.
    """

    @intrinsic
    def block_sum(_, line, begin, apart, block, dst, index, pairs, bits):
        from llvmlite import ir
        from numba import types

        def generate(context, builder, _signature, arguments):
            line, begin, apart, block, dst, index, pairs, bits = arguments
            long, bytes_ = ir.IntType(64), ir.VectorType(ir.IntType(8), 16)
            places = load(builder, block, ir.IntType(8), 16)
            bits = builder.trunc(bits, ir.IntType(32))

            def add(sums, pair):
                source = builder.gep(line, [builder.add(begin, builder.mul(pair, apart))])
                near = load(builder, source, ir.IntType(8), 16)
                chosen = call(builder, "llvm.x86.ssse3.pshuf.b.128", bytes_, [near, places])
                distance = builder.add(ir.Constant(long, BLOCK_HEAD), builder.mul(pair, ir.Constant(long, 32)))
                weights = load(builder, builder.gep(block, [distance]), ir.IntType(8), 32)
                weights = builder.bitcast(weights, ir.VectorType(ir.IntType(16), 16))
                return [builder.add(sums[0], _pair_sums(builder, chosen, weights))]

            half = splat(builder, builder.shl(_word(1), builder.sub(bits, _word(1))), BLOCK)
            (total,) = _summed(builder, [half], (taps + 1) // 2 if taps else pairs, add)
            store(builder, _rounded(builder, total, bits), builder.gep(dst, [index]))
            return context.get_dummy_value()

        kinds = (line, types.intp, types.intp, block, dst, types.intp, types.intp, types.intp)
        return types.void(*kinds), generate

    return block_sum
