"""The pool of results: a block is reused when nothing can see it any more, and not before."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import fastup
from fastup.runtime import memory

Array = Any


def as_any(y: Any) -> Any:
    return y


SHAPE, KIND = (512, 1024), np.dtype(np.float32)


@pytest.fixture(autouse=True)
def _own_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks under results that other tests keep count elsewhere."""
    monkeypatch.delenv("FASTUP_POOL_BYTES", raising=False)
    for name, empty in (("_owned", 0), ("_free", {}), ("_returned", deque())):
        monkeypatch.setattr(memory, name, empty)


def views() -> dict[str, Callable[[Array], Any]]:
    found: dict[str, Any] = {
        "view": lambda y: y[3:, ::2],
        "reshaped": lambda y: y.T.reshape(-1)[:0] if y.size == 0 else y.reshape(-1)[5:],
        "other dtype": lambda y: y.view(np.uint8),
        "memoryview": memoryview,
        "memoryview of memoryview": lambda y: memoryview(memoryview(y).cast("B"))[8:],
        "array of memoryview": lambda y: np.asarray(memoryview(y)),
        "frombuffer": lambda y: np.frombuffer(y, np.uint8),
        "dlpack": np.from_dlpack,
        "capsule": lambda y: y.__dlpack__(),
        "subclass": lambda y: y.view(np.ma.MaskedArray),
        "iterator": lambda y: y.flat,
    }
    return found


@pytest.mark.parametrize("name", views())
def test_a_block_lives_as_long_as_any_view(name: str) -> None:
    y = memory.empty(SHAPE, KIND)
    address = y.ctypes.data
    held = views()[name](y)
    del y
    other = memory.empty(SHAPE, KIND)
    assert other.ctypes.data != address
    del held, other
    pair = memory.empty(SHAPE, KIND), memory.empty(SHAPE, KIND)
    assert address in [y.ctypes.data for y in pair]


def test_a_block_lives_as_long_as_a_tensor(torch: Any) -> None:
    for make in (torch.from_numpy, torch.from_dlpack, lambda y: torch.from_numpy(y)[1:, 3]):
        fastup.release_memory()
        y = memory.empty(SHAPE, KIND)
        address = y.ctypes.data
        tensor = make(y)
        del y
        assert memory.empty(SHAPE, KIND).ctypes.data != address
        del tensor
        pair = memory.empty(SHAPE, KIND), memory.empty(SHAPE, KIND)
        assert address in [y.ctypes.data for y in pair]


def test_hammered_by_threads() -> None:
    def work(seed: int) -> int:
        generator, wrong, kept = np.random.default_rng(seed), 0, []
        for number in range(400):
            y = memory.empty((512 + number % 3, 1024), KIND)
            value = seed * 1000 + number
            y[::64] = value
            kept.append((value, y[64:, 3:] if number % 2 else memoryview(as_any(y))))
            del y
            if len(kept) > 6:
                value, view = kept.pop(int(generator.integers(6)))
                wrong += not (np.asarray(view)[::64] == value).all() if isinstance(view, memoryview) else 0
        return wrong

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(work, range(6))) == [0] * 6


def test_results_of_calls_are_not_overwritten() -> None:
    x = np.zeros((1, 16, 256, 256), np.float32)
    kept = []
    for number in range(12):
        x[...] = number
        kept.append(fastup.pixel_shuffle(x, 2)[:, :, ::3])
    for number, y in enumerate(kept):
        assert (y == number).all()


def test_alignment_flags_and_dtypes() -> None:
    for kind in ("f4", ">f8", "c16", "M8[s]", "?", "V8"):
        y = memory.empty((1024, 2048), np.dtype(kind))
        assert y.ctypes.data % 64 == 0
        assert y.flags.c_contiguous
        assert y.flags.writeable
        assert y.dtype == np.dtype(kind)
    y.flags.writeable = False
    y.flags.writeable = True


def test_the_pool_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASTUP_POOL_BYTES", str(8 * 2**20))
    kept = [memory.empty(SHAPE, KIND) for _ in range(10)]
    assert memory._owned <= 8 * 2**20
    assert len({y.ctypes.data for y in kept}) == 10
    del kept
    assert fastup.release_memory() <= 8 * 2**20
    assert memory._owned == 0


def test_blocks_of_another_size_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASTUP_POOL_BYTES", str(8 * 2**20))
    for rows in (512, 1024, 2048, 512):
        y = memory.empty((rows, 1024), KIND)
        del y
        assert 0 < memory._owned <= 8 * 2**20


def test_the_pool_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASTUP_POOL_BYTES", "0")
    y = memory.empty(SHAPE, KIND)
    assert y.ctypes.data % 64 == 0
    assert memory._owned == 0
    del y
    assert fastup.release_memory() == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_starts_with_an_empty_pool() -> None:
    y = memory.empty(SHAPE, KIND)
    y[...] = 5
    child = os.fork()
    if child == 0:
        address = y.ctypes.data
        other = memory.empty(SHAPE, KIND)
        ok = memory._owned <= 3 * 2**20 and other.ctypes.data != address and bool((y == 5).all())
        del y, other
        os._exit(0 if ok else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert (y == 5).all()
