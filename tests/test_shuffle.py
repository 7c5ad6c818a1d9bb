"""Pixel shuffle and unshuffle: worked values, the oracle, torch, properties."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastup
from tests import oracles
from tests.cases import ITEM_TYPES, SHUFFLES, Case


@pytest.mark.quick
def test_worked_values() -> None:
    y = fastup.pixel_shuffle(np.arange(36).reshape(1, 4, 3, 3), 2)
    rows = "0 9 1 10 2 11/18 27 19 28 20 29/3 12 4 13 5 14/21 30 22 31 23 32/6 15 7 16 8 17/24 33 25 34 26 35"
    assert y.tolist() == [[[[int(n) for n in row.split()] for row in rows.split("/")]]]


def test_nine_channels_make_one() -> None:
    assert fastup.pixel_shuffle(np.zeros((1, 9, 4, 4)), 3).shape == (1, 1, 12, 12)


@pytest.mark.quick
@pytest.mark.parametrize("case", SHUFFLES, ids=str)
@pytest.mark.parametrize("dtype", ITEM_TYPES)
def test_equals_the_oracle(case: Case, dtype: str) -> None:
    x = case.input(dtype)
    y = case.run(x)
    expected = getattr(oracles, case.operator)(x, *case.keywords.values())
    assert y.dtype == x.dtype
    np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("case", [case for case in SHUFFLES if case.torch], ids=str)
def test_equals_torch(case: Case, torch: Any) -> None:
    x, factor = case.input(), next(iter(case.keywords.values()))
    expected = getattr(torch.nn.functional, case.operator)(torch.from_numpy(x), factor)
    np.testing.assert_array_equal(case.run(x), expected.numpy())


@pytest.mark.parametrize("shape", [(1, 256, 128, 128), (1, 27, 90, 640), (3, 48, 67, 131)])
@pytest.mark.parametrize("last", [False, True])
def test_large_pictures(shape: tuple[int, ...], last: bool, generator: np.random.Generator) -> None:
    """Sizes at which vector kernels, helper threads and streamed rows work."""
    factor = {256: 2, 27: 3, 48: 4}[shape[1]]
    x = generator.standard_normal(shape, np.float32)
    n, c, h, w = shape
    split = x.reshape(n, c // factor**2, factor, factor, h, w)
    expected = split.transpose(0, 1, 4, 2, 5, 3).reshape(n, c // factor**2, h * factor, w * factor)
    if last:
        y = fastup.pixel_shuffle(np.ascontiguousarray(np.moveaxis(x, 1, -1)), factor, data_format="channels_last")
        np.testing.assert_array_equal(np.moveaxis(y, -1, 1), expected)
    else:
        y = fastup.pixel_shuffle(x, factor)
        np.testing.assert_array_equal(y, expected)
        np.testing.assert_array_equal(fastup.pixel_unshuffle(y, factor), x)


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.integers(0, 3), max_size=3),
    st.integers(1, 5),
    st.lists(st.tuples(st.integers(1, 9), st.integers(1, 5)), min_size=1, max_size=3),
    st.sampled_from(("CRD", "DCR")),
    st.sampled_from(("channels_first", "channels_last")),
    st.sampled_from(ITEM_TYPES),
)
def test_unshuffle_undoes_shuffle(
    leading: list[int], channels: int, axes: list[tuple[int, int]], order: str, data_format: str, dtype: str
) -> None:
    space, factors = [n for n, _ in axes], tuple(r for _, r in axes)
    mixed = channels * int(np.prod(factors))
    inner = [mixed, *space] if data_format == "channels_first" else [*space, mixed]
    x = (np.arange(np.prod([*leading, *inner])) % 251).astype(dtype).reshape([*leading, *inner])
    y = fastup.pixel_shuffle(x, factors, order=order, data_format=data_format)
    assert sorted(y.ravel().tolist(), key=abs) == sorted(x.ravel().tolist(), key=abs)
    back = fastup.pixel_unshuffle(y, factors, order=order, data_format=data_format)
    np.testing.assert_array_equal(back, x)


def test_batch_split_and_threads_change_nothing(generator: np.random.Generator) -> None:
    x = generator.standard_normal((4, 64, 96, 96), np.float32)
    whole = fastup.pixel_shuffle(x, 2)
    np.testing.assert_array_equal(np.concatenate([fastup.pixel_shuffle(part, 2) for part in np.split(x, 2)]), whole)
    with fastup.set_num_threads(1):
        np.testing.assert_array_equal(fastup.pixel_shuffle(x, 2), whole)
    with fastup.set_num_threads(5):
        np.testing.assert_array_equal(fastup.pixel_shuffle(x, 2), whole)
