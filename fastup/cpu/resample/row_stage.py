"""Choose how the pixels of a row are resampled, and lay out that stage's table."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastup.cpu.resample import byte_windows
from fastup.cpu.resample.kernels import fixed, horizontal, permute
from fastup.cpu.resample.strip import Strip, flat, overlapping
from fastup.plan.base import Array
from fastup.plan.sampling import fixed_point
from fastup.plan.sampling.axis import Axis
from fastup.runtime.abi import Entry
from fastup.runtime.kernel import target_has

FAMILIES = (
    horizontal.by_table,
    horizontal.regular,
    horizontal.by_permutation,
    horizontal.add_by_permutation,
    fixed.by_table,
    fixed.by_windows,
    fixed.by_full_windows,
    fixed.regular_narrow,
)
_FACTORS = horizontal.regular.constants["factor"]
_NARROW_BITS = 7  # 255 * 2**7 and its rounding stay below 2**16
MOST_ADDED = 2 * permute.LANES  # taps of a pixel; more reach further than a block of outputs can read
_SHORT_PIXEL = 16  # items; longer pixels fill vectors by themselves


class Choice(NamedTuple):
    """The stage that all strips of a call share."""

    entry: Entry
    method: str
    computed: str
    far: bool = False  # whether it writes past the caches itself
    direct: bool = False  # whether it reads rows as they lie in the source
    windows: byte_windows.Fit | None = None  # of bytes

    @property
    def shares_table(self) -> bool:
        """Whether one reading of the table serves several rows."""
        return self.method in ("permutation", "windows")

    def params(self, strip: Strip, table: Any) -> list[int]:
        """Parameters of the stage for one strip; its arrays go into `table`."""
        return _params(self, strip, table)


def constant_taps(axis: Axis) -> int:
    """Taps that a kernel has as a constant, in torch's order of sums; 0 for any number, in sequence."""
    return axis.constant_taps if axis.constant_taps in horizontal.by_table.constants["taps"] else 0


def common(strips: list[Strip], computed: str, far: bool = False, contiguous: bool = False) -> Choice | None:
    """The quickest stage that can do every strip.

    `far` tells whether its rows are a result that no cache holds, `contiguous` whether those of the source are as it
    would read them.
    """
    if not strips:
        return None
    taps, items = constant_taps(strips[0].axis), strips[0].items
    if computed == "uint8":
        return _common_fixed(strips, items, contiguous)
    factors = {_regular_factor(strip) for strip in strips}
    if taps and items == 1 and len(factors) == 1 and factors <= set(_FACTORS):
        return Choice(horizontal.regular(computed, taps, *factors), "regular", computed, far)
    if computed == "float32" and items < _SHORT_PIXEL and target_has("avx2"):
        reach = max(_reach(strip) for strip in strips)
        if reach <= 2 * permute.LANES:
            entry = horizontal.by_permutation(computed, taps, int(reach > permute.LANES))
            return Choice(entry, "permutation", computed)
    return Choice(horizontal.by_table(computed, taps), "table", computed)


def adding(strips: list[Strip], computed: str) -> Entry | None:
    """The stage that adds the taps of short pixels to a row; None where a loop over the pixels is as quick or safer."""
    if not strips or computed != "float32" or strips[0].items >= _SHORT_PIXEL or not target_has("avx2"):
        return None
    reach = max(_reach(strip) for strip in strips)
    return horizontal.add_by_permutation(computed, int(reach > permute.LANES)) if reach <= 2 * permute.LANES else None


def ones(strip: Strip, table: Any) -> list[int]:
    """Parameters of `adding`: every tap that is read has weight 1."""
    places, blocks = _permutation(strip._replace(weights=(strip.weights != 0).astype(np.float32)))
    common = len(blocks) * permute.LANES - len(strip.first) * strip.items
    blocks[-1, 1:, :common] = 0
    return _by_blocks(strip, table, places, blocks)


def narrowed(weights: Array, bits: int) -> tuple[Array, int] | None:
    """Fixed-point weights of two taps with fewer bits, where 16 bits then hold every sum; None if they do not."""
    spare = bits
    for weight in np.unique(weights[weights != 0]):
        spare = min(spare, (int(weight) & -int(weight)).bit_length() - 1)
    if weights.shape[1] != 2 or (weights < 0).any() or not 1 <= bits - spare <= _NARROW_BITS:
        return None
    return weights >> spare, bits - spare


