"""Long axes: coordinates that lose no pixels, halves that round to even, second calls that cost what short ones do."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import fastup
from fastup.cpu.copy.kernels import permuted_copy
from fastup.cpu.resample import blocks, interpolation
from fastup.plan.sampling import table
from fastup.plan.sampling.axis import Axis
from tests import oracles_interpolate

Array = np.ndarray[Any, Any]
KINDS = {"linear": "linear", "cubic": "cubic", "lanczos": "lanczos"}


def test_coordinates_of_millions_of_samples() -> None:
    x = np.tile(np.array([0, 1000], "f4"), 1_000_000)[None, None]
    y = fastup.interpolate(x, scale_factor=3, mode="linear")[0, 0]
    i = np.arange(6_000_000)
    twice = np.clip((2 * i + 1) / 6 - 0.5, 0, None)
    whole = np.floor(twice).astype(int)
    past, line = twice - whole, x[0, 0].astype(np.float64)
    expected = line[whole] * (1 - past) + line[np.minimum(whole + 1, len(line) - 1)] * past
    assert np.abs(y - expected).max() < 1e-3
    z = np.arange(100_000, dtype=np.float64)[None, None]
    for mode in ("nearest", "nearest-exact"):
        y = fastup.interpolate(z, scale_factor=240, mode=mode)[0, 0]
        assert np.array_equal(y, np.arange(24_000_000) // 240)


def test_torch_is_off_by_pixels_there(torch: Any) -> None:
    """Asserted, so that an upgrade which mends it is noticed."""
    x = np.tile(np.array([0, 1000], "f4"), 1_000_000)[None, None]
    theirs = torch.nn.functional.interpolate(torch.from_numpy(x), scale_factor=3, mode="linear").numpy()
    assert np.abs(theirs - fastup.interpolate(x, scale_factor=3, mode="linear")).max() > 80


LENGTHS: list[tuple[int, dict[str, Any], Fraction]] = [
    (480_000, {"scale_factor": 2.0}, Fraction(1, 2)),
    (480_000, {"scale_factor": 0.5}, Fraction(2)),
    (480_000, {"size": 441_000}, Fraction(480, 441)),
    (441_000, {"scale_factor": 48 / 44.1}, Fraction(441, 480)),
    (480_000, {"scale_factor": 1.7}, Fraction(10, 17)),
    (300_000, {"size": 300_001}, Fraction(300_000, 300_001)),
]


@pytest.mark.parametrize(("n", "keywords", "ratio"), LENGTHS, ids=str)
@pytest.mark.parametrize("mode", ["linear", "cubic", "lanczos", "nearest", "nearest-exact"])
def test_any_ratio(
    mode: str, n: int, keywords: dict[str, Any], ratio: Fraction, generator: np.random.Generator
) -> None:
    """Against the definition in fractions; windows, layouts and threads give the same bits."""
    x = generator.standard_normal((1, 1, n)).astype(np.float32)
    y = fastup.interpolate(x, mode=mode, **keywords)
    m = y.shape[-1]
    for i in (0, 1, 2, m // 3, m // 2, m - 3, m - 2, m - 1, *generator.integers(0, m, 40).tolist()):
        if mode.startswith("nearest"):
            shift = Fraction(1, 2) if mode == "nearest-exact" else 0
            assert y[0, 0, i] == x[0, 0, min(math.floor((i + shift) * ratio), n - 1)]
            continue
        row = oracles_interpolate.exact_row(i, ratio.numerator * n, ratio.denominator * n, mode, False, np.float64)
        row = [(min(k, n - 1), w) for k, w in row]
        exact = math.fsum(float(x[0, 0, k]) * float(w) for k, w in row)
        assert abs(y[0, 0, i] - exact) < 2e-6
    begin = int(generator.integers(0, m - 70_001))
    part = fastup.interpolate(x, mode=mode, window=(slice(begin, begin + 70_001),), **keywords)
    np.testing.assert_array_equal(part, y[..., begin : begin + 70_001])
    last = fastup.interpolate(x.reshape(1, n, 1), mode=mode, data_format="channels_last", **keywords)
    np.testing.assert_array_equal(last[..., 0], y[:, 0])
    np.testing.assert_array_equal(fastup.interpolate(x, mode=mode, threads=1, **keywords), y)


def test_long_pictures(generator: np.random.Generator) -> None:
    """Blocks along one or both axes of planes and volumes are those of a line, and of a line turned."""
    line = generator.standard_normal(150_000).astype(np.float32)
    expected = fastup.interpolate(line[None, None], scale_factor=1.5, mode="cubic")[0, 0]
    wide = np.stack([line, -line])[None, None]
    np.testing.assert_array_equal(fastup.interpolate(wide, (2, 225_000), mode="cubic")[0, 0, 0], expected)
    tall = np.ascontiguousarray(wide.swapaxes(2, 3))
    np.testing.assert_allclose(fastup.interpolate(tall, (225_000, 2), mode="cubic")[0, 0, :, 0], expected, atol=1e-6)
    deep = np.stack([wide[:, :, 0], wide[:, :, 1]], axis=2)[:, :, None]
    np.testing.assert_array_equal(fastup.interpolate(deep, (1, 2, 225_000), mode="cubic")[0, 0, 0, 0], expected)


@pytest.mark.quick
def test_halves_round_to_even() -> None:
    x = np.array([[[53, 81, 32, 45, 78, 12]]], np.uint8)
    assert fastup.interpolate(x, 9, mode="linear").ravel().tolist() == [53, 67, 73, 40, 38, 50, 72, 45, 12]


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16"])
def test_halves_of_any_ratio(dtype: str, generator: np.random.Generator) -> None:
    limits = np.iinfo(dtype)
    for n, m in ((6, 9), (7, 10), (5, 12), (9, 6), (10, 4), (13, 31)):
        for antialias in (False, True):
            x = generator.integers(limits.min, limits.max, (1, 40, n), dtype, endpoint=True)
            y = fastup.interpolate(x, m, mode="linear", antialias=antialias)
            for i in range(m):
                expected = _linear(x[0], i, n, m, antialias)
                assert y[0, :, i].tolist() == [round(value) for value in expected]


def _linear(planes: Array, i: int, n: int, m: int, antialias: bool) -> list[Fraction]:
    scale, stretch = Fraction(n, m), max(Fraction(n, m), Fraction(1)) if antialias else Fraction(1)
    centre = (i + Fraction(1, 2)) * scale
    if not antialias:
        source = max(centre - Fraction(1, 2), Fraction(0))
        low = min(math.floor(source), n - 1)
        past = source - low
        return [(1 - past) * int(p[low]) + past * int(p[min(low + 1, n - 1)]) for p in planes]
    weights = [max(Fraction(0), 1 - abs(k - centre + Fraction(1, 2)) / stretch) for k in range(n)]
    total = sum(weights, Fraction(0))
    return [sum((w * int(v) for w, v in zip(weights, p, strict=True)), Fraction(0)) / total for p in planes]


MODES = ("nearest", "nearest-exact", "linear", "cubic", "lanczos", "area")
RATIOS = (2.0, 0.5, 1.5, 0.75, 3.0, 1 / 3, 0.1, 48 / 44.1, 44.1 / 48)


@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("mode", MODES)
def test_second_calls_build_nothing(mode: str, antialias: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """No step in the work of a kernel as axes grow: no table is built again, and what is kept does not grow with it."""
    if antialias and mode not in ("linear", "cubic", "lanczos"):
        return
    built: list[int] = []
    build = table._table

    def counted(axis: Axis) -> Any:
        built.append(axis.length)
        return build(axis)

    monkeypatch.setattr(table, "_table", counted)
    for ratio in RATIOS:
        held = []
        for n in (32_768, 32_769, 480_000, 28_800_000):
            if mode == "area" and Fraction(ratio).limit_denominator(1000).denominator > 100:
                continue  # means follow the sizes, which are then in no ratio of small numbers
            plan = fastup.plan.interpolate((1, 1, n), "float32", scale_factor=ratio, mode=mode, antialias=antialias)
            launch = _packed(plan)
            again = len(built)
            if isinstance(launch, blocks.Blocks):
                for chosen in np.ndindex(*map(len, launch._blocks)):
                    launch._launch(
                        tuple(one[k] for one, k in zip(launch._blocks, chosen, strict=True)), [0][: launch._spare]
                    )
                assert len(launch._blocks[0]) <= 5
                held.append(launch.nbytes)
                again = len(built)
                launch._launch(tuple(one[0] for one in launch._blocks), [0][: launch._spare])
            assert len(built) == again
        assert all(bytes_ < 8 * 2**20 for bytes_ in held)


def _packed(plan: Any) -> Any:
    extent = plan.input_shape[-1]
    return interpolation.launch(plan, (extent, extent, 1))


def test_calls_of_long_axes_are_one_launch(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.ones((1, 1, 1_000_000), np.float32)
    plan = fastup.plan.interpolate(x.shape, x.dtype, scale_factor=1.5, mode="linear")
    fastup.run(plan, x)
    monkeypatch.setattr(table, "_table", lambda axis: pytest.fail("a table is built again"))
    assert (fastup.run(plan, x) == 1).all()
    launch = plan.backend_cache[x.strides]
    assert [block.times > 1 for block in launch._blocks[0]].count(True) == 1


def test_what_follows_a_long_filter_is_packed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The axes that do not shrink much are a call of their own, whose tables are kept too."""
    x = np.ones((1, 1, 40, 30_000), np.float32)
    plan = fastup.plan.interpolate(x.shape, x.dtype, size=(30, 20), mode="bilinear", antialias=True)
    fastup.run(plan, x)
    monkeypatch.setattr(table, "_table", lambda axis: pytest.fail("a table is built again"))
    assert (fastup.run(plan, x) == 1).all()


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64", "complex128"])
def test_nearest_by_every_whole_factor(dtype: str, generator: np.random.Generator) -> None:
    for factor in range(2, 33):
        for height, width in ((1, 1), (2, 3), (3, 17), (2, 70)):
            x = generator.integers(0, 255, (2, 3, height, width)).astype(dtype)
            for tall in (1, 2, factor):
                expected = x.repeat(tall, 2).repeat(factor, 3)
                np.testing.assert_array_equal(fastup.interpolate(x, scale_factor=(tall, factor)), expected)
            strided = np.repeat(x, 2, axis=1)[:, ::2]
            np.testing.assert_array_equal(
                fastup.interpolate(strided, scale_factor=factor), x.repeat(factor, 2).repeat(factor, 3)
            )
        line = generator.integers(0, 255, (1, 2, 37)).astype(dtype)
        np.testing.assert_array_equal(fastup.interpolate(line, scale_factor=factor), line.repeat(factor, 2))
        volume = generator.integers(0, 255, (1, 2, 2, 3, 5)).astype(dtype)
        expected = volume.repeat(factor, 2).repeat(2, 3).repeat(factor, 4)
        np.testing.assert_array_equal(fastup.interpolate(volume, scale_factor=(factor, 2, factor)), expected)


