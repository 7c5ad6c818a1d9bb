"""The same cells on a GPU (experimental): fastup on torch's tensors against torch, and NumPy's idioms in CuPy.

Every call waits for the device, so a time is that of the launch and the work. Values are compared with the CPU's first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import fastup
from benchmarks import peers, protocol
from benchmarks.cell import Array, Cell, Way, keeping_last_four


def run(cells: list[Cell], rounds: int) -> None:
    """Print a row per cell, or say that there is nothing to run on."""
    try:
        import torch
    except ModuleNotFoundError:
        raise SystemExit("--cuda: needs torch with CUDA") from None
    if not torch.cuda.is_available():
        raise SystemExit("--cuda: torch finds no GPU on this machine")
    peers.use_device("cuda")
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}")
    print("| cell | fastup, ms | best peer, ms | ratio [90 %] |\n|---|---|---|---|")
    for cell in (one for one in cells if one.ours is None):  # those whose arrays are their only ones
        print(_row(cell, rounds), flush=True)


def _row(cell: Cell, rounds: int) -> str:
    import torch

    x, y = cell.example()
    found = {"fastup": _ours(cell, x)}
    for name, build in (("torch", cell.peers.get("torch")), ("cupy", _cupy(cell))):
        way = build and build(cell, x, y)
        if way and cell.agree(np.asarray(way.result()), y):
            found[name] = way
    calls = {name: _waiting(keeping_last_four(way.fresh), torch) for name, way in found.items() if way.fresh}
    times = protocol.blocks(calls, rounds, ("fastup",))
    medians = {name: protocol.interval(values).median for name, values in times.items()}
    best = min((name for name in times if name != "fastup"), key=lambda name: medians[name], default=None)
    if best is None:
        return f"| {cell.title} | {medians['fastup']:.3f} | no peer | - |"
    ratio = protocol.ratio(times[best], times["fastup"])
    interval = f"{ratio.median:.2f} [{ratio.low:.2f}, {ratio.high:.2f}]"
    return f"| {cell.title} | {medians['fastup']:.3f} | {medians[best]:.3f} ({best}) | {interval} |"


def _waiting(call: Callable[[], Any], torch: Any) -> Callable[[], None]:
    def finished() -> None:
        call()
        torch.cuda.synchronize()

    return finished


def _ours(cell: Cell, x: Array) -> Way:
    import torch

    tensor = torch.from_numpy(x).cuda()
    operands = {name: torch.from_numpy(one).cuda() for name, one in cell.arrays().items()}
    operator = getattr(fastup, cell.operator)

    def call() -> Any:
        return operator(tensor, **operands, **cell.keywords)

    return Way(call, None, lambda: np.asarray(call().cpu().numpy()))


def _cupy(cell: Cell) -> Callable[[Cell, Array, Array], Way] | None:
    """The NumPy idiom of a cell, on CuPy's arrays."""
    idiom = cell.peers.get("numpy")
    try:
        import cupy
    except ModuleNotFoundError:
        return None
    if idiom is None:
        return None

    def build(cell: Cell, x: Array, y: Array) -> Way:
        way = idiom(cell, cupy.asarray(x), cupy.asarray(y))
        return Way(way.fresh, None, lambda: np.asarray(cupy.asnumpy(way.result())))

    return build
