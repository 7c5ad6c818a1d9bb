"""Verification: planted faults are found and named, sound models raise no alarm, damaged ones give one sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

import fastup.export
import fastup.networks
from fastup.export import runtimes
from fastup.export.runtimes import RUNTIMES
from fastup.export.verification import ModelError, matrix
from tests.cases import in_every_runtime

Array = np.ndarray[Any, Any]
Model = onnx.ModelProto


def resize(shape: tuple[int, ...], sizes: Any = None, scales: Any = None, dtype: int = 1, **attributes: Any) -> Model:
    node = helper.make_node(
        "Resize", ["x", "", "s" if scales else "", "z" if sizes else ""], ["y"], "resize", **attributes
    )
    initial = [helper.make_tensor("s", 1, [len(scales)], scales)] if scales else []
    initial += [helper.make_tensor("z", 7, [len(sizes)], sizes)] if sizes else []
    out = sizes or [int(n * s) for n, s in zip(shape, scales, strict=True)]
    values = [helper.make_tensor_value_info("x", dtype, shape)], [helper.make_tensor_value_info("y", dtype, out)]
    graph = helper.make_graph([node], "resizing", *values, initial)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def unpool(over_the_whole_array: bool, indices: Any = None) -> Model:
    indices = np.array([[[[0, 3], [9, 11]], [[0, 2], [13, 15]]]] if indices is None else indices, np.int64)
    if over_the_whole_array:
        indices = indices + np.array([0, 16]).reshape(1, 2, 1, 1)
    node = helper.make_node("MaxUnpool", ["x", "i"], ["y"], "unpool", kernel_shape=[2, 2], strides=[2, 2])
    values = (
        [helper.make_tensor_value_info("x", 1, [1, 2, 2, 2])],
        [helper.make_tensor_value_info("y", 1, [1, 2, 4, 4])],
    )
    graph = helper.make_graph([node], "unpooling", *values, [numpy_helper.from_array(indices, "i")])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6)


def space_to_depth(channels: int) -> Model:
    node = helper.make_node("SpaceToDepth", ["x"], ["y"], "unshuffle", blocksize=2)
    x = helper.make_tensor_value_info("x", 1, [1, channels, 4, 4])
    y = helper.make_tensor_value_info("y", 1, [1, 4 * channels, 2, 2])
    graph = helper.make_graph([node], "unshuffling", [x], [y])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


HALF: dict[str, Any] = {"coordinate_transformation_mode": "half_pixel"}
FLOOR: dict[str, Any] = {"coordinate_transformation_mode": "asymmetric"}
# Small: the reference evaluator of ONNX 1.17 takes 4 ms for an item of a Resize.
SOUND: dict[str, Callable[[], Model]] = {
    "unet": lambda: fastup.export.to_onnx(fastup.networks.UNet(3, 2, (4, 8, 16)), (1, 3, 32, 32)),
    "espcn": lambda: fastup.export.to_onnx(fastup.networks.ESPCN(3), (1, 1, 20, 24)),
    "fsrcnn": lambda: fastup.export.to_onnx(fastup.networks.FSRCNN(2), (1, 1, 20, 24)),
    "segnet": lambda: fastup.export.to_onnx(fastup.networks.SegNet(3, 2, (4, 8)), (1, 3, 16, 24)),
    "deeplab head": lambda: fastup.export.interpolate((1, 2, 5, 5), scale_factor=8, mode="bilinear", lowering="native"),
    "aligned": lambda: resize(
        (1, 2, 5, 5), [1, 2, 33, 33], mode="linear", coordinate_transformation_mode="align_corners"
    ),
    "antialias": lambda: resize((1, 3, 30, 30), [1, 3, 13, 17], mode="linear", antialias=1, exclude_outside=1),
    "bicubic": lambda: resize((1, 3, 9, 9), [1, 3, 20, 5], mode="cubic"),
    "bicubic antialias": lambda: resize(
        (1, 3, 30, 30), [1, 3, 13, 17], mode="cubic", antialias=1, exclude_outside=1, cubic_coeff_a=-0.5
    ),
    "nearest x2": lambda: resize((1, 3, 8, 8), None, [1.0, 1.0, 2.0, 2.0], nearest_mode="floor", **FLOOR),
    "nearest-exact x2": lambda: resize((1, 3, 8, 8), [1, 3, 16, 16], nearest_mode="round_prefer_ceil", **HALF),
    "gather": lambda: fastup.export.interpolate((1, 3, 30, 30), size=(64, 64)),
    "unshuffle": lambda: fastup.export.pixel_unshuffle((1, 3, 8, 8), 2),
    "unpool": lambda: unpool(True),
    "unshuffle of one channel": lambda: space_to_depth(1),
}
PLANTED: dict[str, tuple[Callable[[], Model], str]] = {
    "pytorch_half_pixel with output 1": (
        lambda: resize((1, 3, 8, 8), [1, 3, 1, 1], mode="linear", coordinate_transformation_mode="pytorch_half_pixel"),
        "pytorch_half_pixel samples position 0",
    ),
    "antialias without exclude_outside": (
        lambda: resize((1, 3, 30, 30), [1, 3, 13, 17], mode="linear", antialias=1),
        "antialias without exclude_outside",
    ),
    "cubic antialias with the other coefficient": (
        lambda: resize((1, 3, 30, 30), [1, 3, 13, 17], mode="cubic", antialias=1, exclude_outside=1),
        "torch's cubic has no coefficient -0.75",
    ),
    "torch's indices": (lambda: unpool(False), "indices count within each plane"),
    "fractional nearest": (
        lambda: resize((1, 1, 30, 3), [1, 1, 64, 6], nearest_mode="floor", **FLOOR),
        "at this ratio runtimes round the coordinate otherwise",
    ),
    "nearest with ceil": (
        lambda: resize((1, 3, 8, 8), [1, 3, 16, 16], nearest_mode="ceil", **FLOOR),
        "no nearest mode of torch is asymmetric with ceil",
    ),
    "linear from the corner": (
        lambda: resize((1, 3, 8, 8), [1, 3, 16, 16], mode="linear", **FLOOR),
        "no mode of torch samples at 'asymmetric'",
    ),
}


@pytest.mark.quick
@pytest.mark.parametrize("name", SOUND)
def test_sound_models_raise_no_alarm(name: str) -> None:
    report = fastup.export.verify(SOUND[name](), like="torch")
    assert report.status() == 0, [(one.name, one.torch, one.runtimes) for one in report.nodes]
    assert all(one.verdict(report.judged) in ("equal", "within tolerance") for one in report.nodes)


EXPORTED = sorted((Path(__file__).with_name("data") / "models").glob("*.onnx"))


@pytest.mark.parametrize("path", EXPORTED, ids=lambda path: path.stem)
def test_what_torch_exports_is_sound(path: Path) -> None:
    """As `make_torch_models` wrote it; torch's first exporter refuses SegNet."""
    report = fastup.export.verify(path, like="torch")
    assert report.nodes
    assert report.status() == 0, [(one.name, one.torch, one.runtimes) for one in report.nodes]


