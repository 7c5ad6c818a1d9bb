"""``fastup upscale``: pictures or arrays of zarr in, larger ones out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.progress import Progress

import fastup
from fastup.plan import MODES

Array = np.ndarray[Any, Any]
_LEARNED = "learned"
_MODES = (*MODES, _LEARNED)


class Size(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """WIDTHxHEIGHT, as picture programs write it."""

    name = "WxH"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """(height, width), as arrays have it."""
        width, _, height = str(value).lower().partition("x")
        if not (width.isdecimal() and height.isdecimal()):
            self.fail(f"{value!r} is not of the form 640x480", param, ctx)
        return int(height), int(width)


class Scale(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """One factor, or one for each axis that is enlarged."""

    name = "FACTOR"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        """The factors."""
        try:
            return tuple(float(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} is not of the form 2 or 1,2,2", param, ctx)


@click.command()
@click.argument("sources", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--scale", type=Scale(), help="Output size over input size, e.g. 2 or 1.5; 1,2,2 for z, y, x.")
@click.option("--size", type=Size(), help="Output size in pixels.")
@click.option("--mode", type=click.Choice(_MODES), default="nearest", show_default=True, help="Rule of interpolation.")
@click.option("--weights", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="What fastup fit wrote.")
@click.option("--antialias", is_flag=True, help="Filter where the picture shrinks (bilinear, bicubic, lanczos).")
@click.option("--align-corners", is_flag=True, help="Let the corner pixels coincide (bilinear, bicubic).")
@click.option("--axes", help="zarr: what each axis is, letters of tczyx; default yx, zyx, czyx or tczyx by rank.")
@click.option("--scheduler", help="zarr: address of a scheduler of dask.distributed, in place of threads here.")
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
def upscale(
    sources: tuple[Path, ...],
    target: Path,
    scale: tuple[float, ...] | None,
    size: Any,
    mode: str,
    weights: Path | None,
    antialias: bool,
    align_corners: bool,
    axes: str | None,
    scheduler: str | None,
    overwrite: bool,
) -> None:
    """Resize SOURCES into TARGET: a file for one picture, a folder for several; or one array of zarr into another.

    Reads and writes whatever Pillow does: PNG, JPEG, TIFF, WebP; grey, RGB, alpha; 8 and 16 bit. The mode learned
    applies the layer in --weights, whose factor is the scale. Arrays of zarr may be larger than memory; the target has
    the attribute fastup_complete, which is false until all is written.
    """
    if any(path.is_dir() for path in sources):
        given = {"size": size, "weights": weights}
        store(sources, target, scale, mode, given, axes, overwrite, scheduler, align_corners or None, antialias)
        return
    if axes is not None or scheduler is not None:
        raise ValueError("upscale: --axes and --scheduler must be given with an array of zarr, got pictures")
    if scale is not None and len(scale) != 1:
        raise ValueError(f"upscale: scale must be one factor for pictures, got {len(scale)}")
    resize = _rule(weights, scale and scale[0], size, mode, antialias, align_corners)
    write_all(sources, target, resize, overwrite)


def store(
    sources: tuple[Path, ...], target: Path, scale: tuple[float, ...] | None, mode: Any, given: dict[str, Any],
    *options: Any,
) -> None:  # fmt: skip
    """One array of zarr."""
    from fastup.cli import stores

    if len(sources) > 1 or not stores.is_store(sources[0]):
        listed = ", ".join(map(str, sources))
        raise ValueError(f"upscale: sources must be files, or one array of zarr, got {listed}")
    if scale is None or mode == _LEARNED or any(given.values()):
        raise ValueError("upscale: arrays of zarr must be given --scale, and neither --size nor --weights")
    shape = stores.upscale(sources[0], target, scale, mode, *options)
    click.echo(f"{target}  {'x'.join(map(str, shape))}", err=True)


def _rule(
    weights: Path | None, scale: float | None, size: Any, mode: str, antialias: bool, align_corners: bool
) -> Callable[[Array], Array]:
    """How a picture is resized."""
    if mode == _LEARNED:
        return _learned(weights, scale, size, antialias or align_corners)
    if weights is not None:
        raise ValueError(f"upscale: weights must be given with the mode {_LEARNED} only, got the mode {mode}")
    if (scale is None) == (size is None):
        raise click.UsageError("give exactly one of --scale and --size")
    return _by_rule((size, scale, mode, align_corners or None, None, antialias))


def write_all(pictures: tuple[Path, ...], target: Path, enlarge: Callable[[Array], Array], overwrite: bool) -> None:
    """Resize every picture into the target."""
    from fastup.cli.pictures import read, write

    into_folder = len(pictures) > 1 or target.is_dir()
    targets = [target / picture.name if into_folder else target for picture in pictures]
    if twice := {path.name for path in targets if targets.count(path) > 1}:
        raise ValueError(f"upscale: pictures must have different names, got {', '.join(sorted(twice))} more than once")
    for path in targets:
        if path.exists() and not overwrite:
            raise FileExistsError(f"upscale: {path} exists; --overwrite replaces it")
    if into_folder:
        target.mkdir(parents=True, exist_ok=True)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        for picture, path in progress.track(list(zip(pictures, targets, strict=True)), description="upscaling"):
            large = enlarge(read(picture))
            write(large, path)
            progress.console.print(
                f"{path}  {large.shape[1]}x{large.shape[0]}", highlight=False, markup=False, soft_wrap=True
            )


def _by_rule(options: tuple[Any, ...]) -> Callable[[Array], Array]:
    return lambda pixels: fastup.interpolate(pixels[None], *options, data_format="channels_last")[0]


def _learned(weights: Path | None, scale: float | None, size: Any, refined: bool) -> Callable[[Array], Array]:
    from fastup.cli import learned

    if weights is None:
        raise ValueError("upscale: weights must be given for the mode learned, got none; fastup fit writes them")
    if size is not None or refined:
        raise ValueError("upscale: mode learned must be without --size, --antialias and --align-corners, got one")
    layer = learned.read(weights)
    if scale is not None and (scale, scale) != layer.factor:
        factor = "x".join(map(str, dict.fromkeys(layer.factor)))
        raise ValueError(f"upscale: scale must equal the factor {factor} of the weights, got {scale:g}")
    return lambda pixels: np.moveaxis(learned.enlarge(np.moveaxis(pixels, -1, 0), layer), 0, -1)
