"""Every exported graph gives the same numbers in onnxruntime, optimised and not, and in the reference evaluator."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest

import fastup
import fastup.export
import fastup.nn
from fastup.export import runtimes, self_check
from fastup.export.graph import LOWEST_OPSET, NEWEST_OPSET
from tests.cases import CASES, Case, in_every_runtime

Array = np.ndarray[Any, Any]
LOWERINGS = ("auto", "portable")


def assert_equal_everywhere(model: onnx.ModelProto, x: Array, y: Array) -> None:
    for runtime, result in in_every_runtime(model, x):
        assert result.dtype == y.dtype, runtime
        np.testing.assert_array_equal(result, y, err_msg=runtime)


def export(case: Case, shape: Any = None, **options: Any) -> onnx.ModelProto:
    return getattr(fastup.export, case.operator)(shape or case.shape, **case.keywords, **options)  # type: ignore[no-any-return]


def symbolic(case: Case) -> tuple[Any, ...]:
    """The case's shape with every dimension but the channels of a shuffle unknown."""
    axis = len(case.shape) - 1 if case.keywords.get("data_format") == "channels_last" else 1
    fixed = {axis} if case.operator != "interpolate" else set()
    if case.operator != "interpolate" and len(case.shape) != 4:
        return tuple(f"N{k}" if k == 0 else dim for k, dim in enumerate(case.shape))
    return tuple(dim if k in fixed else f"d{k}" for k, dim in enumerate(case.shape))


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("lowering", LOWERINGS)
def test_equal_in_every_runtime(case: Case, lowering: str) -> None:
    x = case.input()
    assert_equal_everywhere(export(case, lowering=lowering), x, case.run(x))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_equal_with_symbolic_dimensions(case: Case) -> None:
    if case.shape == (4, 3, 3):
        shape: tuple[Any, ...] = (4, "H", "W")
    else:
        shape = symbolic(case)
    x = case.input()
    assert_equal_everywhere(export(case, shape), x, case.run(x))


@pytest.mark.parametrize("opset", range(LOWEST_OPSET, NEWEST_OPSET + 1))
@pytest.mark.parametrize("dtype", ["float32", "uint8", "int64"])
def test_every_opset(opset: int, dtype: str) -> None:
    for case in (CASES[0], CASES[1], CASES[2], CASES[-24], CASES[-20]):
        x = case.input(dtype)
        for shape in (case.shape, symbolic(case)):
            model = export(case, shape, dtype=dtype, opset=opset)
            assert model.opset_import[0].version == opset
            assert_equal_everywhere(model, x, case.run(x))


@pytest.mark.parametrize(
    "dtype", ["float16", "float64", "bool", "int8", "int16", "int32", "uint16", "uint32", "uint64"]
)
def test_every_dtype(dtype: str) -> None:
    for case in (CASES[0], CASES[1], CASES[2], CASES[-16], CASES[-20], CASES[-24]):
        x = case.input(dtype)
        assert_equal_everywhere(export(case, dtype=dtype), x, case.run(x))


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact"])
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_all_size_pairs_are_exact_with_symbolic_sizes(mode: str, precision: str) -> None:
    """8,192 pairs, of which a native Resize gets 267 wrong: the graph computes torch's positions itself."""
    for m in range(1, 129):
        model = fastup.export.interpolate(("N", 1, "L"), m, mode=mode, dtype=precision)
        session = runtimes.RUNTIMES["onnxruntime"].prepare(model)
        for n in range(1, 65):
            x = np.arange(n, dtype=precision).reshape(1, 1, n)
            np.testing.assert_array_equal(session.run([x])[0], fastup.interpolate(x, m, mode=mode))


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact"])
def test_static_size_pairs_are_exact(mode: str) -> None:
    for n, m in [(n, m) for n in range(1, 65, 3) for m in range(1, 129, 5)]:
        x = np.arange(n, dtype=np.float32).reshape(1, 1, n)
        model = fastup.export.interpolate((1, 1, n), m, mode=mode)
        np.testing.assert_array_equal(runtimes.run("onnxruntime", model, x), fastup.interpolate(x, m, mode=mode))


def test_native_resize_picks_other_pixels() -> None:
    """The known difference that `auto` avoids: a runtime that mends it is noticed here."""
    different = []
    for n, m in [(n, m) for n in range(1, 40, 2) for m in range(1, 100, 3)]:
        x = np.arange(n, dtype=np.float32).reshape(1, 1, n)
        model = fastup.export.interpolate((1, 1, n), m, lowering="native")
        assert [node.op_type for node in model.graph.node] == ["Resize"]
        if not np.array_equal(runtimes.run("onnxruntime", model, x), fastup.interpolate(x, m)):
            different.append((n, m))
    assert different


