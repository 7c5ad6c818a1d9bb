"""Forks while another thread loads or compiles a kernel: they wait until that is done.

A child has only the thread that forked. A lock that another thread held, a half-done import, or LLVM's own state in the
midst of a change would be there for ever, and the child's first kernel would wait for it.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from typing import Any

# Where compilers keep their locks, which the program's own use of them may hold: module, then attributes.
_COMPILERS = (
    ("numba.core.compiler_lock", ("global_compiler_lock",)),
    ("llvmlite.binding.ffi", ("lib", "_lock")),
)
_held: list[Any] = []


@functools.cache
def guard(lock: Any) -> None:
    """Let every fork from now on wait for the lock, under which kernels are made, and for the compilers' own.

    Hooks run in reverse order before a fork. logging's, which takes a lock that a compiling thread may need, must
    therefore be there first.
    """
    import logging  # noqa: F401

    if not hasattr(os, "register_at_fork"):
        return

    def before() -> None:
        lock.acquire()
        for other in _locks_of_compilers():
            other.__enter__()
            _held.append(other)

    def after() -> None:
        while _held:
            with contextlib.suppress(RuntimeError):
                _held.pop().__exit__(None, None, None)
        lock.release()

    os.register_at_fork(before=before, after_in_parent=after, after_in_child=after)


def _locks_of_compilers() -> list[Any]:
    found = []
    for module, names in _COMPILERS:
        one: Any = sys.modules.get(module)
        for name in names:
            one = getattr(one, name, None)
        if hasattr(one, "__enter__"):
            found.append(one)
    return found
