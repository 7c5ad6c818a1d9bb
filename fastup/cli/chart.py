"""The picture that the demo draws when it is given none: what resampling does best and worst."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Array = np.ndarray[Any, Any]


def draw(size: int = 192) -> Array:
    """A chart of four quarters (height, width, 3): zone plate, star, text, colour ramps."""
    half = size // 2
    top = np.concatenate([_zone_plate(half), _star(half)], axis=1)
    bottom = np.concatenate([_text(half), _ramps(half)], axis=1)
    return np.ascontiguousarray(np.concatenate([top, bottom]))


def _grid(size: int) -> tuple[Array, Array]:
    line = (np.arange(size) + 0.5) / size - 0.5
    return line[:, None], line[None, :]


def _grey(level: Array) -> Array:
    return np.repeat((255 * level[..., None]).round().astype(np.uint8), 3, axis=2)


def _zone_plate(size: int) -> Array:
    """Rings whose frequency grows to half a cycle per pixel at the edges."""
    y, x = _grid(size)
    return _grey(0.5 + 0.5 * np.cos(np.pi * size * (x * x + y * y)))


def _star(size: int) -> Array:
    y, x = _grid(size)
    spokes = 0.5 + 0.5 * np.sign(np.sin(24 * np.arctan2(y, x)))
    return _grey(np.where(np.hypot(x, y) < 0.47, spokes, 1.0))


def _text(size: int) -> Array:
    picture = Image.new("RGB", (size, size), "white")
    pen = ImageDraw.Draw(picture)
    at = 2
    for points in (8, 10, 12, 16, 20):
        pen.text((3, at), "fastup Rg8", fill="black", font=ImageFont.load_default(points))
        at += points + 4
    return np.asarray(picture)


def _ramps(size: int) -> Array:
    y, x = _grid(size)
    ramp = np.broadcast_to(x + 0.5, (size, size))
    other = np.broadcast_to(y + 0.5, (size, size))
    return (255 * np.stack([ramp, other, 1 - ramp], axis=2)).round().astype(np.uint8)
