"""Interpolation: worked values, the oracle, torch live and stored, properties."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastup
from tests import oracles
from tests.cases import ITEM_TYPES, RESIZES, Case

STORED = Path(__file__).with_name("data") / "torch-2.13.npz"
MODES = ("nearest", "nearest-exact")


@pytest.mark.quick
@pytest.mark.parametrize("dtype", ["float32", "int64"])
def test_worked_values(dtype: str) -> None:
    x = np.array([[[[1, 2], [3, 4]]]], dtype)
    expected = [[[[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]]]
    y = fastup.interpolate(x, scale_factor=2)
    assert y.dtype == x.dtype
    assert y.tolist() == expected


@pytest.mark.quick
@pytest.mark.parametrize("case", RESIZES, ids=str)
@pytest.mark.parametrize("dtype", ITEM_TYPES)
def test_equals_the_oracle(case: Case, dtype: str) -> None:
    x = case.input(dtype)
    keywords = dict(case.keywords)
    if keywords.pop("recompute_scale_factor", False):
        plan = fastup.plan.interpolate(x.shape, x.dtype, **case.keywords)
        keywords["size"] = plan.size
        del keywords["scale_factor"]
    np.testing.assert_array_equal(case.run(x), oracles.interpolate(x, **keywords))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["float32", "float64"])
def test_every_size_pair_equals_stored_torch(mode: str, name: str) -> None:
    """All input sizes from 1 to 128 and output sizes from 1 to 256, as torch 2.13.0's generic kernel gave them.

    Two sizes in each call, one for either axis of a picture of its own positions.
    """
    stored = np.cumsum(np.load(STORED)[f"{mode} {name}"], dtype=np.uint8).astype(np.int64)
    at, both = 0, 257
    for n in range(1, 129):
        positions = np.arange(n)
        x = (256 * positions[:, None] + positions).astype(name)[None, None]
        begin = at + np.cumsum(np.arange(both))  # of the size after
        for m in range(1, both // 2 + 1):
            rows, columns = (stored[begin[size - 1] : begin[size]] for size in (m, both - m))
            y = fastup.interpolate(x, size=(m, both - m), mode=mode)[0, 0]
            assert np.array_equal(y, 256 * rows[:, None] + columns), (n, m)
        at = int(begin[both - 1])
    assert at == len(stored)


@pytest.mark.parametrize("mode", MODES)
def test_scale_factors_equal_stored_torch(mode: str) -> None:
    stored = np.load(STORED)
    factors, sizes = stored["factors"], stored["sizes"]
    values = np.cumsum(stored[f"{mode} factors"], dtype=np.uint8)
    at = 0
    for factor, n in zip(factors.tolist(), sizes.tolist(), strict=True):
        y = fastup.interpolate(np.arange(n, dtype=np.float32).reshape(1, 1, n), scale_factor=factor, mode=mode)[0, 0]
        assert np.array_equal(y, values[at : at + len(y)]), (n, factor)
        at += len(y)
    assert at == len(values)


@pytest.mark.parametrize("case", [case for case in RESIZES if case.torch], ids=str)
@pytest.mark.parametrize("dtype", ["uint8", "float16", "float32", "float64"])
def test_equals_torch(case: Case, dtype: str, torch: Any) -> None:
    x = case.input(dtype)
    expected = torch.nn.functional.interpolate(torch.from_numpy(x), **case.keywords).numpy()
    if _takes_torchs_small_path(case):
        expected = oracles.interpolate(
            x, case.run(x).shape[2:], case.keywords.get("scale_factor"), case.keywords["mode"]
        )
    np.testing.assert_array_equal(case.run(x), expected)


def _takes_torchs_small_path(case: Case) -> bool:
    """Known difference: for small 4-D pictures torch ignores a scale factor whose output is one or two inputs long."""
    return case.keywords.get("scale_factor") == (1.3, 2.0) and case.keywords["mode"] == "nearest"


def test_torchs_small_path_ignores_the_scale_factor(torch: Any) -> None:
    """The known difference itself: an upgrade of torch that mends it is noticed here."""
    x = np.arange(20, dtype=np.float32).reshape(1, 1, 1, 20)
    theirs = torch.nn.functional.interpolate(torch.from_numpy(x), scale_factor=(1, 2.04)).numpy()
    ours = fastup.interpolate(x, scale_factor=(1, 2.04))
    assert theirs.shape == ours.shape == (1, 1, 1, 40)
    np.testing.assert_array_equal(theirs, x.repeat(2, 3))
    np.testing.assert_array_equal(ours, oracles.interpolate(x, scale_factor=(1, 2.04)))
    assert not np.array_equal(ours, theirs)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("mode", MODES)
def test_random_scale_factors_equal_torch(rank: int, mode: str, torch: Any, generator: np.random.Generator) -> None:
    for _ in range(170):
        space = generator.integers(1, 12, rank)
        space[-1] = generator.integers(130, 200)  # beyond torch's small path
        factor = float(generator.uniform(1.01, 3))
        x = np.arange(np.prod(space), dtype=np.float32).reshape(1, 1, *space)
        expected = torch.nn.functional.interpolate(torch.from_numpy(x), scale_factor=factor, mode=mode).numpy()
        np.testing.assert_array_equal(fastup.interpolate(x, scale_factor=factor, mode=mode), expected)


@pytest.mark.parametrize(("n", "factor", "expected"), [(7, 1.3, 9), (3, 1.9999999, 5), (88, 120 / 88, 119)])
def test_output_size_is_torchs_floor(n: int, factor: float, expected: int) -> None:
    assert fastup.plan.interpolate((1, 1, n), "float32", scale_factor=factor).size == (expected,)


@pytest.mark.parametrize(("rounding", "expected"), [("floor", 119), ("round", 120), ("ceil", 120)])
def test_rounding_of_the_output_size(rounding: str, expected: int) -> None:
    plan = fastup.plan.interpolate((1, 1, 88), "uint8", scale_factor=120 / 88, rounding=rounding)
    assert plan.output_shape == (1, 1, expected)
    assert plan.sampling_scale == (float(np.float32(88 / 120)),)


def test_recompute_takes_the_scale_from_the_sizes() -> None:
    given_factor = fastup.plan.interpolate((1, 1, 10), "float32", scale_factor=1.25)
    recomputed = fastup.plan.interpolate((1, 1, 10), "float32", scale_factor=1.25, recompute_scale_factor=True)
    assert given_factor.sampling_scale == (float(np.float32(0.8)),)
    assert recomputed.sampling_scale == (float(np.float32(10) / np.float32(12)),)


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.tuples(st.integers(1, 20), st.integers(1, 70)), min_size=1, max_size=3),
    st.sampled_from(MODES),
    st.integers(1, 5),
    st.sampled_from(("channels_first", "channels_last")),
    st.sampled_from(ITEM_TYPES),
)
def test_axes_commute(axes: list[tuple[int, int]], mode: str, channels: int, data_format: str, dtype: str) -> None:
    """Interpolating all axes at once is interpolating them one by one, in any order."""
    size = tuple(m for _, m in axes)
    space = [n for n, _ in axes]
    x = np.arange(2 * channels * np.prod(space)).astype(dtype).reshape(2, channels, *space)
    expected = x
    for k in reversed(range(len(axes))):
        rule = (space[k], size[k], None, mode == "nearest-exact", np.float64 if dtype == "float64" else np.float32)
        expected = np.take(expected, [oracles.nearest_position(i, *rule) for i in range(size[k])], 2 + k)
    if data_format == "channels_last":
        y = fastup.interpolate(np.ascontiguousarray(np.moveaxis(x, 1, -1)), size, mode=mode, data_format=data_format)
        y = np.moveaxis(y, -1, 1)
    else:
        y = fastup.interpolate(x, size, mode=mode)
    np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("mode", MODES)
def test_indices_stay_inside_whatever_the_factor(mode: str) -> None:
    for factor in (1e-20, 1e-37, 3e-38, 1e-7):
        for dtype in ("uint8", "float64"):
            plan = fastup.plan.interpolate((1, 1, 8), dtype, None, factor, mode, rounding="ceil")
            assert plan.indices[0].tolist() in ([0], [7], [3], [4])


@pytest.mark.parametrize("mode", MODES)
def test_constants_stay_constant(mode: str) -> None:
    y = fastup.interpolate(np.full((1, 2, 9, 11), 3.5, np.float32), (31, 57), mode=mode)
    assert (y == 3.5).all()


@pytest.mark.parametrize("shape", [(1, 64, 256, 256), (1, 3, 700, 1501), (2, 5, 65, 65)])
@pytest.mark.parametrize("size", [(512, 512), (513, 1000), (1400, 3002)])
def test_large_pictures(shape: tuple[int, ...], size: tuple[int, int], generator: np.random.Generator) -> None:
    """Results on both sides of the last cache's size: streamed rows, helper threads, rows that are not whole lines."""
    x = generator.standard_normal(shape, np.float32)[:, :8]
    plan = fastup.plan.interpolate(x.shape, x.dtype, size)
    expected = x[:, :, plan.indices[0][:, None], plan.indices[1]]
    np.testing.assert_array_equal(fastup.interpolate(x, size), expected)
    np.testing.assert_array_equal(fastup.interpolate(x, size, threads=1), expected)


def test_whole_factors_repeat(generator: np.random.Generator) -> None:
    for factor in range(1, 9):
        x = generator.integers(0, 255, (1, 3, 17, 70), np.uint8)
        expected = x.repeat(factor, 2).repeat(factor, 3)
        np.testing.assert_array_equal(fastup.interpolate(x, scale_factor=factor), expected)
        np.testing.assert_array_equal(fastup.interpolate(x, scale_factor=factor, mode="nearest-exact"), expected)
