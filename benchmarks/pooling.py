"""Cells of max pooling with positions, and of unpooling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import fastup
from benchmarks import peers
from benchmarks.cell import Array, Cell, Way, aligned


@dataclass(frozen=True)
class _Pair(Cell):
    """Pooling has two results and unpooling two inputs; what is compared is the first result."""

    def example(self) -> tuple[Array, Array]:
        """An input, and the values of the result."""
        x = self.input()
        if self.operator == "max_pool2d":
            return x, aligned(fastup.max_pool2d(x, **self.keywords)[0])
        return x, aligned(fastup.max_unpool2d(x, self.indices(), **self.keywords))

    def indices(self) -> Array:
        """One position in each window of two by two."""
        n, c, h, w = self.shape
        large = np.random.default_rng(1).random((n, c, 2 * h, 2 * w), np.float32)
        return aligned(fastup.max_pool2d(large, 2, return_indices=True)[1])


def _ours(cell: Cell, x: Array, y: Array) -> Way:
    assert isinstance(cell, _Pair)
    if cell.operator == "max_unpool2d":
        indices = cell.indices()
        return Way(
            lambda: fastup.max_unpool2d(x, indices, **cell.keywords),
            lambda: fastup.max_unpool2d(x, indices, **cell.keywords, out=y),
            lambda: fastup.max_unpool2d(x, indices, **cell.keywords),
        )
    out = y, aligned(np.zeros(y.shape, np.int64))
    return Way(
        lambda: fastup.max_pool2d(x, **cell.keywords),
        lambda: fastup.max_pool2d(x, **cell.keywords, out=out),
        lambda: fastup.max_pool2d(x, **cell.keywords)[0],
    )


def _torch_pool(cell: Cell, x: Array, y: Array) -> Way:
    import torch

    t, k = torch.from_numpy(x), [cell.keywords["kernel_size"]] * 2
    values, places = torch.from_numpy(np.zeros_like(y)), torch.from_numpy(np.zeros(y.shape, np.int64))

    def into() -> Any:
        pooled = torch.ops.aten.max_pool2d_with_indices.out
        return pooled(t, k, k, [0, 0], [1, 1], False, out=values, indices=places)

    def result() -> Array:
        into()
        return np.asarray(values.numpy())

    return Way(lambda: torch.nn.functional.max_pool2d(t, k, return_indices=True), into, result)


def _torch_unpool(cell: Cell, x: Array, y: Array) -> Way:
    import torch

    assert isinstance(cell, _Pair)
    places, size = torch.from_numpy(cell.indices()), list(y.shape[2:])
    return peers.torch(
        cell,
        x,
        y,
        lambda t: torch.nn.functional.max_unpool2d(t, places, 2, output_size=size),
        lambda t, out: torch.ops.aten.max_unpool2d.out(t, places, size, out=out),
    )


CELLS = (
    _Pair(
        "max_pool2d", (1, 64, 256, 256), {"kernel_size": 2, "return_indices": True}, target=3,
        peers={"torch": _torch_pool}, ours=_ours,
    ),
    _Pair(
        "max_unpool2d", (1, 64, 128, 128), {"kernel_size": 2}, target=1.3, peers={"torch": _torch_unpool}, ours=_ours,
    ),
)  # fmt: skip
