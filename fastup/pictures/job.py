"""What is done to one picture: known, and refused or said where something cannot be kept, before a pixel is read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from PIL import Image

from fastup.pictures import fields
from fastup.pictures.conversion import Pixels
from fastup.pictures.formats import ANIMATION, PAGES, Format
from fastup.pictures.properties import APP13, BACKGROUND, Properties
from fastup.pictures.reading import COLOURS, Array, Picture, stream_of
from fastup.pictures.resizing import Geometry, Rule, Working, working
from fastup.pictures.writing import Target

_SCREEN = (72.0, 72.0)  # dots an inch that nobody has chosen
_WORDS = {
    "icc": "the profile of colours", "exif": "EXIF", "xmp": "XMP", "iptc": "IPTC", "comment": "the comment",
    "dpi": "the resolution", "text": "text", "times": "the time of each frame",
}  # fmt: skip


@dataclass(frozen=True)
class Request:
    """What is asked for, of all pictures alike.

    Attributes
    ----------
    geometry : Geometry
    rule : Rule
    linear_light : bool
    quality : int, or None
    background : tuple of int, or None
        Red, green and blue behind pixels whose alpha the format cannot hold.
    """

    geometry: Geometry
    rule: Rule = field(default_factory=Rule)
    linear_light: bool = False
    quality: int | None = None
    background: tuple[int, int, int] | None = None


@dataclass(frozen=True)
class Job:
    """What is done to one picture.

    Attributes
    ----------
    picture : Picture
    request : Request
    target : Target
    work : Working
    indices : bool
        Whether indices of a palette are moved.
    lost : tuple of str
        What the result does not hold.
    remarks : tuple of str
        What else is to be said.
    """

    picture: Picture
    request: Request
    target: Target
    work: Working
    indices: bool
    lost: tuple[str, ...]
    remarks: tuple[str, ...]


def prepare(picture: Picture, format_: Format, request: Request) -> Job:
    """Find out what the result is, and refuse what cannot be; no pixel is read."""
    rule = request.rule
    indices = picture.palette and rule.moves and format_.palette
    work = Working(picture.dtype, _same, _same) if indices else working(picture, rule, request.linear_light)
    lost: list[str] = list(picture.properties.dropped)
    channels = 1 if indices else picture.channels
    pixels = Pixels(picture.kind, channels, picture.alpha and not indices, picture.dtype, picture.bits, indices)
    size = rule.size((picture.height, picture.width, channels), work.dtype, request.geometry)
    rows, columns = request.geometry.cropped(size)
    height, width = rows.stop - rows.start, columns.stop - columns.start
    _check_size(picture, format_, height, width)
    if picture.palette and not indices:
        lost.append("the palette: its colours are mixed" if not rule.moves else "the palette")
    held = _held(picture, pixels, format_, request, lost)
    properties = _kept(picture, held, format_, lost)
    target = Target(
        format_, held, height, width, picture.frames, (picture.height, picture.width), properties, request.quality,
        _palette(picture) if indices else {}, format_.name == picture.format, rule.moves,
    )  # fmt: skip
    remarks = []
    if picture.alpha and rule.like is not None and not rule.moves and not rule.like.startswith("pillow"):
        remarks.append(f"colours are not weighted by alpha, as {rule.like.partition('/')[0]} has it")
    return Job(picture, request, target, work, indices, tuple(dict.fromkeys(lost)), tuple(remarks))


def _same(pixels: Array) -> Array:
    return pixels


def _check_size(picture: Picture, format_: Format, height: int, width: int) -> None:
    if max(height, width) > format_.most:
        told = f"{format_.name} holds at most {format_.most} pixels a side, not {width}x{height}"
        raise ValueError(f"{picture.name}: {told}")
    if picture.frames > 1 and not format_.frames:
        what = "pages" if picture.format == "tiff" else "frames"
        raise ValueError(f"{picture.name} has {picture.frames} {what}, {format_.name} holds one; --page takes one")


def _held(picture: Picture, pixels: Pixels, format_: Format, request: Request, lost: list[str]) -> Pixels:
    """What the pixels of the result are."""
    name, made = picture.name, pixels
    if pixels.palette:
        return pixels
    beyond = made.channels - COLOURS.get(made.kind, made.channels) - made.alpha
    if (beyond or made.kind == "many") and "many" not in format_.kinds:
        raise ValueError(f"{name} has {made.channels} channels, which {format_.name} cannot hold")
    if made.alpha and not format_.alpha:
        if request.background is None:
            raise ValueError(f"{name} has alpha, which {format_.name} cannot hold; --background puts a colour behind")
        made = replace(made, alpha=False, channels=made.channels - 1)
    if made.kind not in format_.kinds:
        if made.dtype not in (np.uint8, np.float32) and made.kind == "cmyk":
            raise ValueError(f"{name} has inks of {made.dtype}, which {format_.name} cannot hold")
        lost.append(f"{made.kind.upper()}: colours become sRGB")
        made = Pixels("rgb", 3 + made.alpha, made.alpha, np.dtype(np.uint8), 8)
    if format_.dtypes and made.dtype.name not in format_.dtypes:
        if made.dtype != np.uint16:
            raise ValueError(f"{name} has samples of {made.dtype}, which {format_.name} cannot hold")
        lost.append("16 bits a sample: 8 are kept")
        made = replace(made, dtype=np.dtype(np.uint8), bits=8)
    packed = made.bits == 1 or request.rule.moves  # shades between 2 or 4 bits need 8
    if not packed or format_.name not in ("png", "tiff"):
        made = replace(made, bits=8 * made.dtype.itemsize)
    return made


def _kept(picture: Picture, pixels: Pixels, format_: Format, lost: list[str]) -> Properties:
    """The properties of the result."""
    found = picture.properties
    if pixels.kind != picture.kind:
        found = replace(found, icc=b"", tags={tag: value for tag, value in found.tags.items() if tag != fields.ICC})
    if picture.frames == 1 and "times" not in format_.keeps:
        found = replace(found, times=(), loop=0)
    if found.dpi == _SCREEN and "dpi" not in format_.keeps:
        found = replace(found, dpi=None)
    lost += [words for name, words in _WORDS.items() if getattr(found, name) and name not in format_.keeps]
    if format_.name == "jpeg" and found.encoding.get("subsampling") == "":
        lost.append("the subsampling of its chroma: all of it is kept")
    if pixels.bits != picture.bits or pixels.palette != picture.palette:
        own = tuple(piece for piece in found.own if piece[0] != BACKGROUND)
        lost += ["the background colour"] * (len(own) < len(found.own))
        found = replace(found, own=own)
    if format_.name != picture.format:
        lost += _own(found, "tags" in format_.keeps)
        found = replace(found, own=())
    if picture.frames > 1 and picture.format == "tiff" and format_.frames == ANIMATION:
        lost.append("pages: they become frames of an animation")
    if picture.frames > 1 and format_.frames == PAGES and not found.times and picture.format != "tiff":
        lost.append("the animation: frames become pages")
    return replace(found, dropped=())


def _own(found: Properties, has_tags: bool) -> list[str]:
    """What only the source's format has."""
    names = {name for name, _ in found.own}
    lost = []
    if b"gAMA" in names and not found.icc and b"sRGB" not in names:
        lost.append("the gamma of the PNG")
    if segments := sorted(name[0] - 0xE0 for name in names if len(name) == 1 and name != APP13):
        lost.append("segments of other programs: " + ", ".join(f"APP{number}" for number in segments))
    if not has_tags and (tags := sorted(set(found.tags) - fields.KNOWN)):
        lost.append("fields of TIFF: " + ", ".join(map(str, tags)))
    return lost


def _palette(picture: Picture) -> dict[str, Any]:
    """The colours of indices, and which of them are transparent, as Pillow has them."""
    with stream_of(picture.source) as stream, Image.open(stream) as image:
        image.load()
        assert image.palette is not None
        info = {name: image.info[name] for name in ("transparency", "background") if name in image.info}
        mode = image.palette.mode
        return {"colours": image.palette.tobytes(), "mode": mode, "info": info}
