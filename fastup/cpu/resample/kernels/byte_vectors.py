"""LLVM IR for weighted sums of bytes: two taps at a time, by the multiply-and-add of neighbouring 16-bit numbers.

A *piece* is 16 bytes of a row, out of which one permutation brings both taps of four outputs to eight 16-bit numbers.
A vector holds one piece (SSE4.2, NEON), two (AVX2) or four (AVX-512), each from its own place in the row.
"""

from __future__ import annotations

from fastup.cpu.resample.kernels.vertical import P
from fastup.cpu.simd.byte_lanes import (
    PIECE,
    clamped,
    integers,
    joined,
    pair_sums,
    permuted,
    pieces,
    saturated,
    width,
)
from fastup.cpu.simd.vectors import lane_numbers, load, moved, repeated, splat, store, vector
from fastup.runtime.kernel import intrinsic

CELL = 4  # outputs of a piece
VECTORS = 2  # of a block of `rows_sum`: eight sums in flight hide what a pair's rows and weights cost to find
LOW_BITS = 11  # of a weight of two words, in its lower one: 22 bits and a sign are 12 and 11, both signed


def _half(builder, bits, lanes):
    """Half a unit of the result in every lane."""
    word = integers()[2]
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
    short = vector(integers()[1], upper_row.type.count // 2)
    both = [_woven(builder, upper_row, lower_row, half) for half in (0, 1)]
    return [builder.bitcast(_woven(builder, pairs, zero, half), short) for pairs in both for half in (0, 1)]


def whole_sums(builder, sums):
    """Sums of all words of the weights: of one, or of the upper and of the lower ones.

    The parts may overflow 32 bits where the whole does not.
    """
    if len(sums) == 1:
        return sums[0]
    upper, lower = sums
    lanes = upper.type.count
    return builder.add(builder.shl(upper, splat(builder, integers()[2](LOW_BITS), lanes)), lower)


def rows_sum(size, vectors, words):
    """A helper ``(params, base, dst, weights, k, pairs)`` that blends so many vectors of bytes of each row, from k on.

    `weights` are the bits, then pairs of 16-bit weights; pairs of upper and pairs of lower words where they have two.
    """

    @intrinsic
    def block(_, params, base, dst, weights, k, pairs):
        from numba import types

        def generate(context, builder, _signature, arguments):
            from llvmlite import ir

            params, base, dst, weights, k, pairs = arguments
            byte, short, _, long = integers()
            bits = builder.load(weights)

            def row(tap):
                distance = builder.load(builder.gep(params, [builder.add(tap, long(P.size))]))
                begin = builder.gep(base, [builder.add(distance, k)])
                return [load(builder, builder.gep(begin, [long(size * n)]), byte, size) for n in range(vectors)]

            def weight(pair, word):
                place = builder.add(builder.mul(pair, long(words)), long(1 + word))
                both = splat(builder, builder.load(builder.gep(weights, [place])), size // 4)
                return builder.bitcast(both, vector(short, size // 2))

            def step(pair, sums):
                tap = builder.mul(pair, long(2))
                by = [weight(pair, word) for word in range(words)]
                rows = zip(row(tap), row(builder.add(tap, long(1))), strict=True)
                numbers = [part for two in rows for part in _pairs_of(builder, *two)]
                products = [pair_sums(builder, n, one) for n in numbers for one in by]
                return [builder.add(s, product) for s, product in zip(sums, products, strict=True)]

            half = _half(builder, bits, size // 4)
            begins = [*[ir.Constant(half.type, None)] * (words - 1), half]
            sums = repeated(builder, pairs, begins * (4 * vectors), step)
            sums = [whole_sums(builder, sums[n : n + words]) for n in range(0, len(sums), words)]
            for n in range(vectors):
                found = saturated(builder, sums[4 * n : 4 * n + 4], bits)
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


def pieces_sum(orders, pixel, groups, rows, words, as_floats=False):
    """A helper ``(line, line_step, places, apart, block, dst, target_step, index, count, bits)``.

    It makes the outputs of one vector of pieces, for so many `rows`, which lie `line_step` bytes from each other and
    their results `target_step`. `places` are where the pieces begin in a row for the first group of taps; those of the
    next one lie `apart` bytes further. `block` points to the permutations, one for each pair of taps that a lane takes
    out of a piece (`orders`), and then to the weights, group by group, and word by word of an order's. `groups` is
    their number, or 0 for `count`. A piece makes four neighbouring outputs, or the items of one `pixel`. With
    `as_floats` the sums themselves are the result, in float32, `index` counts floats, and `bits` are not used.
    """

    @intrinsic
    def block_sum(_, line, line_step, places, apart, block, dst, target_step, index, count, bits):
        from llvmlite import ir
        from numba import types

        def generate(context, builder, _signature, arguments):
            line, line_step, places, apart, block, dst, target_step, index, count, bits = arguments
            byte, short, word, long = integers()
            size = width()
            bits = builder.trunc(bits, word)
            places = [builder.load(builder.gep(places, [long(n)])) for n in range(pieces())]
            lines = [moved(builder, line, number, line_step) for number in range(rows)]
            begins = [[builder.gep(one, [builder.sext(place, long)]) for place in places] for one in lines]
            taken = [load(builder, builder.gep(block, [long(n * size)]), byte, size) for n in range(orders)]
            weights = builder.gep(block, [long(orders * size)])

            def step(group, sums):
                further = builder.mul(group, apart)
                begin = builder.gep(weights, [builder.mul(group, long(orders * words * size))])
                places = [builder.gep(begin, [long(number * size)]) for number in range(orders * words)]
                by = [builder.bitcast(load(builder, place, byte, size), vector(short, size // 2)) for place in places]
                parts = [sums[n : n + words] for n in range(0, len(sums), words)]
                return [s for row, of in zip(begins, parts, strict=True) for s in with_group(row, further, by, of)]

            def with_group(row, further, by, sums):
                read = joined(builder, [load(builder, builder.gep(b, [further]), byte, PIECE) for b in row])
                for number, order in enumerate(taken):
                    weights = by[number * words : (number + 1) * words]
                    pairs = builder.bitcast(permuted(builder, read, order), weights[0].type)
                    products = [pair_sums(builder, pairs, weight) for weight in weights]
                    sums = [builder.add(s, product) for s, product in zip(sums, products, strict=True)]
                return sums

            half = _half(builder, bits, size // 4)
            nothing = ir.Constant(half.type, None)
            begin = half if parts_of(pixel) == 1 and not as_floats else nothing
            sums = [*[nothing] * (words - 1), begin] * rows
            if groups:
                for group in range(groups):
                    sums = step(long(group), sums)
            else:
                sums = repeated(builder, count, sums, step)
            for number in range(rows):
                total = whole_sums(builder, sums[number * words : (number + 1) * words])
                target = moved(builder, dst, number, target_step)
                if as_floats:
                    found = _floats_of(builder, total, pixel)
                    store(builder, found, builder.gep(target, [builder.mul(index, long(4))]))
                    continue
                store(builder, _pixels_of(builder, total, half, bits, pixel), builder.gep(target, [index]))
            return context.get_dummy_value()

        numbers = types.intp
        kinds = (line, numbers, places, numbers, block, dst, numbers, numbers, numbers, numbers)
        return types.void(*kinds), generate

    return block_sum


def _pixels_of(builder, total, half, bits, pixel):
    """The bytes of a vector's sums, without the lanes to spare."""
    byte = integers()[0]
    lanes = total.type.count
    if parts_of(pixel) > 1:
        total = builder.add(_of_parts(builder, total, pixel), half)
    found = clamped(builder, builder.ashr(total, splat(builder, bits, lanes)), vector(byte, lanes))
    if not pixel:
        return found
    kept = [CELL * piece + item for piece in range(pieces()) for item in range(pixel)]
    return builder.shuffle_vector(found, found, lane_numbers(kept))


def _floats_of(builder, total, pixel):
    """A vector's sums as float32, without the lanes to spare."""
    from llvmlite import ir

    if parts_of(pixel) > 1:
        total = _of_parts(builder, total, pixel)
    found = builder.sitofp(total, vector(ir.FloatType(), total.type.count))
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


def long_pixel_sum(words):
    """A helper ``(line, apart, weights, dst, pairs, bits)`` for eight neighbouring items of a pixel.

    Their taps lie `apart` items from each other.
    """

    @intrinsic
    def eight_items(_, line, apart, weights, dst, pairs, bits):
        from llvmlite import ir
        from numba import types

        def generate(context, builder, _signature, arguments):
            line, apart, weights, dst, pairs, bits = arguments
            byte, short, word, long = integers()
            lanes = PIECE // 2
            bits = builder.trunc(bits, word)
            mask = lane_numbers([place for lane in range(lanes) for place in (lane, lanes + lane)])

            def weight(pair, number):
                place = builder.add(builder.mul(pair, long(2 * words)), long(2 * number))
                both = builder.bitcast(load(builder, builder.gep(weights, [place]), short, 2), word)
                return builder.bitcast(splat(builder, both, lanes), vector(short, PIECE))

            def step(pair, sums):
                begin = builder.gep(line, [builder.mul(builder.mul(pair, long(2)), apart)])
                near, far = (load(builder, one, byte, lanes) for one in (begin, builder.gep(begin, [apart])))
                numbers = builder.zext(builder.shuffle_vector(near, far, mask), vector(short, PIECE))
                products = [pair_sums(builder, numbers, weight(pair, number)) for number in range(words)]
                return [builder.add(s, product) for s, product in zip(sums, products, strict=True)]

            half = _half(builder, bits, lanes)
            sums = repeated(builder, pairs, [*[ir.Constant(half.type, None)] * (words - 1), half], step)
            shifted = builder.ashr(whole_sums(builder, sums), splat(builder, bits, lanes))
            store(builder, clamped(builder, shifted, vector(byte, lanes)), dst)
            return context.get_dummy_value()

        return types.void(line, types.intp, weights, dst, types.intp, types.intp), generate

    return eight_items
