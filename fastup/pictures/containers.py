"""Chunks of PNG and of WebP, segments of JPEG: read without a picture's pixels, put into a written file whole."""

from __future__ import annotations

import os
import shutil
import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

from fastup.runtime.whole_files import PARTIAL

Piece = tuple[bytes, bytes]  # the name of a chunk, or a marker, and its content
PNG = b"\x89PNG\r\n\x1a\n"
_HEADER_END, _DENSITY = 33, 21  # bytes of a PNG's signature and first chunk, and of a chunk pHYs
_BARE = {0x01, *range(0xD0, 0xD8)}  # markers of JPEG without content
_SCAN, _END, START = 0xDA, 0xD9, b"\xff\xd8"
_CHUNK, _SEGMENT = 2**28, 2**16 - 3
_COPIED = 2**22
_SEARCHED = 2**12


def png_chunks(stream: BinaryIO) -> list[Piece]:
    """All chunks but those of pixels, whose content is left out."""
    found: list[Piece] = []
    stream.seek(len(PNG))
    while len(head := stream.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        if kind in (b"IDAT", b"fdAT") or length > _CHUNK:
            stream.seek(length + 4, os.SEEK_CUR)
            continue
        found.append((kind, stream.read(length)))
        stream.seek(4, os.SEEK_CUR)
        if kind == b"IEND":
            break
    return found


def png_chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk as it stands in a file."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(content, zlib.crc32(kind)))


def jpeg_segments(stream: BinaryIO) -> list[Piece]:
    """The marker and the content of every segment before the pixels."""
    found: list[Piece] = []
    stream.seek(2)
    while (mark := stream.read(2))[:1] == b"\xff" and len(mark) == 2:
        while mark == b"\xff\xff":  # filling
            mark = b"\xff" + stream.read(1)
        if len(mark) < 2:
            break
        if mark[1] in _BARE:
            continue
        if mark[1] in (_SCAN, _END) or len(size := stream.read(2)) != 2:
            break
        found.append((mark[1:], stream.read(max(0, int.from_bytes(size, "big") - 2))))
    return found


def follows_jpeg(stream: BinaryIO) -> bool:
    """Whether the file ends otherwise than a picture does, but for zeros: with a film, with words of a telephone."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, size - _SEARCHED))
    content = stream.read(_SEARCHED).rstrip(b"\0")
    return bool(content) and not content.endswith(b"\xff\xd9")


def jpeg_segment(marker: bytes, content: bytes) -> bytes:
    """A segment as it stands in a file."""
    if len(content) > _SEGMENT:
        raise ValueError(f"a segment of JPEG holds at most {_SEGMENT} bytes, got {len(content)}")
    return b"\xff" + marker + struct.pack(">H", len(content) + 2) + content


def webp_chunks(stream: BinaryIO) -> list[bytes]:
    """The names of the chunks, those of an animation's first frame among them."""
    found = []
    stream.seek(12)
    while len(head := stream.read(8)) == 8:
        kind, length = struct.unpack("<4sI", head)
        found.append(kind)
        stream.seek(16 if kind == b"ANMF" else length + length % 2, os.SEEK_CUR)
    return found


def put_into_png(path: Path, chunks: Sequence[Piece]) -> None:
    """Put chunks behind the header of a file, in place of the density that libvips makes up."""

    def head(old: BinaryIO) -> bytes:
        start = old.read(_HEADER_END)
        following = old.read(_DENSITY)
        kept = b"" if following[4:8] == b"pHYs" else following
        return start + b"".join(png_chunk(*one) for one in chunks) + kept

    _rewritten(path, head)


def put_into_jpeg(path: Path, segments: Sequence[Piece], density: bytes) -> None:
    """Put segments behind the first one of a file, of JFIF, and the density in dots into it."""

    def head(old: BinaryIO) -> bytes:
        start = old.read(20)
        if start[2:4] != b"\xff\xe0":  # CMYK of Adobe has none
            old.seek(2)
            start = START
        elif density:
            start = start[:13] + density + start[18:]
        return start + b"".join(jpeg_segment(*one) for one in segments)

    if segments or density:
        _rewritten(path, head)


def _rewritten(path: Path, head: Callable[[BinaryIO], bytes]) -> None:
    """Write a file anew with another head; what `head` has not read follows it."""
    beside = path.with_name(path.name + "-")
    PARTIAL.add(beside)
    try:
        with path.open("rb") as old, beside.open("wb") as new:
            new.write(head(old))
            shutil.copyfileobj(old, new, _COPIED)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
        PARTIAL.discard(beside)
