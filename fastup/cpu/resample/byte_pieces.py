"""Lay out rows of bytes for vectors of pieces: where each piece begins, its permutations, and its weights."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastup.cpu.resample.kernels import byte_sums, fixed
from fastup.cpu.resample.kernels.byte_vectors import CELL, parts_of, taps_of
from fastup.cpu.resample.strip import Strip, flat, overlapping
from fastup.cpu.resample.weight_words import in_words, words_of
from fastup.cpu.simd.byte_lanes import PIECE, pieces
from fastup.plan.base import Array
from fastup.runtime.abi import Entry

_NOTHING = 128  # the place of a byte that is 0
_FULL = 2  # permutations of `by_full_pieces`


class Fit(NamedTuple):
    """How pieces make a row."""

    entry: Entry
    orders: int  # permutations of each piece
    pixel: int  # items of the pixel that a piece makes; 0: any four neighbours
    direct: bool  # whether pieces are read where the row lies

    @property
    def taps(self) -> int:
        """Taps of an item that one piece gives."""
        return taps_of(self.orders, self.pixel)

    def groups(self, strip: Strip) -> int:
        """Pieces, one after the other, that give all taps."""
        return -(-int(strip.weights.shape[1]) // self.taps)

    def reads(self, strip: Strip) -> int:
        """Bytes from the first to the last that the pieces of all groups cover."""
        return PIECE + self.taps * strip.items * (self.groups(strip) - 1)

    def tables(self, strip: Strip) -> tuple[Array, Array]:
        """Where the pieces begin, and per vector of pieces the permutations and the weights, group by group."""
        groups, items = self.groups(strip), strip.items
        first, missing = strip.first, groups * self.taps - strip.weights.shape[1]
        weights = np.pad(strip.weights, ((0, 0), (0, missing)))
        if self.direct:
            first, weights = _inside(first, weights, _pixels(strip))
        chosen, part = _lanes(strip, self.pixel)
        taken = flat(first, items)[chosen]
        begins = taken.min(axis=2)
        if self.direct:
            begins = np.minimum(begins, _pixels(strip) * items - self.reads(strip))
        # Lanes take a pair of taps for each permutation: first those of all parts, then the next ones.
        pair = np.arange(self.orders)[:, None] * parts_of(self.pixel) + part
        near = (taken - begins[..., None])[:, None] + 2 * items * pair[:, None]
        nothing = np.full_like(near, _NOTHING)
        order = np.stack([near, nothing, near + items, nothing], axis=-1).astype(np.uint8)
        by = weights.reshape(len(weights), groups, -1, 2)[chosen // items]  # vector, piece, lane, group, pair, two
        by = np.take_along_axis(by, pair.T[None, None, :, None, :, None], axis=4).transpose(0, 3, 4, 1, 2, 5)
        by = np.moveaxis(in_words(by, words_of(strip.axis)), -2, 3)  # whole vectors of one word
        return begins.astype(np.int32), np.concatenate([_bytes(order), _bytes(by)], axis=1)


def fit(strips: list[Strip], contiguous: bool, as_floats: bool = False) -> Fit | None:
    """How pieces make all these strips; None where they cannot. With `as_floats` their sums are the result."""
    if not pieces():
        return None
    for one in (_of_sums if as_floats else _candidates)(strips[0]):
        least = (one.pixel or CELL) * pieces()
        if all(strip.total >= least and _reach(strip, strip.first, one) <= PIECE for strip in strips):
            return one._replace(direct=contiguous and all(_fits_row(strip, one) for strip in strips))
    return None


def _candidates(strip: Strip) -> list[Fit]:
    """All ways, the quickest first: full pieces read each byte once, four neighbours leave no lane idle."""
    pairs, items, words = (strip.weights.shape[1] + 1) // 2, strip.items, words_of(strip.axis)
    constant = pairs if pairs in fixed.by_pieces.constants["groups"] else 0
    single = fixed.by_pieces("uint8", constant) if words == 1 else fixed.by_pieces_of_two_words("uint8")
    found = [Fit(single, 1, 0, False)]
    if pairs > 1:
        found.insert(0, Fit(fixed.by_full_pieces("uint8", 0, words), _FULL, 0, False))
    if items in fixed.by_full_pieces.constants["pixel"]:
        found.append(Fit(fixed.by_full_pieces("uint8", items, words), _FULL, items, False))
    return found


def _of_sums(strip: Strip) -> list[Fit]:
    """The same for sums that are kept."""
    found = [Fit(byte_sums.by_pieces("uint8"), 1, 0, False)]
    if strip.weights.shape[1] > 2:
        found.insert(0, Fit(byte_sums.by_full_pieces("uint8", 0), _FULL, 0, False))
    if strip.items in byte_sums.by_full_pieces.constants["pixel"]:
        found.append(Fit(byte_sums.by_full_pieces("uint8", strip.items), _FULL, strip.items, False))
    return found


def _bytes(numbers: Array) -> Array:
    return np.ascontiguousarray(numbers).reshape(len(numbers), -1).view(np.uint8)


def _pixels(strip: Strip) -> int:
    """Pixels from the strip's first to the end of the row."""
    return strip.axis.extent - strip.span[0]


def _fits_row(strip: Strip, one: Fit) -> bool:
    """Whether all pieces can lie within the row: it is long enough, and nothing beyond its ends has to be made up."""
    pixels, taps = _pixels(strip), one.groups(strip) * one.taps
    if strip.span[1] or pixels < taps or pixels * strip.items < one.reads(strip):
        return False
    beyond = strip.first[:, None] + np.arange(strip.weights.shape[1]) >= pixels
    if (strip.weights[beyond] != 0).any():  # the row's last pixel, which only a copy of the row repeats
        return False
    return _reach(strip, np.minimum(strip.first, pixels - taps), one) <= PIECE


def _lanes(strip: Strip, pixel: int) -> tuple[Array, Array]:
    """The output item of each lane, by vector and piece, and which part of its taps each lane of a piece has."""
    lanes = np.arange(CELL)
    if not pixel:
        begins = overlapping(strip.total, CELL * pieces())
        return (begins[:, None] + np.arange(CELL * pieces())).reshape(len(begins), -1, CELL), np.zeros_like(lanes)
    pixels = overlapping(len(strip.first), pieces())[:, None] + np.arange(pieces())
    # A lane to spare makes an item once more.
    return pixels[..., None] * pixel + lanes % pixel, np.minimum(lanes // pixel, parts_of(pixel) - 1)


def _reach(strip: Strip, first: Array, one: Fit) -> int:
    """Bytes between the first and the last that a piece reads."""
    taken = flat(first, strip.items)[_lanes(strip, one.pixel)[0]]
    return int((taken.max(axis=2) - taken.min(axis=2)).max()) + 1 + (one.taps - 1) * strip.items


def _inside(first: Array, weights: Array, pixels: int) -> tuple[Array, Array]:
    """The same taps, begun so early that those without weight at the end lie within the row as well."""
    taps = weights.shape[1]
    late = np.maximum(first + taps - pixels, 0)
    moved = np.arange(taps) - late[:, None]
    return first - late, np.where(moved >= 0, np.take_along_axis(weights, np.maximum(moved, 0), axis=1), 0)
