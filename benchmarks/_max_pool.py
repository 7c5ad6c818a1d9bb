"""Cells of max pooling with positions, and of unpooling."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks import peers
from benchmarks.cell import Array, Cell, Way


def _pool(cell: Cell, x: Array, y: Any) -> Way:
    import torch

    t, kernel = torch.from_numpy(x), cell.keywords["kernel_size"]
    values, indices = (torch.from_numpy(np.zeros_like(one)) for one in y)

    def fresh() -> Any:
        return torch.nn.functional.max_pool2d(t, kernel, return_indices=True)

    def into() -> Any:
        size = [kernel, kernel]
        return torch.ops.aten.max_pool2d_with_indices.out(t, size, size, [0, 0], [1, 1], False, out=values, indices=indices)

    def result() -> Array:
        into()
        return np.asarray(values.numpy())

    return Way(fresh, into, result)
