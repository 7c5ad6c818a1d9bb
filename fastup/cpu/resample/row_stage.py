"""Choose how the pixels of a row are resampled, and lay out that stage's table."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastup.cpu.resample import byte_pieces, float_blocks, tiles
from fastup.cpu.resample.kernels import (
    byte_sums,
    columns,
    fixed,
    horizontal,
    in_steps,
    lerp,
    opencv_bytes,
    permute,
    permuted_rows,
)
from fastup.cpu.resample.strip import Strip
from fastup.cpu.resample.weight_words import in_pairs, words_of
from fastup.plan.base import Array
from fastup.plan.sampling import fixed_point
from fastup.plan.sampling.axis import Axis
from fastup.runtime.abi import Entry

FAMILIES = (
    horizontal.by_table,
    horizontal.regular,
    permuted_rows.by_permutation,
    permuted_rows.by_permutation_of_doubles,
    permuted_rows.add_by_permutation,
    columns.by_columns,
    columns.by_columns_of_doubles,
    in_steps.by_table,
    in_steps.by_permutation,
    in_steps.by_permutation_of_doubles,
    lerp.by_table,
    byte_sums.by_pieces,
    byte_sums.by_full_pieces,
    byte_sums.by_table,
    fixed.by_table,
    fixed.by_pieces,
    fixed.by_pieces_of_two_words,
    fixed.by_full_pieces,
    fixed.regular_narrow,
)
_FACTORS = horizontal.regular.constants["factor"]
_NARROW_BITS = 7  # 255 * 2**7 and its rounding stay below 2**16
_FAR = 2**40
_LERPS = {"lerp": 0, "fused lerp": 1}


class Choice(NamedTuple):
    """The stage that all strips of a call share."""

    entry: Entry
    method: str
    computed: str
    far: bool = False  # whether it writes past the caches itself
    direct: bool = False  # whether it reads rows as they lie in the source
    pieces: byte_pieces.Fit | None = None  # of bytes

    @property
    def keeps_within_rows(self) -> bool:
        """Whether it reads rows in the source and nothing beyond them."""
        return self.direct and self.method != "permutation"

    @property
    def at_once(self) -> int:
        """Rows that the stage makes together with a gain; 0 where it has none."""
        if self.method == "columns":
            return permute.lanes(self.computed)
        return 2 if self.method in ("permutation", "pieces") else 0  # which read their table once for both

    @property
    def scratch_bytes(self) -> int:
        """Memory that the stage works in."""
        return columns.scratch_bytes() if self.method == "columns" else 0

    def params(self, strip: Strip, table: Any) -> list[int]:
        """Parameters of the stage for one strip; its arrays go into `table`."""
        return _params(self, strip, table)


def constant_taps(axis: Axis) -> int:
    """Taps that a kernel has as a constant, in torch's order of sums; 0 for any number, in sequence."""
    return axis.constant_taps if axis.constant_taps in horizontal.by_table.constants["taps"] else 0


def of_byte_sums(strips: list[Strip], contiguous: bool) -> Choice:
    """The stage that sums bytes with integer weights and keeps the sums."""
    if found := byte_pieces.fit(strips, contiguous, as_floats=True):
        return Choice(found.entry, "pieces", "uint8", direct=found.direct, pieces=found)
    return Choice(byte_sums.by_table("uint8"), "fixed table", "uint8")


def common(
    strips: list[Strip], computed: str, far: bool = False, contiguous: bool = False, several: bool = False
) -> Choice | None:
    """The quickest stage that can do every strip.

    `far` tells whether its rows are a result that no cache holds, `contiguous` whether those of the source are as it
    would read them, `several` whether it may make rows in advance.
    """
    if not strips:
        return None
    taps, items, rule = constant_taps(strips[0].axis), strips[0].items, strips[0].axis.rule
    if computed == "uint8":
        return _common_fixed(strips, items, contiguous)
    if rule is not None and rule.blend in _LERPS:
        return Choice(lerp.by_table(computed, _LERPS[rule.blend]), "table", computed)
    factors = {_regular_factor(strip) for strip in strips}
    if taps and items == 1 and len(factors) == 1 and factors <= set(_FACTORS):
        return Choice(horizontal.regular(computed, taps, *factors), "regular", computed, far, contiguous)
    if found := float_blocks.fit(strips, computed, taps, contiguous):
        return Choice(found.entry, "permutation", computed, direct=found.direct)
    if rule is not None and rule.in_steps:
        return Choice(in_steps.by_table(computed), "table", computed, direct=contiguous)
    if several and (entry := tiles.fit(strips, computed)):
        return Choice(entry, "columns", computed, direct=contiguous)
    return Choice(horizontal.by_table(computed, taps), "table", computed, direct=contiguous)