def test_there_are_models_of_both_exporters() -> None:
    assert {path.stem.split("-")[1] for path in EXPORTED} == {"torchscript", "dynamo"}
    assert {path.stem.split("-")[0] for path in EXPORTED} == {"unet", "espcn", "fsrcnn", "deeplab", "segnet"}


def spoiled(path: Path, op: str, **attributes: Any) -> Model:
    """The model with other attributes in its nodes of this kind."""
    model = onnx.load(str(path))
    for node in model.graph.node:
        if node.op_type == op:
            kept = [one for one in node.attribute if one.name not in attributes]
            del node.attribute[:]
            node.attribute.extend([*kept, *(helper.make_attribute(name, value) for name, value in attributes.items())])
    return model


@pytest.mark.parametrize(
    ("stem", "op", "attributes", "cause"),
    [
        ("deeplab-torchscript", "Resize", {"mode": "nearest", "nearest_mode": "ceil"}, "no nearest mode of torch is"),
        ("deeplab-dynamo", "Resize", {"coordinate_transformation_mode": "asymmetric"}, "no mode of torch samples at"),
    ],
)
def test_a_fault_in_what_torch_exports(stem: str, op: str, attributes: dict[str, Any], cause: str) -> None:
    path = next(one for one in EXPORTED if one.stem == stem)
    report = fastup.export.verify(spoiled(path, op, **attributes), like="torch")
    (node,) = report.nodes
    assert node.torch is not None
    assert node.torch.message.startswith(cause)
    assert report.status() == 1


