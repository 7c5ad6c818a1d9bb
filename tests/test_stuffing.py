"""Zero stuffing: the definition, every dtype and layout."""

from __future__ import annotations

import numpy as np
import pytest

import fastup
from tests.cases import ITEM_TYPES, STUFFED, Case


@pytest.mark.quick
@pytest.mark.parametrize("case", STUFFED, ids=str)
@pytest.mark.parametrize("dtype", ITEM_TYPES)
def test_equals_strided_assignment(case: Case, dtype: str) -> None:
    x = case.input(dtype)
    rank, last = x.ndim - 2, "data_format" in case.keywords
    stride, padding = (
        (value,) * rank if isinstance(value, int) else value
        for value in (case.keywords["stride"], case.keywords.get("padding", 0))
    )
    y = case.run(x)
    first = 1 if last else 2
    expected = np.zeros(y.shape, x.dtype)
    places = [slice(p, p + (n - 1) * s + 1, s) for n, s, p in zip(x.shape[first:], stride, padding, strict=False)]
    expected[(*(slice(None),) * first, *places)] = x
    np.testing.assert_array_equal(y, expected)
    sizes = [(n - 1) * s + 1 + 2 * p for n, s, p in zip(x.shape[first:], stride, padding, strict=False)]
    assert list(y.shape[first : first + rank]) == sizes


def test_strides_and_memory(generator: np.random.Generator) -> None:
    """Other strides, read-only memory, a target that held something, and memory that is channels-last."""
    x = generator.integers(0, 100, (2, 6, 8, 10)).astype(np.int16)[:, ::2, ::-1, 1::3]
    x.flags.writeable = False
    expected = fastup.zero_stuff(np.ascontiguousarray(x), (2, 3), 1)
    out = np.full(expected.shape, 7, np.int16)
    assert fastup.zero_stuff(x, (2, 3), 1, out=out) is out
    np.testing.assert_array_equal(out, expected)
    last = np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1)
    y = fastup.zero_stuff(last, (2, 3), 1)
    np.testing.assert_array_equal(y, expected)
    assert np.moveaxis(y, 1, -1).flags.c_contiguous
    assert fastup.zero_stuff(np.zeros((1, 2, 0), np.int8), 2, 1).shape == (1, 2, 2)
    assert not fastup.zero_stuff(np.zeros((1, 2, 0), np.int8), 2, 1).any()


def test_large_pictures(generator: np.random.Generator) -> None:
    x = generator.standard_normal((1, 16, 200, 300), np.float32)
    y = fastup.zero_stuff(x, 2, 1)
    np.testing.assert_array_equal(y[..., 1:-1:2, 1:-1:2], x)
    assert np.count_nonzero(y) == np.count_nonzero(x)
