"""A stage that rounds a finished row as another library does, before it is stored: what is whole then stays as it is.

Rounding goes through sums with a number whose step is 1, which round half to even, and is corrected from there: the
processor's own instruction is a call of the C library where it is missing.
"""

from __future__ import annotations

import numpy as np

from fastup.cpu.resample.kernels.vertical import FLOATS
from fastup.runtime.fields import Fields
from fastup.runtime.kernel import inline, kernel

P = Fields("items rounding")
ROUNDINGS = (
    "half even",  # what `store` does
    "half away",
    "half up",
    "toward zero",
    "half away, as x86 converts",  # beyond 32 bits everything becomes the least of them
    "half away, bytes apart",  # what is beyond 16 bits: the upper byte is cut off, the lower one stays
)
HALF_AWAY, HALF_UP, TOWARD_ZERO, LIKE_X86, BYTES_APART = range(1, len(ROUNDINGS))


def _settled(f, whole):
    """The body for rows of a type, whose step from `whole` on is 1."""
    half, one, whole = f(0.5), f(1), f(whole)
    low, high = f(-(2.0**31)), f(2.0**31)
    byte, upper, top = f(256), f(0xFF00), f(0xFFFF)

    @inline
    def truncated(value):
        magnitude = abs(value)
        if magnitude >= whole or value != value:
            return value
        below = (magnitude + whole) - whole
        if below > magnitude:
            below -= one
        return below if value >= 0 else -below

    @inline
    def away(value):
        return truncated(value + half if value >= 0 else value - half)

    @inline
    def up(value):
        moved = value + half
        below = truncated(moved)
        return below - one if below > moved else below

    @inline
    def as_x86_converts(value):
        rounded = away(value)
        return rounded if rounded >= low and rounded < high else low

    @inline
    def with_bytes_apart(value):
        rounded = away(value)
        return upper + (rounded - truncated(rounded / byte) * byte) if rounded > top else rounded

    def body(params, line, dst, start, stop):
        rounding = params[P.rounding]
        for k in range(params[P.items]):
            value = line[k]
            if rounding == HALF_AWAY:
                value = away(value)
            elif rounding == HALF_UP:
                value = up(value)
            elif rounding == TOWARD_ZERO:
                value = truncated(value)
            elif rounding == LIKE_X86:
                value = as_x86_converts(value)
            else:
                value = with_bytes_apart(value)
            line[k] = value

    return body


@kernel("element", "element", elements=FLOATS[:1])
def settle():
    """Rows of float32."""
    return _settled(np.float32, 2.0**23)


@kernel("element", "element", elements=FLOATS[1:])
def settle_of_doubles():
    """Rows of float64."""
    return _settled(np.float64, 2.0**52)
