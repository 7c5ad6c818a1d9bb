"""``fastup demo``: every operator on one picture, exported, run in onnxruntime, compared and timed."""

from __future__ import annotations

import functools
import json
import math
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

import fastup
from fastup.cli import leave_one_out
from fastup.runtime import cpu_info

Array = np.ndarray[Any, Any]
_ROUNDS, _CALLS = 7, 3
_FACTOR, _KERNEL = (2, 2), (5, 5)  # of the learned layer
_CLOSE = 4  # levels of 255: peers further away compute something else


class Case(NamedTuple):
    """One operator with its keywords; `before` prepares the picture (N, C, H, W) for it."""

    title: str
    operator: str
    keywords: dict[str, Any]
    before: Callable[[Array], Array] = lambda x: x


CASES = (
    Case("nearest x2", "interpolate", {"scale_factor": 2}),
    Case("nearest x2.5", "interpolate", {"scale_factor": 2.5}),
    Case("nearest-exact x1.7", "interpolate", {"scale_factor": 1.7, "mode": "nearest-exact"}),
    Case("bilinear x2", "interpolate", {"scale_factor": 2, "mode": "bilinear"}),
    Case("bilinear x2 aligned", "interpolate", {"scale_factor": 2, "mode": "bilinear", "align_corners": True}),
    Case("bicubic x2", "interpolate", {"scale_factor": 2, "mode": "bicubic"}),
    Case("bicubic x2.5", "interpolate", {"scale_factor": 2.5, "mode": "bicubic"}),
    Case("lanczos x2", "interpolate", {"scale_factor": 2, "mode": "lanczos"}),
    Case("area x1.5", "interpolate", {"scale_factor": 1.5, "mode": "area"}),
    Case("nearest by linear x2", "interpolate", {"scale_factor": 2, "mode": ("nearest", "linear")}),
    Case("bilinear x0.6 antialias", "interpolate", {"scale_factor": 0.6, "mode": "bilinear", "antialias": True}),
    Case("bicubic x0.6 antialias", "interpolate", {"scale_factor": 0.6, "mode": "bicubic", "antialias": True}),
    Case("lanczos x0.6 antialias", "interpolate", {"scale_factor": 0.6, "mode": "lanczos", "antialias": True}),
    Case("pixel_unshuffle 2", "pixel_unshuffle", {"downscale_factor": 2}),
    Case("pixel_shuffle 2", "pixel_shuffle", {"upscale_factor": 2}, lambda x: fastup.pixel_unshuffle(x, 2)),
)


class Row(NamedTuple):
    """What the table and the report say of one case."""

    title: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    nodes: str
    different: int
    too_far: int
    milliseconds: dict[str, float]

    @property
    def items(self) -> int:
        """Items of the result."""
        return math.prod(self.output_shape)


