"""Picture files -> what is known of them before their pixels are read.

libvips reads: 16 bits and floats, pages, and rows of what is larger than memory. Pillow reads what libvips does not,
and indices of palettes, which libvips turns into colours.
"""

from __future__ import annotations

import contextlib
import io
import logging
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyvips
from PIL import Image

from fastup.pictures import exif
from fastup.pictures.details import Details, UnreadableError, first_frame, properties_of
from fastup.pictures.properties import Properties
from fastup.pictures.sentences import pillow_sentence, sentence

Array = np.ndarray[Any, Any]
Source = Path | bytes
COLOURS = {"grey": 1, "rgb": 3, "cmyk": 4, "lab": 3}  # channels without alpha
_KINDS = {
    "b-w": "grey", "grey16": "grey", "srgb": "rgb", "rgb16": "rgb", "rgb": "rgb", "scrgb": "rgb", "cmyk": "cmyk",
    "lab": "lab", "labs": "lab",
}  # fmt: skip
DTYPES = {
    "uchar": "uint8", "char": "int8", "ushort": "uint16", "short": "int16", "uint": "uint32", "int": "int32",
    "float": "float32", "double": "float64",
}  # fmt: skip
PILLOW_MODES = {  # mode: kind, dtype
    "1": ("grey", "uint8"), "L": ("grey", "uint8"), "LA": ("grey", "uint8"), "RGB": ("rgb", "uint8"),
    "RGBA": ("rgb", "uint8"), "CMYK": ("cmyk", "uint8"), "LAB": ("lab", "uint8"), "I": ("grey", "int32"),
    "F": ("grey", "float32"), "I;16": ("grey", "uint16"), "I;16B": ("grey", "uint16"), "I;16L": ("grey", "uint16"),
}  # fmt: skip
_INDICES = ("P", "PA")
_MAGIC = {
    b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg", b"II*\0": "tiff", b"MM\0*": "tiff", b"II+\0": "tiff",
    b"MM\0+": "tiff", b"GIF8": "gif",
}  # fmt: skip
# libjpeg only warns where bits do not fit, libvips where a tile of a TIFF cannot be read.
_SEVERAL = ("tiff", "gif", "webp", "avif")  # formats of several frames, for libvips
_FAIL_ON = {"jpeg": "warning", "tiff": "warning"}
# What Pillow is let open; not EPS, for one, which it hands to an interpreter of PostScript.
PILLOW_FORMATS = (
    "PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP", "DIB", "PPM", "TGA", "JPEG2000", "PCX", "SGI", "QOI", "DDS", "PSD",
    "ICO",
)  # fmt: skip
SIDEWAYS = 5  # from this one on, height and width change places
# libvips speaks of every field that it does not know; what is wrong with a file comes as an error.
logging.getLogger("pyvips").addHandler(logging.NullHandler())


@dataclass(frozen=True)
class Picture:
    """What is known of a file before its pixels are read.

    Attributes
    ----------
    name : str
        What to call it.
    source : Path or bytes
    format : str
        A name of `FORMATS`, or Pillow's.
    height, width, frames, channels : int
        Of each frame, upright.
    dtype : dtype
        Of samples.
    kind : str
        "grey", "rgb", "cmyk", "lab", or "many" for channels of any other meaning.
    alpha : bool
        Whether the last channel is alpha by which colours are not weighted.
    bits : int
        1, 2 or 4 where samples are that small; else those of the dtype.
    palette : bool
        Whether pixels are indices.
    turn : int
        The orientation of EXIF that was undone.
    page : int or None
        The only page to read.
    by_vips : bool
        Who reads pixels.
    properties : Properties
    """

    name: str
    source: Source
    format: str
    height: int
    width: int
    frames: int
    channels: int
    dtype: np.dtype[Any]
    kind: str
    alpha: bool
    bits: int
    palette: bool
    turn: int
    page: int | None
    by_vips: bool
    properties: Properties


