"""Max pooling: a row of the result starts as the lowest value there is, then every tap is compared with it.

Windows of two by two, side by side, are compared at once and written once: a row that is read back for each of four
taps took 1.2 (float64) to 5 times (uint8) longer.

A value wins where it is larger, or no number: the first of equals stands, the last NaN does. Indices count the
positions of the unpadded plane, and start as that of the first tap.
"""

from __future__ import annotations

import numpy as np

from fastup.cpu.simd.item_kinds import reader
from fastup.cpu.simd.moves import load_item
from fastup.runtime.fields import Fields
from fastup.runtime.kernel import inline, intrinsic, kernel

# Output rows; the result's slices, rows and pixels; planes per image; items from image to image, plane to plane, and
# along the axes of the input; its extents; the windows; items per pixel, one after the other; the bits that make
# signed integers in the same order of unsigned ones, if items are those.
P = Fields(
    "total outputs planes image plane source extent kernel stride padding dilation items flipped",
    **dict.fromkeys(("outputs", "source", "extent", "kernel", "stride", "padding", "dilation"), 3),
)
SLICES, ROWS, PIXELS = range(3)  # of three numbers along the axes
COMMON = ("float32", "uint8")
OTHERS = ("float64", "int8", "int16", "int32", "int64")  # the unsigned integers among them, with their sign bit flipped
HALVES = ("float16", "bfloat16")  # compared as floats


@inline
def window_begin(params, axis, output):
    """Where the window of an output position begins, maybe in the padding."""
    return output * params[P.stride + axis] - params[P.padding + axis]


@inline
def first_tap(params, axis, begin):
    """The first tap of a window that begins at `begin`, maybe in the padding."""
    if begin >= 0:
        return 0
    return (params[P.dilation + axis] - 1 - begin) // params[P.dilation + axis]


