"""Max unpooling: indices are judged first, then every plane is either written in order or cleared and scattered into.

``params``: planes; values per plane; positions of the result's plane; rows and pixels of the input's plane; pixels of
the result's rows; items per pixel, whose planes then count as one; whether a plane can be *in order*, and whether it
then goes past the caches. In order is a plane whose every index lies in its own window of two by two; *anywhere* one
whose indices are all positions; *wrong* any other.
"""

from __future__ import annotations

import numpy as np

from fastup.cpu.simd.moves import clear, copy_item, flush, publish, row_buffer
from fastup.cpu.simd.pointers import pointer_to
from fastup.cpu.simd.vectors import load, splat, store, vector, woven
from fastup.runtime.fields import Fields
from fastup.runtime.kernel import inline, intrinsic, kernel

P = Fields("total values positions rows width wide items doubled far")
TABLE = Fields("indices known")  # addresses; what is known of each plane:
IN_ORDER, ANYWHERE, WRONG = range(3)
LANES = 16
INTEGERS = ("uint8", "uint16", "uint32", "uint64")


@kernel("int64", "int64", elements=("int64",))
def judge():
    """What each plane's indices are."""

    def body(params, indices, known, start, stop):
        width, wide, positions = params[P.width], params[P.wide], params[P.positions]
        for plane in range(start, stop):
            begin = plane * params[P.values] * params[P.items]
            outside, apart = np.int64(0), np.int64(params[P.doubled] == 0)
            if params[P.doubled] != 0:
                for row in range(params[P.rows]):
                    for pixel in range(width):
                        distance = indices[begin + row * width + pixel] - 2 * (row * wide + pixel)
                        own = (distance == 0) | (distance == 1) | (distance == wide) | (distance == wide + 1)
                        apart |= np.int64(own) ^ 1
            if apart:  # an index in its own window is a position
                for k in range(begin, begin + params[P.values] * params[P.items]):
                    outside |= np.int64((indices[k] < 0) | (indices[k] >= positions))
            known[plane] = WRONG if outside else ANYWHERE if apart else IN_ORDER

    return body


@intrinsic
def _block(_, src, indices, at, wide, first, upper, above, lower, below):
    """`two_rows` of `LANES` values: where their positions lie is compared in 32 bits, four times as many at once."""
    from llvmlite import ir
    from numba import types

    def generate(context, builder, _signature, arguments):
        src, indices, at, wide, first, upper, above, lower, below = arguments
        kind, long, word = context.get_value_type(item), ir.IntType(64), ir.IntType(32)
        values = load(builder, builder.gep(src, [at]), kind, LANES)
        positions = load(builder, builder.gep(indices, [at]), long, LANES)
        steps = ir.Constant(vector(word, LANES), [2 * lane for lane in range(LANES)])
        begin = splat(builder, builder.trunc(first, word), LANES)
        apart = builder.sub(builder.trunc(positions, begin.type), builder.add(begin, steps))
        zero = ir.Constant(values.type, None)

        def kept(distance):
            wanted = splat(builder, builder.trunc(distance, word), LANES)
            return builder.select(builder.icmp_signed("==", apart, wanted), values, zero)

        for target, place, distance in ((upper, above, long(0)), (lower, below, wide)):
            pair = [kept(distance), kept(builder.add(distance, long(1)))]
            store(builder, woven(builder, pair), builder.gep(target, [place]))
        return context.get_dummy_value()

    item, n = src.dtype, types.intp
    return types.void(src, indices, n, n, n, upper, n, lower, n), generate


@inline
def two_rows(src, indices, at, width, wide, first, upper, above, lower, below):
    """The two rows of the result that a row of values in order makes."""
    if width >= LANES:
        for k in range(0, width, LANES):
            pixel = min(k, width - LANES)  # the last block lies over the one before
            begin, line = first + 2 * pixel, 2 * pixel
            _block(src, indices, at + pixel, wide, begin, upper, above + line, lower, below + line)
        return
    zero = src[0] ^ src[0]
    for pixel in range(width):
        value, distance = src[at + pixel], indices[at + pixel] - first - 2 * pixel
        upper[above + 2 * pixel] = value if distance == 0 else zero
        upper[above + 2 * pixel + 1] = value if distance == 1 else zero
        lower[below + 2 * pixel] = value if distance == wide else zero
        lower[below + 2 * pixel + 1] = value if distance == wide + 1 else zero


@inline
def in_order(params, src, dst, indices, plane):
    """A plane written once, row by row."""
    width, wide = params[P.width], params[P.wide]
    for row in range(params[P.rows]):
        at, target = plane * params[P.values] + row * width, plane * params[P.positions] + 2 * row * wide
        two_rows(src, indices, at, width, wide, 2 * row * wide, dst, target, dst, target + wide)


@inline
def in_order_far(params, src, dst, indices, plane):
    """The same past the caches."""
    width, wide = params[P.width], params[P.wide]
    lines = row_buffer(dst)
    for row in range(params[P.rows]):
        at, target = plane * params[P.values] + row * width, plane * params[P.positions] + 2 * row * wide
        two_rows(src, indices, at, width, wide, 2 * row * wide, lines, 0, lines, wide)
        flush(lines, 2 * wide, dst, target)


def unpooled(parts):
    """The body over planes, by what their indices are; an item has `parts` words, and one word can be in order."""

    def body(params, src, dst, table, start, stop):
        indices, known = pointer_to(table, TABLE.indices, table), pointer_to(table, TABLE.known, table)
        items = params[P.items]
        for plane in range(start, stop):
            if parts == 1 and known[plane] == IN_ORDER:
                if params[P.far]:
                    in_order_far(params, src, dst, indices, plane)
                else:
                    in_order(params, src, dst, indices, plane)
            else:
                begin, target = plane * params[P.values] * items, plane * params[P.positions] * items
                clear(dst, target * parts, (target + params[P.positions] * items) * parts)
                for k in range(params[P.values]):
                    for item in range(items):
                        at = begin + k * items + item
                        place = target + indices[at] * items + item
                        for part in range(parts):
                            copy_item(src, at * parts + part, dst, place * parts + part)
        publish()

    return body


@kernel("element", "element", "int64", elements=INTEGERS)
def unpool():
    """Every plane of the result."""
    return unpooled(1)


@kernel("element", "element", "int64", elements=INTEGERS[-1:])
def unpool_wide():
    """The same for items of 16 bytes."""
    return unpooled(2)
