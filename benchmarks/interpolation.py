"""Cells of interpolation."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks import peers, weighted_modes
from benchmarks.cell import Array, Cell, Way


def _torch(cell: Cell, x: Array, y: Array) -> Way:
    import torch

    rank = x.ndim - 2
    packet = getattr(torch.ops.aten, f"upsample_nearest{rank}d")
    keywords = {name: value for name, value in cell.keywords.items() if name != "data_format"}
    size = y.shape[1:-1] if cell.channels_last else y.shape[2:]
    return peers.torch(
        cell,
        x,
        y,
        lambda t: torch.nn.functional.interpolate(t, **keywords),
        lambda t, o: packet.out(t, size, out=o),
    )


def _numpy(cell: Cell, x: Array, y: Array) -> Way:
    """Whole factors: one strided assignment that repeats; else `np.take` along the axes."""
    first = 1 if cell.channels_last else 2
    axes = range(first, first + x.ndim - 2)
    factors = [y.shape[axis] // x.shape[axis] for axis in axes]
    if any(y.shape[axis] % x.shape[axis] for axis in axes):
        return _numpy_take(cell, x, y)
    shape, source = [], x
    for axis in range(x.ndim):
        shape.append(x.shape[axis])
        if axis in axes:
            shape.append(factors[axis - first])
            source = np.expand_dims(source, len(shape) - 1)
    return peers.in_place(lambda result: np.copyto(result.reshape(shape), source), y)


def _numpy_take(cell: Cell, x: Array, y: Array) -> Way:
    import fastup

    plan = fastup.plan.interpolate(x.shape, x.dtype, **cell.keywords)
    (height, width), target = plan.indices, np.zeros_like(y)

    def fresh() -> Array:
        return x[:, :, height[:, None], width]

    def into() -> Array:
        np.take(np.take(x, width, axis=3), height, axis=2, out=target, mode="clip")
        return target

    return Way(fresh, into, into)


def _opencv(cell: Cell, x: Array, y: Array) -> Way:
    """OpenCV resizes one picture: the whole of it channels-last, plane by plane channels-first."""
    import cv2

    size = y.shape[1:3] if cell.channels_last else y.shape[2:]
    sources = list(x) if cell.channels_last else list(x.reshape(-1, *x.shape[2:]))
    target = np.zeros_like(y)

    def into(result: Array) -> Array:
        for source, plane in zip(
            sources, result.reshape(len(sources), *result.shape[-3 + (not cell.channels_last) :]), strict=True
        ):
            cv2.resize(source, size[::-1], dst=plane, interpolation=cv2.INTER_NEAREST)
        return result

    return Way(lambda: into(np.empty_like(y)), lambda: into(target), lambda: into(target))


def _pillow(cell: Cell, x: Array, y: Array) -> Way:
    from PIL import Image

    picture, size = Image.fromarray(x[0]), (y.shape[2], y.shape[1])
    return Way(
        lambda: picture.resize(size, Image.Resampling.NEAREST),
        None,
        lambda: np.asarray(picture.resize(size, Image.Resampling.NEAREST))[None],
    )


_COMMON = {**peers.EXPORTED, "torch": _torch, "numpy": _numpy}
_PICTURES = {**_COMMON, "opencv": _opencv}
_RGB = {**_PICTURES, "pillow": _pillow}
NEAREST = _PICTURES


def _cell(shape: tuple[int, ...], target: float, limit: float | None = None, **options: Any) -> Cell:
    keywords = options.pop("keywords", {"scale_factor": 2})
    ways = options.pop("peers", _PICTURES)
    return Cell("interpolate", shape, keywords, target=target, limit=limit, peers=ways, **options)


CELLS = (
    _cell((1, 64, 256, 256), 1.1, 0.85),
    _cell((1, 3, 1080, 1920), 1.1, 0.85),
    _cell((1, 256, 40, 40), 1.1),
    _cell((8, 21, 65, 65), 1.5, keywords={"size": (513, 513)}),
    _cell((1, 24, 92, 160), 1, keywords={"scale_factor": 8}),
    _cell((1, 16, 32, 64, 64), 2, peers=_COMMON),
    _cell(
        (1, 1080, 1920, 3),
        1.3,
        dtype="uint8",
        keywords={"scale_factor": 2, "data_format": "channels_last"},
        peers=_RGB,
    ),
    *weighted_modes.CELLS,
)
