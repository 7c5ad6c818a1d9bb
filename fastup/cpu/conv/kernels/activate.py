"""Activation functions in place, over one row.

The second buffer holds the slope below zero. tanh and sigmoid come from one exponential, reduced
to ``2**n * e**r`` with r in [-0.35, 0.35] and its power series: within 4 units in the last place (tests hold it); below
the smallest normal numbers sigmoid is 0.
"""

from __future__ import annotations

import math

import numpy as np

from fastup.cpu.simd import vectors
from fastup.cpu.simd.pointers import fma
from fastup.runtime.fields import Fields
from fastup.runtime.kernel import inline, intrinsic, kernel

P = Fields("items")
RELU, LEAKY_RELU, TANH, SIGMOID = KINDS = range(4)
DECAY = "decay"  # a helper of other kernels


@intrinsic
def _power_of_two(_, shifted):
    """Two to the power n, of n + 1.5 * 2**23 in float32 (2**52 in float64), whose low bits are n."""

    def generate(context, builder, signature, arguments):
        from llvmlite import ir

        bits, stored = signature.return_type.bitwidth, {32: 23, 64: 52}
        word = ir.IntType(bits)
        exponent = builder.shl(builder.bitcast(arguments[0], word), word(stored[bits]))
        one = word((2 ** (bits - stored[bits] - 2) - 1) << stored[bits])
        return builder.bitcast(builder.add(exponent, one), context.get_value_type(signature.return_type))

    return shifted(shifted), generate


@intrinsic
def _with_sign(_, size, sign):
    """The first number with the sign of the second."""

    def generate(_context, builder, _signature, arguments):
        letter = {"float": "f32", "double": "f64"}[str(arguments[0].type)]
        return vectors.call(builder, f"llvm.copysign.{letter}", arguments[0].type, arguments)

    return size(size, sign), generate


def _functions(f, terms, largest):
    """The activation functions in floats `f`, whose exponential has so many terms and arguments up to `largest`."""
    digits = np.finfo(f).nmant
    magic, per_ln2 = f(1.5 * 2.0**digits), f(1 / math.log(2))
    # ln 2 in two parts: n * high is exact for |n| < 2**10.
    high = f(math.floor(math.log(2) * 2.0 ** (digits - 12)) / 2.0 ** (digits - 12))
    low = f(math.log(2) - float(high)) if f is np.float32 else f(math.log(2) - float(high) + 2.3190468138462996e-17)
    series = tuple(f(1 / math.factorial(k)) for k in range(terms, 0, -1))
    zero, one, two, limit = f(0), f(1), f(2), f(largest)

    @inline
    def reduced(value):
        """Two to the power n, and e to the power r, less one."""
        shifted = fma(value, per_ln2, magic)
        n = shifted - magic
        r = fma(-n, low, fma(-n, high, value))
        total = series[0]
        for coefficient in series[1:]:
            total = fma(total, r, coefficient)
        return _power_of_two(shifted), total * r

    @inline
    def relu(x, slope):
        return zero if x < zero else x

    @inline
    def leaky_relu(x, slope):
        return x if x > zero else x * slope

    @inline
    def tanh(x, slope):
        twice = abs(x) * two
        power, rest = reduced(limit if twice > limit else twice)
        less_one = fma(power, rest, power - one)
        return _with_sign(less_one / (less_one + two), x)

    @inline
    def decay(distance):
        """One over e to a power that is not negative; 0 below the smallest normal numbers."""
        power, rest = reduced(-(limit if distance > limit else distance))
        return zero if distance > limit else fma(power, rest, power)

    @inline
    def sigmoid(x, slope):
        exponential = decay(abs(x))
        return (exponential if x < zero else one) / (one + exponential)

    return {RELU: relu, LEAKY_RELU: leaky_relu, TANH: tanh, SIGMOID: sigmoid, DECAY: decay}


def _row(function):
    def body(params, row, slopes, start, stop):
        slope = slopes[0]
        for k in range(params[P.items]):
            row[k] = function(row[k], slope)

    return body


_FLOAT, _DOUBLE = _functions(np.float32, 8, 87.0), _functions(np.float64, 14, 708.0)
decay_of_float, decay_of_double = _FLOAT[DECAY], _DOUBLE[DECAY]


@kernel("element", "element", elements=("float32",), kind=tuple(KINDS))
def activate_float(kind):
    """A row of float32."""
    return _row(_FLOAT[kind])


@kernel("element", "element", elements=("float64",), kind=tuple(KINDS))
def activate_double(kind):
    """A row of float64."""
    return _row(_DOUBLE[kind])
