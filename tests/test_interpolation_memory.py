"""The smooth modes and memory: strides, byte orders, guard pages."""

from __future__ import annotations

import ctypes
import mmap
import sys
from typing import Any

import numpy as np
import pytest

import fastup
from fastup.runtime import cpu_info
from tests.cases import SMOOTH, Case, quickly
from tests.test_layouts import Guarded, check_layouts

Array = np.ndarray[Any, Any]
posix = pytest.mark.skipif(sys.platform == "win32", reason="mprotect is POSIX")
MODES: list[dict[str, Any]] = [
    {"mode": "n-linear"},
    {"mode": "n-linear", "align_corners": True},
    {"mode": "n-linear", "antialias": True},
    {"mode": "cubic"},
    {"mode": "cubic", "antialias": True},
    {"mode": "lanczos"},
    {"mode": "area"},
]


@pytest.mark.parametrize("case", quickly(SMOOTH[::7], 6), ids=str)
@pytest.mark.parametrize("dtype", ["uint8", "float16", "int32", "float32", "float64"])
def test_any_memory_gives_the_same(case: Case, dtype: str) -> None:
    check_layouts(case, dtype)


@pytest.mark.parametrize("keywords", MODES, ids=str)
@pytest.mark.parametrize("dtype", ["uint8", "float16", pytest.param("float32", marks=pytest.mark.quick), "float64"])
def test_memory_that_is_channels_last_stays_so(keywords: Any, dtype: str, generator: np.random.Generator) -> None:
    x = np.moveaxis(generator.integers(0, 200, (2, 9, 8, 6)).astype(dtype), -1, 1)
    for to in ({"size": (5, 20)}, {"scale_factor": 2}):
        y = fastup.interpolate(x, **to, **keywords)
        assert np.moveaxis(y, 1, -1).flags.c_contiguous
        np.testing.assert_array_equal(y, fastup.interpolate(np.ascontiguousarray(x), **to, **keywords))


@pytest.mark.quick
@pytest.mark.parametrize("keywords", MODES, ids=str)
@pytest.mark.parametrize("shape", [(0, 4, 3, 3), (2, 0, 3, 3)])
def test_empty_batches_and_channels(keywords: Any, shape: tuple[int, ...]) -> None:
    assert fastup.interpolate(np.zeros(shape, np.float32), (5, 2), **keywords).shape == (*shape[:2], 5, 2)


@posix
@pytest.mark.parametrize("dtype", ["uint8", "int16", "float16", "float32", "float64", ">f4", "int64"])
@pytest.mark.parametrize("stream", [False, True])
def test_nothing_is_touched_outside_the_arrays(
    dtype: str, stream: bool, generator: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    if stream:  # as if every result were larger than the last cache
        monkeypatch.setattr(cpu_info, "caches", lambda: cpu_info.Caches(0, 0, 0))
    kind = np.dtype(dtype)
    memory = Guarded(2**18), Guarded(2**18)
    for number in range(84):
        shape, keywords = random_call(number, generator)
        plan = fastup.plan.interpolate(shape, kind, **keywords)
        if max(np.prod(shape), np.prod(plan.output_shape)) * kind.itemsize > 2**18:
            continue
        plan.backend_cache.clear()
        for at_end in (False, True):
            x = memory[0].array(shape, kind, at_end)
            x[...] = generator.integers(0, 100, shape)
            out = memory[1].array(plan.output_shape, kind, at_end)
            fastup.run(plan, x, out)
            np.testing.assert_array_equal(out, fastup.run(plan, x.copy()))
        plan.backend_cache.clear()


def random_call(number: int, generator: np.random.Generator) -> tuple[tuple[int, ...], dict[str, Any]]:
    """Every mode, rank and layout, and sizes on both sides of whole vectors."""
    rank = 1 + number % 3
    space = tuple(int(n) for n in generator.integers(1, (75, 40, 9)[rank - 1], rank))
    channels = int(generator.choice([1, 2, 3, 4, 5, 16, 17]))
    keywords = dict(MODES[number // 3 % len(MODES)])
    if number % 4 == 0:
        keywords["scale_factor"] = int(generator.integers(1, 5))
    else:
        keywords["size"] = tuple(int(n) for n in generator.integers(1, (150, 80, 14)[rank - 1], rank))
    if number // 21 % 2:
        return (2, *space, channels), {**keywords, "data_format": "channels_last"}
    return (2, channels, *space), keywords


@posix
@pytest.mark.parametrize("keywords", [{"mode": "nearest"}, *MODES], ids=str)
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_a_window_leaves_other_rows_alone(keywords: Any, dtype: str, generator: np.random.Generator) -> None:
    """Rows that are pages: those outside the input window cannot even be read."""
    kind, rows = np.dtype(dtype), 24
    width = mmap.PAGESIZE // kind.itemsize
    memory = Guarded(rows * mmap.PAGESIZE)
    x = memory.array((1, 1, rows, width), kind, at_end=False)
    x[...] = generator.integers(0, 255, x.shape)
    for size in ((48, 70), (37, 1500), (11, width)):
        whole = fastup.interpolate(x, size, **keywords)
        for wanted in (slice(0, 2), slice(5, 9), slice(size[0] - 3, None)):
            windows = (wanted, slice(3, None))
            needed = fastup.plan.interpolate(x.shape, kind, size, **keywords).input_window(windows)[0]
            outside = [row for row in range(rows) if not needed.start <= row < needed.stop]
            assert outside
            protect(memory, outside, 0)
            try:
                y = fastup.interpolate(x, size, **keywords, window=windows)
            finally:
                protect(memory, outside, mmap.PROT_READ | mmap.PROT_WRITE)
            np.testing.assert_array_equal(y, whole[:, :, wanted, 3:])


def protect(memory: Guarded, rows: list[int], access: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    for row in rows:
        start = memory.start + (1 + row) * mmap.PAGESIZE
        assert libc.mprotect(ctypes.c_void_p(start), ctypes.c_size_t(mmap.PAGESIZE), access) == 0


def test_long_axes_of_strided_pixels() -> None:
    """Tables in blocks, and pixels whose channels are apart: the picture is copied first, as for short axes."""
    x = np.arange(2 * 3000 * 6, dtype=np.float32).reshape(2, 3000, 6)[..., ::2]
    y = fastup.interpolate(x, 70_001, data_format="channels_last")
    np.testing.assert_array_equal(y, fastup.interpolate(x.copy(), 70_001, data_format="channels_last"))


@pytest.mark.parametrize("mode", ["linear", "cubic", "lanczos", "area"])
def test_tables_with_many_taps_come_in_blocks(mode: str, generator: np.random.Generator) -> None:
    """400 outputs of about 1,000 taps or more are more weights than one table may hold; windows need less."""
    x = generator.standard_normal((1, 2, 400_000), np.float32)
    options: dict[str, Any] = {"size": 400, "mode": (mode,), "antialias": mode != "area"}
    plan = fastup.plan.interpolate(x.shape, x.dtype, **options)
    assert plan.axes[0].length > plan.axes[0].block
    y = fastup.run(plan, x)
    for start in (0, 123, 390):
        window = (slice(start, start + 10),)
        np.testing.assert_array_equal(fastup.interpolate(x, **options, window=window), y[..., window[0]])
