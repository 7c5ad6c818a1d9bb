"""Graphs of every interpolation mode give fastup's numbers in onnxruntime and in the reference evaluator."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import onnx
import pytest

import fastup
import fastup.export
import fastup.nn
from fastup.export import UnsupportedExport, runtimes, self_check, tolerances
from fastup.export.graph import NEWEST_OPSET
from tests.cases import SMOOTH, Case, in_every_runtime

Array = np.ndarray[Any, Any]
DTYPES = ("float16", "bfloat16", "float32", "float64", "uint8", "int16", "int64")
INTEGERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
# Opset and lowering: what ONNX cannot say natively (antialias before opset 18) is lowered.
FORMS = ((11, "auto"), (18, "auto"), (18, "portable"))
NEWEST = ((NEWEST_OPSET, "auto"),)
# Per number of spatial axes: the input, sizes (larger, smaller or divided, as it is) and scale factors.
SHAPES = {1: (2, 1, 6), 2: (1, 2, 4, 6), 3: (1, 1, 3, 2, 4)}
REQUESTS: dict[int, tuple[dict[str, Any], ...]] = {
    1: ({"size": 13}, {"size": 3}, {"scale_factor": 2}, {"scale_factor": 1.1}),
    2: ({"size": (7, 15)}, {"size": (3, 6)}, {"scale_factor": 2}, {"scale_factor": (1.2, 0.7)}),
    3: ({"size": (5, 3, 3)}, {"scale_factor": 2}, {"scale_factor": (1.0, 1.5, 1.3)}),
}
OPTIONS: dict[str, tuple[dict[str, Any], ...]] = {
    "nearest": ({},),
    "nearest-exact": ({},),
    "area": ({},),
    "lanczos": ({}, {"antialias": True}),
    "n-linear": ({}, {"align_corners": True}, {"antialias": True}, {"align_corners": True, "antialias": True}),
    "cubic": ({}, {"align_corners": True}, {"antialias": True}, {"align_corners": True, "antialias": True}),
}


def nodes(model: onnx.ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]


def assert_same(
    model: onnx.ModelProto, plan: Any, x: Array, settings: bool = False, expected: Array | None = None
) -> None:
    expected = fastup.run(plan, x) if expected is None else expected
    for runtime, result in in_every_runtime(model, x, settings=settings):
        label = f"{runtime} {plan} {nodes(model)}"
        assert (result.shape, result.dtype) == (expected.shape, expected.dtype), label
        tolerance = tolerances.tolerance(plan, model, x)
        assert tolerance.misses(result, expected) == 0, f"{label}: {tolerance}\n{result}\n{expected}"


def check(shape: Any, dims: Any = None, *, dtype: Any = "float32", seed: int = 0, **keywords: Any) -> onnx.ModelProto:
    """Export for `dims`, run on a sample of `shape`, compare; give back the model."""
    export = {name: keywords.pop(name) for name in ("opset", "lowering") if name in keywords}
    plan = fastup.plan.interpolate(shape, dtype, **keywords)
    model = fastup.export.interpolate(dims or shape, dtype=dtype, **keywords, **export)
    assert_same(model, plan, self_check.sample(shape, plan.dtype, seed))
    return model


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("mode", OPTIONS)
@pytest.mark.parametrize("rank", SHAPES)
def test_sweep(rank: int, mode: str, dtype: str) -> None:
    """Every mode, rank, option, kind of size, dtype, opset and lowering."""
    forms = FORMS + (NEWEST if dtype in ("float32", "uint8") else ())
    for options, request, (opset, lowering) in itertools.product(OPTIONS[mode], REQUESTS[rank], forms):
        if dtype != "bfloat16" or opset >= 13:
            check(SHAPES[rank], mode=mode, dtype=dtype, opset=opset, lowering=lowering, **options, **request)


@pytest.mark.parametrize("lowering", ["auto", "portable"])
@pytest.mark.parametrize("case", SMOOTH[::2], ids=str)
def test_shared_cases(case: Case, lowering: str) -> None:
    plan = fastup.plan.interpolate(case.shape, "float32", **case.keywords)
    model = fastup.export.interpolate(case.shape, lowering=lowering, **case.keywords)
    assert_same(model, plan, case.input(), settings=True)


@pytest.mark.parametrize("case", SMOOTH[1::2], ids=str)
def test_symbolic_batch_and_channels(case: Case) -> None:
    channel = len(case.shape) - 1 if case.keywords.get("data_format") == "channels_last" else 1
    dims = tuple({0: "N", channel: "C"}.get(axis, extent) for axis, extent in enumerate(case.shape))
    for lowering in ("auto", "portable"):
        check(case.shape, dims, lowering=lowering, **case.keywords)


@pytest.mark.parametrize("factor", [2, 2.5, 1.7, 0.7, 1.3, 1.05, 7.77])
@pytest.mark.parametrize(
    ("mode", "options"),
    [
        ("linear", {}),
        ("linear", {"align_corners": True}),
        ("linear", {"antialias": True}),
        ("linear", {"recompute_scale_factor": True, "rounding": "ceil"}),
        ("cubic", {"antialias": True}),
        ("area", {}),
    ],
)
def test_symbolic_sizes_are_what_the_factor_gives(mode: str, options: dict[str, Any], factor: float) -> None:
    """A runtime's own product of size and scale rounds otherwise: 50 x 2.3 is 115 in onnxruntime, 114 in torch."""
    keywords = {"scale_factor": factor, "mode": mode, **options}
    if mode == "area" and factor != 2:
        with pytest.raises(UnsupportedExport, match="no average over windows of unequal size"):
            fastup.export.interpolate(("N", 1, "L"), **keywords)
        return
    model = fastup.export.interpolate(("N", 1, "L"), verify=True, **keywords)
    for extent in (2, 3, 5, 7, 10, 20, 45, 50):
        shape = (1, 1, extent)
        assert_same(
            model, fastup.plan.interpolate(shape, "float32", **keywords), self_check.sample(shape, np.dtype("f4"))
        )


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("antialias", [False, True])
def test_symbolic_sizes_to_a_known_size(mode: str, antialias: bool) -> None:
    model = fastup.export.interpolate(("N", 2, "H", "W"), (9, 7), mode=mode, antialias=antialias)
    assert nodes(model) == ["Resize"]
    for shape in ((1, 2, 4, 12), (2, 2, 9, 7), (1, 2, 1, 20)):
        plan = fastup.plan.interpolate(shape, "float32", (9, 7), mode=mode, antialias=antialias)
        assert_same(model, plan, self_check.sample(shape, np.dtype("f4")))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "uint8", "int16"])
