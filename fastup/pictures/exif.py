"""EXIF and XMP of a picture that was turned upright and resized: only what must change does, in its place.

Whatever re-encodes EXIF loses maker's notes, whose offsets count from the beginning of the block; so fields are
overwritten where they stand. Layout: TIFF 6.0, section 2; tags: EXIF 2.32, section 4.6.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

HEADER = b"Exif\0\0"
_WIDTH, _HEIGHT, _ORIENTATION, _EXIF_IFD = 0x100, 0x101, 0x112, 0x8769
_PIXELS_ACROSS, _PIXELS_DOWN = 0xA002, 0xA003
_THUMBNAIL, _THUMBNAIL_BYTES, _DENSITIES = 0x201, 0x202, (0x11A, 0x11B)
_SHORT, _LONG, _RATIONAL = 3, 4, 5
_ORDERS = {b"II": "<", b"MM": ">"}
_XMP_ORIENTATION = rb"tiff:Orientation"
_XMP_WIDTHS = rb"exif:PixelXDimension", rb"tiff:ImageWidth"
_XMP_HEIGHTS = rb"exif:PixelYDimension", rb"tiff:ImageLength"
UPRIGHT = 1
TURNS = range(1, 9)


def _entries(block: bytes, order: str, start: int) -> Iterator[tuple[int, int, int]]:
    """Tag, kind and place of the value of each entry that is one integer; last (-1, 0, place of the next IFD)."""
    (count,) = struct.unpack_from(order + "H", block, start)
    for k in range(count):
        place = start + 2 + 12 * k
        tag, kind, items = struct.unpack_from(order + "HHI", block, place)
        if items == 1 and kind in (_SHORT, _LONG):
            yield tag, kind, place + 8
    yield -1, 0, start + 2 + 12 * count


def _fields(block: bytes) -> Iterator[tuple[str, int, int, int]]:
    """The same for the first IFD and the EXIF one within it, with the order of bytes."""
    order = _ORDERS[block[:2]]
    (start,) = struct.unpack_from(order + "I", block, 4)
    inner = 0
    for tag, kind, place in _entries(block, order, start):
        if tag == _EXIF_IFD:
            (inner,) = struct.unpack_from(order + "I", block, place)
        yield order, tag, kind, place
    if inner:
        for tag, kind, place in _entries(block, order, inner):
            if tag >= 0:
                yield order, tag, kind, place


def orientation(block: bytes) -> int:
    """How the picture must be turned to stand upright, from 1 to 8; 1 where nothing is said."""
    try:
        for order, tag, kind, place in _fields(block):
            if tag == _ORIENTATION:
                (value,) = struct.unpack_from(order + ("H" if kind == _SHORT else "I"), block, place)
                return value if value in TURNS else UPRIGHT
    except (KeyError, struct.error):
        pass
    return UPRIGHT


def made_upright(block: bytes, width: int, height: int) -> bytes:
    """The block of an upright picture of this size, without the small picture that shows the old one."""
    values = {_ORIENTATION: UPRIGHT, _WIDTH: width, _PIXELS_ACROSS: width, _HEIGHT: height, _PIXELS_DOWN: height, -1: 0}
    changed = bytearray(block)
    try:
        for start, size in _thumbnails(block):
            changed[start : start + size] = bytes(len(changed[start : start + size]))
        for order, tag, kind, place in _fields(block):
            if tag in values:
                value = values[tag] if kind != _SHORT else min(values[tag], 2**16 - 1)
                struct.pack_into(order + ("H" if kind == _SHORT else "I"), changed, place, value)
    except (KeyError, struct.error):
        return block
    return bytes(changed)


def _thumbnails(block: bytes) -> Iterator[tuple[int, int]]:
    """Where the small picture of the second IFD lies, and its bytes."""
    order = _ORDERS[block[:2]]
    (start,) = struct.unpack_from(order + "I", block, 4)
    *_, (_, _, end) = _entries(block, order, start)
    (second,) = struct.unpack_from(order + "I", block, end)
    if not second:
        return
    form = {_SHORT: "H", _LONG: "I"}
    found = {
        tag: struct.unpack_from(order + form[kind], block, place)[0]
        for tag, kind, place in _entries(block, order, second)
        if tag >= 0
    }
    if _THUMBNAIL in found and _THUMBNAIL_BYTES in found:
        yield found[_THUMBNAIL], found[_THUMBNAIL_BYTES]


def sideways(block: bytes) -> bytes:
    """The block of a picture whose height and width change places: so do its densities."""
    changed = bytearray(block)
    try:
        order = _ORDERS[block[:2]]
        (start,) = struct.unpack_from(order + "I", block, 4)
        (count,) = struct.unpack_from(order + "H", block, start)
        places = {}
        for k in range(count):
            tag, kind, items = struct.unpack_from(order + "HHI", block, start + 2 + 12 * k)
            if tag in _DENSITIES and (kind, items) == (_RATIONAL, 1):
                (places[tag],) = struct.unpack_from(order + "I", block, start + 10 + 12 * k)
        if len(places) == len(_DENSITIES):
            across, down = (places[tag] for tag in _DENSITIES)
            changed[across : across + 8], changed[down : down + 8] = block[down : down + 8], block[across : across + 8]
    except (KeyError, struct.error):
        return block
    return bytes(changed) if len(changed) == len(block) else block


def xmp_made_upright(packet: bytes, width: int, height: int, turned: bool) -> bytes:
    """An XMP packet whose size, as attributes or elements, is the picture's, and its orientation if it was `turned`."""
    numbers = [(name, width) for name in _XMP_WIDTHS] + [(name, height) for name in _XMP_HEIGHTS]
    for name, number in numbers + [(_XMP_ORIENTATION, UPRIGHT)] * turned:
        value = str(number).encode()
        packet = re.sub(rb"(" + name + rb"\s*=\s*[\"'])\d+", rb"\g<1>" + value, packet)
        packet = re.sub(rb"(<" + name + rb">)\s*\d+", rb"\g<1>" + value, packet)
    return packet
