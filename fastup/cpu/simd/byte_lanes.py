"""LLVM IR for lanes of 16 bytes: permute, multiply and add in pairs, saturate.

A vector holds one lane (SSE4.2, NEON), two (AVX2) or four (AVX-512).
"""

from __future__ import annotations

from fastup.cpu.simd.vectors import call, lane_numbers, splat, vector
from fastup.runtime.kernel import target_has

PIECE = 16  # bytes of a lane
_X86 = {  # bytes of a vector: multiply and add, permute, saturate to 16 and to 8 bits
    64: ("avx512.pmaddw.d.512", "avx512.pshuf.b.512", "avx512.packssdw.512", "avx512.packuswb.512"),
    32: ("avx2.pmadd.wd", "avx2.pshuf.b", "avx2.packssdw", "avx2.packuswb"),
    16: ("sse2.pmadd.wd", "ssse3.pshuf.b.128", "sse2.packssdw.128", "sse2.packuswb.128"),
}
_MULTIPLY, _PERMUTE, _TO_16, _TO_8 = range(4)


def width() -> int:
    """Bytes of the vectors that bytes are summed in; 0 where the processor cannot permute bytes."""
    sizes = {"avx512bw": 64, "avx2": 32, "ssse3": 16, "neon": 16}
    return next((size for feature, size in sizes.items() if target_has(feature)), 0)


def pieces() -> int:
    """Pieces of a vector."""
    return width() // PIECE


def integers():
    """LLVM's integers of 8, 16, 32 and 64 bits."""
    from llvmlite import ir

    return ir.IntType(8), ir.IntType(16), ir.IntType(32), ir.IntType(64)


def _x86(builder, which, size, result, arguments):
    return call(builder, f"llvm.x86.{_X86[size][which]}", result, arguments)


def pair_sums(builder, numbers, weights):
    """Neighbouring 16-bit numbers times weights, added in pairs to 32 bits."""
    word = integers()[2]
    lanes = numbers.type.count
    if 2 * lanes > width():
        parts = []
        for half in (range(lanes // 2), range(lanes // 2, lanes)):
            mask = lane_numbers(half)
            parts.append(pair_sums(builder, *(builder.shuffle_vector(v, v, mask) for v in (numbers, weights))))
        return builder.shuffle_vector(*parts, lane_numbers(range(lanes // 2)))
    if not target_has("neon"):
        return _x86(builder, _MULTIPLY, 2 * lanes, vector(word, lanes // 2), [numbers, weights])
    wide = vector(word, lanes)
    products = builder.mul(builder.sext(numbers, wide), builder.sext(weights, wide))
    even, odd = (builder.shuffle_vector(products, products, lane_numbers(range(at, lanes, 2))) for at in (0, 1))
    return builder.add(even, odd)


def permuted(builder, bytes_, places):
    """Each lane of 16 bytes by places within itself; a place from 128 on gives 0."""
    size = bytes_.type.count
    if target_has("neon"):
        return call(builder, "llvm.aarch64.neon.tbl1.v16i8", bytes_.type, [bytes_, places])
    return _x86(builder, _PERMUTE, size, bytes_.type, [bytes_, places])


def joined(builder, vectors):
    """Vectors one after the other, as one."""
    while len(vectors) > 1:
        lanes = vectors[0].type.count
        mask = lane_numbers(range(2 * lanes))
        vectors = [builder.shuffle_vector(*pair, mask) for pair in zip(vectors[::2], vectors[1::2], strict=True)]
    return vectors[0]


def clamped(builder, total, byte_kind):
    """Signed sums as bytes, saturated."""
    from llvmlite import ir

    lanes = total.type.count if isinstance(total.type, ir.VectorType) else 0
    zero, top = (ir.Constant(total.type, [bound] * lanes if lanes else bound) for bound in (0, 255))
    low = builder.select(builder.icmp_signed("<", total, zero), zero, total)
    high = builder.select(builder.icmp_signed(">", low, top), top, low)
    return builder.trunc(high, byte_kind)


def saturated(builder, sums, bits):
    """Four vectors of sums, in the order of `_pairs_of`, as one vector of bytes."""
    byte, short = integers()[:2]
    size = 4 * sums[0].type.count
    shifted = [builder.ashr(total, splat(builder, bits, size // 4)) for total in sums]
    if target_has("neon"):
        return clamped(builder, joined(builder, shifted), vector(byte, size))
    halves = [_x86(builder, _TO_16, size, vector(short, size // 2), pair) for pair in (shifted[:2], shifted[2:])]
    return _x86(builder, _TO_8, size, vector(byte, size), halves)
