"""The smooth modes against torch: stored results, live sweeps, what is not finite, and torch's known differences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastup
from tests import oracles_interpolate as oracles
from tests import torch_calls
from tests.cases import SMOOTH, Case, quickly
from tests.closeness import CONTRACTS, MAGNITUDE, assert_near

Array = np.ndarray[Any, Any]
STORED = Path(__file__).with_name("data") / "torch-2.13-smooth.npz"
RANKS = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}


def theirs(torch: Any, x: Array, **keywords: Any) -> Array:
    torch.set_num_threads(2)  # with one thread, torch has another kernel for three channels
    y = torch.nn.functional.interpolate(torch.from_numpy(x), **keywords)
    return y.numpy()  # type: ignore[no-any-return]


def assert_exact(y: Array, expected: Array, x: Array) -> None:
    assert_near(y, expected, x)
    if CONTRACTS or x.dtype == np.uint8:
        np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("call", quickly(torch_calls.CALLS, 3), ids=torch_calls.name_of)
def test_equals_stored_torch(call: torch_calls.Call) -> None:
    x = torch_calls.input_of(call)
    expected = np.load(STORED)[torch_calls.name_of(call)]
    compare = assert_near if call in torch_calls.ANTIALIASED else assert_exact
    compare(call[0].run(x), expected, x)


def test_nothing_else_is_stored() -> None:
    assert set(np.load(STORED).files) == {torch_calls.name_of(call) for call in torch_calls.CALLS}


@pytest.mark.parametrize("case", [case for case in SMOOTH if case.torch], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_cases_equal_torch(case: Case, dtype: str, torch: Any) -> None:
    x = case.input(dtype)
    y, expected = case.run(x), theirs(torch, x, **case.keywords)
    special = is_small_picture(case.keywords["mode"], y.shape) or is_mean_of_all(case.keywords["mode"], y.shape)
    (assert_near if special else assert_exact)(y, expected, x)


def is_small_picture(mode: str, shape: tuple[int, ...]) -> bool:
    """Known difference: torch has another kernel for small bilinear pictures, which sums in another order."""
    return mode == "bilinear" and shape[2] + shape[3] <= 128


def is_mean_of_all(mode: str, shape: tuple[int, ...]) -> bool:
    """Known difference: torch takes one mean of all positions where the result has one, in another order."""
    return mode == "area" and set(shape[2:]) == {1}


@pytest.mark.parametrize("mode", RANKS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("align_corners", [False, True])
def test_random_sizes_equal_torch(
    mode: str, dtype: str, align_corners: bool, torch: Any, generator: np.random.Generator
) -> None:
    for _ in range(60):
        x, size = random_call(RANKS[mode], dtype, generator)
        keywords: dict[str, Any] = {"size": size, "mode": mode, "align_corners": align_corners}
        assert_exact(fastup.interpolate(x, **keywords), theirs(torch, x, **keywords), x)


@pytest.mark.parametrize("mode", RANKS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_random_scale_factors_equal_torch(mode: str, dtype: str, torch: Any, generator: np.random.Generator) -> None:
    for number in range(90):
        x, size = random_call(RANKS[mode], dtype, generator)
        factors = [m / n for m, n in zip(size, x.shape[2:], strict=True)]
        if number % 3 == 0:  # whole factors take kernels of their own
            factors = [max(1, round(factor)) for factor in factors]
        elif number % 3 == 1:  # the size that the factor gives is not the size times the scale
            factors = [factor + 0.4 / n for factor, n in zip(factors, x.shape[2:], strict=True)]
        factors = [max(factor, 1 / n) for factor, n in zip(factors, x.shape[2:], strict=True)]
        keywords: dict[str, Any] = {"scale_factor": tuple(factors), "mode": mode, "align_corners": number % 2 == 1}
        y, expected = fastup.interpolate(x, **keywords), theirs(torch, x, **keywords)
        (assert_near if is_small_picture(mode, y.shape) else assert_exact)(y, expected, x)


def random_call(rank: int, dtype: str, generator: np.random.Generator) -> tuple[Array, tuple[int, ...]]:
    """An input and an output size, beyond what torch takes for a small picture."""
    most_in, most_out = {1: (300, 500), 2: (60, 90), 3: (14, 20)}[rank]
    shape, size = generator.integers(1, most_in, rank), generator.integers(1, most_out, rank)
    if rank == 2:
        size[1] = generator.integers(129, 260)
    return generator.uniform(-1, 1, (1, 2, *shape)).astype(dtype), tuple(int(m) for m in size)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_random_areas_equal_torch(rank: int, dtype: str, torch: Any, generator: np.random.Generator) -> None:
    for _ in range(80):
        x, size = random_call(rank, dtype, generator)
        y, expected = fastup.interpolate(x, size, mode="area"), theirs(torch, x, size=size, mode="area")
        (assert_near if is_mean_of_all("area", y.shape) else assert_exact)(y, expected, x)


@pytest.mark.parametrize("mode", ["bilinear", "bicubic", "lanczos"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_random_antialias_is_near_torch(mode: str, dtype: str, torch: Any, generator: np.random.Generator) -> None:
    for number in range(60):
        shape, size = generator.integers(1, 70, 2), generator.integers(2, 80, 2)
        x = generator.uniform(-1, 1, (1, 2, *shape)).astype(dtype)
        keywords: dict[str, Any] = {"size": tuple(size.tolist()), "mode": mode, "antialias": True}
        if number % 3 == 0:
            factors = size / shape
            keywords["scale_factor"] = tuple(factors.tolist())
            del keywords["size"]
        elif mode != "lanczos":
            keywords["align_corners"] = number % 3 == 1
        plan = fastup.plan.interpolate(x.shape, dtype, **keywords)
        if plan.size[1] == 1:
            continue  # the known difference below
        magnitude = MAGNITUDE["lanczos"] ** 2 if mode == "lanczos" else 1
        if any(axis.exact for axis in plan.axes):  # windows of more than 256 items, where torch's own sums are off
            magnitude *= 2
        assert_near(fastup.interpolate(x, **keywords), theirs(torch, x, **keywords), x, magnitude)


@pytest.mark.parametrize("mode", ["bilinear", "bicubic", "lanczos"])
@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
def test_random_uint8_equals_torch(
    mode: str, antialias: bool, data_format: str, torch: Any, generator: np.random.Generator
) -> None:
    if mode == "lanczos" and not antialias:
        pytest.skip("torch has no lanczos without antialias")
    for number in range(60):
        channels = int(generator.integers(1, 6))
        shape, size = generator.integers(2, 70, 2), generator.integers(2, 90, 2)
        x = generator.integers(0, 256, (2, *shape, channels), np.uint8)
        keywords: dict[str, Any] = {"size": tuple(size.tolist()), "mode": mode, "antialias": antialias}
        if number % 3 == 0:
            keywords["scale_factor"] = tuple(max(m / n, 2 / n) for m, n in zip(size, shape, strict=True))
            del keywords["size"]
        elif mode != "lanczos":
            keywords["align_corners"] = number % 3 == 1
        expected = theirs(torch, np.ascontiguousarray(np.moveaxis(x, -1, 1)), **keywords)
        if data_format == "channels_last":
            y = np.moveaxis(fastup.interpolate(x, **keywords, data_format=data_format), -1, 1)
        else:
            y = fastup.interpolate(np.ascontiguousarray(np.moveaxis(x, -1, 1)), **keywords)
        np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("mode", [*RANKS, "area"])
@pytest.mark.parametrize("factor", [2, 3, 4, 1.7, 0.6])
def test_what_is_not_finite_spreads_as_in_torch(
    mode: str, factor: float, torch: Any, generator: np.random.Generator
) -> None:
    """Taps of weight 0 count: zero times infinity is not a number, at the borders too."""
    shape = {1: (1, 2, 97), 2: (1, 2, 23, 80), 3: (1, 2, 6, 7, 9)}[RANKS.get(mode, 2)]
    options: tuple[Any, ...] = (None,) if mode == "area" else (False, True)
    for align_corners in options:
        for value in (np.inf, -np.inf, np.nan):
            x = generator.uniform(-1, 1, shape).astype(np.float32)
            at = generator.integers(0, x.size, 3)
            x.flat[[0, x.size // 2 - 1, x.size - 1, *at]] = value
            keywords: dict[str, Any] = {"scale_factor": factor, "mode": mode, "align_corners": align_corners}
            y, expected = fastup.interpolate(x, **keywords), theirs(torch, x, **keywords)
            (assert_near if is_small_picture(mode, y.shape) else assert_exact)(y, expected, x)


@pytest.mark.parametrize("mode", ["linear", "cubic", "lanczos"])
@pytest.mark.parametrize("m", quickly([13, 5, 26, 40, 64], 5))
@pytest.mark.parametrize("at", [0, 9, 25])
@pytest.mark.parametrize("value", [np.inf, np.nan])
def test_antialias_keeps_what_is_not_finite_within_the_support(mode: str, m: int, at: int, value: float) -> None:
    x = np.linspace(-1, 1, 26 * 5, dtype=np.float32).reshape(1, 5, 26)
    y = fastup.interpolate(x, m, mode=(mode,), antialias=True)
    x[0, 2, at] = value
    spoilt = fastup.interpolate(x, m, mode=(mode,), antialias=True)
    scale = np.float32(26) / np.float32(m)
    for i in range(m):
        weights = (
            {at: 1.0 if i == at else None} if m == 26 else dict(oracles.antialias_row(i, 26, mode, scale, np.float32))
        )
        if weights.get(at) is None:
            np.testing.assert_array_equal(spoilt[0, :, i], y[0, :, i])
        elif weights[at] != 0:
            assert not np.isfinite(spoilt[0, 2, i])
    np.testing.assert_array_equal(np.delete(spoilt, 2, 1), np.delete(y, 2, 1))
