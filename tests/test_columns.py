"""Rows that are turned into columns, and rows in blocks: the bits of one sum after the other, whatever the filter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastup
from fastup.cpu.resample import float_blocks, row_stage, tiles
from fastup.cpu.resample.kernels import columns, permute
from fastup.cpu.resample.strip import strip_of
from fastup.plan.cache import cache

pytestmark = pytest.mark.quick
Array = np.ndarray[Any, Any]
RATIOS = [
    ((60, 700), (17, 83)),
    ((33, 151), (9, 60)),
    ((100, 64), (30, 5)),
    ((40, 2000), (40, 90)),
    ((5, 300), (2, 20)),
    ((70, 40), (35, 16)),
    ((25, 90), (25, 133)),
]


def by_table(x: Array, monkeypatch: pytest.MonkeyPatch, **keywords: Any) -> Array:
    """The result without any stage but the plain one."""
    with monkeypatch.context() as patch:
        patch.setattr(tiles, "fit", lambda *_: None)
        patch.setattr(float_blocks, "fit", lambda *_: None)
        cache.clear()
        result: Array = fastup.interpolate(x, **keywords)
    cache.clear()
    return result


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "uint16", "int8"])
@pytest.mark.parametrize("items", [1, 3, 4, 15])
@pytest.mark.parametrize(("space", "size"), RATIOS, ids=str)
@pytest.mark.parametrize(
    ("mode", "antialias"), [("bilinear", True), ("bicubic", True), ("lanczos", True), ("bilinear", False)]
)
def test_every_stage_sums_in_one_order(
    dtype: str,
    items: int,
    space: tuple[int, int],
    size: tuple[int, int],
    mode: str,
    antialias: bool,
    generator: np.random.Generator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Interleaved channels, planes, and rows whose pixels lie apart; an infinite value reaches where it has weight."""
    if (dtype in ("float16", "int8") and items != 3) or (dtype == "uint16" and items not in (1, 4)):
        pytest.skip("as the others")
    x = (generator.standard_normal((1, *space, items)) * 50).astype(dtype)
    if x.dtype.kind == "f":
        x[0, space[0] // 2, space[1] // 3] = np.inf
    keywords: dict[str, Any] = {"size": size, "mode": mode, "antialias": antialias}
    last = {**keywords, "data_format": "channels_last"}
    wanted = by_table(x, monkeypatch, **last)
    np.testing.assert_array_equal(fastup.interpolate(x, **last), wanted)
    planes = np.ascontiguousarray(np.moveaxis(x, -1, 1))
    np.testing.assert_array_equal(fastup.interpolate(planes, **keywords), np.moveaxis(wanted, -1, 1))
    apart = np.zeros((1, *space, items + 1), dtype)[..., :items]
    apart[...] = x
    np.testing.assert_array_equal(fastup.interpolate(apart, **last), wanted)


@pytest.mark.parametrize("computed", ["float32", "float64"])
@pytest.mark.parametrize("items", [1, 3, 15])
@pytest.mark.parametrize(("n_in", "n_out"), [(700, 83), (2000, 90), (151, 60)])
def test_tiles_cover_the_row_and_stay_within_it(computed: str, items: int, n_in: int, n_out: int) -> None:
    plan = fastup.plan.interpolate(
        (1, 8, n_in, items), computed, size=(4, n_out), mode="bicubic", antialias=True, data_format="channels_last"
    )
    strip = strip_of(plan.axes[1], items)
    if strip.weights.shape[1] * items > columns.MOST_READ:
        assert tiles.fit([strip], computed) is None
        return
    assert tiles.fit([strip], computed) is not None
    made = tiles.tiles(strip, computed)
    lanes = permute.lanes(computed)
    assert {pixel for begin, end, *_ in made for pixel in range(begin, end)} == set(range(n_out))
    for begin, end, first, read in made:
        assert (end - begin) * items >= lanes
        assert lanes <= read <= columns.MOST_READ
        assert 0 <= first <= strip.first[begin] * items
        assert first + read <= n_in * items


def test_what_columns_are_for() -> None:
    """Stretched filters that reach beyond two vectors, where rows can be made in advance."""
    plan = fastup.plan.interpolate((1, 1, 90, 900), np.float32, size=(9, 90), mode="bilinear", antialias=True)
    strips = [strip_of(plan.axes[1], 1)]
    methods = [row_stage.common(strips, "float32", several=several) for several in (True, False)]
    assert [choice.method for choice in methods if choice] == ["columns", "table"]
