"""Stages that put rows together: the vertical step of an interpolation, whatever its mode and rank.

``params``: items, rows, how many items lead (of `in_steps`), the lowest integer and whether rows go past the caches (of
`to_shorts`); then the distance of each row in bytes. Sums begin with the product and in the order that torch's compiled
code has: linear ``fma(a, w0, b * w1)``, cubic ``fma(d, w3, fma(c, w2, fma(a, w0, b * w1)))``; with antialias and beyond
four taps from the first to the last.
"""

from __future__ import annotations

from fastup.cpu.simd import vectors
from fastup.cpu.simd.moves import items_to_alignment
from fastup.cpu.simd.pointers import at, fma
from fastup.runtime.fields import Fields
from fastup.runtime.kernel import inline, intrinsic, kernel

P = Fields("items rows lead lowest far")
LANES = 16  # items of a block
FEW = 4
FLOATS = ("float32", "float64")


@inline
def add_rows(params, base, dst, weights, first):
    """Add up to four more rows, from `first` on."""
    count = params[P.items]
    a, wa = at(base, params[P.size + first]), weights[first]
    rest = params[P.rows] - first
    if rest == 1:
        for k in range(count):
            dst[k] = fma(a[k], wa, dst[k])
        return
    b, wb = at(base, params[P.size + first + 1]), weights[first + 1]
    if rest == 2:
        for k in range(count):
            dst[k] = fma(b[k], wb, fma(a[k], wa, dst[k]))
        return
    c, wc = at(base, params[P.size + first + 2]), weights[first + 2]
    if rest == 3:
        for k in range(count):
            dst[k] = fma(c[k], wc, fma(b[k], wb, fma(a[k], wa, dst[k])))
        return
    d, wd = at(base, params[P.size + first + 3]), weights[first + 3]
    for k in range(count):
        dst[k] = fma(d[k], wd, fma(c[k], wc, fma(b[k], wb, fma(a[k], wa, dst[k]))))


def rows_sum(taps, store=vectors.store, lanes=LANES):
    """A helper ``(params, base, dst, weights, k)`` that blends `lanes` items from `k` on."""

    @intrinsic
    def block(_, params, base, dst, weights, k):
        from llvmlite import ir
        from numba import types

        def generate(context, builder, _signature, arguments):
            params, base, dst, weights, k = arguments
            long, byte = ir.IntType(64), ir.IntType(8).as_pointer()
            kind = context.get_value_type(weights_type.dtype)

            def row(tap):
                distance = builder.load(builder.gep(params, [ir.Constant(long, P.size + tap)]))
                begin = builder.bitcast(builder.gep(builder.bitcast(base, byte), [distance]), base.type)
                return vectors.load(builder, builder.gep(begin, [k]), kind, lanes)

            def weight(tap):
                return vectors.splat(builder, builder.load(builder.gep(weights, [ir.Constant(long, tap)])), lanes)

            store(builder, vectors.weighted(builder, taps, row, weight), builder.gep(dst, [k]))
            return context.get_dummy_value()

        weights_type = weights
        return types.void(params, base, dst, weights, types.intp), generate

    return block


def item_sum(taps):
    """A helper ``(params, base, dst, weights, k)`` that blends one item."""

    @inline
    def one_item(params, base, dst, weights, k):
        total = fma(at(base, params[P.size])[k], weights[0], at(base, params[P.size + 1])[k] * weights[1])
        for row in range(2, taps):
            total = fma(at(base, params[P.size + row])[k], weights[row], total)
        dst[k] = total

    return one_item


@kernel("element", "element", "element", elements=FLOATS, taps=(1, 2, 4, 0))
def blend(taps):
    """Rows times weights; one row is copied, and 0 stands for any number in sequence."""
    block, one_item = rows_sum(taps), item_sum(taps)

    def copied(params, base, dst, weights, start, stop):
        a = at(base, params[P.size])
        for k in range(params[P.items]):
            dst[k] = a[k]

    def some(params, base, dst, weights, start, stop):
        count = params[P.items]
        if count < LANES:
            for k in range(count):
                one_item(params, base, dst, weights, k)
        else:
            for k in range(0, count - LANES + 1, LANES):
                block(params, base, dst, weights, k)
            if count % LANES:
                block(params, base, dst, weights, count - LANES)

    def many(params, base, dst, weights, start, stop):
        a, wa = at(base, params[P.size]), weights[0]
        if params[P.rows] == 1:
            for k in range(params[P.items]):
                dst[k] = a[k] * wa
            return
        b, wb = at(base, params[P.size + 1]), weights[1]
        if params[P.rows] == 2:
            for k in range(params[P.items]):
                dst[k] = fma(b[k], wb, a[k] * wa)
            return
        c, wc = at(base, params[P.size + 2]), weights[2]
        for k in range(params[P.items]):
            dst[k] = fma(c[k], wc, fma(b[k], wb, a[k] * wa))
        for first in range(3, params[P.rows], 4):
            add_rows(params, base, dst, weights, first)

    return {1: copied, 0: many}.get(taps, some)


@kernel("element", "element", "element", elements=FLOATS, taps=(2, 4))
def blend_far(taps):
    """Rows times weights, past the caches; items before the first and after the last aligned vector as usual."""
    block, few, one_item = rows_sum(taps, vectors.stream), rows_sum(taps, lanes=FEW), item_sum(taps)

    @inline
    def near(params, base, dst, weights, begin, end):
        whole = begin + (end - begin) // FEW * FEW
        for k in range(begin, whole, FEW):
            few(params, base, dst, weights, k)
        for k in range(whole, end):
            one_item(params, base, dst, weights, k)

    def body(params, base, dst, weights, start, stop):
        count = params[P.items]
        head = min(count, items_to_alignment(dst, 0))
        whole = head + (count - head) // LANES * LANES
        near(params, base, dst, weights, 0, head)
        for k in range(head, whole, LANES):
            block(params, base, dst, weights, k)
        near(params, base, dst, weights, whole, count)

    return body
