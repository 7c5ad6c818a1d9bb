"""Directories of TIFF, of which EXIF has some too: read as they are, and put into a file that another library wrote.

A directory maps tags to values, ``(kind, bytes in little-endian order)``, or to directories of its own (TIFF 6.0,
section 2, and BigTIFF). What lies beyond the first directory of a file stays as it is.
"""

from __future__ import annotations

import contextlib
import io
import struct
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

EXIF, GPS, INTEROPERABILITY = 34665, 34853, 40965
NESTED = (EXIF, GPS, INTEROPERABILITY)
BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, DOUBLE, LONG8 = 1, 2, 3, 4, 5, 7, 12, 16
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_SWAPPED = {**SIZES, 5: 4, 10: 4}  # what a change of byte order turns around
_MOST = 2**26  # bytes of a value, and items of a directory that is none
_CLASSIC, _BIG = 42, 43
_DEEPEST = 2  # directories within each other
Value = tuple[int, bytes]
Directory = dict[int, "Value | Directory"]


class Layout(NamedTuple):
    """How a file writes integers and directories."""

    order: str  # of struct
    big: bool

    @property
    def entry(self) -> str:
        """Tag, kind and count."""
        return self.order + ("HHQ" if self.big else "HHI")

    @property
    def offset(self) -> str:
        """A place in the file, and the room that a short value has."""
        return self.order + ("Q" if self.big else "I")

    @property
    def entries(self) -> str:
        """How many entries a directory has."""
        return self.order + ("Q" if self.big else "H")

    @property
    def first(self) -> int:
        """Where the place of the first directory stands."""
        return 8 if self.big else 4


def _taken(stream: BinaryIO, form: str) -> tuple[Any, ...]:
    return struct.unpack(form, stream.read(struct.calcsize(form)))


def layout(stream: BinaryIO) -> Layout:
    """Of the TIFF that begins at 0."""
    stream.seek(0)
    order = {b"II": "<", b"MM": ">"}.get(stream.read(2), "")
    if not order:
        raise ValueError("no TIFF")
    (version,) = _taken(stream, order + "H")
    if version not in (_CLASSIC, _BIG):
        raise ValueError("no TIFF")
    return Layout(order, version == _BIG)


def read(stream: BinaryIO) -> Directory:
    """The first directory; what is broken is left out."""
    return next(iter(read_all(stream, 1)), {})


def read_all(stream: BinaryIO, most: int) -> list[Directory]:
    """The directories of at most so many pages."""
    found: list[Directory] = []
    try:
        made = layout(stream)
        for start in _starts(stream, made, most):
            found.append(_read(stream, made, start))
    except (ValueError, struct.error):
        pass
    return found


def _starts(stream: BinaryIO, made: Layout, most: int) -> list[int]:
    """Where the directories of pages begin; each says where the next one is."""
    stream.seek(made.first)
    found: list[int] = []
    (start,) = _taken(stream, made.offset)
    while start and len(found) < most and start not in found:
        found.append(start)
        stream.seek(start)
        (count,) = _taken(stream, made.entries)
        stream.seek(count * (struct.calcsize(made.entry) + struct.calcsize(made.offset)), io.SEEK_CUR)
        (start,) = _taken(stream, made.offset)
    return found


def _read(stream: BinaryIO, made: Layout, start: int, depth: int = 0) -> Directory:
    stream.seek(start)
    (count,) = _taken(stream, made.entries)
    entries: list[tuple[Any, ...]] = []
    room = struct.calcsize(made.offset)
    for _ in range(min(count, 2**16)):
        entries.append((*_taken(stream, made.entry), stream.read(room)))
    found: Directory = {}
    for tag, kind, items, inline in entries:
        size = SIZES.get(kind, 0) * items
        if not 0 < size <= _MOST or len(inline) != room:
            continue
        if tag in NESTED:
            with contextlib.suppress(struct.error):
                if depth < _DEEPEST:
                    (place,) = struct.unpack(made.offset, inline)
                    found[tag] = _read(stream, made, place, depth + 1)
            continue
        content = inline[:size]
        if size > room:
            stream.seek(*struct.unpack(made.offset, inline))
            content = stream.read(size)
        if len(content) == size:
            found[tag] = kind, _ordered(kind, content, made.order)
    return found


