"""The other libraries, each in its best setting. A peer that is not installed is left out of the table."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

import fastup
from benchmarks.cell import Array, Cell, Way, aligned
from fastup.export.runtimes import RUNTIMES
from fastup.runtime import cpu_info

_device: list[str] = []  # torch's, where it is not the CPU
_threads: list[int] = []  # as `limit_threads` says; empty: every library decides


def limit_threads(threads: int) -> None:
    """Give every library, fastup too, this number of threads."""
    _threads[:] = [threads]
    fastup.set_num_threads(threads)
    with contextlib.suppress(ModuleNotFoundError):
        import torch

        torch.set_num_threads(threads)
    with contextlib.suppress(ModuleNotFoundError):
        import cv2

        cv2.setNumThreads(threads)


def threads() -> int:
    """Threads that a library is to use which would otherwise have to be told."""
    return _threads[0] if _threads else fastup.get_num_threads()


def has_avx512() -> bool:
    """Whether the processor has the vectors that some libraries choose their files by."""
    return "x86-64-v4" in cpu_info.levels()


def use_device(name: str) -> None:
    """Let torch's calls run on this device."""
    _device[:] = [name]


def tensor_of(array: Array) -> Any:
    """The array as a tensor on torch's device."""
    import torch

    tensor = torch.from_numpy(array)
    return tensor.to(_device[0]) if _device else tensor


def ours(cell: Cell, x: Array, y: Array) -> Way:
    """fastup: the call, and the call with `out`; weights are packed once, as a layer and as sessions hold them."""
    operator = getattr(fastup, cell.operator)
    weights = {n: fastup.pack_weight(one) if n == "weight" else one for n, one in cell.arrays().items()}
    keywords = {**cell.keywords, **weights}
    return Way(lambda: operator(x, **keywords), lambda: operator(x, **keywords, out=y), lambda: operator(x, **keywords))


def exported(name: str, cell: Cell, x: Array, y: Array) -> Way:
    """The exported graph in a runtime; preallocated by binding arrays, where it can."""
    session = RUNTIMES[name].prepare(cell.model(), _threads[0] if _threads else None)

    def fresh() -> Array:
        return session.run([x])[0]

    if session.bind is None:
        return Way(fresh, None, fresh)
    target = aligned(np.zeros_like(y))
    fill = session.bind(x, target)

    def into() -> Array:
        fill()
        return target

    return Way(fresh, into, into)


EXPORTED: dict[str, Callable[[Cell, Array, Array], Way]] = {
    name: functools.partial(exported, name) for name, runtime in RUNTIMES.items() if runtime.timed
}


def torch(cell: Cell, x: Array, y: Array, function: Callable[[Any], Any], overload: Callable[[Any, Any], Any]) -> Way:
    """torch: `function(tensor)`, and an ATen overload that writes into `target`; channels-last memory where asked."""
    import torch

    tensor, target = tensor_of(x), tensor_of(np.zeros_like(y))
    if cell.channels_last:  # the same memory, seen as torch sees it
        tensor, target = (torch.movedim(t, -1, 1) for t in (tensor, target))

    def result() -> Array:
        overload(tensor, target)
        return np.asarray((torch.movedim(target, 1, -1) if cell.channels_last else target).cpu().numpy())

    return Way(lambda: function(tensor), lambda: overload(tensor, target), result)


def in_place(assign: Callable[[Array], None], like: Array) -> Way:
    """A NumPy idiom that fills an array."""
    target = np.zeros_like(like)

    def fresh() -> Array:
        result = np.empty_like(like)
        assign(result)
        return result

    def into() -> Array:
        assign(target)
        return target

    return Way(fresh, into, into)
