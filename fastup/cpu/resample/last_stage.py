"""Choose what finishes a row: a blend that writes the result itself, and how integers are rounded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastup.cpu.resample import row_stage
from fastup.cpu.resample.kernels import settle, to_shorts, vertical
from fastup.cpu.simd.item_kinds import KINDS, WIDE

if TYPE_CHECKING:
    from fastup.cpu.resample.separable import SeparablePacking

FAMILIES = (vertical.blend_far, to_shorts.blend, settle.settle, settle.settle_of_doubles)
_SHORTS = ("uint16", "int16")


def blend(packing: SeparablePacking) -> int:
    """The last blend, if it writes the result itself: past the caches, or as integers of 16 bits; else 0."""
    last, axis = packing.slices if packing.has_depth else packing.rows, packing.depth or packing.height
    if last.entry is None or axis is None or packing.fixed:
        return 0
    taps = last.weights.shape[1]
    constant = row_stage.constant_taps(axis) if taps == row_stage.constant_taps(axis) else 0
    usual = not (packing.swapped or axis.in_steps) and packing.call.rounding == "half even"
    if usual and KINDS[packing.kind].removeprefix(WIDE) in _SHORTS:
        return to_shorts.blend(packing.computed, constant).address
    if packing.far and packing.plain and constant:
        return vertical.blend_far(packing.computed, constant).address
    return 0


def settling(computed: str, rounding: str) -> int:
    """What rounds in another way than `store` does; 0 where that is right."""
    if rounding == "half even":
        return 0
    return (settle.settle if computed == "float32" else settle.settle_of_doubles)(computed).address


def of_strip(packing: SeparablePacking, begin: int, items: int) -> dict[str, int]:
    """What the blends of a strip are told: which of its items lead, the lowest integer, and where results go."""
    lowest = np.iinfo(np.int16).min if packing.call.dtype.kind == "i" else 0
    return {"lead": _lead(packing, begin, items), "lowest": lowest, "far": int(packing.far)}


def _lead(packing: SeparablePacking, begin: int, items: int) -> int:
    """Items of a strip that a library's vectors have, which end with the last whole one of a row."""
    lanes = packing.height.rule.lanes if packing.height and packing.height.rule else 0
    if lanes == 0:
        return 0
    width, each = packing.width, packing.call.items
    whole = width.n_out * each // lanes * lanes
    return max(0, min(items, whole - (width.window[0] + begin) * each))
