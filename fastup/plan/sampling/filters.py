"""The weights of each interpolation at a fraction of a pixel, and its filter where it is stretched by antialiasing.

Products and sums are contracted where torch 2.13's compiled code contracts them (x86-64 with FMA), so that weights are
equal to the last bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from fastup.plan.base import Array


def fma(a: Any, b: Any, c: Any, double: bool) -> Any:
    """The sum a * b + c in one rounding.

    In float64 the product of two float32 numbers is exact. For float64 the product's rounding error is found by
    Dekker's splitting and added at the end, which rounds a second time in about one of 2**50 cases.
    """
    if not double:
        # All three as float64: before NumPy 2 an array without axes gives way to a float32 one.
        return (np.asarray(a, np.float64) * np.asarray(b, np.float64) + np.asarray(c, np.float64)).astype(np.float32)
    a, b, c = (np.asarray(value, np.float64) for value in (a, b, c))
    product = a * b
    (a_high, a_low), (b_high, b_low) = _split(a), _split(b)
    error = a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)
    total = product + c
    part = total - product
    return total + (((product - (total - part)) + (c - part)) + error)


def _split(value: Any) -> tuple[Any, Any]:
    scaled = value * 134_217_729.0  # 2**27 + 1
    high = scaled - (scaled - value)
    return high, value - high


def _linear(past: Array, _double: bool) -> Array:
    return np.stack([1 - past, past], axis=1)


def _cubic(past: Array, double: bool) -> Array:
    """Keys' kernel with a = -0.75; the last sum of each polynomial is not contracted."""
    one = past.dtype.type(1)

    def near(x: Array) -> Array:
        return np.asarray(fma(1.25, x, -2.25, double) * x * x + one)

    def far(x: Array) -> Array:
        inner = fma(fma(-0.75, x, 3.75, double), x, -6.0, double)
        return np.asarray(inner * x + past.dtype.type(3))

    rest = one - past
    return np.stack([far(past + one), near(past), near(rest), far(rest + one)], axis=1)


def _lanczos(past: Array, _double: bool) -> Array:
    """Six taps, normalised; torch has no such mode."""
    away = past.astype(np.float64)[:, None] - np.arange(-2, 4)
    weights = lanczos3(away)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def lanczos3(x: Array) -> Array:
    """sinc(x) sinc(x / 3) within three pixels."""
    return np.where(np.abs(x) < 3, _sinc(x) * _sinc(x / 3), 0.0)


def _sinc(x: Array) -> Array:
    """sin(pi x) / (pi x), by the series of the sine about the nearest whole x.

    NumPy's sine is not the same everywhere: NumPy 1.24 on AVX-512 errs by units in the last place that others do not.
    """
    whole = np.rint(x)
    past = x - whole
    square = (np.pi * past) ** 2
    series = np.ones_like(x)
    for power in range(20, 0, -2):  # of at most (pi / 2)**2, whose eleventh term is below 1e-17
        series = 1 - square / (power * (power + 1)) * series
    folded = np.divide(past, x, out=np.ones_like(x), where=x != 0)
    return np.asarray((1 - 2 * (whole % 2)) * series * folded)


def _triangle(x: Array, _double: bool) -> Array:
    return np.maximum(1.0 - np.abs(x).astype(np.float64), 0.0).astype(x.dtype)


def _keys(x: Array, double: bool) -> Array:
    """Keys' kernel with a = -0.5, every sum contracted."""
    x = np.abs(x)
    near = fma(fma(1.5, x, -2.5, double) * x, x, 1.0, double)
    far = fma(fma(fma(-0.5, x, 2.5, double), x, -4.0, double), x, 2.0, double)
    return np.where(x < 1, near, np.where(x < 2, far, 0)).astype(x.dtype)


def _stretched_lanczos(x: Array, _double: bool) -> Array:
    return lanczos3(x.astype(np.float64)).astype(x.dtype)


Filter = Callable[[Array, bool], Array]
SAMPLED: dict[str, Filter] = {"linear": _linear, "cubic": _cubic, "lanczos": _lanczos}
ANTIALIASED: dict[str, Filter] = {"linear": _triangle, "cubic": _keys, "lanczos": _stretched_lanczos}


def _exact_cubic(a: float) -> Callable[[Array], Array]:
    def weight(x: Array) -> Array:
        x = np.abs(x)
        near = ((a + 2) * x - (a + 3)) * x * x + 1
        far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
        return np.where(x < 1, near, np.where(x < 2, far, 0.0))

    return weight


def _sine_lanczos(x: Array) -> Array:
    """As torch writes it, with the C library's sine: another order of operations would be other 16-bit weights."""

    def sinc(value: float) -> float:
        return math.sin(value * math.pi) / (value * math.pi) if value else 1.0

    flat = [sinc(v) * sinc(v / 3) if abs(v) < 3 else 0.0 for v in x.ravel().tolist()]
    return np.array(flat).reshape(x.shape)


def in_double(mode: str, antialias: bool) -> Callable[[Array], Array]:
    """The filter in float64 without contraction, as torch's uint8 kernels compute it before they round to 16 bits."""
    if mode == "linear":
        return lambda x: np.maximum(0.0, 1 - np.abs(x))
    if mode == "cubic":
        return _exact_cubic(-0.5 if antialias else -0.75)
    return _sine_lanczos
