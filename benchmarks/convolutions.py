"""Convolutions against the processor: GFLOP/s, part of the FMA peak of the same rounds, and how each call is cut.

``python -m benchmarks.convolutions`` prints the tables, ``--write`` puts them into the file of this processor. The
*layer* has its weight packed and takes `out`, as peers' sessions do; the *functional* call packs the weight every time
and returns a new array. Peers are those of the large table.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from typing import Any

import fastup
from benchmarks import limit, protocol, report
from benchmarks.cell import Cell, keeping_last_four
from benchmarks.convolution import CELLS, NETWORKS
from fastup.cpu.conv import channels_in_lanes, column_tiling
from fastup.cpu.conv.kernels import gemm, gemm_in_lanes
from fastup.cpu.conv.phase_grid import PhaseGrid
from fastup.cpu.conv.weight_layout import bundles, panels_of
from fastup.plan import ConvPlan


def operations(cell: Cell, y: Any) -> float:
    """Floating-point operations of a convolution: two per weight and position of the smaller side."""
    space = y.shape[2:] if cell.operator.startswith("conv") and "transpose" not in cell.operator else cell.shape[2:]
    return 2.0 * cell.shape[0] * math.prod(space) * math.prod(cell.operands["weight"])


def _plan(cell: Cell) -> ConvPlan:
    make = getattr(fastup.plan, cell.operator)
    plan: ConvPlan = make(cell.shape, cell.dtype, cell.operands["weight"], **cell.keywords)
    return plan


def measure(cell: Cell, rounds: int) -> str:
    """One row of the first table."""
    x, y = cell.example()
    weight, plan, threads = cell.arrays()["weight"], _plan(cell), fastup.get_num_threads()
    operator, packed = getattr(fastup, cell.operator), fastup.pack_weight(weight)
    many, one = limit.peak_call(threads), limit.peak_call(1)
    ways, _ = report.ways(cell, x, y)
    calls: dict[str, Callable[[], Any]] = {name: way.into for name, way in ways.items() if way.into}
    calls |= {
        "one thread": lambda: fastup.run(plan, x, y, operands=(packed,), threads=1),
        "functional": keeping_last_four(lambda: operator(x, weight, **cell.keywords)),
        "peak": many[0],
        "peak of one": one[0],
    }
    ours = ("fastup", "one thread", "functional", "peak", "peak of one")
    times = protocol.blocks(calls, rounds, ours)
    best = min((name for name in times if name not in ours), key=lambda name: protocol.interval(times[name]).median)
    done = operations(cell, y) / 1e6

    def speed(name: str) -> float:
        return done / protocol.interval(times[name]).median

    def part(name: str, limit: str, flops: float) -> float:
        return protocol.ratio(times[limit], times[name]).median * done * 1e6 / flops

    columns = [
        cell.title,
        f"{speed('fastup'):.0f}",
        f"{part('fastup', 'peak', many[1]):.2f}",
        f"{speed(best):.0f} ({best})",
        f"{protocol.ratio(times[best], times['fastup']).median:.2f}",
        f"{protocol.ratio(times[best], times['functional']).median:.2f}",
        f"{speed('one thread'):.0f}",
        f"{part('one thread', 'peak of one', one[1]):.2f}",
    ]
    return "| " + " | ".join(columns) + " |"


def measure_network(cell: Cell, rounds: int) -> str:
    """One row of the table of networks: both columns are fastup's call, which allocates; peers write into `out`."""
    x, y = cell.example()
    found, _ = report.ways(cell, x, y)
    calls: dict[str, Callable[[], Any]] = {name: way.into for name, way in found.items() if way.into}
    times = protocol.blocks(calls, rounds, ("fastup",))
    medians = {name: protocol.interval(of_one).median for name, of_one in times.items()}
    best = min((name for name in times if name != "fastup"), key=lambda name: medians[name])
    ratio = protocol.ratio(times[best], times["fastup"])
    interval = f"{ratio.median:.2f} [{ratio.low:.2f}, {ratio.high:.2f}]"
    return f"| {cell.title} | {medians['fastup']:.1f} | {medians[best]:.1f} ({best}) | {interval} |"


