"""Adaptive average pooling: torch adds a window row by row and divides once per axis, so the axes do not separate.

``params``: as of `separable`, of which the rings and blends are not used, and `SPREAD` is a stage that adds a row to
the sums, if there is one. A strip's parameters of it are those of `spread`, with at 3 to 5: where in the table the
first input pixel and the count of each output pixel lie, the smallest count, and where each item's divisor lies.
"""

from __future__ import annotations

from fastup.cpu.kernels.blend import FLOATS
from fastup.cpu.kernels.separable import (
    LINE,
    LOAD,
    RESULT,
    ROW_TABLE,
    ROWS,
    SLICE_TABLE,
    SLICES,
    SOURCE_0,
    SOURCE_ROW,
    SOURCE_SLICE,
    SPREAD,
    STORE,
    STRIP,
    STRIP_ITEMS,
    STRIP_LOAD,
    STRIP_SOURCE,
    STRIP_SPREAD,
    STRIP_TABLE,
    STRIP_TARGET,
    STRIPS,
    TARGET_0,
    TARGET_ROW,
    TARGET_SLICE,
    finish,
    plane_begin,
)
from fastup.cpu.kernels.simd import publish
from fastup.cpu.kernels.stage import as_int64, at, call_stage, view
from fastup.runtime.kernel import inline, intrinsic, kernel

OUTPUTS, ITEMS, _, WINDOWS, LEAST, DIVISORS = range(STRIP_SPREAD, STRIP_SPREAD + 6)


@inline
def add_row(strip, windows, row, total):
    """Add each output pixel's stretch of a row to its sum, from left to right.

    Stretches of one axis differ by one pixel at most, which is taken or not without a branch: 5 % faster than a loop to
    `count`.
    """
    items, least = strip[ITEMS], strip[LEAST]
    for pixel in range(strip[OUTPUTS]):
        first, count = windows[2 * pixel], windows[2 * pixel + 1]
        if items == 1:
            value = total[pixel]
            for k in range(first, first + least):
                value += row[k]
            longer = value + row[first + min(least, count - 1)]
            total[pixel] = longer if count > least else value
        else:
            for k in range(first, first + count):
                for item in range(items):
                    total[pixel * items + item] += row[k * items + item]


@intrinsic
def quotient(_, value, count):
    """The quotient value / count in the value's own precision."""

    def generate(context, builder, signature, arguments):
        divisor = builder.sitofp(arguments[1], context.get_value_type(signature.return_type))
        return builder.fdiv(arguments[0], divisor)

    return value(value, count), generate


@kernel("element", "element", "uint8", "uint8", elements=FLOATS)
def area():
    """Means over windows; the element type is that of the sums."""

    @inline
    def add_rows(params, strip, src, begin, windows, first, count, table, work, total):
        for number in range(first, first + count):
            source = at(src, begin + number * params[SOURCE_ROW])
            row = source
            if params[LOAD] != 0:
                row = view(work, params[LINE], src)
                call_stage(params[LOAD], at(strip, 8 * STRIP_LOAD), source, row, table)
            if params[SPREAD] != 0:
                call_stage(params[SPREAD], at(strip, 8 * STRIP_SPREAD), row, total, table)
            else:
                add_row(strip, windows, row, total)

    @inline
    def write_row(params, strip, src, begin, out, depth, row, table, work):
        slices, rows = as_int64(table, params[SLICE_TABLE]), as_int64(table, params[ROW_TABLE])
        windows = as_int64(table, strip[WINDOWS])
        total = out
        if params[STORE] != 0:
            total = view(work, params[RESULT], out)
        for k in range(strip[STRIP_ITEMS]):
            total[k] = 0
        high, wide = slices[2 * depth + 1], rows[2 * row + 1]
        for number in range(slices[2 * depth], slices[2 * depth] + high):
            place = begin + number * params[SOURCE_SLICE]
            add_rows(params, strip, src, place, windows, rows[2 * row], wide, table, work, total)
        divisors = view(table, strip[DIVISORS], total)
        for k in range(strip[STRIP_ITEMS]):
            total[k] = quotient(quotient(total[k], high), wide) / divisors[k]
        finish(params, strip, total, out, table)

    def body(params, src, dst, table, work, start, stop):
        strips = as_int64(table, params[STRIP_TABLE])
        for item in range(start, stop):
            above = item // params[ROWS]
            row = item - above * params[ROWS]
            upper = above // params[SLICES]
            depth = above - upper * params[SLICES]
            plane = upper // params[STRIPS]
            strip = at(strips, 8 * STRIP * (upper - plane * params[STRIPS]))
            begin = plane_begin(params, plane, SOURCE_0) + strip[STRIP_SOURCE]
            place = plane_begin(params, plane, TARGET_0) + strip[STRIP_TARGET]
            place += depth * params[TARGET_SLICE] + row * params[TARGET_ROW]
            write_row(params, strip, src, begin, at(dst, place), depth, row, table, work)
        publish()

    return body
