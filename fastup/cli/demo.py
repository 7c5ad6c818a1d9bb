"""``fastup demo``: every operator on one picture, exported, run in onnxruntime, compared and timed."""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

import fastup
from fastup.cli import leave_one_out
from fastup.cli.cases import CASES, Array, Case, keywords_of, operands_of
from fastup.runtime import cpu_info

_FACTOR, _KERNEL = (2, 2), (5, 5)  # of the learned layer
FORMS = ("native", "portable")


class Graph(NamedTuple):
    """What onnxruntime gives for one form of a case's graph.

    Attributes
    ----------
    file : str
        The model's name.
    nodes : str
    different, too_far, items : int
        Items of the results that differ from fastup's, and those beyond what rounding explains; all items.
    refused : str
        Why there are no figures, where onnxruntime does not run the graph.
    """

    file: str
    nodes: str
    different: int = 0
    too_far: int = 0
    items: int = 1
    refused: str = ""

    @property
    def verdict(self) -> str:
        """In a few words."""
        if self.refused:
            return "not run by onnxruntime"
        if self.too_far:
            return f"{self.too_far} differ"
        return "equal" if not self.different else f"{self.different / self.items:.1%} rounded"


class Row(NamedTuple):
    """What the table, the page and the report say of one case."""

    title: str
    operator: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    graphs: dict[str, Graph]
    milliseconds: dict[str, float]

    @property
    def too_far(self) -> int:
        """Items that no rounding explains."""
        return sum(graph.too_far for graph in self.graphs.values())

    def report(self) -> dict[str, Any]:
        """For JSON."""
        return {**self._asdict(), "graphs": {form: graph._asdict() for form, graph in self.graphs.items()}}


class Ran(NamedTuple):
    """A case that was run: its row, fastup's result, and onnxruntime's on the native graph, or on the portable one."""

    case: Case
    row: Row
    result: Array
    other: Array


