"""The smooth modes of interpolation: worked values, the oracle, every dtype, a mode per axis, tables beyond a block."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastup
import fastup.nn
from fastup.plan.sampling.axis import BLOCK
from tests import oracles_interpolate as oracles
from tests.cases import SMOOTH, Case, quickly
from tests.closeness import CONTRACTS, MAGNITUDE, assert_near, assert_rounded
from tests.oracles import nearest_position

Array = np.ndarray[Any, Any]
INTEGERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
ALIGNED = [
    [1, 4 / 3, 5 / 3, 2],
    [5 / 3, 2, 7 / 3, 8 / 3],
    [7 / 3, 8 / 3, 3, 10 / 3],
    [3, 10 / 3, 11 / 3, 4],
]
HALF_PIXEL = [[1, 1.25, 1.75, 2], [1.5, 1.75, 2.25, 2.5], [2.5, 2.75, 3.25, 3.5], [3, 3.25, 3.75, 4]]
PADDED = [
    [1, 1.25, 1.75, 1.5, 0.5, 0],
    [1.5, 1.75, 2.25, 1.875, 0.625, 0],
    [2.5, 2.75, 3.25, 2.625, 0.875, 0],
    [2.25, 2.4375, 2.8125, 2.25, 0.75, 0],
    [0.75, 0.8125, 0.9375, 0.75, 0.25, 0],
    [0, 0, 0, 0, 0, 0],
]
PADDED_ALIGNED = [
    [1, 1.4, 1.8, 1.6, 0.8, 0],
    [1.8, 2.2, 2.6, 2.24, 1.12, 0],
    [2.6, 3, 3.4, 2.88, 1.44, 0],
    [2.4, 2.72, 3.04, 2.56, 1.28, 0],
    [1.2, 1.36, 1.52, 1.28, 0.64, 0],
    [0, 0, 0, 0, 0, 0],
]


def square(dtype: Any) -> Array:
    return np.arange(1, 5, dtype=dtype).reshape(1, 1, 2, 2)


@pytest.mark.quick
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize(
    ("padded", "align_corners", "expected"),
    [(False, False, HALF_PIXEL), (False, True, ALIGNED), (True, False, PADDED), (True, True, PADDED_ALIGNED)],
)
def test_worked_values(dtype: str, padded: bool, align_corners: bool, expected: list[list[float]]) -> None:
    x = np.pad(square(dtype), ((0, 0), (0, 0), (0, 1), (0, 1))) if padded else square(dtype)
    y = fastup.interpolate(x, scale_factor=2, mode="bilinear", align_corners=align_corners)
    assert y.dtype == x.dtype
    np.testing.assert_allclose(y[0, 0].astype(float), expected, rtol=0, atol=8 * float(np.finfo(dtype).eps))
    if not align_corners:  # binary fractions
        assert y[0, 0].tolist() == expected


@pytest.mark.quick
def test_a_neighbourhood_decides_unless_corners_are_aligned() -> None:
    """The zeros beside the square leave its far corner alone, but move every sample where corners are aligned."""
    assert np.array_equal(np.array(PADDED)[:2, :2], np.array(HALF_PIXEL)[:2, :2])
    x = np.pad(square(np.float32), ((0, 0), (0, 0), (0, 1), (0, 1)))
    for align_corners, equal in ((False, True), (True, False)):
        large = fastup.interpolate(x, scale_factor=2, mode="bilinear", align_corners=align_corners)
        small = fastup.interpolate(square(np.float32), scale_factor=2, mode="bilinear", align_corners=align_corners)
        assert np.array_equal(large[:, :, :3, :3], small[:, :, :3, :3]) is equal


@pytest.mark.quick
@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers_round_half_to_even(dtype: str) -> None:
    aligned = fastup.nn.UpsamplingBilinear2d(scale_factor=2)(square(dtype))
    halves = fastup.nn.UpsamplingBilinear2d(size=3)(square(dtype))  # 1.5, 2.5 and 3.5 are among them
    assert aligned.dtype == halves.dtype == dtype
    if dtype == "uint8":  # torch's fixed point rounds after each axis, half up
        assert aligned[0, 0].tolist() == [[1, 1, 2, 2], [2, 2, 3, 3], [2, 2, 3, 3], [3, 3, 4, 4]]
        assert halves[0, 0].tolist() == [[1, 2, 2], [2, 3, 3], [3, 4, 4]]
        return
    assert aligned[0, 0].tolist() == [[1, 1, 2, 2], [2, 2, 2, 3], [2, 3, 3, 3], [3, 3, 4, 4]]
    assert halves[0, 0].tolist() == [[1, 2, 2], [2, 2, 3], [3, 4, 4]]
    y = fastup.interpolate(square(dtype), scale_factor=2, mode="bilinear")
    assert y[0, 0].tolist() == [[1, 1, 2, 2], [2, 2, 2, 2], [2, 3, 3, 4], [3, 3, 4, 4]]


def expected_of(case: Case, x: Array) -> Array:
    return oracles.interpolate(x, **case.keywords)


def modes_of(case: Case) -> tuple[str, ...]:
    mode = case.keywords["mode"]
    return mode if isinstance(mode, tuple) else (mode,) * (len(case.shape) - 2)


def magnitude(case: Case) -> float:
    """Of the weights of all axes that have large ones of both signs."""
    return float(MAGNITUDE["lanczos"] ** modes_of(case).count("lanczos"))


def is_summed_freely(case: Case) -> bool:
    """Whether the order of the sum is the kernel's own: results are promised within its error only."""
    modes = modes_of(case)
    mixed_area = "area" in modes and case.keywords["mode"] != "area"
    return bool(case.keywords.get("antialias") or "lanczos" in modes or mixed_area or not CONTRACTS)