@inline
def end_of_taps(params, axis, begin):
    """One past the last tap inside of a window that begins at `begin`; a kernel may be far larger than its input."""
    return min(params[P.kernel + axis], (params[P.extent + axis] - 1 - begin) // params[P.dilation + axis] + 1)


def window_row(read, lowest, indices, step):
    """Helpers for one output row: start it, and compare one tap with it.

    `step` is the distance of neighbouring windows in items where that is a constant (1, 2), or 0.
    """
    # Every second item is gathered where indices are wanted (1.0 ms, single moves 3.3 on Zen 4), else moved (0.6, 0.9).
    in_vectors = step == 1 or (step == 2 and indices)

    @inline
    def distance(params):
        return step if step else params[P.stride + PIXELS] * params[P.source + PIXELS]

    @inline
    def start(params, dst, places, row, base):
        for pixel in range(params[P.outputs + PIXELS]):
            begin = window_begin(params, PIXELS, pixel)
            position = begin + first_tap(params, PIXELS, begin) * params[P.dilation + PIXELS]
            for item in range(params[P.items]):
                at = row + pixel * params[P.items] + item
                dst[at] = lowest(params, dst)
                if indices:
                    places[at] = base + position

    @inline
    def better(params, dst, places, at, value, index):
        best = dst[at]
        wins = read(params, value) > read(params, best) or read(params, value) != read(params, value)
        dst[at] = value if wins else best
        if indices:
            places[at] = index if wins else places[at]

    @inline
    def compare(params, src, dst, places, row, line, base, tap):
        shift = tap * params[P.dilation + PIXELS] - params[P.padding + PIXELS]
        stride = params[P.stride + PIXELS]
        begin = max(0, (stride - 1 - shift) // stride)
        end = min(params[P.outputs + PIXELS], (params[P.extent + PIXELS] - 1 - shift) // stride + 1)
        if params[P.items] == 1:
            apart = distance(params)
            origin = line + shift * params[P.source + PIXELS]
            for pixel in range(begin, end):
                source, index = origin + pixel * apart, base + shift + pixel * stride
                better(params, dst, places, row + pixel, src[source] if in_vectors else load_item(src, source), index)
        else:
            for pixel in range(begin, end):
                position = pixel * stride + shift
                for item in range(params[P.items]):
                    at = row + pixel * params[P.items] + item
                    value = src[line + position * params[P.source + PIXELS] + item]
                    better(params, dst, places, at, value, base + position)

    return start, compare


def pooled(read, lowest, indices, step):
    """The body over output rows: ``read(params, item)`` is compared, windows start as ``lowest(params, dst)``."""
    start, compare = window_row(read, lowest, indices, step)

    def body(params, src, dst, places, begin, stop):
        length = params[P.outputs + PIXELS] * params[P.items]
        # Taps before this one lie in the padding of the last window, and so of all.
        first_pixel = first_tap(params, PIXELS, window_begin(params, PIXELS, params[P.outputs + PIXELS] - 1))
        for number in range(begin, stop):
            above = number // params[P.outputs + ROWS]
            plane = above // params[P.outputs + SLICES]
            image = plane // params[P.planes]
            origin = image * params[P.image] + (plane - image * params[P.planes]) * params[P.plane]
            top_slice = window_begin(params, SLICES, above - plane * params[P.outputs + SLICES])
            top_row = window_begin(params, ROWS, number - above * params[P.outputs + ROWS])
            first_slice, first_row = first_tap(params, SLICES, top_slice), first_tap(params, ROWS, top_row)
            base = (top_slice + first_slice * params[P.dilation + SLICES]) * params[P.extent + ROWS]
            base += top_row + first_row * params[P.dilation + ROWS]
            start(params, dst, places, number * length, base * params[P.extent + PIXELS])
            for a in range(first_slice, end_of_taps(params, SLICES, top_slice)):
                at_slice = top_slice + a * params[P.dilation + SLICES]
                for b in range(first_row, end_of_taps(params, ROWS, top_row)):
                    at_row = top_row + b * params[P.dilation + ROWS]
                    line = origin + at_slice * params[P.source + SLICES] + at_row * params[P.source + ROWS]
                    base = (at_slice * params[P.extent + ROWS] + at_row) * params[P.extent + PIXELS]
                    for tap in range(first_pixel, end_of_taps(params, PIXELS, -params[P.padding + PIXELS])):
                        compare(params, src, dst, places, number * length, line, base, tap)

    return body


def pooled_pairs(read, indices):
    """The body over output rows for windows of two by two with as large a stride, all of them inside."""

    @inline
    def wins(params, value, best):
        return read(params, value) > read(params, best) or read(params, value) != read(params, value)

    def body(params, src, dst, places, begin, stop):
        wide, below = params[P.extent + PIXELS], params[P.source + ROWS]
        for number in range(begin, stop):
            plane = number // params[P.outputs + ROWS]
            image = plane // params[P.planes]
            first = 2 * (number - plane * params[P.outputs + ROWS])
            line = image * params[P.image] + (plane - image * params[P.planes]) * params[P.plane] + first * below
            row, base = number * params[P.outputs + PIXELS], first * wide
            for pixel in range(params[P.outputs + PIXELS]):
                best, at = src[line + 2 * pixel], np.int64(0)
                value = src[line + 2 * pixel + 1]
                best, at = (value, np.int64(1)) if wins(params, value, best) else (best, at)
                value = src[line + below + 2 * pixel]
                best, at = (value, wide) if wins(params, value, best) else (best, at)
                value = src[line + below + 2 * pixel + 1]
                best, at = (value, wide + 1) if wins(params, value, best) else (best, at)
                dst[row + pixel] = best
                if indices:
                    places[row + pixel] = base + 2 * pixel + at

    return body


@intrinsic
def _lowest_of(_, pointer):
    """Minus infinity, or the smallest integer, of a buffer's items."""

    def generate(context, _builder, signature, _arguments):
        kind = np.dtype(str(signature.return_type))
        smallest = float("-inf") if kind.kind == "f" else int(np.iinfo(kind).min)
        return context.get_constant(signature.return_type, smallest)

    return pointer.dtype(pointer), generate


@intrinsic
def _flipped(_, item, bits):
    """An integer with some bits turned over; a float as it is."""

    def generate(_context, builder, signature, arguments):
        value, bits = arguments
        if str(signature.return_type).startswith("float"):
            return value
        return builder.xor(value, bits if value.type == bits.type else builder.trunc(bits, value.type))

    return item(item, bits), generate


@inline
def lowest_of(params, dst):
    """What a window of numbers as they are starts as."""
    return _lowest_of(dst)


@inline
def lowest_flipped(params, dst):
    """What a window of integers of either kind starts as."""
    return _flipped(_lowest_of(dst), params[P.flipped])


@inline
def itself(params, value):
    """What is compared, of items that are numbers as they are."""
    return value


@inline
def in_signed_order(params, value):
    """What is compared, of integers of either kind."""
    return _flipped(value, params[P.flipped])


def _half_reader(half):
    read = reader(HALVES[half])
    return inline(lambda params, bits: read(bits))


@kernel("element", "element", "int64", elements=COMMON, indices=(0, 1), step=(0, 1, 2))
def max_pool(indices, step):
    """The dtypes of pictures and networks, with the stride as a constant where it is small."""
    return pooled(itself, lowest_of, indices, step)


@kernel("element", "element", "int64", elements=OTHERS, indices=(0, 1))
def max_pool_others(indices):
    """float64 and all other integers."""
    return pooled(in_signed_order, lowest_flipped, indices, 0)


@kernel("element", "element", "int64", elements=("uint16",), half=(0, 1), indices=(0, 1))
def max_pool_halves(half, indices):
    """float16 and bfloat16."""
    infinity = np.uint16((0xFC00, 0xFF80)[half])
    return pooled(_half_reader(half), inline(lambda params, dst: infinity), indices, 0)


@kernel("element", "element", "int64", elements=COMMON, indices=(0, 1))
def max_pool_pairs(indices):
    """Windows of two by two."""
    return pooled_pairs(itself, indices)


@kernel("element", "element", "int64", elements=("uint16",), half=(0, 1), indices=(0, 1))
def max_pool_pairs_of_halves(half, indices):
    """Windows of two by two over float16 and bfloat16."""
    return pooled_pairs(_half_reader(half), indices)
