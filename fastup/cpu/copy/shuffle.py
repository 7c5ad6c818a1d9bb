"""Pixel shuffle and unshuffle on the CPU: one permuted copy, and one more for a window that begins amid a block."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastup.cpu.copy import permuted
from fastup.plan import PixelShufflePlan
from fastup.runtime import memory
from fastup.runtime.workers import Launch


def launch(plan: PixelShufflePlan, strides: tuple[int, ...]) -> Any:
    """The copy for a source with these strides (in items); None for strides that no kernel walks."""
    shuffle = permuted.launch(plan.digits(strides), plan.dtype.itemsize)
    inside = plan.inside
    if shuffle is None or inside is None:
        return shuffle
    apart = [math.prod(plan.blocks_shape[axis + 1 :]) for axis in range(len(plan.blocks_shape))]
    cut = permuted.launch(list(zip(plan.output_shape, apart, strict=True)), plan.dtype.itemsize)
    first = sum(begin * apart[axis] for begin, axis in zip(inside, plan.spatial_axes, strict=True))
    size = plan.dtype.itemsize
    return None if cut is None else _Cut(shuffle, cut, first * size, math.prod(plan.blocks_shape) * size)


class _Cut:
    """Whole blocks of phases, and the window cut out of them."""

    def __init__(self, shuffle: Launch, cut: Launch, first: int, size: int) -> None:
        self._shuffle, self._cut, self._first, self._size = shuffle, cut, first, size

    def __call__(self, source: int, target: int, keep: tuple[Any, ...], threads: int | None = None) -> None:
        """Run over buffers at these addresses."""
        blocks = memory.empty((self._size,), np.dtype(np.uint8))
        begin = blocks.ctypes.data
        self._shuffle(source, begin, (*keep, blocks), threads)
        self._cut(begin + self._first, target, (*keep, blocks), threads)
