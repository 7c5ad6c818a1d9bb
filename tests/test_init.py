"""First weights: icnr begins as nearest, bilinear as linear interpolation; the score is that of its definition."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import fastup
from fastup import init

pytestmark = pytest.mark.quick


def transposed(x: Any, weight: Any, stride: int, padding: int) -> Any:
    """A transposed convolution by its definition: every input adds its kernel to the output."""
    spatial, kernel = x.shape[1:], weight.shape[2:]
    y = np.zeros((weight.shape[1], *[(n - 1) * stride + k for n, k in zip(spatial, kernel, strict=True)]))
    for position in np.ndindex(*spatial):
        window = [slice(p * stride, p * stride + k) for p, k in zip(position, kernel, strict=True)]
        y[(slice(None), *window)] += np.tensordot(x[(slice(None), *position)], weight, 1)
    return y[(slice(None), *[slice(padding, n - padding) for n in y.shape[1:]])]


def convolved(x: Any, weight: Any) -> Any:
    windows = np.lib.stride_tricks.sliding_window_view(x, weight.shape[2:], axis=(1, 2))
    return np.einsum("ihwkl,oikl->ohw", windows, weight)


@pytest.mark.parametrize("factor", [1, 2, 3, (2, 3)])
def test_icnr_begins_as_nearest_of_one_convolution(factor: Any) -> None:
    rng = np.random.default_rng(1)
    phases = int(np.prod(np.broadcast_to(factor, 2)))
    weight, x = rng.standard_normal((2 * phases, 3, 3, 3)), rng.standard_normal((3, 6, 7))
    filled = init.icnr(weight, factor)
    pair = factor if isinstance(factor, tuple) else (factor, factor)
    small = convolved(x, weight[::phases])
    expected = fastup.interpolate(small[None], scale_factor=pair)[0]
    assert np.array_equal(fastup.pixel_shuffle(convolved(x, filled), pair), expected)
    assert not np.shares_memory(filled, weight)


MODES = {1: "linear", 2: "bilinear", 3: "trilinear"}


@pytest.mark.parametrize(("rank", "stride"), list(itertools.product(MODES, (1, 2, 3, 4))))
def test_bilinear_begins_as_linear_interpolation(rank: int, stride: int) -> None:
    taps = 2 * stride - stride % 2
    weight = init.bilinear(np.empty((2, 2, *[taps] * rank)), stride)
    x = np.random.default_rng(2).standard_normal((2, *[5, 6, 4][:rank]))
    y = transposed(x, weight, stride, (taps - stride) // 2)
    inner = (slice(None), *[slice(stride, -stride)] * rank)
    expected = fastup.interpolate(x[None], scale_factor=stride, mode=MODES[rank])[0]
    assert np.allclose(y[inner], expected[inner], rtol=0, atol=1e-6)  # weights in float64, coordinates in float32


def test_bilinear_keeps_channels_apart_in_groups() -> None:
    dense = init.bilinear(np.empty((4, 4, 4), np.float32), 2)
    assert dense.dtype == np.float32
    assert np.array_equal(np.nonzero(dense.any(axis=2))[0], np.nonzero(dense.any(axis=2))[1])
    grouped = init.bilinear(np.empty((4, 2, 4)), 2)
    assert np.array_equal(grouped.any(axis=2), [[True, False], [False, True]] * 2)
    assert init.bilinear(np.empty((3, 1, 6), ml_dtypes.bfloat16), 2).shape == (3, 1, 6)


def test_bilinear_pads_a_larger_kernel_with_zeros() -> None:
    assert init.bilinear(np.empty((1, 1, 6)), 2).ravel().tolist() == [0, 0.25, 0.75, 0.75, 0.25, 0]


def test_score_counts_what_reaches_each_output() -> None:
    weight = np.random.default_rng(3).standard_normal((3, 2, 5, 4))
    reached = np.abs(transposed(np.ones((3, 9, 9)), np.abs(weight), 3, 0).sum(axis=0))[9:15, 9:15]
    expected = (reached.max() - reached.min()) / (reached.max() + reached.min())
    assert init.checkerboard_score(weight, 3) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("kernel", "stride", "score"),
    [((3,), 2, 1 / 3), ((4,), 2, 0), ((4, 4), 2, 0), ((3, 3), 2, 0.6), ((1,), 2, 1), ((4, 3), (2, 3), 0)],
)
def test_score_of_ones(kernel: tuple[int, ...], stride: Any, score: float) -> None:
    assert init.checkerboard_score(np.ones((2, 3, *kernel), np.float16), stride) == pytest.approx(score)
    assert init.checkerboard_score(np.zeros((2, 3, *kernel)), stride) == 0


W = np.zeros((8, 3, 3, 3))
SPATIAL = "an integer or one integer per spatial axis"
MESSAGES: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: init.icnr(W, 3), ValueError, "icnr: weight must have output channels divisible by 9, got 8"),
    (lambda: init.icnr(W, 2.0), TypeError, f"icnr: factor must be {SPATIAL}, got 2.0"),
    (lambda: init.icnr(W, (2,)), ValueError, "icnr: factor must be one integer per spatial axis (2), got (2,)"),
    (lambda: init.icnr(W, 0), ValueError, "icnr: factor must be at least 1, got 0"),
    (lambda: init.icnr(W.astype(int), 2), TypeError, "icnr: weight must be of a floating dtype, got int64"),
    (
        lambda: init.checkerboard_score(W[0, 0], 2),
        ValueError,
        "checkerboard_score: weight must have two channel axes and at least one spatial axis, got 2 axes",
    ),
    (
        lambda: init.bilinear(W, 2),
        ValueError,
        "bilinear: weight must have as many output as input channels, got the shape (8, 3, 3, 3)",
    ),
    (
        lambda: init.bilinear(np.zeros((1, 1, 5)), 2),
        ValueError,
        "bilinear: weight must have kernels of 4 or a multiple of 2 more for a stride of 2, got 5",
    ),
]


@pytest.mark.parametrize(("call", "kind", "message"), MESSAGES)
def test_messages(call: Callable[[], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value) == message
