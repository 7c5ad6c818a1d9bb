"""What holds for every input: constants, ranges, ramps, mirror images, swapped axes, batches and threads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import fastup
from tests.closeness import CONTRACTS, MAGNITUDE, assert_ulps

Array = np.ndarray[Any, Any]
few = settings(deadline=None, max_examples=60)
POSITIVE: list[dict[str, Any]] = [
    {"mode": "n-linear"},
    {"mode": "n-linear", "align_corners": True},
    {"mode": "n-linear", "antialias": True},
    {"mode": "area"},
]
ALL: list[dict[str, Any]] = [
    *POSITIVE,
    {"mode": "cubic"},
    {"mode": "cubic", "align_corners": True},
    {"mode": "cubic", "antialias": True},
    {"mode": "lanczos"},
    {"mode": "lanczos", "antialias": True},
]
axes = st.lists(st.tuples(st.integers(1, 20), st.integers(1, 45)), min_size=1, max_size=3)
seeds = st.integers(0, 2**32 - 1)


def random_input(seed: int, axes: list[tuple[int, int]], dtype: str = "float32") -> Array:
    shape = (2, 2, *(n for n, _ in axes))
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(dtype)


@few
@given(axes, st.sampled_from(ALL), st.sampled_from(("float32", "float64")), st.floats(-1e6, 1e6))
def test_constants_stay_constant(sizes: list[tuple[int, int]], keywords: Any, dtype: str, value: float) -> None:
    x = np.full((1, 2, *(n for n, _ in sizes)), value, dtype)
    y = fastup.interpolate(x, tuple(m for _, m in sizes), **keywords)
    assert_ulps(y, np.full_like(y, x.flat[0]), x, rounding_of(sizes, keywords))


def rounding_of(sizes: list[tuple[int, int]], keywords: dict[str, Any]) -> float:
    """How far the weights' sum may be from 1, in units of its last place."""
    if keywords in POSITIVE[:2]:  # a rounding per axis, and one more where it crosses a power of two
        return 1 + len(sizes)
    if keywords["mode"] == "area":  # a sum in a row over the whole window, and a division per axis
        return float(np.prod([n // m + 2 for n, m in sizes])) + len(sizes)
    return 12 * len(sizes)  # torch's polynomial for a = -0.75 alone is off by ten


@few
@given(axes, st.sampled_from(POSITIVE), st.sampled_from(("float32", "float64")), seeds)
def test_positive_weights_keep_the_range(sizes: list[tuple[int, int]], keywords: Any, dtype: str, seed: int) -> None:
    x = random_input(seed, sizes, dtype)
    y = fastup.interpolate(x, tuple(m for _, m in sizes), **keywords)
    slack = rounding_of(sizes, keywords) * np.spacing(np.abs(x).max())
    assert y.min() >= x.min() - slack
    assert y.max() <= x.max() + slack


@few
@given(st.integers(8, 60), st.floats(1.0, 4.0), st.sampled_from(["plain", "aligned", "linear", "cubic"]))
@example(16, 2.0, "plain")
def test_a_ramp_stays_a_ramp_away_from_the_borders(n: int, factor: float, kind: str) -> None:
    """Keys' kernel does so with a = -0.5 only, which is the one of antialias."""
    m = int(n * factor)
    keywords: dict[str, Any] = {"mode": "cubic" if kind == "cubic" else "n-linear"}
    if kind in ("linear", "cubic"):
        keywords["antialias"] = True
    if kind == "aligned":
        keywords["align_corners"] = True
    y = fastup.interpolate(np.arange(n, dtype=np.float32).reshape(1, 1, n), m, **keywords)[0, 0]
    i = np.arange(m)
    exact = i * (n - 1) / (m - 1) if kind == "aligned" else (i + 0.5) * n / m - 0.5
    inside = (exact >= 2) & (exact <= n - 3)
    assert inside.any()
    np.testing.assert_allclose(y[inside], exact[inside], rtol=0, atol=8 * float(np.spacing(np.float32(n))))


@few
@given(axes, st.sampled_from(ALL), st.sampled_from(("float32", "float64")), seeds)
def test_mirror_images(sizes: list[tuple[int, int]], keywords: Any, dtype: str, seed: int) -> None:
    """The coordinates of a mirror image are other numbers, whose rounding grows with the position."""
    if keywords.get("align_corners"):  # a single sample is the first one, not the one in the middle
        sizes = [(n, max(m, 2)) for n, m in sizes]
    x = random_input(seed, sizes, dtype)
    size = tuple(m for _, m in sizes)
    spatial = tuple(range(2, x.ndim))
    y = fastup.interpolate(np.flip(x, spatial), size, **keywords)
    ulps = 4 * len(sizes) * (4 + max(n for n, _ in sizes))
    assert_ulps(np.flip(y, spatial), fastup.interpolate(x, size, **keywords), x, ulps)


@few
@given(
    st.lists(st.integers(1, 20), min_size=1, max_size=3),
    st.sampled_from((1, 2, 4)),
    st.sampled_from([k for k in ALL if "antialias" not in k and "align_corners" not in k and k["mode"] != "lanczos"]),
    seeds,
)
def test_mirror_images_with_exact_coordinates(space: list[int], factor: int, keywords: Any, seed: int) -> None:
    """By powers of two every coordinate is a binary fraction."""
    x = random_input(seed, [(n, 0) for n in space])
    spatial = tuple(range(2, x.ndim))
    y = fastup.interpolate(np.flip(x, spatial), scale_factor=factor, **keywords)
    ulps = 4 * MAGNITUDE[keywords["mode"]] ** len(space)
    assert_ulps(np.flip(y, spatial), fastup.interpolate(x, scale_factor=factor, **keywords), x, ulps)


@few
@given(axes, st.sampled_from(ALL), st.sampled_from(("float32", "float64")), seeds)
def test_swapped_axes(sizes: list[tuple[int, int]], keywords: Any, dtype: str, seed: int) -> None:
    """The axes are summed in another order, and nothing else changes."""
    x = random_input(seed, sizes, dtype)
    size = tuple(m for _, m in sizes)
    swapped = np.ascontiguousarray(x.transpose(0, 1, *reversed(range(2, x.ndim))))
    y = fastup.interpolate(swapped, size[::-1], **keywords).transpose(0, 1, *reversed(range(2, x.ndim)))
    ulps = (4 if CONTRACTS else 6) * MAGNITUDE[keywords["mode"]] ** len(sizes)
    assert_ulps(y, fastup.interpolate(x, size, **keywords), x, ulps)


@few
@given(axes, st.sampled_from(ALL), st.sampled_from(("uint8", "int16", "float16", "float32", "float64")), seeds)
def test_every_plane_for_itself(sizes: list[tuple[int, int]], keywords: Any, dtype: str, seed: int) -> None:
    """Bit-equal, and with the channels last too: where a plane lies changes none of its sums."""
    x = (random_input(seed, sizes, "float64") * 100 + 100).astype(dtype)
    size = tuple(m for _, m in sizes)
    whole = fastup.interpolate(x, size, **keywords)
    for n in range(2):
        for c in range(2):
            part = fastup.interpolate(x[n : n + 1, c : c + 1], size, **keywords)
            np.testing.assert_array_equal(part[0, 0], whole[n, c])
    last = np.ascontiguousarray(np.moveaxis(x, 1, -1))
    y = fastup.interpolate(last, size, **keywords, data_format="channels_last")
    np.testing.assert_array_equal(np.moveaxis(y, -1, 1), whole)


@pytest.mark.parametrize("keywords", ALL, ids=str)
@pytest.mark.parametrize("dtype", ["uint8", "int32", "float16", "float32", "float64"])
@pytest.mark.parametrize(
    ("shape", "to"),
    [
        ((3, 5, 20_000), {"size": 51_000}),
        ((2, 4, 150, 210), {"scale_factor": 3}),
        ((2, 4, 300, 410), {"size": (211, 290)}),
        ((1, 2, 19, 60, 70), {"size": (40, 99, 131)}),
    ],
    ids=str,
)
def test_any_number_of_threads(keywords: Any, dtype: str, shape: Any, to: Any, generator: np.random.Generator) -> None:
    """Bit-equal: where the work is cut changes no sum."""
    x = generator.integers(0, 200, shape).astype(dtype)
    expected = fastup.interpolate(x, **to, **keywords, threads=1)
    for threads in (2, 5):
        np.testing.assert_array_equal(fastup.interpolate(x, **to, **keywords, threads=threads), expected)
    first = fastup.interpolate(x[:1, 1:], **to, **keywords)
    np.testing.assert_array_equal(first, expected[:1, 1:])
