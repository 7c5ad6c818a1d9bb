"""Means of blocks: as Pillow's Image.reduce has them, its integers and floats of 32 bits in NumPy, and as OpenCV's."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from fastup.cpu.memory import Packing
from fastup.cpu.resample.kernels import block_means, cell_halves, cell_means
from fastup.plan.base import Array
from fastup.plan.conventions.steps import CellMeans, Reduce
from fastup.runtime.workers import Launch

_CELL_MEANS = {
    "uint8": cell_means.cell_means_of_bytes,
    "uint16": cell_means.cell_means_of_shorts,
    "float32": cell_means.cell_means,
}
FAMILIES = (block_means.block_means, *_CELL_MEANS.values())
_KEPT = 64  # launches
_NANOSECONDS, _HALVING = 0.3, 0.06  # per item that is read
_SPAN, _LEAST = 2**32, -(2**31)


def run(step: Reduce, x: Array, out: Array, threads: int | None) -> None:
    """Into `out`, (N, H, W, C)."""
    if x.dtype == np.uint8:
        _of_bytes(step, x, out, threads)
    else:
        _of_numbers(step, x, out)


def run_cells(step: CellMeans, x: Array, out: Array, threads: int | None) -> None:
    """Into `out`, (N, H, W, C)."""
    if x.dtype == np.uint8 and math.prod(step.factors) * 255 >= 1 << 24:  # which float32 does not add up exactly
        _of_bytes(step, x, out, threads, floats=True)
        return
    x = _with_whole_rows(x)
    launch = _cells(step, x.dtype.name, x.strides[:2])
    launch(x.ctypes.data, out.ctypes.data, (x, out), threads)


@functools.lru_cache(maxsize=_KEPT)
def _cells(step: CellMeans, dtype: str, strides: tuple[int, int]) -> Launch:
    """The kernel with its integers; to fill them in anew takes 40 of a call's 65 us."""
    (n, rows, cells, items), (down, across) = step.output_shape, step.factors
    packing = Packing(cell_halves.P)
    packing.set(
        total=n * rows, rows=rows, cells=cells, items=items, down=down, across=across, lead=step.lead or 0,
        paired=step.lead is not None, picture=strides[0], row=strides[1],
    )  # fmt: skip
    cost = _NANOSECONDS if step.lead is None else _HALVING
    return packing.launch(_CELL_MEANS[dtype](dtype), math.prod(step.input_shape) * cost / 1000)


def _with_whole_rows(x: Array) -> Array:
    """The picture, whose rows lie without gaps in them."""
    if not x[0, 0].flags.c_contiguous or min(x.strides) < 0 or any(step % x.dtype.itemsize for step in x.strides):
        return np.ascontiguousarray(x)
    return x


def _of_bytes(step: Reduce | CellMeans, x: Array, out: Array, threads: int | None, floats: bool = False) -> None:
    n, height, width, items = x.shape
    x = _with_whole_rows(x)
    packing = Packing(block_means.P)
    packing.room(4 * width * items)
    packing.set(
        total=n * out.shape[1], rows=out.shape[1], height=height, width=width, items=items, down=step.factors[0],
        across=step.factors[1], picture=x.strides[0], row=x.strides[1], floats=floats,
    )  # fmt: skip
    launch = packing.launch(block_means.block_means("uint8"), x.size * _NANOSECONDS / 1000)
    launch(x.ctypes.data, out.ctypes.data, (x, out), threads)


def _of_numbers(step: Reduce, x: Array, out: Array) -> None:
    """Blocks that are whole add groups of two by two pixels in their own type first."""
    (down, across), (height, width) = step.factors, x.shape[1:3]
    y, z = height // down * down, width // across * across
    for rows, below, tall in (
        (slice(0, y), slice(0, height // down), down),
        (slice(y, None), slice(height // down, None), height - y),
    ):
        for columns, beside, wide in (
            (slice(0, z), slice(0, width // across), across),
            (slice(z, None), slice(width // across, None), width - z),
        ):
            part = x[:, rows, columns]
            if part.size:
                whole = (tall, wide) == (down, across)
                out[:, below, beside] = _means(part, tall, wide, whole)


def _means(x: Array, tall: int, wide: int, whole: bool) -> Array:
    n, height, width, items = x.shape
    exact = x.astype(np.int64) if x.dtype == np.int32 else x
    blocks = exact.reshape(n, height // tall, tall, width // wide, wide, items)
    total = np.zeros((n, height // tall, width // wide, items))
    with np.errstate(all="ignore"):
        for group in _groups(tall, wide) if whole else [[(r, c)] for r in range(tall) for c in range(wide)]:
            some: Any = 0
            for number, (row, column) in enumerate(group):
                one = blocks[:, :, row, :, column]
                some = one if number == 0 else some + one
            total += _wrapped(some) if x.dtype == np.int32 else some
        mean = total * (1.0 / (tall * wide))
        return _to_int32(mean) if x.dtype == np.int32 else mean.astype(x.dtype)


def _groups(tall: int, wide: int) -> list[list[tuple[int, int]]]:
    """Pixels of a block that are added to each other before they are added to the others."""
    rows = [list(range(row, min(row + 2, tall))) for row in range(0, tall, 2)]
    columns = [list(range(column, min(column + 2, wide))) for column in range(0, wide, 2)]
    return [[(r, c) for r in pair for c in both] for pair in rows for both in columns]


def _wrapped(total: Array) -> Array:
    """As 32 bits hold it."""
    return np.asarray((total - _LEAST) % _SPAN + _LEAST)


def _to_int32(mean: Array) -> Array:
    rounded = np.trunc(np.where(mean >= 0, mean + 0.5, mean - 0.5))
    return np.asarray(np.where((rounded >= _LEAST) & (rounded < -_LEAST), rounded, _LEAST).astype(np.int32))
