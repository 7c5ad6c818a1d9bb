"""Forks while another thread loads or compiles a kernel: they wait until that is done.

A child has only the thread that forked. A lock that another thread held, a half-done import, or LLVM's own state in the
midst of a change would be there for ever, and the child's first kernel would wait for it.
"""

from __future__ import annotations

import contextlib
import importlib
import logging  # noqa: F401  (hooks run in reverse order: its lock, which a compiling thread may need, is taken after ours)
import os
import sys
import threading
from types import ModuleType
from typing import Any

# Kernels are loaded and compiled under it, and what is imported late is imported under it.
lock = threading.RLock()

# Where compilers keep their locks, which the program's own use of them may hold: module, then attributes.
_COMPILERS = (
    ("numba.core.compiler_lock", ("global_compiler_lock",)),
    ("llvmlite.binding.ffi", ("lib", "_lock")),
)
_held: list[Any] = []


def late_import(name: str) -> ModuleType:
    """Import a module in the midst of a call: no fork finds it half-done, which its child would wait for."""
    with lock:
        return importlib.import_module(name)


def _before() -> None:
    lock.acquire()
    for other in _locks_of_compilers():
        other.__enter__()
        _held.append(other)


def _after() -> None:
    while _held:
        with contextlib.suppress(RuntimeError):
            _held.pop().__exit__(None, None, None)
    lock.release()


def _locks_of_compilers() -> list[Any]:
    found = []
    for module, names in _COMPILERS:
        one: Any = sys.modules.get(module)
        for name in names:
            one = getattr(one, name, None)
        if hasattr(one, "__enter__"):
            found.append(one)
    return found


# At the import, not at the first kernel: a fork that is under way when a thread registers hooks runs half of them.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_after)
