"""OpenCV's coordinates and weights, rounding for rounding: cv2.resize of 4.14 and 5.0, its generic code.

Lengths divide to ``inverse = m / n`` first, and the scale is its reciprocal: two roundings, so 1 / (1 / 49) is not 49.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from fastup.plan.base import Array
from fastup.plan.sampling.rule import Rule

HALVES = {"linear": 1, "area": 1, "cubic": 2, "lanczos4": 4}
ONE = 1 << 11  # of an integer weight
_SMALL = 1e-3  # of a pixel: what is less of it does not count as covered
_SINGULAR, _HUGE = 1e-6, 1e30
_ROOT = 0.70710678118654752440
_TURNS = ((1, 0), (-_ROOT, -_ROOT), (0, 1), (_ROOT, -_ROOT), (-1, 0), (_ROOT, _ROOT), (0, -1), (-_ROOT, _ROOT))


def scale_of(n_in: int, n_out: int) -> float:
    """Input positions per output position."""
    return 1.0 / (n_out / n_in)


@dataclass(frozen=True)
class OpenCvNearest(Rule):
    """The pixel at a coordinate.

    Attributes
    ----------
    kind : {"floor", "running", "fixed"}
        ``floor(i * scale)``; under a running sum of pixel centres, as version 5 has it for nearest_exact; or under
        centres in 16 bits of a fixed point, as version 4.
    """

    kind: str
    copies = True

    def most_taps(self, n_in: int, n_out: int) -> int:
        """One."""
        return 1

    def taps(self, position: Array, n_in: int, n_out: int) -> tuple[Array, Array]:
        """The pixel, and weight 1."""
        if self.kind == "floor":
            index = np.floor(position * scale_of(n_in, n_out)).astype(np.int64)
        elif self.kind == "running":
            step, last = n_in / n_out, int(position.max(initial=0))
            index = np.floor(np.cumsum(np.r_[step * 0.5, np.full(last, step)])[position]).astype(np.int64)
        else:
            step = ((n_in << 16) + n_out // 2) // n_out
            index = (position * step + (step // 2 - n_in % 2)) >> 16
        return np.minimum(index, n_in - 1), np.ones((len(position), 1))


@dataclass(frozen=True)
class OpenCvTaps(Rule):
    """Two, four or eight taps around a coordinate of float32.

    Attributes
    ----------
    filter : {"linear", "area", "cubic", "lanczos4"}
        "area" is what enlarging by area means: two taps where an output covers an edge.
    along_rows : bool
        Whether pixels of one row are weighed: linear then leaves no weight beyond the edges.
    whole : bool
        Whether weights are rounded to multiples of 1 / `ONE`, and are these integers.
    divisor : float
        What integer weights are divided by.
    blend, lanes
        As of every rule.
    """

    filter: str
    along_rows: bool
    whole: bool = False
    divisor: float = 1.0
    blend: str = "in steps"
    lanes: int = 0
    in_steps = True

    @property
    def sums_bytes(self) -> bool:  # type: ignore[override]
        """Whether weights are integers."""
        return self.whole and self.along_rows and self.divisor == 1

    def most_taps(self, n_in: int, n_out: int) -> int:
        """All, also where they read one edge pixel."""
        return 2 * HALVES[self.filter]

    def taps(self, position: Array, n_in: int, n_out: int) -> tuple[Array, Array]:
        """Weights in float32; taps beyond the edge read the edge."""
        first, past = self._coordinates(position, n_in, n_out)
        if self.along_rows and HALVES[self.filter] == 1:
            past = np.where((first < 0) | (first >= n_in - 1), np.float32(0), past)
            first = np.clip(first, 0, n_in - 1)
        weights = _WEIGHTS[self.filter](past)
        if self.whole:
            weights = np.rint(weights * np.float32(ONE)) / self.divisor
        return first - (HALVES[self.filter] - 1), weights

    def _coordinates(self, position: Array, n_in: int, n_out: int) -> tuple[Array, Array]:
        inverse, scale = n_out / n_in, scale_of(n_in, n_out)
        if self.filter == "area":
            first = np.floor(position * scale).astype(np.int64)
            past = ((position + 1) - (first + 1) * inverse).astype(np.float32)
            return first, np.where(past <= 0, np.float32(0), past - np.floor(past))
        x = ((position + 0.5) * scale - 0.5).astype(np.float32)
        whole = np.floor(x)
        return whole.astype(np.int64), x - whole


def _linear(past: Array) -> Array:
    return np.stack([np.float32(1) - past, past], axis=1)


def _cubic(past: Array) -> Array:
    """Keys' weights with a = -0.75; the last one is what the others leave."""
    a, one = np.float32(-0.75), np.float32(1)
    far, rest = past + one, one - past

    def near(x: Array) -> Array:
        return np.asarray(((a + np.float32(2)) * x - (a + np.float32(3))) * x * x + one)

    first = ((a * far - np.float32(5) * a) * far + np.float32(8) * a) * far - np.float32(4) * a
    middle = near(past), near(rest)
    return np.stack([first, *middle, one - first - middle[0] - middle[1]], axis=1)


