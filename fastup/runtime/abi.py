"""The one C signature of all kernels, and the counters through which threads share a call.

``(params, buffers..., counters, wait)`` gives 1 while chunks of other threads are still running, else 0.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import NamedTuple

BUFFERS = 4
_PROTOTYPE = (ctypes.c_int64, *[ctypes.c_void_p] * (BUFFERS + 3))
_RELEASING, _HOLDING = ctypes.CFUNCTYPE(*_PROTOTYPE), ctypes.PYFUNCTYPE(*_PROTOTYPE)

# Indices into the counters of a shared call; the two that are written live in cache lines of their own.
CLAIMED, DONE, CHUNK, CHUNKS, COUNTERS = 0, 16, 32, 33, 40


class Entry(NamedTuple):
    """One compiled kernel behind two prototypes: one lets other Python threads run, one keeps the GIL."""

    releasing: Callable[..., int]
    holding: Callable[..., int]
    address: int  # for kernels that call it as a stage


def entry_at(address: int) -> Entry:
    """The kernel at this address."""
    return Entry(_RELEASING(address), _HOLDING(address), address)