def open_picture(
    source: Source, name: str, page: int | None = None, most_pixels: int | None = None, first: bool = False
) -> Picture:
    """Read all but the pixels; refuse what would have more of them than `most_pixels`. `first`: one frame is enough."""
    if isinstance(source, Path) and source.exists() and not source.is_file():
        source = source.read_bytes()  # of a pipe
    with stream_of(source) as stream:
        found = _format(stream.read(16))
        if not found and not stream.seek(0, io.SEEK_END):
            raise ValueError(f"{name} cannot be read: it is empty")
        page = 0 if first and found in _SEVERAL else page
        try:
            details = properties_of(found, stream, page)
        except UnreadableError as error:
            raise ValueError(f"{name} cannot be read: {error}") from None
    if page is not None and found not in _SEVERAL and not details.animated:
        if page > 0:
            raise ValueError(f"{name} has no page {page}: it is one picture")
        page = None
    image = None if details.animated else _opened(source, found, name, page)
    if image is None or image.coding != "none":
        picture = _by_pillow(source, found, name, page, details)
    else:
        picture = _by_vips(image, source, found, name, page, details)
    pixels = picture.height * picture.width * picture.frames
    if most_pixels and pixels > most_pixels:
        raise ValueError(f"{name} has {pixels:,} pixels, more than {most_pixels:,}; --max-pixels allows more")
    return picture


@contextlib.contextmanager
def stream_of(source: Source) -> Iterator[BinaryIO]:
    """The bytes of a file."""
    with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as stream:
        yield stream


def _format(start: bytes) -> str:
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "webp"
    if start[4:8] == b"ftyp" and start[8:12] in (b"avif", b"avis", b"mif1"):
        return "avif"
    return next((name for magic, name in _MAGIC.items() if start.startswith(magic)), "")


def vips_image(picture: Picture, access: str = "sequential") -> Any:
    """The file as libvips has it, whose frames stand below each other."""
    return _loaded(picture.source, picture.format, picture.page, picture.frames, access)


def _loaded(source: Source, found: str, page: int | None, frames: int, access: str = "sequential") -> Any:
    options: dict[str, Any] = {"access": access, "fail_on": _FAIL_ON.get(found, "error")}
    if found in ("png", "jpeg", "tiff", "avif"):
        options["unlimited"] = True  # `open_picture` has looked
    if page is not None:
        options["page"] = page
    if frames > 1:
        options["n"] = frames
    if isinstance(source, bytes):
        return pyvips.Image.new_from_buffer(source, "", **options)
    name = os.fsencode(source)
    if name.endswith(b"]") or not _is_utf8(name):  # options to libvips, or no name
        return pyvips.Image.new_from_buffer(source.read_bytes(), "", **options)
    return pyvips.Image.new_from_file(name, revalidate=True, **options)


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True


def _opened(source: Source, found: str, name: str, page: int | None) -> Any:
    """An image of libvips with all its frames, or None where it is not for libvips."""
    if not found:
        return None
    try:
        image = _loaded(source, found, None, 1)
        pages = image.get("n-pages") if image.get_typeof("n-pages") else 1
        if page is not None and page >= pages:
            raise ValueError(f"{name} has no page {page}: it has {pages}, counted from 0")
        return image if pages == 1 else _loaded(source, found, page, 1 if page is not None else pages)
    except pyvips.Error as error:
        if "differs from page" in str(error):
            told = "it has pages of different sizes or kinds; --page takes one"
            raise ValueError(f"{name} cannot be read as one picture: {told}") from None
        return _or_none(source, name, error)


def _or_none(source: Source, name: str, error: pyvips.Error) -> None:
    """Nothing, if Pillow can open the file; else a refusal in libvips' words."""
    try:
        with stream_of(source) as stream, Image.open(stream, formats=PILLOW_FORMATS):
            return
    except Exception:  # Pillow's plugins raise what they stumble over
        raise ValueError(f"{name} cannot be read: {sentence(error)}") from None


