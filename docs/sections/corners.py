"""Where the pixels lie: align_corners, and nearest against nearest-exact."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

import fastup
from docs.figures import LARGE_PLATE, SMALL_PLATE, Array, centre_of_mass, psnr, zone_plate
from docs.panels import Tile, sheet, tile
from docs.sections import Picture, Section

_SMALL, _LARGE = 4, 8
_SIDE = 252  # of a drawn tile: 4, 7 and 9 pixels divide it
_DOT = (220, 30, 30)


def make() -> Section:
    """The coordinates that are sampled, what that moves, and what it costs on a zone plate."""
    parts: list[str | Picture] = [
        _coordinates(),
        Picture("align-corners", "Where the pixels of a 4x4 picture come to lie", sheet(_corner_tiles(), 3)),
        f"{_moved()} {_on_rings()}",
        _symmetry(),
        Picture("nearest-exact", "A symmetric figure enlarged by nearest and nearest-exact", sheet(_figure_tiles(), 3)),
    ]
    return Section("Where the pixels lie: align_corners and nearest-exact", parts)


def _ramp(align_corners: bool) -> Array:
    """The coordinates that are sampled: linear interpolation of the positions themselves."""
    ramp = np.arange(_SMALL, dtype=np.float64)[None, None]
    return np.asarray(fastup.interpolate(ramp, size=_LARGE, mode="linear", align_corners=align_corners)[0, 0])


def _coordinates() -> str:
    false, true = (" ".join(f"{value:.3g}" for value in _ramp(flag)) for flag in (False, True))
    return (
        f"From {_SMALL} to {_LARGE} pixels, linear interpolation samples {false} (a pixel is a square, and the edges "
        f"of the squares coincide), with `align_corners=True` {true} (a pixel is a point, and the first and last "
        "points coincide). The dots in the picture are the centres of the pixels that were given."
    )


def _moved() -> str:
    dot = np.zeros((1, 1, 16))
    dot[..., 2] = 1
    at = [
        centre_of_mass(fastup.interpolate(dot, scale_factor=2, mode="linear", align_corners=flag))
        for flag in (False, True)
    ]
    return (
        f"A dot at pixel 2 of 16, whose middle is 4.5 of 32, comes to lie at {at[0]:.2f}, and with "
        f"`align_corners=True` at {at[1]:.2f}."
    )


def _on_rings() -> str:
    x, truth = zone_plate(SMALL_PLATE), zone_plate(LARGE_PLATE, SMALL_PLATE)
    found = []
    for mode in ("bilinear", "bicubic"):
        results = [fastup.interpolate(x, LARGE_PLATE, mode=mode, align_corners=flag) for flag in (False, True)]
        values = [psnr(y, truth) for y in results]
        found.append(f"{mode} {values[0]:.2f} dB, aligned {values[1]:.2f} dB")
    return f"On the zone plate above that costs, against the formula: {'; '.join(found)}."


def _symmetry() -> str:
    figure = _figure()
    counts = []
    for mode in ("nearest", "nearest-exact"):
        y = fastup.interpolate(figure, size=21, mode=mode)
        counts.append(f"`{mode}` in {np.count_nonzero(y != y[..., ::-1, ::-1])}")
    return (
        "A figure of 9x9 pixels that is symmetric about its middle becomes 21x21. The result differs from itself "
        f"turned by half a turn with {' and with '.join(counts)} of its {y.size} pixels."
    )


def _corner_tiles() -> list[Tile]:
    x = np.random.default_rng(4).permutation(16).reshape(1, 1, 4, 4).astype(np.float32) / 15
    tiles = [_dotted("4x4 pixels", x, False)]
    for flag in (False, True):
        y = fastup.interpolate(x, size=_SIDE // 6, mode="bilinear", align_corners=flag)
        tiles.append(_dotted(f"bilinear, align_corners={flag}", y, flag))
    return tiles


def _dotted(caption: str, x: Array, aligned: bool) -> Tile:
    drawn = Image.fromarray(tile("", x, _SIDE // x.shape[-1]).pixels).convert("RGB")
    pen = ImageDraw.Draw(drawn)
    pixel = _SIDE / x.shape[-1]
    for i, j in np.ndindex(4, 4):
        first, step = (pixel / 2, (_SIDE - pixel) / 3) if aligned else (_SIDE / 8, _SIDE / 4)
        down, right = (first + step * place for place in (i, j))
        pen.ellipse((right - 4, down - 4, right + 4, down + 4), fill=_DOT, outline="white")
    return Tile(caption, np.asarray(drawn))


def _figure() -> Array:
    """Two rings and a dot."""
    line = np.abs(np.arange(9) - 4)
    return (np.maximum(line[:, None], line) % 2).astype(np.uint8)[None, None] * 255


def _figure_tiles() -> list[Tile]:
    figure = _figure()
    tiles = [tile("9x9 pixels", figure, _SIDE // 9)]
    for mode in ("nearest", "nearest-exact"):
        tiles.append(tile(f"{mode}, 21x21", fastup.interpolate(figure, size=21, mode=mode), _SIDE // 21))
    return tiles
