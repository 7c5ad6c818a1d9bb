"""The demo's page: a summary, the same detail of every result beside what differs, a table, and the models to open."""

from __future__ import annotations

import base64
import importlib.resources
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
import numpy as np
from PIL import Image

from fastup.cli import leave_one_out
from fastup.cli.cases import Array

if TYPE_CHECKING:
    from fastup.cli.demo import Ran, Row

# The part of a picture that is shown: from where, and how much of it, down and across. In the chart: rings and text.
_BEGIN, _PART = (0.4, 0.12), 0.3


def write(
    path: Path, x: Array, ran: Sequence[Ran], learned: Sequence[leave_one_out.Row], machine: dict[str, Any], name: str
) -> None:
    """Write the page, with all its pictures in it."""
    text = importlib.resources.files("fastup.cli").joinpath("demo.html").read_text(encoding="utf-8")
    template = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(text)
    rows = [one.row for one in ran]
    path.write_text(
        template.render(
            machine=machine, picture=name, original=_encoded(_detail(np.moveaxis(x[0], 0, -1))), rows=rows,
            shown=[_shown(one) for one in ran], peers=list(dict.fromkeys(n for row in rows for n in row.milliseconds)),
            summary=summary(rows), learned=learned,
        ),
        encoding="utf-8",
    )  # fmt: skip


def summary(rows: Sequence[Row]) -> dict[str, Any]:
    """What can be said of all cases."""
    graphs = [graph for row in rows for graph in row.graphs.values()]
    against = [row.milliseconds for row in rows if "onnxruntime" in row.milliseconds]
    ratios = [times["onnxruntime"] / times["fastup"] for times in against]
    return {
        "operators": len({row.operator for row in rows}),
        "cases": len(rows),
        "graphs": len(graphs),
        "equal": sum(not graph.refused and graph.different == 0 for graph in graphs),
        "rounding": sum(not graph.refused and graph.different > 0 and not graph.too_far for graph in graphs),
        "refused": sum(bool(graph.refused) for graph in graphs),
        "wrong": sum(bool(graph.too_far) for graph in graphs),
        "faster": sum(ratio > 1 for ratio in ratios),
        "timed": len(ratios),
        "times": float(np.exp(np.mean(np.log(ratios)))) if ratios else None,
    }


def _shown(one: Ran) -> dict[str, Any]:
    """A result's detail, and how far onnxruntime is from it."""
    mine, other = (one.case.picture(result) for result in (one.result, one.other))
    away = np.abs(mine.astype(np.float64) - other.astype(np.float64))
    return {
        "row": one.row,
        "detail": _encoded(_detail(mine)),
        "difference": _encoded(_detail(away, float(away.max()) or 1.0)),
        "largest": float(away.max()),
    }


def _detail(pixels: Array, top: float | None = None) -> Array:
    """The part of (height, width, channels) as bytes, with black as 0 and white as the largest value."""
    height, width = pixels.shape[:2]
    (first, left), rows, columns = _BEGIN, round(height * _PART), round(width * _PART)
    top_row, left_column = round(height * first), round(width * left)
    part = pixels[top_row : top_row + max(1, rows), left_column : left_column + max(1, columns)]
    part = part[..., :3] if part.shape[-1] >= 3 else part[..., :1]
    if part.dtype == np.uint8 and top is None:
        return part
    values = part.astype(np.float64)
    low, high = (0.0, top) if top is not None else (min(0.0, float(pixels.min())), float(pixels.max()))
    return np.clip((values - low) / max(high - low, 1e-12) * 255, 0, 255).astype(np.uint8)


def _encoded(pixels: Array) -> str:
    """A PNG in the page itself."""
    buffer = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else np.ascontiguousarray(pixels)).save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
