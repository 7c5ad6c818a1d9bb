"""Fields of a TIFF beside its pixels: which a resized picture keeps, and those that tell where on Earth it lies."""

from __future__ import annotations

import io
import struct
from typing import Any

from fastup.pictures import ifd
from fastup.pictures.properties import Properties

# What describes how pixels are stored is written anew.
_STORED = {
    254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 273, 274, 277, 278, 279, 280, 281, 284, 288, 289, 290, 291,
    292, 293, 297, 301, 317, 320, 322, 323, 324, 325, 330, 332, 334, 336, 338, 339, 340, 341, 347, 512, 513, 514, 515,
    517, 518, 519, 520, 521, 529, 530, 531, 532,
}  # fmt: skip
XMP, PHOTOSHOP, ICC, EXTRA = 700, 34377, 34675, 338
DENSITY = _ACROSS, _DOWN, _UNIT = 282, 283, 296
_INCH, _CENTIMETRE = 2, 3
_IN_EXIF = {270, 271, 272, 305, 306, 315, 33432, ifd.EXIF, ifd.GPS}  # what EXIF's own first directory has of these
PIXEL_SCALE, TIE_POINTS, TRANSFORMATION = 33550, 33922, 34264  # OGC GeoTIFF 1.1, section 7.3
# What other formats have under other names.
KNOWN = _IN_EXIF | {XMP, PHOTOSHOP, ICC, EXTRA, _ACROSS, _DOWN, _UNIT}
_WIDTH, _HEIGHT = 0xA002, 0xA003


def of_tiff(directory: ifd.Directory) -> Properties:
    """The properties that the first directory of a TIFF has."""
    kept = {tag: value for tag, value in directory.items() if tag not in _STORED}
    if _bytes(directory.get(EXTRA))[:2] in (b"\0\0", b"\1\0"):  # libvips writes 2
        kept[EXTRA] = directory[EXTRA]
    described: ifd.Directory = {tag: value for tag, value in kept.items() if tag in _IN_EXIF}
    named: dict[str, Any] = {
        name: _bytes(kept.get(tag)) for name, tag in (("icc", ICC), ("xmp", XMP), ("iptc", PHOTOSHOP))
    }
    return Properties(tags=kept, exif=ifd.block(described) if described else b"", dpi=_dots(kept), **named)


def _bytes(value: Any) -> bytes:
    return value[1] if isinstance(value, tuple) else b""


def _dots(directory: ifd.Directory) -> tuple[float, float] | None:
    """Dots an inch."""
    unit = int.from_bytes(_bytes(directory.get(_UNIT)) or b"\2", "little")
    parts = [_bytes(directory.get(tag)) for tag in (_ACROSS, _DOWN)]
    if unit not in (_INCH, _CENTIMETRE) or any(len(part) != 8 for part in parts):
        return None
    ratios = [struct.unpack("<II", part) for part in parts]
    if any(below == 0 for _, below in ratios):
        return None
    across, down = (above / below * (2.54 if unit == _CENTIMETRE else 1) for above, below in ratios)
    return across, down


def fields(properties: Properties, size: tuple[int, int], before: tuple[int, int]) -> ifd.Directory:
    """What a TIFF of this width and height holds, that was made of one of the size before."""
    made: ifd.Directory = {tag: value for tag, value in properties.tags.items() if tag not in (XMP, ICC)}
    if not properties.tags:
        made = _of_others(properties.upright(*size))
    made = _placed(made, size[0] / before[0], size[1] / before[1])
    inner = made.get(ifd.EXIF)
    if isinstance(inner, dict):
        extents = {_WIDTH: size[0], _HEIGHT: size[1]}
        made[ifd.EXIF] = inner | {tag: (ifd.LONG, struct.pack("<I", n)) for tag, n in extents.items() if tag in inner}
    for tag, content in ((XMP, properties.upright(*size).xmp), (ICC, properties.icc)):
        if content:
            made[tag] = ifd.UNDEFINED if tag == ICC else ifd.BYTE, content
    return made


def _of_others(properties: Properties) -> ifd.Directory:
    """What other formats have under other names."""
    found = ifd.read(io.BytesIO(properties.exif)) if properties.exif else {}
    made: ifd.Directory = {tag: value for tag, value in found.items() if tag not in _STORED}
    if properties.iptc:
        made[PHOTOSHOP] = ifd.BYTE, properties.iptc
    if properties.dpi:
        made |= {tag: ifd.rational(dots) for tag, dots in zip((_ACROSS, _DOWN), properties.dpi, strict=True)}
        made[_UNIT] = ifd.SHORT, struct.pack("<H", _INCH)
    return made


def _placed(directory: ifd.Directory, across: float, down: float) -> ifd.Directory:
    """The fields of pixels that are these times smaller: their extent on Earth, and which of them lie where."""
    factors = {
        PIXEL_SCALE: (1 / across, 1 / down, 1),
        TIE_POINTS: (across, down, 1, 1, 1, 1),
        TRANSFORMATION: (1 / across, 1 / down, 1, 1),
    }
    changed = dict(directory)
    for tag, by in factors.items():
        value = directory.get(tag)
        if isinstance(value, tuple) and value[0] == ifd.DOUBLE:
            numbers = struct.unpack(f"<{len(value[1]) // 8}d", value[1])
            scaled = [number * by[k % len(by)] for k, number in enumerate(numbers)]
            changed[tag] = ifd.DOUBLE, struct.pack(f"<{len(scaled)}d", *scaled)
    return changed
