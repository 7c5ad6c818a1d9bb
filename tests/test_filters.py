"""A filter is one record: what a new one gets everywhere, of which the code outside the record knows nothing."""

from __future__ import annotations

import functools
import itertools
import pickle
from typing import Any

import numpy as np
import onnx
import pytest

import fastup
import fastup.export
import fastup.nn
from fastup.export import UnsupportedExport
from fastup.plan.sampling.filter import Filter, Form
from fastup.plan.sampling.filters import FILTERS, keys
from tests.closeness import assert_near, assert_rounded

Array = np.ndarray[Any, Any]
MODE: Any = "mitchell"
MAGNITUDE = 1.2  # the largest sum of its weights' magnitudes is 1.14
SHAPES = {1: (2, 3, 17), 2: (1, 2, 9, 14), 3: (1, 2, 5, 6, 7)}
SIZES = {1: (23, 7, 17), 2: ((21, 16), (4, 5), (9, 14)), 3: ((8, 9, 10), (3, 4, 2), (5, 6, 7))}
OPTIONS = [
    {"align_corners": aligned, "antialias": antialias}
    for aligned, antialias in itertools.product((None, True), (False, True))
]


def mitchell(x: Array) -> Array:
    """Mitchell and Netravali, "Reconstruction filters in computer graphics" (1988), with B = C = 1/3."""
    t = np.abs(x)
    near = (7 * t - 12) * t * t + 16 / 3
    far = ((-7 / 3 * t + 12) * t - 20) * t + 32 / 3
    return np.asarray(np.where(t < 1, near, np.where(t < 2, far, 0.0)) / 6)


MITCHELL = Filter("mitchell", 2, Form(mitchell), Form(mitchell), align_corners=True, interpolates=False)


@pytest.fixture(autouse=True)
def record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FILTERS, "mitchell", MITCHELL)


def oracle(x: Array, size: Any, align_corners: bool | None, antialias: bool, f: Any) -> Array:
    """One matrix per axis; only the coordinates are computed in `f`, as torch computes them."""
    y = x.astype(np.float64)
    sizes = size if isinstance(size, tuple) else (size,)
    for axis, m in enumerate(sizes, 2):
        matrix = weights(x.shape[axis], m, bool(align_corners), antialias, f)
        y = np.moveaxis(np.moveaxis(y, axis, -1) @ matrix.T, -1, axis)
    return y


def weights(n: int, m: int, aligned: bool, antialias: bool, f: Any) -> Array:
    scale = float(f(n - 1) / f(m - 1)) if aligned else float(f(n) / f(m))
    stretch = max(scale, 1.0) if antialias else 1.0
    matrix = np.zeros((m, n))
    for i in range(m):
        if antialias:  # cut off at the edges
            centre = float(f(scale * (i + 0.5))) - 0.5
            taps = np.arange(n)
            places = taps
        else:
            centre = float(f(scale * i if aligned else scale * (i + 0.5) - 0.5))
            taps = np.floor(centre) + np.arange(-1, 3)
            places = np.clip(taps, 0, n - 1).astype(int)
        np.add.at(matrix[i], places, mitchell((taps - centre) / stretch))
    return np.asarray(matrix / matrix.sum(axis=1, keepdims=True))


CALLS = [(rank, size, options) for rank in SHAPES for size in SIZES[rank] for options in OPTIONS]


@pytest.mark.parametrize(("rank", "size", "options"), CALLS, ids=str)
@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
def test_numbers(rank: int, size: Any, options: Any, data_format: Any, generator: np.random.Generator) -> None:
    """Every rank, kind of size, option, layout and kind of number against the definition."""

    def run(x: Array) -> Array:
        last = data_format == "channels_last"
        given = np.moveaxis(x, 1, -1) if last else x
        y = fastup.interpolate(given, size, mode=MODE, data_format=data_format, **options)
        return np.moveaxis(y, -1, 1) if last else y

    x = generator.standard_normal(SHAPES[rank])
    for f in (np.float32, np.float64):
        narrow = x.astype(f)
        expected = oracle(narrow, size, **options, f=f)
        assert_near(run(narrow), expected.astype(f), narrow, MAGNITUDE**rank)
    half = x.astype(np.float16)
    assert_rounded(run(half), oracle(half, size, **options, f=np.float32), exact=False)
    for dtype in ("uint8", "int16"):
        limits = np.iinfo(dtype)
        whole = generator.integers(limits.min, limits.max, x.shape, dtype, endpoint=True)
        sums = np.clip(oracle(whole, size, **options, f=np.float64), limits.min, limits.max)
        made = run(whole)
        assert made.dtype == dtype
        assert np.abs(made - sums).max() <= 0.5 + 1e-9


