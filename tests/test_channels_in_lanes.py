"""Wide layers: both kernels of convolutions give the same bits, in every layout and however a call is cut."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastup
from fastup.cpu.conv import channels_in_lanes
from fastup.cpu.conv.kernels import gemm
from fastup.plan import cache
from fastup.runtime import cpu_info

Array = np.ndarray[Any, Any]
CASES: list[tuple[str, tuple[int, ...], tuple[int, ...], dict[str, Any]]] = [
    ("conv1d", (1, 16, 64), (32, 8, 3), {"groups": 2}),
    ("conv2d", (2, 20, 9, 11), (32, 20, 3, 3), {"padding": 1}),
    ("conv2d", (1, 20, 19, 21), (61, 20, 3, 3), {"padding": 1, "stride": 2, "dilation": 2}),
    ("conv2d", (1, 9, 7, 300), (70, 9, 3, 3), {"padding": (2, 1)}),
    ("conv3d", (1, 7, 4, 6, 8), (90, 7, 3, 3, 3), {"padding": 1}),
    ("conv_transpose1d", (1, 20, 100), (20, 16, 20), {"stride": 8, "padding": 3}),
    ("conv_transpose2d", (1, 64, 12, 13), (64, 32, 4, 4), {"stride": 2, "padding": 1}),
    ("conv_transpose2d", (1, 8, 6, 6), (8, 16, 1, 1), {"stride": 3}),
    ("conv_transpose2d", (2, 40, 15, 33), (40, 45, 3, 3), {"stride": 2, "dilation": 2, "output_padding": 1}),
    ("conv_transpose3d", (1, 7, 4, 6, 8), (7, 30, 3, 3, 3), {"stride": 2, "padding": 1}),
    ("subpixel_conv2d", (1, 7, 6, 8), (64, 7, 3, 3), {"upscale_factor": 2, "padding": 1}),
]


@pytest.fixture
def anew(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Choose the kernel, and forget all plans that were packed for the other."""

    def choose(is_wide: bool) -> None:
        monkeypatch.setattr(channels_in_lanes, "applies", lambda plan: is_wide)
        monkeypatch.setattr(cache, "cache", type(cache.cache)(2**20))

    return choose


def run(
    case: tuple[str, tuple[int, ...], tuple[int, ...], dict[str, Any]], dtype: str, activation: str, last: bool
) -> Array:
    operator, shape, weight, keywords = case
    generator = np.random.default_rng(0)
    x, w = generator.standard_normal(shape).astype(dtype), generator.standard_normal(weight).astype(dtype)
    channels = weight[1] * keywords.get("groups", 1) if "transpose" in operator else weight[0]
    bias = generator.standard_normal(channels).astype(dtype)
    outputs = channels // (4 if operator.startswith("subpixel") else 1)
    slopes = generator.random(outputs).astype(dtype)
    layout = "channels_last" if last else "channels_first"
    x = np.ascontiguousarray(np.moveaxis(x, 1, -1)) if last else x
    given = ("prelu", slopes) if activation == "prelu" else activation
    y = getattr(fastup, operator)(x, w, bias, activation=given, data_format=layout, **keywords)
    return np.moveaxis(y, -1, 1) if last else y


@pytest.mark.quick
@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", ">f4"])
@pytest.mark.parametrize("activation", ["none", "tanh", "prelu"])
def test_both_kernels_give_the_same_bits(case: Any, dtype: str, activation: str, anew: Any) -> None:
    anew(False)
    expected = run(case, dtype, activation, False)
    anew(True)
    np.testing.assert_array_equal(run(case, dtype, activation, False), expected)
    if activation != "prelu":
        np.testing.assert_array_equal(run(case, dtype, activation, True), expected)


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("last", [False, True])
def test_the_same_bits_in_many_tiles(case: Any, last: bool, anew: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a small cache, calls have blocks of one row and strips of columns."""
    anew(False)
    expected = run(case, "float32", "none", last)
    anew(True)
    monkeypatch.setattr(channels_in_lanes, "_MOST_L2", 2**10)
    monkeypatch.setattr(channels_in_lanes, "_FEWEST_COLUMNS", 5)
    np.testing.assert_array_equal(run(case, "float32", "none", last), expected)


def test_which_layers_are_wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gemm, "vector_bytes", lambda: 64)
    monkeypatch.setattr(cpu_info, "brand", lambda: "Intel(R) Xeon(R) Processor")

    def is_wide(shape: tuple[int, ...], weight: tuple[int, ...], **keywords: Any) -> bool:
        return channels_in_lanes.applies(fastup.plan.conv2d(shape, "float32", weight, padding=1, **keywords))

    first, last = (1, 64, 96, 96), (1, 96, 96, 64)
    assert is_wide(first, (64, 64, 3, 3))
    assert is_wide(last, (64, 64, 3, 3), data_format="channels_last")
    assert is_wide(last, (64, 64, 1, 1), data_format="channels_last")
    assert not is_wide(first, (64, 64, 1, 1))  # sums of 64 products
    assert not is_wide((1, 64, 96, 8), (64, 64, 3, 3))  # narrow pictures
    assert not is_wide(last, (17, 64, 3, 3), data_format="channels_last")  # 15 of 32 lanes idle
    monkeypatch.setattr(cpu_info, "brand", lambda: "AMD EPYC 9R14")
    assert not is_wide(first, (64, 64, 3, 3))
    assert is_wide(last, (64, 64, 3, 3), data_format="channels_last")
