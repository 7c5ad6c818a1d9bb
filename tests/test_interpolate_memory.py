"""The smooth modes and memory: strides, byte orders, guard pages, and no temporary of the size of a picture."""

from __future__ import annotations

import ctypes
import mmap
import os
import subprocess
import sys
import textwrap
from typing import Any

import numpy as np
import pytest

import fastup
from fastup.runtime import cpu_info
from tests.cases import SMOOTH, Case, quickly
from tests.test_layouts import Guarded, layouts

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
    x = case.input(dtype)
    expected = case.run(x)
    for name, other in layouts(x).items():
        result = case.run(other)
        assert result.dtype == other.dtype, name
        np.testing.assert_array_equal(result, expected, err_msg=name)
        out = np.empty(expected.shape, other.dtype)
        assert case.run(other, out=out) is out
        np.testing.assert_array_equal(out, expected, err_msg=name)


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
        plan.packed.clear()
        for at_end in (False, True):
            x = memory[0].array(shape, kind, at_end)
            x[...] = generator.integers(0, 100, shape)
            out = memory[1].array(plan.output_shape, kind, at_end)
            fastup.run(plan, x, out)
            np.testing.assert_array_equal(out, fastup.run(plan, x.copy()))
        plan.packed.clear()


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


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc")
def test_no_temporary_is_as_large_as_a_picture() -> None:
    """Peak memory of a second call into `out`, and what the first one left, stay below 8 MB."""
    code = """
        import numpy as np, fastup, re
        from fastup.runtime import workers

        def peak():
            return int(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1]) / 1024

        def measure(x, keywords, last=False):
            plan = fastup.plan.interpolate(x.shape, x.dtype, **keywords)
            out = np.ones(plan.output_shape, x.dtype)
            fastup.run(plan, x, out)
            assert workers._workspaces.size < 4 * 2**20, (keywords, x.dtype)
            open("/proc/self/clear_refs", "w").write("5")
            before = peak()
            fastup.run(plan, x, out)
            grown = peak() - before
            assert grown < 8, (grown, keywords, x.dtype, x.strides)

        modes = [
            {"mode": "nearest"}, {"mode": "bilinear"}, {"mode": "bicubic", "align_corners": True}, {"mode": "area"},
            {"mode": "lanczos"}, {"mode": "cubic", "antialias": True},
        ]
        for number, options in enumerate(modes):
            for dtype, size in (("float32", 1024), ("float16", 1536), ("uint8", 2048), ("int32", 1024)):
                x = np.ones((1, 4, size, size), dtype)
                for to in ((1500, 1100), (700, 2000)):
                    measure(x, {"size": to, **options})
            x = np.ones((1, 4, 1024, 1024), np.float32)
            to = {"scale_factor": 2} if number % 2 else {"size": (1200, 1300)}
            for other in (x[..., ::-1], x.swapaxes(2, 3), x.transpose(1, 0, 2, 3)[::2], x.astype(">f4")):
                measure(other, {**to, **options})
            last = np.ones((1, 1024, 1024, 4), np.float32)
            measure(last, {**to, **options, "data_format": "channels_last"})
            volume = np.ones((1, 1, 64, 256, 256), np.float32)
            mode = {"bilinear": "trilinear", "bicubic": "cubic"}.get(options["mode"], options["mode"])
            measure(volume, {"size": (90, 300, 200), **options, "mode": mode})
        print("small")
    """
    environment = {**os.environ, "FASTUP_NUM_THREADS": "2"}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "small", done.stderr
