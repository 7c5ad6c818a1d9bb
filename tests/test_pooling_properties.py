"""What holds for every window and every memory: the definition on random calls, layouts, order, guard pages."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import fastup
import fastup.export
from fastup.cpu.pool import pooling
from fastup.export import runtimes
from fastup.runtime import cpu_info
from tests import oracles
from tests.cases import POOLS, Case, in_every_runtime, kind_of
from tests.test_layouts import Guarded, layouts
from tests.test_pooling import few_values

Array = np.ndarray[Any, Any]
# Extent, kernel, stride, dilation and padding of an axis.
axis = st.tuples(st.integers(1, 12), st.integers(1, 4), st.integers(1, 4), st.integers(1, 3), st.integers(0, 2))
KINDS = ("float32", "float64", "float16", "bfloat16", "uint8", "int8", "uint64", ">f4", ">i2")


@settings(deadline=None, max_examples=150)
@given(st.lists(axis, min_size=1, max_size=3), st.booleans(), st.booleans(), st.sampled_from(KINDS), st.integers(0, 99))
def test_any_call_equals_the_definition(axes: list[Any], ceil: bool, last: bool, dtype: str, seed: int) -> None:
    space, kernel, stride, dilation, padding = zip(*axes, strict=True)
    padding = tuple(min(p, k // 2) for p, k in zip(padding, kernel, strict=True))
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    assume(all(n >= r for n, r in zip(space, reach, strict=True)))  # every window then has a tap inside
    x = few_values((2, 2, *space), kind_of(dtype), seed)
    wanted, places = oracles.max_pool(x, kernel, stride, padding, dilation, ceil)
    options: dict[str, Any] = {"data_format": "channels_last"} if last else {}
    given_x = np.ascontiguousarray(np.moveaxis(x, 1, -1)) if last else x
    operator = getattr(fastup, f"max_pool{len(space)}d")
    found = operator(given_x, kernel, stride, padding, dilation, ceil, True, **options)
    values, indices = (np.moveaxis(one, -1, 1) if last else one for one in found)
    np.testing.assert_array_equal(values.astype(np.float64), wanted.astype(np.float64))
    np.testing.assert_array_equal(indices, places)
    alone = operator(given_x, kernel, stride, padding, dilation, ceil, **options)
    np.testing.assert_array_equal(alone.astype(np.float64), found[0].astype(np.float64))


@settings(deadline=None, max_examples=100)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=3), st.sampled_from(("own", "any")), st.integers(0, 99))
def test_any_positions_equal_the_definition(space: list[int], where: str, seed: int) -> None:
    """Positions in their own windows, and anywhere, repeated ones among them."""
    generator = np.random.default_rng(seed)
    shape, size = (2, 2, *space), tuple(2 * n for n in space)
    x = generator.integers(1, 200, shape).astype(np.uint8)
    indices = own_windows(generator, shape, size) if where == "own" else generator.integers(0, np.prod(size), shape)
    y = getattr(fastup, f"max_unpool{len(space)}d")(x, indices, 2)
    np.testing.assert_array_equal(y, oracles.max_unpool(x, indices, size))


def own_windows(generator: np.random.Generator, shape: tuple[int, ...], size: tuple[int, ...]) -> Array:
    """A random position in each window of two by two."""
    inside = tuple(2 * at + generator.integers(0, 2, shape) for at in np.indices(shape)[2:])
    return np.asarray(np.ravel_multi_index(inside, size))


@pytest.mark.parametrize(
    ("space", "ceil", "pairs"),
    [
        ((8, 10), False, True),
        ((9, 11), False, True),
        ((8, 10), True, True),
        ((9, 10), True, False),
        ((8, 11), True, False),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8", "float16", "bfloat16"])
def test_windows_of_two_by_two_side_by_side(space: tuple[int, int], ceil: bool, pairs: bool, dtype: str) -> None:
    """Their own kernel gives what the general one gives, and runs only where every window lies inside."""
    x = few_values((2, 3, *space), kind_of(dtype), seed=5)
    plan = fastup.plan.max_pool2d(x.shape, x.dtype, 2, ceil_mode=ceil, return_indices=True)
    assert pooling._in_pairs(plan) is pairs
    wanted, places = oracles.max_pool(x, 2, ceil_mode=ceil)
    values, indices = fastup.run(plan, x)
    np.testing.assert_array_equal(values.astype(np.float64), wanted.astype(np.float64))
    np.testing.assert_array_equal(indices, places)


@pytest.mark.quick
@pytest.mark.parametrize("case", POOLS[::3], ids=str)
@pytest.mark.parametrize("dtype", ["uint8", "float32", "int64"])
def test_any_memory_gives_the_same(case: Case, dtype: str) -> None:
    x = case.input(dtype)
    expected: Any = case.run(x)
    for name, other in layouts(x).items():
        values, indices = case.run(other)
        assert (values.dtype, indices.dtype) == (other.dtype, np.int64), name
        np.testing.assert_array_equal(values, expected[0], err_msg=name)
        np.testing.assert_array_equal(indices, expected[1], err_msg=name)


@pytest.mark.parametrize("name", [*layouts(np.zeros((2, 2, 2, 2)))])
def test_values_and_indices_of_any_memory_go_back(name: str, generator: np.random.Generator) -> None:
    x = generator.standard_normal((3, 4, 8, 10), np.float32)
    values, indices = fastup.max_pool2d(x, 2, return_indices=True)
    expected = fastup.max_unpool2d(values, indices, 2)
    np.testing.assert_array_equal(fastup.max_unpool2d(layouts(values)[name], layouts(indices)[name], 2), expected)


def test_empty_batches_and_channels() -> None:
    for shape in ((0, 3, 4, 6), (2, 0, 4, 6)):
        values, indices = fastup.max_pool2d(np.zeros(shape, np.float32), 2, return_indices=True)
        assert values.shape == indices.shape == (*shape[:2], 2, 3)
        assert fastup.max_unpool2d(values, indices, 2).shape == shape


def test_a_kernel_much_larger_than_its_input_takes_no_longer() -> None:
    """Only taps inside are walked: 2**60 of them would never end."""
    x = np.arange(64, dtype=np.float32).reshape(1, 1, 8, 8)
    values, indices = fastup.max_pool2d(x, 2**30, padding=2**29, return_indices=True)
    assert (values.item(), indices.item()) == (63, 63)


@pytest.mark.skipif(sys.platform == "win32", reason="mprotect is POSIX")
@pytest.mark.parametrize("dtype", ["uint8", "float16", "float32", "float64", "complex128"])
@pytest.mark.parametrize("stream", [False, True])
def test_nothing_is_touched_outside_when_writing_back(
    dtype: str, stream: bool, generator: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    if stream:  # as if every result were larger than the last cache
        monkeypatch.setattr(cpu_info, "caches", lambda: cpu_info.Caches(0, 0, 0))
    kind, memory = np.dtype(dtype), [Guarded(2**17) for _ in range(3)]
    for number in range(40):
        height, width = (int(n) for n in generator.integers(1, 35, 2))
        shape, large = (1, 2, height, width), (1, 2, 2 * height, 2 * width)
        places = own_windows(generator, shape, large[2:])
        if number % 3 == 0:  # not in order: cleared, then scattered
            places = places[..., ::-1]
        x, indices, out = (
            guarded.array(*one, bool(number % 2))
            for guarded, one in zip(memory, ((shape, kind), (shape, np.dtype("i8")), (large, kind)), strict=True)
        )
        x[...], indices[...] = generator.integers(1, 99, shape), places
        plan = fastup.plan.max_unpool2d(shape, kind, 2)
        plan.backend_cache.clear()
        fastup.run(plan, x, out, operands=(indices,))
        np.testing.assert_array_equal(out, oracles.max_unpool(x, indices, large[2:]))
        plan.backend_cache.clear()


def test_the_reference_evaluator_has_its_own_output_size(generator: np.random.Generator) -> None:
    """It takes positions of the size that it infers, not of the one that is given; the other lowering suits both."""
    x = generator.permutation(70).reshape(1, 2, 5, 7).astype(np.float32)
    values, indices = fastup.max_pool2d(x, 2, return_indices=True)
    expected = fastup.max_unpool2d(values, indices, 2, output_size=(5, 7))
    native, portable = (
        fastup.export.max_unpool2d(values.shape, 2, output_size=(5, 7), lowering=lowering)
        for lowering in ("native", "portable")
    )
    np.testing.assert_array_equal(runtimes.run("onnxruntime", native, values, indices), expected)
    with pytest.raises((AssertionError, IndexError)):
        np.testing.assert_array_equal(runtimes.run("reference", native, values, indices), expected)
    for runtime, result in in_every_runtime(portable, values, indices, settings=False):
        np.testing.assert_array_equal(result, expected, err_msg=runtime)


def test_what_runtimes_do_with_nan() -> None:
    """Torch's NaN wins. onnxruntime's never does; the reference evaluator keeps one that comes first."""
    x = np.array([1, np.nan, np.nan, 2], np.float32)[None, None]
    model = fastup.export.max_pool1d(x.shape, 2)
    np.testing.assert_array_equal(fastup.max_pool1d(x, 2).ravel(), [np.nan, np.nan])
    np.testing.assert_array_equal(runtimes.run("onnxruntime", model, x).ravel(), [1, 2])
    np.testing.assert_array_equal(runtimes.run("reference", model, x).ravel(), [1, np.nan])
