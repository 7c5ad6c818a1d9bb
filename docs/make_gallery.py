"""Make the gallery, its pictures and its page: ``python -m docs.make_gallery``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from docs.sections import Section, antialias, checkerboards, corners, icnr, learned, modes

FOLDER = Path(__file__).parent
SECTIONS: tuple[Callable[[], Section], ...] = (
    modes.make,
    corners.make,
    antialias.make,
    checkerboards.make,
    icnr.make,
    checkerboards.make_blur,
    learned.make,
)
_HEAD = """\
# Gallery

Written by `python -m docs.make_gallery`: every figure below was computed by it, on pictures that it draws or that come
with scikit-image."""


def main() -> None:
    """Write the pictures and the page, and drop pictures of sections that are no more."""
    sections = [make() for make in SECTIONS]
    folder = FOLDER / "pictures"
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    for section in sections:
        for picture in section.pictures:
            picture.sheet.save(folder / f"{picture.name}.png", optimize=True)
    page = "\n\n".join([_HEAD, *(section.markdown() for section in sections)])
    (FOLDER / "gallery.md").write_text(page + "\n")


if __name__ == "__main__":
    main()