def test_no_factor_falls_to_the_slow_kernel() -> None:
    """Every whole factor of a picture has vectors; the kernel for any permutation moves item by item."""
    for dtype, element in (("uint8", "uint8"), ("uint16", "uint16"), ("float32", "uint32"), ("float64", "uint64")):
        slow = permuted_copy.copy_nest(element).address
        for factor in range(2, 33):
            for both in ((factor, factor), (1, factor), (factor, 1), (2, factor)):
                plan = fastup.plan.interpolate((1, 24, 23, 40), dtype, scale_factor=both)
                launch = interpolation.launch(plan, (24 * 23 * 40, 23 * 40, 40, 1))
                assert launch.entry.address != slow
                assert launch.nbytes < 64 * 23 * 32  # no table of columns


def test_repeated_rows_stay_within_their_memory() -> None:
    from tests.test_layouts import Guarded

    memory = Guarded(2**17), Guarded(2**17)
    for dtype in ("uint8", "uint16", "float32", "float64"):
        kind = np.dtype(dtype)
        for factor in (5, 7, 8, 13, 16, 31, 32, 100):
            for width in (1, 2, 9, 21):
                for at_end in (False, True):
                    x = memory[0].array((1, 1, 2, width), kind, at_end)
                    x[...] = np.arange(2 * width).reshape(x.shape)
                    out = memory[1].array((1, 1, 2, width * factor), kind, at_end)
                    fastup.interpolate(x, scale_factor=(1, factor), out=out)
                    np.testing.assert_array_equal(out, x.repeat(factor, 3))
