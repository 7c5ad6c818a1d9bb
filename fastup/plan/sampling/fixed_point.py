"""Weights as integers: torch's are float64 first, then have 16 bits with one binary point for the whole axis."""

from __future__ import annotations

import functools

import numpy as np

from fastup.plan.base import Array
from fastup.plan.sampling.axis import Axis

_MOST_BITS = 22
_INT16 = 1 << 15


def taps(axis: Axis) -> tuple[Array, Array]:
    """First input position and int32 weights of each output position; the weights of absent taps are 0."""
    first, weights = _weights(axis)[:2]
    return first, rounded(weights, bits(axis))


def rounded(weights: Array, bits: int) -> Array:
    """Weights with so many binary digits after the point, halves away from zero."""
    scaled = weights * (1 << bits)
    return np.trunc(np.where(weights < 0, scaled - 0.5, scaled + 0.5)).astype(np.int32)


def bits(axis: Axis) -> int:
    """Binary digits after the point: one number for the whole axis, torch's the most that keep it within 16 bits."""
    return axis.rule.bits if axis.rule else _bits(axis.whole())


@functools.lru_cache(256)
def _bits(axis: Axis) -> int:
    largest = max(_weights(part)[2] for part in axis.parts())
    found = 0
    while found < _MOST_BITS and int(0.5 + largest * (1 << (found + 1))) < _INT16:
        found += 1
    return found


def _weights(axis: Axis) -> tuple[Array, Array, float]:
    """First position, weights, and the largest that arises while they are made, sums at an edge included."""
    position = np.arange(*axis.window)
    return _stretched(axis, position) if axis.antialias else _sampled(axis, position)


def _stretched(axis: Axis, position: Array) -> tuple[Array, Array, float]:
    stretch = max(axis.scale, 1.0)
    support = axis.filter.half * stretch
    most = min(axis.n_in, 2 * int(np.ceil(support)) + 1)
    centre = axis.scale * (position + 0.5)
    first = np.clip(centre - support + 0.5, 0, axis.n_in).astype(np.int64)
    last = np.clip(centre + support + 0.5, 0, axis.n_in).astype(np.int64)
    count = np.clip(last - first, 0, most)
    weight = axis.form.fixed or axis.form.weight
    weights, total = np.zeros((len(position), most)), np.zeros(len(position))
    for k in range(most):
        weights[:, k] = np.where(k < count, weight((k + first - centre + 0.5) * (1.0 / stretch)), 0.0)
        total += weights[:, k]
    np.divide(weights, total[:, None], where=total[:, None] != 0, out=weights)
    return first, weights, float(weights.max(initial=0.0))


def _sampled(axis: Axis, position: Array) -> tuple[Array, Array, float]:
    """Taps beyond an edge are added to the weight of the edge."""
    half, n_in = axis.filter.half, axis.n_in
    source = axis.scale * position if axis.align_corners else axis.scale * (position + 0.5) - 0.5
    if axis.filter.clamps:
        source = np.maximum(source, 0.0)
    reached = np.minimum(source, n_in)
    reached = reached if axis.exact else reached.astype(np.float32)
    whole = np.minimum(np.floor(reached), n_in - 1).astype(np.int64)
    past = np.clip(source - whole, 0.0, 1.0)
    low = whole - half + 1
    first = np.maximum(low, 0)
    count = np.clip(np.minimum(whole + half + 1, n_in) - first, 0, 2 * half)
    weight = axis.form.fixed or axis.form.weight
    weights, most = np.zeros((len(position), 2 * half)), 0.0
    slot, rows = np.zeros(len(position), np.int64), np.arange(len(position))
    for k in range(2 * half):
        slot = np.where(low + k <= 0, 0, np.where(low + k >= n_in - 1, count - 1, slot))
        weights[rows, slot] += weight((k + 1 - half) - past)
        most = max(most, float(weights[rows, slot].max(initial=0.0)))
        slot = slot + 1
    return first, np.where(np.arange(2 * half) < count[:, None], weights, 0.0), most
