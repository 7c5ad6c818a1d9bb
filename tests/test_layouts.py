"""Arrays of every kind: strides, byte orders, read-only, empty, channels-last memory, other libraries' tensors."""

from __future__ import annotations

import ctypes
import mmap
import sys
from typing import Any

import numpy as np
import pytest

import fastup
from fastup.runtime import cpu_info
from tests.cases import CASES, ITEM_TYPES, Case

Array = np.ndarray[Any, Any]
SAMPLE = CASES[::5]


def layouts(x: Array) -> dict[str, Array]:
    """The same values in other memory."""
    wide = np.repeat(x, 2, -1)
    tall = np.repeat(x, 3, 0)
    read_only = x.copy()
    read_only.flags.writeable = False
    shifted = np.empty(x.nbytes + 1, np.uint8)[1:].view(x.dtype).reshape(x.shape)
    shifted[...] = x
    return {
        "every other column": wide[..., ::2],
        "every third of the batch": tall[::3],
        "reversed": np.ascontiguousarray(x[..., ::-1])[..., ::-1],
        "all reversed": np.ascontiguousarray(np.flip(x))[tuple([slice(None, None, -1)] * x.ndim)],
        "Fortran order": np.asfortranarray(x),
        "axes swapped": np.ascontiguousarray(x.swapaxes(0, -1)).swapaxes(0, -1),
        "other byte order": x.astype(x.dtype.newbyteorder()),
        "read-only": read_only,
        "unaligned": shifted,
        "broadcast": np.broadcast_to(x, x.shape),
    }


def check_layouts(case: Case, dtype: str) -> None:
    """The same numbers from and into every layout."""
    x = case.input(dtype)
    expected = case.run(x)
    for name, other in layouts(x).items():
        result = case.run(other)
        assert result.dtype == other.dtype, name
        np.testing.assert_array_equal(result, expected, err_msg=name)
        out = np.empty(expected.shape, other.dtype)
        assert case.run(other, out=out) is out
        np.testing.assert_array_equal(out, expected, err_msg=name)


@pytest.mark.quick
@pytest.mark.parametrize("case", SAMPLE, ids=str)
@pytest.mark.parametrize("dtype", ["uint8", "float32", "complex128"])
def test_any_memory_gives_the_same(case: Case, dtype: str) -> None:
    check_layouts(case, dtype)


def test_contiguous_but_unaligned() -> None:
    """Before and after an aligned call has packed the same strides."""
    expected = np.arange(64, dtype=np.float32).reshape(1, 4, 4, 4)
    x = np.empty(257, np.uint8)[1:].view(np.float32).reshape(1, 4, 4, 4)
    x[...] = expected
    operators: Any = (lambda a: fastup.pixel_shuffle(a, 2), lambda a: fastup.interpolate(a, 5))
    for operator in operators:
        for _ in range(2):
            np.testing.assert_array_equal(operator(x), operator(expected))


@pytest.mark.parametrize("offset", [0, 1, 4, 63])
def test_streamed_rows_at_any_address(offset: int) -> None:
    """Short runs are copied as wider items, whose addresses need not be multiples of their size."""
    x = np.arange(200 * 100 * 8, dtype=np.uint32).astype(np.uint8).reshape(1, 200, 100, 8)
    for size in ((1600, 2700), (1500, 2750)):
        memory = np.zeros(size[0] * size[1] * 8 + 128, np.uint8)
        start = -memory.ctypes.data % 64 + offset
        out = memory[start : start + size[0] * size[1] * 8].reshape(1, *size, 8)
        plan = fastup.plan.interpolate(x.shape, x.dtype, size, data_format="channels_last")
        fastup.run(plan, x, out)
        np.testing.assert_array_equal(out, x[:, plan.indices[0]][:, :, plan.indices[1]])
        assert not memory[:start].any()
        assert not memory[start + out.size :].any()


def test_repeated_axes_of_stride_zero() -> None:
    row = np.arange(24, dtype=np.float32).reshape(1, 4, 2, 3)
    x = np.broadcast_to(row, (5, 4, 2, 3))
    np.testing.assert_array_equal(fastup.pixel_shuffle(x, 2), fastup.pixel_shuffle(x.copy(), 2))
    np.testing.assert_array_equal(fastup.interpolate(x, 7), fastup.interpolate(x.copy(), 7))


