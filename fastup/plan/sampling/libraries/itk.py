"""ITK's positions along an axis, as SimpleITK's Resample has them for a grid whose outer edges are the picture's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastup.plan.base import Array
from fastup.plan.sampling.rule import Rule


def coordinates(n_in: int, n_out: int, fastest: bool) -> Array:
    """Of all positions of the result."""
    return _positions(np.arange(n_out), n_in, n_out, fastest)


def _positions(position: Array, n_in: int, n_out: int, fastest: bool) -> Array:
    """Coordinates in float64: of the fastest axis between the ends of a line, of others step by step."""
    scale = n_in / n_out
    start = 0.5 * (scale - 1)
    if not fastest:
        return np.asarray(start + position * scale)
    end = start + n_out * scale
    return np.asarray(start + (end - start) * (position / n_out))


@dataclass(frozen=True)
class ItkNearest(Rule):
    """The nearest pixel, halves up.

    Attributes
    ----------
    fastest : bool
        Whether the axis is the one along rows.
    """

    fastest: bool
    copies = True

    def most_taps(self, n_in: int, n_out: int) -> int:
        """One."""
        return 1

    def taps(self, position: Array, n_in: int, n_out: int) -> tuple[Array, Array]:
        """The pixel, and weight 1."""
        index = np.floor(_positions(position, n_in, n_out, self.fastest) + 0.5).astype(np.int64)
        return np.clip(index, 0, n_in - 1), np.ones((len(position), 1))


@dataclass(frozen=True)
class ItkLinear(Rule):
    """Two neighbours; the edge repeated.

    Attributes
    ----------
    fastest : bool
        Whether the axis is the one along rows.
    """

    fastest: bool
    in_steps = True
    blend = "lerp"

    def most_taps(self, n_in: int, n_out: int) -> int:
        """Two."""
        return 2

    def taps(self, position: Array, n_in: int, n_out: int) -> tuple[Array, Array]:
        """The fraction of the second one."""
        x = _positions(position, n_in, n_out, self.fastest)
        first = np.clip(np.floor(x).astype(np.int64), 0, n_in - 1)
        past = np.maximum(x - first, 0.0)
        return first, np.stack([1.0 - past, past], axis=1)
