"""Rows of zeros with items of the input among them.

``params``: output rows; slices, rows and pixels of the result; items per pixel; slices, rows and pixels of the input;
strides and paddings along them; planes per image; items from image to image, plane to plane, slice to slice, row to row
and pixel to pixel of the input. The items of a pixel lie one after the other.
"""

from __future__ import annotations

from fastup.cpu.simd.moves import clear, copy_item
from fastup.runtime.fields import Fields
from fastup.runtime.kernel import inline, kernel

P = Fields(
    "total outputs items extent stride padding planes image plane source",
    **dict.fromkeys(("outputs", "extent", "stride", "padding", "source"), 3),
)
SLICES, ROWS, PIXELS = range(3)  # of three numbers along the axes
INTEGERS = ("uint8", "uint16", "uint32", "uint64")


@inline
def source_at(params, axis, position):
    """The input position that stands at this one; -1 for a zero."""
    inside, stride = position - params[P.padding + axis], params[P.stride + axis]
    if inside < 0 or inside % stride != 0 or inside // stride >= params[P.extent + axis]:
        return -1
    return inside // stride


@kernel("element", "element", elements=INTEGERS)
def zero_stuff():
    """One output row after the other."""

    def body(params, src, dst, start, stop):
        width, items = params[P.outputs + PIXELS], params[P.items]
        for row in range(start, stop):
            above = row // params[P.outputs + ROWS]
            plane = above // params[P.outputs + SLICES]
            image = plane // params[P.planes]
            line = row * width * items
            clear(dst, line, line + width * items)
            at_slice = source_at(params, SLICES, above - plane * params[P.outputs + SLICES])
            at_row = source_at(params, ROWS, row - above * params[P.outputs + ROWS])
            if at_slice >= 0 and at_row >= 0:
                begin = image * params[P.image] + (plane - image * params[P.planes]) * params[P.plane]
                begin += at_slice * params[P.source + SLICES] + at_row * params[P.source + ROWS]
                for pixel in range(params[P.extent + PIXELS]):
                    place = line + (params[P.padding + PIXELS] + pixel * params[P.stride + PIXELS]) * items
                    for item in range(items):
                        copy_item(src, begin + pixel * params[P.source + PIXELS] + item, dst, place + item)

    return body
