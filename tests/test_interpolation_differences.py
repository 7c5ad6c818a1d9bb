"""Where torch 2.13 differs from fastup on purpose. Each is asserted, so that an upgrade that mends it is noticed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastup
from tests import oracles_interpolate as oracles
from tests.closeness import CONTRACTS, assert_near
from tests.test_interpolation_exact import theirs


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_antialias_to_one_column(mode: str, dtype: str, torch: Any) -> None:
    """torch gives a constant column where the height changes too; with its axes swapped the same call is right."""
    x = np.arange(4, dtype=dtype).reshape(1, 1, 4, 1)
    keywords: dict[str, Any] = {"mode": mode, "antialias": True}
    ours, wrong = fastup.interpolate(x, (6, 1), **keywords), theirs(torch, x, size=(6, 1), **keywords)
    swapped = theirs(torch, x.reshape(1, 1, 1, 4), size=(1, 6), **keywords).reshape(1, 1, 6, 1)
    assert np.unique(wrong).size == 1
    assert_near(ours, swapped, x)
    assert_near(ours, oracles.interpolate(x, (6, 1), **keywords), x)


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("antialias", [False, True])
def test_uint8_to_one_pixel(mode: str, antialias: bool, torch: Any, generator: np.random.Generator) -> None:
    """torch stops at a check of its own where three channels become one pixel; one channel after the other is right."""
    x = generator.integers(0, 256, (1, 3, 5, 7), np.uint8)
    keywords: dict[str, Any] = {"size": (1, 1), "mode": mode, "antialias": antialias}
    with pytest.raises(RuntimeError, match="INTERNAL ASSERT FAILED"):
        theirs(torch, x, **keywords)
    expected = np.stack([theirs(torch, x[:, c : c + 1].copy(), **keywords)[:, 0] for c in range(3)], axis=1)
    np.testing.assert_array_equal(fastup.interpolate(x, **keywords), expected)


def test_small_bilinear_pictures(torch: Any, generator: np.random.Generator) -> None:
    """torch multiplies the weights of both axes first where height and width of the result sum to 128 at most."""
    x = generator.uniform(-1, 1, (1, 2, 20, 30)).astype(np.float32)
    for size, equal in (((43, 61), False), ((64, 64), False), ((64, 65), True)):
        ours, other = fastup.interpolate(x, size, mode="bilinear"), theirs(torch, x, size=size, mode="bilinear")
        assert_near(ours, other, x)
        assert_near(ours, oracles.interpolate(x, size, mode="bilinear"), x)
        expected = oracles.interpolate(x, size, mode="bilinear")
        assert np.array_equal(other, expected) is equal


@pytest.mark.parametrize("shape", [(1, 2, 137), (1, 2, 37, 41), (1, 2, 17, 19, 11)])
def test_area_to_one_position(shape: tuple[int, ...], torch: Any, generator: np.random.Generator) -> None:
    """torch takes one mean of all positions, in an order of its own."""
    x = generator.uniform(-1, 1, shape).astype(np.float32)
    ours, other = fastup.interpolate(x, 1, mode="area"), theirs(torch, x, size=1, mode="area")
    assert_near(ours, other, x)
    assert not np.array_equal(other, oracles.interpolate(x, 1, mode="area"))


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_axes_that_keep_their_size(mode: str, torch: Any) -> None:
    """torch multiplies the neighbours by zero, so that infinity becomes not a number; here the axis is copied."""
    x = np.zeros((1, 1, 4, 6), np.float32)
    x[0, 0, 1, 2] = np.inf
    ours, other = fastup.interpolate(x, (4, 6), mode=mode), theirs(torch, x, size=(4, 6), mode=mode)
    np.testing.assert_array_equal(ours, x)
    assert np.isnan(other).any()


@pytest.mark.parametrize("name", ["float16", "bfloat16"])
def test_half_precision_weights(name: str, torch: Any, generator: np.random.Generator) -> None:
    """torch's kernel for channels-first pictures rounds the weights to the dtype; here they are float32."""
    dtype = getattr(torch, name)
    x = torch.from_numpy(generator.uniform(-1, 1, (1, 2, 20, 30)).astype(np.float32)).to(dtype)
    sums = torch.from_numpy(oracles.interpolate(x.float().numpy(), (80, 90), mode="bilinear"))
    ours = fastup.interpolate(x, (80, 90), mode="bilinear")
    other = torch.nn.functional.interpolate(x, (80, 90), mode="bilinear")
    ulp = torch.finfo(dtype).eps / 2  # of values between 1/2 and 1
    if CONTRACTS:
        assert torch.equal(ours, sums.to(dtype))
    assert float((ours.float() - sums).abs().max()) <= ulp / 2 + (0 if CONTRACTS else 3e-7)
    assert float((other.float() - sums).abs().max()) > ulp


def test_antialias_and_aligned_corners(torch: Any) -> None:
    """No difference, but an oddity that fastup follows: antialias aligns the scale and not the corners."""
    x = np.arange(4, dtype=np.float32).reshape(1, 1, 1, 4)
    keywords: dict[str, Any] = {"size": (2, 7), "mode": "bilinear", "antialias": True, "align_corners": True}
    ours = fastup.interpolate(x, **keywords)
    assert_near(ours, theirs(torch, x, **keywords), x)
    assert ours[0, 0, 0].tolist() == [0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75]
