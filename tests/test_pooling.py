"""Max pooling with positions, and back: the definition, torch, and what may not happen."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastup
import fastup.export
from fastup.export import runtimes
from tests import oracles
from tests.cases import POOLS, Case, kind_of
from tests.test_layouts import Guarded

Array = np.ndarray[Any, Any]
posix = pytest.mark.skipif(sys.platform == "win32", reason="mprotect is POSIX")
DTYPES = ["float32", "float64", "float16", "bfloat16", "uint8", "int8", "int16", "uint16", "int32", "uint32", "int64"]
DTYPES += ["uint64", ">f4", ">i2"]
# Unpooling knows nothing of dilation and ceil_mode.
RETURNING = [case for case in POOLS if not {"dilation", "ceil_mode"} & set(case.keywords)]


def few_values(shape: tuple[int, ...], dtype: Any, seed: int = 0) -> Array:
    """So few that windows have equals; floats have infinities and NaN among them."""
    generator = np.random.default_rng(seed)
    x = generator.integers(0, 7, shape).astype(dtype)
    if np.dtype(dtype).kind in "fV":
        chance = generator.random(shape)
        x[chance < 0.05], x[chance > 0.9], x[(chance > 0.85) & (chance < 0.9)] = np.nan, -np.inf, np.inf
    return x


def first(case: Case, x: Array) -> Array:
    return np.moveaxis(x, -1, 1) if "data_format" in case.keywords else x


def expected(case: Case, x: Array) -> tuple[Array, Array]:
    keywords = {name: value for name, value in case.keywords.items() if name not in ("data_format", "return_indices")}
    return oracles.max_pool(first(case, x), **keywords)


@pytest.mark.quick
@pytest.mark.parametrize("case", POOLS, ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_equals_the_definition(case: Case, dtype: str) -> None:
    x = few_values(case.shape, kind_of(dtype))
    values, indices = case.run(x)
    wanted, places = expected(case, x)
    assert (values.dtype, indices.dtype) == (x.dtype, np.int64)
    np.testing.assert_array_equal(first(case, values).astype(np.float64), wanted.astype(np.float64))
    np.testing.assert_array_equal(first(case, indices), places)
    alone = getattr(fastup, case.operator)(x, **{**case.keywords, "return_indices": False})
    np.testing.assert_array_equal(alone.astype(np.float64), values.astype(np.float64))
    out = np.empty(values.shape, x.dtype), np.empty(values.shape, np.int64)
    assert case.run(x, out=out)[0] is out[0]
    np.testing.assert_array_equal(out[1], indices)


@pytest.mark.quick
@pytest.mark.parametrize("case", RETURNING, ids=str)
@pytest.mark.parametrize("dtype", [*DTYPES, "bool", "complex64", "complex128"])
def test_unpooling_equals_the_definition(case: Case, dtype: str) -> None:
    """Overlapping windows name a position several times: the last value stands."""
    last = "data_format" in case.keywords
    _, indices = case.run(few_values(case.shape, np.float32))
    x = few_values(indices.shape, kind_of(dtype), seed=1)
    size = case.shape[1:-1] if last else case.shape[2:]
    operator = case.operator.replace("pool", "unpool")
    wanted = oracles.max_unpool(first(case, x), first(case, indices), size)
    keywords = {name: case.keywords[name] for name in ("kernel_size", "stride", "padding") if name in case.keywords}
    layout = {"data_format": "channels_last"} if last else {}
    y = getattr(fastup, operator)(x, indices, **keywords, output_size=size, **layout)
    assert y.dtype == x.dtype
    np.testing.assert_array_equal(first(case, y).astype(np.complex128), wanted.astype(np.complex128))


@pytest.mark.parametrize("case", [case for case in POOLS if case.torch], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8", "int64", "float16"])
def test_equals_torch(case: Case, dtype: str, torch: Any) -> None:
    x = few_values(case.shape, dtype)
    values, indices = getattr(torch.nn.functional, case.operator)(torch.from_numpy(x), **case.keywords)
    ours = case.run(x)
    np.testing.assert_array_equal(ours[0], values.numpy())
    np.testing.assert_array_equal(ours[1], indices.numpy())
    tensors = case.run(torch.from_numpy(x))  # tensors in, tensors out
    assert all(isinstance(one, torch.Tensor) for one in tensors)
    assert (tensors[1] == indices).all()


@pytest.mark.quick
def test_there_and_back() -> None:
    """Pooling keeps each maximum and its position; unpooling puts it there, and zero elsewhere."""
    x = np.array([[1, 2, 5, 3], [4, 0, 1, 1], [7, 1, 0, 2], [1, 1, 3, 9]], np.float32)[None, None]
    values, indices = fastup.max_pool2d(x, 2, return_indices=True)
    assert values.ravel().tolist() == [4, 5, 7, 9]
    assert indices.ravel().tolist() == [4, 2, 8, 15]
    back = fastup.max_unpool2d(values, indices, 2)
    np.testing.assert_array_equal(back, np.where(np.isin(x, values), x, 0))


def test_ties_go_to_the_first_and_nan_to_the_last() -> None:
    x = np.array([3, 3, 1, np.nan, 2, np.nan, -np.inf, -np.inf])[None, None]
    values, indices = fastup.max_pool1d(x, 2, return_indices=True)
    np.testing.assert_array_equal(values.ravel(), [3, np.nan, np.nan, -np.inf])
    assert indices.ravel().tolist() == [0, 3, 5, 6]
    assert fastup.max_pool1d(x[..., 3:6], 3, return_indices=True)[1].item() == 2


@pytest.mark.parametrize("bad", [-1, 16, 2**40])
@pytest.mark.parametrize("last", [False, True])
def test_a_wrong_index_is_named_and_nothing_written(bad: int, last: bool) -> None:
    x: Array = np.ones((2, 3, 2, 2), np.float32)
    indices: Array = np.zeros((2, 3, 2, 2), np.int64)
    indices[1, 2, 0, 1] = indices[1, 2, 1, 1] = bad
    place: tuple[int, ...] = (1, 2, 0, 1)
    layout: dict[str, Any] = {}
    if last:
        x, indices = (np.ascontiguousarray(np.moveaxis(one, 1, -1)) for one in (x, indices))
        place, layout = (1, 0, 1, 2), {"data_format": "channels_last"}
    out = np.full((2, 4, 4, 3) if last else (2, 3, 4, 4), 7, np.float32)
    shape = tuple(out.shape)
    message = f"max_unpool2d: indices must be from 0 to 15 for a result of shape {shape}, got {bad} at {place}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        fastup.max_unpool2d(x, indices, 2, out=out, **layout)
    assert (out == 7).all()


def test_memory_that_is_channels_last_stays_so(generator: np.random.Generator) -> None:
    x = generator.standard_normal((2, 5, 8, 6), np.float32)
    view = np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1)
    for ours, theirs in zip(
        fastup.max_pool2d(view, 2, return_indices=True), fastup.max_pool2d(x, 2, return_indices=True), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
        assert np.moveaxis(ours, 1, -1).flags.c_contiguous
    values, indices = fastup.max_pool2d(view, 2, return_indices=True)
    np.testing.assert_array_equal(
        fastup.max_unpool2d(values, indices, 2), fastup.max_unpool2d(values.copy(order="C"), indices.copy(order="C"), 2)
    )


def test_threads_and_large_planes(generator: np.random.Generator) -> None:
    """Sizes at which helpers work and rows are streamed, and strides that no kernel walks as they are."""
    x = generator.standard_normal((1, 64, 256, 256), np.float32)
    windows = x.reshape(1, 64, 128, 2, 128, 2).max(axis=(3, 5))
    values, indices = fastup.max_pool2d(x, 2, return_indices=True)
    np.testing.assert_array_equal(values, windows)
    back = fastup.max_unpool2d(values, indices, 2)
    np.testing.assert_array_equal(back, np.where(x == np.repeat(np.repeat(windows, 2, 2), 2, 3), x, 0))
    with fastup.set_num_threads(1):
        np.testing.assert_array_equal(fastup.max_unpool2d(values, indices, 2), back)
    step = x[:, ::3, ::-1, 1::2]
    np.testing.assert_array_equal(fastup.max_pool2d(step, 3, 2), fastup.max_pool2d(step.copy(), 3, 2))


@posix
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64", "float16"])
def test_nothing_is_touched_outside_the_arrays(dtype: str, generator: np.random.Generator) -> None:
    kind = np.dtype(dtype)
    memory = [Guarded(2**17) for _ in range(4)]
    for number in range(60):
        space = tuple(int(n) for n in generator.integers(2, 60, 2))
        kernel, stride = int(generator.integers(1, 4)), int(generator.integers(1, 4))
        shape = (1, 1 + number % 3, *space)
        if min(space) < kernel:
            continue
        plan = fastup.plan.max_pool2d(shape, kind, kernel, stride, return_indices=True)
        if np.prod(plan.output_shape) * 8 > 2**17:
            continue
        at_end = bool(number % 2)
        x = memory[0].array(shape, kind, at_end)
        x[...] = generator.integers(0, 100, shape)
        outs = (
            memory[1].array(plan.output_shape, kind, at_end),
            memory[2].array(plan.output_shape, np.dtype("i8"), at_end),
        )
        values, indices = fastup.max_pool2d(x, kernel, stride, return_indices=True, out=outs)
        np.testing.assert_array_equal(values, fastup.max_pool2d(x.copy(), kernel, stride))
        large = memory[3].array(shape, kind, at_end)
        fastup.max_unpool2d(values, indices, kernel, stride, output_size=space, out=large)


@pytest.mark.quick
@pytest.mark.parametrize("case", POOLS, ids=str)
@pytest.mark.parametrize(
    ("dtype", "opset"), [("float32", 18), ("uint8", 11), ("uint8", 18), ("float64", 13), ("int32", 20), ("float16", 21)]
)
def test_exported_pooling_in_onnxruntime(case: Case, dtype: str, opset: int) -> None:
    x = few_values(case.shape, dtype)
    # The runtimes let numbers win over NaN; onnxruntime 1.20 has no position for a window of lowest values.
    x = np.nan_to_num(x, nan=3, neginf=-9) if x.dtype.kind == "f" else x + x.dtype.type(1)
    values, indices = case.run(x)
    last = "data_format" in case.keywords
    channel = len(case.shape) - 1 if last else 1
    for shape in (case.shape, tuple(n if k == channel else f"d{k}" for k, n in enumerate(case.shape))):
        model = getattr(fastup.export, case.operator)(shape, **case.keywords, dtype=dtype, opset=opset)
        results = runtimes.run("onnxruntime", model, x)
        np.testing.assert_array_equal(results[0], values)
        np.testing.assert_array_equal(results[1], indices)


@pytest.mark.parametrize("case", RETURNING, ids=str)
@pytest.mark.parametrize("lowering", ["native", "portable", "auto"])
def test_exported_unpooling_in_onnxruntime(case: Case, lowering: str) -> None:
    last = "data_format" in case.keywords
    values, indices = case.run(np.nan_to_num(few_values(case.shape, np.float32), nan=3))
    size = case.shape[1:-1] if last else case.shape[2:]
    keywords: dict[str, Any] = {
        name: case.keywords[name] for name in ("kernel_size", "stride", "padding") if name in case.keywords
    }
    keywords |= {"output_size": size, **({"data_format": "channels_last"} if last else {})}
    operator = case.operator.replace("pool", "unpool")
    y = getattr(fastup, operator)(values, indices, **keywords)
    model = getattr(fastup.export, operator)(values.shape, **keywords, lowering=lowering, verify=True)
    np.testing.assert_array_equal(runtimes.run("onnxruntime", model, values, indices), y)
    if lowering == "portable":
        np.testing.assert_array_equal(runtimes.run("reference", model, values, indices), y)


def test_symbolic_unpooling_follows_its_input(generator: np.random.Generator) -> None:
    model = fastup.export.max_unpool2d(("N", 3, "H", "W"), 2, dtype="int64")
    assert "ScatterElements" in [node.op_type for node in model.graph.node]
    for shape in ((1, 3, 4, 6), (2, 3, 8, 10)):
        x = generator.integers(-9, 9, shape)
        values, indices = fastup.max_pool2d(x, 2, return_indices=True)
        expected = fastup.max_unpool2d(values, indices, 2)
        np.testing.assert_array_equal(runtimes.run("onnxruntime", model, values, indices), expected)


def test_known_differences_of_the_runtimes() -> None:
    """Both let a number win over NaN; the reference evaluator's indices are wrong with stride 1 (onnx 1.23)."""
    x = np.array([1, np.nan, 3, 2], np.float32)[None, None]
    model = fastup.export.max_pool1d(x.shape, 2)
    assert np.isnan(fastup.max_pool1d(x, 2)).ravel().tolist() == [True, False]
    assert not np.isnan(runtimes.run("onnxruntime", model, x)).any()
    y = np.arange(12, dtype=np.float32).reshape(1, 1, 3, 4)
    model = fastup.export.max_pool2d(y.shape, 2, 1, return_indices=True)
    with pytest.raises((AssertionError, IndexError)):
        np.testing.assert_array_equal(
            runtimes.run("reference", model, y)[1], fastup.max_pool2d(y, 2, 1, return_indices=True)[1]
        )


