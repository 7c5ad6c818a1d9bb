"""Formats of picture files: one record each, with what a file of it can hold."""

from __future__ import annotations

from dataclasses import dataclass

BYTES, SHORTS, ANY = ("uint8",), ("uint8", "uint16"), ()
PAGES, ANIMATION = "pages", "animation"
_PLAIN = ("grey", "rgb")


@dataclass(frozen=True)
class Format:
    """A format that pictures are written in.

    Attributes
    ----------
    name : str
        As ``--format`` takes it.
    suffixes : tuple of str
        Of its files.
    kinds : tuple of str
        Of "grey", "rgb", "cmyk", "lab" and "many", what a pixel's channels may be.
    dtypes : tuple of str
        Of samples; `ANY` for every dtype.
    alpha, palette : bool
        Whether pixels may be transparent, and whether they may be indices of a palette.
    bits : int
        The fewest that a sample can have.
    frames : str
        `PAGES`, `ANIMATION`, or empty where a file is one picture.
    most : int
        The largest height and width.
    keeps : tuple of str
        Names of `Properties` that a file can hold.
    """

    name: str
    suffixes: tuple[str, ...]
    kinds: tuple[str, ...] = _PLAIN
    dtypes: tuple[str, ...] = BYTES
    alpha: bool = True
    palette: bool = False
    bits: int = 8
    frames: str = ""
    most: int = 2**31 - 1
    keeps: tuple[str, ...] = ()


_COMMON = ("icc", "exif", "xmp")
FORMATS = {
    one.name: one
    for one in (
        Format(
            "png", (".png", ".apng"), _PLAIN, SHORTS, True, True, 1, ANIMATION,
            keeps=(*_COMMON, "dpi", "text", "comment", "times"),
        ),
        Format(
            "jpeg", (".jpg", ".jpeg", ".jpe", ".jfif"), (*_PLAIN, "cmyk"), alpha=False, most=65500,
            keeps=(*_COMMON, "dpi", "iptc", "comment"),
        ),
        Format(
            "tiff", (".tif", ".tiff"), (*_PLAIN, "cmyk", "lab", "many"), ANY, True, True, 1, PAGES,
            keeps=(*_COMMON, "dpi", "iptc", "tags"),
        ),
        Format("webp", (".webp",), frames=ANIMATION, most=16383, keeps=(*_COMMON, "times")),
        Format("gif", (".gif",), palette=True, frames=ANIMATION, most=65535, keeps=("times", "comment", "xmp")),
        Format("avif", (".avif",), dtypes=SHORTS, most=16384, keeps=_COMMON),
        Format("bmp", (".bmp", ".dib"), alpha=False, palette=True, bits=1, most=32767, keeps=("dpi",)),
        Format("ppm", (".ppm", ".pgm", ".pnm"), alpha=False),
        Format("tga", (".tga",), palette=False, most=65535),
        Format("jp2", (".jp2",), keeps=()),
    )
}  # fmt: skip
# What pictures are looked for in folders by; Pillow opens the last line of them.
SUFFIXES = {suffix: one for one in FORMATS.values() for suffix in one.suffixes}
READABLE = {*SUFFIXES, ".pbm", ".pfm", ".pcx", ".sgi", ".j2k", ".jpx", ".qoi", ".dds", ".psd", ".ico", ".mpo"}


def of_name(name: str) -> Format:
    """The format of a file's name, by its suffix."""
    suffix = name[name.rfind(".") :].lower() if "." in name else ""
    if suffix not in SUFFIXES:
        known = ", ".join(sorted(SUFFIXES))
        raise ValueError(f"the target must have a suffix of {known}, got {name}")
    return SUFFIXES[suffix]
