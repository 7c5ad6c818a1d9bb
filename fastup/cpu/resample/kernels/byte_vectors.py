"""LLVM IR for weighted sums of bytes: two taps at a time, by the multiply-and-add of neighbouring 16-bit numbers.

A *piece* is 16 bytes of a row, out of which one permutation brings both taps of four outputs to eight 16-bit numbers.
A vector holds one piece (SSE4.2, NEON), two (AVX2) or four (AVX-512), each from its own place in the row.
"""

from __future__ import annotations

from fastup.cpu.resample.kernels.vertical import P
from fastup.cpu.simd.vectors import call, lane_numbers, load, moved, repeated, splat, store, vector
from fastup.runtime.kernel import intrinsic, target_has

PIECE = 16  # bytes
CELL = 4  # outputs of a piece
VECTORS = 2  # of a block of `rows_sum`: eight sums in flight hide what a pair's rows and weights cost to find
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


def _types():
    from llvmlite import ir

    return ir.IntType(8), ir.IntType(16), ir.IntType(32), ir.IntType(64)


def _x86(builder, which, size, result, arguments):
    return call(builder, f"llvm.x86.{_X86[size][which]}", result, arguments)


def pair_sums(builder, numbers, weights):
    """Neighbouring 16-bit numbers times weights, added in pairs to 32 bits."""
    word = _types()[2]
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


def _permuted(builder, bytes_, places):
    """Each lane of 16 bytes by places within itself; a place from 128 on gives 0."""
    size = bytes_.type.count
    if target_has("neon"):
        return call(builder, "llvm.aarch64.neon.tbl1.v16i8", bytes_.type, [bytes_, places])
    return _x86(builder, _PERMUTE, size, bytes_.type, [bytes_, places])


def _joined(builder, vectors):
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


def _half(builder, bits, lanes):
    """Half a unit of the result in every lane."""
    word = _types()[2]
    return splat(builder, builder.shl(word(1), builder.sub(bits, word(1))), lanes)


def _woven(builder, left, right, upper):
    """The lower or the upper halves of each lane of 16 items, item by item."""
    size = left.type.count
    half = PIECE // 2
    taken = [lane + half * upper + k for lane in range(0, size, PIECE) for k in range(half)]
    return builder.shuffle_vector(left, right, lane_numbers([place for k in taken for place in (k, size + k)]))