def _ordered(kind: int, content: bytes, order: str) -> bytes:
    """Little-endian bytes from this order, or the other way round."""
    size = _SWAPPED[kind]
    if order == "<" or size == 1:
        return content
    return np.frombuffer(content, f">u{size}").astype(f"<u{size}").tobytes()


def put_into(path: Path, pages: Sequence[Directory], without: Collection[int] = ()) -> None:
    """Put fields into the directories of a file's pages, in place of those of the same tags and of some others."""
    with path.open("r+b") as stream:
        made = layout(stream)
        pointer = made.first  # where the place of the page's directory stands
        for start, directory in zip(_starts(stream, made, len(pages)), pages, strict=False):
            entries, following = _raw(stream, made, start)
            stream.seek(0, io.SEEK_END)
            for tag in without:
                entries.pop(tag, None)
            for tag, value in directory.items():
                entries[tag] = _appended(stream, made, tag, value)
            place = _directory(stream, made, entries, following)
            end = stream.tell()
            if not made.big and end >= 2**32:
                raise ValueError("TIFF of 4 GB and more must be BigTIFF")
            stream.seek(pointer)
            stream.write(struct.pack(made.offset, place))
            pointer = end - struct.calcsize(made.offset)


def block(directory: Directory) -> bytes:
    """A TIFF of one directory without pixels, as EXIF is."""
    made, stream = Layout("<", False), io.BytesIO(b"II*\0\0\0\0\0")
    stream.seek(0, io.SEEK_END)
    entries = {tag: _appended(stream, made, tag, value) for tag, value in directory.items()}
    place = _directory(stream, made, entries, 0)
    stream.seek(made.first)
    stream.write(struct.pack(made.offset, place))
    return stream.getvalue()


def _raw(stream: BinaryIO, made: Layout, start: int) -> tuple[dict[int, bytes], int]:
    """The entries as they stand, and the place of the next directory."""
    stream.seek(start)
    (count,) = _taken(stream, made.entries)
    size = struct.calcsize(made.entry) + struct.calcsize(made.offset)
    entries = [stream.read(size) for _ in range(count)]
    (following,) = _taken(stream, made.offset)
    return {struct.unpack_from(made.order + "H", one)[0]: one for one in entries}, following


def _appended(stream: BinaryIO, made: Layout, tag: int, value: Value | Directory) -> bytes:
    """The entry of a value, which is written at the end of the file where it is long."""
    room = struct.calcsize(made.offset)
    if isinstance(value, dict):
        inner = {one: _appended(stream, made, one, held) for one, held in value.items()}
        kind, content = LONG8 if made.big else LONG, struct.pack(made.offset, _directory(stream, made, inner, 0))
        return struct.pack(made.entry, tag, kind, 1) + content
    kind, content = value[0], _ordered(value[0], value[1], made.order)
    if len(content) > room:
        place = _even(stream)
        stream.write(content)
        inline = struct.pack(made.offset, place)
    else:
        inline = content.ljust(room, b"\0")
    return struct.pack(made.entry, tag, kind, len(content) // SIZES[kind]) + inline


def _directory(stream: BinaryIO, made: Layout, entries: Mapping[int, bytes], following: int) -> int:
    """Write a directory; where it begins."""
    place = _even(stream)
    stream.write(struct.pack(made.entries, len(entries)))
    stream.write(b"".join(entries[tag] for tag in sorted(entries)))
    stream.write(struct.pack(made.offset, following))
    return place


def _even(stream: BinaryIO) -> int:
    if stream.tell() % 2:
        stream.write(b"\0")
    return stream.tell()


def rational(value: float) -> Value:
    """A number in steps of a 10,000th."""
    return RATIONAL, struct.pack("<II", round(value * 10000), 10000)
