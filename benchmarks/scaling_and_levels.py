"""Figures beside the table: time per output as results grow, and fastup compiled for lower instruction-set levels.

``python -m benchmarks.scaling_and_levels curve`` and ``levels`` print Markdown, or write it with ``--write``. A level
needs a process of its own (``NUMBA_CPU_NAME``); sizes and processes take turns, because the machine's speed drifts.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence

from benchmarks import peers, protocol, report
from benchmarks.cell import Cell
from benchmarks.cells import CELLS

_SIDES = (1600, 2900, 5000, 9200)  # of the input's planes: 3e7 to 1e9 outputs
_LEVELS = ("x86-64-v2", "x86-64-v3", "native")
_TURNS, _ROUNDS = 3, 5
_CURVES = (
    ("nearest, float32", {"mode": "nearest"}, "float32"),
    ("bilinear, float32", {"mode": "bilinear"}, "float32"),
    ("bicubic, float32", {"mode": "bicubic"}, "float32"),
    ("bilinear, uint8", {"mode": "bilinear"}, "uint8"),
)


def curve() -> str:
    """Picoseconds per output with `out=`, three planes that grow."""
    rows = [
        "Picoseconds per output of `interpolate(x, scale_factor=2, out=y)`, kernel column, "
        f"{_ROUNDS} rounds; sizes take turns in each.",
        "",
        "| x2, three planes | " + " | ".join(f"{12 * side**2:.1e}" for side in _SIDES) + " | largest / smallest |",
        "|---" * (len(_SIDES) + 2) + "|",
    ]
    for title, keywords, dtype in _CURVES:
        cells = [Cell("interpolate", (1, 3, side, side), {"scale_factor": 2, **keywords}, dtype) for side in _SIDES]
        each = [ms / 12 / side**2 * 1e9 for ms, side in zip(_kernel_times(cells).values(), _SIDES, strict=True)]
        numbers = " | ".join(f"{picoseconds:.0f}" for picoseconds in each)
        rows.append(f"| {title} | {numbers} | {max(each) / min(each):.2f} |")
    return "\n".join(rows)


def _kernel_times(cells: Sequence[Cell]) -> dict[str, float]:
    """Milliseconds of the kernel column, fastup alone; the cells take turns."""
    times = protocol.blocks({cell.title: _filling(cell) for cell in cells}, _ROUNDS, tuple(c.title for c in cells))
    return {title: protocol.interval(each).median for title, each in times.items()}


def _filling(cell: Cell) -> Callable[[], object]:
    call = peers.ours(cell, *cell.example()).into
    assert call is not None
    return call


def times() -> str:
    """The kernel column of every cell in this process, as JSON."""
    found: dict[str, float] = {}
    for cell in CELLS:
        found.update(_kernel_times([cell]))
    return json.dumps(found)


def levels() -> str:
    """Every cell's kernel column per level, medians over processes that take turns."""
    found: dict[str, list[dict[str, float]]] = {level: [] for level in _LEVELS}
    for _ in range(_TURNS):
        for level in _LEVELS:
            found[level].append(_in_a_process(level))
    rows = [
        f"Milliseconds, kernel column; {_TURNS} processes ({_ROUNDS} rounds each) per level take turns; a figure is",
        "the median of their medians. `v2 / v3`: median of the ratios of neighbouring processes. x86-64-v2 has",
        'neither AVX2 nor FMA; "native" is what this processor is.',
        "",
        "| cell, kernel column | " + " | ".join(_LEVELS) + " | v2 / v3 |",
        "|---" * (len(_LEVELS) + 2) + "|",
    ]
    for cell in CELLS:
        each = [protocol.interval([turn[cell.title] for turn in found[level]]).median for level in _LEVELS]
        pairs = zip(found[_LEVELS[0]], found[_LEVELS[1]], strict=True)
        ratios = [low[cell.title] / high[cell.title] for low, high in pairs]
        numbers = " | ".join(f"{ms:.3f}" for ms in each)
        rows.append(f"| {cell.title} | {numbers} | {protocol.interval(ratios).median:.2f} |")
    return "\n".join(rows)


def _in_a_process(level: str) -> dict[str, float]:
    settings = {} if level == "native" else {"NUMBA_CPU_NAME": level, "NUMBA_CPU_FEATURES": ""}
    command = [sys.executable, "-m", "benchmarks.scaling_and_levels", "times"]
    done = subprocess.run(command, env={**os.environ, **settings}, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling_and_levels", description=__doc__)
    parser.add_argument("what", choices=("curve", "levels", "times"))
    parser.add_argument("--write", action="store_true", help="write the section")
    arguments = parser.parse_args()
    text = {"curve": curve, "levels": levels, "times": times}[arguments.what]()
    if arguments.write:
        report.put({"curve": "Time per output", "levels": "Instruction-set levels"}[arguments.what], text)
    else:
        print(text)