def _pairs_of(builder, upper_row, lower_row):
    """The bytes of two rows as pairs of 16-bit numbers: four vectors."""
    from llvmlite import ir

    zero = ir.Constant(upper_row.type, None)
    short = vector(_types()[1], upper_row.type.count // 2)
    both = [_woven(builder, upper_row, lower_row, half) for half in (0, 1)]
    return [builder.bitcast(_woven(builder, pairs, zero, half), short) for pairs in both for half in (0, 1)]


def _saturated(builder, sums, bits):
    """Four vectors of sums, in the order of `_pairs_of`, as one vector of bytes."""
    byte, short = _types()[:2]
    size = 4 * sums[0].type.count
    shifted = [builder.ashr(total, splat(builder, bits, size // 4)) for total in sums]
    if target_has("neon"):
        return clamped(builder, _joined(builder, shifted), vector(byte, size))
    halves = [_x86(builder, _TO_16, size, vector(short, size // 2), pair) for pair in (shifted[:2], shifted[2:])]
    return _x86(builder, _TO_8, size, vector(byte, size), halves)


def rows_sum(size, vectors):
    """A helper ``(params, base, dst, weights, k, pairs)`` that blends so many vectors of bytes of each row, from k on.

    `weights` are the bits, then pairs of 16-bit weights.
    """

    @intrinsic
    def block(_, params, base, dst, weights, k, pairs):
        from numba import types

        def generate(context, builder, _signature, arguments):
            params, base, dst, weights, k, pairs = arguments
            byte, short, _, long = _types()
            bits = builder.load(weights)

            def row(tap):
                distance = builder.load(builder.gep(params, [builder.add(tap, long(P.size))]))
                begin = builder.gep(base, [builder.add(distance, k)])
                return [load(builder, builder.gep(begin, [long(size * n)]), byte, size) for n in range(vectors)]

            def step(pair, sums):
                tap = builder.mul(pair, long(2))
                weight = builder.load(builder.gep(weights, [builder.add(pair, long(1))]))
                by = builder.bitcast(splat(builder, weight, size // 4), vector(short, size // 2))
                rows = zip(row(tap), row(builder.add(tap, long(1))), strict=True)
                numbers = [part for two in rows for part in _pairs_of(builder, *two)]
                return [builder.add(s, pair_sums(builder, n, by)) for s, n in zip(sums, numbers, strict=True)]

            sums = repeated(builder, pairs, [_half(builder, bits, size // 4)] * (4 * vectors), step)
            for n in range(vectors):
                found = _saturated(builder, sums[4 * n : 4 * n + 4], bits)
                store(builder, found, builder.gep(dst, [builder.add(k, long(size * n))]))
            return context.get_dummy_value()

        return types.void(params, base, dst, weights, types.intp, types.intp), generate

    return block


def parts_of(pixel: int) -> int:
    """Lanes of a piece that share the taps of one item: a pixel of fewer than four items leaves some."""
    return CELL // pixel if pixel else 1


def taps_of(orders: int, pixel: int) -> int:
    """Taps of an item that one piece gives."""
    return 2 * orders * parts_of(pixel)


def pieces_sum(orders, pixel, groups, rows):
    """A helper ``(line, line_step, places, apart, block, dst, target_step, index, count, bits)``.

    It makes the outputs of one vector of pieces, for so many `rows`, which lie `line_step` bytes from each other and
    their results `target_step`. `places` are where the pieces begin in a row for the first group of taps; those of the
    next one lie `apart` bytes further. `block` points to the permutations, one for each pair of taps that a lane takes
    out of a piece (`orders`), and then to the weights, group by group. `groups` is their number, or 0 for `count`. A
    piece makes four neighbouring outputs, or the items of one `pixel`.
    """

    @intrinsic
    def block_sum(_, line, line_step, places, apart, block, dst, target_step, index, count, bits):
        from llvmlite import ir
        from numba import types

        def generate(context, builder, _signature, arguments):
            line, line_step, places, apart, block, dst, target_step, index, count, bits = arguments
            byte, short, word, long = _types()
            size = width()
            bits = builder.trunc(bits, word)
            places = [builder.load(builder.gep(places, [long(n)])) for n in range(pieces())]
            lines = [moved(builder, line, number, line_step) for number in range(rows)]
            begins = [[builder.gep(one, [builder.sext(place, long)]) for place in places] for one in lines]
            taken = [load(builder, builder.gep(block, [long(n * size)]), byte, size) for n in range(orders)]
            weights = builder.gep(block, [long(orders * size)])

            def step(group, sums):
                further = builder.mul(group, apart)
                begin = builder.gep(weights, [builder.mul(group, long(orders * size))])
                places = [builder.gep(begin, [long(number * size)]) for number in range(orders)]
                by = [builder.bitcast(load(builder, place, byte, size), vector(short, size // 2)) for place in places]
                return [with_group(row, further, by, total) for row, total in zip(begins, sums, strict=True)]

            def with_group(row, further, by, total):
                read = _joined(builder, [load(builder, builder.gep(b, [further]), byte, PIECE) for b in row])
                for order, weight in zip(taken, by, strict=True):
                    pairs = builder.bitcast(_permuted(builder, read, order), weight.type)
                    total = builder.add(total, pair_sums(builder, pairs, weight))
                return total

            half = _half(builder, bits, size // 4)
            sums = [half if parts_of(pixel) == 1 else ir.Constant(half.type, None)] * rows
            if groups:
                for group in range(groups):
                    sums = step(long(group), sums)
            else:
                sums = repeated(builder, count, sums, step)
            for number, total in enumerate(sums):
                found = _pixels_of(builder, total, half, bits, pixel)
                store(builder, found, builder.gep(moved(builder, dst, number, target_step), [index]))
            return context.get_dummy_value()

        numbers = types.intp
        kinds = (line, numbers, places, numbers, block, dst, numbers, numbers, numbers, numbers)
        return types.void(*kinds), generate

    return block_sum


def _pixels_of(builder, total, half, bits, pixel):
    """The bytes of a vector's sums, without the lanes to spare."""
    byte = _types()[0]
    lanes = total.type.count
    if parts_of(pixel) > 1:
        total = builder.add(_of_parts(builder, total, pixel), half)
    found = clamped(builder, builder.ashr(total, splat(builder, bits, lanes)), vector(byte, lanes))
    if not pixel:
        return found
    kept = [CELL * piece + item for piece in range(pieces()) for item in range(pixel)]
    return builder.shuffle_vector(found, found, lane_numbers(kept))


def _of_parts(builder, sums, pixel):
    """The sums of every piece's parts, in its first lanes."""
    lanes, apart = sums.type.count, CELL // 2
    while apart >= pixel:
        moved = lane_numbers([(lane + apart) % lanes for lane in range(lanes)])
        sums = builder.add(sums, builder.shuffle_vector(sums, sums, moved))
        apart //= 2
    return sums


@intrinsic
def long_pixel_sum(_, line, apart, weights, dst, pairs, bits):
    """Eight neighbouring items of a pixel: their taps lie `apart` items from each other."""
    from numba import types

    def generate(context, builder, _signature, arguments):
        line, apart, weights, dst, pairs, bits = arguments
        byte, short, word, long = _types()
        lanes = PIECE // 2
        bits = builder.trunc(bits, word)
        mask = lane_numbers([place for lane in range(lanes) for place in (lane, lanes + lane)])

        def step(pair, sums):
            tap = builder.mul(pair, long(2))
            begin = builder.gep(line, [builder.mul(tap, apart)])
            near, far = (load(builder, one, byte, lanes) for one in (begin, builder.gep(begin, [apart])))
            numbers = builder.zext(builder.shuffle_vector(near, far, mask), vector(short, PIECE))
            both = builder.bitcast(load(builder, builder.gep(weights, [tap]), short, 2), word)
            by = builder.bitcast(splat(builder, both, lanes), numbers.type)
            return [builder.add(sums[0], pair_sums(builder, numbers, by))]

        (total,) = repeated(builder, pairs, [_half(builder, bits, lanes)], step)
        store(builder, clamped(builder, builder.ashr(total, splat(builder, bits, lanes)), vector(byte, lanes)), dst)
        return context.get_dummy_value()

    return types.void(line, types.intp, weights, dst, types.intp, types.intp), generate
