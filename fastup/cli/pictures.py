"""Pictures as arrays (height, width, channels), through Pillow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

Array = np.ndarray[Any, Any]
# Pillow's modes that are arrays of samples; every other mode is converted to one of them.
_PLAIN = ("L", "LA", "RGB", "RGBA", "I;16", "I", "F")


def read(path: Path) -> Array:
    """The picture upright, in its own depth: 8 or 16 bit, grey, RGB, with or without alpha."""
    with Image.open(path) as picture:
        picture.load()
        upright = ImageOps.exif_transpose(picture)
        # Pillow 10 opens a PNG of 16 bits as 32-bit integers; PNG has no deeper samples.
        sixteen = upright.mode.startswith("I;16") or (upright.mode == "I" and picture.format == "PNG")
    if sixteen:
        pixels = np.asarray(upright).astype(np.uint16)
    else:
        pixels = np.asarray(upright if upright.mode in _PLAIN else upright.convert(_plain_mode(upright)))
    return np.ascontiguousarray(pixels if pixels.ndim == 3 else pixels[..., None])


def _plain_mode(picture: Image.Image) -> str:
    if picture.mode == "1":
        return "L"
    return "RGBA" if picture.has_transparency_data else "RGB"


def write(pixels: Array, path: Path) -> None:
    """Write a picture in the format that the name asks for."""
    flat = pixels[..., 0] if pixels.shape[-1] == 1 else pixels
    mode = {2: "LA", 3: "RGB", 4: "RGBA"}.get(pixels.shape[-1]) if pixels.dtype == np.uint8 else None
    picture = Image.fromarray(np.ascontiguousarray(flat))
    if mode and picture.mode != mode:
        picture = Image.frombytes(mode, (flat.shape[1], flat.shape[0]), np.ascontiguousarray(flat).tobytes())
    picture.save(path)
