"""Coordinate rules: which input positions an output position reads, and with which weights. The only such arithmetic.

The arithmetic is torch's, operation by operation in its precision (float32, or float64 for float64 arrays): with exact
rationals three percent of the nearest neighbours of random size pairs would be other pixels. Where torch's compiler
contracts a product and a sum, `fma` does the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastup.plan.base import Array, read_only
from fastup.plan.sampling import filters
from fastup.plan.sampling.filters import fma

if TYPE_CHECKING:
    from fastup.plan.sampling.axes import Axis

HALF_WIDTH = {"linear": 1, "cubic": 2, "lanczos": 3}


class Taps(NamedTuple):
    """The table of one axis: output position i reads ``input[clip(first[i] + k)]`` with weight ``weights[i, k]``."""

    first: Array
    weights: Array

    def __len__(self) -> int:
        return len(self.first)


def float_of(axis: Axis) -> type[np.floating[Any]]:
    """The type of coordinates and weights."""
    return np.float64 if axis.double else np.float32


def copying(position: Array, axis: Axis) -> Taps:
    """The table of positions that are copied as they are."""
    return Taps(read_only(position), read_only(np.ones((len(position), 1), float_of(axis))))


def _phases(position: Array, axis: Axis) -> tuple[Array, Array, float]:
    """Of an axis that is exact: where each position's period begins in the input, its phase, and the scale there."""
    if axis.period is None:
        return np.zeros_like(position), position, axis.scale
    inputs, outputs = axis.period
    periods = position // outputs
    return periods * inputs, position - periods * outputs, inputs / outputs


def centre(position: Array, axis: Axis) -> tuple[Array, Array]:
    """The input coordinate that an output position samples, as a whole number and what is added to it."""
    if axis.exact:
        begin, phase, scale = _phases(position, axis)
        return begin, phase * scale if axis.align_corners else (phase + 0.5) * scale - 0.5
    kind, begin = float_of(axis), np.zeros_like(position)
    if axis.align_corners:
        return begin, np.asarray(position.astype(kind) * kind(axis.scale))
    half = kind(0.5)
    return begin, np.asarray(fma(kind(axis.scale), position.astype(kind) + half, kind(-0.5), axis.double))


def nearest(position: Array, axis: Axis) -> Array:
    """nearest: floor(i * scale). nearest-exact: floor of the pixel centre, clamped at 0, plus 0.5."""
    if axis.exact:
        begin, phase, scale = _phases(position, axis)
        shift = 0.5 if axis.mode == "nearest-exact" else 0.0
        if axis.period is None:
            past = np.floor((phase + shift) * scale).astype(np.int64)
        else:  # in whole numbers: a product of floats may lie below the pixel that it means
            past = (2 * phase + int(2 * shift)) * axis.period[0] // (2 * axis.period[1])
        return np.asarray(np.clip(begin + past, 0, axis.n_in - 1))
    kind = float_of(axis)
    if axis.mode == "nearest":
        source = position.astype(kind) * kind(axis.scale)
    else:
        # scale * (i + 0.5) - 0.5 with the product in float64: one rounding for float32 arrays, two for float64 ones.
        exact = np.float64(axis.scale) * (position.astype(kind) + kind(0.5)).astype(np.float64) - 0.5
        source = np.maximum(exact.astype(kind), kind(0)).astype(np.float64) + 0.5
    # Through float32 in every precision, and clamped before it becomes an integer: no scale is too large.
    index = np.floor(np.minimum(source, axis.n_in).astype(np.float32)).astype(np.float64)
    return np.asarray(np.clip(index, 0, axis.n_in - 1).astype(np.int64))


def sampled(position: Array, axis: Axis) -> Taps:
    """Taps at the sampled coordinate; those beyond the edge read the edge."""
    begin, source = centre(position, axis)
    if axis.exact:
        whole = np.floor(source)
        past, whole = source - whole, begin + whole.astype(np.int64)
        if axis.mode == "linear":
            past, whole = np.where(whole < 0, 0.0, past), np.maximum(whole, 0)
        past, whole = np.where(whole >= axis.n_in, 1.0, past), np.minimum(whole, axis.n_in - 1)
    else:
        kind = float_of(axis)
        if axis.mode == "linear":
            source = np.maximum(source, kind(0))
        # torch's floor goes through float32 for float64 coordinates too: 2.99999999 counts as 3.
        whole = np.minimum(np.floor(np.minimum(source, axis.n_in).astype(np.float32)), axis.n_in - 1).astype(np.int64)
        past = np.clip(source - whole.astype(kind), 0, 1).astype(kind)
    weights = filters.SAMPLED[axis.mode](past, axis.double or axis.exact)
    first = whole - (HALF_WIDTH[axis.mode] - 1)
    return Taps(read_only(first), read_only(np.ascontiguousarray(weights.astype(float_of(axis)))))


