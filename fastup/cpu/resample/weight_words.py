"""Weights of a fixed point as 16-bit words: one, or an upper and a lower one."""

from __future__ import annotations

import numpy as np

from fastup.cpu.resample.kernels.byte_vectors import LOW_BITS
from fastup.plan.base import Array
from fastup.plan.sampling import fixed_point
from fastup.plan.sampling.axis import Axis

_ONE_WORD = 15  # bits and a sign


def words_of(axis: Axis) -> int:
    """Words of a weight: torch chooses the binary point so that one is enough, Pillow has a fixed one."""
    return 2 if fixed_point.bits(axis) > _ONE_WORD and axis.rule is not None else 1


def in_words(weights: Array, words: int) -> Array:
    """The pairs along the last axis as so many pairs of words, the upper ones first."""
    if words == 1:
        return weights.astype(np.int16)[..., None, :]
    upper = (weights + (1 << LOW_BITS - 1)) >> LOW_BITS
    return np.stack([upper, weights - (upper << LOW_BITS)], axis=-2).astype(np.int16)


def in_pairs(weights: Array, words: int) -> Array:
    """Rows of weights as rows of words, pair by pair of taps; an odd last one is paired with 0."""
    even = np.pad(weights, ((0, 0), (0, weights.shape[1] % 2)))
    return in_words(even.reshape(len(even), -1, 2), words).reshape(len(even), -1)
