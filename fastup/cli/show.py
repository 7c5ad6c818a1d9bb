"""``fastup show``: the upsampling of a model in a dozen lines, or as a drawing."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from fastup.cli.given import named_inputs, named_shapes

_WIDTH, _HEIGHT, _GAP = 640, 64, 24  # of a box, and between two


@click.command()
@click.argument("model", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--input", "inputs", multiple=True, callback=named_inputs, help="NAME=FILE.npy; random where not given.")
@click.option("--shape", "shapes", multiple=True, callback=named_shapes, help="NAME=1,3,64,64, where it is open.")
@click.option(
    "--svg", "svg_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the chain as a drawing."
)
@click.option("--html", "html_file", type=click.Path(dir_okay=False, path_type=Path), help="The same on a page.")
def show(
    model: Path, inputs: dict[str, Any], shapes: dict[str, tuple[int, ...]], svg_file: Path | None,
    html_file: Path | None,
) -> None:  # fmt: skip
    """List the upsampling nodes of MODEL: what each is in torch's words, its sizes, its share of the work."""
    from fastup import export

    found = export.show(model, inputs or None, shapes=shapes)
    console = Console(highlight=False)
    for chosen in found.chosen:
        console.print(f"open dimensions: {chosen}", markup=False)
    products, size = _counted(found.products), f"{_counted(found.bytes)}B"
    console.print(f"{len(found.lines)} of {found.nodes} nodes; {products} products, {size} read and written in all")
    table = Table("node", "in torch's words", "from", "to", "products", "bytes", box=None)
    for line in found.lines:
        ends = ("x".join(map(str, shape)) for shape in (line.input_shape, line.output_shape))
        table.add_row(escape(line.name), escape(line.words), *ends, f"{line.products:.1%}", f"{line.bytes:.1%}")
    if found.lines:
        console.print(table)
    drawing = svg(found, model.name)
    if svg_file:
        svg_file.write_text(drawing, encoding="utf-8")
    if html_file:
        html_file.write_text(_page(drawing, model.name), encoding="utf-8")


def _counted(number: float) -> str:
    """With a letter for thousands, millions, ..."""
    for letter in ("", "k", "M", "G"):
        if number < 1000:
            return f"{number:.3g} {letter}"
        number /= 1000
    return f"{number:.3g} T"


def svg(found: Any, name: str) -> str:
    """Boxes below each other, one for each node, as wide as the largest extent grows."""
    height = (_HEIGHT + _GAP) * max(1, len(found.lines)) + _GAP
    largest = max((max(line.output_shape, default=1) for line in found.lines), default=1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="system-ui, sans-serif">',
        f"<title>{html.escape(name)}</title>",
    ]
    for number, line in enumerate(found.lines):
        top = _GAP + number * (_HEIGHT + _GAP)
        wide = max(200, round((_WIDTH - 2 * _GAP) * max(line.output_shape, default=1) / largest))
        left = (_WIDTH - wide) // 2
        if number:
            parts.append(f'<path d="M{_WIDTH // 2} {top - _GAP}v{_GAP}" stroke="#888" fill="none"/>')
        parts.append(
            f'<rect x="{left}" y="{top}" width="{wide}" height="{_HEIGHT}" rx="6" fill="#dbe8f6" stroke="#47a"/>'
        )
        ends = " to ".join("x".join(map(str, shape)) for shape in (line.input_shape, line.output_shape))
        share = f"{line.products:.1%} of products, {line.bytes:.1%} of bytes"
        for row, (text, size) in enumerate(((line.words, 13), (ends, 12), (f"{line.name}: {share}", 10))):
            place = f'x="{_WIDTH // 2}" y="{top + 18 + 18 * row}" font-size="{size}"'
            parts.append(f'<text {place} text-anchor="middle" fill="#123">{html.escape(text)}</text>')
    return "\n".join([*parts, "</svg>\n"])


def _page(drawing: str, name: str) -> str:
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>fastup show: {html.escape(name)}</title>"
        "<style>body{margin:0 auto;max-width:50rem;padding:1rem;color-scheme:light dark}svg{width:100%}</style></head>"
        f"<body><h1>{html.escape(name)}</h1>\n{drawing}</body></html>\n"
    )
