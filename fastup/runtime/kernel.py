"""Kernels: plain Python loops over typed pointers, compiled once by Numba, kept as object code, called through ctypes.

A kernel module holds *factories*: functions of small compile-time constants that return a loop body

    body(params, buffers..., start, stop)

over the work items ``start`` to ``stop``. `kernel` adds the claim loop around the body, so that any number of threads
can work on one call, and gives every kernel the same C signature. Nothing here imports Numba until something must be
compiled; a process whose kernels are all in the cache never does.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.util
import itertools
import os
import platform
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from fastup.runtime import cpu_info, digest, forks, object_cache, object_code, seeds, settings
from fastup.runtime.abi import Entry, entry_at

_SPINS = 20_000  # pauses before the caller gives its core away: about 0.2 ms


class Helper:
    """A function that kernels call; Numba inlines it, and plain Python calls it as it is."""

    def __init__(self, function: Callable[..., Any], is_intrinsic: bool) -> None:
        self.function, self.is_intrinsic = function, is_intrinsic
        functools.update_wrapper(self, function)

    def __call__(self, *arguments: Any) -> Any:
        """Run as plain Python."""
        return self.function(*arguments)

    @functools.cached_property
    def compiled(self) -> Any:
        """What Numba can call."""
        from numba.extending import intrinsic

        from fastup.runtime.lowering import subroutine

        return (intrinsic if self.is_intrinsic else subroutine)(_with_compiled_helpers(self.function))


def inline(function: Callable[..., Any]) -> Any:
    """Mark a helper of kernels written in Python."""
    return Helper(function, is_intrinsic=False)


def intrinsic(function: Callable[..., Any]) -> Any:
    """Mark a helper of kernels that emits LLVM IR (Numba's ``@intrinsic``, applied when first compiled)."""
    return Helper(function, is_intrinsic=True)


def _with_compiled_helpers(function: Any) -> Any:
    def resolve(value: Any) -> Any:
        return value.compiled if isinstance(value, Helper) else value

    scope = dict(function.__globals__)
    scope |= {name: resolve(scope[name]) for name in function.__code__.co_names if name in scope}
    cells = tuple(types.CellType(resolve(cell.cell_contents)) for cell in function.__closure__ or ())
    return types.FunctionType(function.__code__, scope, function.__name__, function.__defaults__, cells)


class Compiled(NamedTuple):
    """Machine code of one kernel: the object, the name of its entry point, and where that lies in this process."""

    code: bytes
    symbol: str
    address: int


class Family:
    """All instances of one kernel: a factory, the types of its buffers, and the finite set of its constants."""

    def __init__(
        self,
        factory: Callable[..., Any],
        buffers: tuple[str, ...],
        elements: tuple[str, ...],
        constants: dict[str, Any],
    ) -> None:
        self.factory, self.buffers, self.elements, self.constants = factory, buffers, elements, constants
        self.module = factory.__module__
        self.name = f"{self.module.rpartition('.')[2]}.{factory.__name__}"
        self._entries: dict[tuple[Any, ...], Entry] = {}

    def __call__(self, element: str, *constants: int) -> Entry:
        """The compiled kernel for one element type and one value of each constant."""
        key: tuple[Any, ...] = (element, *constants)
        entry = self._entries.get(key)
        if entry is None:
            if key not in self.instances():
                raise KeyError(f"{self.name}{key} is not in the catalogue")
            with forks.lock:
                entry = self._entries.get(key) or self._entries.setdefault(key, _make(self, *key))
        return entry

    def instances(self) -> Iterator[tuple[Any, ...]]:
        """Every (element, constants...) that this kernel exists for."""
        return itertools.product(self.elements, *self.constants.values())


def kernel(
    *buffers: str, elements: tuple[str, ...], **constants: tuple[int, ...]
) -> Callable[[Callable[..., Any]], Family]:
    """Declare a kernel: the element type of each buffer ("element" for the instance's own) and all instances."""
    return lambda factory: Family(factory, buffers, elements, constants)


def _make(family: Family, element: str, *constants: int) -> Entry:
    if runtime() == "seed" and (address := seeds.seed().address(seed_key(family, element, *constants))):
        return entry_at(address)
    if runtime() == "numba":
        return entry_at(_compile(family, element, constants).address)
    if found := stored(family, element, *constants):
        return entry_at(object_code.load(*found))
    now = digest.of(family.module, digest.read())
    compiled = _compile(family, element, constants)
    if now == digest.imported(family.module):  # else edited since the import: this code is not what the files say
        with contextlib.suppress(ValueError):  # not self-contained, as with NUMBA_OPT=0: good for this process only
            code, symbol = object_of(compiled)
            object_cache.write(_key(family, _target(), (element, *constants)), symbol, code)
    return entry_at(compiled.address)


def stored(family: Family, element: str, *constants: int) -> tuple[bytes, str] | None:
    """Object code and symbol of an instance, if the cache has them for this processor."""
    for target in (_target(), *_fallback_levels()):
        if found := object_cache.read(_key(family, target, (element, *constants))):
            return found[1], found[0]
    return None


def portable_object(family: Family, symbol: str, element: str, *constants: int) -> bytes:
    """Position-independent code of an instance, whose entry point has this name, for a shared object."""
    from fastup.runtime import lowering

    names = [element if name == "element" else name for name in family.buffers]
    body = _with_compiled_helpers(family.factory(*constants))
    code = lowering.portable(body, names, _SPINS, symbol)
    if surplus := object_code.undefined_symbols(code) - set(object_code.ALLOWED_SYMBOLS):
        raise ValueError(f"{family.name} needs {sorted(surplus)}: kernels must be self-contained")
    return code


def object_of(compiled: Compiled) -> tuple[bytes, str]:
    """Object code and symbol of a kernel, refused if it would need anything but the C library's copy loops."""
    if surplus := object_code.undefined_symbols(compiled.code) - set(object_code.ALLOWED_SYMBOLS):
        raise ValueError(f"{compiled.symbol} needs {sorted(surplus)}: kernels must be self-contained")
    return compiled.code, compiled.symbol


def _compile(family: Family, element: str, constants: tuple[int, ...]) -> Compiled:
    from fastup.runtime import lowering

    names = [element if name == "element" else name for name in family.buffers]
    body = _with_compiled_helpers(family.factory(*constants))
    library, symbol, address = lowering.compiled(body, names, _SPINS)
    object_code.keep_for_ever(library, library.codegen)
    return Compiled(bytes(library._get_compiled_object()), symbol, address)


def compile_instance(family: Family, element: str, *constants: int) -> Compiled:
    """Fresh code of one instance, past every cache: for tests that read its assembly or its symbols."""
    with forks.lock:
        return _compile(family, element, constants)


def runtime() -> str:
    """How kernels run: "seed" (packed with fastup), "object" (cached code through llvmlite), "numba" (the live one)."""
    chosen = os.environ.get("FASTUP_RUNTIME")
    if chosen not in (None, "", "seed", "object", "numba"):
        raise ValueError(f"fastup: FASTUP_RUNTIME must be 'seed', 'object' or 'numba', got {chosen!r}")
    # The object loader has been run on this platform only; elsewhere Numba's own loader is the safe choice.
    tested = sys.platform == "linux" and platform.machine() == "x86_64"
    packed = seeds.seed().library is not None and not object_cache.prefers_own()
    return chosen or (("seed" if packed else "object") if tested else "numba")


@functools.cache
def _versions() -> str:
    """Versions of the compilers, read from their files: importing numba takes 0.2 s, importlib.metadata 34 ms."""
    found = []
    for package in ("numba", "llvmlite"):
        spec = importlib.util.find_spec(package)
        folder = Path(((spec and spec.submodule_search_locations) or [""])[0])
        found.append(hashlib.sha256((folder / "_version.py").read_bytes()).hexdigest())
    return " ".join(found)


def _target() -> str:
    name = os.environ.get("NUMBA_CPU_NAME") or cpu_info.cpu_name()
    features = os.environ.get("NUMBA_CPU_FEATURES")
    if name in cpu_info.LEVELS and not features:
        return name
    return f"{name} {cpu_info.cpu_features() if features is None else features}"


def target_has(feature: str) -> bool:
    """Whether the processor that kernels are compiled for has this LLVM feature; ARM64 always has "fma" and "neon"."""
    packed = runtime() == "seed" and seeds.seed().library is not None
    name, _, features = (seeds.seed().level if packed else _target()).partition(" ")
    if name in cpu_info.LEVELS:
        names = list(cpu_info.LEVELS)
        return any(feature in cpu_info.LEVELS[level] for level in names[names.index(name) :])
    arm = platform.machine().lower() in ("arm64", "aarch64")
    return f"+{feature}" in features.split(",") or (arm and feature in ("fma", "neon"))


def _fallback_levels() -> tuple[str, ...]:
    if "NUMBA_CPU_NAME" in os.environ:
        return ()
    return cpu_info.levels()


def seed_key(family: Family, element: str, *constants: int) -> str:
    """What a packed kernel is found by: its sources and its constants."""
    parts = (digest.imported(family.module), family.name, element, *map(str, constants))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _key(family: Family, target: str, instance: tuple[Any, ...]) -> str:
    variables = [f"{name}={os.environ.get(name, '')}" for name in settings.NUMBA]
    parts = (digest.imported(family.module), _versions(), f"{sys.platform} {platform.machine()}", target, family.name)
    return hashlib.sha256("\0".join([*parts, *map(str, instance), *variables]).encode()).hexdigest()
