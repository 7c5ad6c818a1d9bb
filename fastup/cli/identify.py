"""``fastup identify``: whose pixels one picture is of another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.table import Table

import fastup

_PLAIN = 0.5  # of the conventions that a picture must tell apart
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("before", type=_FILE)
@click.argument("after", type=_FILE)
@click.option("--most", type=click.IntRange(min=1), default=5, show_default=True, help="Conventions to show.")
def identify(before: Path, after: Path, most: int) -> None:
    """Name the library and the setting that turned BEFORE into AFTER, pictures or .npy files."""
    matches = fastup.identify(_read(before), _read(after))
    console = Console(highlight=False)
    giving = [one for one in matches if one.gives]
    if not giving:
        console.print("no convention gives these pixels; the nearest ones:")
    elif giving[0].sure < _PLAIN:
        console.print("most conventions give these pixels: the picture is too plain to tell them apart")
    else:
        told = f"{giving[0].sure:.0%} of the others give other pixels"
        console.print(f"[bold]{giving[0].convention.name}[/bold]: {giving[0].convention.call}; {told}")
    table = Table("convention", "equal", "largest difference", "gives these pixels", box=None)
    for one in matches[:most]:
        options = "".join(f", {name}={value}" for name, value in one.options.items())
        name = one.convention.name + options
        table.add_row(name, f"{one.share:.2%}", f"{one.largest:.6g}", "yes" if one.gives else "no")
    console.print(table)


def _read(path: Path) -> Any:
    """An array of a file."""
    if path.suffix == ".npy":
        return np.load(path, allow_pickle=False)
    from fastup import pictures

    pixels = pictures.read(path)
    return pixels[..., 0] if pixels.shape[-1] == 1 else pixels
