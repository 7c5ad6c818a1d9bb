"""Naive definitions of the smooth modes of interpolation, in torch's arithmetic: loops over the positions of one axis.

Nothing here comes from fastup. Each axis gets a list with one row per output position: the input positions that it
reads and their weights. float32 follows torch 2.13's code for x86-64 with FMA, contraction by contraction.
"""

from __future__ import annotations

import functools
import itertools
import math
import operator
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from tests import oracles

Array = np.ndarray[Any, Any]
Row = list[tuple[int, Any]]
KINDS = {"linear": "linear", "bilinear": "linear", "trilinear": "linear", "n-linear": "linear", "bicubic": "cubic"}
HALF = {"linear": 1, "cubic": 2, "lanczos": 3}


def interpolate(
    x: Array,
    size: Any = None,
    scale_factor: Any = None,
    mode: Any = "n-linear",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
    data_format: str = "channels_first",
) -> Array:
    """Resample one axis after the other, the last one first; round to the dtype at the end."""
    if data_format == "channels_last":
        first = np.moveaxis(x, -1, 1)
        y = interpolate(first, size, scale_factor, mode, align_corners, recompute_scale_factor, antialias)
        return np.moveaxis(y, 1, -1)
    extents = x.shape[2:]
    modes = mode if isinstance(mode, tuple) else (KINDS.get(mode, mode),) * len(extents)
    factors = _spread(None if mode == "area" or recompute_scale_factor else scale_factor, len(extents))
    sizes = _spread(size, len(extents))
    if size is None:
        given = _spread(scale_factor, len(extents))
        sizes = tuple(math.floor(n * factor) for n, factor in zip(extents, given, strict=True))
    axes = list(zip(modes, extents, sizes, factors, strict=True))
    if is_fixed_point(x.dtype, modes, antialias):
        return _fixed_point(x, axes, bool(align_corners), antialias)
    changed = [k for k, axis in enumerate(axes) if not _is_identity(*axis, bool(align_corners), antialias)]
    if not changed:
        return x.copy()
    y = x.astype(precision(x.dtype))
    if mode == "area":
        if not any(m % n for n, m in zip(extents, sizes, strict=True)):  # means of one value: a copy
            return functools.reduce(lambda z, k: z.repeat(sizes[k] // extents[k], 2 + k), changed, x)
        return _whole_area(x, sizes) if x.dtype.kind in "iu" else rounded(_area(y, sizes), x.dtype)
    for k in reversed(changed):
        line = _along_last(np.moveaxis(y, 2 + k, -1), *axes[k], bool(align_corners), antialias)
        y = np.moveaxis(line, -1, 2 + k)
    return rounded(y, x.dtype)


def _spread(value: Any, rank: int) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,) * rank


def precision(dtype: Any) -> Any:
    """Sums and coordinates are float64 for float64 and for integers, float32 for all else."""
    return np.float64 if np.dtype(dtype) == np.float64 or np.dtype(dtype).kind in "iu" else np.float32


def rounded(y: Array, dtype: Any) -> Array:
    """In the given dtype: integers round half to even and saturate, small ones as if their weights were exact."""
    if dtype.kind not in "iu":
        return y.astype(dtype)
    limits = np.iinfo(dtype)
    if dtype.itemsize <= 2:
        y = np.rint(y * 2.0**30) / 2.0**30
    saturated = [min(max(round(value), limits.min), limits.max) for value in y.ravel().tolist()]
    return np.array(saturated, dtype).reshape(y.shape)


def fma(a: Any, b: Any, c: Any) -> Any:
    """a * b + c in one rounding."""
    a, b, c = (np.asarray(value) for value in (a, b, c))
    wide = a.astype(np.float64) * b.astype(np.float64) + c.astype(np.float64)
    if a.dtype == np.float32:  # the product of two float32 numbers is exact in float64
        return wide.astype(np.float32)
    finite = np.isfinite(wide)
    with np.errstate(all="ignore"):
        terms = [np.where(finite, term, 0.0) for term in (a * b, _product_error(a, b), c)]
    return np.where(finite, np.asarray(_EXACT_SUM(*terms), np.float64), wide)[()]


_EXACT_SUM = np.frompyfunc(lambda *terms: math.fsum(terms), 3, 1)


def _product_error(a: Array, b: Array) -> Array:
    """What a * b loses to rounding, by Veltkamp's splitting."""
    (a_high, a_low), (b_high, b_low) = _halves(a), _halves(b)
    return np.asarray(a_low * b_low - (a * b - a_high * b_high - a_low * b_high - a_high * b_low))


def _halves(value: Array) -> tuple[Array, Array]:
    scaled = value * (2.0**27 + 1)
    high = scaled - (scaled - value)
    return high, value - high


def sampling_scale(n: int, m: int, factor: float | None, aligned: bool, f: Any) -> Any:
    if aligned:
        return f(n - 1) / f(m - 1) if m > 1 else f(0)
    return f(n) / f(m) if factor is None else f(1.0 / factor)


def _is_identity(mode: str, n: int, m: int, factor: float | None, aligned: bool, antialias: bool) -> bool:
    """Axes that keep their size are left alone, but for nearest, cubic and lanczos that were given a scale."""
    heeds_factor = mode.startswith("nearest") or (mode in ("cubic", "lanczos") and not antialias)
    return n == m and (not heeds_factor or factor in (None, 1) or (aligned and mode == "cubic"))


def _along_last(x: Array, mode: str, n: int, m: int, factor: float | None, aligned: bool, antialias: bool) -> Array:
    f, filtered = x.dtype.type, antialias and mode in HALF
    aligned = aligned and mode in ("linear", "cubic")
    scale = sampling_scale(n, m, factor, aligned, f)
    if mode == "area":
        return np.moveaxis(_area(np.moveaxis(x, -1, 2), (m,)), 2, -1)
    rows: list[Row] = []
    for i in range(m):
        if mode.startswith("nearest"):
            rows.append([(oracles.nearest_position(i, n, m, factor, mode == "nearest-exact", f), f(1))])
        elif filtered:
            rows.append(antialias_row(i, n, mode, scale, f))
        else:
            rows.append(sampled_row(i, n, mode, scale, aligned, f))
    order = {("linear", False): (1, 0), ("cubic", False): (1, 0, 2, 3)}.get((mode, antialias))
    return np.stack([weighted_sum(x, row, order) for row in rows], axis=-1)


def weighted_sum(x: Array, row: Row, order: Sequence[int] | None = None) -> Array:
    """The first product, then one contracted product and sum per further tap, in this order."""
    taps = row if order is None else [row[k] for k in order]
    total = x[..., taps[0][0]] * taps[0][1]
    for position, weight in taps[1:]:
        total = fma(x[..., position], weight, total)
    return np.asarray(total)


def sampled_row(i: int, n: int, mode: str, scale: Any, aligned: bool, f: Any) -> Row:
    """Taps around the sampled coordinate; those beyond an edge read the edge."""
    source = scale * f(i) if aligned else fma(scale, f(i) + f(0.5), f(-0.5))
    if mode == "linear":
        source = max(source, f(0))
    low = min(math.floor(np.float32(source)), n - 1)  # through float32 even for float64
    past = f(min(max(source - f(low), f(0)), f(1)))
    half = HALF[mode]
    weights = {"linear": _linear, "cubic": _cubic, "lanczos": _lanczos}[mode](past, f)
    return [(min(max(low + 1 - half + k, 0), n - 1), weights[k]) for k in range(2 * half)]


def exact_row(i: int, n: int, m: int, mode: str, aligned: bool, f: Any) -> Row:
    """The same by whole numbers: the rule of long axes, where float32 would be off; weights are rounded at the end."""
    source = Fraction((n - 1) * i, m - 1) if aligned else Fraction((2 * i + 1) * n, 2 * m) - Fraction(1, 2)
    source = max(source, Fraction(0)) if mode == "linear" else source
    low, half = math.floor(source), HALF[mode]
    past = np.float64(float(source - low))
    weights = {"linear": _linear, "cubic": _cubic, "lanczos": _lanczos}[mode](past, np.float64)
    return [(min(max(low + 1 - half + k, 0), n - 1), f(weights[k])) for k in range(2 * half)]


def _linear(past: Any, f: Any) -> list[Any]:
    return [f(1) - past, past]


def _cubic(past: Any, f: Any) -> list[Any]:
    """Keys' kernel with a = -3/4; torch's compiler left the last sum of each polynomial alone."""

    def near(t: Any) -> Any:
        return fma(f(1.25), t, f(-2.25)) * t * t + f(1)

    def far(t: Any) -> Any:
        return fma(fma(f(-0.75), t, f(3.75)), t, f(-6)) * t + f(3)

    return [far(past + f(1)), near(past), near(f(1) - past), far(f(1) - past + f(1))]


def _lanczos(past: Any, f: Any) -> list[Any]:
    weights = [_lanczos_filter(float(past) - k) for k in range(-2, 4)]
    return [f(weight / sum(weights)) for weight in weights]


def antialias_row(i: int, n: int, mode: str, scale: Any, f: Any) -> Row:
    """Taps within the stretched filter's support; those beyond an edge are left out, and the rest sums to 1."""
    first, count, centre, narrowing = _support(i, n, HALF[mode], scale, f)
    weigh = {"linear": _triangle, "cubic": _keys, "lanczos": _lanczos_filter}[mode]
    away = [f((float(f(first + k) - centre) + 0.5) * float(narrowing)) for k in range(count)]
    weights = [f(weigh(distance)) for distance in away]
    total = _in_order(weights)
    return [(first + k, weight / total) for k, weight in enumerate(weights)]


def _in_order(weights: list[Any]) -> Any:
    """Python's own sum is compensated from 3.12 on."""
    return functools.reduce(operator.add, weights)


def _support(i: int, n: int, half: int, scale: Any, f: Any) -> tuple[int, int, Any, Any]:
    support = f(half) * max(scale, f(1))
    centre = f(float(scale) * (i + 0.5))
    first = max(int(float(centre - support) + 0.5), 0)
    count = min(int(float(centre + support) + 0.5), n) - first
    return first, max(min(count, 2 * math.ceil(support) + 1), 0), centre, f(1.0 / max(float(scale), 1.0))


def _triangle(away: Any) -> float:
    return max(1 - abs(float(away)), 0.0)


def _keys(away: Any) -> Any:
    """Keys' kernel with a = -1/2, every sum contracted."""
    f, t = type(away), abs(away)
    if t < 1:
        return fma(fma(f(1.5), t, f(-2.5)) * t, t, f(1))
    return fma(fma(fma(f(-0.5), t, f(2.5)), t, f(-4)), t, f(2)) if t < 2 else 0.0


def _lanczos_filter(away: Any) -> float:
    def sinc(t: float) -> float:
        return math.sin(t * math.pi) / (t * math.pi) if t else 1.0

    return sinc(float(away)) * sinc(float(away) / 3) if abs(away) < 3 else 0.0


def _all_of(position: tuple[int, ...]) -> Any:
    return (slice(None), slice(None), *position)


def _area(x: Array, sizes: tuple[int, ...]) -> Array:
    """The mean over a window of all axes at once: one sum in order, then one division per axis."""
    y = np.empty((*x.shape[:2], *sizes, *x.shape[2 + len(sizes) :]), x.dtype)
    for at in np.ndindex(*sizes):
        axes = zip(at, x.shape[2 : 2 + len(sizes)], sizes, strict=True)
        windows = [range(i * n // m, ((i + 1) * n + m - 1) // m) for i, n, m in axes]
        total = np.zeros_like(y[_all_of(at)])
        for position in itertools.product(*windows):
            total += x[_all_of(position)]
        for window in windows:
            total /= x.dtype.type(len(window))
        y[_all_of(at)] = total
    return y


def _whole_area(x: Array, sizes: tuple[int, ...]) -> Array:
    """Of integers: the whole sum, divided and rounded once, half to even."""
    y = np.empty((*x.shape[:2], *sizes), x.dtype)
    for at in np.ndindex(*sizes):
        axes = zip(at, x.shape[2:], sizes, strict=True)
        window = tuple(slice(i * n // m, ((i + 1) * n + m - 1) // m) for i, n, m in axes)
        for plane in np.ndindex(*x.shape[:2]):
            items = x[(*plane, *window)].ravel().tolist()
            y[(*plane, *at)] = round(Fraction(sum(items), len(items)))
    return y


def is_fixed_point(dtype: Any, modes: tuple[str, ...], antialias: bool) -> bool:
    """Whether torch's uint8 kernels exist for this call."""
    return dtype == np.uint8 and len(modes) == 2 and set(modes) <= set(HALF) and (antialias or "lanczos" not in modes)


def _fixed_point(x: Array, axes: list[Any], aligned: bool, antialias: bool) -> Array:
    """uint8 pictures: 16-bit weights, the last axis first, and a rounding to uint8 after each axis."""
    for k in (1, 0):
        mode, n, m, factor = axes[k]
        if n == m:
            continue
        rows, bits = fixed_point_rows(mode, n, m, factor, aligned and mode != "lanczos", antialias)
        wide = np.moveaxis(x, 2 + k, -1).astype(np.int64)
        sums = [sum(wide[..., position] * weight for position, weight in row) for row in rows]
        y = (np.stack(sums, axis=-1) + (1 << (bits - 1))) >> bits
        x = np.moveaxis(np.clip(y, 0, 255).astype(np.uint8), -1, 2 + k)
    return x


def fixed_point_rows(
    mode: str, n: int, m: int, factor: float | None, aligned: bool, antialias: bool
) -> tuple[list[Row], int]:
    """Integer weights, and how many binary digits they have after the point: as many as 16 bits can hold."""
    scale = sampling_scale(n, m, factor, aligned, float)
    weigh = {"linear": _triangle, "cubic": _keys_in_double(antialias), "lanczos": _lanczos_filter}[mode]
    rows, most = [], 0.0
    for i in range(m):
        sums: dict[int, float] = {}
        if antialias:
            first, count, centre, narrowing = _support(i, n, HALF[mode], scale, float)
            weights = [weigh((k + first - centre + 0.5) * narrowing) for k in range(count)]
            sums = {first + k: weight / _in_order(weights) for k, weight in enumerate(weights)}
            most = max(most, *sums.values())
        else:
            source = scale * i if aligned else scale * (i + 0.5) - 0.5
            source = max(source, 0.0) if mode == "linear" else source
            low = min(math.floor(np.float32(source)), n - 1)
            past = min(max(source - low, 0.0), 1.0)
            for k in range(1 - HALF[mode], HALF[mode] + 1):  # taps beyond an edge weigh on the edge
                position = min(max(low + k, 0), n - 1)
                sums[position] = sums.get(position, 0.0) + weigh(k - past)
                most = max(most, sums[position])
        rows.append(list(sums.items()))
    bits = max(b for b in range(23) if b == 0 or int(0.5 + most * 2**b) < 2**15)
    return [[(p, int(w * 2**bits + math.copysign(0.5, w))) for p, w in row] for row in rows], bits


def _keys_in_double(antialias: bool) -> Any:
    a = -0.5 if antialias else -0.75

    def weigh(away: float) -> float:
        t = abs(away)
        if t < 1:
            return ((a + 2) * t - (a + 3)) * t * t + 1
        return ((a * t - 5 * a) * t + 8 * a) * t - 4 * a if t < 2 else 0.0

    return weigh