@pytest.mark.quick
@pytest.mark.parametrize("name", PLANTED)
def test_planted_faults_are_named(name: str) -> None:
    make, cause = PLANTED[name]
    report = fastup.export.verify(make(), like="torch")
    (node,) = report.nodes
    assert report.status() == 1
    assert node.torch is not None
    assert node.torch.message.startswith(cause)
    assert node.torch.advice


def test_indices_of_other_planes_are_nothing_that_torch_has() -> None:
    (node,) = fastup.export.verify(unpool(False, [[[[0, 20], [9, 11]], [[1, 2], [13, 31]]]]), like="torch").nodes
    assert node.torch is not None
    assert (node.torch.verdict, node.torch.message) == ("different", "no operator of torch gives these values")


def test_networks_show_their_upsampling_nodes() -> None:
    found = {name: fastup.export.verify(SOUND[name]()).nodes for name in ("unet", "espcn", "segnet", "unshuffle")}
    assert [one.op_type for one in found["unet"]] == ["ConvTranspose", "ConvTranspose"]
    assert found["espcn"][-1].words == "pixel_shuffle(3)"
    assert "MaxPool" in {one.op_type for one in found["segnet"]}
    assert [(one.op_type, one.words) for one in found["unshuffle"]] == [
        ("Reshape-Transpose-Reshape", "pixel_unshuffle(2)")
    ]


@pytest.mark.parametrize(("opset", "op"), [(7, "Upsample"), (9, "Upsample"), (10, "Resize")])
@pytest.mark.parametrize("mode", ["nearest", "linear"])
def test_upsampling_of_old_opsets(opset: int, op: str, mode: str) -> None:
    """Samples from the corner on: torch's nearest, and no linear mode of torch."""
    scales = [1.0, 1.0, 2.0, 3.0]
    given: dict[str, Any] = {"scales": scales} if opset == 7 else {}
    node = helper.make_node(op, ["x"] if opset == 7 else ["x", "s"], ["y"], "up", mode=mode, **given)
    initial = [] if opset == 7 else [helper.make_tensor("s", 1, [4], scales)]
    values = (
        [helper.make_tensor_value_info("x", 1, [1, 2, 4, 5])],
        [helper.make_tensor_value_info("y", 1, [1, 2, 8, 15])],
    )
    graph = helper.make_graph([node], "old", *values, initial)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=5)
    report = fastup.export.verify(model, like="torch", runtimes=("onnxruntime",))
    (found,) = report.nodes
    assert found.torch is not None
    if mode == "nearest":
        assert (report.status(), found.torch.verdict) == (0, "equal")
    else:
        assert (report.status(), found.torch.message) == (1, "no mode of torch samples at 'asymmetric'")
    assert found.runtimes["onnxruntime"].verdict in ("equal", "within tolerance")


def test_a_difference_between_runtimes_is_known() -> None:
    """align_corners with fractional scales: the reference counts 2.4 positions, onnxruntime 2."""
    model = resize(
        (1, 1, 4, 4), None, [1.0, 1.0, 0.6, 0.6], mode="linear", coordinate_transformation_mode="align_corners"
    )
    report = fastup.export.verify(model)
    outcome = report.nodes[0].runtimes["reference"]
    assert (outcome.verdict, outcome.advice) == ("known difference", "sizes")
    assert outcome.difference is not None
    assert outcome.difference.absolute > 0.1
    assert report.status() == 1
    assert fastup.export.verify(model, runtimes=("onnxruntime",)).status() == 0


DROPPED: dict[str, tuple[dict[str, Any], str]] = {
    "openvino": ({"mode": "cubic", "antialias": 1, "exclude_outside": 1}, "antialias and exclude_outside"),
    "opencv": ({"mode": "linear", "coordinate_transformation_mode": "half_pixel_symmetric"}, "half_pixel_symmetric"),
    "mnn": ({"mode": "nearest", "nearest_mode": "ceil"}, "nearest_mode=ceil"),
    "ncnn": ({"mode": "nearest", "coordinate_transformation_mode": "half_pixel"}, "half_pixel"),
}


