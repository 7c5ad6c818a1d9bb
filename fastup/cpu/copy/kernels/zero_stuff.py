"""Rows of zeros with items of the input among them.

``params``: 0 output rows; 1, 2 rows per slice and slices per plane of the result; 3, 4 pixels of its rows and items per
pixel; 5..7 slices, rows and pixels of the input; 8..10 strides and 11..13 paddings along slices, rows and pixels; 14
planes per image; 15..19 items from image to image, plane to plane, slice to slice, row to row and pixel to pixel of the
input. The items of a pixel lie one after the other.
"""

from __future__ import annotations

from fastup.cpu.simd.moves import clear, copy_item
from fastup.runtime.kernel import inline, kernel

INTEGERS = ("uint8", "uint16", "uint32", "uint64")


@inline
def source_of(position, padding, stride, extent):
    """The input position that stands at this one; -1 for a zero."""
    inside = position - padding
    if inside < 0 or inside % stride != 0 or inside // stride >= extent:
        return -1
    return inside // stride


@kernel("element", "element", elements=INTEGERS)
def zero_stuff():
    """One output row after the other."""

    def body(params, src, dst, start, stop):
        width, items = params[3], params[4]
        for row in range(start, stop):
            above = row // params[1]
            plane = above // params[2]
            image = plane // params[14]
            line = row * width * items
            clear(dst, line, line + width * items)
            at_slice = source_of(above - plane * params[2], params[11], params[8], params[5])
            at_row = source_of(row - above * params[1], params[12], params[9], params[6])
            if at_slice >= 0 and at_row >= 0:
                begin = image * params[15] + (plane - image * params[14]) * params[16]
                begin += at_slice * params[17] + at_row * params[18]
                for pixel in range(params[7]):
                    place = line + (params[13] + pixel * params[10]) * items
                    for item in range(items):
                        copy_item(src, begin + pixel * params[19] + item, dst, place + item)

    return body
