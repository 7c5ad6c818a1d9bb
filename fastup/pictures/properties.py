"""What a picture file holds beside its pixels, and how it was encoded."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fastup.pictures import exif
from fastup.pictures.containers import Piece

XMP = b"http://ns.adobe.com/xap/1.0/\0"
PNG_XMP = b"XML:com.adobe.xmp"
PHOTOSHOP = b"Photoshop 3.0\0"
ICC, MPF = b"ICC_PROFILE\0", b"MPF\0"
_ICC_PART = 2**16 - 1 - 2 - len(ICC) - 2
APP0, APP1, APP2, APP11, APP13, APP14, COMMENT = (bytes([k]) for k in (0xE0, 0xE1, 0xE2, 0xEB, 0xED, 0xEE, 0xFE))
_MOST_UNPACKED = 2**25
_METRE, _CENTIMETRE = 0.0254, 2.54  # of an inch
# Chunks that a changed picture may carry though their names do not say so (PNG 3, section 5.4), and those made anew.
OF_SAMPLES = (b"bKGD", b"sBIT")  # in the picture's own samples
_OF_PLACES = (b"oFFs", b"sCAL", b"pCAL")  # which other pixels have elsewhere
_COLOURS = {b"gAMA", b"cHRM", b"sRGB", b"cICP", b"mDCV", b"cLLI"}
_MADE_ANEW = {
    b"IHDR", b"PLTE", b"tRNS", b"IEND", b"tIME", b"hIST", b"acTL", b"fcTL", b"fdAT", b"iCCP", b"eXIf",
}  # fmt: skip


@dataclass(frozen=True)
class Properties:
    """What stands beside the pixels; nothing of it where a field is empty.

    Attributes
    ----------
    icc, exif, xmp, iptc, comment : bytes
        The profile of colours, the block of EXIF without its header, the packet of XMP, the resources of Photoshop with
        what IPTC holds, a comment.
    dpi : tuple of float, or None
        Dots an inch, across and down.
    density : bytes
        The same as a JPEG has it.
    text : tuple of str
        Keywords of a PNG's texts.
    times : tuple of int
        Milliseconds that each frame is shown.
    loop : int
        How often frames are shown, as libvips has it; 0: for ever.
    turned : bool
        Whether the picture was turned upright.
    tags : mapping
        What else a TIFF has.
    pages : tuple of mapping
        The same of its further pages.
    own : tuple of (bytes, bytes)
        Chunks of a PNG, or segments of a JPEG, that another file of the format holds byte for byte.
    encoding : mapping
        How the pixels were encoded, in Pillow's words.
    dropped : tuple of str
        What no written file will hold.
    """

    icc: bytes = b""
    exif: bytes = b""
    xmp: bytes = b""
    iptc: bytes = b""
    comment: bytes = b""
    dpi: tuple[float, float] | None = None
    density: bytes = b""
    text: tuple[str, ...] = ()
    times: tuple[int, ...] = ()
    loop: int = 0
    turned: bool = False
    tags: Mapping[int, Any] = field(default_factory=dict)
    pages: tuple[Mapping[int, Any], ...] = ()
    own: tuple[Piece, ...] = ()
    encoding: Mapping[str, Any] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()

    def upright(self, width: int, height: int) -> Properties:
        """Those of the result."""
        block = exif.made_upright(self.exif, width, height) if self.exif else b""
        packet = exif.xmp_made_upright(self.xmp, width, height, self.turned) if self.xmp else b""
        return replace(self, exif=block, xmp=packet)

    def sideways(self) -> Properties:
        """With the densities of a picture whose height and width change places."""
        turned = replace(self, dpi=self.dpi and self.dpi[::-1], exif=exif.sideways(self.exif) if self.exif else b"")
        own = tuple(
            (kind, content[4:8] + content[:4] + content[8:]) if kind == b"pHYs" else (kind, content)
            for kind, content in self.own
        )
        return replace(turned, own=own, density=self.density[:1] + self.density[3:5] + self.density[1:3])


def of_png(chunks: list[Piece]) -> Properties:
    """Those of a PNG's chunks."""
    found: dict[str, Any] = {"own": [], "text": [], "dropped": []}
    for kind, content in chunks:
        if kind == b"iCCP":
            found["icc"] = _inflated(content.partition(b"\0")[2][1:])
            if not found["icc"]:
                found["dropped"].append("a broken profile of colours")
        elif kind == b"eXIf":
            found["exif"] = content
        elif kind == b"iTXt" and content.startswith(PNG_XMP + b"\0"):
            found["xmp"] = _international(content)
        elif kind in (*_COLOURS, *OF_SAMPLES) or (kind not in (*_MADE_ANEW, *_OF_PLACES) and kind[3:].islower()):
            if kind == b"pHYs" and len(content) == 9 and content[8] == 1:
                across, down, _ = struct.unpack(">IIB", content)
                found["dpi"] = across * _METRE, down * _METRE
            if kind in (b"tEXt", b"zTXt", b"iTXt"):
                found["text"].append(content.partition(b"\0")[0].decode("latin-1"))
            found["own"].append((kind, content))
        elif kind not in _MADE_ANEW:
            found["dropped"].append(f"the chunk {kind.decode('latin-1')}")
    return _made(found)


def _made(found: dict[str, Any]) -> Properties:
    """Properties with tuples for lists."""
    values: dict[str, Any] = {name: tuple(one) if isinstance(one, list) else one for name, one in found.items()}
    return Properties(**values)


