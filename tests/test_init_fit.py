"""The fitted layer: known weights come back, least squares is least squares, and memory does not grow."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import fastup
from fastup.init import _fit_subpixel, fit_subpixel

pytestmark = pytest.mark.quick
Array = np.ndarray[Any, Any]


def layer(factor: tuple[int, int], kernel: tuple[int, int]) -> Array:
    """Any weights whose sum is 1 in every phase."""
    weight = np.random.default_rng(1).standard_normal((factor[0] * factor[1], 1, *kernel))
    weight += (1 - weight.sum(axis=(2, 3), keepdims=True)) / (kernel[0] * kernel[1])
    return weight


def pair(shape: tuple[int, ...] = (30, 41), factor: tuple[int, int] = (2, 2), seed: int = 2) -> tuple[Array, Array]:
    """Pictures that no layer explains."""
    generator = np.random.default_rng(seed)
    large = [*shape[:-2], shape[-2] * factor[0], shape[-1] * factor[1]]
    return generator.standard_normal(shape), generator.standard_normal(large)


@pytest.mark.parametrize(
    ("factor", "kernel"), [((2, 2), (5, 5)), ((3, 3), (3, 3)), ((2, 3), (3, 5)), ((1, 4), (1, 7)), ((1, 1), (3, 1))]
)
def test_known_weights_come_back(factor: tuple[int, int], kernel: tuple[int, int]) -> None:
    weight = layer(factor, kernel)
    small = 100 + pair((2, 3, 31, 40))[0]
    shown = fastup.subpixel_conv2d(small.reshape(-1, 1, 31, 40), weight, upscale_factor=factor, padding="same")
    large = shown.reshape(2, 3, *shown.shape[2:])
    for planes in ((small, large), (small[0], large[0]), (small[0, 0], large[0, 0])):
        fitted = fit_subpixel([planes], factor, kernel)
        assert fitted.dtype == np.float32
        assert fitted.shape == weight.shape
        np.testing.assert_allclose(fitted, weight, rtol=0, atol=1e-4)
        np.testing.assert_allclose(fit_subpixel([planes], factor, kernel, ridge=0), weight, rtol=0, atol=1e-6)


@pytest.mark.parametrize("ridge", [0, 0.3])
def test_it_is_least_squares(ridge: float) -> None:
    small, large = pair((9, 8), (2, 1))
    windows = np.lib.stride_tricks.sliding_window_view(small, (3, 3)).reshape(-1, 9)
    centre = windows[:, 4:5]
    unknowns = np.delete(windows - centre, 4, axis=1)
    phases = large.reshape(9, 2, 8).swapaxes(1, 2)[1:-1, 1:-1].reshape(-1, 2) - centre
    diagonal = np.sqrt(ridge * np.sum(unknowns**2) / 8)
    rows, targets = np.vstack([unknowns, diagonal * np.eye(8)]), np.vstack([phases, np.zeros((8, 2))])
    others = np.linalg.lstsq(rows, targets, rcond=None)[0].T
    fitted = fit_subpixel([(small, large)], (2, 1), 3, ridge=ridge).reshape(2, 9)
    np.testing.assert_allclose(np.delete(fitted, 4, axis=1), others, rtol=0, atol=1e-6)
    np.testing.assert_allclose(fitted.sum(axis=1), 1, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("kernel", "size"), [(3, 1), (3, 3_000), (3, 40_000), ((5, 3), 3_000), ((5, 3), 1 << 30), (11, 200_000)]
)
def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch, kernel: Any, size: int) -> None:
    pictures = [pair(), pair((2, 25, 90), seed=3)]
    expected = fit_subpixel(pictures, 2, kernel)
    monkeypatch.setattr(_fit_subpixel, "BLOCK_BYTES", size)
    np.testing.assert_allclose(fit_subpixel(pictures, 2, kernel), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("shape", [(900, 1100), (5, 200_000), (200_000, 5)])
def test_memory_does_not_grow_with_the_picture(shape: tuple[int, int]) -> None:
    small = np.zeros(shape, np.uint8)
    large = np.zeros((2 * shape[0], 2 * shape[1]), np.uint8)
    fit_subpixel([(small[:5, :5], large[:10, :10])], 2)
    tracemalloc.start()
    fit_subpixel([(small, large)] * 2, 2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * _fit_subpixel.BLOCK_BYTES  # the whole design would be 40 times as large, or 90


def test_pairs_are_read_one_at_a_time_and_all_count() -> None:
    pictures = [pair(), pair(seed=3), pair((30, 50), seed=4)]
    together = fit_subpixel((one for one in pictures), 2, 3)
    joined = fit_subpixel([pictures[2], tuple(np.stack(both) for both in zip(*pictures[:2], strict=True))], 2, 3)
    np.testing.assert_allclose(together, joined, rtol=0, atol=1e-6)
    assert np.abs(together - fit_subpixel(pictures[:2], 2, 3)).max() > 1e-3


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, ">u2", np.float16, np.float32, ml_dtypes.bfloat16])
def test_pictures_of_any_dtype_and_strides(dtype: Any) -> None:
    small, large = (np.round(20 * one + 100).astype(dtype) for one in pair())
    expected = fit_subpixel([(small.astype(np.float64), large.astype(np.float64))], 2, 3)
    turned = np.asfortranarray(small), np.repeat(large, 2, axis=1)[:, ::2]
    np.testing.assert_allclose(fit_subpixel([turned], 2, 3), expected, rtol=0, atol=1e-6)


def test_what_pictures_leave_undecided_is_nearest() -> None:
    nearest = np.zeros((4, 1, 3, 3))
    nearest[:, :, 1, 1] = 1
    flat = np.full((8, 8), 7), np.full((16, 16), 7)
    np.testing.assert_allclose(fit_subpixel([flat], 2, 3, ridge=0), nearest, rtol=0, atol=1e-7)
    np.testing.assert_allclose(fit_subpixel([pair()], 2, 3, ridge=1e9), nearest, rtol=0, atol=1e-7)
    np.testing.assert_array_equal(fit_subpixel([pair()], 2, 1), np.ones((4, 1, 1, 1)))


def blots(seed: int) -> Array:
    """A picture of overlapping discs of all sizes, the statistics of which are those of photos."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[:256, :256]
    picture = np.zeros((256, 256))
    for _ in range(400):
        radius = 4 / generator.uniform(0.03, 1)
        top, left, level = generator.uniform(0, 1, 3) * (256, 256, 1)
        picture[(y - top) ** 2 + (x - left) ** 2 < radius**2] = level
    return picture.astype(np.float32)


