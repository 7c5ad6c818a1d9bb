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


def widened(x: View, kind: np.dtype[Any] | None = None) -> Any:
    """The items of a contiguous array as floats (of this kind), flat."""
    usual = computed_in(x.dtype)
    kind = kind or usual
    if x.dtype == kind:
        return x.flat(kind)[0]
    if x.dtype.name == "bfloat16":
        result = memory.empty((x.size,), usual)
        bits = memory.view_of(result).flat(np.uint32)[0]
        memory.launch(convert.widen, x.size, x.flat(np.uint16)[0], bits)
        return result if kind == usual else _cast(result, x.size, kind)
    if x.dtype.name == "float16" and kind != usual:
        return _cast(_cast(x.flat(x.dtype)[0], x.size, usual), x.size, kind)
    return _cast(x.flat(x.dtype)[0], x.size, kind)


def _cast(items: Any, size: int, kind: np.dtype[Any]) -> Any:
    result = memory.empty((size,), kind)
    memory.launch(convert.cast, size, items, result)
    return result


def target(y: View, kind: np.dtype[Any] | None = None) -> Any:
    """Where floats (of this kind) for a result go first: the result itself where it holds such floats."""
    kind = kind or computed_in(y.dtype)
    return y.flat(kind)[0] if y.dtype == kind else memory.empty((y.size,), kind)


def narrowed(made: Any, y: View, grid: float = 0.0) -> None:
    """Floats that `target` took, into the result; integers from a grid, if there is one."""
    if y.dtype == made.dtype:
        return
    if y.dtype.kind in "iu":
        limits = np.iinfo(y.dtype)
        ends = memory.uploaded(np.array([limits.min, limits.max], y.dtype))
        memory.launch(convert.saturate, y.size, grid, ends, made, y.flat(y.dtype)[0])
        return
    usual = computed_in(y.dtype)
    if made.dtype != usual:
        made = _cast(made, y.size, usual)
    if y.dtype.name == "bfloat16":
        bits = memory.view_of(made).flat(np.uint32)[0]
        memory.launch(convert.narrow, y.size, bits, y.flat(np.uint16)[0])
    else:
        memory.launch(convert.cast, y.size, made, y.flat(y.dtype)[0])