@click.command()
@click.argument("image", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("-o", "--output", type=click.Path(file_okay=False, path_type=Path), default=Path("fastup-demo"))
def demo(image: Path | None, output: Path) -> None:
    """Run every operator on IMAGE (default: a test chart), check each against onnxruntime, and time it.

    Each is exported natively, where ONNX has an operator for it, and portably, and both run in onnxruntime. The folder
    OUTPUT gets a page, index.html, the models, and a report in JSON. Without IMAGE, a second table has what a learned
    layer gains over bicubic on the photos of scikit-image: fit --leave-one-out.
    """
    from fastup import pictures
    from fastup.cli import chart, demo_page

    pixels = chart.draw() if image is None else pictures.read(image)
    x = _even(np.ascontiguousarray(np.moveaxis(pixels, -1, 0)[None]))
    output.mkdir(parents=True, exist_ok=True)
    ran = []
    with Progress(console=Console(stderr=True), transient=True) as progress:
        for case in progress.track(CASES, description="running"):
            ran.append(run_case(case, x, output))
        photos = leave_one_out.photos() if image is None else []
        learned = leave_one_out.compare(photos, _FACTOR, _KERNEL, progress) if photos else []
    rows = [one.row for one in ran]
    machine, name = _machine(), str(image or "test chart")
    report = {"machine": machine, "picture": name, "cases": [row.report() for row in rows]}
    report["learned"] = [row._asdict() for row in learned]
    (output / "report.json").write_text(json.dumps(report, indent=1) + "\n")
    demo_page.write(output / "index.html", x, ran, learned, machine, name)
    _print(rows, learned, output)
    if any(row.too_far for row in rows):
        raise ValueError("demo: onnxruntime and fastup differ; see the table")


def _even(x: Array) -> Array:
    """Without a last odd row or column, which pixel_unshuffle would refuse."""
    return np.ascontiguousarray(x[:, :, : x.shape[2] // 2 * 2, : x.shape[3] // 2 * 2])


def run_case(case: Case, picture: Array, output: Path) -> Ran:
    """One case on a picture (1, channels, height, width); its models go into a folder."""
    from fastup.cli import demo_peers

    x, operands = case.argument(picture), operands_of(case, picture)
    keywords = keywords_of(case, x)
    results = _list(getattr(fastup, case.operator)(x, *operands, **keywords))
    models = _models(case, x, operands, keywords)
    graphs, others, sessions = {}, {}, {}
    for form, model in models.items():
        graphs[form], others[form], session = _graph(case, form, model, (x, operands, keywords), results, output)
        if session is not None:
            sessions[form] = session
    ran = next((one for one in FORMS if one in sessions), None)
    times = demo_peers.times(case, (x, *operands), keywords, results, models, sessions, ran)
    row = Row(case.title, case.operator, x.shape, results[0].shape, graphs, times)
    return Ran(case, row, results[0], others[ran][0] if ran else results[0])


def _list(results: Any) -> list[Array]:
    return list(results) if isinstance(results, (list, tuple)) else [results]


def _models(case: Case, x: Array, operands: tuple[Array, ...], keywords: dict[str, Any]) -> dict[str, Any]:
    """The graphs that there are."""
    import fastup.export

    weight = operands if "conv" in case.operator else ()
    options = {} if weight else {"dtype": x.dtype}
    models = {}
    for form in FORMS:
        try:
            exporter = getattr(fastup.export, case.operator)
            models[form] = exporter(x.shape, *weight, **options, **keywords, lowering=form)
        except fastup.export.UnsupportedExport:
            continue
    return models


def _graph(
    case: Case, form: str, model: Any, call: tuple[Any, ...], results: list[Array], output: Path
) -> tuple[Graph, list[Array], Any]:
    """How a graph runs, what it gives, and the session."""
    import onnx

    from fastup.export import runtimes, tolerances

    x, operands, keywords = call
    file = f"{case.title.replace(' ', '-').replace('/', '-')}-{form}.onnx"
    onnx.save(model, output / file)
    kinds = dict.fromkeys(node.op_type for node in model.graph.node)
    nodes = ", ".join([*kinds][:2]) + (f" ... ({len(model.graph.node)})" if len(kinds) > 2 else "")
    fed = [x, *operands][: len(model.graph.input)]
    try:
        session = runtimes.RUNTIMES["onnxruntime"].prepare(model)
        others = _list(session.run(fed))
    except Exception as error:
        if not type(error).__module__.startswith("onnxruntime"):
            raise
        return Graph(file, nodes, refused=runtimes.first_line(error)), [], None
    shapes = {"weight_shape": operands[0].shape} if "conv" in case.operator else {}
    plan = getattr(fastup.plan, case.operator)(x.shape, x.dtype, **shapes, **keywords)
    allowed = tolerances.tolerance(plan, model, x, operands)
    different = too_far = 0
    for one, y in zip(others, results, strict=False):
        alike = one.shape == y.shape and one.dtype == y.dtype
        different += int(np.count_nonzero(one != y)) if alike else y.size
        too_far += allowed.misses(one, y) if alike else y.size
    return Graph(file, nodes, different, too_far, sum(y.size for y in results)), others, session


def _machine() -> dict[str, Any]:
    return {
        "processor": f"{cpu_info.brand()} ({cpu_info.cpu_name()})",
        "isa": cpu_info.isa(),
        "threads": fastup.get_num_threads(),
        "system": platform.platform(),
        "fastup": fastup.__version__,
    }


def _print(rows: list[Row], learned: list[leave_one_out.Row], output: Path) -> None:
    peers = list(dict.fromkeys(name for row in rows for name in row.milliseconds))
    table = Table(title="every operator, against onnxruntime on the exported graphs")
    table.add_column("case", no_wrap=True)
    for heading in ("result", *FORMS):
        table.add_column(heading, no_wrap=True)
    for name in peers:
        table.add_column(f"{name}, ms", justify="right")
    for row in rows:
        verdicts = [
            f"[red]{row.graphs[form].verdict}[/red]" if row.graphs[form].too_far else row.graphs[form].verdict
            for form in FORMS if form in row.graphs
        ]  # fmt: skip
        shown = [verdicts.pop(0) if form in row.graphs else "-" for form in FORMS]
        times = [f"{row.milliseconds[name]:.3f}" if name in row.milliseconds else "-" for name in peers]
        table.add_row(row.title, "x".join(map(str, row.output_shape)), *shown, *times)
    console = Console(highlight=False)
    if not console.is_terminal:  # a log has no width to respect
        console = Console(highlight=False, width=160)
    console.print(table)
    if learned:
        console.print(leave_one_out.table(learned, _FACTOR, _KERNEL))
    console.print(f"open {output / 'index.html'}; models and report are beside it", soft_wrap=True)
