"""The demo's contact sheet: the same detail of every result, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Array = np.ndarray[Any, Any]
_TILE, _MARGIN, _COLUMNS = 320, 12, 3
_LABEL = 22


def write(x: Array, results: list[tuple[str, Array]], path: Path) -> None:
    """One labelled tile per result; the input comes first."""
    tiles = [("input", x), *results]
    rows = -(-len(tiles) // _COLUMNS)
    step = _TILE + _MARGIN
    sheet = Image.new("RGB", (_COLUMNS * step + _MARGIN, rows * (step + _LABEL) + _MARGIN), "white")
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(14)
    for number, (title, y) in enumerate(tiles):
        left = _MARGIN + number % _COLUMNS * step
        top = _MARGIN + number // _COLUMNS * (step + _LABEL)
        pen.text((left, top), f"{title}  {y.shape[-1]}x{y.shape[-2]}", fill="black", font=font)
        sheet.paste(_tile(y), (left, top + _LABEL))
    sheet.save(path)


def _tile(y: Array) -> Image.Image:
    """The top left detail, pixel for pixel where it is large enough; surplus channels are laid out as a mosaic."""
    planes = y[0]
    if planes.shape[0] > 4:
        count = int(np.ceil(np.sqrt(planes.shape[0])))
        blank = np.zeros((count * count - planes.shape[0], *planes.shape[1:]), planes.dtype)
        grid = np.concatenate([planes, blank]).reshape(count, count, *planes.shape[1:])
        planes = grid.transpose(0, 2, 1, 3).reshape(1, count * planes.shape[1], count * planes.shape[2])
    pixels = _eight_bit(planes[: 3 if planes.shape[0] >= 3 else 1, :_TILE, :_TILE])
    colour = np.ascontiguousarray(np.broadcast_to(np.moveaxis(pixels, 0, -1), (*pixels.shape[1:], 3)))
    tile = Image.new("RGB", (_TILE, _TILE), "lightgrey")
    tile.paste(Image.fromarray(colour), (0, 0))
    return tile


def _eight_bit(pixels: Array) -> Array:
    if pixels.dtype == np.uint8:
        return pixels
    low, high = float(pixels.min()), float(pixels.max())
    return ((pixels - low) * (255 / max(high - low, 1e-12))).astype(np.uint8)
