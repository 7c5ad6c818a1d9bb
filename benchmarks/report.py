"""From cells to a table: check the values, time both columns, write Markdown into the file of this processor."""

from __future__ import annotations

import importlib.metadata
import math
import os
import platform
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import fastup
from benchmarks import limit, peers, protocol
from benchmarks.cell import Array, Cell, Way, aligned, keeping_last_four
from benchmarks.protocol import Interval
from fastup.runtime import cpu_info

_OURS = "fastup"
_ABSENT = "not installed"
_AHEAD = Interval(math.inf, math.inf, math.inf)
_RESULTS = Path(__file__).with_name("results")  # one file per processor
_README = Path(__file__).parent.parent / "README.md"
_HEAD = "Written by `python -m benchmarks` and its neighbours; [docs/speed.md](../../docs/speed.md) explains it."
_LIBRARIES = ("numpy", "numba", "torch", "onnxruntime", "openvino", "opencv-python-headless", "pillow")


class Column(NamedTuple):
    """One column of a cell: our time, the best peer's, and how many times faster we were."""

    ours: Interval
    best: str
    peer: Interval
    ratio: Interval


class Result(NamedTuple):
    """A measured cell."""

    cell: Cell
    call: Column
    kernel: Column
    of_limit: float
    times: dict[str, float]  # of the kernel column
    excluded: dict[str, str]

    @property
    def has_kernel(self) -> bool:
        """Whether any peer can write into memory that exists."""
        return self.kernel.best != ""

    @property
    def won(self) -> bool:
        """Ahead in both columns, beyond the noise."""
        return min(self.call.ratio.low, self.kernel.ratio.low) > 1


def measure(cell: Cell, rounds: int) -> Result:
    """Check every peer's values, then time those that are right."""
    x, y = cell.example()
    found, excluded = ways(cell, x, y)
    fresh = {name: keeping_last_four(way.fresh) for name, way in found.items() if way.fresh}
    into: dict[str, Callable[[], Any]] = {name: way.into for name, way in found.items() if way.into}
    limits = limit.calls(x, aligned(y))
    call_times = protocol.blocks(fresh, rounds, (_OURS,))
    kernel_times = protocol.blocks({**into, **limits}, rounds, (_OURS, *limits))
    best_limit = min(protocol.interval(kernel_times.pop(name)).median for name in limits)
    ours = protocol.interval(kernel_times[_OURS]).median
    medians = {name: protocol.interval(times).median for name, times in kernel_times.items()}
    return Result(cell, _column(call_times), _column(kernel_times), best_limit / ours, medians, excluded)


def agreement(cell: Cell) -> str:
    """Who gives the cell's values and who does not, without timing anybody; an error if no peer that is here does."""
    found, excluded = ways(cell, *cell.example())
    others = "".join(f"; {name}: {reason}" for name, reason in excluded.items())
    if set(excluded.values()) == {_ABSENT} and len(found) == 1:
        return f"{cell.title}: not compared{others}"
    if len(found) == 1:
        raise SystemExit(f"{cell.title}: no peer gives equal values{others}")
    return f"{cell.title}: equal values from {', '.join(found)}{others}"


def ways(cell: Cell, x: Array, y: Array) -> tuple[dict[str, Way], dict[str, str]]:
    """Who gives the cell's values, fastup first, and why others are left out."""
    found, excluded = {_OURS: (cell.ours or peers.ours)(cell, x, y)}, {}
    for name, build in cell.peers.items():
        try:
            way = build(cell, x, y)
            result = np.asarray(way.result())
        except ModuleNotFoundError:
            excluded[name] = _ABSENT
        except Exception as error:  # a peer that refuses the call: the table says so
            excluded[name] = f"refuses: {str(error).strip().splitlines()[0][:60]}"
        else:
            if cell.agree(result, y):
                found[name] = way
            else:
                excluded[name] = f"other values ({cell.share_beyond(result, y):.2%} of them)"
    return found, excluded


def _column(times: dict[str, list[float]]) -> Column:
    medians = {name: protocol.interval(values).median for name, values in times.items() if name != _OURS}
    if not medians:  # no peer writes into memory that exists
        return Column(protocol.interval(times[_OURS]), "", Interval(math.inf, math.inf, math.inf), _AHEAD)
    best = min(medians, key=lambda name: medians[name])
    ours = times[_OURS]
    return Column(protocol.interval(ours), best, protocol.interval(times[best]), protocol.ratio(times[best], ours))


