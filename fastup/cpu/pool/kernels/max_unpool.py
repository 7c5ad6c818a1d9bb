"""Max unpooling: indices are judged first, then every plane is either written in order or cleared and scattered into.

``params``: 0 planes; 1 values per plane; 2 positions of the result's plane; 3, 4 rows and pixels of the input's plane;
5 pixels of the result's rows; 6 items per pixel, whose planes then count as one; 7 whether a plane can be *in order*.
It is that (0) where every index lies in its own window of two by two, *anywhere* (1) where all are positions, *wrong*
(2) otherwise.
"""

from __future__ import annotations

import numpy as np

from fastup.cpu.simd.moves import clear, copy_item, flush, publish, row_buffer
from fastup.cpu.simd.pointers import pointer_to
from fastup.runtime.kernel import inline, kernel

IN_ORDER, ANYWHERE, WRONG = range(3)
INTEGERS = ("uint8", "uint16", "uint32", "uint64")


@kernel("int64", "int64", elements=("int64",))
def judge():
    """What each plane's indices are."""

    def body(params, indices, found, start, stop):
        width, wide, positions = params[4], params[5], params[2]
        for plane in range(start, stop):
            begin = plane * params[1] * params[6]
            outside, apart = np.int64(0), np.int64(params[7] == 0)
            if params[7] != 0:
                for row in range(params[3]):
                    for pixel in range(width):
                        distance = indices[begin + row * width + pixel] - 2 * (row * wide + pixel)
                        own = (distance == 0) | (distance == 1) | (distance == wide) | (distance == wide + 1)
                        apart |= np.int64(own) ^ 1
            if apart:  # an index in its own window is a position
                for k in range(begin, begin + params[1] * params[6]):
                    outside |= np.int64((indices[k] < 0) | (indices[k] >= positions))
            found[plane] = 2 if outside else 1 if apart else 0

    return body


@inline
def two_rows(src, indices, at, width, wide, first, upper, above, lower, below):
    """The two rows of the result that a row of values in order makes."""
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
    width, wide = params[4], params[5]
    for row in range(params[3]):
        at, target = plane * params[1] + row * width, plane * params[2] + 2 * row * wide
        two_rows(src, indices, at, width, wide, 2 * row * wide, dst, target, dst, target + wide)


@inline
def in_order_far(params, src, dst, indices, plane):
    """The same past the caches."""
    width, wide = params[4], params[5]
    lines = row_buffer(dst)
    for row in range(params[3]):
        at, target = plane * params[1] + row * width, plane * params[2] + 2 * row * wide
        two_rows(src, indices, at, width, wide, 2 * row * wide, lines, 0, lines, wide)
        flush(lines, 2 * wide, dst, target)


def unpooled(ordered, parts):
    """The body over planes, by what their indices are; an item has `parts` words, and one word can be in order."""

    def body(params, src, dst, table, start, stop):
        indices, found = pointer_to(table, 0, table), pointer_to(table, 1, table)
        items = params[6]
        for plane in range(start, stop):
            if parts == 1 and found[plane] == 0:
                ordered(params, src, dst, indices, plane)
            else:
                begin, target = plane * params[1] * items, plane * params[2] * items
                clear(dst, target * parts, (target + params[2] * items) * parts)
                for k in range(params[1]):
                    for item in range(items):
                        at = begin + k * items + item
                        place = target + indices[at] * items + item
                        for part in range(parts):
                            copy_item(src, at * parts + part, dst, place * parts + part)
        publish()

    return body


@kernel("element", "element", "int64", elements=INTEGERS, far=(0, 1))
def unpool(far):
    """Every plane of the result."""
    return unpooled(in_order_far if far else in_order, 1)


@kernel("element", "element", "int64", elements=INTEGERS[-1:])
def unpool_wide():
    """The same for items of 16 bytes."""
    return unpooled(in_order, 2)
