"""``fastup fit``: fit a learned layer to pictures, or measure what such a layer gains."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress

import fastup


@click.command()
@click.argument("pictures", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="File .npz to write.")
@click.option("--scale", type=click.IntRange(min=2), default=2, show_default=True, help="Factor of both axes.")
@click.option("--kernel-size", type=int, default=5, show_default=True, help="Odd extent of the neighbourhood.")
@click.option("--leave-one-out", is_flag=True, help="Print how a layer fitted to all the others does on each picture.")
@click.option("--overwrite", is_flag=True, help="Replace the file if it exists.")
def fit(
    pictures: tuple[Path, ...],
    output: Path | None,
    scale: int,
    kernel_size: int,
    leave_one_out: bool,
    overwrite: bool,
) -> None:
    """Fit one linear sub-pixel layer to PICTURES, for upscale --mode learned.

    The small pictures are made by antialiased bicubic interpolation; all colour channels count alike, alpha is left
    out. With --leave-one-out and no PICTURES: the photos of scikit-image.
    """
    from fastup.cli import learned
    from fastup.cli import leave_one_out as comparison
    from fastup.init._fit_subpixel import odd

    if output is None and not leave_one_out:
        raise click.UsageError("give --output, --leave-one-out or both")
    if output and output.exists() and not overwrite:
        raise FileExistsError(f"fit: {output} exists; --overwrite replaces it")
    paths = list(pictures) or (comparison.photos() if leave_one_out else [])
    if not paths:
        raise ValueError("fit: pictures must be given, or scikit-image be installed for --leave-one-out, got none")
    factor, kernel = (scale, scale), odd(kernel_size)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        if leave_one_out:
            rows = comparison.compare(paths, factor, kernel, progress)
        if output:
            layer = _fitted(progress.track(paths, description="fitting"), factor, kernel)
    if leave_one_out:
        wide = None if Console().is_terminal else 120  # a log has no width to respect
        Console(highlight=False, width=wide).print(comparison.table(rows, factor, kernel))
    if output:
        learned.write(layer, output)
        click.echo(f"{output}  x{scale}, {kernel[0]}x{kernel[1]}, {len(paths)} pictures")


def _fitted(paths: Any, factor: tuple[int, int], kernel: tuple[int, int]) -> Any:
    from fastup.cli import learned
    from fastup.pictures import read

    def pairs() -> Iterator[tuple[Any, Any]]:
        for path in paths:
            small, large = learned.pair(read(path), factor, kernel, path)
            yield learned.in_unit(small), learned.in_unit(large)

    return learned.Layer(fastup.init.fit_subpixel(pairs(), factor, kernel), factor)
