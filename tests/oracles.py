"""One naive definition per operator: plain loops over the formulas of the documentation."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def pixel_shuffle(x: Array, factors: Any, order: str = "CRD", data_format: str = "channels_first") -> Array:
    """y[c, r*h + i] = x[c*R + i, h] (CRD) or x[i*C + c, h] (DCR), for any rank."""
    factors = (factors, factors) if isinstance(factors, int) else tuple(factors)
    rank = len(factors)
    if data_format == "channels_last":
        moved = pixel_shuffle(np.moveaxis(x, -1, -1 - rank), factors, order)
        return np.moveaxis(moved, -1 - rank, -1)
    phases, channels = int(np.prod(factors)), x.shape[-1 - rank] // int(np.prod(factors))
    large = [n * r for n, r in zip(x.shape[-rank:], factors, strict=True)]
    y = np.empty((*x.shape[: -1 - rank], channels, *large), x.dtype)
    for c, (number, phase) in itertools.product(range(channels), enumerate(np.ndindex(*factors))):
        source = c * phases + number if order == "CRD" else number * channels + c
        every: Any = tuple(slice(i, None, r) for i, r in zip(phase, factors, strict=True))
        whole: Any = [slice(None)] * rank
        y[(..., c, *every)] = x[(..., source, *whole)]
    return y


def pixel_unshuffle(x: Array, factors: Any, order: str = "CRD", data_format: str = "channels_first") -> Array:
    """The inverse: where the shuffle of positions says that each item came from."""
    factors = (factors, factors) if isinstance(factors, int) else tuple(factors)
    rank = len(factors)
    if data_format == "channels_last":
        moved = pixel_unshuffle(np.moveaxis(x, -1, -1 - rank), factors, order)
        return np.moveaxis(moved, -1 - rank, -1)
    small = [n // r for n, r in zip(x.shape[-rank:], factors, strict=True)]
    shape = (*x.shape[: -1 - rank], x.shape[-1 - rank] * int(np.prod(factors)), *small)
    origin = pixel_shuffle(np.arange(x.size).reshape(shape), factors, order)
    y = np.empty(x.size, x.dtype)
    y[origin.ravel()] = x.ravel()
    return y.reshape(shape)


def nearest_position(i: int, n_in: int, n_out: int, factor: float | None, exact: bool, f: Any = np.float32) -> int:
    """torch's rule for one output position, in its precision."""
    scale = f(1.0 / factor) if factor is not None else f(n_in) / f(n_out)
    if not exact:
        return min(int(np.floor(np.float32(f(i) * scale))), n_in - 1)
    centre = f(np.float64(scale) * np.float64(f(i) + f(0.5)) - 0.5)
    return min(int(np.floor(np.float32(np.float64(max(centre, f(0))) + 0.5))), n_in - 1)


def interpolate(
    x: Array, size: Any = None, scale_factor: Any = None, mode: str = "nearest", data_format: str = "channels_first"
) -> Array:
    """Every output position copies the input position that the rule gives."""
    axes = range(2, x.ndim) if data_format == "channels_first" else range(1, x.ndim - 1)
    precision = np.float64 if x.dtype == np.float64 else np.float32
    for k, axis in enumerate(axes):
        n = x.shape[axis]
        factor = scale_factor[k] if isinstance(scale_factor, tuple) else scale_factor
        wanted = size[k] if isinstance(size, tuple) else size
        m = wanted if factor is None else int(n * factor)
        rule = (n, m, factor, mode == "nearest-exact", precision)
        x = np.take(x, [nearest_position(i, *rule) for i in range(m)], axis)
    return x