def line(result: Result) -> str:
    """One row of the Markdown table; a lost cell is bold."""
    call, kernel = result.call, result.kernel
    title = result.cell.title if result.won else f"**{result.cell.title}**"
    target = f"{result.cell.target:g}" if result.cell.target else "-"
    cells = [title]
    for column in (call, kernel):
        if not column.best:
            cells += [f"{column.ours.median:.3f}", "-", "-"]
            continue
        cells += [
            f"{column.ours.median:.3f}",
            f"{column.peer.median:.3f} ({column.best})",
            f"{column.ratio.median:.2f} [{column.ratio.low:.2f}, {column.ratio.high:.2f}]",
        ]
    wanted = f" of {result.cell.limit:g}" if result.cell.limit else ""
    return "| " + " | ".join([*cells, target, f"{result.of_limit:.2f}{wanted}"]) + " |"


HEADER = """\
| cell | call: fastup | best peer, ms | ratio [90 %] | kernel: fastup | best peer, ms | ratio [90 %] | target | limit |
|---|---|---|---|---|---|---|---|---|"""


def processor() -> str:
    """The processor's name, as its maker and as LLVM writes it, and its vectors."""
    return f"{cpu_info.brand()} ({cpu_info.cpu_name()}, {cpu_info.isa()})"


def machine() -> str:
    """What the figures were measured on."""
    versions = []
    for name in _LIBRARIES:
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            versions.append(f"{name} not installed")
    caches = ", ".join(f"L{k} {size // 1024} KB" for k, size in enumerate(cpu_info.caches(), 1))
    return (
        f"{processor()}, {fastup.get_num_threads()} threads, {caches}; "
        f"{platform.system()}, Python {platform.python_version()}; {', '.join(versions)}; {date.today()}."
    )


def document(results: list[Result]) -> str:
    """The section of the cells."""
    won = sum(result.won for result in results)
    others = [
        f"- {result.cell.title}: "
        + "; ".join([f"{name} {ms:.3f}" for name, ms in result.times.items()])
        + "".join(f"; {name}: {reason}" for name, reason in result.excluded.items())
        for result in results
    ]
    return "\n".join(
        [
            f"Fastest in {won} of {len(results)} cells on this machine. Times in ms. *call*: results are allocated,",
            "the last four kept; *kernel*: into memory that exists. Ratio: the best peer's time over fastup's, median",
            "and 90 % interval over rounds. Limit: the time to read the input and fill the output once, measured in",
            "the same rounds, over fastup's. A cell is bold unless fastup is ahead in both columns.",
            "",
            HEADER,
            *map(line, results),
            "",
            "### Every peer, kernel column, ms",
            "",
            *others,
        ]
    )


def put(title: str, body: str, folder: Path = _RESULTS) -> Path:
    """Write one section into this processor's file; the others stay as they are."""
    if level := os.environ.get("NUMBA_CPU_NAME"):
        title = f"{title}, kernels of {level}"
    file = folder / f"{cpu_info.cpu_name()}.md"
    pieces = file.read_text().split("\n## ")[1:] if file.exists() else []
    sections = {heading: text.strip() for heading, _, text in (piece.partition("\n") for piece in pieces)}
    sections[title] = f"{machine()}\n\n{body.strip()}"
    parts = [f"# {file.stem}", _HEAD, *(f"## {heading}\n\n{text}" for heading, text in sections.items())]
    folder.mkdir(exist_ok=True)
    file.write_text("\n\n".join(parts) + "\n")
    return file


def put_into_readme(results: list[Result], readme: Path = _README) -> None:
    """The few cells that the README shows, between its markers; they are named by the rows that stand there."""
    before, start, rest = readme.read_text().partition("<!-- benchmarks -->\n")
    old, end, after = rest.partition("<!-- /benchmarks -->")
    shown = [result for result in results if f"| {result.cell.title} |" in old.replace("**", "")]
    won = sum(result.won for result in results)
    machine = f"{processor()}, {fastup.get_num_threads()} threads, {date.today()}"
    lines = [
        f"Fastest in {won} of {len(results)} cells on {machine}.",
        "Times faster than the best peer:",
        "",
        "| cell | call | kernel |",
        "|---|---|---|",
    ]
    for result in shown:
        title = result.cell.title if result.won else f"**{result.cell.title}**"
        ratios = " | ".join(f"{column.ratio.median:.1f} ({column.best})" for column in (result.call, result.kernel))
        lines.append(f"| {title} | {ratios} |")
    readme.write_text(before + start + "\n".join([*lines, ""]) + end + after)
