"""How far two results are apart, and how far rounding may bring them."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from fastup.export.tolerances import Tolerance
from fastup.export.verification.finding import Found

Array = np.ndarray[Any, Any]
_EPS = 2.0**-23
_SHORTEST = 8  # positions; on shorter axes the filters' own roundings count


class Difference(NamedTuple):
    """One result against another.

    Attributes
    ----------
    absolute, relative : float
        The largest difference, and the largest one over the expected magnitude.
    differing, size : int
        How many items differ, and how many there are.
    where : tuple of int
        The item that differs most.
    within : bool
        Whether the tolerance explains all of it.
    """

    absolute: float
    relative: float
    differing: int
    size: int
    where: tuple[int, ...]
    within: bool

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        return self.differing == 0


def difference(result: Array, expected: Array, allowed: Tolerance) -> Difference | str:
    """How they differ, or why they cannot be compared."""
    if result.shape != expected.shape or result.dtype != expected.dtype:
        return f"gives {result.dtype}{result.shape} in place of {expected.dtype}{expected.shape}"
    a, b = result.astype(np.float64), expected.astype(np.float64)
    unequal = ~((a == b) | (np.isnan(a) & np.isnan(b)))
    if not unequal.any():
        return Difference(0.0, 0.0, 0, a.size, (), True)
    with np.errstate(invalid="ignore", over="ignore"):
        away = np.where(unequal, np.nan_to_num(np.abs(a - b), nan=np.inf), 0.0)
        relative = away / np.maximum(np.abs(b), np.finfo(np.float64).tiny)
    where = tuple(int(k) for k in np.unravel_index(int(away.argmax()), away.shape))
    within = allowed.misses(result, expected) == 0
    return Difference(float(away.max()), float(relative.max()), int(unequal.sum()), a.size, where, within)


def tolerance_of(found: Found) -> tuple[Tolerance, str]:
    """What rounding explains for a node, and why."""
    x = np.asarray(found.inputs[0])
    if found.op_type in ("Resize", "Upsample") and found.attributes.get("mode", "nearest") != "nearest":
        if x.dtype.kind in "iu":
            return Tolerance(1.0), "integers are rounded, by some runtimes cut off"
        error = 2 * _EPS * max(_SHORTEST, *x.shape) * 2 * _largest(x)
        return Tolerance(error, _half(x)), "float32 coordinates move a sample by eps times the length of its axis"
    if found.op_type == "ConvTranspose":
        w = np.abs(np.asarray(found.inputs[1]).astype(np.float64))
        rows = np.moveaxis(w, 1, 0).reshape(w.shape[1], -1)
        error = 2 * _EPS * math.sqrt(rows.shape[1]) * _largest(x) * float(rows.sum(axis=1).max(initial=0))
        return Tolerance(error, _half(x)), f"sums of {rows.shape[1]} products in another order"
    return Tolerance(), "items are only moved or compared"


def _largest(x: Array) -> float:
    return float(np.abs(x.astype(np.float64)).max(initial=0, where=np.isfinite(x.astype(np.float64))))


def _half(x: Array) -> float:
    return {"float16": 2.0**-10, "bfloat16": 2.0**-7}.get(x.dtype.name, 0.0)
