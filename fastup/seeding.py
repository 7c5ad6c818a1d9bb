"""How packed kernels are made: every instance as position-independent code for a level, linked by the system.

``python -m fastup.seeding FOLDER [LEVEL ...]`` writes the files that `fastup.runtime.seeds` opens. Each level is
compiled in processes of its own, for Numba has one target per process. The same sources and compilers give the same
bytes: objects are linked in the order of their names, without build identifiers and without symbols of their own.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import fastup.operators  # noqa: F401  # it fills in the rows
from fastup.plan.registry import ROWS
from fastup.runtime import cpu_info, kernel, seeds

_FLAGS = (
    "-shared", "-nostartfiles", "-s", "-Wl,-z,relro,-z,now,-z,noexecstack,-z,text", "-Wl,--build-id=none",
    "-Wl,--hash-style=gnu,--as-needed,--version-script=exports",
)  # fmt: skip
_MODULE = "fastup.seeding"  # which may run as a program
_SLICES = 8  # of a level's instances: so many processes end at different times


def catalogue(only: str = "") -> list[tuple[kernel.Family, tuple[Any, ...]]]:
    """Every instance of the kernels in whose names this text is."""
    families = dict.fromkeys(family for row in ROWS.values() for family in row.families)
    return [(family, one) for family in families if only in family.name for one in family.instances()]


def compile_slice(folder: Path, number: int, of: int, only: str = "") -> None:
    """Write every so many-th object."""
    for family, instance in catalogue(only)[number::of]:
        symbol = seeds.symbol_of(kernel.seed_key(family, *instance))
        (folder / f"{symbol}.o").write_bytes(kernel.portable_object(family, symbol, *instance))


def link(objects: Path, level: str, folder: Path) -> Path:
    """One shared object of all objects in a folder."""
    made = objects / "linked.so"
    names = sorted(file.name for file in objects.glob("*.o"))
    (objects / "names").write_text("\n".join(names))
    (objects / "exports").write_text("{ global: fastup_*; local: *; };")  # not what Numba keeps for itself
    command = [os.environ.get("CC", "cc"), *_FLAGS, "-o", made.name, "@names"]
    subprocess.run(command, cwd=objects, check=True, env={**os.environ, "LC_ALL": "C"})
    content = made.read_bytes()
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob(f"{level}-*.so"):
        old.unlink()
    target = folder / seeds.file_name(level, content)
    target.write_bytes(content)
    return target


def make(folder: Path, levels: Sequence[str], only: str = "") -> list[Path]:
    """The files of these levels."""
    with tempfile.TemporaryDirectory() as scratch:
        places = {level: Path(scratch, level) for level in levels}
        for place in places.values():
            place.mkdir()
        with concurrent.futures.ThreadPoolExecutor(cpu_info.usable_cores()) as pool:
            parts = [(level, number) for level in levels for number in range(_SLICES)]
            list(pool.map(lambda part: _slice(places[part[0]], part[0], part[1], only), parts))
        return [link(place, level, folder) for level, place in places.items()]


def _slice(place: Path, level: str, number: int, only: str) -> None:
    environment = {**os.environ, "NUMBA_CPU_NAME": level, "NUMBA_CPU_FEATURES": "", "FASTUP_RUNTIME": "object"}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    code = f"from pathlib import Path; from {_MODULE} import compile_slice; "
    code += f"compile_slice(Path({str(place)!r}), {number}, {_SLICES}, {only!r})"
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


def main() -> None:
    """Parse the arguments and make the files."""
    parser = argparse.ArgumentParser(prog="python -m fastup.seeding", description="Write packed kernels.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("levels", nargs="*", default=list(cpu_info.LEVELS))
    parser.add_argument("--only", default="", help="kernels in whose names this is")
    arguments = parser.parse_args()
    for file in make(arguments.folder, arguments.levels, arguments.only):
        print(f"{file}: {file.stat().st_size} bytes")


if __name__ == "__main__":
    main()
