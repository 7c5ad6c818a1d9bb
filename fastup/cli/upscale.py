"""``fastup upscale``: pictures or arrays of zarr in, larger or smaller ones out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np

from fastup.plan import MODES

Array = np.ndarray[Any, Any]
_LEARNED = "learned"
_PICTURE_MODES = ("nearest", "nearest-exact", "area", "bilinear", "bicubic", "lanczos", _LEARNED)
_STORE_MODES = tuple(mode for mode in MODES if mode not in _PICTURE_MODES)
_MOST_PIXELS = 2**31  # of a picture: 46,000 x 46,000


class Size(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """WIDTHxHEIGHT, as picture programs write it, or the longest side."""

    name = "WxH"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """(height, width), as arrays have it, or (longest side,)."""
        width, by, height = str(value).lower().partition("x")
        parts = (height, width) if by else (width,)
        if not all(part.isdecimal() and int(part) > 0 for part in parts):
            self.fail(f"{value!r} is not of the form 640x480, or 640 for the longest side", param, ctx)
        return tuple(map(int, parts))


class Scale(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """One factor, or one for each axis that is enlarged."""

    name = "FACTOR"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        """The factors."""
        try:
            return tuple(float(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} is not of the form 2 or 1,2,2", param, ctx)


class Colour(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """A colour by its name or as #rrggbb."""

    name = "COLOUR"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """Red, green and blue."""
        from PIL import ImageColor

        try:
            return ImageColor.getrgb(str(value))[:3]
        except ValueError:
            self.fail(f"{value!r} is no colour such as white or #ffffff", param, ctx)


