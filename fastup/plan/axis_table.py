"""Coordinate rules: which input positions an output position reads, per axis. The only coordinate arithmetic.

The arithmetic is torch's, operation by operation in its precision (float32, or float64 for float64 arrays): with exact
rationals three percent of the nearest neighbours of random size pairs would be other pixels.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fastup.plan.base import Array, read_only

NEAREST = ("nearest", "nearest-exact")


def precision_of(dtype: np.dtype[Any]) -> type[np.floating[Any]]:
    """The type in which torch computes coordinates for arrays of `dtype`."""
    return np.float64 if dtype == np.float64 else np.float32


def sampling_scale(n_in: int, n_out: int, scale_factor: float | None, precision: type[np.floating[Any]]) -> float:
    """Input positions per output position: 1 / scale_factor where one was given, else the ratio of the sizes."""
    if scale_factor is not None:
        with np.errstate(over="ignore"):  # the caller refuses what is not finite
            return float(precision(1.0 / np.float64(scale_factor)))
    return float(precision(n_in) / precision(n_out))


def nearest(n_in: int, n_out: int, scale: float, mode: str, precision: type[np.floating[Any]]) -> Array:
    """Index of the input position that each output position copies.

    nearest: floor(i * scale). nearest-exact: floor(scale * (i + 0.5)), which torch computes as the pixel centre
    scale * (i + 0.5) - 0.5 in one rounding, clamped at 0, plus 0.5.
    """
    position = np.arange(n_out).astype(precision)
    if mode == "nearest":
        source = position * precision(scale)
    else:
        # In float64 the product of two float32 numbers is exact: one rounding, at the end, as a fused multiply-add has.
        exact = np.float64(scale) * (position + precision(0.5)).astype(np.float64) - 0.5
        source = np.maximum(exact.astype(precision), precision(0)).astype(np.float64) + 0.5
    index = np.floor(source.astype(np.float32)).astype(np.float64)
    return read_only(np.clip(index, 0, n_in - 1).astype(np.int64))  # clamped first: no scale is too large for an int


def repetition(index: Array, n_in: int) -> int:
    """How often each input position is copied in turn, if the same for all; else 0."""
    factor, rest = divmod(len(index), n_in)
    if rest or not np.array_equal(index, np.arange(len(index)) // factor):
        return 0
    return factor
