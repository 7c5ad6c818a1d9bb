"""Max pooling: a row of the result starts as the lowest value there is, then every tap is compared with it.

Windows of two by two, side by side, are compared at once and written once: a row that is read back for each of four
taps took 1.2 (float64) to 5 times (uint8) longer.

``params``: 0 output rows; 1, 2 rows per slice and slices per plane of the result; 3 its pixels per row; 4 planes per
image; 5..9 items from image to image, plane to plane, slice to slice, row to row and pixel to pixel of the input;
10..12 its slices, rows and pixels; 13..15 kernel, 16..18 stride, 19..21 padding and 22..24 dilation, each along slices,
rows and pixels; 25 items per pixel, one after the other. A value wins where it is larger, or no number: the first of
equals stands, the last NaN does. Indices count the positions of the unpadded plane, and start as that of the first tap.
"""

from __future__ import annotations

import numpy as np

from fastup.cpu.simd.convert import reader
from fastup.cpu.simd.moves import load_item
from fastup.runtime.kernel import inline, intrinsic, kernel

SLICES, ROWS, PIXELS = 0, 1, 2  # of three numbers along the axes
EXTENT, KERNEL, STRIDE, PADDING, DILATION, ITEMS = 10, 13, 16, 19, 22, 25
COMMON = ("float32", "float64", "uint8")
OTHERS = ("int8", "uint16", "int16", "uint32", "int32", "uint64", "int64")
HALVES = ("float16", "bfloat16")  # compared as floats


@inline
def first_tap(params, axis, begin):
    """The first tap of a window that begins at `begin`, maybe in the padding."""
    if begin >= 0:
        return 0
    return (params[DILATION + axis] - 1 - begin) // params[DILATION + axis]