def _common_fixed(strips: list[Strip], items: int, contiguous: bool) -> Choice:
    factors = {_regular_factor(strip) for strip in strips}
    small = all(narrowed(strip.weights, fixed_point.bits(strip.axis)) for strip in strips)
    if small and items == 1 and len(factors) == 1 and factors <= set(_FACTORS):
        return Choice(fixed.regular_narrow("uint8", *factors), "narrow", "uint8")
    if found := byte_windows.fit(strips, contiguous):
        return Choice(found.entry, "windows", "uint8", direct=found.direct, windows=found)
    return Choice(fixed.by_table("uint8"), "fixed table", "uint8")


def _regular_factor(strip: Strip) -> int:
    """The factor by which an axis grows, if its weights repeat exactly over most of the strip.

    With align_corners they repeat over a few pixels here and there, and all others would be summed one by one.
    """
    factor = round(strip.axis.n_out / strip.axis.n_in)
    begin, end = _regular_range(strip, factor) if factor in _FACTORS else (0, 0)
    return factor if 4 * (end - begin) >= 3 * len(strip.first) else 0


def _regular_range(strip: Strip, factor: int) -> tuple[int, int]:
    """The output pixels between which each pixel's table is that of the pixel `factor` before, one tap further."""
    first, weights = strip.first, strip.weights
    if len(first) < 3 * factor:
        return 0, 0
    same = (first[factor:] == first[:-factor] + 1) & (weights[factor:] == weights[:-factor]).all(axis=1)
    wrong = np.flatnonzero(~same)
    middle = len(same) // 2
    begin = int(wrong[wrong < middle].max(initial=-1)) + 1
    end = int(wrong[wrong >= middle].min(initial=len(same))) + factor
    return begin, begin + (end - begin) // factor * factor


def _blocks(strip: Strip) -> Array:
    """Output items of each block; the last block lies over the one before."""
    return overlapping(strip.total, permute.LANES)[:, None] + np.arange(permute.LANES)


def _reach(strip: Strip) -> int:
    """Items between the first and the last that a block reads for one tap."""
    if strip.total < permute.LANES:
        return 2**62
    taken = flat(strip.first, strip.items)[_blocks(strip)]
    return int((taken.max(axis=1) - taken.min(axis=1)).max()) + 1


def _params(choice: Choice, strip: Strip, table: Any) -> list[int]:
    if choice.method == "permutation":
        return _by_blocks(strip, table, *_permutation(strip))
    if choice.windows is not None:
        places, blocks = choice.windows.tables(strip)
        return _by_blocks(strip, table, places, blocks, fixed_point.bits(strip.axis))
    begin, end = 0, 0
    if choice.method in ("regular", "narrow"):
        begin, end = _regular_range(strip, round(strip.axis.n_out / strip.axis.n_in))
    weights, bits = strip.weights.astype(choice.computed), 0
    if choice.computed == "uint8":
        weights, bits = _fixed_weights(choice, strip)
    return horizontal.P.fill(
        outputs=len(strip.first), items=strip.items, taps=strip.weights.shape[1], first=table.add(strip.first),
        weights=table.add(weights), regular_from=begin, regular_to=end, places=0, blocks=0, bits=bits,
        far=choice.far, low=0, high=0,
    )  # fmt: skip


def _by_blocks(strip: Strip, table: Any, places: Array, blocks: Array, bits: int = 0) -> list[int]:
    return horizontal.P.fill(
        outputs=len(strip.first), items=strip.items, taps=strip.weights.shape[1], first=0, weights=0,
        regular_from=0, regular_to=0, places=table.add(places), blocks=table.add(blocks), bits=bits, far=0,
        low=0, high=0,
    )  # fmt: skip


def _fixed_weights(choice: Choice, strip: Strip) -> tuple[Array, int]:
    """The weights, and the bits behind their binary point."""
    weights, bits = strip.weights, fixed_point.bits(strip.axis)
    if choice.method == "narrow":
        weights, bits = narrowed(weights, bits) or (weights, bits)
        return np.concatenate([[bits], weights.ravel()]).astype(np.int32), bits
    return np.pad(weights, ((0, 0), (0, weights.shape[1] % 2))).astype(np.int16), bits


def _permutation(strip: Strip) -> tuple[Array, Array]:
    """First item of each block, and the blocks: places of the lanes, then weights tap by tap."""
    chosen = _blocks(strip)
    taken = flat(strip.first, strip.items)[chosen]
    places = taken.min(axis=1)
    blocks = np.zeros((len(chosen), 1 + strip.weights.shape[1], permute.LANES), np.float32)
    blocks[:, 0].view(np.int32)[...] = taken - places[:, None]
    blocks[:, 1:] = strip.weights[chosen // strip.items].transpose(0, 2, 1)
    return places, blocks
