"""``fastup warmup`` and ``fastup info``."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

import fastup
from fastup.operators import OPERATORS
from fastup.runtime import cpu_info, kernel, memory, object_cache, seeds

_PEERS = ("torch", "onnxruntime", "onnx", "openvino", "opencv-python-headless", "opencv-python", "pillow", "ncnn")


@click.command()
@click.option("--operator", "operators", multiple=True, type=click.Choice(tuple(OPERATORS)), help="Default: all.")
@click.option("--dtype", "dtypes", multiple=True, default=("float32", "uint8"), show_default=True)
@click.option("--native", is_flag=True, help="For this very processor, and take these before what the wheel packs.")
@click.option("--level", type=click.Choice(tuple(cpu_info.LEVELS)), help="Compile for this level, for other machines.")
def warmup(operators: tuple[str, ...], dtypes: tuple[str, ...], native: bool, level: str | None) -> None:
    """Compile kernels into the object cache, e.g. while an image is built."""
    if native and level is not None:
        raise click.UsageError("--native and --level exclude each other")
    if native:
        object_cache.prefer_own()
    if level is not None and os.environ.get("NUMBA_CPU_NAME") != level:
        # Numba has one target per process, fixed when it is imported.
        environment = {**os.environ, "NUMBA_CPU_NAME": level, "NUMBA_CPU_FEATURES": ""}
        sys.exit(
            subprocess.run([sys.executable, "-m", "fastup", *sys.argv[1:]], env=environment, check=False).returncode
        )
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("compiling")

        def report(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        count = fastup.warmup(operators or None, dtypes, progress=report)
    click.echo(f"{count} kernels; {_stored(object_cache.folder())}")


@click.command()
def info() -> None:
    """Show the processor, the threads, the cache folder and the peers found."""
    table = Table(show_header=False, box=None)
    for name, value in _facts().items():
        table.add_row(name, value)
    Console(highlight=False).print(table)


def _facts() -> dict[str, str]:
    caches = cpu_info.caches()
    return {
        "fastup": fastup.__version__,
        "python": sys.version.split()[0],
        "processor": f"{cpu_info.brand()} ({cpu_info.cpu_name()}), {cpu_info.isa()}",
        "caches": ", ".join(f"L{level} {n // 1024} KB" for level, n in enumerate(caches, 1)),
        "threads": f"{fastup.get_num_threads()} of {cpu_info.usable_cores()} usable cores",
        "kernels": f"runtime {kernel.runtime()!r}, {_packed()}, {_stored(object_cache.folder())}",
        "results": f"at most {memory.limit() // 2**20} MB kept",
        "peers": ", ".join(_versions()) or "none",
    }


def _packed() -> str:
    """What came with fastup, or why it is not used."""
    found = seeds.seed()
    if found.problem:
        return f"packed kernels not used: {found.problem}"
    return f"packed kernels of {found.level}" if found.library else "no packed kernels"


def _stored(folder: Path) -> str:
    """What the cache holds, or why it is not used."""
    if found := object_cache.problem(folder):
        return f"no cache: {folder} {found}"
    files = list(folder.glob("*.fastup")) if folder.is_dir() else []
    return f"{len(files)} objects ({sum(file.stat().st_size for file in files) // 1024} KB) in {folder}"


def _versions() -> list[str]:
    found = []
    for name in _PEERS:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