def _by_vips(image: Any, source: Source, found: str, name: str, page: int | None, details: Details) -> Picture:
    if image.format not in DTYPES:
        raise ValueError(f"{name} cannot be read: its samples are {image.format}")
    pages = image.get("n-pages") if image.get_typeof("n-pages") else 1
    frames = pages if page is None else 1
    kind, alpha = _meaning(_KINDS.get(image.interpretation, "many"), image.bands, details.extra)
    turn = details.turn if details.turn else image.get("orientation") if image.get_typeof("orientation") else 1
    height, width = image.height // frames, image.width
    if turn >= SIDEWAYS:
        height, width = width, height
    properties = replace(details.of_frames(image), turned=turn > 1)
    if turn >= SIDEWAYS:
        properties = properties.sideways()
    dtype = np.dtype(DTYPES[image.format])
    single = frames == 1 and (page is None or found == "tiff" or pages == 1)
    palette = details.palette and single and dtype == np.uint8
    bits = details.bits if 0 < details.bits < 8 and not alpha else 8 * dtype.itemsize
    return Picture(
        name, source, found, height, width, frames, image.bands, dtype, kind, alpha, bits, palette, turn, page, True,
        properties,
    )  # fmt: skip


def _meaning(kind: str, channels: int, extra: int | None) -> tuple[str, bool]:
    """What channels are, and whether the last is alpha that colours are to be weighted by.

    `extra` is what a TIFF says of its last channel: 0 anything; 1 alpha by which colours are weighted already, which
    libvips undoes; 2 alpha.
    """
    if kind == "many" and extra is None and channels in (1, 2):
        kind = "grey"
    return kind, channels == COLOURS.get(kind, channels) + 1 and extra != 0


def _by_pillow(source: Source, found: str, name: str, page: int | None, details: Details) -> Picture:
    try:
        with stream_of(source) as stream, Image.open(stream, formats=PILLOW_FORMATS) as image:
            frames = getattr(image, "n_frames", 1) if image.format not in ("ICO", "MPO", "PSD") else 1
            frames -= first_frame(image)
            if page is not None:
                image.seek(page)
                frames = 1
            kind, dtype, channels, palette = _of_mode(image)
            properties = details.of_pillow(image)
            if details.bits > 8 * dtype.itemsize:
                told = f"{details.bits} bits a sample: {8 * dtype.itemsize} are kept"
                properties = replace(properties, dropped=(*properties.dropped, told))
            turn = exif.orientation(properties.exif) if properties.exif else 1
            width, height = image.size if turn < SIDEWAYS else image.size[::-1]
            bits = 1 if image.mode == "1" else 8 * dtype.itemsize
            format_ = found or (image.format or "").lower()
    except Exception as error:  # as above
        raise ValueError(f"{name} cannot be read: {pillow_sentence(error)}") from None
    alpha = channels > COLOURS[kind]
    return Picture(
        name, source, format_, height, width, frames, channels, dtype, kind, alpha, bits, palette, turn, page, False,
        properties,
    )  # fmt: skip


def _of_mode(image: Image.Image) -> tuple[str, np.dtype[Any], int, bool]:
    palette = image.mode in _INDICES
    mode = plain_mode(image)
    kind, dtype = PILLOW_MODES[mode]
    if image.format == "PPM" and mode == "I":
        dtype = "uint16"
    return kind, np.dtype(dtype), len(Image.new(mode, (1, 1)).getbands()), palette


def plain_mode(image: Image.Image) -> str:
    """The mode to convert to, which arrays can have."""
    if image.mode in PILLOW_MODES:
        return image.mode
    return "RGBA" if image.has_transparency_data else "RGB"


def held_bytes(picture: Picture) -> int:
    """Of all pixels."""
    return math.prod((picture.frames, picture.height, picture.width, picture.channels)) * picture.dtype.itemsize
