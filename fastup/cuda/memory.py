"""Arrays on a device: views of what callers have, memory of our own, launches that any size fits."""

from __future__ import annotations

import contextlib
import contextvars
import ctypes
import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numba import config, cuda

from fastup.plan import check
from fastup.plan.base import Array, Plan

THREADS = 256  # of a block, for kernels without shared memory
MOST_BLOCKS = 2**20  # loops go on by the size of the grid
MOST_ROWS = 65_535  # of a grid's blocks, by hardware
# Of the calling thread or task: what `using` names.
_stream: contextvars.ContextVar[Any] = contextvars.ContextVar("fastup.cuda stream", default=0)


@dataclass(frozen=True)
class View:
    """What is known of an array on a device."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    strides: tuple[int, ...]  # bytes
    owner: Any
    on_device: ClassVar[bool] = True

    @property
    def size(self) -> int:
        """Number of items."""
        return math.prod(self.shape)

    @property
    def is_contiguous(self) -> bool:
        """Whether items lie one after the other in C order."""
        return self.strides == contiguous_strides(self.shape, self.dtype.itemsize) or self.size == 0

    def flat(self, element: Any) -> tuple[Any, int]:
        """All memory that the array spans as items of `element`, and which of them is its first."""
        spans = [(n - 1) * stride for n, stride in zip(self.shape, self.strides, strict=True)]
        low, high = sum(min(0, span) for span in spans), sum(max(0, span) for span in spans) + self.dtype.itemsize
        size = np.dtype(element).itemsize
        return _items(self.owner, low, (high - low) // size, np.dtype(element)), -low // size


class _Interface:
    """Memory of another object, for Numba."""

    def __init__(self, described: dict[str, Any], owner: Any) -> None:
        self.__cuda_array_interface__, self.owner = described, owner


def _items(owner: Any, low: int, count: int, element: np.dtype[Any]) -> Any:
    """So many items from `low` bytes beside an array's first item on."""
    if config.ENABLE_CUDASIM:
        return _simulated(owner._ary, low, count, element)
    interface = owner.__cuda_array_interface__
    pointer, read_only = interface["data"]
    described = {
        "shape": (count,), "strides": None, "typestr": element.str, "data": (pointer + low, read_only), "version": 3,
        "stream": interface.get("stream"),
    }  # fmt: skip
    return cuda.as_cuda_array(_Interface(described, owner))


def _simulated(array: Array, low: int, count: int, element: np.dtype[Any]) -> Any:
    """The same in the simulator, whose devices are NumPy's memory."""
    from numba.cuda.simulator.cudadrv.devicearray import FakeCUDAArray

    memory: Any = (ctypes.c_char * (count * element.itemsize)).from_address(array.ctypes.data + low)
    memory._owner = array
    return FakeCUDAArray(np.ndarray(count, element, memory))


def contiguous_strides(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """Bytes between neighbours in C order."""
    return tuple(itemsize * math.prod(shape[k + 1 :]) for k in range(len(shape)))


def view_of(array: Any, dtype: np.dtype[Any] | None = None) -> View:
    """The view of an array that Numba, CuPy or torch made; `dtype` names what its items stand for."""
    if config.ENABLE_CUDASIM:
        shape, strides, found = array.shape, array.strides, np.dtype(array.dtype)
        pointer = array._ary.ctypes.data if array._ary.size else 0
    else:
        interface = array.__cuda_array_interface__
        shape, found, pointer = tuple(interface["shape"]), np.dtype(interface["typestr"]), interface["data"][0]
        strides = interface.get("strides") or contiguous_strides(shape, found.itemsize)
    dtype = found if dtype is None else dtype
    if not dtype.isnative:
        raise TypeError(f"fastup: arrays on a device must be in native byte order, got dtype {found}")
    if pointer % dtype.itemsize or any(stride % dtype.itemsize for stride in strides):
        raise ValueError(f"fastup: arrays on a device must be aligned to their items of {dtype.itemsize} bytes")
    return View(tuple(shape), dtype, tuple(strides), array)


def empty(shape: tuple[int, ...], dtype: Any) -> Any:
    """Device memory of our own."""
    return cuda.device_array(shape, dtype)


def uploaded(array: Array) -> Any:
    """A copy of a table on the device; the default stream makes sure that it has arrived."""
    return cuda.to_device(np.ascontiguousarray(array))


def table(numbers: list[int]) -> Any:
    """Integers for a kernel."""
    return uploaded(np.array(numbers, np.int64))


def device() -> int:
    """The number of the current device; the simulator has one."""
    return 0 if config.ENABLE_CUDASIM else int(cuda.get_current_device().id)


def kept(plan: Plan, *key: Any) -> list[Any]:
    """What a plan keeps on the current device under this key; empty before its first call there."""
    found: list[Any] = plan.backend_cache.setdefault(("cuda", device(), *key), [])
    return found


@contextlib.contextmanager
def using(stream: Any) -> Iterator[None]:
    """Launch on this stream: of Numba, or the number that another library knows it by."""
    before = _stream.set(cuda.external_stream(stream) if isinstance(stream, int) and stream else stream or 0)
    try:
        yield
    finally:
        _stream.reset(before)


def launch(kernel: Any, total: int, *arguments: Any) -> None:
    """Run a kernel over so many items."""
    if total:
        blocks = min(MOST_BLOCKS, -(-total // THREADS))
        kernel[blocks, THREADS, _stream.get()](total, *arguments)


def launch_blocks(kernel: Any, grid: tuple[int, int], threads: int, *arguments: Any) -> None:
    """Run a kernel over a grid whose second extent, which hardware bounds, is gone through in parts."""
    for first in range(0, grid[1], MOST_ROWS):
        shape = (grid[0], min(MOST_ROWS, grid[1] - first))
        kernel[shape, threads, _stream.get()](first, *arguments)


@functools.cache
def available() -> bool:
    """Whether there is a device, or one is simulated."""
    return bool(config.ENABLE_CUDASIM or cuda.is_available())


@contextlib.contextmanager
def memory_errors(operator: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Iterator[None]:
    """Say how much was asked for when a device has no more memory."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        if "OUT_OF_MEMORY" in str(error) or type(error).__name__ == "OutOfMemoryError":
            raise check.not_enough_memory(operator, shape, dtype) from None
        raise