def _options(*several: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Decorators in the order in which help shows them."""

    def decorate(function: Any) -> Any:
        for one in reversed(several):
            function = one(function)
        return function

    return decorate


_SIZE = _options(
    click.option("--scale", type=Scale(), help="Output size over input size, e.g. 2 or 1.5; zarr: 1,2,2 for z, y, x."),
    click.option("--size", type=Size(), help="Output size in pixels, or one number: the longest side."),
    click.option("--fit", "how", flag_value="fit", help="Keep the aspect: as large as fits into --size."),
    click.option("--fill", "how", flag_value="fill", help="Keep the aspect: as small as covers --size."),
    click.option("--crop", "how", flag_value="crop", help="Keep the aspect: cover --size, and keep its middle."),
)
_RULE = _options(
    click.option("--mode", type=click.Choice((*_PICTURE_MODES, *_STORE_MODES)), metavar="|".join(_PICTURE_MODES),
                 help="Rule of interpolation.  [default: bicubic; zarr: nearest, also linear and trilinear]"),
    click.option("--antialias/--no-antialias", default=None,
                 help="Filter where the picture shrinks.  [default: with bilinear, bicubic, lanczos]"),
    click.option("--align-corners", is_flag=True, help="Let the corner pixels coincide (bilinear, bicubic)."),
    click.option("--like", metavar="CONVENTION", help="Another library's pixels, e.g. pillow/lanczos."),
    click.option("--linear-light", is_flag=True, help="Add light, not samples: by the picture's profile, or sRGB."),
    click.option("--weights", type=click.Path(exists=True, dir_okay=False, path_type=Path),
                 help="What fastup fit wrote, for the mode learned."),
)  # fmt: skip
_FILES = _options(
    click.option("-o", "--output", metavar="DIR", help="Folder to write into; all arguments are sources then."),
    click.option("--format", "format_", metavar="NAME", help="Format to write: png, jpeg, tiff, webp, gif, avif, ..."),
    click.option("--quality", type=click.IntRange(1, 100), help="Of JPEG, WebP and AVIF.  [default: a JPEG's own; 90]"),
    click.option("--background", type=Colour(), help="What to put behind pixels where a format has no alpha."),
    click.option("--page", type=click.IntRange(min=0), help="Take one page or frame, counted from 0."),
    click.option("--max-pixels", type=click.IntRange(min=0), default=_MOST_PIXELS, show_default=True,
                 help="Refuse larger pictures, which may be bombs; 0: never."),
)  # fmt: skip
_BATCH = _options(
    click.option("--overwrite", is_flag=True, help="Replace files that exist."),
    click.option("--skip-existing", is_flag=True, help="Leave out pictures whose result exists."),
    click.option("--keep-going", is_flag=True, help="Go on after a picture that fails; status 1 at the end."),
    click.option("--strict", is_flag=True, help="Refuse pictures of which something cannot be kept."),
    click.option("--jobs", type=click.IntRange(min=1), help="Pictures at a time.  [default: as many as threads]"),
    click.option("--dry-run", is_flag=True, help="Check everything, and write nothing."),
    click.option("--json", "as_json", is_flag=True, help="List what was done on standard output."),
)
_ZARR = _options(
    click.option("--axes", help="zarr: what each axis is, letters of tczyx; default yx, zyx, czyx or tczyx by rank."),
    click.option("--scheduler", help="zarr: address of a scheduler of dask.distributed, in place of threads here."),
)


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="SOURCES... [TARGET]")
@_SIZE
@_RULE
@_FILES
@_BATCH
@_ZARR
def upscale(paths: tuple[str, ...], **options: Any) -> None:
    """Resize pictures, larger or smaller, with all that their files hold; or one array of zarr.

    SOURCES are files, folders, patterns such as 'photos/*.jpg', or - for standard input; TARGET is a file, - for
    standard output, or a folder: one that exists, or ends with a slash. Several sources need a folder. Trees of
    folders are kept.

    Formats: PNG, JPEG, TIFF, WebP, GIF, AVIF; BMP, PPM, TGA, JPEG 2000; 1 to 16 bits and floats, grey, RGB, CMYK, LAB,
    palettes (with nearest), alpha, pages and animations of any size. Profiles, EXIF, XMP and text stay. What cannot be
    kept is refused, or said. A file is replaced only by a whole one.
    """
    _check(options)
    if any(_is_store(Path(one)) for one in paths):
        store(paths, options)
        return
    if options["axes"] is not None or options["scheduler"] is not None:
        raise ValueError("upscale: --axes and --scheduler must be given with an array of zarr, got pictures")
    from fastup.cli import batch

    batch.run(paths, options, _request(options))


def _is_store(path: Path) -> bool:
    return path.is_dir() and (
        path.suffix == ".zarr" or any((path / name).exists() for name in ("zarr.json", ".zarray", ".zgroup"))
    )


def _check(options: dict[str, Any]) -> None:
    """Refuse options that do not go together."""
    if options["overwrite"] and options["skip_existing"]:
        raise click.UsageError("give --overwrite or --skip-existing, not both")
    if options["how"] and (options["size"] is None or len(options["size"]) == 1):
        raise click.UsageError(f"--{options['how']} must be given with --size WIDTHxHEIGHT")
    if options["mode"] != _LEARNED and (options["scale"] is None) == (options["size"] is None):
        raise click.UsageError("give exactly one of --scale and --size")
    of_mode = [name for name in ("mode", "antialias", "weights") if options[name] is not None]
    of_mode += ["align_corners"] if options["align_corners"] else []
    if options["like"] is not None and of_mode:
        named = " and ".join(f"--{name.replace('_', '-')}" for name in of_mode)
        raise click.UsageError(f"--like names a library's own rule; give it without {named}")


def store(paths: tuple[str, ...], options: dict[str, Any]) -> None:
    """One array of zarr."""
    from fastup.cli import stores

    mode: Any = options["mode"] or "nearest"
    if options["output"] is not None or len(paths) != 2 or not _is_store(Path(paths[0])):
        listed = ", ".join(paths)
        raise ValueError(f"upscale: sources must be files, or one array of zarr and its target, got {listed}")
    if options["scale"] is None or mode == _LEARNED or options["weights"] or options["like"]:
        raise ValueError("upscale: arrays of zarr must be given --scale and a mode, not --size, --weights and --like")
    source, target = map(Path, paths)
    shape = stores.upscale(
        source, target, options["scale"], mode, options["axes"], options["overwrite"], options["scheduler"],
        options["align_corners"] or None, bool(options["antialias"]),
    )  # fmt: skip
    click.echo(f"{target}  {'x'.join(map(str, shape))}", err=True)


def _request(options: dict[str, Any]) -> Any:
    """What is asked for, of all pictures."""
    from fastup.pictures import Geometry, Request, Rule

    scale, mode = options["scale"], options["mode"] or "bicubic"
    if scale is not None and len(scale) != 1:
        raise ValueError(f"upscale: scale must be one factor for pictures, got {len(scale)}")
    if mode in _STORE_MODES:
        raise ValueError(f"upscale: mode must be one of {', '.join(_PICTURE_MODES)} for pictures, got {mode}")
    geometry = Geometry(scale and scale[0], options["size"], options["how"] or "stretch")
    if mode == _LEARNED:
        rule = _learned(options)
    elif options["weights"] is not None:
        raise ValueError(f"upscale: weights must be given with the mode {_LEARNED} only, got the mode {mode}")
    else:
        antialias = options["antialias"] if options["antialias"] is not None else not options["align_corners"]
        rule = Rule(mode, antialias, options["align_corners"], options["like"])
    return Request(geometry, rule, options["linear_light"], options["quality"], options["background"])


def _learned(options: dict[str, Any]) -> Any:
    """The layer that was fitted."""
    from fastup.cli import learned
    from fastup.pictures import Rule

    if options["weights"] is None:
        raise ValueError("upscale: weights must be given for the mode learned, got none; fastup fit writes them")
    if options["size"] is not None or options["antialias"] is not None or options["align_corners"]:
        raise ValueError("upscale: mode learned must be without --size, --antialias and --align-corners, got one")
    layer = learned.read(options["weights"])
    scale = options["scale"]
    if scale is not None and (scale[0], scale[0]) != layer.factor:
        factor = "x".join(map(str, dict.fromkeys(layer.factor)))
        raise ValueError(f"upscale: scale must equal the factor {factor} of the weights, got {scale[0]:g}")

    def enlarge(pixels: Array) -> Array:
        return learned.enlarge(pixels, layer)

    return Rule(_LEARNED, layer=enlarge, factor=layer.factor)