def blend_in_steps(kind: str, computed: str) -> Entry:
    """What puts rows together where every product is rounded; see `Rule.blend`."""
    if kind in _LERPS:
        return lerp.blend(computed, _LERPS[kind])
    if computed == "float64":
        return in_steps.blend_of_doubles(computed)
    kinds = {
        "backward": in_steps.blend_backward,
        "bytes linear": opencv_bytes.blend_linear,
        "bytes exact linear": opencv_bytes.blend_exact_linear,
        "bytes exactly": opencv_bytes.blend_exactly,
        "bytes cubic": opencv_bytes.blend_cubic,
    }
    return kinds.get(kind, in_steps.blend)(computed)


def ones(strip: Strip, table: Any) -> list[int]:
    """Parameters of the stage that adds: every tap that is read has weight 1."""
    return _of_floats(strip, table, float_blocks.tables(strip, "float32", False, adds=True))


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
    if found := byte_pieces.fit(strips, contiguous):
        return Choice(found.entry, "pieces", "uint8", direct=found.direct, pieces=found)
    return Choice(fixed.by_table("uint8", words_of(strips[0].axis)), "fixed table", "uint8")


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


def _params(choice: Choice, strip: Strip, table: Any) -> list[int]:
    if choice.method == "permutation":
        blocks = float_blocks.tables(strip, choice.computed, choice.direct)
        return _of_floats(strip, table, blocks, choice.direct, choice.computed)
    if choice.pieces is not None:
        places, content = choice.pieces.tables(strip)
        return _fill(
            strip, places=table.add(places), blocks=table.add(content), bits=fixed_point.bits(strip.axis),
        )  # fmt: skip
    if choice.method == "columns":
        cut = tiles.tiles(strip, choice.computed)
        return _fill(
            strip, first=table.add(strip.first), weights=table.add(strip.weights.astype(choice.computed)),
            places=table.add(cut), whole=len(cut),
        )  # fmt: skip
    begin, end = 0, 0
    if choice.method in ("regular", "narrow"):
        begin, end = _regular_range(strip, round(strip.axis.n_out / strip.axis.n_in))
        begin, end = _within(strip, begin, end) if choice.direct else (begin, end)
    weights, bits = strip.weights.astype(choice.computed), 0
    if choice.computed == "uint8":
        weights, bits = _fixed_weights(choice, strip)
    return _fill(
        strip, **_ends(strip, choice.direct), first=table.add(strip.first - strip.span[1] * choice.direct),
        weights=table.add(weights), regular_from=begin, regular_to=end, bits=bits, far=choice.far,
    )  # fmt: skip


def _of_floats(
    strip: Strip, table: Any, blocks: float_blocks.Blocks, direct: bool = False, computed: str = "float32"
) -> list[int]:
    begin, end = blocks.inside
    alone = {}  # what pixels at the ends of a row are made by
    if (begin, end) != (0, len(strip.first)):
        alone["first"] = table.add(strip.first - strip.span[1] * direct)
        alone["weights"] = table.add(strip.weights.astype(computed))
    return _fill(
        strip, **_ends(strip, direct), **alone, regular_from=begin, regular_to=end, places=table.add(blocks.begins),
        blocks=table.add(blocks.content), whole=table.add(blocks.whole),
    )  # fmt: skip


def _ends(strip: Strip, direct: bool) -> dict[str, int]:
    """The first and the last pixel of the row: where its ends have been copied, further than any tap reaches."""
    return {"low": 0, "high": strip.span[2] - 1} if direct else {"low": -_FAR, "high": _FAR}


def _fill(strip: Strip, **values: int) -> list[int]:
    unused = dict.fromkeys(
        ("first", "weights", "regular_from", "regular_to", "places", "blocks", "whole", "bits", "far", "low", "high"), 0
    )
    return horizontal.P.fill(
        outputs=len(strip.first), items=strip.items, taps=strip.weights.shape[1], **{**unused, **values}
    )


def _within(strip: Strip, begin: int, end: int) -> tuple[int, int]:
    """The part of a regular range whose taps all lie within the row."""
    factor = round(strip.axis.n_out / strip.axis.n_in)
    low, high = float_blocks.inside(strip, True)
    begin += -(-max(0, low - begin) // factor) * factor
    return begin, begin + max(0, min(end, high) - begin) // factor * factor


def _fixed_weights(choice: Choice, strip: Strip) -> tuple[Array, int]:
    """The weights, and the bits behind their binary point."""
    weights, bits = strip.weights, fixed_point.bits(strip.axis)
    if choice.method == "narrow":
        weights, bits = narrowed(weights, bits) or (weights, bits)
        return np.concatenate([[bits], weights.ravel()]).astype(np.int32), bits
    return in_pairs(weights, words_of(strip.axis)), bits
