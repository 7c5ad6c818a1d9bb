"""The ratio of an axis in whole numbers: after how many positions its weights repeat, and whether float32 has them."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

LONGEST = 2**22  # outputs; beyond, halves of positions have too many digits for float32
_CLOSE = 2.0**-10  # of a pixel: what a coordinate in float32 may be off
_CHECKED = 512  # positions at the end of an axis, where coordinates are farthest off
_DIGITS = 24  # of a float32
_DENOMINATOR = 100_000  # of a scale factor that was meant as a fraction, such as 1.7 or 48 / 44.1


def ratio(n_in: int, n_out: int, scale: float, align_corners: bool) -> Fraction:
    """Input positions per output position, as the sizes or the scale factor say it."""
    sizes = Fraction(n_in - 1, max(1, n_out - 1)) if align_corners else Fraction(n_in, n_out)
    if _is(scale, sizes):
        return sizes
    if scale == 0:  # one output, or one input, of aligned corners
        return Fraction(0)
    meant, turned = Fraction(scale).limit_denominator(_DENOMINATOR), Fraction(1 / scale).limit_denominator(_DENOMINATOR)
    for found in (1 / turned if turned else meant, meant):
        if _is(scale, found):
            return found
    return Fraction(scale)


def _is(scale: float, found: Fraction) -> bool:
    """Whether a float is this fraction, rounded to float32 or to float64."""
    number = float(found)
    return found > 0 and (math.isclose(scale, number, rel_tol=2.0**-50) or scale == float(np.float32(number)))


def is_exact_in_float32(found: Fraction, n_in: int, n_out: int) -> bool:
    """Whether float32 holds every coordinate, so that weights repeat with the ratio."""
    digits = found.denominator.bit_length() - 1
    if found.denominator != 1 << digits:
        return False
    return n_in << (digits + 1) <= 1 << _DIGITS and n_out << 1 <= 1 << _DIGITS


def needs_float64(n_in: int, n_out: int, scale: float, align_corners: bool, double: bool) -> bool:
    """Whether coordinates as torch has them, in float32 (of `double` only their floor), are off by what can be seen."""
    if n_out > LONGEST:
        return True
    position = np.arange(max(0, n_out - _CHECKED), n_out)
    exact = position * scale if align_corners else (position + 0.5) * scale - 0.5
    if double:
        rough = np.minimum(exact, n_in).astype(np.float32).astype(np.float64)
        return bool((np.abs(rough - np.minimum(exact, n_in)) > _CLOSE).any())
    true = float(ratio(n_in, n_out, scale, align_corners))
    exact = position * true if align_corners else (position + 0.5) * true - 0.5
    kind = np.float32
    rough = (
        position.astype(kind) * kind(scale)
        if align_corners
        else (position + 0.5).astype(kind) * kind(scale) - kind(0.5)
    )
    return bool((np.abs(rough.astype(np.float64) - exact) > _CLOSE).any())
