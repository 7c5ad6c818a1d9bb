"""Work in floats: what is computed in which dtype, and the way there and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastup.cuda import memory
from fastup.cuda.kernels import convert
from fastup.cuda.memory import View


def computed_in(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """float64 for float64 and integers beyond 16 bits, float32 for all else."""
    wide = dtype.itemsize == 8 if dtype.kind == "f" else dtype.kind in "iu" and dtype.itemsize > 2
    return np.dtype(np.float64 if wide else np.float32)


def widened(x: View) -> Any:
    """The items of a contiguous array as floats, flat."""
    kind = computed_in(x.dtype)
    if x.dtype == kind:
        return x.flat(kind)[0]
    result = memory.empty((x.size,), kind)
    if x.dtype.name == "bfloat16":
        bits = memory.view_of(result).flat(np.uint32)[0]
        memory.launch(convert.widen, x.size, x.flat(np.uint16)[0], bits)
    else:
        memory.launch(convert.cast, x.size, x.flat(x.dtype)[0], result)
    return result


def target(y: View) -> Any:
    """Where floats for a result go first: the result itself where it holds such floats."""
    kind = computed_in(y.dtype)
    return y.flat(kind)[0] if y.dtype == kind else memory.empty((y.size,), kind)


def narrowed(made: Any, y: View) -> None:
    """Floats that `target` took, into the result."""
    if y.dtype == computed_in(y.dtype):
        return
    if y.dtype.name == "bfloat16":
        bits = memory.view_of(made).flat(np.uint32)[0]
        memory.launch(convert.narrow, y.size, bits, y.flat(np.uint16)[0])
    elif y.dtype.kind == "f":
        memory.launch(convert.cast, y.size, made, y.flat(y.dtype)[0])
    else:
        limits = np.iinfo(y.dtype)
        ends = memory.uploaded(np.array([limits.min, limits.max], y.dtype))
        memory.launch(convert.saturate, y.size, ends, made, y.flat(y.dtype)[0])
