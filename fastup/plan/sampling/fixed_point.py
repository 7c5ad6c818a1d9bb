"""Weights of torch's uint8 kernels: float64 first, then 16-bit integers with one binary point for the whole axis."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastup.plan.base import Array
from fastup.plan.sampling import filters

_MOST_BITS = 22
_INT16 = 1 << 15


class Rule(NamedTuple):
    """What the weights of an axis follow from."""

    mode: str
    half: int
    n_in: int
    scale: float
    align_corners: bool
    antialias: bool
    exact: bool = False  # whether positions are too far out for torch's floor in float32


def taps(rule: Rule, start: int, stop: int, bits: int) -> tuple[Array, Array]:
    """First input position and int32 weights of each output position; the weights of absent taps are 0."""
    first, weights = _weights(rule, start, stop)[:2]
    scaled = weights * (1 << bits)
    return first, np.trunc(np.where(weights < 0, scaled - 0.5, scaled + 0.5)).astype(np.int32)


def largest(rule: Rule, start: int, stop: int) -> float:
    """The largest weight that arises while the table is built, sums at an edge included."""
    return _weights(rule, start, stop)[2]


def precision(largest_weight: float) -> int:
    """The most binary digits that keep the largest weight within 16 bits."""
    bits = 0
    while bits < _MOST_BITS and int(0.5 + largest_weight * (1 << (bits + 1))) < _INT16:
        bits += 1
    return bits


def _weights(rule: Rule, start: int, stop: int) -> tuple[Array, Array, float]:
    position = np.arange(start, stop)
    return _antialiased(rule, position) if rule.antialias else _sampled(rule, position)


def _antialiased(rule: Rule, position: Array) -> tuple[Array, Array, float]:
    stretch = max(rule.scale, 1.0)
    support = rule.half * stretch
    most = min(rule.n_in, 2 * int(np.ceil(support)) + 1)
    centre = rule.scale * (position + 0.5)
    first = np.clip(centre - support + 0.5, 0, rule.n_in).astype(np.int64)
    last = np.clip(centre + support + 0.5, 0, rule.n_in).astype(np.int64)
    count = np.clip(last - first, 0, most)
    weight = filters.in_double(rule.mode, antialias=True)
    weights, total = np.zeros((len(position), most)), np.zeros(len(position))
    for k in range(most):
        weights[:, k] = np.where(k < count, weight((k + first - centre + 0.5) * (1.0 / stretch)), 0.0)
        total += weights[:, k]
    np.divide(weights, total[:, None], where=total[:, None] != 0, out=weights)
    return first, weights, float(weights.max(initial=0.0))


def _sampled(rule: Rule, position: Array) -> tuple[Array, Array, float]:
    """Taps beyond an edge are added to the weight of the edge."""
    if rule.align_corners:
        source = rule.scale * position
    else:
        source = rule.scale * (position + 0.5) - 0.5
        if rule.mode == "linear":
            source = np.maximum(source, 0.0)
    size = 2 * rule.half
    reached = np.minimum(source, rule.n_in)
    reached = reached if rule.exact else reached.astype(np.float32)
    whole = np.minimum(np.floor(reached), rule.n_in - 1).astype(np.int64)
    past = np.clip(source - whole, 0.0, 1.0)
    low = whole - rule.half + 1
    first = np.maximum(low, 0)
    count = np.clip(np.minimum(whole + rule.half + 1, rule.n_in) - first, 0, size)
    weight = filters.in_double(rule.mode, antialias=False)
    weights, slot, rows = np.zeros((len(position), size)), np.zeros(len(position), np.int64), np.arange(len(position))
    most = 0.0
    for k in range(size):
        slot = np.where(low + k <= 0, 0, np.where(low + k >= rule.n_in - 1, count - 1, slot))
        weights[rows, slot] += weight((k + 1 - rule.half) - past)
        most = max(most, float(weights[rows, slot].max(initial=0.0)))
        slot = slot + 1
    return first, np.where(np.arange(size) < count[:, None], weights, 0.0), most
