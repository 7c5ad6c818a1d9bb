"""Memory of results: large arrays come from blocks that are taken back when the last array over them dies.

Filling a fresh array of 67 MB takes 5.1 ms, most of it page faults, a reused one 2.4 ms; hence the pool. A block is
handed out as the buffer of an ordinary `numpy.ndarray`, so views, memoryviews, DLPack capsules and tensors over it
keep it out of the pool for as long as they live.
"""

from __future__ import annotations

import ctypes
import math
import os
import threading
from collections import deque
from typing import Any

import numpy as np

from fastup.runtime import cpu_info, settings

POOLED_FROM = 2**20
ALIGNMENT = 64
_returned: deque[tuple[int, Any]] = deque()  # filled by finalisers, which may run anywhere, even under our lock
_free: dict[int, list[Any]] = {}
_owned = 0  # bytes of all blocks that are free or handed out
_lock = threading.Lock()


class _Block:
    """Aligned memory on loan; its finaliser must not take a lock, so it only appends."""

    __slots__ = ("memory", "size", "source")

    def __init__(self, size: int, memory: Any, source: deque[tuple[int, Any]]) -> None:
        self.size, self.memory, self.source = size, memory, source

    def __del__(self) -> None:
        self.source.append((self.size, self.memory))


def fits(size: int) -> bool:
    """Whether the machine has so many bytes at all."""
    return size <= cpu_info.memory()


def limit() -> int:
    """Bytes that the pool may own: ``FASTUP_POOL_BYTES``, else the smaller of 512 MB and a sixteenth of memory."""
    chosen = settings.number("FASTUP_POOL_BYTES", 0)
    return _default_limit if chosen is None else chosen


_default_limit = min(512 * 2**20, cpu_info.memory() // 16)


def empty(shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """An uninitialised C-contiguous array; from 1 MB on aligned to 64 bytes and, if there is room, pooled."""
    size = math.prod(shape) * dtype.itemsize
    if size < POOLED_FROM:
        return np.empty(shape, dtype)
    size_class = _size_class(size)
    memory = _take(size_class)
    if memory is None:
        return np.ndarray(shape, dtype, _aligned(size))
    buffer = (ctypes.c_char * size).from_buffer(memory)
    buffer._block = _Block(size_class, memory, _returned)  # type: ignore[attr-defined]
    return np.ndarray(shape, dtype, buffer)  # type: ignore[arg-type]


def _size_class(size: int) -> int:
    """The next of four sizes per power of two: at most a quarter is wasted, and similar results share blocks."""
    step = 1 << (size.bit_length() - 3)
    return -(-size // step) * step


def _aligned(size: int) -> np.ndarray[Any, Any]:
    memory = np.empty(size + ALIGNMENT, np.uint8)
    offset = -memory.ctypes.data % ALIGNMENT
    return memory[offset : offset + size]


def _take(size_class: int) -> Any:
    global _owned
    with _lock:
        _collect()
        if blocks := _free.get(size_class):
            return blocks.pop()
        bound = limit()
        if _owned + size_class > bound:
            _drop(_owned + size_class - bound)
        if _owned + size_class > bound:
            return None
        _owned += size_class
    try:
        return _aligned(size_class)
    except BaseException:
        with _lock:
            _owned -= size_class
        raise


def _collect() -> None:
    while _returned:
        size, memory = _returned.popleft()
        _free.setdefault(size, []).append(memory)


def _drop(surplus: int) -> int:
    """Give free blocks back to the system until `surplus` bytes are gone; the number that went."""
    global _owned
    dropped = 0
    for size in sorted(_free, reverse=True):
        while _free[size] and dropped < surplus:
            _free[size].pop()
            dropped += size
    _owned -= dropped
    return dropped


def release_memory() -> int:
    """Give the memory of finished results back to the system.

    Results of 1 MB and more live in blocks that fastup keeps for the next result of similar size (at most
    ``FASTUP_POOL_BYTES``, by default the smaller of 512 MB and a sixteenth of the memory). Blocks under arrays that
    are still alive are not touched.

    Returns
    -------
    int
        Bytes released.

    Examples
    --------
    >>> import fastup, numpy as np
    >>> y = fastup.pixel_shuffle(np.zeros((1, 16, 256, 256), np.float32), 2)
    >>> del y
    >>> fastup.release_memory() >= 4 * 2**20
    True
    """
    with _lock:
        _collect()
        return _drop(_owned)


def _forget() -> None:
    """In a forked child: the lock may be held, and blocks on loan in the parent are not ours to count."""
    global _lock, _returned, _owned
    _lock, _returned, _owned = threading.Lock(), deque(), 0
    _free.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
