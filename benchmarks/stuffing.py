"""Cells of zero stuffing."""

from __future__ import annotations

from benchmarks import peers
from benchmarks.cell import Array, Cell, Way


def _numpy(cell: Cell, x: Array, y: Array) -> Way:
    stride = cell.keywords["stride"]

    def assign(result: Array) -> None:
        result.fill(0)
        result[..., ::stride, ::stride] = x

    return peers.in_place(assign, y)


CELLS = (
    Cell(
        "zero_stuff",
        (1, 64, 256, 256),
        {"stride": 2},
        target=1,
        peers={"numpy": _numpy, **peers.EXPORTED},
    ),
)
