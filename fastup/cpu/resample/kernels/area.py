"""Adaptive average pooling: torch adds a window row by row and divides once per axis, so the axes do not separate.

``params``: what `separable` has without its rings and blends, where `horizontal` is a stage that adds a row to the
sums, if there is one, and whether the items are whole numbers. A strip ends with its output pixels, items of each,
where in the table the first input pixel and the count of each lie, the smallest and the largest count, and where each
item's divisor lies.
"""

from __future__ import annotations

import numpy as np

from fastup.cpu.resample.kernels import separable
from fastup.cpu.resample.kernels.separable import TAPS, finish, plane_begin
from fastup.cpu.resample.kernels.vertical import FLOATS
from fastup.cpu.simd import vectors
from fastup.cpu.simd.convert import fetch_next
from fastup.cpu.simd.moves import publish
from fastup.cpu.simd.pointers import as_int64, at, call_stage, view
from fastup.runtime.fields import Fields
from fastup.runtime.kernel import inline, intrinsic, kernel

P = Fields("integers", separable.CALL)
STRIP = Fields("outputs pixel_items windows least most divisors", separable.STRIP)
LANES = 8  # output pixels of a block


def _window_first(builder, windows, pixel, lane):
    """Where the window of an output pixel begins, and where its count lies."""
    from llvmlite import ir

    place = builder.shl(builder.add(pixel, ir.Constant(ir.IntType(64), lane)), ir.Constant(ir.IntType(64), 1))
    return builder.load(builder.gep(windows, [place])), builder.gep(windows, [builder.or_(place, place.type(1))])


def _woven_halves(place):
    """Items `place` and `place + 1` of each half of two vectors, in turns."""
    return vectors.lane_numbers([half + item for half in (place, place + 4) for item in (0, 8, 1, 9)])


@intrinsic
def add_four(_, windows, row, total, pixel, k):
    """Add items `k` to `k + 3` of `LANES` windows, one after the other, to their sums.

    Four items of each window are one load; transposed, they are four vectors with an item of every window.
    """
    from numba import types

    def generate(context, builder, _signature, arguments):
        windows, row, total, pixel, k = arguments
        kind = context.get_value_type(total_type.dtype)
        quads = []
        for lane in range(LANES):
            first, _ = _window_first(builder, windows, pixel, lane)
            quads.append(vectors.load(builder, builder.gep(row, [builder.add(first, k)]), kind, 4))
        # Windows i and i + 4 share a register, so that all that follows stays within its halves.
        joined = [builder.shuffle_vector(quads[i], quads[i + 4], vectors.lane_numbers(range(8))) for i in range(4)]
        halves = [
            builder.shuffle_vector(joined[i], joined[i + 2], _woven_halves(place)) for place in (0, 2) for i in (0, 1)
        ]
        sums = vectors.load(builder, builder.gep(total, [pixel]), kind, LANES)
        for pair in (halves[:2], halves[2:]):
            for place in (0, 2):
                sums = builder.fadd(sums, builder.shuffle_vector(*pair, _woven_halves(place)))
        vectors.store(builder, sums, builder.gep(total, [pixel]))
        return context.get_dummy_value()

    total_type = total
    return types.void(windows, row, total, types.intp, types.intp), generate


@intrinsic
def add_one(_, windows, row, total, pixel, k):
    """Add item `k` of each of `LANES` windows that has so many to its sum."""
    from llvmlite import ir
    from numba import types

    def generate(context, builder, _signature, arguments):
        windows, row, total, pixel, k = arguments
        kind, long = context.get_value_type(total_type.dtype), ir.IntType(64)
        items = ir.Constant(vectors.vector(kind, LANES), ir.Undefined)
        counts = ir.Constant(vectors.vector(long, LANES), ir.Undefined)
        for lane in range(LANES):
            first, place = _window_first(builder, windows, pixel, lane)
            count, number = builder.load(place), ir.Constant(ir.IntType(32), lane)
            within = builder.icmp_signed("<", k, count)
            item = builder.load(builder.gep(row, [builder.add(first, builder.select(within, k, long(0)))]))
            items = builder.insert_element(items, item, number)
            counts = builder.insert_element(counts, count, number)
        sums = vectors.load(builder, builder.gep(total, [pixel]), kind, LANES)
        taken = builder.icmp_signed("<", vectors.splat(builder, k, LANES), counts)
        chosen = builder.select(taken, builder.fadd(sums, items), sums)
        vectors.store(builder, chosen, builder.gep(total, [pixel]))
        return context.get_dummy_value()

    total_type = total
    return types.void(windows, row, total, types.intp, types.intp), generate


