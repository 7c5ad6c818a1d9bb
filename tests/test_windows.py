"""Windows of the operators that are not interpolation, and tiles of all: that part of the result, bit for bit."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import fastup
import fastup.export
from fastup.cpu.conv import column_tiling
from fastup.export import UnsupportedExport
from fastup.plan import Plan, cache
from tests.cases import CASES, CONVS, POOLS, RESIZES, SMOOTH, STUFFED, Case, in_every_runtime, quickly
from tests.test_interpolation_windows import random_window

Array = np.ndarray[Any, Any]
SHUFFLES = [case for case in CASES if case.operator in ("pixel_shuffle", "pixel_unshuffle")]
POOLED = [case for case in POOLS if not case.keywords.get("return_indices")]
WINDOWED = [*SHUFFLES, *CONVS]
TILED = [*SHUFFLES, *CONVS, *STUFFED, *POOLED, *RESIZES[::3], *SMOOTH[::3]]


def plan_of(case: Case, dtype: str) -> Plan:
    keywords = dict(case.keywords)
    weights = [case.operands["weight"]] if "weight" in case.operands else []
    if isinstance(keywords.get("activation"), tuple) and keywords["activation"][0] == "prelu":
        keywords["activation"] = "prelu"
    plan: Plan = getattr(fastup.plan, case.operator)(case.shape, dtype, *weights, **keywords)
    return plan


def at(plan: Plan, window: tuple[slice, ...]) -> tuple[slice, ...]:
    """The window as an index of a whole array."""
    index = [slice(None)] * len(plan.input_shape)
    for axis, part in zip(plan.spatial_axes, window, strict=True):
        index[axis] = part
    return tuple(index)


def windows_of(plan: Plan, generator: np.random.Generator) -> list[tuple[slice, ...]]:
    size = plan.space(plan.output_shape)
    return [*(random_window(size, generator) for _ in range(4)), tuple(slice(n - 1, n) for n in size)]


@pytest.mark.parametrize("case", quickly(WINDOWED, 12), ids=str)
def test_window_equals_slicing_the_whole(case: Case, generator: np.random.Generator) -> None:
    for dtype in ("float32", "float64") if case.operands else ("float32", "uint8", "complex128"):
        x, operands, plan = case.input(dtype), case.arrays(dtype), plan_of(case, dtype)
        whole = case.run(x, **operands)
        for window in windows_of(plan, generator):
            y = case.run(x, **operands, window=window)
            assert y.flags.c_contiguous
            assert y.dtype == x.dtype
            np.testing.assert_array_equal(y, whole[at(plan, window)])


@pytest.mark.parametrize("level2", [2**14, 2**18, 2**21])
@pytest.mark.parametrize(
    "case",
    [
        Case("conv2d", (1, 200, 21, 70), {"padding": 1}, operands={"weight": (40, 200, 3, 3)}),
        Case("conv2d", (1, 300, 9, 70), {}, operands={"weight": (20, 300, 1, 1)}),
        Case("conv2d", (1, 70, 9, 40), {"padding": 5}, operands={"weight": (3, 70, 11, 11)}),
        Case("conv_transpose2d", (1, 160, 12, 40), {"stride": 2}, operands={"weight": (160, 9, 3, 3)}),
        Case("subpixel_conv2d", (1, 150, 20, 40), {"upscale_factor": 2}, operands={"weight": (24, 150, 3, 3)}),
    ],
    ids=str,
)
def test_sums_are_cut_alike_in_parts_of_any_size(
    case: Case, level2: int, generator: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks of channels follow from caches and sizes; where sums are cut does not."""
    x, operands = case.input(), case.arrays()
    whole = case.run(x, **operands)
    monkeypatch.setattr(column_tiling, "_MOST_L2", level2)
    monkeypatch.setattr(cache, "cache", type(cache.cache)(2**20))
    plan = plan_of(case, "float32")
    for window in windows_of(plan, generator)[:3]:
        y = case.run(x, **operands, window=window)
        np.testing.assert_array_equal(y, whole[at(plan, window)])


