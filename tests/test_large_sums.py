"""Sums of many items do not drift: means are exact, constants come back, nothing leaves the range of its items."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import fastup
from fastup.export import runtimes, self_check
from fastup.plan.check import DATA_FORMATS
from tests import oracles_interpolate

Array = np.ndarray[Any, Any]
INTEGERS = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64")
FLOATS = ("float16", "bfloat16", "float32", "float64")
SHAPES = [((2, 3, 100, 90), (3, 2)), ((1, 2, 64, 70), (4, 5)), ((1, 2, 40, 3, 70), (3, 3, 2)), ((1, 1, 5000), (7,))]


def constant(value: Any, shape: tuple[int, ...], dtype: Any) -> Array:
    """As large as wanted, in the memory of one item."""
    return np.broadcast_to(np.array(value).astype(fastup.plan.check.dtype("test", dtype)), shape)


def windows(shape: tuple[int, ...], size: tuple[int, ...]) -> Any:
    for at in np.ndindex(*size):
        axes = zip(at, shape[2:], size, strict=True)
        yield at, tuple(slice(i * n // m, -(-(i + 1) * n // m)) for i, n, m in axes)


@pytest.mark.quick
def test_worked_values() -> None:
    assert fastup.interpolate(constant(0.1, (1, 1, 512, 512), "f4"), 1, mode="area") == np.float32(0.1)
    assert fastup.interpolate(constant(1000, (1, 1, 512, 512), "i2"), 1, mode="area") == 1000
    assert fastup.interpolate(constant(40000, (1, 1, 512, 512), "u2"), 1, mode="area") == 40000
    assert (fastup.interpolate(constant(4095, (1, 1, 256, 256), "u2"), 2, mode="area") == 4095).all()
    assert fastup.interpolate(constant(1, (1, 1, 10_000, 10_000), "f4"), 1, mode="area") == 1
    halves = np.array([0, 1, 1, 2, 2, 3, -1, 0], "i1").reshape(1, 1, 8)
    assert fastup.interpolate(halves, 4, mode="area").ravel().tolist() == [0, 2, 2, 0]  # halves to even


@pytest.mark.parametrize("data_format", DATA_FORMATS)
@pytest.mark.parametrize("dtype", INTEGERS)
def test_means_of_integers_are_exact(dtype: str, data_format: str, generator: np.random.Generator) -> None:
    limits = np.iinfo(dtype)
    for shape, size in SHAPES:
        x = generator.integers(limits.min, limits.max, shape, dtype, endpoint=True)
        last = data_format == "channels_last"
        given = np.ascontiguousarray(np.moveaxis(x, 1, -1)) if last else x
        y = fastup.interpolate(given.astype(x.dtype.newbyteorder()), size, mode="area", data_format=data_format)
        y = np.moveaxis(y, -1, 1) if last else y
        for at, window in windows(shape, size):
            for plane in np.ndindex(*shape[:2]):
                items = x[(*plane, *window)].ravel().tolist()
                assert y[(*plane, *at)] == round(Fraction(sum(items), len(items)))


@pytest.mark.parametrize("data_format", DATA_FORMATS)
@pytest.mark.parametrize("dtype", FLOATS)
def test_means_of_floats(dtype: str, data_format: str, generator: np.random.Generator) -> None:
    """Beyond 256 items within two units in the last place of the exact mean; smaller windows keep torch's order."""
    for shape, size in SHAPES:
        x = generator.standard_normal(shape).astype(fastup.plan.check.dtype("test", dtype))
        last = data_format == "channels_last"
        given = np.ascontiguousarray(np.moveaxis(x, 1, -1)) if last else x
        y = fastup.interpolate(given, size, mode="area", data_format=data_format)
        y = np.moveaxis(y, -1, 1) if last else y
        small = oracles_interpolate.interpolate(
            x.astype("f8" if dtype == "float64" else "f4"), size, mode="area"
        ).astype(x.dtype)
        for at, window in windows(shape, size):
            for plane in np.ndindex(*shape[:2]):
                items, mean = x[(*plane, *window)].astype(np.float64).ravel(), y[(*plane, *at)]
                if items.size <= 256:
                    assert mean == small[(*plane, *at)]
                    continue
                exact = math.fsum(items) / items.size
                ulp = np.spacing(np.abs(np.array(exact).astype(x.dtype))).astype(np.float64)
                assert abs(float(mean) - exact) <= 2 * ulp
                assert items.min() <= float(mean) <= items.max()


SHRINKS: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
    ((1, 1, 100_000_000), (1,)),
    ((1, 1, 300_000), (7,)),
    ((1, 1, 10_000, 10_000), (1, 1)),
    ((1, 1, 900, 1100), (2, 3)),
    ((1, 2, 300, 5), (1, 5)),
    ((1, 1, 70, 80, 90), (1, 2, 3)),
    ((1, 1, 90, 110), (9, 13)),
]


