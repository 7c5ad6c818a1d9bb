"""Activation functions in place, over one row.

``params``: 0 items. The second buffer holds the number beside the name: a slope below zero, alpha, beta. All stay
within 4 units in the last place of the exact value, which tests hold over all exponents; below the smallest normal
numbers sigmoid is 0.
"""

from __future__ import annotations

import math

import numpy as np

from fastup.cpu.simd import exponential, vectors
from fastup.cpu.simd.pointers import fma
from fastup.runtime.fields import Fields
from fastup.runtime.kernel import inline, intrinsic, kernel

P = Fields("items")
# a * Phi(-a) * e**(a * a / 2) in t = (a - 4) / (a + 4), for a from 0.5 up to where gelu is 0: Chebyshev's interpolation
# in 60 digits, which is off by less than 2**-26 and 2**-55 of it.
_TAIL = {
    np.float32: (
        -1.01737573e-4, -3.45056458e-5, 8.772634284e-4, -9.291117436e-4, -5.509187751e-3, 2.642882804e-2,
        -6.306269987e-2, 1.00307741e-1, -1.103796187e-1, 7.369424444e-2, 3.776425652e-1,
    ),
    np.float64: (
        -2.3556883072956723e-9, 4.9604742467667505e-9, 2.0967953575628953e-8, -2.7017844242351768e-8,
        -1.2554052287051595e-7, 5.0377721586624352e-8, 6.5054351706800786e-7, 2.0042378908139114e-7,
        -3.2767267856362029e-6, -2.6033932644077023e-6, 1.7931219417235335e-5, 1.661860613407571e-5,
        -1.1650170359914803e-4, -4.8875371672702977e-5, 8.8208139814682617e-4, -9.2443694924597296e-4,
        -5.5099406680064009e-3, 2.6428192961810605e-2, -6.3062641534325433e-2, 1.0030777139128569e-1,
        -1.1037962061483928e-1, 7.3694244221929643e-2, 3.7764256520787575e-1,
    ),
}  # fmt: skip


@intrinsic
def _with_sign(_, size, sign):
    """The first number with the sign of the second."""

    def generate(_context, builder, _signature, arguments):
        letter = {"float": "f32", "double": "f64"}[str(arguments[0].type)]
        return vectors.call(builder, f"llvm.copysign.{letter}", arguments[0].type, arguments)

    return size(size, sign), generate


def _rectifiers(f):
    zero, three, six = f(0), f(3), f(6)

    @inline
    def relu(x, slope):
        return zero if x < zero else x

    @inline
    def leaky_relu(x, slope):
        return x if x > zero else x * slope

    @inline
    def hardswish(x, number):
        raised = x + three
        raised = zero if raised < zero else raised
        return x if raised > six else x * raised / six

    return {"relu": relu, "leaky_relu": leaky_relu, "hardswish": hardswish}


def _exponentials(f, e, odd_terms):
    """Functions of one exponential; `odd_terms` of the logarithm's series."""
    reduced, decay, raised_decay, product = e.reduced, e.decay, e.raised_decay, e.product
    limit, lower = e.largest, e.lower_by
    zero, one, two, threshold = f(0), f(1), f(2), f(20)
    atanh = tuple(f(1 / (2 * k + 1)) for k in range(odd_terms, 0, -1))

    @inline
    def tanh(x, slope):
        twice = abs(x) * two
        power, rest = reduced(limit if twice > limit else twice)
        less_one = fma(power, rest, power - one)
        return _with_sign(less_one / (less_one + two), x)

    @inline
    def sigmoid(x, slope):
        share = decay(abs(x))
        return (share if x < zero else one) / (one + share)

    @inline
    def gated(x, distance, more):
        """X times the sigmoid of a number of its sign, which lies so far from zero."""
        raised = raised_decay(distance, more)
        share = raised * lower
        return x * (raised if x < zero else one) / (one + share) * (lower if x < zero else one)

    @inline
    def silu(x, number):
        return gated(x, abs(x), zero)

    @inline
    def elu(x, alpha):
        power, rest = reduced(-limit if x < -limit else x if x < zero else zero)
        return alpha * fma(power, rest, power - one) if x <= zero else x

    @inline
    def softplus(x, beta):
        scaled, lost = product(x, beta)
        below = scaled < zero
        raised = raised_decay(abs(scaled), lost if not below else -lost)
        # log(1 + y) = 2 * atanh(y / (2 + y))
        half = raised / (two + raised * lower)
        square = half * lower * (half * lower)
        total = atanh[0]
        for coefficient in atanh[1:]:
            total = fma(total, square, coefficient)
        rest = fma(half, total * square, half) * two * lower
        return x if scaled > threshold else (rest if below else scaled + rest) / beta

    return {"tanh": tanh, "sigmoid": sigmoid, "silu": silu, "elu": elu, "softplus": softplus}, gated