def test_an_axis_that_keeps_its_size_is_blurred() -> None:
    x = np.zeros((1, 1, 7), np.float32)
    x[..., 3] = 18
    for antialias in (False, True):
        y = fastup.interpolate(x, 7, mode=MODE, antialias=antialias)
        np.testing.assert_allclose(y[0, 0], [0, 0, 1, 16, 1, 0, 0], rtol=1e-6, atol=1e-6)
    pixels = fastup.interpolate(x.astype("uint8")[None], (1, 7), mode=MODE)
    assert pixels[0, 0, 0].tolist() == [0, 0, 1, 16, 1, 0, 0]
    assert fastup.interpolate(x, 7, mode="lanczos").tolist() == x.tolist()


@pytest.mark.parametrize(("rank", "size", "options"), CALLS[::3], ids=str)
def test_windows_tiles_and_pickles(rank: int, size: Any, options: Any, generator: np.random.Generator) -> None:
    x = generator.standard_normal(SHAPES[rank]).astype(np.float32)
    plan = fastup.plan.interpolate(x.shape, x.dtype, size, mode=MODE, **options)
    whole = fastup.run(pickle.loads(pickle.dumps(plan)), x)
    assert np.array_equal(whole, fastup.interpolate(x, size, mode=MODE, **options))
    for window in plan.windows(200):
        part = fastup.interpolate(x, size, mode=MODE, window=window, **options)
        assert np.array_equal(part, whole[(..., *window)])
        tile = np.ascontiguousarray(x[(..., *plan.input_window(window))])
        assert np.array_equal(fastup.run(plan.tile(window), tile), part)


@pytest.mark.parametrize(("rank", "size", "options"), CALLS[::4], ids=str)
def test_lazy_arrays(rank: int, size: Any, options: Any, generator: np.random.Generator) -> None:
    da = pytest.importorskip("dask.array")
    x = generator.standard_normal(SHAPES[rank]).astype(np.float32)
    lazy = fastup.interpolate(da.from_array(x, 4), size, mode=MODE, **options)
    assert isinstance(lazy, da.Array)
    y = lazy.compute(scheduler="synchronous")
    assert np.array_equal(y, fastup.interpolate(x, size, mode=MODE, **options))


def test_long_axes(generator: np.random.Generator) -> None:
    """Beyond a block of the table, and shrunk so far that an axis is summed by itself."""
    x = generator.standard_normal((1, 1, 300_000)).astype(np.float32)
    twice = fastup.interpolate(x, scale_factor=2, mode=MODE)
    assert np.array_equal(twice[..., -60:], fastup.interpolate(x[..., -40:], scale_factor=2, mode=MODE)[..., -60:])
    few = fastup.interpolate(x, 3, mode=MODE, antialias=True)
    assert_near(few, oracle(x, 3, None, True, np.float64).astype(np.float32), x)


def test_mixed_with_other_modes(generator: np.random.Generator) -> None:
    x = generator.standard_normal((1, 2, 9, 14)).astype(np.float32)
    mixed = fastup.interpolate(x, (18, 20), mode=(MODE, "nearest"))
    turned = np.ascontiguousarray(fastup.interpolate(x, (9, 20)).swapaxes(2, 3))
    line = fastup.interpolate(turned.reshape(1, 40, 9), 18, mode=MODE)
    assert np.array_equal(mixed, line.reshape(1, 2, 20, 18).swapaxes(2, 3))


