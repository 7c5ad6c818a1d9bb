"""Pixels of one kind -> of a kind that a format can hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyvips

from fastup.pictures.reading import COLOURS, DTYPES, Array

VIPS_FORMATS = {dtype: name for name, dtype in DTYPES.items()}
_INTERPRETATIONS = {
    ("grey", "uint16"): "grey16", ("rgb", "uint16"): "rgb16", ("grey", ""): "b-w", ("rgb", ""): "srgb",
    ("lab", "int16"): "labs", ("cmyk", ""): "cmyk", ("lab", ""): "lab", ("many", ""): "multiband",
}  # fmt: skip


@dataclass(frozen=True)
class Pixels:
    """What a pixel is.

    Attributes
    ----------
    kind : str
    channels : int
    alpha : bool
    dtype : dtype
    bits : int
    palette : bool
        As in `Picture`.
    """

    kind: str
    channels: int
    alpha: bool
    dtype: np.dtype[Any]
    bits: int
    palette: bool = False


def as_image(frames: Array, pixels: Pixels) -> Any:
    """Frames below each other as an image of libvips, which uses their memory."""
    count, height, width, channels = frames.shape
    tall = np.ascontiguousarray(frames.reshape(count * height, width, channels))
    image = pyvips.Image.new_from_memory(tall, width, count * height, channels, VIPS_FORMATS[tall.dtype.name])
    return image.copy(interpretation=interpretation(pixels))


def interpretation(pixels: Pixels) -> str:
    """What libvips calls a kind."""
    return _INTERPRETATIONS.get((pixels.kind, pixels.dtype.name)) or _INTERPRETATIONS[pixels.kind, ""]


def flattened(frames: Array, background: tuple[int, int, int], kind: str) -> Array:
    """Pixels without alpha, before a colour of 8 bits a channel."""
    dtype = frames.dtype
    top = float(np.iinfo(dtype).max) if dtype.kind in "iu" else 1.0
    behind = np.asarray(background) / 255 * top
    if kind == "grey":
        behind = behind @ (0.2126, 0.7152, 0.0722)
    elif kind == "cmyk":
        behind = np.append(top - behind, 0)
    alpha = frames[..., -1:] / top
    mixed = frames[..., :-1] * alpha + behind * (1 - alpha)
    return np.rint(mixed).astype(dtype) if dtype.kind in "iu" else mixed.astype(dtype)


def weighted(frames: Array) -> Array:
    """Colours multiplied by alpha, rounded."""
    integers = frames.dtype.kind in "iu"
    top = float(np.iinfo(frames.dtype).max) if integers else 1.0
    made = frames[..., :-1] * (frames[..., -1:] / top)
    colours = np.rint(made).astype(frames.dtype) if integers else made.astype(frames.dtype)
    return np.concatenate((colours, frames[..., -1:]), -1)


def to_srgb(frames: Array, pixels: Pixels, profile: bytes) -> Array:
    """Bytes of sRGB from inks or from LAB."""
    if pixels.kind == "lab" and pixels.dtype == np.uint8:  # Pillow's: L in 255 steps, a and b from 128
        scaled = frames[..., :3].astype(np.float32)
        colours = np.stack((scaled[..., 0] / 2.55, scaled[..., 1] - 128, scaled[..., 2] - 128), -1)
        image = as_image(colours, Pixels("lab", 3, False, np.dtype(np.float32), 32))
    else:
        image = as_image(frames[..., : COLOURS[pixels.kind]], pixels)
    if profile and pixels.kind == "cmyk":
        image = image.copy()
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
        image = image.icc_transform("srgb", embedded=True)
    else:
        image = image.colourspace("srgb")
    colours = np.frombuffer(image.write_to_memory(), np.uint8).reshape(*frames.shape[:-1], 3)
    return np.concatenate((colours, frames[..., COLOURS[pixels.kind] :]), -1) if pixels.alpha else colours


def to_bytes(frames: Array) -> Array:
    """The nearest of 256 steps for samples of 16 bits."""
    return ((frames.astype(np.uint32) + 128) // 257).astype(np.uint8)
