"""Lay out rows of bytes for vectors of windows: where each window begins, its permutation, and its weights."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastup.cpu.resample.kernels import fixed
from fastup.cpu.resample.kernels.byte_vectors import CELL, WINDOW, windows
from fastup.cpu.resample.strip import Strip, flat, overlapping
from fastup.plan.base import Array
from fastup.runtime.abi import Entry

_NOTHING = 128  # the place of a byte that is 0


class Fit(NamedTuple):
    """How windows make a row."""

    entry: Entry
    pixel: int  # items of the pixel that a window makes; 0: any four neighbours
    direct: bool  # whether windows are read where the row lies


def fit(strips: list[Strip], contiguous: bool) -> Fit | None:
    """How windows make all these strips; None where they cannot."""
    items, pixel = strips[0].items, 0
    if not windows() or min(strip.total for strip in strips) < CELL * windows():
        return None
    if max(_reach(strip, strip.first, 0) for strip in strips) > WINDOW:
        pixel = items
        if items not in fixed.pixels_by_windows.constants["items"]:
            return None
    pairs = max(_pairs(strip) for strip in strips)
    direct = contiguous and all(_fits_row(strip, pixel, pairs) for strip in strips)
    if pixel:
        return Fit(fixed.pixels_by_windows("uint8", pixel), pixel, direct)
    constant = pairs if pairs in fixed.by_windows.constants["pairs"] else 0
    return Fit(fixed.by_windows("uint8", constant), 0, direct)


def tables(strip: Strip, pixel: int, direct: bool) -> tuple[Array, Array]:
    """Where the windows begin, and per vector of windows the permutation and the weights, pair by pair of taps."""
    pairs, items = _pairs(strip), strip.items
    first, weights = strip.first, np.pad(strip.weights, ((0, 0), (0, strip.weights.shape[1] % 2))).astype(np.int16)
    chosen = _chosen(strip, pixel)
    if direct:
        first, weights = _inside(first, weights, _pixels(strip))
    taken = flat(first, items)[chosen]
    begins = taken.min(axis=2)
    if direct:
        begins = np.minimum(begins, _pixels(strip) * items - _read(pairs, items))
    near = taken - begins[..., None]
    nothing = np.full_like(near, _NOTHING)
    order = np.stack([near, nothing, near + items, nothing], axis=-1).astype(np.uint8)
    by = weights.reshape(len(weights), pairs, 2)[chosen // items].transpose(0, 3, 1, 2, 4)
    blocks = np.concatenate([order.reshape(len(chosen), -1), _bytes(by)], axis=1)
    return begins.astype(np.int32), blocks


def _bytes(numbers: Array) -> Array:
    return np.ascontiguousarray(numbers).reshape(len(numbers), -1).view(np.uint8)


def _pairs(strip: Strip) -> int:
    return (int(strip.weights.shape[1]) + 1) // 2


def _read(pairs: int, items: int) -> int:
    """Bytes from the first to the last that the windows of all pairs of taps cover."""
    return WINDOW + 2 * items * (pairs - 1)


def _pixels(strip: Strip) -> int:
    """Pixels from the strip's first to the end of the row."""
    return strip.axis.extent - strip.span[0]


def _fits_row(strip: Strip, pixel: int, pairs: int) -> bool:
    """Whether all windows can lie within the row: it is long enough, and nothing beyond its ends has to be made up."""
    pixels = _pixels(strip)
    if strip.span[1] or pixels < 2 * pairs or pixels * strip.items < _read(pairs, strip.items):
        return False
    return _reach(strip, np.minimum(strip.first, pixels - 2 * pairs), pixel) <= WINDOW


def _chosen(strip: Strip, pixel: int) -> Array:
    """The output items of each vector of windows, window by window."""
    if not pixel:
        begins = overlapping(strip.total, CELL * windows())
        return (begins[:, None] + np.arange(CELL * windows())).reshape(len(begins), -1, CELL)
    pixels = overlapping(len(strip.first), windows())[:, None] + np.arange(windows())
    lanes = np.minimum(np.arange(CELL), pixel - 1)  # a lane to spare makes the last item once more
    return np.asarray(pixels[..., None] * pixel + lanes)


def _reach(strip: Strip, first: Array, pixel: int) -> int:
    """Bytes between the first and the last that a window reads for a pair of taps."""
    taken = flat(first, strip.items)[_chosen(strip, pixel)]
    return int((taken.max(axis=2) - taken.min(axis=2)).max()) + 1 + strip.items


def _inside(first: Array, weights: Array, pixels: int) -> tuple[Array, Array]:
    """The same taps, begun so early that those without weight at the end lie within the row as well."""
    taps = weights.shape[1]
    late = np.maximum(first + taps - pixels, 0)
    moved = np.arange(taps) - late[:, None]
    return first - late, np.where(moved >= 0, np.take_along_axis(weights, np.maximum(moved, 0), axis=1), 0)
