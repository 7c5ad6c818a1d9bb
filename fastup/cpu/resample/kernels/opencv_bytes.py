"""Stages that put rows together as OpenCV does for bytes, and write bytes; rows hold whole numbers.

Rows are sums with weights of 11 bits (of 8 for linear_exact). Linear drops the lowest bits of each row before it weighs
it. Cubic is float32 in vectors, from the last row to the first, and whole numbers in the rest of a row.
"""

from __future__ import annotations

import numpy as np

from fastup.cpu.resample.kernels.vertical import FLOATS, P
from fastup.cpu.simd.pointers import at
from fastup.runtime.kernel import intrinsic, kernel

_DROPPED, _BITS, _LEFT = 4, 16, 2
_AT_ONCE = 512  # items
_GRID = np.float32(1.5 * 2.0**23)  # beside it a float32 has steps of 1


@intrinsic
def double_buffer(_, like):
    """Memory on the stack for `_AT_ONCE` sums."""
    from llvmlite import ir
    from numba import types

    def generate(_context, builder, _signature, _arguments):
        with builder.goto_entry_block():
            return builder.alloca(ir.DoubleType(), size=ir.Constant(ir.IntType(64), _AT_ONCE))

    return types.CPointer(types.float64)(like), generate


@intrinsic
def _blended(_, a, b, first, second):
    """Both rows' parts, 15 bits of each times its weight without the lower 16 bits, in the arithmetic of 16 bits."""
    from llvmlite import ir
    from numba import types

    def generate(_context, builder, _signature, arguments):
        short, word = ir.IntType(16), ir.IntType(32)

        def part(value, weight):
            high = builder.trunc(builder.ashr(builder.fptosi(value, word), word(_DROPPED)), short)
            product = builder.mul(builder.sext(high, word), builder.sext(builder.trunc(weight, short), word))
            return builder.trunc(builder.ashr(product, word(_BITS)), short)

        a, b, first, second = arguments
        total = builder.add(builder.add(part(a, first), part(b, second)), short(1 << (_LEFT - 1)))
        return builder.trunc(builder.ashr(total, short(_LEFT)), ir.IntType(8))

    return types.uint8(a, b, types.int32, types.int32), generate


@kernel("element", "uint8", "element", elements=FLOATS[:1])
def blend_linear():
    """Two rows."""

    def body(params, base, dst, weights, start, stop):
        a, b = at(base, params[P.size]), at(base, params[P.size + 1])
        first, second = np.int32(weights[0]), np.int32(weights[1])
        for k in range(params[P.items]):
            dst[k] = _blended(a[k], b[k], first, second)

    return body


@kernel("element", "uint8", "element", elements=FLOATS[:1])
def blend_exact_linear():
    """Two rows, whose sums are rounded half up."""

    def body(params, base, dst, weights, start, stop):
        a, b = at(base, params[P.size]), at(base, params[P.size + 1])
        first, second = weights[0], weights[1]
        for k in range(params[P.items]):
            dst[k] = np.uint8(np.int32(a[k] * first + b[k] * second + np.float32(0.5)))

    return body


@kernel("element", "uint8", "element", elements=FLOATS[:1])
def blend_exactly():
    """Any number of rows, in float64, rounded half up: whole numbers of more than 24 bits."""

    def body(params, base, dst, weights, start, stop):
        for begin in range(0, params[P.items], _AT_ONCE):
            end = min(begin + _AT_ONCE, params[P.items])
            sums = double_buffer(dst)
            for k in range(begin, end):
                sums[k - begin] = 0.5
            for row in range(params[P.rows]):
                line, weight = at(base, params[P.size + row]), np.float64(weights[row])
                for k in range(begin, end):
                    sums[k - begin] += np.float64(line[k]) * weight
            for k in range(begin, end):
                whole = max(np.float64(0), min(np.float64(255), sums[k - begin]))
                dst[k] = np.uint8(np.int32(whole))

    return body


@kernel("element", "uint8", "element", elements=FLOATS[:1])
def blend_cubic():
    """Four rows; weights are divided by 2**22."""

    def body(params, base, dst, weights, start, stop):
        a, b = at(base, params[P.size]), at(base, params[P.size + 1])
        c, d = at(base, params[P.size + 2]), at(base, params[P.size + 3])
        wa, wb, wc, wd = weights[0], weights[1], weights[2], weights[3]
        for k in range(params[P.lead]):
            total = ((d[k] * wd + c[k] * wc) + b[k] * wb) + a[k] * wa
            rounded = (total + _GRID) - _GRID
            dst[k] = np.uint8(np.int32(max(np.float32(0), min(np.float32(255), rounded))))
        for k in range(params[P.lead], params[P.items]):
            total = np.float64(a[k]) * np.float64(wa) + np.float64(b[k]) * np.float64(wb)
            total += np.float64(c[k]) * np.float64(wc) + np.float64(d[k]) * np.float64(wd)
            whole = max(np.float64(0), min(np.float64(255), total + np.float64(0.5)))
            dst[k] = np.uint8(np.int32(whole))

    return body
