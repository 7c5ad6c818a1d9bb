"""Calls being packed: the kernel's integers, where arrays lie in memory, and whether a result goes past the caches."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterable
from typing import Any

from fastup.cpu.simd.moves import ROW_BYTES
from fastup.plan.base import Plan
from fastup.runtime import cpu_info
from fastup.runtime.abi import Entry
from fastup.runtime.fields import Fields, Value
from fastup.runtime.workers import Launch

ELEMENTS = {1: "uint8", 2: "uint16", 4: "uint32", 8: "uint64"}  # as which items of so many bytes are moved


class Packing:
    """A call being packed: the kernel's integers by name, lists behind them, and the parts of a thread's workspace."""

    def __init__(self, fields: Fields) -> None:
        self.fields, self.workspace = fields, 0
        self._values: dict[str, Value] = {}
        self._lists: list[int] = []

    def set(self, **values: Value) -> None:
        """Give these fields their values."""
        self._values |= values

    def append(self, entries: Iterable[int]) -> int:
        """Where the list begins that the integers end with from now on."""
        begin = self.fields.size + len(self._lists)
        self._lists += entries
        return begin

    def room(self, size: int) -> int:
        """Where the next part of the workspace begins, of so many bytes."""
        begin = self.workspace
        self.workspace += -(-size // 64) * 64
        return begin

    def launch(self, entry: Entry, microseconds: float, table: Any = None, address: int = 0) -> Launch:
        """The kernel call; every field has its value by now."""
        numbers = self.fields.fill(**self._values) + self._lists
        return Launch(entry, numbers, microseconds, table, address, self.workspace)


def target_strides(plan: Plan) -> tuple[int, ...]:
    """Bytes between the neighbours of a result along each axis."""
    strides = [plan.dtype.itemsize]
    for extent in reversed(plan.output_shape[1:]):
        strides.insert(0, strides[0] * extent)
    return tuple(strides)


_SHARE = 32 * 2**20  # bytes of the last cache that one core may count on


def beyond_caches(read: int, written: int) -> bool:
    """Whether source and target together fill half of the last cache: then results go past it.

    Other processes and the source's next reader use that cache too. At 21 and 26 MB of 32, bicubic pictures gained 2.5
    and 2.1 times, pixel shuffle at 32 MB 1.4 to 1.7 times, results kept or not; well within the cache streaming loses.

    A virtual machine is told the cache of a whole server. On two of its cores, told of 300 MB, results of 33 MB and
    more were made 1.6 to 2.2 times faster past the cache, those of 25 MB no faster.
    """
    return 2 * (read + written) >= min(cpu_info.caches().level3, _SHARE * _cores())


@functools.cache
def _cores() -> int:
    return cpu_info.usable_cores()


def streams(far: bool, row: int) -> int:
    """Whether a target beyond the caches, in rows of so many bytes, is put together in L1 and streamed (1) or not (0).

    A compiler for Windows would call a stack probe for the row's buffer, which kernels may not.
    """
    return int(far and row <= ROW_BYTES and sys.platform != "win32")
