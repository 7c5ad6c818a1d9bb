"""Convolutions against the processor: GFLOP/s, part of the FMA peak of the same rounds, and how each call is cut.

``python -m benchmarks.convolutions`` prints the tables, ``--write`` puts them into convolutions.md. The *layer* has its
weight packed and takes `out`, as peers' sessions do; the *functional* call packs the weight every time and returns a
new array. Peers are those of the large table.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import fastup
from benchmarks import protocol
from benchmarks.__main__ import machine
from benchmarks._conv import CELLS
from benchmarks.cell import Cell, keeping_last_four
from fastup.cpu import tiles
from fastup.cpu.kernels import gemm
from fastup.cpu.kernels import vectors as untyped
from fastup.cpu.lattice import Geometry
from fastup.cpu.panels import panels_of
from fastup.plan import ConvPlan
from fastup.runtime.kernel import intrinsic, kernel
from fastup.runtime.workers import Launch

vectors: Any = untyped  # helpers that emit IR have no types
_STEPS, _CHUNKS = 20_000, 64


@intrinsic
def _multiply_add(_: Any, steps: Any, numbers: Any) -> Any:
    """The sum of as many accumulators as a tile has, each after so many products; nothing is loaded meanwhile."""
    from llvmlite import ir

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        lanes = gemm.vector_bytes() * 8 // numbers.dtype.bitwidth
        first, factor = (
            vectors.splat(builder, builder.load(builder.gep(arguments[1], [ir.IntType(64)(k)])), lanes) for k in (0, 1)
        )

        def step(_k: Any, sums: list[Any]) -> list[Any]:
            return [vectors.fma(builder, one, factor, first) for one in sums]

        sums = vectors.repeated(builder, arguments[0], [first] * gemm.accumulators(), step)
        total = sums[0]
        for one in sums[1:]:
            total = builder.fadd(total, one)
        return builder.extract_element(total, ir.IntType(32)(0))

    return numbers.dtype(steps, numbers), generate


@kernel("element", elements=gemm.FLOATS)
def peak() -> Any:
    """Products and sums in registers alone."""

    def body(params: Any, numbers: Any, start: Any, stop: Any) -> None:
        for chunk in range(start, stop):
            numbers[2 + chunk] = _multiply_add(params[1], numbers)

    return body


def peak_call(threads: int) -> tuple[Callable[[], None], float]:
    """Run at the FMA peak on so many threads, and how many operations that is."""
    numbers = np.full(2 + _CHUNKS, 0.5, np.float32)
    launch = Launch(peak("float32"), [_CHUNKS, _STEPS], 1e6)
    lanes = gemm.vector_bytes() // 4
    address = numbers.ctypes.data

    def call() -> None:
        launch(address, address, (numbers,), threads)

    return call, 2.0 * _CHUNKS * _STEPS * gemm.accumulators() * lanes


def operations(cell: Cell, y: Any) -> float:
    """Floating-point operations of a convolution: two per weight and position of the smaller side."""
    space = y.shape[2:] if cell.operator.startswith("conv") and "transpose" not in cell.operator else cell.shape[2:]
    return 2.0 * cell.shape[0] * math.prod(space) * math.prod(cell.operands["weight"])


def _plan(cell: Cell) -> ConvPlan:
    return getattr(fastup.plan, cell.operator)(cell.shape, cell.dtype, cell.operands["weight"], **cell.keywords)  # type: ignore[no-any-return]


def measure(cell: Cell, rounds: int) -> str:
    """One row of the first table."""
    x, y = cell.example()
    weight, plan, threads = cell.arrays()["weight"], _plan(cell), fastup.get_num_threads()
    operator, packed = getattr(fastup, cell.operator), fastup.pack_weight(weight)
    many, one = peak_call(threads), peak_call(1)
    calls: dict[str, Callable[[], Any]] = {
        "layer": lambda: fastup.run(plan, x, y, operands=(packed,)),
        "one thread": lambda: fastup.run(plan, x, y, operands=(packed,), threads=1),
        "functional": keeping_last_four(lambda: operator(x, weight, **cell.keywords)),
        "peak": many[0],
        "peak of one": one[0],
    }
    ours = tuple(calls)
    for name, build in cell.peers.items():
        into = build(cell, x, y).into
        if into is not None:
            calls[name] = into
    times = protocol.blocks(calls, rounds, ours)
    best = min((name for name in times if name not in ours), key=lambda name: protocol.interval(times[name]).median)
    done = operations(cell, y) / 1e6

    def speed(name: str) -> float:
        return done / protocol.interval(times[name]).median

    def part(name: str, limit: str, flops: float) -> float:
        return protocol.ratio(times[limit], times[name]).median * done * 1e6 / flops

    columns = [
        cell.title,
        f"{speed('layer'):.0f}",
        f"{part('layer', 'peak', many[1]):.2f}",
        f"{speed(best):.0f} ({best})",
        f"{protocol.ratio(times[best], times['layer']).median:.2f}",
        f"{protocol.ratio(times[best], times['functional']).median:.2f}",
        f"{speed('one thread'):.0f}",
        f"{part('one thread', 'peak of one', one[1]):.2f}",
    ]
    return "| " + " | ".join(columns) + " |"


def tiles_of(cell: Cell) -> str:
    """One row of the second table."""
    plan = _plan(cell)
    geometry = Geometry.of(plan)
    cut = tiles.choose(plan, geometry)
    rows = [group.size for group in geometry.tap_groups]
    panels = sorted({n for group in geometry.tap_groups for n in panels_of(cut.channels_out * len(group.phases))})
    items = plan.batch * plan.groups * cut.ranges * geometry.lattices[0].length * len(cut.strips) * cut.row_blocks
    columns = [
        cell.title,
        f"{len(rows)} of {min(rows)}-{max(rows)} taps",
        f"{cut.channels_in} of {geometry.group_in}",
        f"{cut.channels_out} of {geometry.group_out}",
        f"{cut.rows} x {cut.strips[0][1]}",
        f"{items}",
        ", ".join(f"{n} x {gemm.accumulators() // n}" for n in reversed(panels)),
        f"{cut.channels_in * cut.channel * 4 // 1024}",
        f"{cut.z_rows(geometry) * cut.z_step * 4 // 1024}",
    ]
    return "| " + " | ".join(columns) + " |"


_SPEEDS = """\
| cell | GFLOP/s | part of peak | best peer, GFLOP/s | ratio | ratio, functional | one thread, GFLOP/s | part of peak |
|---|---|---|---|---|---|---|---|"""
_TILES = """\
| cell | groups of phases | input channels at once | output channels at once | rows x columns | items | panels: rows x \
vectors | staged, KB | z, KB |
|---|---|---|---|---|---|---|---|---|"""


def main() -> None:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.convolutions", description=__doc__)
    parser.add_argument("--only", default="", help="run the cells whose title contains this")
    parser.add_argument("--rounds", type=int, default=12, help="rounds of the block protocol (at least 12 count)")
    parser.add_argument("--write", action="store_true", help="write convolutions.md")
    arguments = parser.parse_args()
    cells = [cell for cell in CELLS if arguments.only in cell.title]
    lines = ["# Convolutions", "", machine(), "", _SPEEDS]
    for cell in cells:
        lines.append(measure(cell, arguments.rounds))
        print(lines[-1], flush=True)
    text = "\n".join([*lines, "", "## How each call is cut", "", _TILES, *map(tiles_of, cells), ""])
    if arguments.write:
        Path(__file__).with_name("convolutions.md").write_text(text)
    else:
        print(text)


if __name__ == "__main__":
    main()
