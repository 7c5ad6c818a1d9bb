"""Stages that round every product before it is added, as code without fused multiply-add does.

Other libraries' bits. Sums begin with the first product and take the taps in order; a weight that is NaN stands for a
tap that is not read, and weights of 0 are read: 0 * inf is NaN.
"""

from __future__ import annotations

from fastup.cpu.resample.kernels.horizontal import P as ROW
from fastup.cpu.resample.kernels.horizontal import pixels_by_table, row_by_row, two_by_two
from fastup.cpu.resample.kernels.permuted_rows import permuted
from fastup.cpu.resample.kernels.vertical import FLOATS, P
from fastup.cpu.simd.pointers import at
from fastup.cpu.simd.vectors import load, plus, repeated, splat, store
from fastup.runtime.kernel import inline, intrinsic, kernel

_FEW = 4  # items
_BLOCK = 256  # bytes of a row that are summed at once: four vectors of AVX-512


def rows_sum(lanes, backward=False):
    """A helper ``(params, base, dst, weights, k)`` that sums `lanes` items of all rows, from item k on."""

    @intrinsic
    def block(_, params, base, dst, weights, k):
        from llvmlite import ir
        from numba import types

        def generate(context, builder, _signature, arguments):
            params, base, dst, weights, k = arguments
            long, byte = ir.IntType(64), ir.IntType(8).as_pointer()
            kind = context.get_value_type(element)
            rows = builder.load(builder.gep(params, [long(P.rows)]))

            def product(tap, total):
                distance = builder.load(builder.gep(params, [builder.add(tap, long(P.size))]))
                begin = builder.bitcast(builder.gep(builder.bitcast(base, byte), [distance]), base.type)
                by = splat(builder, builder.load(builder.gep(weights, [tap])), lanes)
                value = load(builder, builder.gep(begin, [k]), kind, lanes)
                return builder.fmul(value, by) if total is None else plus(builder, value, by, total)

            last = builder.sub(rows, long(1))

            def tap(number):
                return builder.sub(last, number) if backward else number

            def step(number, totals):
                return [product(tap(builder.add(number, long(1))), totals[0])]

            (total,) = repeated(builder, last, [product(tap(long(0)), None)], step)
            store(builder, total, builder.gep(dst, [k]))
            return context.get_dummy_value()

        element = dst.dtype
        return types.void(params, base, dst, weights, types.intp), generate

    return block


@kernel("element", "element", "element", elements=FLOATS[:1])
def blend():
    """Rows of float32 times weights."""
    return _blended(_BLOCK // 4)


@kernel("element", "element", "element", elements=FLOATS[1:])
def blend_of_doubles():
    """Rows of float64 times weights."""
    return _blended(_BLOCK // 8)


@inline
def one_item(params, base, dst, weights, k):
    """Sum one item of all rows."""
    total = at(base, params[P.size])[k] * weights[0]
    for row in range(1, params[P.rows]):
        total = total + at(base, params[P.size + row])[k] * weights[row]
    dst[k] = total


def leading(lanes):
    """A helper ``(params, base, dst, weights)`` that sums the items that lead backward."""
    block, few = rows_sum(lanes, backward=True), rows_sum(_FEW, backward=True)

    @inline
    def lead(params, base, dst, weights):
        count = params[P.lead]
        whole = count // lanes * lanes
        for k in range(0, whole, lanes):
            block(params, base, dst, weights, k)
        for k in range(whole, count // _FEW * _FEW, _FEW):
            few(params, base, dst, weights, k)
        for k in range(count // _FEW * _FEW, count):  # a strip of few pixels ends within a vector
            row = params[P.rows] - 1
            total = at(base, params[P.size + row])[k] * weights[row]
            while row > 0:
                row -= 1
                total = total + at(base, params[P.size + row])[k] * weights[row]
            dst[k] = total

    return lead


@kernel("element", "element", "element", elements=FLOATS[:1])
def blend_backward():
    """Items that lead from the last row to the first, the others forward."""
    lead = leading(_BLOCK // 4)

    def body(params, base, dst, weights, start, stop):
        lead(params, base, dst, weights)
        for k in range(params[P.lead], params[P.items]):
            one_item(params, base, dst, weights, k)

    return body


def _blended(lanes):
    block = rows_sum(lanes)

    def body(params, base, dst, weights, start, stop):
        count = params[P.items]
        if count < lanes:
            for k in range(count):
                one_item(params, base, dst, weights, k)
        else:
            for k in range(0, count - lanes + 1, lanes):
                block(params, base, dst, weights, k)
            if count % lanes:
                block(params, base, dst, weights, count - lanes)

    return body


@kernel("element", "element", "uint8", "int64", elements=FLOATS)
def by_table():
    """Any ratio, any pixel."""
    spread_pixels = pixels_by_table(0, in_steps=True)

    @inline
    def one_row(params, line, dst, table):
        spread_pixels(params, line, dst, table, 0, params[ROW.outputs])

    return row_by_row(one_row)


@kernel("element", "element", "uint8", "int64", elements=FLOATS[:1], pair=(0, 1))
def by_permutation(pair):
    """Any ratio of short pixels, by permutation."""
    return two_by_two(permuted("float32", 0, pair, in_steps=True))


@kernel("element", "element", "uint8", "int64", elements=FLOATS[1:])
def by_permutation_of_doubles():
    """The same for float64, always from two vectors."""
    return two_by_two(permuted("float64", 0, True, in_steps=True))
