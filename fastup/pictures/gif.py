"""Blocks of GIF: comments and XMP are read and put into a written file, and a file that is cut off is noticed.

Layout: GIF89a; XMP: XMP specification, part 3, section 1.1.2. Decoders show what frames they find and say nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, NamedTuple

_HEADER = 13
_EXTENSION, _IMAGE, _END = 0x21, 0x2C, 0x3B
_COMMENT, _APPLICATION = 0xFE, 0xFF
_XMP = b"XMP DataXMP"
_TRAILER = bytes([1, *range(255, -1, -1), 0])  # leads whoever reads blocks of a length to the end of the packet


class Blocks(NamedTuple):
    """What stands beside the frames.

    Attributes
    ----------
    comments : list of bytes
    xmp : bytes
    whole : bool
        Whether the file ends where a block does.
    """

    comments: list[bytes]
    xmp: bytes
    whole: bool


def read(stream: BinaryIO) -> Blocks:
    """Walk through a file without decoding a pixel."""
    comments: list[bytes] = []
    xmp = b""
    stream.seek(10)
    _skip(stream, 2 + _colours(stream.read(1)))
    while head := stream.read(1):
        if head[0] == _END:
            return Blocks(comments, xmp, True)
        if head[0] == _IMAGE:
            place = stream.read(9)
            if len(place) < 9:
                return Blocks(comments, xmp, False)
            _skip(stream, _colours(place[8:]) + 1)
            content: bytes | None = _sub_blocks(stream)
        elif head[0] == _EXTENSION:
            label = stream.read(1)
            content = _sub_blocks(stream)
            if content is not None and label == bytes([_COMMENT]):
                comments.append(content)
            elif content is not None and label == bytes([_APPLICATION]) and content.startswith(_XMP):
                xmp = _packet(stream, content)
        else:  # what follows a frame, in some files
            continue
        if content is None:
            return Blocks(comments, xmp, False)
    return Blocks(comments, xmp, True)


def _colours(flags: bytes) -> int:
    """Bytes of a table of colours."""
    return 3 << ((flags[0] & 7) + 1) if flags and flags[0] & 0x80 else 0


def _skip(stream: BinaryIO, count: int) -> None:
    stream.seek(count, 1)


def _sub_blocks(stream: BinaryIO) -> bytes | None:
    """The content of blocks of a length each; None where the file ends within them."""
    parts: list[bytes] = []
    while size := stream.read(1):
        if size[0] == 0:
            return b"".join(parts)
        part = stream.read(size[0])
        if len(part) < size[0]:
            return None
        parts.append(part)
    return None


def _packet(stream: BinaryIO, content: bytes) -> bytes:
    """The packet, whose bytes stand in the file as they are: lengths of blocks are letters of it."""
    end = stream.tell()
    stream.seek(max(0, end - len(content) - len(content) // 32 - 1024))
    raw = stream.read(end - stream.tell())
    start, stop = raw.rfind(_XMP), raw.rfind(_TRAILER[:8])
    return raw[start + len(_XMP) : stop] if 0 <= start < stop else b""


def put_into(path: Path, comments: list[bytes], xmp: bytes) -> None:
    """Put comments and a packet behind the head of a file."""
    if not comments and not xmp:
        return
    data = path.read_bytes()
    head = _HEADER + _colours(data[10:11])
    blocks = [_comment(one) for one in comments]
    if xmp:
        blocks.append(bytes([_EXTENSION, _APPLICATION, len(_XMP)]) + _XMP + xmp + _TRAILER)
    path.write_bytes(data[:head] + b"".join(blocks) + data[head:])


def _comment(content: bytes) -> bytes:
    parts = [content[k : k + 255] for k in range(0, len(content), 255)]
    return bytes([_EXTENSION, _COMMENT]) + b"".join(bytes([len(part)]) + part for part in parts) + b"\0"