@pytest.mark.parametrize("case", quickly(TILED, 12), ids=str)
def test_tile_makes_the_window_of_its_input_window(case: Case, generator: np.random.Generator) -> None:
    """Of a copy of the input window: nothing beside it can be read."""
    dtype = "float32"
    x, operands, plan = case.input(dtype), case.arrays(dtype), plan_of(case, dtype)
    whole = fastup.run(plan, x, operands=tuple(operands.values()))
    for window in windows_of(plan, generator):
        part = x[at(plan, plan.input_window(window))].copy()
        tile = plan.tile(window)
        assert tile.input_shape == part.shape
        y = fastup.run(tile, part, operands=tuple(operands.values()))
        np.testing.assert_array_equal(y, whole[at(plan, window)])


@pytest.mark.parametrize("case", quickly([*CONVS, *STUFFED, *SHUFFLES, *POOLED], 24), ids=str)
def test_input_window_is_needed(case: Case, generator: np.random.Generator) -> None:
    """Its first and last position along every axis change the window, if anything does."""
    plan = plan_of(case, "float64")
    operands = {name: np.ones(shape) for name, shape in case.operands.items()}
    linear = Case(case.operator, case.shape, {k: v for k, v in case.keywords.items() if k != "activation"})
    for window in windows_of(plan, generator):

        def seen(x: Array, window: tuple[slice, ...] = window) -> Array:
            return linear.run(x, **operands)[at(plan, window)]

        still = seen(np.zeros(case.shape))
        if np.array_equal(seen(np.ones(case.shape)), still):
            continue
        for k, part in enumerate(plan.input_window(window)):
            for position in (part.start, part.stop - 1):
                marked = np.zeros(case.shape)
                np.moveaxis(marked, plan.spatial_axes[k], 0)[position] = 1
                assert not np.array_equal(seen(marked), still), (window, k, position)


def test_windows_of_so_many_bytes() -> None:
    """They cover the plan's result, also that of a window, and none is larger than asked."""
    whole = fastup.plan.interpolate((1, 2, 30, 40), "float32", scale_factor=2)
    for plan, window in ((whole, ((0, 60), (0, 80))), (whole.cut((slice(7, 31), slice(5, 25))), ((7, 31), (5, 25)))):
        for most in (8, 100, 3000, 10**6):
            covered = np.zeros((60, 80), int)
            for part in plan.windows(most):
                covered[part] += 1
                assert covered[part].size * 2 * 4 <= most
            expected = np.zeros((60, 80), int)
            expected[tuple(slice(*ends) for ends in window)] = 1
            np.testing.assert_array_equal(covered, expected)
    with pytest.raises(TypeError, match="interpolate: most_bytes must be an integer, got 'a'"):
        whole.windows("a")
    for planar in (
        fastup.plan.max_unpool2d((1, 1, 4, 4), "float32", 2),
        fastup.plan.max_pool2d((1, 1, 4, 4), "float32", 2, return_indices=True),
    ):
        with pytest.raises(ValueError, match=r"max_.*2d: "):
            planar.windows(10)
    pool = fastup.plan.max_pool2d((1, 1, 7, 1), "float32", (2, 3), 3, (0, 1))
    assert pool.input_window((slice(2, 2), slice(0, 0))) == (slice(6, 6), slice(0, 0))


def test_windows_of_a_view_in_any_order() -> None:
    generator = np.random.default_rng(3)
    x = generator.random((2, 9, 10, 8), np.float32).transpose(0, 3, 2, 1)
    w = generator.random((8, 5, 3, 3), np.float32)
    window = (slice(3, 11), slice(1, -2))
    whole = fastup.conv_transpose2d(x, w, stride=2, padding=1)
    y = fastup.conv_transpose2d(x, w, stride=2, padding=1, window=window)
    np.testing.assert_array_equal(y, whole[:, :, 3:11, 1:-2])
    swapped = x.astype(">f4")
    y = fastup.pixel_shuffle(swapped, 2, window=window)
    assert y.dtype == ">f4"
    np.testing.assert_array_equal(y, fastup.pixel_shuffle(x, 2)[:, :, 3:11, 1:-2])


