"""Stages that resample one row: the horizontal step of an interpolation.

``params``: output pixels; items per pixel; taps; distances in the table, in bytes, of the int64 first tap (in pixels of
the row) and of the weights of each output pixel; the output pixels between which vectors run; distances of the blocks'
first items, of their permutations and weights, and of how many taps all their lanes read; bits of a fixed point;
whether the row goes past the caches; the first and the last pixel of the row. A row either lies in the source or has
been copied with its ends repeated as far as any tap reaches. The order of sums is that of `blend`.
"""

from __future__ import annotations

from fastup.cpu.resample.kernels.short_pixels import FOUR, four_items
from fastup.cpu.resample.kernels.vertical import FLOATS
from fastup.cpu.simd import vectors
from fastup.cpu.simd.moves import items_to_alignment, load_item
from fastup.cpu.simd.pointers import as_int64, at, fma, view
from fastup.runtime.fields import Fields
from fastup.runtime.kernel import inline, intrinsic, kernel

P = Fields("outputs items taps first weights regular_from regular_to places blocks whole bits far low high")
# Rows that are made at once, bytes from one to the next, and to memory for one stage.
ROWS = Fields("count line_step target_step scratch")


def row_by_row(one_row):
    """The body of a stage that has nothing to share between rows; ``one_row(params, line, dst, table)``."""

    def body(params, line, dst, table, rows, start, stop):
        for row in range(rows[ROWS.count]):
            one_row(params, at(line, row * rows[ROWS.line_step]), at(dst, row * rows[ROWS.target_step]), table)

    return body


def two_by_two(of_rows):
    """The body of a stage whose table is read once for two rows.

    ``of_rows(number)(params, line, line_step, dst, target_step, table)`` makes one or two.
    """
    one, two = of_rows(1), of_rows(2)

    def body(params, line, dst, table, rows, start, stop):
        count, line_step, target_step = rows[ROWS.count], rows[ROWS.line_step], rows[ROWS.target_step]
        for row in range(0, count - 1, 2):
            two(params, at(line, row * line_step), line_step, at(dst, row * target_step), target_step, table)
        if count % 2:
            row = count - 1
            one(params, at(line, row * line_step), line_step, at(dst, row * target_step), target_step, table)

    return body


def addition(in_steps):
    """How ``add(value, weight, total)`` rounds, and which weights stand for taps that ``are_read``.

    Once, and what lies beyond a filter's support has weight 0 and may be infinite; or `in_steps`, product and sum each,
    and a tap that is not read has weight NaN.
    """

    @inline
    def add_in_steps(value, weight, total):
        return total + value * weight

    @inline
    def is_number(weight):
        return weight == weight

    @inline
    def is_not_zero(weight):
        return weight != 0

    return (add_in_steps, is_number) if in_steps else (fma, is_not_zero)


def sum_of(taps, in_steps=False):
    """Weighted sum ``(line, begin, apart, weights, at, count)`` of pixels `apart` items from each other."""
    add, is_read = addition(in_steps)

    @inline
    def two(line, begin, apart, weights, w, count):
        return fma(line[begin], weights[w], line[begin + apart] * weights[w + 1])

    @inline
    def four(line, begin, apart, weights, w, count):
        total = fma(line[begin], weights[w], line[begin + apart] * weights[w + 1])
        total = fma(line[begin + 2 * apart], weights[w + 2], total)
        return fma(line[begin + 3 * apart], weights[w + 3], total)

    @inline
    def many(line, begin, apart, weights, w, count):
        total = line[begin] * weights[w]
        for k in range(1, count):
            if is_read(weights[w + k]):
                total = add(line[begin + k * apart], weights[w + k], total)
        return total

    return {2: two, 4: four, 0: many}[taps]


def clamped_pixels(taps, in_steps=False):
    """Output pixels `start` to `stop` by table from a row without copies of its ends: what lies beyond reads them."""
    add, is_read = addition(in_steps)

    @inline
    def value(params, line, first, item, tap):
        pixel = max(params[P.low], min(params[P.high], first + tap))
        return line[pixel * params[P.items] + item]

    @inline
    def two(params, line, first, item, weights, w):
        return fma(
            value(params, line, first, item, 0), weights[w], value(params, line, first, item, 1) * weights[w + 1]
        )

    @inline
    def four(params, line, first, item, weights, w):
        total = fma(
            value(params, line, first, item, 0), weights[w], value(params, line, first, item, 1) * weights[w + 1]
        )
        total = fma(value(params, line, first, item, 2), weights[w + 2], total)
        return fma(value(params, line, first, item, 3), weights[w + 3], total)

    @inline
    def many(params, line, first, item, weights, w):
        total = value(params, line, first, item, 0) * weights[w]
        for k in range(1, params[P.taps]):
            if is_read(weights[w + k]):
                total = add(value(params, line, first, item, k), weights[w + k], total)
        return total

    weighted = {2: two, 4: four, 0: many}[taps]

    @inline
    def spread(params, line, dst, table, start, stop):
        first, weights = as_int64(table, params[P.first]), view(table, params[P.weights], dst)
        items = params[P.items]
        for pixel in range(start, stop):
            begin, w = load_item(first, pixel), pixel * params[P.taps]
            for item in range(items):
                dst[pixel * items + item] = weighted(params, line, begin, item, weights, w)

    return spread


