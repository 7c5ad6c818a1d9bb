"""``fastup verify``: every upsampling node of a model in every runtime; ``fastup matrix``: where runtimes diverge."""

from __future__ import annotations

import base64
import collections
import io
import json
import sys
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from fastup.cli.given import data_of, named_inputs, named_shapes, pictures_for

Array = np.ndarray[Any, Any]
_SIDE, _MOST, _LEAST = 160, 1024, 16  # pixels of a heat map: of its shorter side, at most, of its height at least
_COLOURS = {"equal": "green", "within tolerance": "green", "known difference": "yellow", "different": "red"}


def _names(_context: Any, _parameter: Any, value: str | None) -> list[str]:
    from fastup.export.runtimes import JUDGES

    return [*JUDGES] if value is None else [name.strip() for name in value.split(",")]


def _skipped(_context: Any, _parameter: Any, value: str | None) -> list[str]:
    return [] if value is None else [name.strip() for name in value.split(",")]


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--input", "inputs", multiple=True, callback=named_inputs, help="NAME=FILE.npy; random where not given.")
@click.option("--data", callback=data_of, help="FILE.npz with inputs by their names, or a folder of pictures.")
@click.option("--shape", "shapes", multiple=True, callback=named_shapes, help="NAME=1,3,64,64, where it is open.")
@click.option("--runtimes", callback=_names, help="The runtimes that decide.  [default: onnxruntime,reference]")
@click.option("--like", type=click.Choice(["torch"]), help="Also judge each node by torch's operator.")
@click.option("--nodes", help="Only nodes in whose names this regular expression is found.")
@click.option("--skip", callback=_skipped, help="Runtimes not to run, as in openvino,reference.")
@click.option(
    "--budget",
    type=click.FloatRange(min=0, min_open=True),
    default=2.0,
    show_default=True,
    help="Seconds that the reference evaluator may take for a node; others ten times as long.",
)
@click.option("--strict", is_flag=True, help="Warnings count.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write all of it there.")
@click.option("--html", "html_file", type=click.Path(path_type=Path), help="Write a page with heat maps there.")
def verify(
    model: Path,
    inputs: dict[str, Array],
    data: dict[str, Array] | Path,
    shapes: dict[str, tuple[int, ...]],
    runtimes: list[str],
    like: str | None,
    nodes: str | None,
    skip: list[str],
    budget: float,
    strict: bool,
    json_file: Path | None,
    html_file: Path | None,
) -> None:
    """Find every upsampling node of MODEL, run it in each runtime, and compare.

    Exit status: 0 all equal or within tolerance, 1 some node differs, 2 it could not run.
    """
    from fastup import export

    sets = pictures_for(model, data, shapes) if isinstance(data, Path) else [data]
    console = Console(stderr=True)
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("running", total=None)
        report = export.verify(
            model, [{**one, **inputs} for one in sets], shapes=shapes, runtimes=runtimes, like=like, nodes=nodes,
            skip=skip, budget=budget,
            progress=lambda done, total, name: bar.update(task, completed=done, total=total, description=escape(name)),
        )  # fmt: skip
    _print(Console(), report)
    if json_file:
        json_file.write_text(report.to_json())
    if html_file:
        html_file.write_text(page(report))
    sys.exit(report.status(strict))


def _print(console: Console, report: Any) -> None:
    for line in report.chosen:
        console.print(f"open dimensions: {line}", markup=False)
    if not report.nodes:
        console.print("no upsampling node")
    table = Table("node", "in torch's words", "verdict", "largest difference", "what to know")
    for node in report.nodes:
        verdict = node.verdict(report.judged)
        table.add_row(
            escape(f"{node.name}\n{node.op_type}"), escape(node.words),
            f"[{_COLOURS.get(verdict, 'default')}]{verdict}[/]",
            escape("\n".join(_differences(node))), escape("\n".join(_remarks(node))),
        )  # fmt: skip
    if report.nodes:
        console.print(table)
    for name in report.skipped:
        console.print(f"not run, within control flow: {name}", markup=False)
    for name in report.unjudged:
        console.print(f"not judged, for fastup has no such operator: {name}", markup=False)


def _outcomes(node: Any) -> list[tuple[str, Any]]:
    return [*node.runtimes.items(), *([("torch", node.torch)] if node.torch else [])]


def _differences(node: Any) -> list[str]:
    lines = []
    for name, outcome in _outcomes(node):
        found = outcome.difference
        if outcome.verdict == "not run":
            lines.append(f"{name}: refuses")
        elif found is not None and not found.equal:
            lines.append(f"{name}: {found.absolute:.2g} at {found.where}, {found.differing} of {found.size}")
    return lines


def _remarks(node: Any) -> list[str]:
    said = [
        f"{name}: {outcome.message}{f'; use {outcome.advice}' if outcome.advice else ''}"
        for name, outcome in _outcomes(node)
        if outcome.message
    ]
    return [*said, *(f"warning: {warning}" for warning in node.warnings)]


def page(report: Any) -> str:
    """One page of HTML with everything in it."""
    nodes = [
        {
            "report": node, "verdict": node.verdict(report.judged), "picture": heat_map(node.picture),
            "differences": _differences(node), "remarks": _remarks(node), "largest": _largest(node.picture),
        }
        for node in report.nodes
    ]  # fmt: skip
    counts = collections.Counter(node["verdict"] for node in nodes)
    return _render("verify.html", report=report, nodes=nodes, counts=counts.most_common())


def _largest(away: Array | None) -> float:
    """What white stands for in a heat map."""
    finite = away[np.isfinite(away)] if away is not None else np.zeros(0)
    return float(finite.max(initial=0.0))


def _render(template: str, **values: Any) -> str:
    import jinja2

    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.from_string(Path(__file__).with_name(template).read_text()).render(**values)


def heat_map(away: Array | None) -> str | None:
    """Differences as a picture: black for none, through red and yellow to white for the largest; a data URI."""
    if away is None or not np.isfinite(away).any() or not away.max() > 0:
        return None
    from PIL import Image

    part = np.nan_to_num(away / away[np.isfinite(away)].max(), posinf=1.0).clip(0, 1) ** 0.5
    for axis in (0, 1):  # the largest of those that would lie on one pixel
        step = -(-part.shape[axis] // _MOST)
        part = np.maximum.reduceat(part, np.arange(0, part.shape[axis], step), axis)
    colours = np.stack([np.clip(3 * part - k, 0, 1) for k in range(3)], axis=-1)
    repeat = max(1, min(_SIDE // min(part.shape), _MOST // max(part.shape)))
    down = max(repeat, _LEAST // part.shape[0])  # signals have one row
    pixels = (255 * colours).astype(np.uint8).repeat(down, 0).repeat(repeat, 1)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()


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
        html_file.write_text(matrix_page(found, versions))
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


def matrix_page(found: dict[str, dict[str, str]], versions: dict[str, str]) -> str:
    """One page of HTML with all cells and a filter."""
    runtimes = sorted({runtime for cell in found.values() for runtime in cell})
    return _render("matrix.html", cells=found, versions=versions, runtimes=runtimes)
