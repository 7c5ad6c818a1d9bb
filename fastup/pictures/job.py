"""What is done to one picture: known, and refused or said where something cannot be kept, before a pixel is read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from PIL import Image

from fastup.pictures import fields
from fastup.pictures.conversion import Pixels
from fastup.pictures.fields import Placement
from fastup.pictures.formats import ANIMATION, PAGES, Format
from fastup.pictures.properties import APP13, COMMENT, OF_SAMPLES, Properties
from fastup.pictures.reading import COLOURS, PILLOW_FORMATS, Array, Picture, held_bytes, stream_of
from fastup.pictures.resizing import Geometry, Rule, Working, working
from fastup.pictures.sentences import pillow_sentence
from fastup.pictures.writing import Target

IN_MEMORY = 2**28  # bytes of a source, its result and what they are meanwhile, that are held whole
_MOST_BYTES = 2**42  # of a result
_GIF_STEP = 10  # milliseconds
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
    large : bool
        Whether it is done strip by strip.
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
    large: bool
    lost: tuple[str, ...]
    remarks: tuple[str, ...]


def prepare(picture: Picture, format_: Format, request: Request) -> Job:
    """Find out what the result is, and refuse what cannot be; no pixel is read."""
    rule = request.rule
    holds = not picture.alpha or format_.name == "png" or format_.name == picture.format == "gif"
    indices = picture.palette and rule.moves and format_.palette and holds
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
    factor = size[1] / picture.width, size[0] / picture.height
    target = Target(
        format_, held, height, width, picture.frames, Placement(factor, (columns.start, rows.start)), properties,
        request.quality, _palette(picture) if indices else {}, format_.name == picture.format, rule.moves,
    )  # fmt: skip
    _check_room(picture, target)
    large = not indices and _is_large(picture, target, work, rule)
    lost += _of_encoding(picture, target, large)
    remarks = []
    if picture.alpha and rule.like is not None and not rule.moves:
        by_pillow = rule.like.startswith("pillow") and work.dtype == np.uint8
        said = f"colours are not weighted by alpha, as {rule.like.partition('/')[0]} has it"
        remarks += [] if by_pillow else [said]
    return Job(picture, request, target, work, indices, large, tuple(dict.fromkeys(lost)), tuple(remarks))


def _check_room(picture: Picture, target: Target) -> None:
    """Refuse what no disk would hold, however well it is packed."""
    if target.bytes > _MOST_BYTES:
        told = f"its result would have {float(target.height * target.width * target.frames):.3g} pixels"
        raise ValueError(f"{picture.name}: {told}, {target.bytes / 2**40:.3g} TB")


def _is_large(picture: Picture, target: Target, work: Working, rule: Rule) -> bool:
    """Whether a picture, its result and what they are meanwhile take more memory than is to be held."""
    copies = 1 if work.dtype == picture.dtype else 1 + 3 * work.dtype.itemsize // picture.dtype.itemsize
    held = (held_bytes(picture) + target.bytes) * copies
    return held > IN_MEMORY and picture.by_vips and rule.layer is None


def _of_encoding(picture: Picture, target: Target, large: bool) -> list[str]:
    """What no writer can repeat of how the source was encoded."""
    name, encoding, lost = target.format.name, target.encoding, []
    if name == "jpeg" and "subsampling" in encoding and (large or not encoding["subsampling"]):
        lost.append(
            "the subsampling of its chroma: " + ("all or a quarter of it is kept" if large else "all of it is kept")
        )
    if name == "jpeg" and encoding and large and target.quality is None:
        lost.append("its own tables of quantisation: those of the nearest quality take their place")
    if name == "png" and "interlaced" in encoding and (target.pixels.palette or target.frames > 1):
        lost.append("interlacing")
    if name == "gif" and picture.format == "gif" and not target.pixels.palette and picture.frames > 1:
        lost.append("the palettes of its frames: colours are chosen anew")
    if name == "gif" and picture.format != "gif" and (picture.kind == "rgb" or picture.alpha):
        lost.append("more than 256 colours of a frame, and alpha between 0 and 255")
    if name == "gif" and any(time % _GIF_STEP for time in picture.properties.times):
        lost.append("times of frames between hundredths of a second")
    if name == "avif" and target.pixels.dtype == np.uint16 and b"\x92\x7c" in picture.properties.exif:
        lost.append("notes of the camera's maker in EXIF")
    return lost


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
    if not packed or made.alpha or format_.bits > made.bits:
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
    if pixels.bits != picture.bits or pixels.palette != picture.palette:
        own = tuple(piece for piece in found.own if piece[0] not in OF_SAMPLES)
        lost += ["the background colour, or how many bits count"] * (len(own) < len(found.own))
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
    told = names & {b"cICP", b"mDCV", b"cLLI"} | (names & {b"gAMA", b"cHRM"} if not found.icc else set())
    if told and b"sRGB" not in names:
        lost.append("what the PNG says of its colours: " + ", ".join(sorted(name.decode() for name in told)))
    if segments := sorted(name[0] - 0xE0 for name in names if len(name) == 1 and name not in (APP13, COMMENT)):
        lost.append("segments of other programs: " + ", ".join(f"APP{number}" for number in segments))
    if not has_tags and (tags := sorted(set(found.tags) - fields.KNOWN)):
        lost.append("fields of TIFF: " + ", ".join(map(str, tags)))
    return lost


def _palette(picture: Picture) -> dict[str, Any]:
    """The colours of indices, and which of them are transparent, as Pillow has them."""
    try:
        with stream_of(picture.source) as stream, Image.open(stream, formats=PILLOW_FORMATS) as image:
            image.seek(picture.page or 0)
            assert image.palette is not None
            info = {name: image.info[name] for name in ("transparency", "background") if name in image.info}
            held = image.palette
            colours = bytes(held.palette) if held.rawmode else held.tobytes()
            return {"colours": colours, "mode": held.rawmode or held.mode, "info": info}
    except Exception as error:  # Pillow's plugins raise what they stumble over
        raise ValueError(f"{picture.name} cannot be read: {pillow_sentence(error)}") from None
