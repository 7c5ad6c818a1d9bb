"""How much better the learned layer is than the fixed rules, on pictures that it has not seen."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.progress import Progress
from rich.table import Table

import fastup
from fastup.cli import learned
from fastup.init._fit_subpixel import RIDGE, normal_equations, solve

Array = np.ndarray[Any, Any]
# All that the wheel of scikit-image has but what is drawn, black and white, or an animation.
_PHOTOS = (
    "astronaut.png", "brick.png", "camera.png", "cell.png", "chelsea.png", "coffee.png", "coins.png", "grass.png",
    "gravel.png", "hubble_deep_field.jpg", "ihc.png", "moon.png", "motorcycle_left.png", "page.png", "retina.jpg",
    "rocket.jpg", "text.png",
)  # fmt: skip


class Row(NamedTuple):
    """PSNR in dB of one picture, enlarged by two fixed rules and by the layer fitted to all the others."""

    name: str
    size: tuple[int, int]
    bicubic: float
    lanczos: float
    learned: float


def photos() -> list[Path]:
    """The photos that scikit-image ships, without importing it; none where it is not installed."""
    found = importlib.util.find_spec("skimage")
    folder = Path(found.origin).parent / "data" if found and found.origin else Path()
    return [folder / name for name in _PHOTOS if (folder / name).is_file()] if found else []


def compare(pictures: list[Path], factor: learned.Pair, kernel: learned.Pair, progress: Progress) -> list[Row]:
    """One row per picture; each picture is read twice, so that one at a time is in memory."""
    from fastup.pictures import read

    if len(pictures) < 2:
        raise ValueError(f"fit: leave-one-out must have at least 2 pictures, got {len(pictures)}")
    products = []
    for path in progress.track(pictures, description="fitting"):
        small, large = learned.pair(read(path), factor, kernel, path)
        products.append(normal_equations(learned.in_unit(small), learned.in_unit(large), factor, kernel))
    rows = []
    for left_out, path in enumerate(progress.track(pictures, description="comparing")):
        others = np.sum([sums for number, sums in enumerate(products) if number != left_out], axis=0)
        layer = learned.Layer(solve(others, factor, kernel, RIDGE), factor)
        rows.append(_row(path.stem, *learned.pair(read(path), factor, kernel, path), layer))
    return rows


def _row(name: str, small: Array, large: Array, layer: learned.Layer) -> Row:
    first, second = (k // 2 * r for k, r in zip(layer.kernel, layer.factor, strict=True))
    inner = (slice(None), slice(first, large.shape[1] - first), slice(second, large.shape[2] - second))

    def psnr(y: Array) -> float:
        error = np.mean((y[inner].astype(np.float64) - large[inner]) ** 2)
        return 10 * math.log10(learned.largest(large) ** 2 / error) if error else math.inf

    bicubic, lanczos = (
        psnr(fastup.interpolate(small[None], size=large.shape[1:], mode=mode)[0]) for mode in ("bicubic", "lanczos")
    )
    return Row(name, large.shape[:0:-1], bicubic, lanczos, psnr(learned.enlarge(small, layer)))


def table(rows: list[Row], factor: learned.Pair, kernel: learned.Pair) -> Table:
    """The rows and their mean, with what was done in the title and below."""
    title = f"PSNR in dB at x{factor[0]}: one {kernel[0]}x{kernel[1]} sub-pixel layer fitted to all the other pictures"
    border = kernel[0] // 2 * factor[0]
    caption = f"small pictures by antialiased bicubic, rounded; without a border of {border} pixels, for all alike"
    drawn = Table(title=title, caption=caption)
    for heading in ("picture", "pixels", "bicubic", "lanczos", "learned", "over bicubic", "over lanczos"):
        drawn.add_column(heading, justify="left" if heading == "picture" else "right")
    for row in rows:
        size = f"{row.size[0]}x{row.size[1]}"
        drawn.add_row(row.name, size, *_figures(row.bicubic, row.lanczos, row.learned))
    middle = [sum(column) / len(rows) for column in list(zip(*rows, strict=True))[2:]]
    drawn.add_section()
    drawn.add_row("mean", "", *_figures(*middle))
    return drawn


def _figures(bicubic: float, lanczos: float, fitted: float) -> list[str]:
    absolute = [f"{value:.2f}" for value in (bicubic, lanczos, fitted)]
    gains = (0.0 if fitted == other else fitted - other for other in (bicubic, lanczos))  # also for two infinities
    return [*absolute, *(f"{gain:+.2f}" for gain in gains)]
