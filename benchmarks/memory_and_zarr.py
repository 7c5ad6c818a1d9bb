"""Beside the table of times: fused labels and their memory, and volumes on disk through dask.

``python -m benchmarks.memory_and_zarr --write`` writes three sections. Every measurement is a process of its own; those
that are compared take turns. It needs 10 GB of disk, and Linux, which tells the peak of a process's memory.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks import report
from benchmarks.segmentation import CELLS

_CALLS: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = (
    ((1, 21, 65, 65), (513, 513)),
    ((1, 150, 128, 128), (512, 512)),
    ((1, 14, 40, 40, 40), (160, 160, 160)),
)
_EDGE, _CHUNK = 512, 128  # of the volume and of its chunks, float32
_ROUNDS, _BLOCKS = 3, 12


def peak(call: Callable[[], Any]) -> float:
    """MB by which resident memory grows at its peak within a call."""
    Path("/proc/self/clear_refs").write_text("5")
    before = _status("VmRSS")
    result = call()
    grown = _status("VmHWM") - before
    del result
    return grown


def _status(name: str) -> float:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) / 1024


def labels(library: str, number: int) -> float:
    """MB that one call takes beyond its input; the first call, on another size, loads what stays."""
    shape, size = _CALLS[number]
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    small = np.zeros((1, 2, *(8,) * len(size)), np.float32)
    if library == "fastup":
        import fastup

        fastup.upsample_argmax(small, 16)
        return peak(lambda: fastup.upsample_argmax(x, size))
    import torch

    mode = {2: "bilinear", 3: "trilinear"}[len(size)]
    torch.nn.functional.interpolate(torch.from_numpy(small), scale_factor=2, mode=mode).argmax(1)
    return peak(lambda: torch.nn.functional.interpolate(torch.from_numpy(x), size=size, mode=mode).argmax(1))


def volume(way: str, folder: str) -> tuple[float, float]:
    """Seconds for x2 trilinear from zarr to zarr, and MB at the peak of the process or of the largest worker."""
    source, target = Path(folder) / "in.zarr", Path(folder) / f"{way}.zarr"
    begin = time.perf_counter()
    if way.startswith("loop"):
        _loop(source, target, int(way[-1]))
        return time.perf_counter() - begin, _status("VmHWM")
    return _with_workers(source, target, int(way[-1]))


def _loop(source: Path, target: Path, threads: int) -> None:
    """Without dask: window after window, each as large as a chunk of the other way."""
    import zarr

    import fastup

    stored = zarr.open_array(source, mode="r")
    size = tuple(2 * extent for extent in stored.shape)
    made = zarr.create_array(
        target, shape=size, chunks=stored.chunks, dtype=stored.dtype, compressors=None, overwrite=True
    )
    plan = fastup.plan.interpolate((1, 1, *stored.shape), "float32", scale_factor=2, mode="trilinear")
    step = 2 * _CHUNK
    for corner in np.ndindex(*(extent // step for extent in size)):
        window = tuple(slice(step * k, step * (k + 1)) for k in corner)
        part = np.asarray(stored[plan.input_window(window)])
        made[window] = fastup.run(plan.tile(window), part[None, None], threads=threads)[0, 0]


def _with_workers(source: Path, target: Path, workers: int) -> tuple[float, float]:
    """On a cluster of processes of one thread each, which is there before the clock runs."""
    from distributed import Client, LocalCluster

    from fastup.cli import stores

    cluster = LocalCluster(
        n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    )
    with cluster, Client(cluster) as client:
        client.run(_load)
        begin = time.perf_counter()
        stores.upscale(source, target, (2.0,), "trilinear", None, True, cluster.scheduler_address)
        seconds = time.perf_counter() - begin
        return seconds, max(client.run(_status, "VmHWM").values())


def _load() -> None:
    import fastup

    fastup.interpolate(np.zeros((1, 1, 8, 8, 8), np.float32), scale_factor=2, mode="trilinear")


def _measured(*arguments: object) -> list[float]:
    """The numbers that a process of its own prints."""
    command = [sys.executable, "-m", "benchmarks.memory_and_zarr", "--one", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [float(number) for number in done.stdout.split()[-2:]]


def _memory_table() -> list[str]:
    lines = ["| call | upsampled logits, MB | torch, MB | fastup, MB | of torch |", "|---|---|---|---|---|"]
    for number, (shape, size) in enumerate(_CALLS):
        ours, theirs = (median(_measured(name, number)[-1] for _ in range(_ROUNDS)) for name in ("fastup", "torch"))
        logits = np.prod((*shape[:2], *size)) * 4 / 2**20
        lines.append(f"| {shape} to {size} | {logits:.0f} | {theirs:.1f} | {ours:.1f} | {ours / theirs:.3f} |")
    return lines


def _volume_table() -> list[str]:
    ways = ("loop-1", "dask-1", "loop-2", "dask-2")
    found: dict[str, list[list[float]]] = {way: [] for way in ways}
    with tempfile.TemporaryDirectory() as folder:
        _write_volume(Path(folder) / "in.zarr")
        for _ in range(_ROUNDS):
            for way in ways:
                found[way].append(_measured(way, folder))
                shutil.rmtree(Path(folder) / f"{way}.zarr")
    lines = ["| way | s | MB/s written | to the loop | peak MB |", "|---|---|---|---|---|"]
    written = 4 * (2 * _EDGE) ** 3 / 2**20
    for way in ways:
        seconds = median(one for one, _ in found[way])
        pairs = zip(found[f"loop-{way[-1]}"], found[way], strict=True)
        ratio = median(loop / other for (loop, _), (other, _) in pairs)
        memory = max(one for _, one in found[way])
        kind = (
            f"{way[-1]} thread{'s'[: way[-1] != '1']}" if way[0] == "l" else f"{way[-1]} worker{'s'[: way[-1] != '1']}"
        )
        name = f"{'without dask' if way[0] == 'l' else 'dask.distributed'}, {kind}"
        lines.append(f"| {name} | {seconds:.1f} | {written / seconds:.0f} | {ratio:.2f} | {memory:.0f} |")
    return lines


def _write_volume(path: Path) -> None:
    import zarr

    generator = np.random.default_rng(0)
    made = zarr.create_array(path, shape=(_EDGE,) * 3, chunks=(_CHUNK,) * 3, dtype="float32", compressors=None)
    for k in range(0, _EDGE, _CHUNK):
        made[k : k + _CHUNK] = generator.random((_CHUNK, _EDGE, _EDGE), np.float32)


def _times_table() -> list[str]:
    return [report.HEADER, *(report.line(report.measure(cell, _BLOCKS)) for cell in CELLS)]


_MEMORY = f"""\
By how much resident memory grows at its peak within one call of a new process that has made a small one; torch:
interpolate and argmax. Medians of {_ROUNDS}."""
_VOLUMES = f"""\
{_EDGE}x{_EDGE}x{_EDGE} float32 (512 MB) to 4 GB, zarr without compression, chunks of {_CHUNK}x{_CHUNK}x{_CHUNK}.
Without dask a loop reads the input window of each result of {2 * _CHUNK}x{2 * _CHUNK}x{2 * _CHUNK}, runs the tile and
writes it; it has as many threads as the cluster has workers of one thread each. Medians of {_ROUNDS} turns; memory: the
largest process at its peak."""
_SECTIONS: tuple[tuple[str, str, Callable[[], list[str]]], ...] = (
    ("Labels and masks", "The columns are those of *Every cell*.", _times_table),
    ("Memory of upsample_argmax", _MEMORY, _memory_table),
    ("A volume on disk, x2 trilinear", _VOLUMES, _volume_table),
)


def main() -> None:
    """Measure one thing, or all and print or write the sections."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory_and_zarr", description=__doc__)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--write", action="store_true", help="write the sections")
    arguments = parser.parse_args()
    if arguments.one:
        what, where = arguments.one
        print(*((0, labels(what, int(where))) if where.isdecimal() else volume(what, where)))
        return
    for title, words, table in _SECTIONS:
        text = "\n".join([words, "", *table()])
        if arguments.write:
            report.put(title, text)
        else:
            print(f"## {title}", report.machine(), text, sep="\n\n", end="\n\n")


if __name__ == "__main__":
    main()