@pytest.mark.parametrize("name", DROPPED)
def test_what_each_runtime_drops(name: str) -> None:
    """It is known without the runtime; where that is installed, its numbers differ."""
    given, words = DROPPED[name]
    node = runtimes.Node("Resize", {"coordinate_transformation_mode": "half_pixel", **given}, ["x"])
    assert RUNTIMES[name].dropped(node) == f"{name} drops {words} without a word"
    assert RUNTIMES[name].dropped(runtimes.Node("DepthToSpace", {"blocksize": 2}, ["x"])) is None
    policy = runtimes.Node("Resize", {"mode": "linear", "keep_aspect_ratio_policy": "not_larger"}, ["x"])
    known = RUNTIMES[name].dropped(policy)
    assert known == (None if name == "ncnn" else f"{name} drops keep_aspect_ratio_policy without a word")  # it refuses
    if RUNTIMES[name].is_installed():
        report = fastup.export.verify(resize((1, 2, 5, 9), [1, 2, 8, 4], **given))
        assert report.nodes[0].runtimes[name].verdict == "known difference"


def test_what_a_runtime_drops_is_named() -> None:
    pytest.importorskip("openvino")
    report = fastup.export.verify(SOUND["antialias"]())
    assert report.nodes[0].runtimes["openvino"].verdict == "known difference"
    assert "openvino drops antialias and exclude_outside without a word" in report.nodes[0].warnings
    assert (report.status(), report.status(strict=True)) == (0, 1)


def test_a_warning_where_channels_may_be_in_disorder() -> None:
    (node,) = fastup.export.verify(space_to_depth(3), like="torch").nodes
    assert node.warnings == [
        "SpaceToDepth puts phases before channels; pixel_unshuffle(2) of torch has another order of channels"
    ]


def test_a_refusal_is_a_row() -> None:
    """onnxruntime has no Resize for float64, so the model itself cannot run; cubic of one axis it refuses alone."""
    with pytest.raises(ModelError, match="onnxruntime cannot run the model"):
        fastup.export.verify(resize((1, 1, 4, 4), [1, 1, 8, 8], dtype=11, mode="linear"))


def test_inputs_shapes_and_open_dimensions() -> None:
    model = fastup.export.to_onnx(fastup.networks.ESPCN(2), ("N", 1, "H", "W"))
    report = fastup.export.verify(model)
    assert report.nodes[-1].input_shape == (1, 4, 64, 64)
    assert report.chosen == ["x: (1, 1, 64, 64) (N = 1, H = 64, W = 64 chosen)"]
    assert fastup.export.verify(model, shapes={"x": (2, 1, 6, 5)}).nodes[-1].input_shape == (2, 4, 6, 5)
    x = np.ones((1, 1, 3, 4), np.float32)
    for given in (x, [x], {"x": x}):
        assert fastup.export.verify(model, given).nodes[-1].output_shape == (1, 1, 6, 8)


def choosing(nodes: list[Any], initial: list[Any] | None = None, shape: Any = (1, 4, 2, 2)) -> Model:
    """An If whose two branches hold these nodes, from x to b."""
    out = [helper.make_tensor_value_info("b", 1, None)]
    branches = {f"{name}_branch": helper.make_graph(nodes, name, [], out, initial or []) for name in ("then", "else")}
    node = helper.make_node("If", ["c"], ["y"], "if", **branches)
    x = helper.make_tensor_value_info("x", 1, shape)
    y = helper.make_tensor_value_info("y", 1, ["a", "b", "c", "d"])
    graph = helper.make_graph([node], "choosing", [x], [y], [helper.make_tensor("c", 9, [], [True])])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def test_nodes_within_control_flow_are_judged_on_random_data() -> None:
    model = choosing([helper.make_node("DepthToSpace", ["x"], ["b"], "inner", blocksize=2, mode="CRD")])
    report = fastup.export.verify(model, like="torch")
    assert [(node.name, node.words) for node in report.nodes] == [("inner", "pixel_shuffle(2)")] * 2
    assert report.nodes[0].warnings == ["within control flow: judged on random data of (1, 4, 2, 2)"]
    assert (report.status(), report.status(strict=True)) == (0, 1)
    open_model = choosing(
        [helper.make_node("DepthToSpace", ["x"], ["b"], "inner", blocksize=2)], shape=("N", 4, "H", "W")
    )
    assert fastup.export.verify(open_model, shapes={"x": (2, 4, 3, 5)}).nodes[0].input_shape == (2, 4, 3, 5)


@pytest.mark.parametrize(
    "given", [{"value_ints": [1, 4, 3, 3]}, {"value": helper.make_tensor("v", 7, [4], [1, 4, 3, 3])}]
)
def test_constants_within_control_flow_are_read_however_they_are_spelled(given: dict[str, Any]) -> None:
    size = helper.make_node("Constant", [], ["s"], **given)
    sized = helper.make_node("Resize", ["x", "", "", "s"], ["b"], "inner", mode="linear")
    report = fastup.export.verify(choosing([size, sized], shape=(1, 4, 6, 6)))
    assert [node.output_shape for node in report.nodes] == [(1, 4, 3, 3)] * 2