@pytest.mark.parametrize("case", quickly(SMOOTH, 8), ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_equals_the_oracle(case: Case, dtype: str) -> None:
    x = case.input(dtype)
    y, expected = case.run(x), expected_of(case, x)
    assert_near(y, expected, x, magnitude(case))
    if not is_summed_freely(case):
        np.testing.assert_array_equal(y, expected)


HALF_CASES = [(case, ("float16", "bfloat16")[k % 2]) for k, case in enumerate(SMOOTH)]


@pytest.mark.parametrize(("case", "dtype"), HALF_CASES, ids=str)
def test_half_precision_is_rounded_once(case: Case, dtype: str) -> None:
    x = case.input(fastup.plan.interpolate(case.shape, dtype, 1).dtype)
    assert_rounded(case.run(x), expected_of(case, x.astype(np.float32)), not is_summed_freely(case))


# Every integer dtype takes a quarter of the cases, and uint8, which has arithmetic of its own, takes them all.
INTEGER_CASES = [(case, "uint8") for case in SMOOTH]
INTEGER_CASES += [(case, dtype) for k, dtype in enumerate(INTEGERS) if dtype != "uint8" for case in SMOOTH[k % 4 :: 4]]


@pytest.mark.parametrize(("case", "dtype"), INTEGER_CASES, ids=str)
def test_integers_equal_the_oracle(case: Case, dtype: str) -> None:
    """Over their whole range, so that cubic overshoots it and saturates."""
    x = case.input(dtype)
    y, expected = case.run(x), expected_of(case, x)
    assert_near(y, expected, x, magnitude(case))
    if not is_summed_freely(case) or is_fixed_point(case, dtype):
        np.testing.assert_array_equal(y, expected)


def is_fixed_point(case: Case, dtype: str) -> bool:
    modes = tuple(oracles.KINDS.get(mode, mode) for mode in modes_of(case))
    return oracles.is_fixed_point(np.dtype(dtype), modes, case.keywords.get("antialias", False))


@pytest.mark.quick
@pytest.mark.parametrize("dtype", INTEGERS)
def test_cubic_saturates(dtype: str) -> None:
    limits = np.iinfo(dtype)
    x = np.repeat(np.array([limits.min, limits.max], dtype), 4).reshape(1, 1, 8)
    y = fastup.interpolate(x, scale_factor=4, mode="cubic")[0, 0]
    assert (y[:6] == limits.min).all()
    assert (y[-6:] == limits.max).all()
    assert (np.diff(y.astype(float)) >= 0).all()  # without saturation the overshoot would wrap around


@pytest.mark.quick
def test_large_integers_are_rounded_too() -> None:
    """Beyond 2**51 float64 has halves still, beyond 2**52 it has none."""
    for exponent in (48, 49, 50, 51, 52, 53):
        for first in (1, 3, -3, -5):
            low = (1 if first > 0 else -1) * 2**exponent + first
            x = np.array([[[low, low + 1]]])
            middle = fastup.interpolate(x, 3, mode="linear", align_corners=True)[0, 0, 1]
            assert middle == round((float(low) + float(low + 1)) / 2), (low, middle)


@pytest.mark.parametrize("case", [case for case in SMOOTH if isinstance(case.keywords["mode"], tuple)], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_mode_per_axis_is_one_axis_after_the_other(case: Case, dtype: str) -> None:
    """The last axis first, each in a call of its own."""
    x = case.input(dtype)
    first = 1 if case.keywords.get("data_format") == "channels_last" else 2
    options = {name: value for name, value in case.keywords.items() if name in ("align_corners", "antialias")}
    expected = x
    for k in reversed(range(x.ndim - 2)):
        expected = _one_axis(expected, first + k, _of_axis(case, k), options)
    assert_near(case.run(x), expected, x)
    if "area" not in case.keywords["mode"]:
        np.testing.assert_array_equal(case.run(x), expected)


def _of_axis(case: Case, k: int) -> dict[str, Any]:
    return {
        name: value[k] if isinstance(value, tuple) else value
        for name, value in case.keywords.items()
        if name in ("size", "scale_factor", "mode")
    }


def _one_axis(x: Array, axis: int, keywords: dict[str, Any], options: dict[str, Any]) -> Array:
    if keywords["mode"] in ("nearest", "nearest-exact", "area"):
        options = {}
    elif keywords["mode"] == "lanczos":
        options = {**options, "align_corners": None}
    lines = np.moveaxis(x, axis, -1)
    mode = {**keywords, "mode": (keywords["mode"],)}
    y = fastup.interpolate(np.ascontiguousarray(lines).reshape(1, -1, x.shape[axis]), **mode, **options)
    return np.moveaxis(y.reshape(*lines.shape[:-1], -1), -1, axis)


@pytest.mark.parametrize(
    ("mode", "keywords"),
    [
        ("nearest", {}),
        ("nearest-exact", {}),
        ("n-linear", {}),
        ("n-linear", {"align_corners": True}),
        ("cubic", {}),
        ("cubic", {"align_corners": True}),
    ],
)
@pytest.mark.parametrize(("n", "m"), [(1000, 200_003), (150_001, 70_001), (1, 65_537)])
def test_tables_longer_than_a_block(
    mode: str, keywords: dict[str, Any], n: int, m: int, generator: np.random.Generator
) -> None:
    assert m > BLOCK
    x = generator.standard_normal((1, 2, n)).astype(np.float32)
    y = fastup.interpolate(x, size=m, mode=mode, **keywords)
    edges = [edge + k for edge in range(0, m, BLOCK) for k in (-2, -1, 0, 1, 2)]
    sample = [i for i in (*edges, m - 1, *generator.integers(0, m, 300).tolist()) if 0 <= i < m]
    expected = np.stack([_at(x, i, m, mode, bool(keywords)) for i in sample], axis=-1)
    assert_near(y[..., sample], expected, x)
    if CONTRACTS:
        np.testing.assert_array_equal(y[..., sample], expected)


def _at(x: Array, i: int, m: int, mode: str, aligned: bool) -> Array:
    """One output position by the oracle's rule."""
    n, f = x.shape[-1], np.float32
    far = n > 2**14  # where float32 has steps of more than 2**-10
    if mode.startswith("nearest"):
        if far:
            return np.asarray(x[..., (2 * i + (mode == "nearest-exact")) * n // (2 * m)])
        return np.asarray(np.take(x, nearest_position(i, n, m, None, mode == "nearest-exact"), -1))
    kind, order = ("linear", (1, 0)) if mode == "n-linear" else ("cubic", (1, 0, 2, 3))
    if far:
        return oracles.weighted_sum(x, oracles.exact_row(i, n, m, kind, aligned, f), order)
    row = oracles.sampled_row(i, n, kind, oracles.sampling_scale(n, m, None, aligned, f), aligned, f)
    return oracles.weighted_sum(x, row, order)


def test_long_antialiased_axes(generator: np.random.Generator) -> None:
    x = generator.standard_normal((1, 1, 160_000)).astype(np.float32)
    y = fastup.interpolate(x, size=70_000, mode="n-linear", antialias=True)
    scale = np.float64(160_000 / 70_000)
    for i in (0, 1, 65_535, 65_536, 65_537, 69_999):
        row = [(k, np.float32(w)) for k, w in oracles.antialias_row(i, 160_000, "linear", scale, np.float64)]
        assert_near(y[..., i], oracles.weighted_sum(x, row), x)
