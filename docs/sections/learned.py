"""A layer fitted to other photos against bicubic interpolation."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from rich.progress import Progress

import fastup
from docs.figures import Array, photo, psnr
from docs.page import table
from docs.panels import Tile, sheet, tile
from docs.sections import Picture, Section
from fastup import pictures
from fastup.cli import learned, leave_one_out

_FACTOR, _KERNEL = (2, 2), (5, 5)
_SHOWN = "chelsea"
_WINDOW = (..., slice(80, 144), slice(124, 188))
_BORDER, _BRIGHTER = 4, 6


def make() -> Section:
    """Leave each photo out in turn, and draw a detail of one."""
    rows = leave_one_out.compare(leave_one_out.photos(), _FACTOR, _KERNEL, Progress(disable=True))
    cells = [(row.name, *(f"{value:.2f}" for value in row[2:]), f"{row.learned - row.bicubic:+.2f}") for row in rows]
    headings = ("picture", "bicubic", "lanczos", "learned", "over bicubic")
    gains = [row.learned - row.bicubic for row in rows]
    losers = ", ".join(row.name for row in rows if row.learned < row.bicubic) or "none"
    text = (
        f"{_about()} The learned layer gains {np.mean(gains):.2f} dB over bicubic in the mean of {len(rows)} pictures; "
        f"pictures that it loses: {losers}."
    )
    shows = "A detail enlarged by bicubic interpolation and by the learned layer"
    picture = Picture("learned", shows, sheet(_tiles(), 3))
    return Section("Learned against bicubic", [text, table(headings, cells), picture])


def _about() -> str:
    return (
        f"`fastup.init.fit_subpixel` fits one linear {_KERNEL[0]}x{_KERNEL[1]} sub-pixel layer at x{_FACTOR[0]} to all "
        "photos of scikit-image but one, and that one is enlarged. The small pictures are made by antialiased bicubic "
        f"interpolation and rounded; PSNR in dB without a border of {_BORDER} pixels. In the picture each pixel is "
        f"drawn as 4x4, and errors are {_BRIGHTER} times what they are, around grey."
    )


def _others() -> Iterator[tuple[Array, Array]]:
    for path in leave_one_out.photos():
        if path.stem != _SHOWN:
            small, large = learned.pair(pictures.read(path), _FACTOR, _KERNEL, path)
            yield learned.in_unit(small), learned.in_unit(large)


def _tiles() -> list[Tile]:
    pixels = np.moveaxis(photo(_SHOWN)[0], 0, -1)
    small, large = learned.pair(pixels, _FACTOR, _KERNEL, _SHOWN)
    layer = learned.Layer(fastup.init.fit_subpixel(_others(), _FACTOR, _KERNEL), _FACTOR)
    found = {
        "bicubic": np.asarray(fastup.interpolate(small[None], size=large.shape[1:], mode="bicubic")),
        "learned": learned.enlarge(small, layer)[None],
    }
    tiles = [tile(f"{_SHOWN}\nthe photo itself", large[None][_WINDOW], 4)]
    tiles += [tile(f"{name}\n{psnr(y, large[None], _BORDER):.2f} dB", y[_WINDOW], 4) for name, y in found.items()]
    given = fastup.interpolate(small[None], size=large.shape[1:])
    tiles.append(tile("what both were given", given[_WINDOW], 4))
    return tiles + [tile(f"error of {name}", _error(y, large)[_WINDOW], 4) for name, y in found.items()]


def _error(y: Array, large: Array) -> Array:
    return 0.5 + _BRIGHTER * (y.astype(np.float32) - large) / 255
