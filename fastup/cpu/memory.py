"""Where arrays lie in memory: strides, alignment, and whether a result goes past the caches."""

from __future__ import annotations

import sys

from fastup.cpu.simd.moves import ROW_BYTES
from fastup.plan.base import Plan
from fastup.runtime import cpu_info

ELEMENTS = {1: "uint8", 2: "uint16", 4: "uint32", 8: "uint64"}  # as which items of so many bytes are moved


def target_strides(plan: Plan) -> tuple[int, ...]:
    """Bytes between the neighbours of a result along each axis."""
    strides = [plan.dtype.itemsize]
    for extent in reversed(plan.output_shape[1:]):
        strides.insert(0, strides[0] * extent)
    return tuple(strides)


def appended(params: list[int], entries: list[int]) -> int:
    """Where the entries begin that a kernel's integers end with from now on."""
    params += entries
    return len(params) - len(entries)


def aligned(size: int) -> int:
    """The next multiple of 64 bytes."""
    return -(-size // 64) * 64


def beyond_caches(read: int, written: int) -> bool:
    """Whether source and target together fill half of the last cache: then results go past it.

    Other processes and the source's next reader use that cache too. At 21 and 26 MB of 32, bicubic pictures gained 2.5
    and 2.1 times, pixel shuffle at 32 MB 1.4 to 1.7 times, results kept or not; well within the cache streaming loses.
    """
    return 2 * (read + written) >= cpu_info.caches().level3


def streams(far: bool, row: int) -> int:
    """Whether a target beyond the caches, in rows of so many bytes, is put together in L1 and streamed (1) or not (0).

    A compiler for Windows would call a stack probe for the row's buffer, which kernels may not.
    """
    return int(far and row <= ROW_BYTES and sys.platform != "win32")
