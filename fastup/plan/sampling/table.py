"""Coordinate rules: which input positions an output position reads, and with which weights. The only such arithmetic.

The arithmetic is torch's, operation by operation in its precision (float32, or float64 for float64 arrays): with exact
rationals three percent of the nearest neighbours of random size pairs would be other pixels. Where torch's compiler
contracts a product and a sum, `fma` does the same.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from fastup.plan.base import Array, read_only
from fastup.plan.sampling import fixed_point
from fastup.plan.sampling.axis import Axis
from fastup.plan.sampling.filters import fma

_ENDS = 64  # positions at either end of a window


class Taps(NamedTuple):
    """The table of one axis: output position i reads ``input[clip(first[i] + k)]`` with weight ``weights[i, k]``."""

    first: Array
    weights: Array

    def __len__(self) -> int:
        return len(self.first)


def table_of(axis: Axis) -> Taps:
    """The table of the window, which is asked for `block` positions at once at most."""
    first, weights = _table(axis)
    return Taps(read_only(first - axis.first if axis.first else first), read_only(weights))


def whole_table(axis: Axis) -> Taps:
    """The table of a window of any length."""
    tables = [table_of(part) for part in axis.parts()] or [table_of(axis)]
    most = max(table.weights.shape[1] for table in tables)
    padded = [np.pad(table.weights, ((0, 0), (0, most - table.weights.shape[1]))) for table in tables]
    return Taps(np.concatenate([table.first for table in tables]), np.concatenate(padded))


def reads(axis: Axis) -> tuple[int, int]:
    """The input positions, from and to, that the window reads."""
    if axis.length == 0:
        return (0, 0)
    low, high = axis.n_in, 0
    start, stop = axis.window
    ends = (
        (start, min(start + _ENDS, stop)),
        (max(start, stop - _ENDS), stop),
    )  # what lies between reads no further
    for part in (replace(axis, window=window) for window in ends):
        first, weights = table_of(part)
        count = axis.counts(weights)
        low = min(low, int(np.clip(first, 0, axis.n_in - 1).min()))
        high = max(high, int(np.clip(first + count - 1, 0, axis.n_in - 1).max()) + 1)
    return low, high


def repetition(axis: Axis) -> int:
    """How often each input position that there is is copied in turn, if that is all that happens; else 0."""
    factor, rest = divmod(axis.n_out, axis.n_in)
    if axis.is_identity:
        factor, rest = 1, 0
    elif axis.filter.half:
        return 0
    if rest or axis.window != (axis.first * factor, (axis.first + axis.extent) * factor):
        return 0
    if not axis.filter.copies or axis.period == (1, factor):
        return factor
    same = (
        np.array_equal(table_of(part).first, np.arange(*part.window) // factor - axis.first) for part in axis.parts()
    )
    return factor if all(same) else 0


def _table(axis: Axis) -> tuple[Array, Array]:
    position = np.arange(*axis.window)
    if axis.rule is not None:
        first, weights = axis.rule.taps(position, axis.n_in, axis.n_out)
        weights = weights if axis.fixed else weights.astype(_float_of(axis))
        return first, weights if axis.in_steps else _trimmed(weights)
    if axis.is_identity or axis.filter.copies:
        first = position if axis.is_identity else _copied(axis, position)
        return first, np.ones((len(position), 1), _float_of(axis))
    if axis.fixed:
        first, weights = fixed_point.taps(axis)
        return first, _trimmed(weights) if axis.antialias else weights
    if not (axis.antialias or axis.filter.averages):
        return _sampled(axis, position)
    weigh = _stretched_exactly if axis.exact else _stretched
    first, weights = _means(axis) if axis.filter.averages else weigh(axis, position)
    return first, _trimmed(weights)


def _float_of(axis: Axis) -> type[np.floating[Any]]:
    """The type of coordinates and weights."""
    return np.float64 if axis.double else np.float32


def _phases(axis: Axis, position: Array) -> tuple[Array, Array, float]:
    """Of an axis that is exact: where each position's period begins in the input, its phase, and the scale there."""
    if axis.period is None:
        return np.zeros_like(position), position, axis.scale
    inputs, outputs = axis.period
    periods = position // outputs
    return periods * inputs, position - periods * outputs, inputs / outputs


def _copied(axis: Axis, position: Array) -> Array:
    """nearest: floor(i * scale). nearest-exact: floor of the pixel centre, clamped at 0, plus 0.5."""
    shift = axis.filter.copies_at or 0.0
    if axis.exact:
        begin, phase, scale = _phases(axis, position)
        if axis.period is None:
            past = np.floor((phase + shift) * scale).astype(np.int64)
        else:  # in whole numbers: a product of floats may lie below the pixel that it means
            past = (2 * phase + int(2 * shift)) * axis.period[0] // (2 * axis.period[1])
        return np.asarray(np.clip(begin + past, 0, axis.n_in - 1))
    kind = _float_of(axis)
    if shift == 0:
        source = position.astype(kind) * kind(axis.scale)
    else:
        # scale * (i + 0.5) - 0.5 with the product in float64: one rounding for float32 arrays, two for float64 ones.
        exact = np.float64(axis.scale) * (position.astype(kind) + kind(shift)).astype(np.float64) - shift
        source = np.maximum(exact.astype(kind), kind(0)).astype(np.float64) + shift
    # Through float32 in every precision, and clamped before it becomes an integer: no scale is too large.
    index = np.floor(np.minimum(source, axis.n_in).astype(np.float32)).astype(np.float64)
    return np.asarray(np.clip(index, 0, axis.n_in - 1).astype(np.int64))


