"""Which properties a file of each format has, read without its pixels."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO

import pyvips
from PIL import Image, JpegImagePlugin

from fastup.pictures import containers, exif, fields, gif, ifd
from fastup.pictures.properties import Properties, of_jpeg, of_png

_OF_PILLOW = {"PSD": "layers, and what the file says of itself"}
_PALETTE = 3  # of PNG's colours and of TIFF's photometric interpretation
_ONE, _WIDE, _SQUARE = (1, 1), (2, 1), (2, 2)
# What Pillow can write, by the components' factors across and down.
_SAMPLING = {
    (_ONE, _ONE, _ONE): "4:4:4", (_WIDE, _ONE, _ONE): "4:2:2", (_SQUARE, _ONE, _ONE): "4:2:0",
    (_ONE, _ONE, _ONE, _ONE): "4:4:4",
}  # fmt: skip
_BITS, _PHOTOMETRIC, _COMPRESSION, _EXTRA, _SAMPLES, _PLANAR, _SAMPLE_FORMAT = 258, 262, 259, 338, 277, 284, 339
_APART, _FLOATS, _HALF, _WEIGHTED = 2, 3, 16, 1  # of these fields
_MOST_PAGES = 2**16
_META = 2**16  # bytes of an AVIF that say what it holds
_SRGB_PRIMARIES, _SRGB_TRANSFERS = (1, 2), (1, 2, 6, 13)  # of H.273, unspecified and BT.709 among them
_COMPRESSIONS = {
    1: "none", 2: "ccittfax4", 3: "ccittfax4", 4: "ccittfax4", 5: "lzw", 7: "jpeg", 8: "deflate", 32946: "deflate",
    32773: "packbits",
}  # fmt: skip


class UnreadableError(Exception):
    """What a decoder would take for whole."""


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
            if image.get("n-pages") > 1:
                found["dropped"] = (*self.properties.dropped, "the times of its frames")
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
        dropped = [words for name, words in _OF_PILLOW.items() if image.format == name]
        if self.animated:
            times = _times(image)
            found |= {"times": tuple(map(round, times)), "loop": image.info.get("loop", 0)}
            if any(time % 1 for time in times):
                dropped.append("parts of milliseconds of its frames' times")
        if image.format == "ICO" and len(info.get("sizes", ())) > 1:
            dropped.append("its other sizes")
        if info.get("default_image"):
            dropped.append("the picture that is shown where animations are not")
        return replace(self.properties, dropped=(*self.properties.dropped, *dropped), **found)


def first_frame(image: Image.Image) -> int:
    """The number of an animation's first frame: a picture that is none of them may stand before it."""
    return 1 if image.info.get("default_image") else 0


def _times(image: Image.Image) -> list[float]:
    """How many milliseconds frames are shown."""
    times = []
    for k in range(first_frame(image), getattr(image, "n_frames", 1)):
        image.seek(k)
        times.append(float(image.info.get("duration", 0)))
    image.seek(0)
    return times


def properties_of(name: str, stream: BinaryIO, page: int | None = None) -> Details:
    """The details of a file of this format, or of one of its pages."""
    if name not in _READERS:
        return _unnamed(stream)
    try:
        return _tiff(stream, page) if name == "tiff" else _READERS[name](stream)
    except (struct.error, ValueError, LookupError, OSError, SyntaxError, pyvips.Error):
        return Details()  # the pixels' reader will say what is wrong


def _unnamed(stream: BinaryIO) -> Details:
    """Depths that Pillow would cut down without a word."""
    stream.seek(0)
    head = stream.read(512)
    bits = 8
    if head[:2] in (b"P5", b"P6"):
        words = b" ".join(line.partition(b"#")[0] for line in head.split(b"\n")).split()
        bits = 16 if len(words) > 3 and words[3].isdigit() and int(words[3]) > 255 else 8
    elif head[:2] == b"\x01\xda":  # SGI
        bits = 8 * head[3] if len(head) > 3 else 8
    elif (box := head.find(b"ihdr")) > 0 and len(head) > box + 14:  # JPEG 2000
        bits = (head[box + 14] & 127) + 1
    return Details(bits=16 if 8 < bits <= 16 else 0)


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
    if containers.follows_jpeg(stream):
        properties = replace(properties, dropped=(*properties.dropped, "what follows the picture in the file"))
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


def _tiff(stream: BinaryIO, page: int | None) -> Details:
    directories = ifd.read_all(stream, _MOST_PAGES)
    directories = directories if page is None else directories[page : page + 1]
    if not directories:
        return Details()
    first, properties = directories[0], fields.of_tiff(directories)
    compression = _COMPRESSIONS.get(_first(first, _COMPRESSION, 1))
    encoding: dict[str, Any] = {"compression": compression} if compression else {}
    bits, extra, photometric = _first(first, _BITS, 8), _first(first, _EXTRA, -1), _first(first, _PHOTOMETRIC, 0)
    halves = bits == _HALF and _first(first, _SAMPLE_FORMAT, 1) == _FLOATS
    if _first(first, _PLANAR, 1) == _APART and _first(first, _SAMPLES, 1) > 1 and (photometric <= 1 or halves):
        raise UnreadableError("its channels are stored apart, which libvips reads wrongly")
    dropped = [*properties.dropped]
    if halves:
        dropped.append("floats of 16 bits: they become 32")
    if len(directories) > 1 and any(_first(one, _PHOTOMETRIC, 0) == _PALETTE for one in directories):
        dropped.append("the palettes of its pages")
    if extra == _WEIGHTED:
        encoding["premultiply"] = True
    return Details(
        replace(properties, encoding=encoding, dropped=tuple(dropped)), 0, bits if bits < 8 or bits > 32 else 0,
        photometric == _PALETTE, extra=None if extra < 0 else extra,
    )  # fmt: skip


def _first(directory: ifd.Directory, tag: int, otherwise: int) -> int:
    """The first integer of a field."""
    value = directory.get(tag)
    if not isinstance(value, tuple):
        return otherwise
    return int.from_bytes(value[1][: ifd.SIZES[value[0]]], "little")


def _gif(stream: BinaryIO) -> Details:
    blocks = gif.read(stream)
    if not blocks.whole:
        raise UnreadableError("the file ends within a frame")
    comments = blocks.comments
    return Details(Properties(comment=b"\n".join(comments), xmp=blocks.xmp), palette=True)


def _avif(stream: BinaryIO) -> Details:
    stream.seek(0)
    content = stream.read()
    image = pyvips.Image.new_from_buffer(content, "", access="sequential")
    named = {"icc": "icc-profile-data", "exif": "exif-data", "xmp": "xmp-data"}
    found: dict[str, Any] = {name: bytes(image.get(key)) for name, key in named.items() if image.get_typeof(key)}
    found["exif"] = found.get("exif", b"").removeprefix(exif.HEADER)
    colours = content.find(b"colrnclx", 0, _META)
    primaries = struct.unpack_from(">HH", content, colours + 8) if colours > 0 else (1, 1)
    if primaries[0] not in _SRGB_PRIMARIES or primaries[1] not in _SRGB_TRANSFERS:
        found["dropped"] = (f"colours of primaries {primaries[0]} and transfer {primaries[1]} (nclx)",)
    return Details(Properties(**found), 1)  # libheif turns pictures itself


_READERS: dict[str, Callable[[BinaryIO], Details]] = {
    "png": _png, "jpeg": _jpeg, "webp": _webp, "tiff": lambda stream: _tiff(stream, None), "gif": _gif, "avif": _avif,
}  # fmt: skip
