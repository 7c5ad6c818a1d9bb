"""Lay out rows of floats for blocks of permuted vectors: where each block begins, its permutation, and its weights."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastup.cpu.resample.kernels import in_steps, permute, permuted_rows
from fastup.cpu.resample.strip import Strip, flat, overlapping
from fastup.plan.base import Array
from fastup.runtime.abi import Entry
from fastup.runtime.kernel import target_has

_SHORT_PIXEL = 16  # items; longer pixels fill vectors by themselves


class Fit(NamedTuple):
    """How blocks make a row."""

    entry: Entry
    direct: bool  # whether vectors are read where the row lies; the last one may reach into the row that comes next


class Blocks(NamedTuple):
    """The table of a strip."""

    inside: tuple[int, int]  # output pixels, from and to, that blocks make
    begins: Array
    content: Array  # per block the permutation, then the weights, tap by tap
    whole: Array  # taps that every lane of a block reads


def fit(strips: list[Strip], computed: str, taps: int, contiguous: bool) -> Fit | None:
    """How blocks make all these strips; None where they cannot."""
    lanes, items = permute.lanes(computed), strips[0].items
    if not target_has("avx2") or items >= _SHORT_PIXEL:
        return None
    direct = contiguous and all(_may_lie_in_source(strip, computed) for strip in strips)
    regions = [inside(strip, direct) for strip in strips]
    if any((end - begin) * items < lanes for begin, end in regions):
        return None
    reach = max(_reach(strip, lanes, region) for strip, region in zip(strips, regions, strict=True))
    if reach > 2 * lanes:
        return None
    if strips[0].axis.in_steps:
        if computed == "float64":
            return Fit(in_steps.by_permutation_of_doubles(computed), direct)
        return Fit(in_steps.by_permutation(computed, int(reach > lanes)), direct)
    if computed == "float64":
        return Fit(permuted_rows.by_permutation_of_doubles(computed, taps), direct)
    return Fit(permuted_rows.by_permutation(computed, taps, int(reach > lanes)), direct)


def adding(strips: list[Strip]) -> Entry | None:
    """The stage that adds the taps of short pixels to a row; None where a loop over the pixels is as quick or safer."""
    lanes = permute.lanes("float32")
    if not strips or not target_has("avx2") or strips[0].items >= _SHORT_PIXEL:
        return None
    if min(strip.total for strip in strips) < lanes:
        return None
    reach = max(_reach(strip, lanes, (0, len(strip.first))) for strip in strips)
    return permuted_rows.add_by_permutation("float32", int(reach > lanes)) if reach <= 2 * lanes else None


def most_added() -> int:
    """Taps of a pixel that `adding` may have; more reach further than a block of outputs can read."""
    return 2 * permute.lanes("float32")


def tables(strip: Strip, computed: str, direct: bool, adds: bool = False) -> Blocks:
    """The blocks of a strip, in places of its padded row or, `direct`, of the row in the source."""
    lanes, region = permute.lanes(computed), inside(strip, direct)
    chosen = _blocks(strip, lanes, region)
    taken = flat(_first(strip, direct), strip.items)[chosen]
    begins = taken.min(axis=1)
    weights = strip.weights[chosen // strip.items].transpose(0, 2, 1).astype(computed)
    if adds:  # 1 for every tap that is read, and items that two blocks have in common count once
        weights = (weights != 0).astype(computed)
        weights[-1, :, : len(chosen) * lanes - strip.total] = 0
    order = _order(taken - begins[:, None], computed)
    content = np.concatenate([order, weights.reshape(len(weights), -1).view(np.uint8)], axis=1)
    missing = (np.isnan(weights) if strip.axis.in_steps else weights == 0).any(axis=2)
    whole = np.where(missing.any(axis=1), missing.argmax(axis=1), weights.shape[1])
    return Blocks(region, begins, content, np.maximum(whole, 1).astype(np.int64))


def inside(strip: Strip, direct: bool) -> tuple[int, int]:
    """The output pixels whose taps all lie within the row; where its ends have been copied, all."""
    outputs = len(strip.first)
    if not direct:
        return 0, outputs
    first, last = _first(strip, True), _first(strip, True) + _read_taps(strip)
    beyond = (first < 0) | (last > strip.span[2])
    begin = int(np.argmin(beyond))  # the first one within
    # From there on to the next that is not: behind it may be some whose last weights happen to be 0.
    end = begin + int(np.argmax(beyond[begin:])) if beyond[begin:].any() else outputs
    return (begin, end) if begin < end else (0, 0)


def _read_taps(strip: Strip) -> Array:
    """How many taps each output pixel reads: with antialias those behind the last weight are absent."""
    taps = strip.weights.shape[1]
    if not strip.axis.antialias:
        return np.full(len(strip.first), taps)
    if strip.axis.in_steps:
        return strip.axis.counts(strip.weights)
    return np.asarray(taps - (strip.weights[:, ::-1] != 0).argmax(axis=1))


def _first(strip: Strip, direct: bool) -> Array:
    return np.asarray(strip.first - strip.span[1] if direct else strip.first)


def _may_lie_in_source(strip: Strip, computed: str) -> bool:
    """Whether what vectors read beyond the row is no more than the next row has."""
    beyond = 2 * permute.lanes(computed) + strip.weights.shape[1] * strip.items
    return int(beyond) <= strip.axis.extent * strip.items


def _blocks(strip: Strip, lanes: int, region: tuple[int, int]) -> Array:
    """Output items of each block; the last block lies over the one before."""
    begin, end = (pixel * strip.items for pixel in region)
    return begin + overlapping(end - begin, lanes)[:, None] + np.arange(lanes)


def _reach(strip: Strip, lanes: int, region: tuple[int, int]) -> int:
    """Items between the first and the last that a block reads for one tap."""
    taken = flat(strip.first, strip.items)[_blocks(strip, lanes, region)]
    return int((taken.max(axis=1) - taken.min(axis=1)).max()) + 1


def _order(places: Array, computed: str) -> Array:
    """The bytes of permutations."""
    kind = permute.place_type(computed)
    if computed == "float64" and kind == "int32":  # two halves
        places = np.stack([2 * places, 2 * places + 1], axis=-1).reshape(len(places), -1)
    return np.ascontiguousarray(places.astype(kind)).view(np.uint8)
