"""A picture as an array, for whoever wants its pixels alone."""

from __future__ import annotations

from pathlib import Path

from fastup.pictures import conversion
from fastup.pictures.conversion import Pixels
from fastup.pictures.frames import read_frames
from fastup.pictures.reading import Array, open_picture


def read(path: Path) -> Array:
    """The first frame, upright, (height, width, channels): grey or RGB in its own depth, with its alpha."""
    picture = open_picture(path, str(path), first=True)
    pixels = read_frames(picture)
    if picture.kind in ("cmyk", "lab"):
        kind = Pixels(picture.kind, picture.channels, picture.alpha, picture.dtype, picture.bits)
        pixels = conversion.to_srgb(pixels, kind, picture.properties.icc)
    first: Array = pixels[0]
    return first
