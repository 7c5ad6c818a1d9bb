"""Packed kernels: made twice they are the same, they need no compiler, and one that is damaged is not opened."""

from __future__ import annotations

import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from fastup import seeding
from fastup.runtime import cpu_info, kernel, seeds

LEVEL = (*cpu_info.levels(), "")[0]
pytestmark = [
    pytest.mark.skipif(sys.platform != "linux" or not LEVEL, reason="levels of x86-64 on Linux"),
    pytest.mark.skipif(shutil.which("cc") is None, reason="no linker"),
]
ONLY = "zero_stuff"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    (file,) = seeding.make(tmp_path_factory.mktemp("seeds"), [LEVEL], ONLY)
    return file


def test_the_same_bytes_twice(made: Path, tmp_path: Path) -> None:
    (again,) = seeding.make(tmp_path, [LEVEL], ONLY)
    assert again.name == made.name
    assert again.read_bytes() == made.read_bytes()


def test_it_is_a_plain_library(made: Path) -> None:
    """No text is relocated, no stack is executable, tables are read-only, and only memory functions come from libc."""
    if (readelf := shutil.which("readelf")) is None:
        pytest.skip("no readelf")
    text = subprocess.run([readelf, "-dlW", "--dyn-syms", made], check=True, capture_output=True, text=True).stdout
    assert "TEXTREL" not in text
    assert "GNU_RELRO" in text
    assert "BIND_NOW" in text
    (stack,) = (line for line in text.splitlines() if "GNU_STACK" in line)
    assert " RWE " not in stack
    symbols = [line.split()[-1] for line in text.splitlines() if " FUNC " in line or " OBJECT " in line]
    outside = {name.partition("@")[0] for name in symbols if not name.startswith("fastup_")}
    assert outside <= {"memcpy", "memset", "memmove", "(2)", "(3)"}
    assert sum(name.startswith("fastup_") for name in symbols) == len(seeding.catalogue(ONLY))


RUN = """
    import pathlib, sys
    from fastup.runtime import seeds
    seeds.FOLDER = pathlib.Path({folder!r})
    import numpy as np
    import fastup
    from fastup.runtime import kernel
    y = fastup.zero_stuff(np.arange(6, dtype=np.float32).reshape(1, 1, 2, 3), 2)
    print(kernel.runtime(), y.sum(), y.shape, "numba" in sys.modules, "llvmlite" in sys.modules)
"""


def run(folder: Path, tmp_path: Path, code: str = RUN, **settings: str) -> str:
    """What a process says whose cache cannot be written."""
    environment = {"PATH": "", "PYTHONPATH": ":".join(sys.path), "FASTUP_CACHE_DIR": "/proc/none", **settings}
    program = textwrap.dedent(code).format(folder=str(folder))
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_no_compiler_is_imported(made: Path, tmp_path: Path) -> None:
    shape = "(1, 1, 3, 5)"
    assert run(made.parent, tmp_path) == f"seed 15.0 {shape} False False"
    assert run(made.parent, tmp_path, FASTUP_RUNTIME="object") == f"object 15.0 {shape} True True"
    assert run(made.parent, tmp_path, NUMBA_OPT="2") == f"object 15.0 {shape} True True"


def test_native_objects_come_first_where_they_were_asked_for(made: Path, tmp_path: Path) -> None:
    """Asked for by a file in the cache, which nobody else may put there."""
    cache = tmp_path / "cache"
    cache.mkdir(mode=0o700)
    (cache / "native").touch()
    assert run(made.parent, tmp_path, FASTUP_CACHE_DIR=str(cache)).startswith("object 15.0")
    assert list(cache.glob("*.fastup"))
    cache.chmod(0o777)
    assert run(made.parent, tmp_path, FASTUP_CACHE_DIR=str(cache)).startswith("seed 15.0")


def test_damaged_and_foreign_files_are_not_opened(made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "seeds"
    folder.mkdir()
    assert seeds._opened(folder) == (LEVEL, None, "")
    content = bytearray(made.read_bytes())
    content[len(content) // 2] ^= 1
    (folder / made.name).write_bytes(content)
    assert seeds._opened(folder) == (LEVEL, None, f"{made.name} is damaged")
    assert run(folder, tmp_path).startswith("object 15.0")
    (folder / made.name).unlink()
    foreign = folder / seeds.file_name(LEVEL, b"no library")
    foreign.write_bytes(b"no library")
    assert seeds._opened(folder).problem.startswith(f"{foreign.name} cannot be opened")


def test_kernels_that_are_not_packed_are_compiled(made: Path) -> None:
    seed = seeds._opened(made.parent)
    (family, instance), *_ = seeding.catalogue(ONLY)
    other, another = next(one for one in seeding.catalogue() if ONLY not in one[0].name)
    assert seed.address(kernel.seed_key(family, *instance))
    assert seed.address(kernel.seed_key(other, *another)) is None


def test_a_processor_between_two_levels_uses_none(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables would be laid out for what it has beyond the level."""
    lower = list(cpu_info.LEVELS)[-1]
    monkeypatch.setattr(cpu_info, "levels", lambda: (lower,))
    (made.parent / seeds.file_name(lower, b"x")).write_bytes(b"x")
    if {"avx", "avx2", "avx512f"} & cpu_info.features():
        assert "has more than" in seeds._opened(made.parent).problem


BITS = """
    import hashlib, pathlib, sys
    from fastup.runtime import seeds
    seeds.FOLDER = pathlib.Path({folder!r})
    import numpy as np
    import fastup
    from fastup.runtime import kernel
    found, drawn = hashlib.sha256(), np.random.default_rng(0)
    for dtype in ("uint8", "float16", "float32", "float64"):
        for shape, stride in (((2, 3, 5, 7), 2), ((1, 1, 1, 33), (3, 1)), ((1, 4, 17), 4)):
            found.update(fastup.zero_stuff((drawn.random(shape) * 99).astype(dtype), stride).tobytes())
    print(kernel.runtime(), found.hexdigest())
"""


def test_results_are_those_of_compiled_kernels(made: Path, tmp_path: Path) -> None:
    """Bit for bit, in a process that opens the library and in one that compiles."""
    packed, compiled = (run(made.parent, tmp_path, BITS, FASTUP_RUNTIME=name).split() for name in ("seed", "object"))
    assert (packed[0], compiled[0]) == ("seed", "object")
    assert packed[1] == compiled[1]
