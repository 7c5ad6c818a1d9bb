"""Cells of pixel shuffle and unshuffle."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks import peers
from benchmarks.cell import Array, Cell, Way


def _digits(cell: Cell, small: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Small picture's shape with the channels split, and the permutation to the large one's digits."""
    r = next(value for name, value in cell.keywords.items() if name.endswith("factor"))
    if cell.channels_last:
        n, h, w, c = small
        return (n, h, w, c // r**2, r, r), (0, 1, 4, 2, 5, 3)
    n, c, h, w = small
    return (n, c // r**2, r, r, h, w), (0, 1, 4, 2, 5, 3)


def _numpy(cell: Cell, x: Array, y: Array) -> Way:
    """Assignment between two strided views: NumPy's quickest way here."""
    if cell.operator == "pixel_shuffle":
        digits, order = _digits(cell, x.shape)
        source = x.reshape(digits).transpose(order)
        return peers.in_place(lambda result: np.copyto(result.reshape(source.shape), source), y)
    digits, order = _digits(cell, y.shape)
    source = x.reshape([digits[k] for k in order])
    return peers.in_place(lambda result: np.copyto(result.reshape(digits).transpose(order), source), y)


def _torch(cell: Cell, x: Array, y: Array) -> Way:
    import torch

    (r,) = [value for name, value in cell.keywords.items() if name.endswith("factor")]
    packet = getattr(torch.ops.aten, cell.operator)
    return peers.torch(
        cell, x, y, lambda t: getattr(torch.nn.functional, cell.operator)(t, r), lambda t, o: packet.out(t, r, out=o)
    )


_PEERS = {**peers.EXPORTED, "torch": _torch, "numpy": _numpy}


def _cell(shape: tuple[int, ...], r: int, target: float, limit: float = 0.7, **options: Any) -> Cell:
    last = {"data_format": "channels_last"} if options.pop("last", False) else {}
    return Cell(
        "pixel_shuffle", shape, {"upscale_factor": r, **last}, target=target, limit=limit, peers=_PEERS, **options
    )


CELLS = (
    _cell((1, 256, 128, 128), 2, 2.5),
    _cell((1, 27, 360, 640), 3, 2),
    _cell((1, 48, 270, 480), 4, 1.5),
    _cell((16, 256, 32, 32), 2, 2.5),
    _cell((1, 128, 128, 256), 2, 1.5, 0.6, last=True),
    _cell((1, 360, 640, 27), 3, 1.5, 0.6, last=True),
    _cell((1, 256, 128, 128), 2, 1.5, 0.6, dtype="uint8"),
    _cell((1, 27, 360, 640), 3, 1.5, 0.6, dtype="uint8"),
    _cell((1, 128, 128, 256), 2, 1.5, 0.6, last=True, dtype="uint8"),
    _cell((1, 360, 640, 27), 3, 1.5, 0.6, last=True, dtype="uint8"),
    Cell("pixel_unshuffle", (1, 64, 256, 256), {"downscale_factor": 2}, target=2, limit=0.7, peers=_PEERS),
)
