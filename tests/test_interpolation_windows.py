"""Windows: exactly that part of the result, from exactly that part of the input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastup
from tests.cases import RESIZES, SMOOTH, Case, quickly

Array = np.ndarray[Any, Any]
CASES = [*RESIZES, *SMOOTH]
LARGE = [
    Case("interpolate", (1, 2, 70, 90), {**to, "mode": mode, **options})
    for to in ({"scale_factor": 2}, {"scale_factor": 3}, {"size": (151, 203)}, {"size": (31, 44)})
    for mode, options in (
        ("nearest", {}),
        ("bilinear", {}),
        ("bicubic", {"align_corners": True}),
        ("area", {}),
        ("lanczos", {}),
        ("cubic", {"antialias": True}),
        (("linear", "nearest"), {}),
    )
]


def random_window(size: tuple[int, ...], generator: np.random.Generator) -> tuple[slice, ...]:
    window = []
    for m in size:
        low, high = sorted(generator.integers(0, m + 1, 2).tolist())
        window.append(slice(low, max(high, min(low + 1, m)) if low < m else m))
    return tuple(window)


def spatial(case: Case, slices: tuple[slice, ...]) -> Any:
    if case.keywords.get("data_format") == "channels_last":
        return (slice(None), *slices, slice(None))
    return (slice(None), slice(None), *slices)


@pytest.mark.parametrize("case", quickly([*CASES[::3], *LARGE], 8), ids=str)
def test_equals_slicing_the_whole(case: Case, generator: np.random.Generator) -> None:
    for dtype in ("float32", "uint8", "float16"):
        x = case.input(dtype)
        whole = case.run(x)
        size = fastup.plan.interpolate(case.shape, dtype, **case.keywords).size
        for _ in range(4):
            window = random_window(size, generator)
            y = case.run(x, window=window)
            assert y.dtype == x.dtype
            np.testing.assert_array_equal(y, whole[spatial(case, window)])


@pytest.mark.parametrize("case", [*CASES[1::3], *LARGE], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int16", "uint8"])
def test_reads_the_input_window_only(case: Case, dtype: str, generator: np.random.Generator) -> None:
    """What lies outside it is replaced, by what spreads to every sum that it enters."""
    x = case.input(dtype)
    plan = fastup.plan.interpolate(case.shape, dtype, **case.keywords)
    for _ in range(3):
        window = random_window(plan.size, generator)
        needed = spatial(case, plan.input_window(window))
        spoilt = np.full_like(x, np.nan) if dtype.startswith("float") else ~x
        spoilt[needed] = x[needed]
        np.testing.assert_array_equal(case.run(spoilt, window=window), case.run(x, window=window))


@pytest.mark.parametrize("case", [*CASES[2::3], *LARGE], ids=str)
def test_needs_the_whole_input_window(case: Case, generator: np.random.Generator) -> None:
    """The input window is tight: its first and last position along every axis change the result."""
    x = case.input("float64")
    plan = fastup.plan.interpolate(case.shape, "float64", **case.keywords)
    window = random_window(plan.size, generator)
    if 0 in case.run(x, window=window).shape:
        return
    needed = plan.input_window(window)
    for axis, part in enumerate(needed):
        for position in {part.start, part.stop - 1}:
            spoilt = x.copy()
            spoilt[spatial(case, (*[slice(None)] * axis, slice(position, position + 1)))] = np.nan
            assert np.isnan(case.run(spoilt, window=window)).any(), (axis, position)


def test_slices_mean_what_they_mean_in_numpy() -> None:
    x = np.arange(24, dtype=np.float32).reshape(1, 1, 4, 6)
    whole = fastup.interpolate(x, scale_factor=2, mode="bilinear")
    for window in (
        (slice(None), slice(None)),
        (slice(-3, None), slice(None, -5)),
        (slice(2, 8), slice(-12, 4)),
        (slice(1, 2), slice(11, 12, 1)),
        (slice(np.int64(3), 5), slice(0, 1)),
    ):
        y = fastup.interpolate(x, scale_factor=2, mode="bilinear", window=window)
        np.testing.assert_array_equal(y, whole[:, :, window[0], window[1]])


def test_empty_windows() -> None:
    x = np.ones((2, 3, 4, 6), np.float32)
    y = fastup.interpolate(x, scale_factor=2, mode="bicubic", window=(slice(5, 2), slice(1, 4)))
    assert y.shape == (2, 3, 0, 3)
    plan = fastup.plan.interpolate(x.shape, x.dtype, scale_factor=2, window=(slice(5, 5), slice(1, 4)))
    assert plan.output_shape == (2, 3, 0, 3)
    assert plan.input_window()[0] == slice(0, 0)


def test_the_plan_tells_its_own_window() -> None:
    arguments: Any = ((1, 1, 10, 10), "float32", None, 4, "bilinear")
    windowed = fastup.plan.interpolate(*arguments, window=(slice(8, 16), slice(3, 30)))
    whole = fastup.plan.interpolate(*arguments)
    assert windowed.output_shape == (1, 1, 8, 27)
    assert windowed.size == whole.size == (40, 40)
    assert windowed.input_window() == whole.input_window((slice(8, 16), slice(3, 30))) == (slice(1, 5), slice(0, 8))
    assert whole.input_window() == (slice(0, 10), slice(0, 10))
    assert windowed != whole
    assert windowed.input_window((slice(0, 1), slice(0, 1))) == (slice(0, 2), slice(0, 2))


def test_nearest_indices_of_a_window() -> None:
    plan = fastup.plan.interpolate((1, 1, 4, 6), "uint8", scale_factor=2, window=(slice(3, 7), slice(0, 5)))
    assert [index.tolist() for index in plan.indices] == [[1, 2, 2, 3], [0, 0, 1, 1, 2]]


def test_a_window_beyond_a_block_of_the_table(generator: np.random.Generator) -> None:
    x = generator.standard_normal((1, 1, 500)).astype(np.float32)
    for mode in ("nearest", "linear", "cubic", "lanczos", "area"):
        whole = fastup.interpolate(x, 300_000, mode=mode)
        for window in (slice(65_000, 140_000), slice(131_071, 131_073), slice(299_990, None)):
            np.testing.assert_array_equal(
                fastup.interpolate(x, 300_000, mode=mode, window=(window,)), whole[..., window]
            )


def test_a_window_of_a_result_that_no_memory_holds() -> None:
    x = np.arange(16, dtype=np.uint8).reshape(1, 1, 4, 4)
    y = fastup.interpolate(x, 2**24, mode="nearest", window=(slice(2**23 - 1, 2**23 + 1), slice(-2, None)))
    assert y.tolist() == [[[[7, 7], [11, 11]]]]