@inline
def add_single_items(strip, windows, row, total):
    """Rows of one item per pixel, in blocks of outputs; stretches of one axis differ by one pixel at most."""
    outputs, least, most = strip[STRIP.outputs], strip[STRIP.least], strip[STRIP.most]
    whole = outputs // LANES * LANES
    for pixel in range(0, whole, LANES):
        for k in range(0, least - 3, 4):
            add_four(windows, row, total, pixel, k)
        for k in range(least // 4 * 4, most):
            add_one(windows, row, total, pixel, k)
    for pixel in range(whole, outputs):
        first = windows[2 * pixel]
        for k in range(first, first + windows[2 * pixel + 1]):
            total[pixel] += row[k]


@inline
def add_row(strip, windows, row, total):
    """Add each output pixel's stretch of a row to its sum, from left to right."""
    items = strip[STRIP.pixel_items]
    if items == 1:
        add_single_items(strip, windows, row, total)
        return
    for pixel in range(strip[STRIP.outputs]):
        first = windows[2 * pixel]
        for k in range(first, first + windows[2 * pixel + 1]):
            for item in range(items):
                total[pixel * items + item] += row[k * items + item]


@intrinsic
def quotient(_, value, count):
    """The quotient value / count in the value's own precision."""

    def generate(context, builder, signature, arguments):
        divisor = builder.sitofp(arguments[1], context.get_value_type(signature.return_type))
        return builder.fdiv(arguments[0], divisor)

    return value(value, count), generate


@intrinsic
def whole_mean(_, value, count):
    """The quotient value / count, rounded once to a whole number, half to even: exact for sums of up to 52 bits."""

    def generate(context, builder, signature, arguments):
        from llvmlite import ir

        double, kind = ir.DoubleType(), context.get_value_type(signature.return_type)
        total = arguments[0] if kind == double else builder.fpext(arguments[0], double)
        mean = builder.fdiv(total, builder.sitofp(arguments[1], double))
        magic = double(1.5 * 2.0**52)
        whole = builder.fsub(builder.fadd(mean, magic), magic)
        return whole if kind == double else builder.fptrunc(whole, kind)

    return value(value, count), generate


@kernel("element", "element", "uint8", "uint8", elements=FLOATS)
def area():
    """Means over windows; the element type is that of the sums."""

    @inline
    def add_rows(params, strip, src, begin, windows, first, count, table, work, total):
        for number in range(first, first + count):
            source = at(src, begin + number * params[P.source_row])
            row = source
            if params[P.load] != 0:
                row = view(work, params[P.line], src)
                call_stage(params[P.load], at(strip, 8 * STRIP.load), source, row, table)
            else:
                fetch_next(at(strip, 8 * STRIP.load), source)
            if params[P.horizontal] != 0:
                call_stage(params[P.horizontal], at(strip, 8 * STRIP.horizontal), row, total, table)
            else:
                add_row(strip, windows, row, total)

    @inline
    def write_row(params, strip, src, begin, out, depth, row, table, work):
        slices = as_int64(table, params[P.slice_table] + TAPS.bytes * depth)
        rows = as_int64(table, params[P.row_table] + TAPS.bytes * row)
        windows = as_int64(table, strip[STRIP.windows])
        total = out
        if params[P.store] != 0:
            total = view(work, params[P.result], out)
        for k in range(strip[STRIP.items]):
            total[k] = 0
        high, wide = slices[TAPS.count], rows[TAPS.count]
        for number in range(slices[TAPS.first], slices[TAPS.first] + high):
            place = begin + number * params[P.source_slice]
            add_rows(params, strip, src, place, windows, rows[TAPS.first], wide, table, work, total)
        divisors = view(table, strip[STRIP.divisors], total)
        if params[P.integers] != 0:
            for k in range(strip[STRIP.items]):
                total[k] = whole_mean(total[k], high * wide * np.int64(divisors[k]))
        else:
            for k in range(strip[STRIP.items]):
                total[k] = quotient(quotient(total[k], high), wide) / divisors[k]
        finish(params, strip, total, out, table)

    def body(params, src, dst, table, work, start, stop):
        strips = as_int64(table, params[P.strip_table])
        for item in range(start, stop):
            above = item // params[P.rows]
            row = item - above * params[P.rows]
            upper = above // params[P.slices]
            depth = above - upper * params[P.slices]
            plane = upper // params[P.strips]
            strip = at(strips, STRIP.bytes * (upper - plane * params[P.strips]))
            begin = plane_begin(params, plane, P.source) + strip[STRIP.source]
            place = plane_begin(params, plane, P.target) + strip[STRIP.target]
            place += depth * params[P.target_slice] + row * params[P.target_row]
            write_row(params, strip, src, begin, at(dst, place), depth, row, table, work)
        publish()

    return body
