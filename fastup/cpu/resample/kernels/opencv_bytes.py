"""Stages that put rows together as OpenCV does for bytes; rows hold whole numbers, sums with weights of 11 bits.

Linear drops the lowest bits of each row before it weighs it. Cubic is float32 in vectors, from the last row to the
first, and whole numbers in the rest of a row.
"""

from __future__ import annotations

import numpy as np

from fastup.cpu.resample.kernels.in_steps import leading
from fastup.cpu.resample.kernels.vertical import FLOATS, P
from fastup.cpu.simd.pointers import at
from fastup.runtime.kernel import inline, kernel

_DROPPED, _BITS, _LEFT = 4, 16, 2
_LANES = 16


@inline
def weighted(value, weight):
    """A row's part: 18 bits of it times the weight, without the lower 16 bits of the product."""
    return ((np.int32(value) >> np.int32(_DROPPED)) * np.int32(weight)) >> np.int32(_BITS)


@kernel("element", "element", "element", elements=FLOATS[:1])
def blend_linear():
    """Two rows."""

    def body(params, base, dst, weights, start, stop):
        a, b = at(base, params[P.size]), at(base, params[P.size + 1])
        first, second = np.int32(weights[0]), np.int32(weights[1])
        for k in range(params[P.items]):
            total = weighted(a[k], first) + weighted(b[k], second) + np.int32(1 << (_LEFT - 1))
            dst[k] = np.float32(total >> np.int32(_LEFT))

    return body


@kernel("element", "element", "element", elements=FLOATS[:1])
def blend_cubic():
    """Four rows; weights are divided by 2**22."""
    lead = leading(_LANES)

    def body(params, base, dst, weights, start, stop):
        lead(params, base, dst, weights)
        for k in range(params[P.lead], params[P.items]):
            total = np.float64(0.5)
            for row in range(params[P.rows]):
                total += np.float64(at(base, params[P.size + row])[k]) * np.float64(weights[row])
            total = max(np.float64(0), min(np.float64(255), total))
            dst[k] = np.float32(np.int32(total))

    return body