def test_nodes_within_control_flow_of_which_nothing_is_known_are_listed() -> None:
    shape = helper.make_node("Shape", ["x"], ["s"])
    sized = helper.make_node("Resize", ["x", "", "", "s"], ["b"], "inner", mode="nearest")
    report = fastup.export.verify(choosing([shape, sized]))
    assert report.skipped == ["inner", "inner"]
    assert (report.status(), report.status(strict=True)) == (0, 1)


def test_functions_are_inlined() -> None:
    body = [helper.make_node("DepthToSpace", ["a"], ["b"], "inside", blocksize=2, mode="CRD")]
    function = helper.make_function("own", "Up", ["a"], ["b"], body, [helper.make_opsetid("", 18)])
    values = (
        [helper.make_tensor_value_info("x", 1, [1, 4, 2, 2])],
        [helper.make_tensor_value_info("y", 1, [1, 1, 4, 4])],
    )
    graph = helper.make_graph([helper.make_node("Up", ["x"], ["y"], domain="own")], "calling", *values)
    imports = [helper.make_opsetid("", 18), helper.make_opsetid("own", 1)]
    model = helper.make_model(graph, opset_imports=imports, ir_version=8, functions=[function])
    assert [one.words for one in fastup.export.verify(model, like="torch").nodes] == ["pixel_shuffle(2)"]


def test_the_report_as_json() -> None:
    report = fastup.export.verify(PLANTED["antialias without exclude_outside"][0](), like="torch")
    read = json.loads(report.to_json())
    (node,) = read["nodes"]
    assert node["verdict"] == "known difference"
    assert node["torch"]["difference"]["absolute"] > 0.01
    assert node["runtimes"]["fastup"]["verdict"] == "equal"
    assert read["judged"] == ["onnxruntime", "reference"]


def test_arguments() -> None:
    model = SOUND["unshuffle"]()
    with pytest.raises(ValueError, match=r"runtimes must be among .*, got 'tensorrt'"):
        fastup.export.verify(model, runtimes=("tensorrt",))
    with pytest.raises(ValueError, match="like must be 'torch' or None, got 'tf'"):
        fastup.export.verify(model, like="tf")
    with pytest.raises(TypeError, match=r"model must be a path or an onnx.ModelProto, got list"):
        fastup.export.verify([])
    with pytest.raises(ModelError, match="inputs must be 1 arrays, got 2"):
        fastup.export.verify(model, [np.ones(1)] * 2)
    with pytest.raises(ModelError, match="the model has no input named 'z'"):
        fastup.export.verify(model, {"z": np.ones(1)})
    open_one = fastup.export.to_onnx(fastup.networks.ESPCN(2), ("N", 1, "H", "W"))
    with pytest.raises(ModelError, match="input 'x' has 4 dimensions, got a shape of 2"):
        fastup.export.verify(open_one, shapes={"x": (1, 2)})
    with pytest.raises(ModelError, match=r"input 'x' would need 40000000000 bytes"):
        fastup.export.verify(open_one, shapes={"x": (1, 1, 100_000, 100_000)})


