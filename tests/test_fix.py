"""``fastup fix`` and `fastup.export.fix`: faults that verify names are mended, and nothing else is touched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnxruntime")
onnx = pytest.importorskip("onnx")
pytest.importorskip("click.testing")

from onnx import helper, numpy_helper  # noqa: E402

import fastup.export  # noqa: E402
from fastup.export import runtimes  # noqa: E402
from tests.test_cli import invoke  # noqa: E402
from tests.test_verify import EXPORTED as MODELS  # noqa: E402
from tests.test_verify import PLANTED, SOUND, choosing, spoiled  # noqa: E402


@pytest.mark.parametrize("name", PLANTED)
def test_planted_faults_are_mended(name: str) -> None:
    make, _ = PLANTED[name]
    before = make()
    assert fastup.export.verify(before, like="torch").status() == 1
    fixed = fastup.export.fix(before)
    assert len(fixed.changes) == 1
    assert fixed.left == []
    onnx.checker.check_model(fixed.model, full_check=True)
    report = fastup.export.verify(fixed.model, like="torch")
    assert report.status() == 0, [(node.name, node.words, node.torch, node.runtimes) for node in report.nodes]
    assert [one.name for one in fixed.model.graph.output] == [one.name for one in before.graph.output]


@pytest.mark.parametrize("name", SOUND)
def test_sound_models_are_left_alone(name: str, tmp_path: Path) -> None:
    before = SOUND[name]()
    fixed = fastup.export.fix(before)
    assert (fixed.changes, fixed.left) == ([], [])
    path = tmp_path / "model.onnx"
    path.write_bytes(before.SerializeToString())
    text = invoke("fix", path, "-o", tmp_path / "fixed.onnx")
    assert text == "nothing to change\n"
    assert (tmp_path / "fixed.onnx").read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("stem", "attributes"),
    [
        ("deeplab-torchscript", {"mode": "nearest", "nearest_mode": "ceil"}),
        ("deeplab-dynamo", {"coordinate_transformation_mode": "asymmetric"}),
    ],
)
def test_faults_in_what_torch_exports_are_mended_by_attributes(stem: str, attributes: dict[str, Any]) -> None:
    """Everything else of the model stays: names, metadata, opset."""
    path = next(one for one in MODELS if one.stem == stem)
    model = spoiled(path, "Resize", **attributes)
    fixed = fastup.export.fix(model)
    assert len(fixed.changes) == 1
    assert fastup.export.verify(fixed.model, like="torch").status() == 0
    for field in ("ir_version", "opset_import", "producer_name", "metadata_props"):
        assert getattr(fixed.model, field) == getattr(model, field)
    if "nodes (" not in fixed.changes[0]:
        assert [node.name for node in fixed.model.graph.node] == [node.name for node in model.graph.node]


def test_open_dimensions_stay_open_where_attributes_are_enough() -> None:
    node = helper.make_node("Resize", ["x", "", "s"], ["y"], "up", mode="linear",
                            coordinate_transformation_mode="asymmetric")  # fmt: skip
    x, y = (helper.make_tensor_value_info(name, 1, [1, 2, "h", "w"]) for name in "xy")
    scales = numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "s")
    model = helper.make_model(
        helper.make_graph([node], "open", [x], [y], [scales]), opset_imports=[helper.make_opsetid("", 18)], ir_version=8
    )
    fixed = fastup.export.fix(model, shapes={"x": (1, 2, 6, 5)})
    assert fixed.changes[0].startswith("up (Resize): coordinate_transformation_mode=half_pixel")
    for shape in ((1, 2, 6, 5), (1, 2, 9, 7)):
        given = np.random.default_rng(0).standard_normal(shape, np.float32)
        wanted = fastup.interpolate(given, scale_factor=2, mode="bilinear")
        np.testing.assert_allclose(runtimes.run("onnxruntime", fixed.model, given), wanted, atol=1e-6)


def test_nodes_can_be_made_portable() -> None:
    model = fastup.export.interpolate((1, 3, 8, 8), scale_factor=2, mode="bilinear", lowering="native")
    fixed = fastup.export.fix(model, lowering="portable")
    assert "nodes (" in fixed.changes[0]
    assert "Resize" not in {node.op_type for node in fixed.model.graph.node}
    assert fastup.export.fix(model, lowering="portable", nodes="nothing").changes == []
    x = np.random.default_rng(0).standard_normal((1, 3, 8, 8), np.float32)
    wanted = fastup.interpolate(x, scale_factor=2, mode="bilinear")
    np.testing.assert_allclose(runtimes.run("reference", fixed.model, x), wanted, atol=1e-6)


def test_what_cannot_be_mended_is_named(tmp_path: Path) -> None:
    weight = numpy_helper.from_array(np.ones((2, 3, 4, 4), np.float32), "w")
    node = helper.make_node("ConvTranspose", ["x", "w"], ["y"], "up", strides=[2, 2], pads=[1, 1, 2, 2])
    x, y = helper.make_tensor_value_info("x", 1, [1, 2, 8, 8]), helper.make_tensor_value_info("y", 1, [1, 3, 15, 15])
    graph = helper.make_graph([node], "graph", [x], [y], [weight])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    (tmp_path / "in.onnx").write_bytes(model.SerializeToString())
    text = invoke("fix", tmp_path / "in.onnx", "-o", tmp_path / "out.onnx", status=1)
    assert text.startswith("left     up (ConvTranspose): conv_transpose2d(")


def test_the_command_writes_over_nothing_unasked(tmp_path: Path) -> None:
    make, _ = PLANTED["antialias without exclude_outside"]
    path = tmp_path / "in.onnx"
    path.write_bytes(make().SerializeToString())
    before = path.read_bytes()
    assert "exists; --overwrite replaces it" in invoke("fix", path, "-o", path, status=2)
    assert path.read_bytes() == before
    text = invoke("fix", path, "-o", path, "--overwrite")
    assert "exclude_outside=1" in text
    assert fastup.export.verify(path, like="torch").status() == 0
    assert [one.name for one in tmp_path.iterdir()] == ["in.onnx"]


def test_weights_in_files_of_their_own_stay_so(tmp_path: Path) -> None:
    make, _ = PLANTED["antialias without exclude_outside"]
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    model = make()
    big = numpy_helper.from_array(np.arange(3000, dtype=np.float32), "weights")
    model.graph.initializer.append(big)
    onnx.save_model(model, tmp_path / "a/in.onnx", save_as_external_data=True, location="in.data", size_threshold=100)
    invoke("fix", tmp_path / "a/in.onnx", "-o", tmp_path / "b/out.onnx")
    read = onnx.load(str(tmp_path / "b/out.onnx"))
    held = {one.name: numpy_helper.to_array(one) for one in read.graph.initializer}
    assert held["weights"].tolist() == list(range(3000))
    invoke("fix", tmp_path / "b/out.onnx", "-o", tmp_path / "a/again.onnx")
    assert len(onnx.load(str(tmp_path / "a/again.onnx")).graph.node) == len(read.graph.node)


def wrong_resize(x: str, y: str, name: str = "up") -> Any:
    """Antialias without exclude_outside."""
    return helper.make_node("Resize", [x, "", "", "s"], [y], name, mode="linear", antialias=1)


SIZES = numpy_helper.from_array(np.array([1, 4, 3, 3], np.int64), "s")


def test_nodes_within_control_flow_are_mended() -> None:
    """In the branches, which stay."""
    model = choosing([wrong_resize("x", "b")], [SIZES], (1, 4, 6, 6))
    assert fastup.export.verify(model, like="torch").status() == 1
    fixed = fastup.export.fix(model)
    assert len(fixed.changes) == 2
    assert fixed.left == []
    assert [node.op_type for node in fixed.model.graph.node] == ["If"]
    assert fastup.export.verify(fixed.model, like="torch").status() == 0
    open_model = choosing([wrong_resize("x", "b")], [SIZES], (1, 4, "H", "W"))
    assert fastup.export.verify(fastup.export.fix(open_model).model, like="torch").status() == 0


def test_functions_without_upsampling_stay() -> None:
    """The one with the wrong node, and the one that calls it, are inlined; the third is still called."""
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("own", 1)]
    inner = helper.make_function(
        "own", "Inner", ["x"], ["y"],
        [helper.make_node("Constant", [], ["s"], value=SIZES), wrong_resize("x", "y")], opsets[:1],
    )  # fmt: skip
    outer = helper.make_function(
        "own", "Outer", ["x"], ["y"], [helper.make_node("Inner", ["x"], ["y"], domain="own")], opsets
    )
    other = helper.make_function("own", "Other", ["x"], ["y"], [helper.make_node("Relu", ["x"], ["y"])], opsets[:1])
    nodes = [
        helper.make_node("Other", ["x"], ["t"], "first", domain="own"),
        helper.make_node("Outer", ["t"], ["y"], "second", domain="own"),
    ]
    x, y = (helper.make_tensor_value_info(name, 1, shape) for name, shape in (("x", [1, 4, 6, 6]), ("y", [1, 4, 3, 3])))
    graph = helper.make_graph(nodes, "graph", [x], [y])
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8, functions=[inner, outer, other])
    assert fastup.export.verify(model, like="torch").status() == 1
    fixed = fastup.export.fix(model)
    assert fixed.changes[-1] == "inlined: Inner, Outer"
    assert [one.name for one in fixed.model.functions] == ["Other"]
    onnx.checker.check_model(fixed.model)
    assert fastup.export.verify(fixed.model, like="torch").status() == 0
    sound = fastup.export.fix(fixed.model)
    assert sound.changes == []
    assert sound.model.SerializeToString() == fixed.model.SerializeToString()


def test_arguments() -> None:
    with pytest.raises(ValueError, match="lowering must be one of auto, portable"):
        fastup.export.fix(SOUND["unet"](), lowering="native")
