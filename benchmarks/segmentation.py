"""Cells of upsampling logits to labels and masks: peers upsample all classes first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks import peers
from benchmarks.cell import Array, Cell, Way

_TIES = 1e-4  # part of the pixels whose two best classes are equal within rounding


@dataclass(frozen=True)
class _Labels(Cell):
    """Runtimes round interpolation differently, which decides where two classes are nearly equal."""

    def agree(self, result: Array, expected: Array) -> bool:
        """Whether all but a few labels are the same."""
        return result.shape == expected.shape and bool(np.mean(result != expected) <= _TIES)


def _torch(cell: Cell, x: Array, y: Array) -> Way:
    import torch

    size, mode = cell.keywords["size"], {4: "bilinear", 5: "trilinear"}[x.ndim]
    tensor = peers.tensor_of(x)
    logits = torch.empty((*x.shape[:2], *size))
    labels = torch.empty(y.shape, dtype=torch.int64)
    into_logits = torch.ops.aten.upsample_bilinear2d.out if x.ndim == 4 else torch.ops.aten.upsample_trilinear3d.out

    def fresh() -> Any:
        return torch.nn.functional.interpolate(tensor, size=size, mode=mode).argmax(1)

    def into() -> Any:
        into_logits(tensor, size, False, out=logits)
        return torch.argmax(logits, 1, out=labels)

    return Way(fresh, into, lambda: np.asarray(into().numpy()))


def _torch_mask(cell: Cell, x: Array, y: Array) -> Way:
    import torch

    size, threshold = cell.keywords["size"], cell.keywords["threshold"]
    return peers.torch(
        cell, x, y,
        lambda t: torch.nn.functional.interpolate(t, size=size, mode="bilinear") > threshold,
        lambda t, out: torch.gt(torch.nn.functional.interpolate(t, size=size, mode="bilinear"), threshold, out=out),
    )  # fmt: skip


def _opencv(cell: Cell, x: Array, y: Array) -> Way:
    """Class by class, with a running maximum: quicker than argmax over all of them."""
    import cv2

    height, width = cell.keywords["size"]
    plane, best = np.empty((height, width), np.float32), np.empty((height, width), np.float32)
    better, target = np.empty((height, width), bool), np.zeros_like(y)

    def fill(labels: Array) -> Array:
        for picture, result in zip(x, labels, strict=True):
            best.fill(-np.inf)
            for number, logits in enumerate(picture):
                cv2.resize(logits, (width, height), dst=plane, interpolation=cv2.INTER_LINEAR)
                np.greater(plane, best, out=better)
                np.copyto(best, plane, where=better)
                np.copyto(result, number, where=better)
        return labels

    return Way(lambda: fill(np.empty_like(y)), lambda: fill(target), lambda: fill(target))


def _opencv_mask(cell: Cell, x: Array, y: Array) -> Way:
    import cv2

    height, width = cell.keywords["size"]
    plane, target = np.empty((height, width), np.float32), np.zeros_like(y)

    def fill(masks: Array) -> Array:
        for logits, mask in zip(x.reshape(-1, *x.shape[-2:]), masks.reshape(-1, height, width), strict=True):
            cv2.resize(logits, (width, height), dst=plane, interpolation=cv2.INTER_LINEAR)
            np.greater(plane, cell.keywords["threshold"], out=mask)
        return masks

    return Way(lambda: fill(np.empty_like(y)), lambda: fill(target), lambda: fill(target))


_VOLUMES = {"torch": _torch, **peers.EXPORTED}
_PICTURES = {"torch": _torch, "opencv": _opencv, **peers.EXPORTED}
_MASKS = {"torch": _torch_mask, "opencv": _opencv_mask, **peers.EXPORTED}

CELLS = (
    _Labels("upsample_argmax", (1, 21, 65, 65), {"size": (513, 513)}, target=3, peers=_PICTURES),
    _Labels("upsample_argmax", (1, 150, 128, 128), {"size": (512, 512)}, target=3, peers=_PICTURES),
    _Labels("upsample_argmax", (1, 14, 40, 40, 40), {"size": (160,) * 3}, target=3, peers=_VOLUMES),
    _Labels("upsample_threshold", (1, 100, 160, 160), {"size": (640, 640), "threshold": 0.5}, target=1, peers=_MASKS),
)