def test_more_independent_strides_than_a_kernel_counts() -> None:
    x = np.arange(2**11, dtype=np.int32).reshape([2] * 11)[..., ::-1]
    x = x.transpose(8, 3, 6, 1, 4, 0, 7, 2, 5, 9, 10)
    np.testing.assert_array_equal(
        fastup.pixel_unshuffle(x, (2, 2)), fastup.pixel_unshuffle(np.ascontiguousarray(x), (2, 2))
    )


@pytest.mark.quick
@pytest.mark.parametrize("dtype", ITEM_TYPES)
def test_memory_that_is_channels_last_stays_so(dtype: str) -> None:
    x = np.moveaxis(np.arange(2 * 6 * 7 * 8).reshape(2, 6, 7, 8).astype(dtype), -1, 1)
    for y, expected in (
        (fastup.pixel_shuffle(x, 2), fastup.pixel_shuffle(np.ascontiguousarray(x), 2)),
        (fastup.interpolate(x, (9, 20)), fastup.interpolate(np.ascontiguousarray(x), (9, 20))),
        (fastup.interpolate(x, scale_factor=2), fastup.interpolate(np.ascontiguousarray(x), scale_factor=2)),
    ):
        assert np.moveaxis(y, 1, -1).flags.c_contiguous
        np.testing.assert_array_equal(y, expected)


