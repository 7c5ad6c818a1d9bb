"""jax.image.resize: weights of all pixels within a filter, divided by their sum. Of 0.10, within rounding."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from fastup.plan.base import Array
from fastup.plan.sampling.filter import Weight
from fastup.plan.sampling.filters import keys, triangle
from fastup.plan.sampling.rule import Rule

_LEAST = 1000 * float(np.finfo(np.float32).eps)  # of a sum of weights that is divided by
_RADII = {"linear": 1, "cubic": 2, "cubic-pytorch": 2, "lanczos3": 3, "lanczos5": 5}


def _lanczos(radius: int) -> Weight:
    def weight(x: Array) -> Array:
        lobes = np.sinc(x) * np.sinc(x / radius)
        return np.where(np.abs(x) > radius, 0.0, lobes)

    return weight


def _weight(method: str, antialias: bool) -> Weight:
    if method == "linear":
        return triangle
    if method.startswith("lanczos"):
        return _lanczos(_RADII[method])
    a = -0.75 if method == "cubic-pytorch" and not antialias else -0.5
    return lambda x: keys(a, x)


@dataclass(frozen=True)
class JaxNearest(Rule):
    """The pixel under a centre, whose scale XLA folds to ``n * (1 / m)`` in float32."""

    copies = True

    def most_taps(self, n_in: int, n_out: int) -> int:
        """One."""
        return 1

    def taps(self, position: Array, n_in: int, n_out: int) -> tuple[Array, Array]:
        """The pixel, and weight 1."""
        f32 = np.float32
        x = (position.astype(f32) + f32(0.5)) * (f32(n_in) * (f32(1) / f32(n_out)))
        return np.minimum(np.floor(x).astype(np.int64), n_in - 1), np.ones((len(position), 1))


@dataclass(frozen=True)
class JaxWeights(Rule):
    """A filter that is stretched where an axis shrinks, if `antialias`.

    Attributes
    ----------
    method : str
        "linear", "cubic", "cubic-pytorch", "lanczos3" or "lanczos5".
    antialias : bool
    """

    method: str
    antialias: bool

    def _stretch(self, n_in: int, n_out: int) -> tuple[float, float]:
        """Input positions per output position, and how far the filter is stretched."""
        scale = float(np.float32(1.0 / (n_out / n_in)))
        return scale, max(scale, 1.0) if self.antialias else 1.0

    def most_taps(self, n_in: int, n_out: int) -> int:
        """Those between the ends of the filter."""
        return 2 * math.ceil(_RADII[self.method] * self._stretch(n_in, n_out)[1]) + 1

    def taps(self, position: Array, n_in: int, n_out: int) -> tuple[Array, Array]:
        """Pixels beyond the edge have no weight; cubic-pytorch without antialias reads the edge for them."""
        scale, stretch = self._stretch(n_in, n_out)
        centre = ((position + 0.5) * scale - 0.5).astype(np.float32).astype(np.float64)
        reach = _RADII[self.method] * stretch
        first = np.ceil(centre - reach).astype(np.int64)
        read = first[:, None] + np.arange(self.most_taps(n_in, n_out))
        weights = _weight(self.method, self.antialias)((centre[:, None] - read) / stretch)
        if self.antialias or self.method != "cubic-pytorch":
            weights = np.where((read >= 0) & (read < n_in), weights, 0.0)
        total = weights.sum(axis=1, keepdims=True)
        kept = np.abs(total) > _LEAST
        return first, np.where(kept, weights / np.where(kept, total, 1.0), 0.0)


@dataclass(frozen=True)
class JaxArea(Rule):
    """Covered parts of pixels, divided by their sum."""

    def most_taps(self, n_in: int, n_out: int) -> int:
        """Those that an output may touch."""
        return math.ceil(n_in / n_out) + 2

    def taps(self, position: Array, n_in: int, n_out: int) -> tuple[Array, Array]:
        """Overlaps of the output with each pixel."""
        scale = np.float32(1.0 / (n_out / n_in))
        low = position.astype(np.float32) * scale
        first = np.floor(low).astype(np.int64)
        cell = first[:, None] + np.arange(self.most_taps(n_in, n_out))
        begin, end = cell.astype(np.float32), (cell + 1).astype(np.float32)
        covered = np.minimum((low + scale)[:, None], end) - np.maximum(low[:, None], begin)
        covered = np.where((cell >= 0) & (cell < n_in), np.maximum(covered, 0.0), 0.0)
        total = covered.sum(axis=1, keepdims=True)
        return first, covered / np.where(total > _LEAST, total, 1.0)
