"""A strip of output pixels: the taps of each, relative to the part of the row that they read."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastup.plan.base import Array
from fastup.plan.sampling.axis import Axis
from fastup.plan.sampling.table import table_of


class Strip(NamedTuple):
    """The table of one strip: taps relative to the padded row, and which input the row holds."""

    span: tuple[int, int, int, int]  # first pixel that is read, copies before, pixels, copies after
    first: Array
    weights: Array
    items: int
    axis: Axis

    @property
    def total(self) -> int:
        """Items of the output."""
        return len(self.first) * self.items


def strip_of(axis: Axis, items: int) -> Strip:
    """The table of a strip of output pixels."""
    first, weights = table_of(axis)
    low, high = int(first.min()), int(first.max()) + weights.shape[1]
    before, after = max(0, -low), max(0, high - axis.extent)
    return Strip((low + before, before, high - low - before - after, after), first - low, weights, items, axis)


def flat(first: Array, items: int) -> Array:
    """The padded row's item that the first tap of each output item reads."""
    return (first[:, None] * items + np.arange(items)).ravel()


def overlapping(total: int, length: int) -> Array:
    """Where blocks of a length begin; the last one lies over the one before."""
    return np.minimum(np.arange(0, total, length), total - length)
