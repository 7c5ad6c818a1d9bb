"""The limit of a memory-bound cell: reading its input once and filling its output once, the quickest way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastup.cpu.kernels.simd import row_buffer, stream_vector
from fastup.runtime.kernel import Family, kernel
from fastup.runtime.workers import Launch

Array = np.ndarray[Any, Any]
_PARTS = 64


@kernel("element", "element", elements=("uint64",))
def read() -> Any:
    """Read every item of the source."""

    def body(params: Any, src: Any, dst: Any, start: Any, stop: Any) -> None:
        found = np.uint64(0)
        for k in range(start * params[1], stop * params[1]):
            found ^= src[k]
        if found == 1:  # never with random data; it keeps the loop
            dst[0] = found

    return body


@kernel("element", "element", elements=("uint64",))
def fill() -> Any:
    """Write every item of the target with ordinary stores."""

    def body(params: Any, src: Any, dst: Any, start: Any, stop: Any) -> None:
        for k in range(start * params[1], stop * params[1]):
            dst[k] = 1

    return body


@kernel("element", "element", elements=("uint64",))
def stream() -> Any:
    """Write every item of the target past the caches."""

    def body(params: Any, src: Any, dst: Any, start: Any, stop: Any) -> None:
        vector = row_buffer(dst)
        for k in range(8):
            vector[k] = 1
        for k in range(start * params[1], stop * params[1], 8):
            stream_vector(vector, 0, dst, k)

    return body


def calls(x: Array, y: Array) -> dict[str, Callable[[], None]]:
    """Ways to read `x` and fill `y`; the quickest is the limit."""
    reading = _launch(read, x)
    return {f"limit ({family.factory.__name__})": _both(reading, _launch(family, y), x, y) for family in (fill, stream)}


def _launch(family: Family, array: Array) -> Launch:
    items = array.nbytes // 8 // _PARTS // 8 * 8
    return Launch(family("uint64"), [_PARTS, items], array.nbytes / 40_000)


def _both(reading: Launch, filling: Launch, x: Array, y: Array) -> Callable[[], None]:
    source, target = x.ctypes.data, y.ctypes.data

    def run() -> None:
        reading(source, source, (x,))
        filling(target, target, (y,))

    return run
