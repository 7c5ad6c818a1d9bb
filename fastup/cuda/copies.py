"""Copies in another order: how digits with strides and lists of places become one launch."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastup.cuda import memory
from fastup.cuda.kernels.gather import EXTENT, GAP, PLACES, STRIDE, gather
from fastup.cuda.memory import View
from fastup.plan.base import Array, Plan

# Of a digit: its extent, and the stride of its positions in items, or the place of each position.
Digits = list[tuple[int, int | Array]]
_WIDEST = 8  # bytes that one thread moves


def copy(plan: Plan, key: Any, digits: Digits, source: View, target: View) -> None:
    """Fill the contiguous `target`; `key` tells the digits apart from others of this plan."""
    size = source.dtype.itemsize
    if size == 16:  # as two items of eight bytes
        size, digits = 8, [*((n, 2 * step) for n, step in digits), (2, 1)]
    memories = source.flat(np.uint8), target.flat(np.uint8)
    size, digits = _widened(size, digits, [memory_.size - begin for memory_, begin in memories])
    element = np.dtype(f"u{size}")
    (src, first), (dst, _) = source.flat(element), target.flat(element)
    known = memory.kept(plan, key, source.strides, size)
    if not known:
        known.append(memory.table(_table([*digits, (1, np.array([first]))])))
    memory.launch(gather, math.prod(n for n, _ in digits), len(digits) + 1, known[0], src, dst)


def _widened(size: int, digits: Digits, lengths: list[int]) -> tuple[int, Digits]:
    """Items twice as large, as long as the fastest digit goes through pairs of neighbours: fewer, wider accesses."""
    while 2 * size <= _WIDEST and digits:
        *others, (extent, step) = digits
        pairs = isinstance(step, int) and step == 1 and extent % 2 == 0
        even = all(not np.any(np.asarray(other) % 2) for _, other in others)
        if not (pairs and even and not any(length % (2 * size) for length in lengths)):
            break
        halved: Digits = [(n, _halved(other)) for n, other in others]
        size, digits = 2 * size, [*halved, (extent // 2, 1)]
    return size, digits


def _halved(step: int | Array) -> int | Array:
    return step // 2 if isinstance(step, int) else np.where(step <= GAP, step, step // 2)


def _table(digits: Digits) -> list[int]:
    """The kernel's table, the fastest digit first, then the lists of places."""
    entries: list[int] = [0] * 3 * len(digits)
    lists: list[int] = []
    for k, (extent, step) in enumerate(reversed(digits)):
        entries[3 * k + EXTENT] = extent
        if isinstance(step, int):
            entries[3 * k + STRIDE], entries[3 * k + PLACES] = step, -1
        else:
            entries[3 * k + PLACES] = len(entries) + len(lists)
            lists += [int(place) for place in step]
    return entries + lists


def contiguous(plan: Plan, x: View) -> View:
    """The array in C order: itself, or a copy on the device."""
    if x.is_contiguous:
        return x
    made = memory.view_of(memory.empty(x.shape, storage(x.dtype)), x.dtype)
    size = x.dtype.itemsize
    copy(plan, "contiguous", [(n, s // size) for n, s in zip(x.shape, x.strides, strict=True)], x, made)
    return made


def storage(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """A dtype that Numba knows, of the same size."""
    return np.dtype(np.uint16) if dtype.name == "bfloat16" else dtype
