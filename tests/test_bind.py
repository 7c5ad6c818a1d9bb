"""Plans that are bound to arrays: every call reads them anew and checks nothing."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import fastup

pytestmark = pytest.mark.quick
Array = np.ndarray[Any, Any]


def test_calls_read_what_the_arrays_hold_then(generator: np.random.Generator) -> None:
    plan = fastup.plan.interpolate((1, 3, 20, 24), np.float32, scale_factor=2, mode="bilinear")
    x, out = np.empty((1, 3, 20, 24), np.float32), np.empty((1, 3, 40, 48), np.float32)
    call = plan.bind(x, out)
    for _ in range(3):
        x[...] = generator.standard_normal(x.shape)
        assert call() is out
        np.testing.assert_array_equal(out, fastup.interpolate(x, scale_factor=2, mode="bilinear"))


@pytest.mark.parametrize(
    ("plan", "strides"),
    [
        (fastup.plan.interpolate((2, 3, 9, 8), np.uint8, size=(5, 4), mode="bilinear", antialias=True), 1),
        (fastup.plan.interpolate((2, 3, 9, 8), np.uint8, size=(5, 4), mode="bilinear", antialias=True), 2),
        (fastup.plan.pixel_shuffle((2, 8, 5, 6), ">f4", 2), 1),
        (fastup.plan.interpolate((2, 3, 9, 8), ">f8", scale_factor=2, window=(slice(3, 9), slice(0, 16))), 1),
        (fastup.plan.max_pool2d((2, 3, 9, 8), np.float32, 2), 1),
        (fastup.plan.interpolate((0, 3, 9, 8), np.float32, scale_factor=2), 1),
    ],
    ids=str,
)
def test_bound_calls_give_what_run_gives(plan: Any, strides: int, generator: np.random.Generator) -> None:
    """Of any memory: strided, in the other byte order, windows, nothing at all."""
    shape = (*plan.input_shape[:-1], plan.input_shape[-1] * strides)
    x = generator.integers(0, 100, shape).astype(plan.dtype)[..., ::strides]
    out = np.zeros(plan.output_shape, plan.dtype)
    assert plan.bind(x, out)() is out
    np.testing.assert_array_equal(out, fastup.run(plan, x))


def test_operands_and_several_results(generator: np.random.Generator) -> None:
    x, weight = generator.standard_normal((1, 4, 8, 8), np.float32), np.ones((6, 4, 3, 3), np.float32)
    plan = fastup.plan.conv2d(x.shape, np.float32, weight.shape, padding=1)
    out = np.empty(plan.output_shape, np.float32)
    call = plan.bind(x, out, operands=(weight, None), threads=1)
    call()
    weight *= 2
    np.testing.assert_array_equal(call(), fastup.conv2d(x, weight, padding=1))
    pool = fastup.plan.max_pool2d(x.shape, np.float32, 2, return_indices=True)
    results = (np.empty((1, 4, 4, 4), np.float32), np.empty((1, 4, 4, 4), np.int64))
    assert pool.bind(x, results)() is results
    for found, wanted in zip(results, fastup.max_pool2d(x, 2, return_indices=True), strict=True):
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.peers
def test_tensors() -> None:
    torch = pytest.importorskip("torch")
    x, out = torch.rand(1, 3, 5, 5), torch.empty(1, 3, 10, 10)
    plan = fastup.plan.interpolate((1, 3, 5, 5), np.float32, scale_factor=2)
    assert plan.bind(x, out)() is out
    assert torch.equal(out, torch.nn.functional.interpolate(x, scale_factor=2))


X, OUT = np.zeros((1, 1, 3), np.float32), np.zeros((1, 1, 6), np.float32)


@pytest.mark.parametrize(
    ("arguments", "keywords", "kind", "message"),
    [
        ((X[..., :2], OUT), {}, ValueError, "run: x must have shape (1, 1, 3) and dtype float32 for this plan"),
        ((X, X), {}, ValueError, "interpolate: out must have shape (1, 1, 6)"),
        ((X, OUT.astype("f8")), {}, ValueError, "interpolate: out must have dtype float32"),
        ((X, None), {}, TypeError, "bind: out must be an array in the memory of the CPU, got NoneType"),
        ((X.tolist(), OUT), {}, TypeError, "fastup: x must be an array in the memory of the CPU, got list"),
        ((X, OUT), {"threads": 0}, ValueError, "interpolate: threads must be at least 1, got 0"),
        ((X, OUT), {"operands": (X,)}, ValueError, "run: operands must be empty for a plan of interpolate, got 1"),
        ((X, OUT), {"operands": 3}, TypeError, "run: operands must be a tuple of arrays, got int"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused_at_once(arguments: Any, keywords: Any, kind: Any, message: str) -> None:
    plan = fastup.plan.interpolate((1, 1, 3), np.float32, scale_factor=2)
    with pytest.raises(kind, match=re.escape(message)):
        plan.bind(*arguments, **keywords)
