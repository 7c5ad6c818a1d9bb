"""Cut rows of floats into tiles for the stage that turns them into columns."""

from __future__ import annotations

import numpy as np

from fastup.cpu.resample.kernels import columns, permute
from fastup.cpu.resample.strip import Strip
from fastup.plan.base import Array
from fastup.runtime.abi import Entry


def fit(strips: list[Strip], computed: str) -> Entry | None:
    """The stage, if its tiles make all these strips: filters that are stretched, and no copies of a row's ends."""
    if not all(strip.axis.antialias and not strip.span[1] and _fits(strip, computed) for strip in strips):
        return None
    return columns.by_columns(computed) if computed == "float32" else columns.by_columns_of_doubles(computed)


def tiles(strip: Strip, computed: str) -> Array:
    """Output pixels, from and to, of each tile, and the items that it reads."""
    size, items = permute.lanes(computed), strip.items
    ends, outputs, found = _ends(strip), len(strip.first), []
    begin = 0
    while begin < outputs:
        most = begin + columns.MOST_MADE // items
        reach = np.searchsorted(ends, strip.first[begin] * items + columns.MOST_READ, "right")
        end = int(min(outputs, most, max(reach, begin + 1)))
        found.append(_tile(strip, max(0, min(begin, end - -(-size // items))), end, size, ends))
        begin = end
    return np.array(found, np.int64)


def _tile(strip: Strip, begin: int, end: int, size: int, ends: Array) -> tuple[int, int, int, int]:
    """A tile that reads and makes no less than a vector."""
    first = int(strip.first[begin]) * strip.items
    read = max(size, int(ends[end - 1]) - first)
    return begin, end, min(first, strip.span[2] * strip.items - read), read


def _ends(strip: Strip) -> Array:
    """One past the last item that each output pixel may read: taps beyond the row are absent."""
    return np.asarray(np.minimum(strip.first + strip.weights.shape[1], strip.span[2]) * strip.items)


def _fits(strip: Strip, computed: str) -> bool:
    size, items = permute.lanes(computed), strip.items
    if min(strip.total, strip.span[2] * items) < size:
        return False
    made = tiles(strip, computed)
    return bool(
        made[:, 3].max() <= columns.MOST_READ and ((made[:, 1] - made[:, 0]) * items).max() <= columns.MOST_MADE
    )