def test_files_that_are_no_models(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    with pytest.raises(FileNotFoundError, match="no such file"):
        fastup.export.verify(path)
    path.write_bytes(b"\xff" * 100)
    with pytest.raises(ModelError, match="is not an ONNX model, or is cut off"):
        fastup.export.verify(path)
    path.write_bytes(b"")
    with pytest.raises(ModelError, match="has no nodes"):
        fastup.export.verify(path)
    newer = SOUND["unshuffle"]()
    newer.opset_import[0].version = 999
    path.write_bytes(newer.SerializeToString())
    with pytest.raises(ModelError, match=r"not a valid ONNX model|cannot run the model"):
        fastup.export.verify(path)


def test_external_data_stays_in_its_folder(tmp_path: Path) -> None:
    model = fastup.export.to_onnx(fastup.networks.ESPCN(2), (1, 1, 6, 7))
    inside, path = tmp_path / "inside", tmp_path / "inside" / "model.onnx"
    inside.mkdir()
    onnx.save_model(model, str(path), save_as_external_data=True, location="weights.bin", size_threshold=16)
    assert fastup.export.verify(path).status() == 0
    proto = onnx.load(str(path), load_external_data=False)
    for name, message in (
        ("../weights.bin", "lies outside the model's folder"),
        ("gone.bin", "is missing: 'gone.bin'"),
    ):
        for tensor in proto.graph.initializer:
            for entry in tensor.external_data:
                if entry.key == "location":
                    entry.value = name
        path.write_bytes(proto.SerializeToString())
        with pytest.raises(ModelError, match=message):
            fastup.export.verify(path)


def damaged(data: bytes, kind: int, generator: np.random.Generator) -> bytes:
    """Cut off, with other bytes, with more bytes, or with fewer."""
    changed = bytearray(data)
    i, j = sorted(int(k) for k in generator.integers(0, len(data), 2))
    if kind == 0:
        return bytes(changed[:i])
    if kind == 1:
        for place in generator.integers(0, len(data), 3):
            changed[place] = generator.integers(256)
    elif kind == 2:
        changed[i:i] = generator.integers(0, 256, 5).astype(np.uint8).tobytes()
    else:
        del changed[i:j]
    return bytes(changed)


def test_damaged_models_give_one_sentence(tmp_path: Path, generator: np.random.Generator) -> None:
    """Whatever happens to the bytes, the model is verified or refused, with no other kind of error."""
    models = [SOUND[name]().SerializeToString() for name in ("espcn", "deeplab head", "unshuffle")]
    path, said = tmp_path / "model.onnx", list[str]()
    for number in range(300):
        path.write_bytes(damaged(models[number % 3], number % 4, generator))
        try:
            fastup.export.verify(path)
        except ModelError as error:
            said.append(str(error))
    assert len(said) > 150
    assert not any("\n" in one for one in said)
    assert [file.name for file in tmp_path.iterdir()] == ["model.onnx"]


@pytest.fixture
def wrong(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a runtime whose one file is found as if it stood among the others."""
    monkeypatch.setattr(runtimes, "__path__", [*runtimes.__path__, str(Path(__file__).with_name("runtimes"))])
    monkeypatch.setitem(RUNTIMES, "wrong", runtimes.discovered()["wrong"])
    return "wrong"


WITH_WRONG = [
    (lambda: resize((1, 2, 4, 4), [1, 2, 8, 8], nearest_mode="floor", **FLOOR), "known difference"),
    (lambda: resize((1, 2, 4, 4), [1, 2, 8, 8], mode="linear"), "within tolerance"),
    (lambda: fastup.export.pixel_shuffle((1, 4, 3, 3), 2), "different"),
]


@pytest.mark.parametrize(("model", "verdict"), WITH_WRONG, ids=[verdict for _, verdict in WITH_WRONG])
def test_a_further_runtime_is_one_file(model: Callable[[], Model], verdict: str, wrong: str) -> None:
    """It stands in the report, and decides where it is asked to, by what it says of itself."""
    report = fastup.export.verify(model(), runtimes=[wrong])
    assert {*report.nodes[0].runtimes} | {"torch"} == {*runtimes.installed()} | {"torch"}
    assert report.nodes[0].runtimes[wrong].verdict == report.nodes[0].verdict((wrong,)) == verdict
    assert report.status() == (verdict != "within tolerance")
    assert fastup.export.verify(model()).status() == 0, "others decide unless told otherwise"


def test_a_further_runtime_is_in_the_matrix(wrong: str) -> None:
    found = matrix.measure("DepthToSpace dtype=float32")
    assert {cell[wrong] for cell in found.values()} == {"different by 1"}
    found = matrix.measure("Resize mode=linear antialias=0 exclude_outside=0 coordinates=half_pixel rank=2 form=sizes")
    assert found.popitem()[1][wrong] in ("within tolerance", "equal")


def test_a_further_runtime_is_in_the_tests_but_where_it_differs(wrong: str) -> None:
    usual = ["onnxruntime", "onnxruntime, not optimised", "reference"]
    x = np.zeros((1, 4, 4, 4), np.float32)
    results = dict(in_every_runtime(fastup.export.pixel_shuffle(x.shape, 2), x))
    assert [*results] == [*usual, wrong]
    assert [int(y.sum()) for y in results.values()] == [0, 0, 0, 1]
    assert [name for name, _ in in_every_runtime(fastup.export.interpolate(x.shape, (8, 8)), x)] == usual