def test_symbolic_sizes_of_other_dtypes(dtype: str) -> None:
    for options in ({"mode": "bilinear"}, {"mode": "bicubic", "antialias": True}, {"mode": "bicubic"}):
        for request in ({"scale_factor": 1.7}, {"size": (9, 7)}, {"scale_factor": 2}):
            check((1, 2, 12, 13), ("N", 2, "H", "W"), dtype=dtype, **options, **request)


@pytest.mark.parametrize("dtype", ["float32", "uint8", "int64"])
@pytest.mark.parametrize("lowering", ["auto", "portable"])
@pytest.mark.parametrize("mode", ["nearest", "bilinear", "lanczos", "area", ("area", "linear"), ("nearest", "cubic")])
def test_window(mode: Any, lowering: str, dtype: str) -> None:
    """A window is a cut of the whole result."""
    for window, (data_format, shape), size in itertools.product(
        ((slice(1, 4), slice(-4, None)), (slice(None), slice(0, 1)), (slice(3, 3), slice(None))),
        (("channels_first", (1, 2, 8, 6)), ("channels_last", (1, 8, 6, 2))),
        ((4, 15), (16, 6)),
    ):
        options = {"size": size, "mode": mode, "data_format": data_format}
        x = self_check.sample(shape, np.dtype(dtype))
        cut = (slice(None), *window) if data_format == "channels_last" else (slice(None), slice(None), *window)
        plan = fastup.plan.interpolate(shape, dtype, window=window, **options)
        model = fastup.export.interpolate(shape, dtype=dtype, lowering=lowering, window=window, **options)
        assert_same(model, plan, x, expected=fastup.interpolate(x, **options)[cut])


def test_window_of_symbolic_sizes() -> None:
    window = (slice(2, 5), slice(1, 8))
    for mode in ("nearest", "nearest-exact", "bilinear"):
        check((1, 2, 5, 6), ("N", 2, "H", "W"), size=(8, 9), mode=mode, window=window)


def is_fixed(case: Case) -> bool:
    return fastup.plan.interpolate(case.shape, "uint8", **case.keywords).axes[0].fixed


@pytest.mark.parametrize("case", [case for case in SMOOTH if is_fixed(case)], ids=str)
def test_uint8_pictures_are_exact(case: Case) -> None:
    model = check(case.shape, dtype="uint8", **case.keywords)
    plan = fastup.plan.interpolate(case.shape, "uint8", **case.keywords)
    assert tolerances.tolerance(plan, model, case.input("uint8")) == tolerances.Tolerance()


@pytest.mark.parametrize(("size", "kind"), [((50, 60), "FLOAT"), ((3, 2), "DOUBLE")])
def test_uint8_sums_are_exact_numbers(size: tuple[int, int], kind: str) -> None:
    """Weights of a strongly shrinking axis have more bits: beyond 2**24 the sums are float64."""
    model = check((1, 2, 40, 37), size=size, mode="bicubic", antialias=True, dtype="uint8")
    kinds = {onnx.TensorProto.DataType.Name(constant.data_type) for constant in model.graph.initializer}
    assert kind in kinds
    assert ("DOUBLE" in kinds) is (kind == "DOUBLE")


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers_saturate(dtype: str) -> None:
    """Cubic overshoots at the ends of the range, 2**63 - 1 and 2**64 - 1 among them, which are no float64."""
    limits = np.iinfo(dtype)
    x = np.array([[[limits.min, limits.min, limits.max, limits.max, limits.min]]], dtype)
    plan = fastup.plan.interpolate(x.shape, dtype, 17, mode="cubic")
    y = fastup.run(plan, x)
    assert {limits.min, limits.max} <= set(y.ravel().tolist())
    for opset in (11, 18):
        model = fastup.export.interpolate(x.shape, 17, mode="cubic", dtype=dtype, lowering="portable", opset=opset)
        assert_same(model, plan, x)