@pytest.mark.quick
def test_auto_writes_what_a_reader_expects() -> None:
    def nodes(model: onnx.ModelProto) -> list[str]:
        return [node.op_type for node in model.graph.node]

    assert nodes(fastup.export.pixel_shuffle((1, 4, 3, 3), 2)) == ["DepthToSpace"]
    assert nodes(fastup.export.pixel_shuffle((1, 4, 3, 3), 2, dtype="int64")) == ["Reshape", "Transpose", "Reshape"]
    assert nodes(fastup.export.pixel_unshuffle((1, 1, 4, 4), 2)) == ["SpaceToDepth"]
    assert nodes(fastup.export.pixel_unshuffle((1, 3, 4, 4), 2)) == ["Reshape", "Transpose", "Reshape"]
    assert nodes(fastup.export.interpolate((1, 3, 4, 4), scale_factor=3)) == ["Resize"]
    assert nodes(fastup.export.interpolate((1, 3, 4, 4), (8, 4))) == ["Resize"]
    assert nodes(fastup.export.interpolate((1, 3, 4, 4), (9, 4))) == ["Gather"]
    assert nodes(fastup.export.interpolate((1, 3, 4, 4), 8, dtype="int64")) == ["Gather", "Gather"]
    assert nodes(fastup.export.interpolate((1, 3, 4, 4), 4)) == ["Resize"]
    assert nodes(fastup.export.interpolate((1, 3, 4, 4), 4, dtype="int64")) == ["Identity"]


def test_attributes_of_resize() -> None:
    def attributes(mode: str) -> dict[str, Any]:
        (node,) = fastup.export.interpolate((1, 3, 4, 4), scale_factor=2, mode=mode).graph.node
        return {a.name: onnx.helper.get_attribute_value(a).decode() for a in node.attribute}

    assert attributes("nearest") == {
        "mode": "nearest",
        "coordinate_transformation_mode": "asymmetric",
        "nearest_mode": "floor",
    }
    assert attributes("nearest-exact") == {
        "mode": "nearest",
        "coordinate_transformation_mode": "half_pixel",
        "nearest_mode": "round_prefer_ceil",
    }


def test_empty_batches() -> None:
    for model, x, y in (
        (fastup.export.pixel_shuffle(("N", 4, "H", "W"), 2), (0, 4, 3, 3), (0, 1, 6, 6)),
        (fastup.export.pixel_unshuffle(("N", 3, "H", "W"), 2), (0, 3, 4, 4), (0, 12, 2, 2)),
        (fastup.export.interpolate(("N", 3, "H", "W"), 7), (0, 3, 4, 4), (0, 3, 7, 7)),
    ):
        assert runtimes.run("onnxruntime", model, np.zeros(x, np.float32)).shape == y


@pytest.mark.quick
def test_layers_and_plans_export() -> None:
    x = np.arange(72, dtype=np.float32).reshape(1, 8, 3, 3)
    for layer in (
        fastup.nn.PixelShuffle(2),
        fastup.nn.Upsample(scale_factor=1.7, mode="nearest-exact"),
        fastup.nn.UpsamplingNearest2d(size=(7, 8)),
    ):
        model = fastup.export.to_onnx(layer, ("N", 8, "H", "W"), verify=True)
        assert_equal_everywhere(model, x, layer(x))
    even = np.arange(64, dtype=np.float32).reshape(1, 4, 4, 4)
    unshuffle = fastup.nn.PixelUnshuffle(2)
    assert_equal_everywhere(fastup.export.to_onnx(unshuffle, even.shape), even, unshuffle(even))
    plan = fastup.plan.interpolate(x.shape, x.dtype, scale_factor=2.5)
    assert_equal_everywhere(fastup.export.interpolate(plan), x, fastup.run(plan, x))


def test_verification_finds_a_difference() -> None:
    plan = fastup.plan.interpolate((1, 1, 4, 4), np.dtype("float32"), scale_factor=2)
    wrong = fastup.export.interpolate((1, 1, 4, 4), 7)
    with pytest.raises(
        fastup.export.VerificationError, match=r"gives float32\(1, 1, 7, 7\), fastup float32\(1, 1, 8, 8\)"
    ):
        self_check.compare(wrong, plan)
    flipped = fastup.export.pixel_shuffle((1, 8, 2, 2), 2, order="DCR")
    with pytest.raises(fastup.export.VerificationError, match="onnxruntime differs from fastup in"):
        self_check.compare(flipped, fastup.plan.pixel_shuffle((1, 8, 2, 2), "float32", 2))


def test_graph_builds_networks_that_are_no_chain() -> None:
    graph = fastup.export.Graph(opset=13)
    x = graph.input("x", "float32", ("N", 4, 2, 2))
    shuffled = graph.op("DepthToSpace", x, shape=("N", 1, 4, 4), blocksize=2, mode="CRD")
    model = graph.model(graph.op("Add", shuffled, shuffled), shuffled, names=("sum", "part"))
    values = np.arange(16, dtype=np.float32).reshape(1, 4, 2, 2)
    expected = fastup.pixel_shuffle(values, 2)
    np.testing.assert_array_equal(runtimes.run("onnxruntime", model, values)[0], expected + expected)
    assert [output.name for output in model.graph.output] == ["sum", "part"]


def test_ir_version_is_the_lowest_that_the_opset_allows() -> None:
    for opset, ir in ((11, 6), (13, 7), (18, 8), (21, 10)):
        model = fastup.export.pixel_shuffle((1, 4, 2, 2), 2, opset=opset)
        assert (model.opset_import[0].version, model.ir_version) == (opset, ir)


def test_big_endian_arrays_export_as_native() -> None:
    model = fastup.export.pixel_shuffle((1, 4, 2, 2), 2, dtype=">f4", verify=True)
    assert model.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.FLOAT