def test_layout_stays_with_windows() -> None:
    x = np.moveaxis(np.random.default_rng(4).random((1, 8, 9, 16), np.float32), -1, 1)
    y = fastup.pixel_shuffle(x, 2, window=(slice(3, 9), slice(2, 8)))
    assert np.moveaxis(y, 1, -1).flags.c_contiguous
    np.testing.assert_array_equal(y, fastup.pixel_shuffle(x, 2)[:, :, 3:9, 2:8])


def test_tiles_of_tiles_count_in_the_whole() -> None:
    plan = fastup.plan.interpolate((1, 1, 20, 20), "float32", scale_factor=3, mode="bicubic")
    window = (slice(10, 20), slice(0, 60))
    tile = plan.tile((slice(3, 50), slice(0, 60)))
    assert tile.input_window(window) == plan.input_window(window)
    assert tile.tile(window) == plan.tile(window) != tile
    assert plan.tile() != plan
    assert tile.whole is plan


@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
def test_exported_windows(data_format: str) -> None:
    last = data_format == "channels_last"
    x = np.random.default_rng(5).random((1, 8, 9, 12) if last else (1, 12, 8, 9), np.float32)
    w = np.random.default_rng(6).random((8, 12, 3, 3), np.float32)
    window: Any = (slice(3, -2), slice(1, 8))
    calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
        ("pixel_shuffle", (2,), {}),
        ("pixel_unshuffle", ((2, 1),), {"window": (slice(1, 3), slice(-4, None))}),
        ("conv2d", (w,), {"padding": 1, "window": (slice(1, 3), slice(-4, None))}),
        ("conv_transpose2d", (np.moveaxis(w, 0, 1).copy(),), {"stride": 2}),
        ("subpixel_conv2d", (w,), {"upscale_factor": 2, "padding": "same"}),
    ]
    for name, arguments, keywords in calls:
        keywords = {"window": window, "data_format": data_format, **keywords}
        model = getattr(fastup.export, name)(x.shape, *arguments, **keywords, verify=True)
        y = getattr(fastup, name)(x, *arguments, **keywords)
        for runtime, result in in_every_runtime(model, x, settings=False):
            np.testing.assert_allclose(result, y, rtol=1e-5, atol=1e-5, err_msg=runtime)


@pytest.mark.quick
def test_messages() -> None:
    x = np.ones((1, 4, 5, 6), np.float32)
    size = "pixel_shuffle: window must lie within the result of size (10, 12)"
    with pytest.raises(ValueError, match=re.escape(f"{size}, got 0:11, 0:12")):
        fastup.pixel_shuffle(x, 2, window=(slice(0, 11), slice(0, 12)))
    with pytest.raises(ValueError, match=re.escape(f"{size}, got :, -13:2")):
        fastup.plan.pixel_shuffle(x.shape, x.dtype, 2).tile((slice(None), slice(-13, 2)))
    with pytest.raises(
        TypeError, match="conv_transpose2d: window must be a tuple of slices, one per spatial axis, got 3"
    ):
        fastup.conv_transpose2d(x, np.ones((4, 1, 2, 2), np.float32), window=3)
    with pytest.raises(ValueError, match=r"subpixel_conv2d: window must have 2 slices for a result of size .*, got 1"):
        fastup.subpixel_conv2d(x, np.ones((4, 4, 1, 1), np.float32), upscale_factor=2, window=(slice(1),))
    with pytest.raises(ValueError, match="max_unpool2d: has no windows: any position may be named by any index"):
        fastup.plan.max_unpool2d(x.shape, x.dtype, 2).input_window()
    with pytest.raises(ValueError, match="max_pool2d: windows must be asked for without return_indices"):
        fastup.plan.max_pool2d(x.shape, x.dtype, 2, return_indices=True).tile()
    tile = fastup.plan.pixel_shuffle(x.shape, x.dtype, 2).tile((slice(0, 4), slice(0, 4)))
    with pytest.raises(UnsupportedExport, match="a tile has no graph of its own"):
        fastup.export.pixel_shuffle(tile)
    with pytest.raises(UnsupportedExport, match="window needs known spatial sizes"):
        fastup.export.pixel_shuffle((1, 4, "H", 6), 2, window=(slice(0, 4), slice(0, 4)))
    with pytest.raises(ValueError, match="run: x must have shape"):
        fastup.run(tile, x)
