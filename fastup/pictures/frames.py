"""The pixels of picture files as arrays (frames, height, width, channels), upright."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyvips
from PIL import Image

from fastup.pictures.details import first_frame
from fastup.pictures.reading import (
    DTYPES,
    PILLOW_FORMATS,
    PILLOW_MODES,
    Array,
    Picture,
    plain_mode,
    stream_of,
    vips_image,
)
from fastup.pictures.sentences import pillow_sentence, sentence

# Quarters to turn to the left, and whether columns are then in the other order, by EXIF's orientation.
_TURNED = {2: (0, True), 3: (2, False), 4: (2, True), 5: (3, True), 6: (3, False), 7: (1, True), 8: (1, False)}


def read_frames(picture: Picture, indices: bool = False) -> Array:
    """The pixels, (frames, height, width, channels); of a palette where `indices` says so."""
    try:
        if picture.by_vips and not indices:
            pixels = _vips_pixels(vips_image(picture), picture.frames)
        else:
            pixels = _pillow_pixels(picture, indices)
    except Exception as error:  # Pillow's plugins raise what they stumble over
        told = sentence(error) if isinstance(error, pyvips.Error) else pillow_sentence(error)
        raise ValueError(f"{picture.name} cannot be read: {told}") from None
    turned = picture.format == "tiff" and (indices or not picture.by_vips)  # by Pillow, which does so itself
    return pixels if picture.turn == 1 or turned else upright(pixels, picture.turn)


def _vips_pixels(image: Any, frames: int) -> Array:
    image = image.copy()
    # Decoders run in one thread; a second one to copy what they make takes 35 of 177 ms for 12 megapixels of JPEG.
    image.set_type(pyvips.GValue.gint_type, "concurrency", 1)
    pixels = np.frombuffer(image.write_to_memory(), DTYPES[image.format])
    return as_samples(image, pixels.reshape(frames, image.height // frames, image.width, image.bands))


def as_samples(image: Any, pixels: Array) -> Array:
    """Samples of 10 and 12 bits, which libvips moves to the left, as those of 16 up to white."""
    if pixels.dtype != np.uint16 or not image.get_typeof("heif-compression"):
        return pixels
    bits = image.get("bits-per-sample")
    if bits >= 16:
        return pixels
    steps, top = pixels >> np.uint16(16 - bits), (1 << bits) - 1
    return np.asarray((steps.astype(np.uint32) * 65535 + top // 2) // top, np.uint16)


def _pillow_pixels(picture: Picture, indices: bool) -> Array:
    frames = []
    with stream_of(picture.source) as stream, Image.open(stream, formats=PILLOW_FORMATS) as image:
        for k in range(picture.frames):
            if picture.frames > 1 or picture.page:
                image.seek(first_frame(image) + k if picture.page is None else picture.page)
            shown = image if indices else image.convert(plain_mode(image)) if image.mode not in PILLOW_MODES else image
            if shown.mode == "1":
                shown = shown.convert("L")
            pixels = np.asarray(shown, picture.dtype)
            if shown.mode == "LAB":
                pixels = from_signed(pixels)
            frames.append(pixels if pixels.ndim == 3 else pixels[..., None])
    if len({frame.shape for frame in frames}) > 1:
        raise ValueError("it has frames of different sizes; --page takes one")
    return np.stack(frames)


def from_signed(pixels: Array) -> Array:
    """Bytes of LAB whose a and b count from 128, of signed ones; or the other way round."""
    return pixels ^ np.array((0, 128, 128), np.uint8)


def upright(pixels: Array, turn: int) -> Array:
    """Frames turned by what EXIF says."""
    quarters, mirrored = _TURNED[turn]
    turned = np.rot90(pixels, quarters, (1, 2))
    return np.ascontiguousarray(turned[:, :, ::-1] if mirrored else turned)
