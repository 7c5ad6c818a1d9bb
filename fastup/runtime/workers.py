"""Running a kernel: on the calling thread alone when that is quicker, else with helpers that claim chunks beside it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import queue
import sys
import threading
import time
from collections.abc import Sequence
from operator import index
from types import TracebackType
from typing import Any

import numpy as np

from fastup.runtime import cpu_info, settings
from fastup.runtime.abi import CHUNK, CHUNKS, COUNTERS, Entry

# Microseconds of expected work. Giving up the GIL can cost 5 ms (the switch interval) when another thread wants it;
# waking a helper costs 20 to 90 us. Both were measured, as was the gain of a second thread from 200 us on.
HOLD_GIL_BELOW, SPLIT_FROM, CHUNK_OF = 50, 200, 50
_CHUNKS_PER_THREAD, _MOST_THREADS = 16, 128  # four left convolutions 3 to 10 % slower: one thread waited for the other

_jobs: queue.SimpleQueue[tuple[Any, ...]] = queue.SimpleQueue()
_helpers: list[threading.Thread] = []
_lock = threading.Lock()
_active = 0
_chosen: tuple[int, int] | None = None  # set_num_threads: (threads, process that asked)
_default: int | None = None


class Launch:
    """A kernel with all that stays the same from call to call: its integers, its table, its expected time."""

    __slots__ = ("address", "entry", "microseconds", "params", "table", "table_address", "total", "workspace")

    def __init__(
        self,
        entry: Entry,
        params: Sequence[int],
        microseconds: float,
        table: Any = None,
        table_address: int = 0,
        workspace: int = 0,
    ) -> None:
        """`params` starts with the number of work items; `table` is kept alive for `table_address`.

        Each thread that works on the call gets `workspace` bytes of its own.
        """
        self.entry, self.total, self.microseconds, self.workspace = entry, params[0], microseconds, workspace
        self.params = (ctypes.c_int64 * len(params))(*params)
        self.address = ctypes.addressof(self.params)
        self.table, self.table_address = table, table_address

    @property
    def nbytes(self) -> int:
        """Bytes of the integers and of the table."""
        return len(self.params) * 8 + sum(getattr(one, "nbytes", 0) for one in _as_tuple(self.table))

    def __call__(
        self, source: int, target: int, keep: tuple[Any, ...], threads: int | None = None, table: int = 0
    ) -> None:
        """Run over buffers at these addresses; `keep` holds their owners, `table` stands in for the launch's own."""
        table = table or self.table_address
        if self.microseconds < HOLD_GIL_BELOW:
            room = _workspace(self.workspace)[0] if self.workspace else 0
            self.entry.holding(self.address, source, target, table, room, 0, 0)
            return
        count = get_num_threads() if threads is None else threads
        if count == 1 or self.total == 1 or self.microseconds < SPLIT_FROM:
            workspace = _workspace(self.workspace)
            self.entry.releasing(self.address, source, target, table, workspace[0], 0, 0)
        else:
            self._share((self.address, source, target, table), keep, count)

    def _share(self, buffers: tuple[int, ...], keep: tuple[Any, ...], count: int) -> None:
        chunks = min(self.total, int(self.microseconds / CHUNK_OF), _CHUNKS_PER_THREAD * count)
        chunk = -(-self.total // chunks)
        counters = (ctypes.c_int64 * COUNTERS)()
        counters[CHUNK], counters[CHUNKS] = chunk, -(-self.total // chunk)
        shared = ctypes.addressof(counters)
        # A helper that comes late finds no chunk left and touches only the counters. After an interrupt it may still
        # be writing, so its job keeps the arrays; after success the list is emptied and they can be reused at once.
        owners = [*keep]
        with _callers() as callers:
            _post(
                (self.entry.releasing, buffers, shared, self.workspace, self, counters, owners),
                (min(count, counters[CHUNKS], _MOST_THREADS) - 1) // callers,
            )
            workspace = _workspace(self.workspace)
            while self.entry.releasing(*buffers, workspace[0], shared, 1):
                time.sleep(0)
        owners.clear()


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


class _Workspaces(threading.local):
    """Memory that a thread's kernels use between their rows; it grows to the largest call and stays."""

    size = 0
    place: tuple[int, Any] = (0, None)


_workspaces = _Workspaces()


def _workspace(size: int) -> tuple[int, Any]:
    """Address of so many bytes for the calling thread, aligned to 64, and their owner.

    Who gives up the GIL keeps the pair in a local variable: when the interpreter ends, it drops what is local to a
    daemon thread while the thread's kernel may still run, but not the variables of its functions.
    """
    mine = _workspaces
    if size > mine.size:
        memory = (ctypes.c_char * (size + 64))()
        mine.place = (-(-ctypes.addressof(memory) // 64) * 64, memory)
        mine.size = size
    return mine.place


@contextlib.contextmanager
def _callers() -> Any:
    """Count concurrent calls: k callers share the helpers instead of asking for all of them k times."""
    global _active
    with _lock:
        _active += 1
        callers = _active
    try:
        yield callers
    finally:
        with _lock:
            _active -= 1


def _post(job: tuple[Any, ...], wanted: int) -> None:
    if wanted > len(_helpers):
        with _lock, contextlib.suppress(RuntimeError):  # no thread to be had: the caller does what helpers would
            while wanted > len(_helpers):
                thread = threading.Thread(target=_help, args=(_jobs,), name="fastup-helper", daemon=True)
                thread.start()
                _helpers.append(thread)
    for _ in range(min(wanted, len(_helpers))):
        _jobs.put(job)


def _help(jobs: queue.SimpleQueue[tuple[Any, ...]]) -> None:
    while True:
        job = jobs.get()
        with contextlib.suppress(MemoryError):  # of the workspace; the caller does what this helper would
            workspace = _workspace(job[3])
            job[0](*job[1], workspace[0], job[2], 0)
        del job


def get_num_threads() -> int:
    """Number of threads that one call may use.

    The number given to `set_num_threads`; else ``FASTUP_NUM_THREADS``, ``NUMBA_NUM_THREADS`` or ``OMP_NUM_THREADS``;
    else as many as affinity and control group allow. A multiprocessing child uses one thread unless it asks for more.

    Returns
    -------
    int
        At least 1.

    Examples
    --------
    >>> import fastup
    >>> with fastup.set_num_threads(1):
    ...     fastup.get_num_threads()
    1
    """
    global _default
    if _chosen is not None and (_chosen[1] == os.getpid() or not _is_multiprocessing_child()):
        return _chosen[0]
    asked = settings.number("FASTUP_NUM_THREADS", 1)
    if asked is not None:
        return asked
    if _is_multiprocessing_child():
        return 1
    if _default is None:
        _default = _default_threads()
    return _default


class set_num_threads:  # noqa: N801  (a function that is also a context manager)
    """Set how many threads one call may use, for the process or for a ``with`` block.

    Parameters
    ----------
    count : int
        At least 1.

    Raises
    ------
    TypeError, ValueError
        If `count` is no integer, or below 1.

    Examples
    --------
    >>> import fastup
    >>> before = fastup.get_num_threads()
    >>> with fastup.set_num_threads(2):
    ...     fastup.get_num_threads()
    2
    >>> fastup.get_num_threads() == before
    True
    """

    def __init__(self, count: int) -> None:
        global _chosen
        self._before = _chosen
        _chosen = (checked_threads("set_num_threads", "count", count), os.getpid())

    def __enter__(self) -> None:
        """Keep the number for the block."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        global _chosen
        _chosen = self._before


def checked_threads(operator: str, name: str, count: int) -> int:
    """`count` as a number of threads, or the one error message about it."""
    try:
        number = None if isinstance(count, (bool, np.bool_)) else index(count)
    except TypeError:
        number = None
    if number is None:
        raise TypeError(f"{operator}: {name} must be an integer, got {_shown(count)}")
    if number < 1:
        raise ValueError(f"{operator}: {name} must be at least 1, got {_shown(count)}")
    return number


def _shown(value: Any) -> str:
    try:
        return " ".join(repr(value).split())[:120]
    except ValueError:  # Python writes no integers of more than 4,300 digits
        return "an integer of very many digits"


def _default_threads() -> int:
    """What the environment or the system says, to which a multiprocessing child is no exception by itself."""
    for name in ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS"):
        first = os.environ.get(name, "").split(",")[0].strip()  # OMP_NUM_THREADS may list one number per level
        if first.isdecimal() and int(first) > 0:
            return int(first)
    return cpu_info.usable_cores()


def _is_multiprocessing_child() -> bool:
    """Whether multiprocessing started this process, also while it still imports what its parent had imported.

    Until then `parent_process` of a spawned child, or of one of a fork server, gives nothing.
    """
    process = sys.modules.get("multiprocessing.process")
    if process is None:
        return False
    return process.parent_process() is not None or getattr(process.current_process(), "_inheriting", False)


def _start_anew() -> None:
    """In a forked child no helper is alive and any lock may be held: begin as if nothing had run."""
    global _jobs, _lock, _active, _default
    _jobs, _lock, _active, _default = queue.SimpleQueue(), threading.Lock(), 0, None
    _helpers.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_anew)
