"""What the gallery draws and measures with: test pictures, photos, and the measures themselves."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import fastup
from fastup import pictures
from fastup.cli import leave_one_out

Array = np.ndarray[Any, Any]
SMALL_PLATE, LARGE_PLATE = 58, 196  # x3.38, where nearest, nearest-exact and area differ


def zone_plate(size: int, pixels: int | None = None) -> Array:
    """Rings (1, 1, size, size) from 0 to 1, with half a cycle per pixel at the edges of a picture of `pixels`.

    With `pixels` smaller than `size` it is the picture that enlarging should give, with `pixels` larger the one that
    shrinking gives if it does nothing about what the small picture cannot hold.
    """
    line = (np.arange(size) + 0.5) / size - 0.5
    squares = line[:, None] ** 2 + line**2
    rings = 0.5 + 0.5 * np.cos(np.pi * (pixels or size) * squares)
    return rings.astype(np.float32)[None, None]


def photo(name: str) -> Array:
    """A photo that scikit-image ships, (1, channels, height, width) in uint8."""
    (path,) = (path for path in leave_one_out.photos() if path.stem == name)
    return np.ascontiguousarray(np.moveaxis(pictures.read(path), -1, 0)[None])


def small_photo(name: str, size: int) -> Array:
    """A photo made `size` x `size`, as floats from 0 to 1."""
    shrunk: Array = fastup.interpolate(photo(name).astype(np.float32) / 255, size=size, mode="bicubic", antialias=True)
    return np.asarray(np.clip(shrunk, 0, 1))


def psnr(y: Array, truth: Array, border: int = 0) -> float:
    """Peak signal-to-noise ratio in dB, without a border; white is 255 for uint8, else 1."""
    inner = (..., slice(border, truth.shape[-2] - border), slice(border, truth.shape[-1] - border))
    error = float(np.mean((y[inner].astype(np.float64) - truth[inner]) ** 2))
    white = 255.0 if truth.dtype == np.uint8 else 1.0
    return 10 * math.log10(white**2 / error) if error else math.inf


def largest(a: Array, b: Array) -> float:
    """The largest difference."""
    return float(np.abs(a.astype(np.float64) - b).max())


def centre_of_mass(values: Array) -> float:
    """Mean position along the last axis, weighted by the values."""
    return float((values * np.arange(values.shape[-1])).sum() / values.sum())


def phase_spread(y: Array, factor: int = 2) -> float:
    """How far apart the means of the phases lie, in standard deviations of the picture: 0 without a checkerboard."""
    means = [y[..., i::factor, j::factor].mean() for i, j in np.ndindex(factor, factor)]
    return float((max(means) - min(means)) / y.std())
