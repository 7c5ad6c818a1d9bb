"""Columns whose rows Intel's library puts together in two roundings."""

from __future__ import annotations

import numpy as np

from fastup.cpu.resample import interpolation
from fastup.plan.base import Array
from fastup.plan.conventions.spline_steps import Banded
from fastup.plan.sampling.axis import Axis
from fastup.plan.sampling.filters import fma
from fastup.plan.sampling.table import whole_table


def run(step: Banded, x: Array, out: Array, threads: int | None) -> None:
    """The plan, and then its columns anew."""
    interpolation.run(step.plan, x, out, threads)
    rows, columns = step.plan.axes
    picked, kept = list(step.columns), slice(0, step.channels)
    left, right, across = _pairs(columns, picked)
    near, far = x[:, :, left, kept], x[:, :, right, kept]
    line = fma(far - near, across[:, None], near, False)
    above, below, down = _pairs(rows, range(rows.length))
    upper, lower = line[:, above], line[:, below]
    out[:, :, picked, kept] = upper + (lower - upper) * down[:, None, None]


def _pairs(axis: Axis, picked: list[int] | range) -> tuple[Array, Array, Array]:
    """Both neighbours of some positions, and the weight of the second."""
    table = whole_table(axis)
    first = table.first[list(picked)]
    low, high = (np.clip(first + tap, 0, axis.n_in - 1) for tap in (0, 1))
    return low, high, table.weights[list(picked), 1].astype(np.float32)
