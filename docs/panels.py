"""Sheets of pictures with captions."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Array = np.ndarray[Any, Any]
_MARGIN, _LINE, _POINTS = 8, 17, 13


class Tile(NamedTuple):
    """A picture (height, width) or (height, width, 3) of uint8, and the lines above it."""

    caption: str
    pixels: Array


def tile(caption: str, x: Array, times: int = 1) -> Tile:
    """The first picture of (N, C, H, W), each pixel drawn as `times` x `times`; floats are from 0 to 1."""
    levels = x[0] if x.dtype == np.uint8 else np.rint(np.clip(x[0], 0, 1) * 255).astype(np.uint8)
    planes = levels.repeat(times, axis=1).repeat(times, axis=2)
    return Tile(caption, planes[0] if len(planes) == 1 else np.moveaxis(planes, 0, -1))


def stretched(x: Array, deviations: float = 2.5) -> Array:
    """Any floats as levels from 0 to 1: the mean is grey, so many standard deviations are black and white."""
    return np.asarray(0.5 + (x - x.mean()) / (2 * deviations * x.std()))


def sheet(tiles: list[Tile], columns: int) -> Image.Image:
    """Tiles of one size in rows, each below its caption."""
    lines = max(one.caption.count("\n") + 1 for one in tiles)
    height, width = tiles[0].pixels.shape[:2]
    step = (width + _MARGIN, height + _MARGIN + lines * _LINE)
    rows = -(-len(tiles) // columns)
    mode, white = ("L", 255) if all(one.pixels.ndim == 2 for one in tiles) else ("RGB", (255, 255, 255))
    drawn = Image.new(mode, (columns * step[0] + _MARGIN, rows * step[1] + _MARGIN), white)
    pen, font = ImageDraw.Draw(drawn), ImageFont.load_default(_POINTS)
    for number, one in enumerate(tiles):
        left, top = _MARGIN + number % columns * step[0], _MARGIN + number // columns * step[1]
        pen.multiline_text((left, top), one.caption, fill="black", font=font, spacing=3)
        drawn.paste(Image.fromarray(np.ascontiguousarray(one.pixels)), (left, top + lines * _LINE))
    return drawn
