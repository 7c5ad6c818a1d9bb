"""All modes side by side, on a zone plate and on a photo."""

from __future__ import annotations

from typing import Any

import numpy as np

import fastup
from docs.figures import LARGE_PLATE, SMALL_PLATE, Array, largest, photo, psnr, zone_plate
from docs.page import table
from docs.panels import Tile, sheet, tile
from docs.sections import Picture, Section

_TIMES = 4
_MODES: tuple[Any, ...] = ("nearest", "nearest-exact", "area", "bilinear", "bicubic", "lanczos")


def make() -> Section:
    """Enlarge both by every mode and compare with the picture that each should give."""
    rings, on_rings = _rings()
    crop, on_photo, apart = _photo()
    rows = [(f"`{mode}`", f"{on_rings[mode]:.2f}", f"{on_photo[mode]:.2f}") for mode in _MODES]
    parts: list[str | Picture] = [
        _about(apart),
        table(("mode", "zone plate", "photo"), rows),
        Picture("modes-zone-plate", "A zone plate enlarged 3.4 times in every mode", sheet(rings, 4)),
        Picture("modes-photo", "A cat's eye enlarged four times in every mode", sheet(crop, 4)),
        _names(),
    ]
    return Section("Modes side by side", parts)


def _about(apart: float) -> str:
    return (
        f"A zone plate of {SMALL_PLATE} pixels, whose rings reach half a cycle per pixel at the edges, becomes "
        f"{LARGE_PLATE} pixels and is compared with the same formula drawn at that size. A photo (scikit-image's "
        f"chelsea) is made smaller {_TIMES} times by antialiased bicubic interpolation, enlarged {_TIMES} times, and "
        f"compared with itself; at this whole factor nearest, nearest-exact and area differ by {apart:.2g}. PSNR in dB "
        "of the whole pictures, higher is nearer:"
    )


def _rings() -> tuple[list[Tile], dict[str, float]]:
    x, truth = zone_plate(SMALL_PLATE), zone_plate(LARGE_PLATE, SMALL_PLATE)
    results = {mode: fastup.interpolate(x, size=LARGE_PLATE, mode=mode) for mode in _MODES}
    aligned = fastup.interpolate(x, size=LARGE_PLATE, mode="bilinear", align_corners=True)
    found = {mode: psnr(y, truth) for mode, y in results.items()}
    return _tiles("the formula\nitself", truth, results, aligned, ()), found


def _tiles(title: str, truth: Array, results: dict[str, Array], aligned: Array, window: Any) -> list[Tile]:
    """The same part of the truth and of every result, with the PSNR of the whole."""
    shown = [tile(title, truth[window])]
    for name, y in [*results.items(), ("bilinear, align_corners", aligned)]:
        shown.append(tile(f"{name}\n{psnr(y, truth):.2f} dB", y[window]))
    return shown


def _photo() -> tuple[list[Tile], dict[str, float], float]:
    large = photo("chelsea")
    large = np.ascontiguousarray(large[..., : large.shape[2] // _TIMES * _TIMES, : large.shape[3] // _TIMES * _TIMES])
    small = _resized(large, [extent // _TIMES for extent in large.shape[2:]], "bicubic", antialias=True)
    results = {mode: _resized(small, large.shape[2:], mode) for mode in _MODES}
    found = {mode: psnr(y, large) for mode, y in results.items()}
    apart = max(largest(results["nearest"], results[name]) for name in ("nearest-exact", "area"))
    window = (..., slice(60, 252), slice(96, 288))
    aligned = _resized(small, large.shape[2:], "bilinear", align_corners=True)
    return _tiles("the photo\nitself", large, results, aligned, window), found, apart


def _resized(x: Array, size: Any, mode: Any, **options: Any) -> Array:
    return np.asarray(fastup.interpolate(x, size=tuple(size), mode=mode, **options))


def _names() -> str:
    """The names that are the same computation at another number of axes, and that they are."""
    x = zone_plate(SMALL_PLATE)
    plane, volume = x[0], x[:, :, None].repeat(3, axis=2)
    pairs = {
        "linear": (plane, "n-linear"),
        "bilinear": (x, "n-linear"),
        "trilinear": (volume, "n-linear"),
        "bicubic": (x, "cubic"),
    }
    differences = {
        name: largest(_enlarged(array, name), _enlarged(array, other)) for name, (array, other) in pairs.items()
    }
    listed = ", ".join(f"`{name}` and `{pairs[name][1]}` by {value:.2g}" for name, value in differences.items())
    return (
        "`linear`, `bilinear` and `trilinear` are torch's names for one, two and three axes, `bicubic` for two; "
        f"`n-linear` and `cubic` take any. On a row, a plane and a volume of the zone plate they differ: {listed}."
    )


def _enlarged(x: Array, mode: Any) -> Array:
    return np.asarray(fastup.interpolate(x, scale_factor=2.5, mode=mode))