def _lanczos4(past: Array) -> Array:
    """Eight lobes by the sine and the cosine of one angle; divided by their sum in float32."""
    shifted = past + np.float32(3)
    angles = [-float(one) * math.pi * 0.25 for one in shifted]
    sine, cosine = (np.array([function(one) for one in angles]) for function in (math.sin, math.cos))
    found, total = [], np.zeros_like(past)
    for tap, (by_sine, by_cosine) in enumerate(_TURNS):
        away = shifted - np.float32(tap)
        angle = -away.astype(np.float64) * math.pi * 0.25
        singular = np.abs(away) < np.float32(_SINGULAR)
        lobe = (by_sine * sine + by_cosine * cosine) / np.where(singular, 1.0, angle * angle)
        found.append(np.where(singular, _HUGE, lobe).astype(np.float32))
        total = total + found[-1]
    return np.stack(found, axis=1) * (np.float32(1) / total)[:, None]


_WEIGHTS = {"linear": _linear, "area": _linear, "cubic": _cubic, "lanczos4": _lanczos4}


@dataclass(frozen=True)
class IppLinear(Rule):
    """Two neighbours, as Intel's library has them: the sum of one and a part of the difference, in one rounding."""

    in_steps = True
    blend = "fused lerp"

    def most_taps(self, n_in: int, n_out: int) -> int:
        """Two."""
        return 2

    def taps(self, position: Array, n_in: int, n_out: int) -> tuple[Array, Array]:
        """The fraction of the second one, in float32; the edge repeated."""
        x = (position + 0.5) * (n_in / n_out) - 0.5
        whole = np.floor(x)
        past = (x - whole).astype(np.float32)
        return whole.astype(np.int64), np.stack([np.float32(1) - past, past], axis=1)


@dataclass(frozen=True)
class IppCubic(Rule):
    """Four neighbours by Keys' weights with a = -0.75, as Intel's library has them, which sums in an unknown order."""

    in_steps = True

    def most_taps(self, n_in: int, n_out: int) -> int:
        """Four."""
        return 4

    def taps(self, position: Array, n_in: int, n_out: int) -> tuple[Array, Array]:
        """Polynomials in float64 of a fraction that is a multiple of ``2**-23``; the edge repeated."""
        x = (position + 0.5) * (n_in / n_out) - 0.5
        whole = np.floor(x)
        past = ((np.float32(1) + (x - whole).astype(np.float32)) - np.float32(1)).astype(np.float64)
        far, near = ([-0.75, 3.75, -6.0, 3.0], [1.25, -2.25, 0.0, 1.0])
        weights = [
            np.polyval(far, 1 + past),
            np.polyval(near, past),
            np.polyval(near, 1 - past),
            np.polyval(far, 2 - past),
        ]
        return whole.astype(np.int64) - 1, np.stack(weights, axis=1).astype(np.float32)


@dataclass(frozen=True)
class OpenCvExactLinear(Rule):
    """Two weights of 8 or 16 bits, which sums of float32 or float64 hold as they are.

    Attributes
    ----------
    digits : int
        Bits of a weight.
    multiple : float
        What weights that sum to 1 are multiplied by.
    blend
        As of every rule.
    """

    digits: int
    multiple: float = 1.0
    blend: str = "in steps"
    in_steps = True

    @property
    def sums_bytes(self) -> bool:  # type: ignore[override]
        """Whether weights are integers."""
        return self.multiple == 1 << self.digits

    def most_taps(self, n_in: int, n_out: int) -> int:
        """Two."""
        return 2

    def taps(self, position: Array, n_in: int, n_out: int) -> tuple[Array, Array]:
        """Whole multiples of ``2**-digits``; beyond the first and the last pixel's centre that pixel alone."""
        x = scale_of(n_in, n_out) * (position + 0.5) - 0.5
        first = np.floor(x).astype(np.int64)
        past = np.rint((x - first) * (1 << self.digits)) / (1 << self.digits)
        past = np.where((first < 0) | (first >= n_in - 1), 0.0, past)
        return np.clip(first, 0, n_in - 1), np.stack([1.0 - past, past], axis=1) * self.multiple


@dataclass(frozen=True)
class OpenCvArea(Rule):
    """Covered parts of pixels where an axis shrinks, in float32; they need not sum to 1."""

    in_steps = True

    def most_taps(self, n_in: int, n_out: int) -> int:
        """Those that are covered, and both that are cut."""
        return min(n_in, math.ceil(scale_of(n_in, n_out)) + 2)

    def taps(self, position: Array, n_in: int, n_out: int) -> tuple[Array, Array]:
        """The cut pixel before, whole ones, the cut pixel behind."""
        scale = scale_of(n_in, n_out)
        low = position * scale
        high = low + scale
        cell = np.minimum(scale, n_in - low)
        end = np.minimum(np.floor(high).astype(np.int64), n_in - 1)
        begin = np.minimum(np.ceil(low).astype(np.int64), end)
        before, behind = begin - low > _SMALL, high - end > _SMALL
        first = np.where(before, begin - 1, begin)
        count = (end - begin) + before + behind
        tap = np.arange(max(1, int(count.max(initial=1))))
        weights = np.broadcast_to((1.0 / cell)[:, None], (len(position), len(tap))).copy()
        weights[:, 0] = np.where(before, (begin - low) / cell, weights[:, 0])
        last = np.minimum(np.minimum(high - end, 1.0), cell) / cell
        weights = np.where(behind[:, None] & (tap == (count - 1)[:, None]), last[:, None], weights)
        return first, np.where(tap < count[:, None], weights, np.nan).astype(np.float32)
