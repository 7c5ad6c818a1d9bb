"""Items of any dtype as floats, and floats back into them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import cuda


@cuda.jit
def cast(total: Any, src: Any, dst: Any) -> None:
    """Items as they are, in another dtype that has them, or to the nearest float."""
    for i in range(cuda.grid(1), total, cuda.gridsize(1)):
        dst[i] = src[i]


@cuda.jit
def widen(total: Any, src: Any, dst: Any) -> None:
    """The bits of bfloat16 as those of float32."""
    for i in range(cuda.grid(1), total, cuda.gridsize(1)):
        dst[i] = np.uint32(src[i]) * np.uint32(65536)


@cuda.jit
def narrow(total: Any, src: Any, dst: Any) -> None:
    """The bits of float32 as those of the nearest bfloat16, ties to even; NaN stays NaN."""
    for i in range(cuda.grid(1), total, cuda.gridsize(1)):
        bits = src[i]
        high = bits // 65536
        low = bits - high * 65536
        if (high & 0x7F80) == 0x7F80 and ((high & 0x7F) != 0 or low != 0):
            dst[i] = high | 0x40
        else:
            dst[i] = high + (1 if low > 32768 or (low == 32768 and (high & 1) == 1) else 0)


@cuda.jit
def saturate(total: Any, grid: Any, limits: Any, src: Any, dst: Any) -> None:
    """Floats as integers, half to even, at most the limits of the dtype.

    A number beside `grid`, if that is not 0, is first rounded to what a float64 of its size can tell apart.
    """
    for i in range(cuda.grid(1), total, cuda.gridsize(1)):
        value = src[i]
        if grid != 0.0:
            value = (value + grid) - grid
        if value <= limits[0]:
            dst[i] = limits[0]
        elif value >= limits[1]:
            dst[i] = limits[1]
        else:
            whole = math.floor(value)
            past = value - whole
            if past > 0.5 or (past == 0.5 and whole % 2 != 0):
                whole += 1
            dst[i] = whole