@pytest.mark.parametrize("opset", [11, 18, 21, 22])
@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "extent"), [(2, 2, 1, 11), (2, 3, 0, 10), (3, 2, 1, 10), (2, 5, 1, 11)]
)
def test_exported_last_windows(kernel: int, stride: int, padding: int, extent: int, opset: int) -> None:
    """Until opset 22 ONNX's text keeps a window that begins beyond the input; the graph says what torch does."""
    pytest.importorskip("onnxruntime")
    keywords: dict[str, Any] = {"stride": stride, "padding": padding, "ceil_mode": True, "return_indices": True}
    fastup.export.max_pool1d((2, 3, extent), kernel, **keywords, opset=opset, verify=True)
    fastup.export.max_pool2d((1, 2, extent, 9), kernel, **keywords, opset=opset, verify=True)


def test_graphs_that_the_runtime_cannot_run() -> None:
    pytest.importorskip("onnxruntime")
    calls: tuple[Callable[[], Any], ...] = (
        lambda: fastup.export.interpolate(
            (1, 2, 8, 8), 9, mode="bicubic", dtype="float64", lowering="native", verify=True
        ),
        lambda: fastup.export.pixel_shuffle((1, 4, 8, 8), 2, dtype="int16", lowering="native", verify=True),
    )
    for call in calls:
        with pytest.raises(
            fastup.export.UnsupportedExport, match=r"^\w+: verify needs a graph that onnxruntime can run"
        ):
            call()