def tiles_of(cell: Cell) -> str:
    """One row of the table of tiles."""
    plan = _plan(cell)
    columns = _lane_tiles(plan) if channels_in_lanes.applies(plan) else _tiles(plan)
    return "| " + " | ".join([cell.title, *columns]) + " |"


def _tiles(plan: ConvPlan) -> list[str]:
    """Of the kernel whose vectors run along columns."""
    grid = PhaseGrid.of(plan)
    cut = column_tiling.choose(plan, grid)
    groups = [group.size for group in grid.tap_groups]
    sizes = [
        bundle.channels * len(grid.tap_groups[number].phases)
        for _, bundle in bundles(grid, cut.channels_out)
        for number in bundle.groups
    ]
    panels = sorted({rows for size in sizes for rows in panels_of(size)})
    items = plan.batch * plan.groups * cut.ranges * grid.lattices[0].length * len(cut.strips) * cut.row_blocks
    return [
        "columns",
        f"{len(groups)} of {min(groups)}-{max(groups)} taps",
        f"{cut.channels_in} of {grid.group_in}",
        f"{cut.channels_out} of {grid.group_out}",
        f"{cut.rows} x {cut.strips[0][1]}",
        f"{items}",
        ", ".join(f"{n} x {gemm.accumulators() // n}" for n in reversed(panels)),
        f"{cut.channels_in * cut.channel * 4 // 1024}",
        f"{cut.z_rows(grid) * cut.z_step * 4 // 1024}",
    ]


def _lane_tiles(plan: ConvPlan) -> list[str]:
    """Of the kernel whose vectors run along output channels."""
    grid = channels_in_lanes.grid_of(plan)
    cut, widths = channels_in_lanes.choose(plan, grid), channels_in_lanes.widths(grid)
    vectors = sorted({width * 4 // gemm.vector_bytes() for width in widths}, reverse=True)
    groups = [group.size for group in grid.tap_groups]
    items = plan.batch * plan.groups * grid.lattices[0].length * cut.strips * cut.row_blocks * cut.ranges
    return [
        "channels",
        f"{len(groups)} of {min(groups)}-{max(groups)} taps",
        f"{grid.group_in} of {grid.group_in}",
        f"{sum(widths[: cut.panels])} of {grid.group_out}",
        f"{cut.rows} x {cut.columns}",
        f"{items}",
        ", ".join(f"{gemm_in_lanes.pixels(n)} x {n}" for n in vectors),
        f"{channels_in_lanes.staged_bytes(grid, cut.rows, cut.columns) // 1024}",
        f"{cut.columns * max(widths) * 4 // 1024}",
    ]


_SPEEDS = """\
GFLOP/s, and as part of the FMA peak that was measured in the same rounds. The weight is packed before the call and the
result written into `out`; *functional*: packed in every call, into a new array.

| cell | GFLOP/s | part of peak | best peer, GFLOP/s | ratio | ratio, functional | one thread, GFLOP/s | part of peak |
|---|---|---|---|---|---|---|---|"""
_NETWORKS = """\
| network | fastup, ms | best peer, ms | ratio [90 %] |
|---|---|---|---|"""
_TILES = """\
| cell | vectors along | groups of phases | input channels at once | output channels at once | rows x columns | \
items | panels: rows or pixels x vectors | staged, KB | z, KB |
|---|---|---|---|---|---|---|---|---|---|"""


def main() -> None:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.convolutions", description=__doc__)
    parser.add_argument("--only", default="", help="run the cells whose title contains this")
    parser.add_argument("--rounds", type=int, default=12, help="rounds of the block protocol (at least 12 count)")
    parser.add_argument("--write", action="store_true", help="write the section")
    arguments = parser.parse_args()
    cells = [cell for cell in CELLS if arguments.only in cell.title]
    lines = [_SPEEDS]
    for cell in cells:
        lines.append(measure(cell, arguments.rounds))
        print(lines[-1], flush=True)
    networks = [measure_network(cell, arguments.rounds) for cell in NETWORKS if arguments.only in cell.title]
    lines += ["", "### Whole networks", "", _NETWORKS, *networks]
    text = "\n".join([*lines, "", "### How each call is cut", "", _TILES, *map(tiles_of, cells)])
    if arguments.write:
        report.put("Convolutions", text)
    else:
        print(report.machine(), text, sep="\n\n")


if __name__ == "__main__":
    main()
