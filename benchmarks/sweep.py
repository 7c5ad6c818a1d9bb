"""Sixty resizes that nobody chose: drawn by a seeded generator, so that nothing is tuned on the cells of the table.

python -m benchmarks.sweep [--conventions] [--write] [--threads N] [--rounds N] [--count N] [--seed N]

With --conventions they are pictures resized by a library's convention, against that library.
"""

from __future__ import annotations

import argparse
import math
from typing import Any

import numpy as np

from benchmarks import peers, report, resizing, weighted_modes
from benchmarks.cell import Cell
from benchmarks.interpolation import NEAREST

COUNT, SEED = 60, 21
_CHANNELS = (1, 3, 4, 16)
_MOST_ITEMS = 2**24  # of the larger side
_SIDES = (16, 4000)


def drawn(count: int = COUNT, seed: int = SEED, conventions: bool = False) -> list[Cell]:
    """The cells; sizes are drawn on a logarithmic scale, and every second one is made odd."""
    generator = np.random.default_rng(seed)
    return [_cell(generator, conventions) for _ in range(count)]


def _cell(generator: np.random.Generator, conventions: bool) -> Cell:
    while True:
        last = bool(generator.integers(2))
        channels, dtype = int(generator.choice(_CHANNELS)), str(generator.choice(["uint8", "uint16", "float32"]))
        before, after = ([_side(generator) for _ in range(2)] for _ in range(2))
        ratios = [m / n for n, m in zip(before, after, strict=True)]
        items = channels * max(math.prod(before), math.prod(after))
        # Both axes in one direction and by similar factors, as pictures are resized.
        if items <= _MOST_ITEMS and 0.5 <= ratios[0] / ratios[1] <= 2 and min(ratios) >= 1 / 24 and max(ratios) <= 8:
            if conventions:
                return resizing.drawn(generator, (*before, min(channels, 4)), tuple(after))
            return _of(generator, dtype, last, channels, tuple(before), tuple(after))


def _side(generator: np.random.Generator) -> int:
    low, high = (math.log(side) for side in _SIDES)
    side = round(math.exp(generator.uniform(low, high)))
    return side | int(generator.integers(2))


def _of(generator: np.random.Generator, dtype: str, last: bool, channels: int, before: Any, after: Any) -> Cell:
    mode = str(generator.choice(["nearest", "bilinear", "bicubic", "area", "lanczos"]))
    shape = (1, *before, channels) if last else (1, channels, *before)
    keywords: dict[str, Any] = {"size": after, "mode": mode}
    if mode == "lanczos" or (mode in ("bilinear", "bicubic") and (math.prod(after) < math.prod(before))):
        keywords["antialias"] = True
    if last:
        keywords["data_format"] = "channels_last"
    ways = NEAREST if mode == "nearest" else weighted_modes.EVERY
    tolerance = 0.0 if mode == "nearest" else {"uint8": 1.0, "uint16": 1.0}.get(dtype, 2e-3)
    return Cell("interpolate", shape, keywords, dtype, peers=ways, tolerance=tolerance)


def main() -> None:
    """Measure all that some peer can do, and say how often fastup is ahead."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sweep", description=__doc__)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--conventions", action="store_true")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    if arguments.threads is not None:
        peers.limit_threads(arguments.threads)
    results, alone = [], []
    for cell in drawn(arguments.count, arguments.seed, arguments.conventions):
        if len(report.ways(cell, *cell.example())[0]) == 1:
            alone.append(cell)
            continue
        results.append(report.measure(cell, arguments.rounds))
        print(report.line(results[-1]), flush=True)
    text = summary(results, alone)
    if arguments.write:
        threads = "" if arguments.threads is None else f", {arguments.threads} thread{'s'[: arguments.threads != 1]}"
        kind = "resizes by convention" if arguments.conventions else "resizes"
        report.put(f"Sweep of {arguments.count} {kind}, seed {arguments.seed}{threads}", text)
    else:
        print(report.machine(), text, sep="\n\n")


def summary(results: list[report.Result], alone: list[Cell]) -> str:
    """Geometric mean and worst of both columns, then the table."""
    calls = [result.call.ratio.median for result in results]
    columns = (calls, [result.kernel.ratio.median for result in results if result.has_kernel])
    means = [math.exp(sum(map(math.log, ratios)) / len(ratios)) for ratios in columns]
    said = "; ".join(
        f"{name}: geometric mean {mean:.2f}, worst {min(ratios):.2f}"
        for name, mean, ratios in zip(("call", "kernel"), means, columns, strict=True)
    )
    return "\n".join(
        [
            f"{said}; ahead in both columns in {sum(result.won for result in results)} of {len(results)}.",
            f"In {len(alone)} more no peer gives the values: " + "; ".join(cell.title for cell in alone) + ".",
            "",
            report.HEADER,
            *map(report.line, results),
        ]
    )


if __name__ == "__main__":
    main()