def _inflated(content: bytes) -> bytes:
    """What was packed; nothing of it where it is broken, or a bomb."""
    unpacked = zlib.decompressobj()
    try:
        found = unpacked.decompress(content, _MOST_UNPACKED)
    except zlib.error:
        return b""
    return b"" if unpacked.unconsumed_tail else found


def _international(content: bytes) -> bytes:
    """The text of a chunk iTXt."""
    _, _, rest = content.partition(b"\0")
    packed, text = rest[:1] == b"\1", rest[2:].partition(b"\0")[2].partition(b"\0")[2]
    return _inflated(text) if packed else text


def png_pieces(properties: Properties, size: tuple[int, int]) -> list[Piece]:
    """Chunks that hold what a PNG can."""
    one = properties.upright(*size)
    pieces: list[Piece] = []
    if one.icc:
        pieces.append((b"iCCP", b"ICC profile\0\0" + zlib.compress(one.icc)))
    own = [piece for piece in one.own if len(piece[0]) == 4]
    pieces += [piece for piece in own if not (one.icc and piece[0] == b"sRGB")]
    if one.dpi and not any(kind == b"pHYs" for kind, _ in own):
        pieces.append((b"pHYs", struct.pack(">IIB", *(round(dots / _METRE) for dots in one.dpi), 1)))
    if one.exif:
        pieces.append((b"eXIf", one.exif))
    if one.comment:
        pieces.append(_text("Comment", one.comment))
    if one.xmp:
        pieces.append((b"iTXt", PNG_XMP + b"\0\0\0\0\0" + one.xmp))
    return pieces


def _text(keyword: str, content: bytes) -> Piece:
    """A chunk of text, which is in Latin-1, or in UTF-8 where the chunk says so."""
    if content.isascii():
        return b"tEXt", keyword.encode() + b"\0" + content
    try:
        content.decode()
    except UnicodeDecodeError:
        return b"tEXt", keyword.encode() + b"\0" + content
    return b"iTXt", keyword.encode() + b"\0\0\0\0\0" + content


def of_jpeg(segments: list[Piece]) -> Properties:
    """Those of a JPEG's segments."""
    found: dict[str, Any] = {"own": [], "dropped": [], "comment": b"", "iptc": b""}
    profile: dict[int, bytes] = {}
    for marker, content in segments:
        if marker == APP1 and content.startswith(exif.HEADER):
            found.setdefault("exif", content[len(exif.HEADER) :])
        elif marker == APP1 and content.startswith(XMP):
            found["xmp"] = content[len(XMP) :]
        elif marker == APP2 and content.startswith(ICC):
            profile[content[len(ICC)] if len(content) > len(ICC) else 0] = content[len(ICC) + 2 :]
        elif marker == COMMENT:
            found["comment"] = found["comment"] or content
            found["own"].append((marker, content))
        else:
            _further(marker, content, found)
    found["icc"] = b"".join(profile[k] for k in sorted(profile))
    return _made(found)


def _further(marker: bytes, content: bytes, found: dict[str, Any]) -> None:
    """What other segments hold."""
    if marker == APP0 and content.startswith(b"JFIF\0"):
        found["density"], found["dpi"] = content[7:12], _dots(content[7:12])
    elif marker == APP2 and content.startswith(MPF):
        found["dropped"] = ["the file's further pictures (MPF)", *found["dropped"]]
    elif marker == APP11:
        found["dropped"] = [*found["dropped"], "signed contents (JUMBF)"]
    elif APP1 <= marker <= b"\xef" and marker != APP14:
        if marker == APP13 and content.startswith(PHOTOSHOP):
            found["iptc"] += content[len(PHOTOSHOP) :]
        found["own"].append((marker, content))


def _dots(density: bytes) -> tuple[float, float] | None:
    """Dots an inch of a JPEG's unit and two densities."""
    if len(density) != 5 or density[0] not in (1, 2):
        return None
    _, across, down = struct.unpack(">BHH", density)
    factor = 1 if density[0] == 1 else _CENTIMETRE
    return across * factor, down * factor


def jpeg_pieces(properties: Properties, size: tuple[int, int]) -> list[Piece]:
    """Segments that hold what a JPEG can."""
    one = properties.upright(*size)
    pieces: list[Piece] = []
    if one.exif:
        pieces.append((APP1, exif.HEADER + one.exif))
    if one.xmp:
        pieces.append((APP1, XMP + one.xmp))
    parts = [one.icc[k : k + _ICC_PART] for k in range(0, len(one.icc), _ICC_PART)]
    pieces += [(APP2, ICC + bytes([k, len(parts)]) + part) for k, part in enumerate(parts, 1)]
    own = [piece for piece in one.own if len(piece[0]) == 1]
    if one.iptc and not any(marker == APP13 for marker, _ in own):
        pieces.append((APP13, PHOTOSHOP + one.iptc))
    pieces += own
    if one.comment and not any(marker == COMMENT for marker, _ in own):
        pieces.append((COMMENT, one.comment))
    return pieces


def jpeg_density(properties: Properties) -> bytes:
    """Unit and densities, of which those in dots a centimetre stay so."""
    if properties.density or properties.dpi is None:
        return properties.density
    return struct.pack(">BHH", 1, *(min(round(dots), 2**16 - 1) for dots in properties.dpi))
