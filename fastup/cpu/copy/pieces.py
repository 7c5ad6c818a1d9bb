"""Lay out rows of short pixels that are looked up: 16 bytes at a time, out of one to four windows of 16 bytes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastup.cpu.copy.kernels import take
from fastup.cpu.simd import byte_lanes
from fastup.cpu.simd.byte_lanes import PIECE
from fastup.plan.base import Array

_ELSEWHERE = 128  # the place of a byte that another window has
_MOST = max(take.take_pieces.constants["windows"])
_THREE_ITEMS = 1.5  # moves of a pixel that is moved as four items
_WORTH = 2  # moves of items that a window replaces: nearest of float32 to a third takes 1.2 times as long with fewer
_LONGEST = 2**31


class Fit(NamedTuple):
    """How pieces make a row: windows of each, and the kernel's table, as it reads it."""

    windows: int
    table: Array


def fit(first: Array, extent: int, run: int, items: int, stride: int) -> Fit | None:
    """The pieces of a row of pixels of `run` bytes and so many items; None where none pay."""
    moves = _THREE_ITEMS if items == 3 else items
    most = min(_MOST, int(PIECE * moves / (run * _WORTH)))
    total, held = len(first) * run, extent * run
    if not byte_lanes.width() or stride != run or run >= PIECE or min(total, held) < PIECE or held >= _LONGEST:
        return None
    begins = np.minimum(np.arange(0, total, PIECE), total - PIECE)
    taken = (first[:, None] * run + np.arange(run)).ravel()[begins[:, None] + np.arange(PIECE)]
    places, orders, left = list[Array](), list[Array](), np.ones(taken.shape, bool)
    while left.any():
        if len(places) >= most:
            return None
        place = np.minimum(np.where(left, taken, held).min(axis=1), held - PIECE)
        near = taken - place[:, None]
        here = left & (near >= 0) & (near < PIECE)
        places.append(place)
        orders.append(np.where(here, near, _ELSEWHERE))
        left &= ~here
    words = np.stack(places, axis=1).astype(np.int32)
    return Fit(len(places), _in_words(words, np.stack(orders, axis=1).astype(np.uint8)))


def _in_words(*parts: Array) -> Array:
    """Arrays one after the other, as the integers of 64 bits that a table is made of."""
    content = b"".join(part.tobytes() for part in parts)
    return np.frombuffer(content + bytes(-len(content) % 8), np.int64)
