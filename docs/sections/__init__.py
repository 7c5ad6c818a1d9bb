"""The gallery's sections: each is a title, sentences with the figures that were measured, and pictures."""

from __future__ import annotations

from typing import NamedTuple

from PIL import Image

from docs.page import wrapped


class Picture(NamedTuple):
    """A sheet, the name of its file without suffix, and what it shows."""

    name: str
    shows: str
    sheet: Image.Image


class Section(NamedTuple):
    """One section: paragraphs, tables and pictures in their order."""

    title: str
    parts: list[str | Picture]

    @property
    def pictures(self) -> list[Picture]:
        """The pictures among the parts."""
        return [part for part in self.parts if isinstance(part, Picture)]

    def markdown(self) -> str:
        """The section as the page has it."""
        return "\n\n".join([f"## {self.title}", *map(_written, self.parts)])


def _written(part: str | Picture) -> str:
    if isinstance(part, Picture):
        return f"![{part.shows}](pictures/{part.name}.png)"
    return part if part.startswith("|") else wrapped(part)
