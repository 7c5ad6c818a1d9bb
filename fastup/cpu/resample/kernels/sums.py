"""Sums of very many items along one axis, as a float64 and what its rounding lost: exact to a unit in the last place.

The axis is the middle one of (planes, axis, items). ``params`` say how those lie in memory; the table has a window per
output position: the first input position, the count, and where its weights begin. Results are two arrays, one after the
other: the sums, and what is to be added to them. Each addition finds its own error (Knuth's two-sum), so integers of up
to 32 bits come out exact.
"""

from __future__ import annotations

import numpy as np

from fastup.cpu.resample.kernels.vertical import FLOATS
from fastup.cpu.simd import vectors
from fastup.cpu.simd.convert import set_load
from fastup.cpu.simd.moves import publish
from fastup.cpu.simd.pointers import as_float64, as_int64, at, call_stage, view
from fastup.runtime.fields import Fields
from fastup.runtime.kernel import inline, intrinsic, kernel

P = Fields("total outputs blocks block items plane step item load kind swapped lost weights lanes high low line")
WINDOW = Fields("first count weights")
VECTOR = 16  # items that are added at once
LINE_ITEMS = 2048
MOST_LANES = 1024


def _two_sum(builder, high, low, value):
    total = builder.fadd(high, value)
    part = builder.fsub(total, high)
    error = builder.fadd(builder.fsub(high, builder.fsub(total, part)), builder.fsub(value, part))
    return total, builder.fadd(low, error)


def _adder(weighted):
    """A helper ``(high, low, k, line, at, weights, w)``: add `VECTOR` items, each times a weight or all times one."""

    @intrinsic
    def add(_, high, low, k, line, at, weights, w):
        from llvmlite import ir
        from numba import types

        def generate(context, builder, _signature, arguments):
            high, low, k, line, at, weights, w = arguments
            double = ir.DoubleType()
            items = vectors.load(builder, builder.gep(line, [at]), context.get_value_type(line_type.dtype), VECTOR)
            if line_type.dtype.bitwidth == 32:
                items = builder.fpext(items, vectors.vector(double, VECTOR))
            if weighted == "each":
                items = builder.fmul(items, vectors.load(builder, builder.gep(weights, [w]), double, VECTOR))
            elif weighted == "all":
                items = builder.fmul(items, vectors.splat(builder, builder.load(builder.gep(weights, [w])), VECTOR))
            places = [builder.gep(pointer, [k]) for pointer in (high, low)]
            sums = _two_sum(builder, *(vectors.load(builder, place, double, VECTOR) for place in places), items)
            for value, place in zip(sums, places, strict=True):
                vectors.store(builder, value, place)
            return context.get_dummy_value()

        line_type = line
        return types.void(high, low, types.intp, line, types.intp, weights, types.intp), generate

    return add


@inline
def add_item(high, low, k, value):
    """Add one number."""
    before = high[k]
    total = before + value
    part = total - before
    low[k] += (before - (total - part)) + (value - part)
    high[k] = total


@inline
def load_line(params, work, source, pixels, items, step, line):
    """Bring items of some pixels to the line, as floats."""
    header = as_int64(work, 0)
    set_load(header, pixels, items, step, params[P.item], params[P.swapped], params[P.kind])
    call_stage(params[P.load], header, source, line, line)


@inline
def clear(high, low, count):
    """Begin anew."""
    for k in range(count):
        high[k] = 0.0
        low[k] = 0.0


@inline
def weighted_pixels(pixels, items, lanes, weights, w, high, low, line):
    """Add pixels of several items, each pixel by its weight."""
    lane = 0
    for pixel in range(pixels):
        by = weights[w + pixel]
        for item in range(items):
            add_item(high, low, lane + item, np.float64(line[pixel * items + item]) * by)
        lane += items
        if lane == lanes:
            lane = 0


def stretches(weighted):
    """A helper that sums a stretch of pixels of few items: lane `l` adds the items whose number ends so."""
    add_each = _adder("each" if weighted else "none")

    @inline
    def along(params, work, source, count, weights, w, high, low, line):
        items, lanes = params[P.items], params[P.lanes]
        clear(high, low, lanes)
        most = max(1, LINE_ITEMS // lanes) * lanes // items
        done = 0
        while done < count:
            pixels = min(most, count - done)
            load_line(params, work, at(source, done * params[P.step]), pixels, items, params[P.step], line)
            if weighted and items > 1:
                weighted_pixels(pixels, items, lanes, weights, w + done, high, low, line)
            else:
                whole = pixels * items // lanes * lanes
                for base in range(0, whole, lanes):
                    for lane in range(0, lanes, VECTOR):
                        add_each(high, low, lane, line, base + lane, weights, w + done + base + lane)
                for k in range(whole, pixels * items):
                    value = np.float64(line[k])
                    if weighted:
                        value *= weights[w + done + k]
                    add_item(high, low, k - whole, value)
            done += pixels
        for lane in range(items, lanes):
            add_item(high, low, lane % items, high[lane])
            low[lane % items] += low[lane]

    return along


def rows_below(weighted):
    """A helper that sums rows of many items, one below the other."""
    add_all = _adder("all" if weighted else "none")

    @inline
    def across(params, work, source, items, count, weights, w, high, low, line):
        clear(high, low, items + VECTOR)
        for k in range(count):
            load_line(params, work, at(source, k * params[P.step]), items, 1, params[P.item], line)
            for j in range(0, items, VECTOR):
                add_all(high, low, j, line, j, weights, w + k)

    return across


@kernel("uint8", "float64", "uint8", "element", elements=FLOATS, weighted=(0, 1))
def sums(weighted):
    """Sums of items, or of items times weights; the element type is that of loaded items."""
    along, across = stretches(weighted), rows_below(weighted)

    def body(params, src, dst, table, work, start, stop):
        windows, weights = as_int64(table, 0), as_float64(table, params[P.weights])
        high, low = as_float64(work, params[P.high]), as_float64(work, params[P.low])
        line = view(work, params[P.line], work)
        for item in range(start, stop):
            above = item // params[P.blocks]
            block = item - above * params[P.blocks]
            plane = above // params[P.outputs]
            output = above - plane * params[P.outputs]
            window = at(windows, WINDOW.bytes * output)
            first, count, w = window[WINDOW.first], window[WINDOW.count], window[WINDOW.weights]
            begin = block * params[P.block]
            items = min(params[P.block], params[P.items] - begin)
            source = at(src, plane * params[P.plane] + first * params[P.step] + begin * params[P.item])
            if params[P.lanes] != 0:
                along(params, work, source, count, weights, w, high, low, line)
            else:
                across(params, work, source, items, count, weights, w, high, low, line)
            target = above * params[P.items] + begin
            for k in range(items):
                dst[target + k] = high[k]
                dst[params[P.lost] + target + k] = low[k]
        publish()

    return body
