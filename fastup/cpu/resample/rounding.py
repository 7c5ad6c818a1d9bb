"""Sums as items: rounded once, integers half to even."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastup.plan.base import Array


def mean_of_integers(total: Array, count: Array, dtype: np.dtype[Any], above: Any = 0) -> Array:
    """``above * 2**32 + total / count``, rounded half to even."""
    mean, rest = np.divmod(total, count)
    odd = (mean & 1).astype(bool)
    mean += (2 * rest > count) | ((2 * rest == count) & odd)
    wide = mean.astype(np.uint64) + (np.asarray(above).astype(np.uint64) << np.uint64(32))
    return wide.astype(dtype) if dtype.kind == "u" else wide.view(np.int64).astype(dtype)


def narrowed(values: Array, dtype: np.dtype[Any]) -> Array:
    """Float64 as items of another dtype: rounded once, integers half to even, and saturated."""
    if dtype.kind not in "iu":
        with np.errstate(over="ignore"):
            return values.astype(dtype)
    limits = np.iinfo(dtype)
    low, high = float(limits.min), float(limits.max)
    whole = np.rint(values)
    inside = (whole > low) & (whole < high)
    result = np.where(inside, whole, 0).astype(dtype)
    result[whole >= high], result[whole <= low] = limits.max, limits.min
    return result