def test_it_beats_bicubic_on_a_picture_it_has_not_seen() -> None:
    larges = [blots(seed) for seed in range(3)]
    smalls = [fastup.interpolate(a[None, None], size=128, mode="bicubic", antialias=True) for a in larges]
    weight = fit_subpixel([(b[0, 0], a) for b, a in zip(smalls[1:], larges[1:], strict=True)], 2)
    fitted = fastup.subpixel_conv2d(smalls[0], weight, upscale_factor=2)[0, 0]
    bicubic = fastup.interpolate(smalls[0], scale_factor=2, mode="bicubic")[0, 0, 4:-4, 4:-4]
    inner = larges[0][4:-4, 4:-4]
    gain = 10 * np.log10(np.mean((bicubic - inner) ** 2) / np.mean((fitted - inner) ** 2))
    assert gain > 0.5, gain


S, L = np.zeros((10, 10)), np.zeros((20, 20))
NAN = np.full((20, 20), np.nan)
MESSAGES: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: fit_subpixel([], 2), ValueError, "pairs must hold at least one pair of pictures, got none"),
    (lambda: fit_subpixel(3, 2), TypeError, "pairs must be an iterable of pairs of pictures, got int"),
    (lambda: fit_subpixel((S, L), 2), TypeError, "each of pairs must be a tuple (small, large), got ndarray"),
    (lambda: fit_subpixel([(S, L, L)], 2), TypeError, "each of pairs must be a tuple (small, large), got tuple"),
    (
        lambda: fit_subpixel([(S, np.zeros((21, 20)))], 2),
        ValueError,
        "large picture must be factor (2, 2) times the small one, got (10, 10) and (21, 20)",
    ),
    (
        lambda: fit_subpixel([(np.zeros((3, 10, 10)), L)], 2),
        ValueError,
        "pictures must have the same leading axes, got the shapes (3, 10, 10) and (20, 20)",
    ),
    (
        lambda: fit_subpixel([(S[:4], L[:8])], 2),
        ValueError,
        "small picture must be at least as large as the kernel (5, 5), got (4, 10)",
    ),
    (
        lambda: fit_subpixel([(S[0], L[0])], 2),
        ValueError,
        "pictures must be (H, W), (C, H, W) or (N, C, H, W), got the shape (10,)",
    ),
    (
        lambda: fit_subpixel([(S > 0, L)], 2),
        TypeError,
        "pictures must be of an integer or floating dtype, got bool",
    ),
    (lambda: fit_subpixel([(S, NAN)], 2), ValueError, "pictures must be finite, got nan or infinity"),
    (lambda: fit_subpixel([(S + np.inf, L)], 2), ValueError, "pictures must be finite, got nan or infinity"),
    (lambda: fit_subpixel([(S, L)], 2, 4), ValueError, "kernel_size must be odd, got 4"),
    (lambda: fit_subpixel([(S, L)], 2, (3, 4)), ValueError, "kernel_size must be odd, got (3, 4)"),
    (lambda: fit_subpixel([(S, L)], 2, 0), ValueError, "kernel_size must be at least 1, got 0"),
    (
        lambda: fit_subpixel([(S, L)], 2.0),
        TypeError,
        "factor must be an integer or one integer per spatial axis, got 2.0",
    ),
    (lambda: fit_subpixel([(S, L)], (2,)), ValueError, "factor must be one integer per spatial axis (2), got (2,)"),
    (lambda: fit_subpixel([(S, L)], 2, ridge=-1), ValueError, "ridge must be finite and at least 0, got -1"),
    (lambda: fit_subpixel([(S, L)], 2, ridge=np.inf), ValueError, "ridge must be finite and at least 0, got inf"),
    (lambda: fit_subpixel([(S, L)], 2, ridge=True), TypeError, "ridge must be a number, got True"),
]


@pytest.mark.parametrize(("call", "kind", "message"), MESSAGES)
def test_messages(call: Callable[[], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value) == f"fit_subpixel: {message}"