def test_labels(generator: np.random.Generator) -> None:
    x = generator.standard_normal((1, 4, 9, 14)).astype(np.float32)
    large = fastup.interpolate(x, (20, 31), mode=MODE)
    assert np.array_equal(fastup.upsample_argmax(x, (20, 31), mode=MODE), large.argmax(axis=1))
    with pytest.raises(ValueError, match=r"mode that samples \(nearest, .*, mitchell\), got 'area'"):
        fastup.upsample_argmax(x, (20, 31), mode="area")


def test_messages() -> None:
    x = np.zeros((1, 1, 4, 4), np.float32)
    wrong: Any = "mitchel"
    with pytest.raises(ValueError, match=r"mode must be one of .*'lanczos', 'mitchell', 'n-linear', .* got 'mitchel'"):
        fastup.interpolate(x, 2, mode=wrong)
    with pytest.raises(ValueError, match=r"mode of an axis must be one of .*'area', 'mitchell', got 'mitchel'"):
        fastup.interpolate(x, 2, mode=("linear", wrong))
    with pytest.raises(TypeError, match="for this mode, got dtype bool"):
        fastup.interpolate(x.astype(bool), 2, mode=MODE)


def operators(model: onnx.ModelProto) -> set[str]:
    return {node.op_type for node in model.graph.node}


@pytest.mark.parametrize(("rank", "size", "options"), CALLS, ids=str)
def test_models(rank: int, size: Any, options: Any) -> None:
    """The tables of the plan, which runtimes agree on; never a Resize, since none means the same."""
    for dtype, lowering in itertools.product(("float32", "uint8", "float16"), ("auto", "portable")):
        keywords = {"mode": MODE, "dtype": dtype, "lowering": lowering, **options}
        model = fastup.export.interpolate(SHAPES[rank], size, verify=True, **keywords)
        assert operators(model) & {"MatMul", "Mul"}
        assert "Resize" not in operators(model)
    reason = "interpolate: ONNX has no mitchell; lowering='portable' exports this call"
    with pytest.raises(UnsupportedExport, match=reason):
        fastup.export.interpolate(SHAPES[rank], size, mode=MODE, lowering="native", **options)


def test_models_of_symbolic_sizes() -> None:
    model = fastup.export.interpolate(("N", 3, 8, 9), (12, 5), mode=MODE, verify=True)
    assert "Resize" not in operators(model)
    for lowering in ("auto", "native"):
        with pytest.raises(UnsupportedExport, match="ONNX has no mitchell; known spatial sizes export this call"):
            fastup.export.interpolate(("N", 3, "H", "W"), scale_factor=1, mode=MODE, lowering=lowering)
    with pytest.raises(UnsupportedExport, match="tables of mode 'mitchell' need known spatial sizes, got 'H'"):
        fastup.export.interpolate(("N", 3, "H", "W"), scale_factor=2, mode=MODE, lowering="portable")


def test_a_layer() -> None:
    layer = fastup.nn.Upsample(scale_factor=2, mode=MODE)
    x = np.linspace(0, 1, 24, dtype=np.float32).reshape(1, 1, 4, 6)
    assert np.array_equal(layer(x), fastup.interpolate(x, scale_factor=2, mode=MODE))
    assert "Resize" not in operators(fastup.export.to_onnx(layer, x.shape, verify=True))


def test_a_record_with_attributes_is_a_resize(monkeypatch: pytest.MonkeyPatch) -> None:
    """Catmull-Rom's spline, which ONNX has: the exporter finds that in the record, too."""
    sampled = Form(functools.partial(keys, -0.5), onnx={"mode": "cubic", "cubic_coeff_a": -0.5})
    monkeypatch.setitem(FILTERS, "catmull-rom", Filter("catmull-rom", 2, sampled))
    mode: Any = "catmull-rom"
    for lowering in ("auto", "native"):
        model = fastup.export.interpolate((1, 2, 7, 8), (13, 11), mode=mode, lowering=lowering, verify=True)
        assert operators(model) == {"Resize"}
    with pytest.raises(ValueError, match="align_corners must be None or False for mode 'catmull-rom', got True"):
        fastup.interpolate(np.zeros((1, 1, 4, 4)), 5, mode=mode, align_corners=True)
    with pytest.raises(ValueError, match="antialias must be False for mode 'catmull-rom', got True"):
        fastup.interpolate(np.zeros((1, 1, 4, 4)), 5, mode=mode, antialias=True)
