"""Compiled kernels that came with the package: one shared object per level of x86-64, opened without a compiler.

``seeds/<level>-<hash>.so`` beside this folder: the hash is of the file's bytes, so that a damaged one is not opened. A
kernel is found by the hash of its sources and its constants, whatever versions of Numba and Python are installed; what
is not in the file is compiled as ever. `fastup.seeding` makes these files.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
import platform
import sys
from pathlib import Path
from typing import Any, NamedTuple

from fastup.runtime import cpu_info, settings

FOLDER = Path(__file__).resolve().parents[1] / "seeds"
_TARGET = ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES")
_HASH = 16  # hexadecimal digits in a file's name


class Seed(NamedTuple):
    """The file for this processor: its level, and the open object, or why there is none."""

    level: str
    library: Any
    problem: str

    def address(self, key: str) -> int | None:
        """Where the kernel of this key begins."""
        if self.library is None:
            return None
        try:
            function = getattr(self.library, symbol_of(key))
        except AttributeError:
            return None
        return ctypes.cast(function, ctypes.c_void_p).value


def symbol_of(key: str) -> str:
    """The name of a kernel's entry point in the object."""
    return f"fastup_{key[:32]}"


def file_name(level: str, content: bytes) -> str:
    """What a file of this content is called."""
    return f"{level}-{hashlib.sha256(content).hexdigest()[:_HASH]}.so"


@functools.cache
def seed() -> Seed:
    """The best file that this processor runs, opened once."""
    if any(os.environ.get(name) for name in (*_TARGET, *settings.NUMBA)):
        return Seed("", None, "kernels are compiled, for a setting of Numba asks for other ones")
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return Seed("", None, "")
    return _opened(FOLDER)


def _opened(folder: Path) -> Seed:
    level = (*cpu_info.levels(), "")[0]
    files = sorted(folder.glob(f"{level}-*.so")) if level and folder.is_dir() else []
    if not files:
        return Seed(level, None, "")
    if not _is_all(level):
        return Seed(level, None, f"this processor has more than {level}, of which tables would have another layout")
    try:
        if file_name(level, files[0].read_bytes()) != files[0].name:
            return Seed(level, None, f"{files[0].name} is damaged")
        return Seed(level, ctypes.CDLL(str(files[0])), "")
    except OSError as error:  # memory that may not be executed, for one
        return Seed(level, None, f"{files[0].name} cannot be opened ({error})")


def _is_all(level: str) -> bool:
    """Whether the processor has nothing of the levels above, which `kernel.target_has` would count on."""
    names = list(cpu_info.LEVELS)
    above = {feature for name in names[: names.index(level)] for feature in cpu_info.LEVELS[name]}
    return not above & cpu_info.features() & {"avx512f", "avx2", "avx", "fma", "f16c"}
