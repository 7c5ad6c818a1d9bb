"""``fastup compare``: how far one picture is from another."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np
from rich.console import Console

Array = np.ndarray[Any, Any]
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_WINDOW = 11  # Wang et al. 2004: a Gaussian of 11 pixels, sigma 1.5
_SIGMA = 1.5


class Comparison(NamedTuple):
    """How far two pictures are apart.

    Attributes
    ----------
    psnr : float
        Peak signal-to-noise ratio in decibels; infinite for equal pictures.
    ssim : float or None
        Structural similarity, at most 1; None where scikit-image is not installed, or a picture is too small.
    largest : float
        The largest difference of two samples, in their own steps.
    mean : float
        The mean one.
    share : float
        How many samples differ, from 0 to 1.
    """

    psnr: float
    ssim: float | None
    largest: float
    mean: float
    share: float


@click.command()
@click.argument("first", type=_FILE)
@click.argument("second", type=_FILE)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="A picture of the differences.")
@click.option("--overwrite", is_flag=True, help="Replace OUTPUT if it exists.")
@click.option("--gain", type=click.FloatRange(min=0, min_open=True), help="Of that picture.  [default: up to white]")
@click.option("--at-most", type=click.FloatRange(min=0), help="Exit with status 1 if a sample differs by more.")
@click.option("--json", "as_json", is_flag=True, help="Write the figures as JSON.")
def compare(
    first: Path, second: Path, output: Path | None, overwrite: bool, gain: float | None, at_most: float | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Tell how far picture FIRST is from SECOND: PSNR, SSIM, the largest difference, how many samples differ.

    Both must be of one size, depth and kind; all frames count, and alpha is a channel like the others.
    """
    if output is not None and output.exists() and not overwrite:
        raise FileExistsError(f"compare: {output} exists; --overwrite replaces it")
    a, b = (_samples(path) for path in (first, second))
    found = compared(a, b)
    if output is not None:
        _write(difference(a, b, gain), output)
    if as_json:
        finite = {name: value if value is None or math.isfinite(value) else None for name, value in _fields(found)}
        click.echo(json.dumps(finite))
    else:
        Console(highlight=False).print(_sentence(found), soft_wrap=True)
    if at_most is not None and not found.largest <= at_most:
        sys.exit(1)


def _fields(found: Comparison) -> list[tuple[str, float | None]]:
    return list(found._asdict().items())


def _samples(path: Path) -> tuple[str, Array]:
    from fastup import pictures

    picture = pictures.open_picture(path, str(path))
    return str(path), pictures.read_frames(picture)


def _sentence(found: Comparison) -> str:
    if found.share == 0:
        return "equal: all samples are the same"
    similarity = "SSIM needs scikit-image, and 11 pixels a side" if found.ssim is None else f"SSIM {found.ssim:.4f}"
    differing = f"{found.share:.2%} of samples differ, by {found.mean:.4g} on average"
    return f"PSNR {found.psnr:.2f} dB, {similarity}, largest difference {found.largest:g}; {differing}"


def compared(first: tuple[str, Array], second: tuple[str, Array]) -> Comparison:
    """The figures of two named pictures (frames, height, width, channels)."""
    (name, a), (other, b) = first, second
    if a.shape != b.shape or a.dtype != b.dtype:
        raise ValueError(f"compare: pictures must be alike, {name} is {_kind(a)}, {other} is {_kind(b)}")
    away = _away(a, b)
    top = float(np.iinfo(a.dtype).max) if a.dtype.kind in "iu" else 1.0
    error = float(np.mean(away**2))
    psnr = math.inf if error == 0 else 10 * math.log10(top**2 / error)
    return Comparison(psnr, _similarity(a, b, top), float(away.max()), float(away.mean()), float(np.mean(away != 0)))


def _away(a: Array, b: Array) -> Array:
    """How far samples are apart; the same ones, infinite or none, are not."""
    with np.errstate(invalid="ignore"):
        away = np.abs(a.astype(np.float64) - b)
    return np.where((a == b) | ((a != a) & (b != b)), 0.0, away)


def _kind(pixels: Array) -> str:
    frames, height, width, channels = pixels.shape
    several = f"{frames} frames of " if frames > 1 else ""
    return f"{several}{width}x{height} with {channels} channels of {pixels.dtype}"


def _similarity(a: Array, b: Array, top: float) -> float | None:
    """The mean over frames, as the authors' own program has it."""
    try:
        from skimage.metrics import structural_similarity
    except ModuleNotFoundError:
        return None
    if min(a.shape[1:3]) < _WINDOW:
        return None
    similarity: Any = structural_similarity
    options = {"gaussian_weights": True, "sigma": _SIGMA, "use_sample_covariance": False, "channel_axis": -1}
    values = [similarity(x, y, data_range=top, **options) for x, y in zip(a, b, strict=True)]
    return float(np.mean(values))


def difference(first: tuple[str, Array], second: tuple[str, Array], gain: float | None) -> Array:
    """Differences of the first frame as bytes (height, width, channels); the largest is white without a gain."""
    away = _away(first[1][0], second[1][0])
    if away.shape[-1] in (2, 4):  # alpha would hide what differs
        away = np.maximum(away[..., :-1], away[..., -1:])
    if gain is None:
        scaled = away * (255 / max(float(away.max()), 1e-300))
    else:
        steps = 255 / np.iinfo(first[1].dtype).max if first[1].dtype.kind in "iu" else 255
        scaled = np.clip(away * gain * steps, 0, 255)
    return np.asarray(np.rint(scaled), np.uint8)


def _write(pixels: Array, path: Path) -> None:
    """As a picture of grey or RGB."""
    from PIL import Image

    from fastup.pictures import files
    from fastup.pictures.formats import of_name

    named = {"png": "PNG", "jpeg": "JPEG", "tiff": "TIFF", "webp": "WEBP", "bmp": "BMP", "gif": "GIF"}
    format_ = of_name(path.name)
    if format_.name not in named:
        raise ValueError(f"compare: the picture of differences is written as {', '.join(named)}, got {path}")
    shown = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels[..., :3])
    files.write_whole(str(path), lambda beside: shown.save(beside, named[format_.name]))