@inline
def end_of_taps(params, axis, begin):
    """One past the last tap inside of a window that begins at `begin`; a kernel may be far larger than its input."""
    return min(params[KERNEL + axis], (params[EXTENT + axis] - 1 - begin) // params[DILATION + axis] + 1)


def window_row(read, lowest, indices, step):
    """Helpers for one output row: start it, and compare one tap with it.

    `step` is the distance of neighbouring windows in items where that is a constant (1, 2), or 0.
    """
    # Every second item is gathered where indices are wanted (1.0 ms, single moves 3.3 on Zen 4), else moved (0.6, 0.9).
    in_vectors = step == 1 or (step == 2 and indices)

    @inline
    def distance(params):
        return step if step else params[STRIDE + PIXELS] * params[9]

    @inline
    def start(params, dst, places, row, base):
        for pixel in range(params[3]):
            begin = pixel * params[STRIDE + PIXELS] - params[PADDING + PIXELS]
            position = begin + first_tap(params, PIXELS, begin) * params[DILATION + PIXELS]
            for item in range(params[ITEMS]):
                at = row + pixel * params[ITEMS] + item
                dst[at] = lowest(dst)
                if indices:
                    places[at] = base + position

    @inline
    def better(dst, places, at, value, index):
        best = dst[at]
        wins = read(value) > read(best) or read(value) != read(value)
        dst[at] = value if wins else best
        if indices:
            places[at] = index if wins else places[at]

    @inline
    def compare(params, src, dst, places, row, line, base, tap):
        shift = tap * params[DILATION + PIXELS] - params[PADDING + PIXELS]
        stride = params[STRIDE + PIXELS]
        begin = max(0, (stride - 1 - shift) // stride)
        end = min(params[3], (params[EXTENT + PIXELS] - 1 - shift) // stride + 1)
        if params[ITEMS] == 1:
            apart = distance(params)
            origin = line + shift * params[9]
            for pixel in range(begin, end):
                source, index = origin + pixel * apart, base + shift + pixel * stride
                better(dst, places, row + pixel, src[source] if in_vectors else load_item(src, source), index)
        else:
            for pixel in range(begin, end):
                position = pixel * stride + shift
                for item in range(params[ITEMS]):
                    at = row + pixel * params[ITEMS] + item
                    better(dst, places, at, src[line + position * params[9] + item], base + position)

    return start, compare


def pooled(read, lowest, indices, step):
    """The body over output rows; ``read(item)`` is what is compared, ``lowest(dst)`` what a window starts as."""
    start, compare = window_row(read, lowest, indices, step)

    def body(params, src, dst, places, begin, stop):
        length = params[3] * params[ITEMS]
        # Taps before this one lie in the padding of the last window, and so of all.
        first_pixel = first_tap(params, PIXELS, (params[3] - 1) * params[STRIDE + PIXELS] - params[PADDING + PIXELS])
        for number in range(begin, stop):
            above = number // params[1]
            plane = above // params[2]
            image = plane // params[4]
            origin = image * params[5] + (plane - image * params[4]) * params[6]
            top_slice = (above - plane * params[2]) * params[STRIDE + SLICES] - params[PADDING + SLICES]
            top_row = (number - above * params[1]) * params[STRIDE + ROWS] - params[PADDING + ROWS]
            first_slice, first_row = first_tap(params, SLICES, top_slice), first_tap(params, ROWS, top_row)
            base = (top_slice + first_slice * params[DILATION + SLICES]) * params[EXTENT + ROWS]
            base += top_row + first_row * params[DILATION + ROWS]
            start(params, dst, places, number * length, base * params[EXTENT + PIXELS])
            for a in range(first_slice, end_of_taps(params, SLICES, top_slice)):
                at_slice = top_slice + a * params[DILATION + SLICES]
                for b in range(first_row, end_of_taps(params, ROWS, top_row)):
                    at_row = top_row + b * params[DILATION + ROWS]
                    line = origin + at_slice * params[7] + at_row * params[8]
                    base = (at_slice * params[EXTENT + ROWS] + at_row) * params[EXTENT + PIXELS]
                    for tap in range(first_pixel, end_of_taps(params, PIXELS, -params[PADDING + PIXELS])):
                        compare(params, src, dst, places, number * length, line, base, tap)

    return body


def pooled_pairs(read, indices):
    """The body over output rows for windows of two by two with as large a stride, all of them inside."""

    @inline
    def wins(value, best):
        return read(value) > read(best) or read(value) != read(value)

    def body(params, src, dst, places, begin, stop):
        wide, below = params[EXTENT + PIXELS], params[8]
        for number in range(begin, stop):
            plane = number // params[1]
            image = plane // params[4]
            first = 2 * (number - plane * params[1])
            line = image * params[5] + (plane - image * params[4]) * params[6] + first * below
            row, base = number * params[3], first * wide
            for pixel in range(params[3]):
                best, at = src[line + 2 * pixel], np.int64(0)
                value = src[line + 2 * pixel + 1]
                best, at = (value, np.int64(1)) if wins(value, best) else (best, at)
                value = src[line + below + 2 * pixel]
                best, at = (value, wide) if wins(value, best) else (best, at)
                value = src[line + below + 2 * pixel + 1]
                best, at = (value, wide + 1) if wins(value, best) else (best, at)
                dst[row + pixel] = best
                if indices:
                    places[row + pixel] = base + 2 * pixel + at

    return body


@intrinsic
def lowest_of(_, pointer):
    """Minus infinity, or the smallest integer, of a buffer's items."""

    def generate(context, _builder, signature, _arguments):
        kind = np.dtype(str(signature.return_type))
        smallest = float("-inf") if kind.kind == "f" else int(np.iinfo(kind).min)
        return context.get_constant(signature.return_type, smallest)

    return pointer.dtype(pointer), generate


@inline
def itself(value):
    """What is compared, of items that are numbers as they are."""
    return value


@kernel("element", "element", "int64", elements=COMMON, indices=(0, 1), step=(0, 1, 2))
def max_pool(indices, step):
    """The dtypes of pictures and networks, with the stride as a constant where it is small."""
    return pooled(itself, lowest_of, indices, step)


@kernel("element", "element", "int64", elements=OTHERS, indices=(0, 1))
def max_pool_integers(indices):
    """All other integers."""
    return pooled(itself, lowest_of, indices, 0)


@kernel("element", "element", "int64", elements=("uint16",), half=(0, 1), indices=(0, 1))
def max_pool_halves(half, indices):
    """float16 and bfloat16."""
    infinity = np.uint16((0xFC00, 0xFF80)[half])
    return pooled(reader(HALVES[half]), inline(lambda dst: infinity), indices, 0)


@kernel("element", "element", "int64", elements=COMMON, indices=(0, 1))
def max_pool_pairs(indices):
    """Windows of two by two."""
    return pooled_pairs(itself, indices)


@kernel("element", "element", "int64", elements=("uint16",), half=(0, 1), indices=(0, 1))
def max_pool_pairs_of_halves(half, indices):
    """Windows of two by two over float16 and bfloat16."""
    return pooled_pairs(reader(HALVES[half]), indices)
