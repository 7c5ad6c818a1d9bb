"""The exponential of floats, which activations and softmax share: ``2**n * e**r`` with r in [-0.35, 0.35].

e**r comes from its power series, and the exponent in two parts, whose second is too small for the first: the rounding
of an argument near 100 alone would cost a hundred units in the last place of the result.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from fastup.cpu.simd.pointers import fma
from fastup.runtime.kernel import inline, intrinsic


@intrinsic
def power_of_two(_, shifted):
    """Two to the power n, of n + 1.5 * 2**23 in float32 (2**52 in float64), whose low bits are n."""

    def generate(context, builder, signature, arguments):
        from llvmlite import ir

        bits, stored = signature.return_type.bitwidth, {32: 23, 64: 52}
        word = ir.IntType(bits)
        exponent = builder.shl(builder.bitcast(arguments[0], word), word(stored[bits]))
        one = word((2 ** (bits - stored[bits] - 2) - 1) << stored[bits])
        return builder.bitcast(builder.add(exponent, one), context.get_value_type(signature.return_type))

    return shifted(shifted), generate


class Exponential(NamedTuple):
    """Helpers of kernels for one type of floats."""

    reduced: Any  # (value, rest) -> two to the power n, and e to the power r, less one
    decay: Any  # distance -> one over e to a power that is not negative; 0 below the smallest normal numbers
    raised_decay: Any  # (distance, rest) -> the same times `raise_by`, and 0 only where that is too small
    product: Any  # (a, b) -> a * b, and what its rounding lost
    largest: Any  # distance whose decay is a normal number
    raise_by: Any
    lower_by: Any


def _of(f, terms, largest, spare):
    """For floats `f`: terms of the series, the largest argument, and powers of two that are added for small results."""
    digits = np.finfo(f).nmant
    magic, per_ln2 = f(1.5 * 2.0**digits), f(1 / math.log(2))
    # ln 2 in two parts: n * high is exact for |n| < 2**10.
    high = f(math.floor(math.log(2) * 2.0 ** (digits - 12)) / 2.0 ** (digits - 12))
    low = f(math.log(2) - float(high)) if f is np.float32 else f(math.log(2) - float(high) + 2.3190468138462996e-17)
    series = tuple(f(1 / math.factorial(k)) for k in range(terms, 0, -1))
    zero, limit, shift = f(0), f(largest), f(spare)
    raised_limit, splitter = f(largest + math.floor(spare * math.log(2))), f(2.0 ** (digits // 2 + 1) + 1)

    @inline
    def parts(value, rest):
        shifted = fma(value, per_ln2, magic)
        n = shifted - magic
        r = fma(-n, low, fma(-n, high, value)) + rest
        total = series[0]
        for coefficient in series[1:]:
            total = fma(total, r, coefficient)
        return shifted, total * r

    @inline
    def reduced(value):
        shifted, rest = parts(value, zero)
        return power_of_two(shifted), rest

    @inline
    def decay(distance):
        power, rest = reduced(-(limit if distance > limit else distance))
        return zero if distance > limit else fma(power, rest, power)

    @inline
    def raised_decay(distance, more):
        shifted, rest = parts(-(raised_limit if distance > raised_limit else distance), -more)
        power = power_of_two(shifted + shift)
        return zero if distance > raised_limit else fma(power, rest, power)

    @inline
    def product(a, b):
        # By halves of the digits, as T. J. Dekker (1971) does it, for processors without a fused multiply-add.
        a_high, b_high = a * splitter, b * splitter
        a_high, b_high = a_high - (a_high - a), b_high - (b_high - b)
        a_low, b_low, whole = a - a_high, b - b_high, a * b
        return whole, ((a_high * b_high - whole) + a_high * b_low + a_low * b_high) + a_low * b_low

    return Exponential(reduced, decay, raised_decay, product, limit, f(2.0**spare), f(2.0**-spare))


OF_FLOAT, OF_DOUBLE = _of(np.float32, 8, 87.0, 64), _of(np.float64, 14, 708.0, 128)