@pytest.mark.parametrize(("shape", "size"), SHRINKS)
@pytest.mark.parametrize("mode", ["area", "n-linear", "cubic", "lanczos"])
def test_constants_come_back(mode: str, shape: tuple[int, ...], size: tuple[int, ...]) -> None:
    """Integers as they are, floats within two units in the last place, however many items there are.

    Windows of up to 256 items have torch's bits, whose sums err by more.
    """
    units = 2 if math.prod(shape) / math.prod(size) > 256 else 16
    many = math.prod(shape) > 10**7
    if mode != "area" and len(shape) == 3:
        shape = (1, 1, min(shape[-1], 3_000_000))
    antialias = mode != "area"
    for dtype in ("uint8", "float32") if many else (*INTEGERS, *FLOATS):
        kind = fastup.plan.check.dtype("test", dtype)
        values: tuple[Any, ...] = (0.1, -3.7)
        if kind.kind in "iu":
            limits = np.iinfo(dtype)
            exact = 2**45  # what float64 weighs to the unit
            values = (min(limits.max, 2**63 - 1 if mode == "area" else exact), max(limits.min, -exact), 77)
        for value in values:
            x = constant(value, shape, dtype)
            y = fastup.interpolate(x, size, mode=mode, antialias=antialias)
            if kind.kind in "iu":
                assert (y == x.ravel()[0]).all(), (dtype, value, y)
            else:
                off = np.abs(y.astype(np.float64) - float(x.ravel()[0]))
                assert (off <= units * float(np.spacing(np.abs(x.ravel()[0])))).all(), (dtype, value, y)


def test_infinities_and_nan() -> None:
    x = np.ones((1, 1, 2, 900), np.float32)
    x[0, 0, 0, 5], x[0, 0, 1, 7] = np.inf, np.nan
    y = fastup.interpolate(x, (2, 2), mode="area")
    assert y[0, 0, 0].tolist() == [np.inf, 1]
    assert np.isnan(y[0, 0, 1, 0])
    assert y[0, 0, 1, 1] == 1
    y = fastup.interpolate(x, (2, 2), mode="bilinear", antialias=True)
    assert y[0, 0, 0, 0] == np.inf
    assert np.isnan(y[0, 0, 1, 0])


@pytest.mark.parametrize("mode", ["n-linear", "cubic", "lanczos"])
@pytest.mark.parametrize(("n", "m"), [(131_072, 1000), (100_000, 77), (5000, 7), (20_000, 39)])
def test_filters_of_many_taps(mode: str, n: int, m: int, generator: np.random.Generator) -> None:
    """Against the definition in float64, in every layout."""
    x = generator.standard_normal((1, 2, n)).astype(np.float32)
    y = fastup.interpolate(x, m, mode=mode, antialias=True)
    kind = {"n-linear": "linear"}.get(mode, mode)
    for i in (0, 1, m // 2, m - 2, m - 1):
        row = oracles_interpolate.antialias_row(i, n, kind, np.float64(n / m), np.float64)
        exact = [math.fsum(float(plane[k]) * float(w) for k, w in row) for plane in x[0]]
        np.testing.assert_allclose(y[0, :, i], exact, rtol=2e-7, atol=1e-8)
    turned = fastup.interpolate(
        np.ascontiguousarray(x.swapaxes(1, 2)), m, mode=mode, antialias=True, data_format="channels_last"
    )
    np.testing.assert_allclose(turned.swapaxes(1, 2), y, rtol=2e-7, atol=1e-8)
    part = fastup.interpolate(x, m, mode=mode, antialias=True, window=(slice(3, 6),))
    np.testing.assert_array_equal(part, y[..., 3:6])


def test_pictures_of_bytes_that_shrink_to_a_few_pixels() -> None:
    """16-bit weights of very many taps would sum to another number than 1."""
    for extent in (1000, 20_000, 400_000):
        y = fastup.interpolate(constant(255, (1, 1, 4, extent), "u1"), (4, 3), mode="bilinear", antialias=True)
        assert (y == 255).all()


def test_torch_drifts(torch: Any) -> None:
    """Asserted, so that an upgrade which mends it is noticed."""
    x = np.ones((1, 1, 6000, 6000), np.float32)
    ours = fastup.interpolate(x, (1, 2), mode="area")
    theirs = torch.nn.functional.interpolate(torch.from_numpy(x), (1, 2), mode="area").numpy()
    assert (ours == 1).all()
    assert (theirs != 1).all()


@pytest.mark.parametrize("shape", [(1, 2, 512, 512), (2, 3, 64, 60), (1, 1, 40, 40, 40)])
@pytest.mark.parametrize("dtype", ["float32", "float16", "int16", "uint8", "int32"])
def test_exported_means_are_as_right(dtype: str, shape: tuple[int, ...]) -> None:
    pytest.importorskip("onnxruntime")

    for size in ((1,) * (len(shape) - 2), (2, 4, 3)[: len(shape) - 2], (5, 7, 3)[: len(shape) - 2]):
        for opset in (11, 18):
            model = fastup.export.interpolate(shape, size, mode="area", dtype=dtype, opset=opset)
            for runtime in runtimes.JUDGES:
                self_check.compare(model, fastup.plan.interpolate(shape, dtype, size, mode="area"), runtime)
    x = constant(0.1, (1, 1, 4096, 4096), "f4")
    model = fastup.export.interpolate(x.shape, 1, mode="area")
    assert runtimes.run("onnxruntime", model, x) == np.float32(0.1)
    mixed: Any = {"size": (14, 3), "mode": ("linear", "area")}  # means of one axis, before the other's sums
    model = fastup.export.interpolate((1, 2, 7, 9), dtype=dtype, lowering="portable", **mixed)
    self_check.compare(model, fastup.plan.interpolate((1, 2, 7, 9), dtype, **mixed), "onnxruntime")