@pytest.mark.quick
@pytest.mark.parametrize("shape", [(0, 4, 3, 3), (2, 0, 3, 3), (0, 0, 3, 3)])
def test_empty_batches_and_channels(shape: tuple[int, ...]) -> None:
    x = np.zeros(shape, np.float32)
    n, c, _, _ = shape
    assert fastup.pixel_shuffle(x, 2).shape == (n, c // 4, 6, 6)
    assert fastup.pixel_unshuffle(np.zeros((n, c, 4, 4)), 2).shape == (n, 4 * c, 2, 2)
    assert fastup.interpolate(x, 5).shape == (n, c, 5, 5)
    assert fastup.interpolate(x, scale_factor=2).shape == (n, c, 6, 6)


def test_every_kind_of_dtype() -> None:
    for dtype in (
        "?",
        "i1",
        "u2",
        "i4",
        "u8",
        "f2",
        "f4",
        "f8",
        "c8",
        "c16",
        "M8[s]",
        "m8[ms]",
        "S4",
        "V8",
        ">i2",
        ">f8",
    ):
        x = np.frombuffer(np.random.default_rng(0).bytes(64 * np.dtype(dtype).itemsize), np.uint8)
        x = (x & 1 if dtype == "?" else x).view(dtype).reshape(1, 4, 4, 4)
        y = fastup.pixel_unshuffle(fastup.pixel_shuffle(x, 2), 2)
        assert y.dtype == x.dtype
        assert y.tobytes() == x.tobytes()


def test_bfloat16() -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes")
    x = np.arange(64).astype(ml_dtypes.bfloat16).reshape(1, 4, 4, 4)
    assert fastup.pixel_shuffle(x, 2).dtype == x.dtype
    np.testing.assert_array_equal(
        fastup.interpolate(x, 9).astype(np.float32), fastup.interpolate(x.astype(np.float32), 9)
    )
    assert fastup.plan.pixel_shuffle((1, 4, 4, 4), "bfloat16", 2).dtype == x.dtype


def test_what_numpy_can_view() -> None:
    values = np.arange(16, dtype=np.uint8).reshape(1, 4, 2, 2)
    expected = fastup.pixel_shuffle(values, 2)

    class Wrapped:
        def __array__(self, dtype: Any = None, copy: Any = None) -> Array:
            return values

    class Exported:
        def __dlpack__(self, **keywords: Any) -> Any:
            return values.__dlpack__(**keywords)

        def __dlpack_device__(self) -> tuple[int, int]:
            return (1, 0)

    values_of: Any = values
    held: list[Any] = [memoryview(values_of), Wrapped(), Exported()]
    for x in held:
        y = fastup.pixel_shuffle(x, 2)
        assert type(y) is np.ndarray
        np.testing.assert_array_equal(y, expected)


def test_torch_tensors_go_in_and_come_out(torch: Any) -> None:
    x = torch.arange(64, dtype=torch.float32).reshape(1, 4, 4, 4)
    y = fastup.pixel_shuffle(x, 2)
    assert isinstance(y, torch.Tensor)
    assert torch.equal(y, torch.nn.functional.pixel_shuffle(x, 2))
    out = torch.empty(1, 4, 9, 9)
    assert fastup.interpolate(x, 9, out=out) is out
    assert torch.equal(out, torch.nn.functional.interpolate(x, size=9))
    half = x.to(torch.bfloat16)
    assert fastup.interpolate(half, 9).dtype == torch.bfloat16
    last = x.to(memory_format=torch.channels_last)
    assert fastup.interpolate(last, 9).is_contiguous(memory_format=torch.channels_last)
    plan = fastup.plan.pixel_shuffle(tuple(x.shape), "float32", 2)
    assert torch.equal(fastup.run(plan, x), y)
    lazy = torch.zeros(1, 1, 8, 8, dtype=torch.complex64).conj()
    with pytest.raises(TypeError, match=r"^fastup: out must be a tensor with memory of its own, got a lazy conjugate"):
        fastup.pixel_shuffle(x.to(torch.complex64), 2, out=lazy)
    with pytest.raises(TypeError, match=r"^fastup: out must be a tensor like x, got ndarray$"):
        fastup.pixel_shuffle(x, 2, out=np.empty((1, 1, 8, 8), np.float32))
    with pytest.raises(
        TypeError, match=r"^fastup: x must be a dense tensor on the CPU, got one of torch.sparse_coo on cpu$"
    ):
        fastup.pixel_shuffle(x.to_sparse(), 2)


class Guarded:
    """Memory with an inaccessible page on either side: one byte too far is the end of the process."""

    def __init__(self, size: int) -> None:
        page = mmap.PAGESIZE
        self.pages = -(-size // page) or 1
        self.map = mmap.mmap(-1, (self.pages + 2) * page)
        self.start = ctypes.addressof(ctypes.c_char.from_buffer(self.map))
        libc = ctypes.CDLL(None, use_errno=True)
        for at in (0, (self.pages + 1) * page):
            assert libc.mprotect(ctypes.c_void_p(self.start + at), ctypes.c_size_t(page), 0) == 0

    def array(self, shape: tuple[int, ...], dtype: np.dtype[Any], at_end: bool) -> Array:
        size = int(np.prod(shape)) * dtype.itemsize
        page = mmap.PAGESIZE
        offset = page + (self.pages * page - size if at_end else 0)
        return np.frombuffer(self.map, np.uint8, size, offset).view(dtype).reshape(shape)


@pytest.mark.skipif(sys.platform == "win32", reason="mprotect is POSIX")
@pytest.mark.parametrize("dtype", ITEM_TYPES)
@pytest.mark.parametrize("stream", [False, True])
def test_nothing_is_touched_outside_the_arrays(
    dtype: str, stream: bool, generator: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    if stream:  # as if every result were larger than the last cache
        monkeypatch.setattr(cpu_info, "caches", lambda: cpu_info.Caches(0, 0, 0))
    kind = np.dtype(dtype)
    memory = Guarded(2**19), Guarded(2**19)
    for number in range(120):
        width, height = (int(n) for n in generator.integers(1, 75, 2))
        channels, factor = int(generator.choice([1, 2, 3, 4, 17, 33])), int(generator.integers(2, 5))
        data_format = ("channels_first", "channels_last")[number % 2]
        mixed = channels * factor**2
        operator = ("pixel_shuffle", "pixel_unshuffle", "interpolate", "interpolate")[number // 2 % 4]
        if operator == "interpolate":
            space, c = (height % 12 + 1, width % 40 + 1), channels % 5 + 1
            keywords: dict[str, Any] = {"size": (space[0] * factor, space[1] * factor + number % 3)}
        elif operator == "pixel_shuffle":
            space, c, keywords = (height % 5 + 1, width % 35 + 1), mixed, {"upscale_factor": factor}
        else:
            space, c = ((height % 5 + 1) * factor, (width % 35 + 1) * factor), channels
            keywords = {"downscale_factor": factor}
        shape = (1, c, *space) if data_format == "channels_first" else (1, *space, c)
        plan = getattr(fastup.plan, operator)(shape, kind, **keywords, data_format=data_format)
        if max(np.prod(shape), np.prod(plan.output_shape)) * kind.itemsize > 2**19:
            continue
        plan.backend_cache.clear()
        for at_end in (False, True):
            x = memory[0].array(shape, kind, at_end)
            x.view(np.uint8)[...] = generator.integers(0, 100, x.view(np.uint8).shape, np.uint8)
            out = memory[1].array(plan.output_shape, kind, at_end)
            fastup.run(plan, x, out)
            np.testing.assert_array_equal(out.view(np.uint8), fastup.run(plan, x.copy()).view(np.uint8))
        plan.backend_cache.clear()
