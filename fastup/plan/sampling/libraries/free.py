"""A rule that is put together: filter, coordinates, antialias and edges as one likes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from fastup.plan.base import Array
from fastup.plan.sampling import fixed_point
from fastup.plan.sampling.filter import Weight
from fastup.plan.sampling.filters import keys, triangle
from fastup.plan.sampling.rule import Rule

COORDINATES = ("half_pixel", "align_corners", "asymmetric")
EDGES = ("repeat", "renormalise", "reflect", "wrap")


def _box(x: Array) -> Array:
    return ((x > -0.5) & (x <= 0.5)).astype(np.float64)


def _lanczos(radius: int) -> Weight:
    def weight(x: Array) -> Array:
        return np.where(np.abs(x) < radius, np.sinc(x) * np.sinc(x / radius), 0.0)

    return weight


def _mitchell(x: Array) -> Array:
    x = np.abs(x)
    near = (7 * x - 12) * x * x / 6 + 8 / 9
    far = ((-7 * x / 18 + 2) * x - 10 / 3) * x + 16 / 9
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))


_RADII = {"nearest": 0.0, "box": 0.5, "linear": 1.0, "cubic": 2.0, "mitchell": 2.0, "lanczos3": 3.0, "lanczos4": 4.0}
FILTERS = tuple(_RADII)


@dataclass(frozen=True)
class FreeNearest(Rule):
    """The pixel whose area holds the coordinate; halves up.

    Attributes
    ----------
    coordinates : str
        One of `COORDINATES`.
    """

    coordinates: str
    copies = True

    def most_taps(self, n_in: int, n_out: int) -> int:
        """One."""
        return 1

    def taps(self, position: Array, n_in: int, n_out: int) -> tuple[Array, Array]:
        """The pixel, and weight 1."""
        index = np.floor(_sources(self.coordinates, position, n_in, n_out) + 0.5).astype(np.int64)
        return np.clip(index, 0, n_in - 1), np.ones((len(position), 1))


@dataclass(frozen=True)
class FreeWeights(Rule):
    """A filter around a coordinate, its weights divided by their sum.

    Attributes
    ----------
    filter : str
        One of `FILTERS`.
    cubic_coeff_a : float
        Of the cubic.
    coordinates, edge : str
        Of `COORDINATES` and `EDGES`.
    antialias : bool
        Whether the filter is stretched where the axis shrinks.
    bits : int
        Digits behind the point of integer weights; 0 for floats.
    """

    filter: str
    cubic_coeff_a: float
    coordinates: str
    antialias: bool
    edge: str
    bits: int = 0

    def _reach(self, n_in: int, n_out: int) -> tuple[float, float]:
        stretch = max(1.0, n_in / n_out) if self.antialias else 1.0
        return _RADII[self.filter] * stretch, stretch

    def most_taps(self, n_in: int, n_out: int) -> int:
        """Those between the ends of the filter; of edges that turn, perhaps all."""
        within = 2 * math.ceil(self._reach(n_in, n_out)[0]) + 1
        return n_in if self.edge in ("reflect", "wrap") else min(within, max(n_in, within))

    def taps(self, position: Array, n_in: int, n_out: int) -> tuple[Array, Array]:
        """In float64, or integers."""
        x = _sources(self.coordinates, position, n_in, n_out)
        reach, stretch = self._reach(n_in, n_out)
        first = np.ceil(x - reach).astype(np.int64)
        read = first[:, None] + np.arange(2 * math.ceil(reach) + 1)
        weights = self._weight((read - x[:, None]) / stretch)
        if self.edge == "renormalise":
            weights = np.where((read >= 0) & (read < n_in), weights, 0.0)
        total = weights.sum(axis=1, keepdims=True)
        weights = weights / np.where(total == 0, 1.0, total)
        if self.edge in ("reflect", "wrap"):
            first, weights = _merged(_turned(read, n_in, self.edge), weights)
        return first, fixed_point.rounded(weights, self.bits) if self.bits else weights

    def _weight(self, away: Array) -> Array:
        if self.filter == "cubic":
            return keys(self.cubic_coeff_a, away)
        if self.filter.startswith("lanczos"):
            return _lanczos(int(_RADII[self.filter]))(away)
        return {"box": _box, "linear": triangle, "mitchell": _mitchell}[self.filter](away)


def _sources(coordinates: str, position: Array, n_in: int, n_out: int) -> Array:
    """The input coordinate of each output position."""
    if coordinates == "align_corners":
        return np.asarray(position * ((n_in - 1) / (n_out - 1) if n_out > 1 else 0.0))
    scale = n_in / n_out
    return np.asarray(position * scale if coordinates == "asymmetric" else (position + 0.5) * scale - 0.5)


def _turned(read: Array, n_in: int, edge: str) -> Array:
    """Positions within the picture: of its mirror image, edge repeated, or of the next one."""
    if edge == "wrap":
        return np.mod(read, n_in)
    read = np.mod(read, 2 * n_in)
    return np.where(read >= n_in, 2 * n_in - 1 - read, read)


def _merged(read: Array, weights: Array) -> tuple[Array, Array]:
    """Taps that read the same position as one, so that all of them lie side by side."""
    first = read.min(axis=1)
    merged = np.zeros((len(read), int((read - first[:, None]).max(initial=0)) + 1))
    np.add.at(merged, (np.arange(len(read))[:, None], read - first[:, None]), weights)
    return first, merged
