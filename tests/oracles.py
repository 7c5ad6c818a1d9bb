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


def max_pool(
    x: Array, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False
) -> tuple[Array, Array]:
    """Window by window over (N, C, *space): a value that is larger, or no number, replaces the one before it."""
    rank = x.ndim - 2
    k, p, d = (n if isinstance(n, tuple) else (n,) * rank for n in (kernel_size, padding, dilation))
    s = k if stride is None else stride if isinstance(stride, tuple) else (stride,) * rank
    size = []
    for n, kk, ss, pp, dd in zip(x.shape[2:], k, s, p, d, strict=True):
        room = n + 2 * pp - dd * (kk - 1) - 1
        windows = (-(-room // ss) if ceil_mode else room // ss) + 1
        size.append(windows - (ceil_mode and (windows - 1) * ss >= n + pp))
    y, indices = np.empty((*x.shape[:2], *size), x.dtype), np.empty((*x.shape[:2], *size), np.int64)
    flat = x.reshape(*x.shape[:2], -1)
    for window in np.ndindex(*size):
        taps = [[o * ss - pp + t * dd for t in range(kk)] for o, kk, ss, pp, dd in zip(window, k, s, p, d, strict=True)]
        inside = [[i for i in axis if 0 <= i < n] for axis, n in zip(taps, x.shape[2:], strict=True)]
        places = [int(np.ravel_multi_index(at, x.shape[2:])) for at in itertools.product(*inside)]
        for plane in np.ndindex(*x.shape[:2]):
            best = places[0]
            for place in places[1:]:
                value = flat[(*plane, place)]
                best = place if value > flat[(*plane, best)] or value != value else best
            y[(*plane, *window)], indices[(*plane, *window)] = flat[(*plane, best)], best
    return y, indices


def max_unpool(x: Array, indices: Array, size: tuple[int, ...]) -> Array:
    """Values one after the other into planes of zeros, in the order of x."""
    y = np.zeros((*x.shape[:2], int(np.prod(size))), x.dtype)
    for plane in np.ndindex(*x.shape[:2]):
        for value, place in zip(x[plane].ravel(), indices[plane].ravel(), strict=True):
            y[(*plane, place)] = value
    return y.reshape(*x.shape[:2], *size)
