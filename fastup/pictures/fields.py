"""Fields of a TIFF beside its pixels: which a resized picture keeps, and those that tell where on Earth it lies."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fastup.pictures import ifd
from fastup.pictures.exif import xmp_made_upright
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
_KEYS, _RASTER_TYPE, _POINT = 34735, 1025, 2
_DROPPED = {330: "directories within the first (SubIFDs)", 50844: "the coefficients of a camera (RPC)"}
_WIDTH, _HEIGHT = 0xA002, 0xA003


class Placement(NamedTuple):
    """Where the pixels of a result lie in its source: ``result = source * factor - cut``, across and down."""

    factor: tuple[float, float]
    cut: tuple[int, int]


def of_tiff(directories: Sequence[ifd.Directory]) -> Properties:
    """The properties that the directories of a TIFF's pages have."""
    kept, *others = ([_kept(one) for one in directories]) or [{}]
    described: ifd.Directory = {tag: value for tag, value in kept.items() if tag in _IN_EXIF}
    icc, xmp, iptc = (_bytes(kept.get(tag)) for tag in (ICC, XMP, PHOTOSHOP))
    exif = ifd.block(described) if described else b""
    told = [words for tag, words in _DROPPED.items() if any(tag in one for one in directories)]
    return Properties(
        icc, exif, xmp, iptc, dpi=_dots(kept), tags=kept, pages=tuple(others), dropped=tuple(told)
    )  # fmt: skip


def _kept(directory: ifd.Directory) -> ifd.Directory:
    kept = {tag: value for tag, value in directory.items() if tag not in _STORED and tag not in _DROPPED}
    if _bytes(directory.get(EXTRA))[:2] in (b"\0\0", b"\1\0"):  # any meaning, weighted colours; libvips writes 2
        kept[EXTRA] = directory[EXTRA]
    return kept


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


def fields(properties: Properties, size: tuple[int, int], placement: Placement, pages: int) -> list[ifd.Directory]:
    """What so many pages of a TIFF of this width and height hold."""
    upright = properties.upright(*size)
    if not properties.tags and not properties.pages:
        first = _of_others(upright)
        if upright.icc:
            first[ICC] = ifd.UNDEFINED, upright.icc
        if upright.xmp:
            first[XMP] = ifd.BYTE, upright.xmp
        return [first, *({} for _ in range(pages - 1))]
    return [_resized(dict(one), upright, size, placement) for one in (properties.tags, *properties.pages)]


def _resized(made: ifd.Directory, of: Properties, size: tuple[int, int], placement: Placement) -> ifd.Directory:
    """The fields of one page."""
    made = _placed(made, placement)
    inner = made.get(ifd.EXIF)
    if isinstance(inner, dict):
        extents = {_WIDTH: size[0], _HEIGHT: size[1]}
        made[ifd.EXIF] = inner | {tag: (ifd.LONG, struct.pack("<I", n)) for tag, n in extents.items() if tag in inner}
    packet = _bytes(made.get(XMP))
    if packet:
        made[XMP] = ifd.BYTE, xmp_made_upright(packet, *size, of.turned)
    if of.turned and {_ACROSS, _DOWN} <= set(made):
        made[_ACROSS], made[_DOWN] = made[_DOWN], made[_ACROSS]
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


def _placed(directory: ifd.Directory, placement: Placement) -> ifd.Directory:
    """The fields that say where on Earth the new pixels lie."""
    changed = dict(directory)
    middle = 0.5 if _is_point(directory) else 0.0  # of a pixel, where integers are middles
    (fx, fy), (cx, cy) = placement
    if scale := _numbers(directory, PIXEL_SCALE):
        changed[PIXEL_SCALE] = _doubles([scale[0] / fx, scale[1] / fy, *scale[2:]])
    if points := _numbers(directory, TIE_POINTS):
        for k in range(0, len(points) - 5, 6):
            points[k] = (points[k] + middle) * fx - cx - middle
            points[k + 1] = (points[k + 1] + middle) * fy - cy - middle
        changed[TIE_POINTS] = _doubles(points)
    if matrix := _numbers(directory, TRANSFORMATION):
        left, top = (cx + middle) / fx - middle, (cy + middle) / fy - middle
        for k in range(0, len(matrix) - 3, 4):
            across, down, *_ = matrix[k : k + 4]
            matrix[k], matrix[k + 1] = across / fx, down / fy
            matrix[k + 3] += across * left + down * top
        changed[TRANSFORMATION] = _doubles(matrix)
    return changed


def _is_point(directory: ifd.Directory) -> bool:
    """Whether GTRasterTypeGeoKey says that coordinates are those of middles of pixels."""
    keys = np.frombuffer(_bytes(directory.get(_KEYS)), "<u2").tolist()
    entries = [keys[k : k + 4] for k in range(4, len(keys) - 3, 4)]
    return any(entry[0] == _RASTER_TYPE and entry[3] == _POINT for entry in entries)


def _numbers(directory: ifd.Directory, tag: int) -> list[float]:
    value = directory.get(tag)
    held = isinstance(value, tuple) and value[0] == ifd.DOUBLE
    return np.frombuffer(_bytes(value), "<f8").tolist() if held else []


def _doubles(numbers: list[float]) -> ifd.Value:
    return ifd.DOUBLE, struct.pack(f"<{len(numbers)}d", *numbers)
