"""Hashes of the sources that machine code depends on: a kernel's own module and what it imports of fastup.

An edit changes the digests of the kernels that it touches and no others, so the object cache keeps the rest.
"""

from __future__ import annotations

import functools
import hashlib
import re
from pathlib import Path
from typing import NamedTuple

_PACKAGE = Path(__file__).parents[1]
_EVERY_KERNEL = tuple(f"fastup.runtime.{name}" for name in ("abi", "claim_loop", "fields", "kernel", "lowering"))
_IMPORT = re.compile(r"^from (fastup[\w.]*) import (\([^)]*\)|[^\n]*)", re.MULTILINE)


class Source(NamedTuple):
    """One file: the hash of its bytes, and the modules of kernels that it may import."""

    digest: str
    imports: tuple[str, ...]


def read(package: Path = _PACKAGE) -> dict[str, Source]:
    """All sources of machine code, by module."""
    runtime = (package / "runtime" / f"{name.rpartition('.')[2]}.py" for name in _EVERY_KERNEL)
    files = [*(package / "cpu").glob("*/kernels/*.py"), *(package / "cpu" / "simd").glob("*.py"), *runtime]
    return {".".join(("fastup", *file.relative_to(package).with_suffix("").parts)): _source(file) for file in files}


def _source(file: Path) -> Source:
    content = file.read_bytes()
    found = []
    for module, names in _IMPORT.findall(content.decode()):
        found += [module, *(f"{module}.{name}" for name in re.findall(r"\w+", names))]
    return Source(hashlib.sha256(content).hexdigest(), tuple(found))


def of(module: str, sources: dict[str, Source]) -> str:
    """The digest of one kernel module; of all sources where the module is none of them, as in a test."""
    wanted, seen = [module, *_EVERY_KERNEL] if module in sources else list(sources), set()
    while wanted:
        name = wanted.pop()
        if name in sources and name not in seen:
            seen.add(name)
            wanted += sources[name].imports
    parts = "\0".join(f"{name} {sources[name].digest}" for name in sorted(seen))
    return hashlib.sha256(parts.encode()).hexdigest()


IMPORTED = read()  # now, before the kernels are imported: an edit made later must not pass for what was imported


@functools.cache
def imported(module: str) -> str:
    """The digest of a kernel module as it was when it was imported."""
    return of(module, IMPORTED)