def _centre(axis: Axis, position: Array) -> tuple[Array, Array]:
    """The input coordinate that an output position samples, as a whole number and what is added to it."""
    if axis.exact:
        begin, phase, scale = _phases(axis, position)
        return begin, phase * scale if axis.align_corners else (phase + 0.5) * scale - 0.5
    kind, begin = _float_of(axis), np.zeros_like(position)
    if axis.align_corners:
        return begin, np.asarray(position.astype(kind) * kind(axis.scale))
    half = kind(0.5)
    return begin, np.asarray(fma(kind(axis.scale), position.astype(kind) + half, kind(-0.5), axis.double))


def _sampled(axis: Axis, position: Array) -> tuple[Array, Array]:
    """Taps at the sampled coordinate; those beyond the edge read the edge."""
    begin, source = _centre(axis, position)
    if axis.exact:
        whole = np.floor(source)
        past, whole = source - whole, begin + whole.astype(np.int64)
        if axis.filter.clamps:
            past, whole = np.where(whole < 0, 0.0, past), np.maximum(whole, 0)
        past, whole = np.where(whole >= axis.n_in, 1.0, past), np.minimum(whole, axis.n_in - 1)
    else:
        kind = _float_of(axis)
        if axis.filter.clamps:
            source = np.maximum(source, kind(0))
        # torch's floor goes through float32 for float64 coordinates too: 2.99999999 counts as 3.
        whole = np.minimum(np.floor(np.minimum(source, axis.n_in).astype(np.float32)), axis.n_in - 1).astype(np.int64)
        past = np.clip(source - whole.astype(kind), 0, 1).astype(kind)
    weights = _of_taps(axis, past).astype(_float_of(axis))
    return whole - (axis.filter.half - 1), np.ascontiguousarray(weights)


def _of_taps(axis: Axis, past: Array) -> Array:
    """The weights of all taps at fractions of a pixel."""
    form, half = axis.form, axis.filter.half
    if form.in_torch:
        return form.in_torch(past, axis.double or axis.exact)
    weights = form.weight(past.astype(np.float64)[:, None] - np.arange(1 - half, 1 + half))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _at(axis: Axis, away: Array, double: bool) -> Array:
    """The weights of a stretched filter at these distances, in their dtype."""
    form = axis.form
    return form.in_torch(away, double) if form.in_torch else form.weight(away.astype(np.float64)).astype(away.dtype)


def _stretched(axis: Axis, position: Array) -> tuple[Array, Array]:
    """Taps within the filter's support, which grows with the scale; the filter is cut off at the edges."""
    kind = _float_of(axis)
    support = kind(kind(axis.filter.half) * kind(max(axis.scale, 1.0)))
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
        weights[:, k] = np.where(k < count, _at(axis, (away * narrowing).astype(kind), axis.double), 0)
        total += weights[:, k]
    return first, np.divide(weights, total[:, None], where=total[:, None] != 0, out=weights)


def _stretched_exactly(axis: Axis, position: Array) -> tuple[Array, Array]:
    """The same in float64, counted from where each position's period begins."""
    begin, phase, scale = _phases(axis, position)
    centre, stretch = (phase + 0.5) * scale, max(axis.scale, 1.0)
    support = axis.filter.half * stretch
    low, high = -begin.astype(np.float64), (axis.n_in - begin).astype(np.float64)
    first = np.clip(np.floor(centre - support + 0.5), low, high).astype(np.int64)
    last = np.clip(np.floor(centre + support + 0.5), low, high).astype(np.int64)
    taps = np.arange(axis.taps)
    away = ((first[:, None] + taps) - centre[:, None] + 0.5) / stretch
    weights = np.where(taps < (last - first)[:, None], _at(axis, away, True), 0.0)
    total = weights.sum(axis=1, keepdims=True)
    np.divide(weights, total, where=total != 0, out=weights)
    return begin + first, weights.astype(_float_of(axis), copy=False)


class Row:
    """The weights of one position of an antialiased axis that is exact, in parts, and not yet divided by their sum."""

    def __init__(self, axis: Axis, position: int) -> None:
        begin, phase, scale = _phases(axis, np.array([position]))
        self._axis, self._stretch = axis, max(axis.scale, 1.0)
        self._centre, self._begin = float((phase[0] + 0.5) * scale), int(begin[0])
        support = axis.filter.half * self._stretch
        low, high = (int(np.floor(self._centre + sign * support + 0.5)) + self._begin for sign in (-1, 1))
        self._low, self._high = max(0, low), min(axis.n_in, high)

    def parts(self, length: int) -> list[tuple[int, int]]:
        """Input positions, from and to, of at most so many taps each."""
        return [(low, min(low + length, self._high)) for low in range(self._low, self._high, length)]

    def weights(self, start: int, stop: int) -> Array:
        """What the filter has at these input positions."""
        away = (np.arange(start, stop) - self._begin - self._centre + 0.5) / self._stretch
        return _at(self._axis, away, True)


def _means(axis: Axis) -> tuple[Array, Array]:
    """Equal weights for all positions that an output position covers."""
    first, count = axis.windows().T
    inside = np.arange(int(count.max(initial=1))) < count[:, None]
    return first + axis.first, (inside / count[:, None]).astype(_float_of(axis))


def _trimmed(weights: Array) -> Array:
    """Without the columns that no position uses."""
    used = np.flatnonzero(weights.any(axis=0))
    columns = int(used[-1]) + 1 if len(used) else 1
    return np.ascontiguousarray(weights[:, :columns])