def _gelus(f, e, gated, terms):
    """X * Phi(x) and its approximation by tanh; `terms` of the series of Phi around 0."""
    raised_decay, product, lower = e.raised_decay, e.product, e.lower_by
    series = ((-0.5) ** n / (math.factorial(n) * (2 * n + 1)) for n in range(terms, -1, -1))
    near = tuple(f(term / math.sqrt(2 * math.pi)) for term in series)
    tail, half, four, far, centred = tuple(map(f, _TAIL[f])), f(0.5), f(4), f(40), f(0.7)
    # 2 * sqrt(2 / pi) and 0.044715 of it, each in two parts.
    linear, cubic = f(1.5957691216057308), f(0.07135481627260025)
    linear_rest = f(1.5957691216057308 - float(linear) + -9.96930880911092e-17)
    cubic_rest = f(0.07135481627260025 - float(cubic) + -6.175149918155315e-19)
    zero = f(0)

    @inline
    def gelu(x, number):
        size = abs(x)
        a = far if size > far else size
        s = a * a
        centre = near[0]
        for coefficient in near[1:]:
            centre = fma(centre, s, coefficient)
        square, lost = product(a, a)
        t = (a - four) / (a + four)
        outer = tail[0]
        for coefficient in tail[1:]:
            outer = fma(outer, t, coefficient)
        beyond = -(raised_decay(square * half, lost * half) * outer * lower)
        below = x * zero if size > far else beyond
        outside = below if x < zero else x if size > far else x + beyond
        return x * fma(x, centre, half) if size < centred else outside

    @inline
    def gelu_tanh(x, number):
        size = abs(x)
        a = far if size > far else size
        square, square_lost = product(a, a)
        bend, bend_lost = product(cubic, square)
        slope = linear + bend
        carried = slope - linear
        slope_lost = (linear - (slope - carried)) + (bend - carried)
        slope_lost += bend_lost + linear_rest + cubic_rest * square + cubic * square_lost
        distance, lost = product(a, slope)
        return gated(x, distance, lost + a * slope_lost)

    return {"gelu": gelu, "gelu_tanh": gelu_tanh}


def _functions(f, e, odd_terms, terms):
    found, gated = _exponentials(f, e, odd_terms)
    return {**_rectifiers(f), **found, **_gelus(f, e, gated, terms)}


_OF_FLOAT = _functions(np.float32, exponential.OF_FLOAT, 8, 7)
_OF_DOUBLE = _functions(np.float64, exponential.OF_DOUBLE, 17, 12)
NAMES = tuple(_OF_FLOAT)


def _row(function):
    def body(params, row, numbers, start, stop):
        number = numbers[0]
        for k in range(params[P.items]):
            row[k] = function(row[k], number)

    return body


@kernel("element", "element", elements=("float32",), name=tuple(range(len(NAMES))))
def activate_float(name):
    """A row of float32."""
    return _row(_OF_FLOAT[NAMES[name]])


@kernel("element", "element", elements=("float64",), name=tuple(range(len(NAMES))))
def activate_double(name):
    """A row of float64."""
    return _row(_OF_DOUBLE[NAMES[name]])
