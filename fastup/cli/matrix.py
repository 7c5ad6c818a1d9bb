"""``fastup matrix``: where the runtimes that are installed diverge."""

from __future__ import annotations

import collections
import json
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table


@click.command()
@click.option("--only", default="", help="Cells whose names have these words, as in 'Resize mode=cubic rank=2'.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write all cells there.")
@click.option("--html", "html_file", type=click.Path(path_type=Path), help="Write a page with a filter there.")
@click.option("--against", type=click.Path(path_type=Path), help="A file of --json: exit with 1 if a cell has changed.")
def matrix(only: str, json_file: Path | None, html_file: Path | None, against: Path | None) -> None:
    """Run small models of every operator, mode, rule, rank and dtype in each runtime, and compare with fastup."""
    from fastup.export import verification
    from fastup.export.verification import matrix as cells

    before = _read(against)
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("cells", total=None)
        found = cells.measure(only, lambda done, total: bar.update(task, completed=done, total=total))
    if not found:
        raise ValueError(f"matrix: no cell has all of these words: {only!r}")
    versions = verification.versions()
    if json_file:
        json_file.write_text(cells.to_json(found, versions))
    if html_file:
        html_file.write_text(page(found, versions))
    console = Console()
    console.print(_summary(found, cells.category))
    changed = cells.changed(found, before)
    for line in changed:
        console.print(line, markup=False, soft_wrap=True)
    sys.exit(1 if changed else 0)


def _read(path: Path | None) -> dict[str, dict[str, str]]:
    if path is None:
        return {}
    try:
        known: dict[str, dict[str, str]] = json.loads(path.read_text())["cells"]
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"matrix: {path} is no file of --json") from None
    return known


def _summary(found: dict[str, dict[str, str]], category: Any) -> Table:
    counts: dict[tuple[str, str], collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for name, cell in found.items():
        for runtime, said in cell.items():
            counts[name.split()[0], runtime][category(said)] += 1
    table = Table("operator", "runtime", "agrees", "different", "refused")
    for (operator, runtime), counter in sorted(counts.items()):
        table.add_row(operator, runtime, *(str(counter[one]) for one in ("agrees", "different", "refused")))
    return table


def page(found: dict[str, dict[str, str]], versions: dict[str, str]) -> str:
    """One page of HTML with all cells and a filter."""
    import jinja2

    template = Path(__file__).with_name("matrix.html").read_text()
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    runtimes = sorted({runtime for cell in found.values() for runtime in cell})
    return environment.from_string(template).render(cells=found, versions=versions, runtimes=runtimes)