def antialiased(position: Array, axis: Axis) -> tuple[Array, Array]:
    """Taps within the filter's support, which grows with the scale; the filter is cut off at the edges."""
    if axis.exact:
        return _antialiased_exactly(position, axis)
    kind = float_of(axis)
    support = kind(kind(HALF_WIDTH[axis.mode]) * kind(max(axis.scale, 1.0)))
    narrowing = kind(1.0 / max(axis.scale, 1.0))
    centre = (axis.scale * (position + 0.5)).astype(kind)
    # Clipped before they become integers: no scale is too large for one.
    first = np.clip((centre - support).astype(np.float64) + 0.5, 0, axis.n_in).astype(np.int64)
    last = np.clip((centre + support).astype(np.float64) + 0.5, 0, axis.n_in).astype(np.int64)
    count = np.clip(last - first, 0, axis.taps)
    weights = np.zeros((len(position), axis.taps), kind)
    total = np.zeros(len(position), kind)
    for k in range(axis.taps):
        away = ((first + k).astype(kind) - centre).astype(np.float64) + 0.5
        weight = filters.ANTIALIASED[axis.mode]((away * narrowing).astype(kind), axis.double)
        weights[:, k] = np.where(k < count, weight, 0)
        total += weights[:, k]
    return first, np.divide(weights, total[:, None], where=total[:, None] != 0, out=weights)


def _antialiased_exactly(position: Array, axis: Axis) -> tuple[Array, Array]:
    """The same in float64, counted from where each position's period begins."""
    begin, phase, scale = _phases(position, axis)
    centre, stretch = (phase + 0.5) * scale, max(axis.scale, 1.0)
    support = HALF_WIDTH[axis.mode] * stretch
    low, high = -begin.astype(np.float64), (axis.n_in - begin).astype(np.float64)
    first = np.clip(np.floor(centre - support + 0.5), low, high).astype(np.int64)
    last = np.clip(np.floor(centre + support + 0.5), low, high).astype(np.int64)
    taps = np.arange(axis.taps)
    away = ((first[:, None] + taps) - centre[:, None] + 0.5) / stretch
    weights = np.where(taps < (last - first)[:, None], filters.ANTIALIASED[axis.mode](away, True), 0.0)
    total = weights.sum(axis=1, keepdims=True)
    np.divide(weights, total, where=total != 0, out=weights)
    return begin + first, weights.astype(float_of(axis), copy=False)


class Row:
    """The weights of one position of an antialiased axis that is exact, in parts, and not yet divided by their sum."""

    def __init__(self, axis: Axis, position: int) -> None:
        begin, phase, scale = _phases(np.array([position]), axis)
        self._axis, self._stretch = axis, max(axis.scale, 1.0)
        self._centre, self._begin = float((phase[0] + 0.5) * scale), int(begin[0])
        support = HALF_WIDTH[axis.mode] * self._stretch
        low, high = (int(np.floor(self._centre + sign * support + 0.5)) + self._begin for sign in (-1, 1))
        self._low, self._high = max(0, low), min(axis.n_in, high)

    def parts(self, length: int) -> list[tuple[int, int]]:
        """Input positions, from and to, of at most so many taps each."""
        return [(low, min(low + length, self._high)) for low in range(self._low, self._high, length)]

    def weights(self, start: int, stop: int) -> Array:
        """What the filter has at these input positions."""
        away = (np.arange(start, stop) - self._begin - self._centre + 0.5) / self._stretch
        return filters.ANTIALIASED[self._axis.mode](away, True)


def area_windows(position: Array, n_in: int, n_out: int) -> tuple[Array, Array]:
    """First input position and number of positions that adaptive average pooling takes."""
    first = position * n_in // n_out
    return first, -(-(position + 1) * n_in // n_out) - first


def area(position: Array, axis: Axis) -> tuple[Array, Array]:
    """Equal weights for all positions that an output position covers."""
    first, count = area_windows(position, axis.n_in, axis.n_out)
    inside = np.arange(int(count.max(initial=1))) < count[:, None]
    return first, (inside / count[:, None]).astype(float_of(axis))


def trimmed(first: Array, weights: Array) -> Taps:
    """Without the columns that no position uses."""
    used = np.flatnonzero(weights.any(axis=0))
    columns = int(used[-1]) + 1 if len(used) else 1
    return Taps(read_only(first), read_only(np.ascontiguousarray(weights[:, :columns])))