@click.command()
@click.argument("image", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("-o", "--output", type=click.Path(file_okay=False, path_type=Path), default=Path("fastup-demo"))
def demo(image: Path | None, output: Path) -> None:
    """Run every operator on IMAGE (default: a test chart), check each against onnxruntime, and time it.

    Writes a contact sheet, the ONNX models and a JSON report into the folder OUTPUT. Without IMAGE, a second table has
    what a learned layer gains over bicubic on the photos of scikit-image: fit --leave-one-out.
    """
    from fastup import pictures
    from fastup.cli import chart, sheet

    pixels = chart.draw() if image is None else pictures.read(image)
    x = _even(np.ascontiguousarray(np.moveaxis(pixels, -1, 0)[None]))
    output.mkdir(parents=True, exist_ok=True)
    rows, results = [], []
    with Progress(console=Console(stderr=True), transient=True) as progress:
        for case in progress.track(CASES, description="running"):
            row, y = _run(case, case.before(x), output)
            rows.append(row)
            results.append((case.title, y))
        photos = leave_one_out.photos() if image is None else []
        learned = leave_one_out.compare(photos, _FACTOR, _KERNEL, progress) if photos else []
    sheet.write(x, results, output / "contact-sheet.png")
    report = {"machine": _machine(), "picture": str(image or "test chart"), "cases": [row._asdict() for row in rows]}
    report["learned"] = [row._asdict() for row in learned]
    (output / "report.json").write_text(json.dumps(report, indent=1) + "\n")
    _print(rows, learned, output)
    if any(row.too_far for row in rows):
        raise ValueError("demo: onnxruntime and fastup differ; see the table")


def _even(x: Array) -> Array:
    """Without a last odd row or column, which pixel_unshuffle would refuse."""
    return np.ascontiguousarray(x[:, :, : x.shape[2] // 2 * 2, : x.shape[3] // 2 * 2])


def _run(case: Case, x: Array, output: Path) -> tuple[Row, Array]:
    import onnx

    import fastup.export
    from fastup.export import runtimes, tolerances

    operator = getattr(fastup, case.operator)
    model = getattr(fastup.export, case.operator)(x.shape, dtype=x.dtype, **case.keywords)
    onnx.save(model, output / f"{case.title.replace(' ', '-')}.onnx")
    session = runtimes.RUNTIMES["onnxruntime"].prepare(model)
    y = operator(x, **case.keywords)
    other = session.run([x])[0]
    same_shape = other.shape == y.shape and other.dtype == y.dtype
    different = int(np.count_nonzero(other != y)) if same_shape else y.size
    plan = getattr(fastup.plan, case.operator)(x.shape, x.dtype, **case.keywords)
    too_far = tolerances.tolerance(plan, model, x).misses(other, y) if same_shape else y.size
    calls = {
        "fastup": lambda: operator(x, **case.keywords),
        "onnxruntime": lambda: session.run([x]),
        **_peers(case, model, x, y),
    }
    kinds = dict.fromkeys(node.op_type for node in model.graph.node)
    nodes = ", ".join([*kinds][:2]) + (f" ... ({len(model.graph.node)})" if len(kinds) > 2 else "")
    return Row(case.title, x.shape, y.shape, nodes, different, too_far, _time(calls)), y


def _peers(case: Case, model: Any, x: Array, y: Array) -> dict[str, Callable[[], Any]]:
    """Further peers that are installed, can do the case, and give the same values (smooth modes: about the same)."""
    from fastup.export.runtimes import installed

    others = {name: runtime for name, runtime in installed().items() if runtime.timed and name != "onnxruntime"}
    builds: dict[str, Callable[[], Callable[[], Any] | None]] = {
        "torch": lambda: _torch(case, x),
        **{name: functools.partial(_exported, runtime, model, x) for name, runtime in others.items()},
        "opencv": lambda: _opencv(case, x, y),
    }
    found = {}
    for name, build in builds.items():
        try:
            call = build()
            if call and _close(case, np.asarray(call()), y):
                found[name] = call
        except (ModuleNotFoundError, RuntimeError, ValueError):  # not here, or not for this mode or dtype
            continue
    return found


def _close(case: Case, result: Array, y: Array) -> bool:
    if result.shape != y.shape:
        return False
    smooth = case.operator == "interpolate" and "nearest" not in str(case.keywords.get("mode", "nearest"))
    if not smooth or y.dtype.kind not in "iu":
        return np.array_equal(result, y)
    scale = np.iinfo(y.dtype).max / 255
    return float(np.abs(result.astype(np.float64) - y).max()) <= _CLOSE * scale


def _torch(case: Case, x: Array) -> Callable[[], Any]:
    import torch

    function, tensor = getattr(torch.nn.functional, case.operator), torch.from_numpy(x)
    return lambda: function(tensor, **case.keywords)


def _exported(runtime: Any, model: Any, x: Array) -> Callable[[], Any]:
    session = runtime.prepare(model)
    return lambda: session.run([x])[0]


def _opencv(case: Case, x: Array, y: Array) -> Callable[[], Any] | None:
    """Plane by plane; OpenCV has three of the modes, without antialias and without aligned corners."""
    import cv2

    codes = {"nearest": cv2.INTER_NEAREST, "bilinear": cv2.INTER_LINEAR, "bicubic": cv2.INTER_CUBIC}
    code = codes.get(str(case.keywords.get("mode", "nearest")))
    if case.operator != "interpolate" or code is None or {"antialias", "align_corners"} & set(case.keywords):
        return None
    size = y.shape[:1:-1]
    planes = x.reshape(-1, *x.shape[2:])
    return lambda: np.stack([cv2.resize(p, size, interpolation=code) for p in planes]).reshape(y.shape)


def _time(calls: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """Median milliseconds a call; the libraries take turns, and each turn begins with a call that does not count."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(_ROUNDS):
        for name, call in calls.items():
            call()
            begin = time.perf_counter()
            for _ in range(_CALLS):
                call()
            times[name].append((time.perf_counter() - begin) / _CALLS * 1e3)
    return {name: statistics.median(values) for name, values in times.items()}


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
    table = Table(title="every operator, against onnxruntime on the exported graph")
    for heading in ("operator", "result", "ONNX", "values"):
        table.add_column(heading)
    for name in peers:
        table.add_column(f"{name}, ms", justify="right")
    for row in rows:
        verdict = "equal" if not row.different else f"{row.different / row.items:.1%} by rounding"
        if row.too_far:
            verdict = f"[red]{row.too_far} differ[/red]"
        times = [f"{row.milliseconds[name]:.3f}" if name in row.milliseconds else "-" for name in peers]
        table.add_row(row.title, "x".join(map(str, row.output_shape)), row.nodes, verdict, *times)
    console = Console(highlight=False)
    if not console.is_terminal:  # a log has no width to respect
        console = Console(highlight=False, width=120)
    console.print(table)
    if learned:
        console.print(leave_one_out.table(learned, _FACTOR, _KERNEL))
    console.print(f"contact sheet, models and report are in {output}/", soft_wrap=True)
