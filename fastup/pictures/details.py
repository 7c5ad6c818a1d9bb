"""Which properties a file of each format has, read without its pixels."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO

import pyvips
from PIL import Image, JpegImagePlugin

from fastup.pictures import containers, exif, fields, ifd
from fastup.pictures.properties import Properties, of_jpeg, of_png

_PALETTE = 3  # of PNG's colours and of TIFF's photometric interpretation
_ONE, _WIDE, _SQUARE = (1, 1), (2, 1), (2, 2)
# What Pillow can write, by the components' factors across and down.
_SAMPLING = {
    (_ONE, _ONE, _ONE): "4:4:4", (_WIDE, _ONE, _ONE): "4:2:2", (_SQUARE, _ONE, _ONE): "4:2:0",
    (_ONE, _ONE, _ONE, _ONE): "4:4:4",
}  # fmt: skip
_BITS, _PHOTOMETRIC, _COMPRESSION, _EXTRA, _SUBFILES = 258, 262, 259, 338, 330
_COMPRESSIONS = {
    1: "none", 2: "ccittfax4", 3: "ccittfax4", 4: "ccittfax4", 5: "lzw", 7: "jpeg", 8: "deflate", 32946: "deflate",
    32773: "packbits",
}  # fmt: skip


@dataclass(frozen=True)
class Details:
    """What a file's head tells.

    Attributes
    ----------
    properties : Properties
    turn : int
        Orientation; 0 where libvips is to tell.
    bits : int
        Of a sample, where they are fewer than 8, or more than a float32 has; else 0.
    palette, animated : bool
        Whether pixels are indices, and whether a PNG has several frames.
    extra : int or None
        What a TIFF says of its last channel.
    """

    properties: Properties = field(default_factory=Properties)
    turn: int = 0
    bits: int = 0
    palette: bool = False
    animated: bool = False
    extra: int | None = None

    def of_frames(self, image: pyvips.Image) -> Properties:
        """With what libvips knows of frames."""
        found: dict[str, Any] = {}
        if image.get_typeof("delay"):
            found["times"] = tuple(image.get("delay"))
        if image.get_typeof("loop"):
            found["loop"] = image.get("loop")
        if image.get_typeof("heif-compression"):
            found["encoding"] = {"depth": image.get("bits-per-sample")}
        return replace(self.properties, **found)

    def of_pillow(self, image: Image.Image) -> Properties:
        """With what Pillow knows of a file whose head was not read here."""
        info = image.info
        found: dict[str, Any] = {}
        for name, key in (("icc", "icc_profile"), ("exif", "exif"), ("xmp", "xmp")):
            content = info.get(key)
            if isinstance(content, bytes) and not getattr(self.properties, name):
                found[name] = content.removeprefix(exif.HEADER)
        if "dpi" in info and self.properties.dpi is None:
            found["dpi"] = tuple(map(float, info["dpi"]))
        if self.animated:
            found |= _times(image)
        return replace(self.properties, **found)


def _times(image: Image.Image) -> dict[str, Any]:
    """How long frames are shown."""
    times = []
    for k in range(getattr(image, "n_frames", 1)):
        image.seek(k)
        times.append(round(image.info.get("duration", 0)))
    image.seek(0)
    return {"times": tuple(times), "loop": image.info.get("loop", 0)}


def properties_of(name: str, stream: BinaryIO) -> Details:
    """The details of a file of this format."""
    if name not in _READERS:
        return Details()
    try:
        return _READERS[name](stream)
    except (struct.error, ValueError, OSError, SyntaxError, pyvips.Error):  # the pixels' reader will say what is wrong
        return Details()


def _png(stream: BinaryIO) -> Details:
    chunks = containers.png_chunks(stream)
    header = next((content for kind, content in chunks if kind == b"IHDR"), bytes(13))
    depth, colours, interlaced = header[8], header[9], header[12]
    properties = replace(of_png(chunks), encoding={"interlaced": True} if interlaced else {})
    return Details(
        properties, exif.orientation(properties.exif), depth if depth < 8 and colours == 0 else 0, colours == _PALETTE,
        any(kind == b"acTL" and content[:4] > b"\0\0\0\1" for kind, content in chunks),
    )  # fmt: skip


def _jpeg(stream: BinaryIO) -> Details:
    properties = of_jpeg(containers.jpeg_segments(stream))
    stream.seek(0)
    with Image.open(stream, formats=("JPEG",)) as image:
        assert isinstance(image, JpegImagePlugin.JpegImageFile)
        encoding = {"qtables": image.quantization, "progressive": "progressive" in image.info}
        if image.mode != "L":
            encoding["subsampling"] = _SAMPLING.get(tuple(part[1:3] for part in image.layer), "")
    return Details(replace(properties, encoding=encoding), exif.orientation(properties.exif))


def _webp(stream: BinaryIO) -> Details:
    lossless = b"VP8L" in containers.webp_chunks(stream)
    stream.seek(0)
    with Image.open(stream, formats=("WEBP",)) as image:
        properties = Details().of_pillow(image)
    return Details(replace(properties, encoding={"lossless": lossless}), exif.orientation(properties.exif))


def _tiff(stream: BinaryIO) -> Details:
    directory = ifd.read(stream)
    properties = fields.of_tiff(directory)
    compression = _COMPRESSIONS.get(_first(directory, _COMPRESSION, 1))
    dropped = ("directories within the first (SubIFDs)",) if _SUBFILES in directory else ()
    encoding = {"compression": compression} if compression else {}
    bits = _first(directory, _BITS, 8)
    extra = _first(directory, _EXTRA, -1)
    return Details(
        replace(properties, encoding=encoding, dropped=dropped), 0, bits if bits < 8 or bits > 32 else 0,
        _first(directory, _PHOTOMETRIC, 0) == _PALETTE, extra=None if extra < 0 else extra,
    )  # fmt: skip


def _first(directory: ifd.Directory, tag: int, otherwise: int) -> int:
    """The first integer of a field."""
    value = directory.get(tag)
    if not isinstance(value, tuple):
        return otherwise
    return int.from_bytes(value[1][: ifd.SIZES[value[0]]], "little")


def _gif(stream: BinaryIO) -> Details:
    stream.seek(0)
    with Image.open(stream, formats=("GIF",)) as image:
        comment = image.info.get("comment", b"")
    return Details(Properties(comment=comment if isinstance(comment, bytes) else b""), palette=True)


def _avif(stream: BinaryIO) -> Details:
    stream.seek(0)
    image = pyvips.Image.new_from_buffer(stream.read(), "", access="sequential")
    named = {"icc": "icc-profile-data", "exif": "exif-data", "xmp": "xmp-data"}
    found: dict[str, Any] = {name: bytes(image.get(key)) for name, key in named.items() if image.get_typeof(key)}
    found["exif"] = found.get("exif", b"").removeprefix(exif.HEADER)
    return Details(Properties(**found), 1)  # libheif turns pictures itself


_READERS: dict[str, Callable[[BinaryIO], Details]] = {
    "png": _png, "jpeg": _jpeg, "webp": _webp, "tiff": _tiff, "gif": _gif, "avif": _avif,
}  # fmt: skip