def test_an_infinity_stays_where_taps_read_it() -> None:
    x = self_check.sample((1, 1, 40), np.dtype("float32"))
    x[0, 0, 20] = np.inf
    for mode, size in (("linear", 77), ("lanczos", 77), ("area", 77)):
        model = fastup.export.interpolate(x.shape, size, mode=mode, lowering="portable")
        y = runtimes.run("onnxruntime", model, x)
        expected = fastup.interpolate(x, size, mode=mode)
        far = np.abs(np.arange(77) - 20 * 77 / 40) > 8
        assert np.isfinite(y[..., far]).all()
        np.testing.assert_allclose(y[..., far], expected[..., far], rtol=0, atol=2e-6)


def test_empty_batches() -> None:
    for options in (
        {"mode": "bilinear"},
        {"mode": "area"},
        {"mode": "lanczos", "antialias": True},
        {"mode": "bicubic"},
    ):
        for dtype in ("float32", "uint8", "float64"):
            for lowering in ("auto", "portable"):
                model = fastup.export.interpolate(("N", 2, 20, 6), (2, 7), dtype=dtype, lowering=lowering, **options)
                assert runtimes.run("onnxruntime", model, np.zeros((0, 2, 20, 6), dtype)).shape == (0, 2, 2, 7)


@pytest.mark.quick
def test_layers() -> None:
    x = self_check.sample((1, 2, 5, 6), np.dtype("float32"))
    pair: Any = ("linear", "nearest")
    for layer in (
        fastup.nn.UpsamplingBilinear2d(scale_factor=2),
        fastup.nn.UpsamplingBilinear2d(size=(7, 9)),
        fastup.nn.Upsample(scale_factor=1.7, mode="bicubic"),
        fastup.nn.Upsample(size=9, mode="bilinear", align_corners=True),
        fastup.nn.Upsample(size=9, mode=pair),
    ):
        for dims in (("N", 2, 5, 6), ("N", "C", "H", "W")):
            if isinstance(layer.mode, tuple) and "H" in dims:
                continue
            model = fastup.export.to_onnx(layer, dims, verify=True)
            plan = fastup.plan.interpolate(
                x.shape, x.dtype, layer.size, layer.scale_factor, layer.mode, layer.align_corners
            )
            assert_same(model, plan, x)


def test_plans_and_foreign_byte_order() -> None:
    plan = fastup.plan.interpolate((1, 2, 5, 6), ">f4", scale_factor=1.7, mode="bicubic")
    assert nodes(fastup.export.interpolate(plan, verify=True)) == ["Resize"]
    plan = fastup.plan.interpolate((1, 2, 5, 6), "float32", 9, mode="bilinear", window=(slice(2, 4), slice(None)))
    assert nodes(fastup.export.interpolate(plan, verify=True)) == ["Resize", "Slice"]


def test_verification_measures_the_distance() -> None:
    plan = fastup.plan.interpolate((1, 1, 4, 6), "float32", (9, 7), mode="bilinear")
    other = fastup.export.interpolate((1, 1, 4, 6), (9, 7), mode="bilinear", align_corners=True)
    with pytest.raises(fastup.export.VerificationError, match="onnxruntime differs from fastup in"):
        self_check.compare(other, plan)
    near = np.array([1.0, 2.0, 3.0], np.float32)
    assert tolerances.Tolerance(0.5).misses(near, near + np.float32(0.25)) == 0
    assert tolerances.Tolerance(0.125).misses(near, near + np.float32(0.25)) == 3
    assert tolerances.Tolerance(1, share=0.3).misses(np.array([1, 2, 3]), np.array([1, 3, 4])) == 2
    assert tolerances.Tolerance(1).misses(np.array([-(2**63)]), np.array([2**63 - 1])) == 1
    assert tolerances.Tolerance(1).misses(np.array([np.nan]), np.array([0.0])) == 1
    assert tolerances.Tolerance(1).misses(np.array([np.nan, np.inf]), np.array([np.nan, np.inf])) == 0


def test_command_line_takes_a_mode_per_axis(tmp_path: Any) -> None:
    testing = pytest.importorskip("click.testing")
    from fastup.cli.export import export

    arguments = ["interpolate", "--shape", "N,3,8,8", "--size", "16,11", "--mode", "nearest,linear"]
    done = testing.CliRunner().invoke(export, [*arguments, "-o", str(tmp_path / "m.onnx")], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert nodes(onnx.load(tmp_path / "m.onnx")) == ["Resize", "Resize"]
    assert "--window" not in testing.CliRunner().invoke(export, ["interpolate", "--help"]).output
