"""What the machine can do at most: read an input and fill an output once, the quickest way; multiply and add."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastup.cpu.conv.kernels import gemm
from fastup.cpu.simd import vectors as untyped
from fastup.cpu.simd.moves import row_buffer, stream_vector
from fastup.runtime.kernel import Family, intrinsic, kernel
from fastup.runtime.workers import Launch

Array = np.ndarray[Any, Any]
_PARTS = 64
_STEPS = 20_000
vectors: Any = untyped  # helpers that emit IR have no types


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


@intrinsic
def _multiply_add(_: Any, steps: Any, numbers: Any) -> Any:
    """The sum of as many accumulators as a tile has, each after so many products; nothing is loaded meanwhile."""
    from llvmlite import ir

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        lanes = gemm.vector_bytes() * 8 // numbers.dtype.bitwidth
        first, factor = (
            vectors.splat(builder, builder.load(builder.gep(arguments[1], [ir.IntType(64)(k)])), lanes) for k in (0, 1)
        )

        def step(_k: Any, sums: list[Any]) -> list[Any]:
            return [vectors.fma(builder, one, factor, first) for one in sums]

        sums = vectors.repeated(builder, arguments[0], [first] * gemm.accumulators(), step)
        total = sums[0]
        for one in sums[1:]:
            total = builder.fadd(total, one)
        return builder.extract_element(total, ir.IntType(32)(0))

    return numbers.dtype(steps, numbers), generate


@kernel("element", elements=gemm.FLOATS)
def peak() -> Any:
    """Products and sums in registers alone."""

    def body(params: Any, numbers: Any, start: Any, stop: Any) -> None:
        for part in range(start, stop):
            numbers[2 + part] = _multiply_add(params[1], numbers)

    return body


def peak_call(threads: int) -> tuple[Callable[[], None], float]:
    """Run at the FMA peak on so many threads, and how many operations that is."""
    numbers = np.full(2 + _PARTS, 0.5, np.float32)
    launch = Launch(peak("float32"), [_PARTS, _STEPS], 1e6)
    lanes = gemm.vector_bytes() // 4
    address = numbers.ctypes.data

    def call() -> None:
        launch(address, address, (numbers,), threads)

    return call, 2.0 * _PARTS * _STEPS * gemm.accumulators() * lanes