def pixels_by_table(taps, in_steps=False):
    """Output pixels `start` to `stop` by table, ``(params, line, dst, table, start, stop)``."""
    weighted, four, at_an_end = sum_of(taps, in_steps), four_items(taps, in_steps), clamped_pixels(taps, in_steps)
    add, is_read = addition(in_steps)

    @inline
    def tap_by_tap(line, begin, items, weights, w, count, dst, target):
        for item in range(items):
            dst[target + item] = line[begin + item] * weights[w]
        for k in range(1, count):
            by, place = weights[w + k], begin + k * items
            if is_read(by):
                for item in range(items):
                    dst[target + item] = add(line[place + item], by, dst[target + item])

    @inline
    def spread_pixels(params, line, dst, table, start, stop):
        first, weights = as_int64(table, params[P.first]), view(table, params[P.weights], dst)
        items, count = params[P.items], params[P.taps]
        low, high = params[P.low], params[P.high] - count
        for pixel in range(start, stop):
            begin = load_item(first, pixel)
            if begin < low or begin > high:  # reads the last pixel of the row, or beyond
                at_an_end(params, line, dst, table, pixel, pixel + 1)
                continue
            begin *= items
            if items == FOUR or (items == FOUR - 1 and pixel + 1 < stop):  # the next pixel overwrites a fourth item
                four(line, begin, items, weights, pixel * count, count, dst, pixel * items)
            elif items == 1:
                dst[pixel] = weighted(line, begin, 1, weights, pixel * count, count)
            elif taps == 0:
                tap_by_tap(line, begin, items, weights, pixel * count, count, dst, pixel * items)
            else:
                for item in range(items):
                    dst[pixel * items + item] = weighted(line, begin + item, items, weights, pixel * count, count)

    return spread_pixels


@kernel("element", "element", "uint8", "int64", elements=FLOATS, taps=(2, 4, 0))
def by_table(taps):
    """Any ratio, any pixel: vectors run over the items of a pixel, if it has many."""
    spread_pixels = pixels_by_table(taps)

    @inline
    def one_row(params, line, dst, table):
        spread_pixels(params, line, dst, table, 0, params[P.outputs])

    return row_by_row(one_row)


LANES = 8  # input pixels of a block of `regular`


def regular_sum(taps, factor, store=vectors.store):
    """A helper ``(line, first, weights, dst, begin, k)`` for the outputs of `LANES` input pixels from `k` on.

    `begin` is the output pixel whose table, and whose neighbours', all others repeat.
    """

    @intrinsic
    def block(_, line, first, weights, dst, begin, k):
        from llvmlite import ir
        from numba import types

        kinds = types.void(line, first, weights, dst, types.intp, types.intp)
        item = weights.dtype

        def generate(context, builder, _signature, arguments):
            line, first, weights, dst, begin, k = arguments
            long, kind = ir.IntType(64), context.get_value_type(item)

            def phase(number):
                output = builder.add(begin, ir.Constant(long, number))
                source = builder.add(builder.load(builder.gep(first, [output])), k)

                def value(tap):
                    place = builder.gep(line, [builder.add(source, ir.Constant(long, tap))])
                    return vectors.load(builder, place, kind, LANES)

                def weight(tap):
                    place = builder.add(builder.mul(output, ir.Constant(long, taps)), ir.Constant(long, tap))
                    return vectors.splat(builder, builder.load(builder.gep(weights, [place])), LANES)

                return vectors.weighted(builder, taps, value, weight)

            target = builder.add(begin, builder.mul(k, ir.Constant(long, factor)))
            joined = vectors.woven(builder, [phase(number) for number in range(factor)])
            store(builder, joined, builder.gep(dst, [target]))
            return context.get_dummy_value()

        return kinds, generate

    return block


@kernel("element", "element", "uint8", "int64", elements=FLOATS, taps=(2, 4), factor=(2, 4))
def regular(taps, factor):
    """Weights that repeat with every input pixel: shifted loads and interleaved stores, no table within the row.

    Past the caches the blocks begin at the first aligned address, and the last one does not lie over the one before: an
    ordinary store would have to read the line that has just been sent away.
    """
    spread_pixels = clamped_pixels(taps)
    block, block_far = regular_sum(taps, factor), regular_sum(taps, factor, vectors.stream)

    @inline
    def one_row(params, line, dst, table):
        first, weights = as_int64(table, params[P.first]), view(table, params[P.weights], dst)
        begin, end = params[P.regular_from], params[P.regular_to]
        if params[P.far]:
            begin = min(end, begin + items_to_alignment(dst, begin))
            pixels = (end - begin) // factor // LANES * LANES
            for k in range(0, pixels, LANES):
                block_far(line, first, weights, dst, begin, k)
        else:
            pixels = (end - begin) // factor
            whole = pixels // LANES * LANES
            for k in range(0, whole, LANES):
                block(line, first, weights, dst, begin, k)
            if pixels > whole > 0:
                block(line, first, weights, dst, begin, pixels - LANES)
            elif whole == 0:
                pixels = 0
        spread_pixels(params, line, dst, table, 0, begin)
        spread_pixels(params, line, dst, table, begin + pixels * factor, params[P.outputs])

    return row_by_row(one_row)
