"""TensorFlow's coordinates and weights, float32 throughout: tf.image.resize of 2.21, and the operators of version 1."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fastup.plan.base import Array
from fastup.plan.sampling.filter import Weight
from fastup.plan.sampling.rule import Rule

f32 = np.float32
_STEPS = 1024  # of the table of cubic weights, for each pixel
_LEAST = f32(1000) * np.finfo(f32).tiny  # of a sum of weights that is divided by
_HALF = f32(0.5)


class Kernel(NamedTuple):
    """A filter, and how far it reaches where it is not stretched."""

    radius: float
    weight: Weight


def _triangle(x: Array) -> Array:
    return np.where(x < 1, f32(1) - x, f32(0))


def _keys(x: Array) -> Array:
    near = (f32(1.5) * x - f32(2.5)) * x * x + f32(1)
    far = ((f32(-0.5) * x + f32(2.5)) * x - f32(4)) * x + f32(2)
    return np.where(x >= 2, f32(0), np.where(x >= 1, far, near))


def _mitchell(x: Array) -> Array:
    near = (f32(7 / 6) * x - f32(2)) * x * x + f32(8 / 9)
    far = ((f32(-7 / 18) * x + f32(2)) * x - f32(10 / 3)) * x + f32(16 / 9)
    return np.where(x >= 2, f32(0), np.where(x >= 1, far, near))


def _gaussian(x: Array) -> Array:
    weights = np.exp((-x * x).astype(f32).astype(np.float64) / 0.5).astype(f32)
    return np.where(x >= f32(1.5), f32(0), weights)


def _lanczos(radius: int) -> Weight:
    r, pi = f32(radius), f32(math.pi)

    def sine(angle: Array) -> Array:
        return np.asarray(np.sin(angle.astype(f32).astype(np.float64)).astype(f32))

    def weight(x: Array) -> Array:
        below = np.where(x == 0, f32(1), pi * pi * x * x)
        lobes = r * sine(pi * x) * sine(pi * x / r) / below
        return np.where(x > r, f32(0), np.where(x <= f32(1e-3), f32(1), lobes))

    return weight


KERNELS = {
    "bilinear": Kernel(1, _triangle),
    "bicubic": Kernel(2, _keys),
    "mitchellcubic": Kernel(2, _mitchell),
    "gaussian": Kernel(1.5, _gaussian),
    "lanczos3": Kernel(3, _lanczos(3)),
    "lanczos5": Kernel(5, _lanczos(5)),
}


def _scale(n_in: int, n_out: int, aligned: bool = False) -> np.float32:
    if aligned and n_out > 1 and n_in > 1:
        return f32(f32(n_in - 1) / f32(n_out - 1))
    return f32(f32(n_in) / f32(n_out))


def _positions(coordinates: str, position: Array, n_in: int, n_out: int) -> Array:
    """Where outputs sample: "half_pixel", "align_corners" or "asymmetric"."""
    scale, x = _scale(n_in, n_out, coordinates == "align_corners"), position.astype(f32)
    return np.asarray((x + _HALF) * scale - _HALF if coordinates == "half_pixel" else x * scale)


@dataclass(frozen=True)
class TensorFlowNearest(Rule):
    """The pixel at a coordinate, whose centre is not taken away; aligned corners round halves up.

    Attributes
    ----------
    coordinates : str
    """

    coordinates: str
    copies = True

    def most_taps(self, n_in: int, n_out: int) -> int:
        """One."""
        return 1

    def taps(self, position: Array, n_in: int, n_out: int) -> tuple[Array, Array]:
        """The pixel, and weight 1."""
        aligned = self.coordinates == "align_corners"
        past = _HALF if self.coordinates == "half_pixel" else f32(0)
        x = (position.astype(f32) + past) * _scale(n_in, n_out, aligned)
        index = np.floor(x.astype(np.float64) + 0.5) if aligned else np.floor(x)
        return np.clip(index.astype(np.int64), 0, n_in - 1), np.ones((len(position), 1))


@dataclass(frozen=True)
class TensorFlowLinear(Rule):
    """Two neighbours of a coordinate.

    Attributes
    ----------
    coordinates : str
    """

    coordinates: str
    in_steps = True
    blend = "lerp"

    def most_taps(self, n_in: int, n_out: int) -> int:
        """Two."""
        return 2

    def taps(self, position: Array, n_in: int, n_out: int) -> tuple[Array, Array]:
        """The fraction of the second one."""
        x = _positions(self.coordinates, position, n_in, n_out)
        whole = np.floor(x)
        past = x - whole
        return whole.astype(np.int64), np.stack([f32(1) - past, past], axis=1)


@dataclass(frozen=True)
class TensorFlowCubic(Rule):
    """Four weights out of a table with steps of 1 / 1024 of a pixel.

    Half-pixel coordinates have a = -0.5, and no weight beyond the edges; others a = -0.75, and the edge repeated.

    Attributes
    ----------
    coordinates : str
    """

    coordinates: str
    in_steps = True

    def most_taps(self, n_in: int, n_out: int) -> int:
        """Four."""
        return 4

    def taps(self, position: Array, n_in: int, n_out: int) -> tuple[Array, Array]:
        """In float32, what is left at an edge divided by its sum."""
        inside = self.coordinates == "half_pixel"
        a, x = (-0.5 if inside else -0.75), np.arange(_STEPS + 1) / _STEPS
        near = (((a + 2) * x - (a + 3)) * x * x + 1).astype(f32)
        far = (((a * (x + 1) - 5 * a) * (x + 1) + 8 * a) * (x + 1) - 4 * a).astype(f32)
        at = _positions(self.coordinates, position, n_in, n_out)
        whole = np.floor(at)
        step = np.rint((at - whole) * f32(_STEPS)).astype(np.int64)
        weights = np.stack([far[step], near[step], near[_STEPS - step], far[_STEPS - step]], axis=1)
        first = whole.astype(np.int64) - 1
        if inside:
            read = first[:, None] + np.arange(4)
            weights = np.where((read >= 0) & (read < n_in), weights, f32(0))
            total = weights[:, 0] + weights[:, 1] + weights[:, 2] + weights[:, 3]
            divided = weights * (f32(1) / np.where(total == 0, f32(1), total))[:, None]
            weights = np.where(np.abs(total)[:, None] >= _LEAST, divided, weights)
        return first, weights


@dataclass(frozen=True)
class TensorFlowScaled(Rule):
    """A filter that is stretched where an axis shrinks, if `antialias`; what lies beyond the edges has no weight.

    Attributes
    ----------
    filter : str
        One of `KERNELS`.
    antialias : bool
    """

    filter: str
    antialias: bool
    in_steps = True

    def _inverse(self, n_in: int, n_out: int) -> np.float32:
        """The scale, rounded once as outputs per input and once more."""
        return f32(1.0 / np.float64(f32(n_out) / f32(n_in)))

    def most_taps(self, n_in: int, n_out: int) -> int:
        """Those between the ends of the filter."""
        stretch = max(float(self._inverse(n_in, n_out)), 1.0) if self.antialias else 1.0
        return min(n_in, 2 * math.ceil(KERNELS[self.filter].radius * stretch) + 2)

    def taps(self, position: Array, n_in: int, n_out: int) -> tuple[Array, Array]:
        """In float32, divided by their sum."""
        radius, weight = f32(KERNELS[self.filter].radius), KERNELS[self.filter].weight
        inverse = self._inverse(n_in, n_out)
        stretch = max(inverse, f32(1)) if self.antialias else f32(1)
        centre = (position.astype(f32) + _HALF) * inverse
        first, last = (
            np.clip(end.astype(np.int64), 0, n_in - 1)
            for end in (np.ceil(centre - radius * stretch - _HALF), np.floor(centre + radius * stretch - _HALF))
        )
        count = last + 1 - first
        tap = np.arange(max(1, int(count.max(initial=1))))
        away = ((first[:, None] + tap).astype(f32) + _HALF - centre[:, None]) * (f32(1) / stretch)
        absent = tap >= count[:, None]
        weights = np.where(absent, f32(0), weight(np.abs(away).astype(f32)).astype(f32))
        total = np.zeros(len(position), f32)
        for one in weights.T:
            total = total + one
        divided = weights * (f32(1) / np.where(total == 0, f32(1), total))[:, None]
        weights = np.where(np.abs(total)[:, None] >= _LEAST, divided, f32(0))
        weights[(centre < 0) | (centre > n_in)] = 0
        return first, np.where(absent, f32(np.nan), weights)


@dataclass(frozen=True)
class TensorFlowArea(Rule):
    """Covered parts of pixels, not yet divided by what an output covers.

    Attributes
    ----------
    aligned : bool
        Whether the scale is that of aligned corners.
    """

    aligned: bool = False
    in_steps = True

    def scale(self, n_in: int, n_out: int) -> np.float32:
        """Input positions per output position."""
        return _scale(n_in, n_out, self.aligned)

    def most_taps(self, n_in: int, n_out: int) -> int:
        """Those that an output may touch."""
        return math.ceil(float(self.scale(n_in, n_out))) + 2

    def taps(self, position: Array, n_in: int, n_out: int) -> tuple[Array, Array]:
        """In float32; pixels beyond the last are the last."""
        scale = self.scale(n_in, n_out)
        low, high = (edge.astype(f32) * scale for edge in (position, position + 1))
        first, end = np.floor(low).astype(np.int64), np.ceil(high).astype(np.int64)
        tap = np.arange(max(1, int((end - first).max(initial=1))))
        cell = first[:, None] + tap
        before, behind = cell.astype(f32), (cell + 1).astype(f32)
        cut = np.where(behind > high[:, None], scale, behind - low[:, None])
        rest = np.where(behind > high[:, None], high[:, None] - before, f32(1))
        weights = np.where(before < low[:, None], cut, rest)
        return first, np.where(cell < end[:, None], weights, f32(np.nan)).astype(f32)
