"""Shrinking with and without antialias."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import fastup
from docs.figures import Array, psnr, zone_plate
from docs.page import table
from docs.panels import Tile, sheet, tile
from docs.sections import Picture, Section

_LARGE, _SMALL = 480, 192  # /2.5
_MODES = ("bilinear", "bicubic", "lanczos")
_SENTENCE = "antialias stretches the filter where an axis shrinks: then every pixel counts."


def make() -> Section:
    """False rings, and print."""
    rings, kept, false = _rings()
    rows = [(f"`{name}`", f"{kept[name]:.0%}", f"{false[name]:.0%}") for name in kept]
    print_tiles, on_print = _on_print()
    headings = ("setting", "contrast of the rings that fit", "of those that do not")
    return Section(
        "Antialias",
        [
            _about(),
            table(headings, rows),
            Picture("antialias-zone-plate", "A zone plate made smaller 2.5 times", sheet(rings, 4)),
            on_print,
            Picture("antialias-print", "Print made smaller four times", sheet(print_tiles, 2)),
        ],
    )


def _about() -> str:
    return (
        f"A zone plate of {_LARGE} pixels is made {_SMALL} pixels wide. The small picture can hold rings of up to half "
        "a cycle per pixel; those outside the circle of that frequency should become grey, and what is seen there "
        "instead are rings that do not exist. The contrast that is left of the rings, in standard deviations, where "
        "they have less than two thirds of that frequency, and where they have more than 1.25 times:"
    )


def _settings() -> list[tuple[str, dict[str, Any]]]:
    smooth = [(mode, {"mode": mode}) for mode in _MODES]
    return [
        ("nearest-exact", {"mode": "nearest-exact"}),
        *smooth,
        ("area", {"mode": "area"}),
        *((f"{name}, antialias", {**options, "antialias": True}) for name, options in smooth),
    ]


def _rings() -> tuple[list[Tile], dict[str, float], dict[str, float]]:
    x = zone_plate(_LARGE)
    line = (np.arange(_SMALL) + 0.5) / _SMALL - 0.5
    frequency = np.hypot(line[:, None], line) * _LARGE / _SMALL  # cycles per pixel of the small picture
    whole = float(zone_plate(_LARGE).std())
    tiles, kept, false = [], {}, {}
    for name, options in _settings():
        y = fastup.interpolate(x, size=_SMALL, **options)[0, 0]
        kept[name] = float(y[frequency < 0.5 * 2 / 3].std()) / whole
        false[name] = float(y[frequency > 0.5 * 1.25].std()) / whole
        tiles.append(tile(f"{name}\n{false[name]:.0%} false", y[None, None]))
    return tiles, kept, false


def _print() -> Array:
    """Lines of print, black on white, (1, 1, height, width)."""
    picture = Image.new("L", (504, 160), 255)
    lines = "\n".join(textwrap.wrap(_SENTENCE, 27))
    ImageDraw.Draw(picture).multiline_text((6, 0), lines, font=ImageFont.load_default(34), spacing=5)
    return np.asarray(picture)[None, None]


def _on_print() -> tuple[list[Tile], str]:
    """The small pictures, and how much of the print comes back when they are enlarged again."""
    x = _print()
    size = tuple(extent // 4 for extent in x.shape[2:])
    tiles, found = [], []
    settings = _settings()
    for name, options in (one for pair in zip(settings[:4], settings[4:], strict=True) for one in pair):
        y = fastup.interpolate(x, size=size, **options)
        back = psnr(fastup.interpolate(y, size=x.shape[2:], mode="bicubic"), x)
        tiles.append(tile(f"{name}\n{back:.2f} dB", y, 3))
        found.append(f"{name} {back:.2f}")
    text = (
        "Print made smaller four times, each pixel drawn as 3x3. Enlarged again by bicubic interpolation, the small "
        f"pictures are this near to what they were made from, PSNR in dB: {'; '.join(found)}. PSNR counts a soft "
        "stroke as it counts a broken one."
    )
    return tiles, text
