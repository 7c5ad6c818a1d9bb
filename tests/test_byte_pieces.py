"""Rows of bytes by pieces: every way of making them gives the sums that the tables name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastup
from fastup.cpu.resample import byte_pieces, row_stage
from fastup.cpu.resample.strip import strip_of
from fastup.cpu.simd import byte_lanes
from fastup.plan.sampling import fixed_point
from fastup.plan.sampling.axis import Axis
from fastup.plan.sampling.table import table_of

pytestmark = pytest.mark.quick
Array = np.ndarray[Any, Any]
needs_pieces = pytest.mark.skipif(not byte_lanes.pieces(), reason="no permutation of bytes here")


def along(x: Array, axis: Axis, place: int) -> Array:
    """One axis, in NumPy's integers: 2**(bits - 1) is added, the sum is shifted, and kept within a byte."""
    if axis.is_identity:
        return x
    first, weights = table_of(axis)
    taps = np.clip(first[:, None] + np.arange(weights.shape[1]), 0, axis.n_in - 1)
    bits = fixed_point.bits(axis)
    rows = np.moveaxis(x, place, -1).astype(np.int64)
    total = (rows[..., taps] * weights).sum(axis=-1) + (1 << (bits - 1))
    made: Array = np.moveaxis(np.clip(total >> bits, 0, 255), -1, place).astype(np.uint8)
    return made


def expected(x: Array, keywords: dict[str, Any]) -> Array:
    """Rows first, then columns."""
    plan = fastup.plan.interpolate(x.shape, x.dtype, **keywords)
    last = keywords.get("data_format") == "channels_last"
    height, width = (1, 2) if last else (2, 3)
    return along(along(x, plan.axes[1], width), plan.axes[0], height)


RATIOS = [
    ((40, 60), (27, 40)),
    ((53, 191), (29, 127)),
    ((200, 300), (11, 13)),
    ((64, 48), (9, 90)),
    ((30, 33), (60, 66)),
    ((17, 19), (51, 44)),
    ((100, 5), (50, 3)),
    ((5, 100), (9, 33)),
    ((9, 4001), (5, 223)),
    ((300, 2), (7, 31)),
    ((1, 700), (1, 699)),
]


@pytest.mark.parametrize(("space", "size"), RATIOS, ids=str)
@pytest.mark.parametrize("items", [1, 2, 3, 4, 8, 11, 300])
@pytest.mark.parametrize(
    ("mode", "antialias"),
    [("bilinear", False), ("bilinear", True), ("bicubic", False), ("bicubic", True), ("lanczos", True)],
)
def test_sums_of_bytes(
    space: tuple[int, int],
    size: tuple[int, int],
    items: int,
    mode: str,
    antialias: bool,
    generator: np.random.Generator,
) -> None:
    """Interleaved channels, planes, rows whose pixels lie apart, and extreme values, which have to saturate."""
    if items == 300 and space[0] * space[1] > 2000:
        pytest.skip("as the others")
    x = generator.integers(0, 256, (2, *space, items), np.uint8)
    x[1] = np.where(x[1] > 127, 255, 0)
    last: dict[str, Any] = {
        "size": size, "mode": mode, "antialias": antialias, "data_format": "channels_last",
    }  # fmt: skip
    wanted = expected(x, last)
    np.testing.assert_array_equal(fastup.interpolate(x, **last), wanted)
    first = {**last, "data_format": "channels_first"}
    planes = np.moveaxis(wanted, -1, 1)
    np.testing.assert_array_equal(fastup.interpolate(np.moveaxis(x, -1, 1), **first), planes)
    np.testing.assert_array_equal(fastup.interpolate(np.ascontiguousarray(np.moveaxis(x, -1, 1)), **first), planes)
    apart = np.zeros((2, *space, items + 1), np.uint8)[..., :items]
    apart[...] = x
    np.testing.assert_array_equal(fastup.interpolate(apart, **last), wanted)


@needs_pieces
@pytest.mark.parametrize(
    ("items", "n_in", "n_out", "orders", "pixel", "direct"),
    [
        (3, 1920, 1280, 2, 0, True),
        (3, 1920, 700, 1, 0, True),
        (4, 4000, 224, 2, 0, True),
        (1, 1913, 1277, 2, 0, True),
        (1, 300, 600, 1, 0, True),
        (3, 4000, 224, 2, 3, True),
        (2, 4000, 224, 2, 2, True),
        (1, 4000, 224, 2, 1, True),
        (3, 18, 600, 1, 0, True),
        (3, 5, 600, 1, 0, False),  # a piece would reach beyond the row
    ],
)
def test_what_makes_a_row(items: int, n_in: int, n_out: int, orders: int, pixel: int, direct: bool) -> None:
    """A ratio that four neighbours span takes those; beyond, a piece a pixel; rows are read where they lie."""
    keywords: dict[str, Any] = {"mode": "bilinear", "antialias": n_out < n_in, "data_format": "channels_last"}
    plan = fastup.plan.interpolate((1, 4, n_in, items), np.uint8, size=(3, n_out), **keywords)
    strips = [strip_of(plan.axes[1], items)]
    found = byte_pieces.fit(strips, True)
    assert found is not None
    assert (found.orders, found.pixel, found.direct) == (orders, pixel, direct)
    loaded = byte_pieces.fit(strips, False)
    assert loaded is not None
    assert not loaded.direct


@needs_pieces
@pytest.mark.parametrize(("items", "n_in", "n_out"), [(16, 300, 200), (5, 300, 20)])
def test_what_pieces_do_not_make(items: int, n_in: int, n_out: int) -> None:
    """Long pixels fill vectors by themselves, others may lie too far apart."""
    plan = fastup.plan.interpolate(
        (1, 4, n_in, items), np.uint8, size=(3, n_out), mode="bilinear", antialias=True, data_format="channels_last"
    )
    chosen = row_stage.common([strip_of(plan.axes[1], items)], "uint8")
    assert chosen is not None
    assert chosen.method == "fixed table"


@needs_pieces
@pytest.mark.parametrize("items", [1, 2, 3, 4])
@pytest.mark.parametrize(("n_in", "n_out"), [(64, 41), (65, 9), (33, 90), (257, 5)])
def test_direct_pieces_stay_within_the_row(items: int, n_in: int, n_out: int) -> None:
    """No load begins before the row or ends behind it, though memory might end there."""
    plan = fastup.plan.interpolate(
        (1, 4, n_in, items), np.uint8, size=(3, n_out), mode="bicubic", antialias=True, data_format="channels_last"
    )
    strip = strip_of(plan.axes[1], items)
    found = byte_pieces.fit([strip], True)
    if found is None or not found.direct:
        assert items == 1 or n_out * items < 16
        return
    begins, _ = found.tables(strip)
    assert begins.min() >= 0
    assert begins.max() + found.reads(strip) <= (n_in - strip.span[0]) * items
