"""How close results must be: equal to the last bit where kernels contract as torch's do, else by the largest tap."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from fastup.runtime import cpu_info
from tests.oracles_interpolate import precision

Array = np.ndarray[Any, Any]
# Error of a result over the largest tap: what the README promises for float32, and as many units of float64.
RELATIVE = {np.float32: 3e-7, np.float64: 6e-16}
# Sums of the weights' magnitudes along one axis: results, and their last places, may exceed the taps by as much.
MAGNITUDE = {"n-linear": 1.0, "area": 1.0, "cubic": 1.375, "lanczos": 1.544}


def contracts() -> bool:
    """Whether the kernels contract products and sums: the processor, or the level asked for, has FMA."""
    named = os.environ.get("NUMBA_CPU_NAME", "")
    if named.startswith("x86-64"):
        return named in ("x86-64-v3", "x86-64-v4")
    return cpu_info.isa() == "NEON" or "x86-64-v3" in cpu_info.levels()


CONTRACTS = contracts()


def largest(x: Array) -> float:
    """The largest finite magnitude."""
    wide = np.abs(x.astype(np.float64))
    return float(wide.max(initial=0, where=np.isfinite(wide)))


def assert_ulps(y: Array, expected: Array, x: Array, ulps: float) -> None:
    """Equal within so many units in the last place of the largest tap."""
    unit = np.spacing(precision(x.dtype)(largest(x)))
    np.testing.assert_allclose(y.astype(np.float64), expected.astype(np.float64), rtol=0, atol=ulps * unit)


def assert_near(y: Array, expected: Array, x: Array, magnitude: float = 1.0) -> None:
    """Equal within the promised error of a sum; `expected` of integers may be off by the unit that this decides.

    Weights of both signs have a larger `magnitude`, the sum of their absolute values over all axes.
    """
    assert y.dtype == x.dtype
    assert y.shape == expected.shape
    error = RELATIVE[precision(x.dtype)] * largest(x) * magnitude * (1 if CONTRACTS else 1.5)
    if x.dtype.kind in "iu":
        error += 1
    np.testing.assert_allclose(y.astype(np.float64), expected.astype(np.float64), rtol=0, atol=error)


def assert_rounded(y: Array, sums: Array, exact: bool) -> None:
    """Half precision is the float32 result rounded once: the nearest value, or within the error of a sum of it."""
    if exact:
        np.testing.assert_array_equal(y, sums.astype(y.dtype))
        return
    half_ulp = 2.0**-11 if y.dtype == np.float16 else 2.0**-8
    slack = 2 * RELATIVE[np.float32] * largest(sums) + 2.0**-25
    np.testing.assert_array_less(np.abs(y.astype(np.float64) - sums), half_ulp * np.abs(sums) + slack)
