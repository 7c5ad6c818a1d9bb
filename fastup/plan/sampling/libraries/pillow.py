"""Pillow's filters and tables, operation by operation as its C code has them: Image.resize of 11.3 to 13.0."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fastup.plan.base import Array
from fastup.plan.sampling import fixed_point
from fastup.plan.sampling.filter import Weight
from fastup.plan.sampling.filters import triangle
from fastup.plan.sampling.rule import Rule

BITS = 22  # behind the point of a weight of bytes
# Hamming's constants are float32 in the C code, and widened.
_RAISED, _COSINE = float(np.float32(0.54)), float(np.float32(0.46))


class Kernel(NamedTuple):
    """A filter, and how far it reaches where it is not stretched."""

    radius: float
    weight: Weight


def _of_libm(function: str, x: Array) -> Array:
    """Sine or cosine of the C library: NumPy's differ in the last bit."""
    flat = [getattr(math, function)(value) for value in x.ravel().tolist()]
    return np.array(flat, np.float64).reshape(x.shape)


def _sinc(x: Array) -> Array:
    angle = x * math.pi
    return np.divide(_of_libm("sin", angle), angle, out=np.ones_like(x), where=x != 0)


def _box(x: Array) -> Array:
    return ((x > -0.5) & (x <= 0.5)).astype(np.float64)


def _hamming(x: Array) -> Array:
    x = np.abs(x)
    weights = _sinc(x) * (_RAISED + _COSINE * _of_libm("cos", x * math.pi))
    return np.where(x >= 1, 0.0, np.where(x == 0, 1.0, weights))


def _bicubic(x: Array) -> Array:
    x, a = np.abs(x), -0.5
    near = ((a + 2.0) * x - (a + 3.0)) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * a
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))


def _lanczos(x: Array) -> Array:
    return np.where((x >= -3) & (x < 3), _sinc(x) * _sinc(x / 3), 0.0)


def _mks2013(x: Array) -> Array:
    """Magic kernel sharp, of 2013."""
    x = np.abs(x)
    past = x - 2.5
    pieces = [17 / 16 - 7 / 4 * (x * x), (1 - x) * (7 / 4 - x), -1 / 8 * (past * past)]
    return np.select([x < 0.5, x < 1.5, x < 2.5], pieces, 0.0)


def _mks2021(x: Array) -> Array:
    """Magic kernel sharp, of 2021."""
    x = np.abs(x)
    past = x - 4.5
    pieces = [
        577 / 576 - 239 / 144 * (x * x),
        35 / 36 * (x - 1) * (x - 239 / 140),
        1 / 6 * (x - 2) * (65 / 24 - x),
        1 / 36 * (x - 3) * (x - 15 / 4),
        -1 / 288 * (past * past),
    ]
    return np.select([x < bound for bound in (0.5, 1.5, 2.5, 3.5, 4.5)], pieces, 0.0)


KERNELS = {
    "box": Kernel(0.5, _box),
    "bilinear": Kernel(1.0, triangle),
    "hamming": Kernel(1.0, _hamming),
    "bicubic": Kernel(2.0, _bicubic),
    "lanczos": Kernel(3.0, _lanczos),
    "mks2013": Kernel(2.5, _mks2013),
    "mks2021": Kernel(4.5, _mks2021),
}


@dataclass(frozen=True)
class PillowWeights(Rule):
    """A stretched filter over the part of an axis between two coordinates, cut off at the edges of the picture.

    Attributes
    ----------
    filter : str
        One of `KERNELS`.
    begin, end : float
        The part, as float32 has it.
    bits : int
        `BITS` for bytes, else 0.
    """

    filter: str
    begin: float
    end: float
    bits: int = 0
    in_steps = True

    def _scale(self, n_out: int) -> float:
        """The difference of float32 numbers, divided in float64."""
        return float(np.float32(self.end) - np.float32(self.begin)) / n_out

    def most_taps(self, n_in: int, n_out: int) -> int:
        """One more than fit between the ends of the filter, since either may be rounded."""
        reach = KERNELS[self.filter].radius * max(self._scale(n_out), 1.0)
        return min(n_in, 2 * math.ceil(reach) + 1)

    def taps(self, position: Array, n_in: int, n_out: int) -> tuple[Array, Array]:
        """Weights of float64 that sum to 1, or integers that may not."""
        (radius, weight), scale = KERNELS[self.filter], self._scale(n_out)
        stretch = max(scale, 1.0)
        centre = self.begin + (position + 0.5) * scale
        first = np.maximum(np.trunc(centre - radius * stretch + 0.5).astype(np.int64), 0)
        end = np.minimum(np.trunc(centre + radius * stretch + 0.5).astype(np.int64), n_in)
        count = np.maximum(end - first, 0)
        taps = np.arange(max(1, int(count.max(initial=1))))
        absent = taps >= count[:, None]
        weights = np.where(absent, 0.0, weight(((first[:, None] + taps) - centre[:, None] + 0.5) * (1.0 / stretch)))
        total = np.zeros(len(position))
        for one in weights.T:  # from left to right
            total = total + one
        weights = weights / np.where(total == 0, 1.0, total)[:, None]
        if self.bits:
            return first, fixed_point.rounded(weights, self.bits)
        return first, np.where(absent, np.nan, weights)


@dataclass(frozen=True)
class PillowNearest(Rule):
    """The pixel under the coordinate, which is a running sum but for integers of 16 bits.

    Attributes
    ----------
    begin, end : float
        The part of the axis, as float32 has it.
    runs : bool
        Whether coordinates are a running sum in float64, with its errors.
    """

    begin: float
    end: float
    runs: bool
    copies = True

    def most_taps(self, n_in: int, n_out: int) -> int:
        """One."""
        return 1

    def taps(self, position: Array, n_in: int, n_out: int) -> tuple[Array, Array]:
        """The pixel, and weight 1."""
        step = float(np.float32(self.end) - np.float32(self.begin)) / n_out
        if self.runs:
            last = int(position.max(initial=0))
            x = np.cumsum(np.r_[self.begin + step * 0.5, np.full(last, step)])[position]
        else:
            x = step * (position + 0.5) + self.begin
        return np.minimum(np.trunc(x), n_in - 1).astype(np.int64), np.ones((len(position), 1))
