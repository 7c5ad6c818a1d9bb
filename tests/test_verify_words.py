"""What verify calls nodes: by what they do, with the call that gave the numbers, and on data that tell something."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnxruntime")
onnx = pytest.importorskip("onnx")

from onnx import helper, numpy_helper  # noqa: E402

import fastup  # noqa: E402
import fastup.export  # noqa: E402

Steps = list[tuple[str, list[int]]]


def chain(before: list[int], after: list[int], steps: Steps) -> Any:
    """A model of Reshape, Transpose, Expand and Tile, one after the other."""
    nodes, initial, name = [], [], "x"
    for number, (op, values) in enumerate(steps):
        output = "y" if number == len(steps) - 1 else f"t{number}"
        if op == "Transpose":
            nodes.append(helper.make_node(op, [name], [output], f"n{number}", perm=values))
        else:
            initial.append(numpy_helper.from_array(np.array(values, np.int64), f"c{number}"))
            nodes.append(helper.make_node(op, [name, f"c{number}"], [output], f"n{number}"))
        name = output
    return model(nodes, before, after, initial)


def model(nodes: list[Any], before: Any, after: Any, initial: list[Any] | None = None, opset: int = 18) -> Any:
    x, y = (helper.make_tensor_value_info(name, 1, shape) for name, shape in (("x", before), ("y", after)))
    graph = helper.make_graph(nodes, "graph", [x], [y], initial or [])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def words(made: Any, **options: Any) -> list[str]:
    return [node.words for node in fastup.export.verify(made, **options).nodes]


MOVES: dict[str, tuple[list[int], list[int], Steps]] = {
    "unfold(kernel_size=(4, 2), stride=(4, 2))": (
        [1, 3, 8, 12], [1, 24, 12],
        [("Reshape", [1, 3, 2, 4, 6, 2]), ("Transpose", [0, 1, 3, 5, 2, 4]), ("Reshape", [1, 24, 12])],
    ),
    "fold(output_size=(8, 12), kernel_size=(4, 2), stride=(4, 2))": (
        [1, 24, 12], [1, 3, 8, 12],
        [("Reshape", [1, 3, 4, 2, 2, 6]), ("Transpose", [0, 1, 4, 2, 5, 3]), ("Reshape", [1, 3, 8, 12])],
    ),
    "tile((1, 1, 2, 3))": ([1, 2, 3, 4], [1, 2, 6, 12], [("Tile", [1, 1, 2, 1]), ("Tile", [1, 1, 1, 3])]),
    "pixel_shuffle(2)": (
        [1, 12, 3, 5], [1, 3, 6, 10],
        [("Reshape", [1, 3, 2, 2, 3, 5]), ("Transpose", [0, 1, 4, 2, 5, 3]), ("Reshape", [1, 3, 6, 10])],
    ),
    "pixel_shuffle((2, 3))": (
        [2, 12, 3, 5], [2, 2, 6, 15],
        [("Reshape", [2, 2, 2, 3, 3, 5]), ("Transpose", [0, 1, 4, 2, 5, 3]), ("Reshape", [2, 2, 6, 15])],
    ),
    "pixel_shuffle(2) of channels in the order DCR": (
        [1, 12, 3, 5], [1, 3, 6, 10],
        [("Reshape", [1, 2, 2, 3, 3, 5]), ("Transpose", [0, 3, 4, 1, 5, 2]), ("Reshape", [1, 3, 6, 10])],
    ),
    "pixel_unshuffle((3, 2))": (
        [1, 2, 6, 8], [1, 12, 2, 4],
        [("Reshape", [1, 2, 2, 3, 4, 2]), ("Transpose", [0, 1, 3, 5, 2, 4]), ("Reshape", [1, 12, 2, 4])],
    ),
    "pixel_shuffle(2) of channels in the order DCR of channels last": (
        [1, 3, 5, 12], [1, 6, 10, 3],
        [("Reshape", [1, 3, 5, 2, 2, 3]), ("Transpose", [0, 1, 3, 2, 4, 5]), ("Reshape", [1, 6, 10, 3])],
    ),
    "interpolate(scale_factor=2)": (
        [1, 3, 4, 5], [1, 3, 8, 10],
        [("Reshape", [1, 3, 4, 1, 5, 1]), ("Expand", [1, 3, 4, 2, 5, 2]), ("Reshape", [1, 3, 8, 10])],
    ),
    "interpolate(scale_factor=(1, 3))": (
        [1, 3, 4, 5], [1, 3, 4, 15],
        [("Reshape", [1, 3, 4, 5, 1]), ("Tile", [1, 1, 1, 1, 3]), ("Reshape", [1, 3, 4, 15])],
    ),
    "interpolate(scale_factor=2) of channels last": (
        [1, 4, 5, 3], [1, 8, 10, 3],
        [("Reshape", [1, 4, 1, 5, 1, 3]), ("Expand", [1, 4, 2, 5, 2, 3]), ("Reshape", [1, 8, 10, 3])],
    ),
    "pixel_shuffle(4) of patches 3x2, channels in the order DCR": (
        [1, 6, 48], [1, 3, 12, 8],
        [("Reshape", [1, 3, 2, 4, 4, 3]), ("Transpose", [0, 5, 1, 3, 2, 4]), ("Reshape", [1, 3, 12, 8])],
    ),
    "pixel_shuffle(3)": (  # of one axis
        [2, 6, 4], [2, 2, 12], [("Reshape", [2, 2, 3, 4]), ("Transpose", [0, 1, 3, 2]), ("Reshape", [2, 2, 12])],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MOVES)
def test_moves_are_named_by_where_items_go(name: str) -> None:
    report = fastup.export.verify(chain(*MOVES[name]), like="torch")
    assert [node.words for node in report.nodes] == [name]
    assert report.status() == 0


@pytest.mark.parametrize(
    ("before", "after", "steps"),
    [
        (  # blocks of 4x4 in a row, their items in another order than unfold's
            [1, 3, 8, 12], [1, 48, 6],
            [("Reshape", [1, 3, 2, 4, 3, 4]), ("Transpose", [0, 3, 5, 1, 2, 4]), ("Reshape", [1, 48, 6])],
        ),
        ([1, 8, 3, 5], [1, 8, 15], [("Reshape", [1, 8, 15]), ("Reshape", [1, 8, 15])]),
        ([1, 8, 3, 5], [1, 8, 3, 5], [("Reshape", [1, 8, 15]), ("Reshape", [1, 8, 3, 5])]),
        (  # heads of attention
            [1, 6, 32], [1, 4, 6, 8], [("Reshape", [1, 6, 4, 8]), ("Transpose", [0, 2, 1, 3])],
        ),
    ],
)  # fmt: skip
def test_other_moves_are_not_listed(before: list[int], after: list[int], steps: Steps) -> None:
    assert words(chain(before, after, steps)) == []


def test_a_move_within_a_longer_chain() -> None:
    before, _, steps = MOVES["pixel_shuffle(2)"]
    made = chain(before, [1, 180], [*steps, ("Reshape", [1, 180])])
    assert words(made) == ["pixel_shuffle(2)"]


def resize(before: list[int], after: list[int], scales: list[float] | None = None, **attributes: Any) -> Any:
    given = np.array(scales, np.float32) if scales else np.array(after, np.int64)
    initial = [numpy_helper.from_array(given, "given")]
    inputs = ["x", "", "given"] if scales else ["x", "", "", "given"]
    return model([helper.make_node("Resize", inputs, ["y"], "up", **attributes)], before, after, initial)


def test_words_are_the_call_that_gave_the_numbers() -> None:
    scale = 23.1 / 37
    made = resize([1, 1, 37, 37], [1, 1, 23, 23], [1, 1, scale, scale], mode="cubic", cubic_coeff_a=-0.75)
    (node,) = fastup.export.verify(made, like="torch").nodes
    assert node.words.startswith("interpolate(scale_factor=")
    assert node.torch is not None
    assert node.torch.verdict in ("equal", "within tolerance")


@pytest.mark.parametrize(
    ("attributes", "nearest", "causes"),
    [
        ({"mode": "linear", "coordinate_transformation_mode": "asymmetric"}, "bilinear", ["no mode of torch samples"]),
        (
            {"mode": "cubic", "antialias": 1, "cubic_coeff_a": -0.75}, "bicubic",
            ["exclude_outside", "torch's cubic has no coefficient -0.75"],
        ),
        (
            {"mode": "cubic", "cubic_coeff_a": -0.5, "coordinate_transformation_mode": "asymmetric"}, "bicubic",
            ["no coefficient -0.5", "no mode of torch samples"],
        ),
    ],
)  # fmt: skip
def test_all_that_keeps_a_node_from_torch_is_said_at_once(
    attributes: dict[str, Any], nearest: str, causes: list[str]
) -> None:
    (node,) = fastup.export.verify(resize([1, 2, 12, 12], [1, 2, 7, 9], **attributes), like="torch").nodes
    assert node.words.startswith("no call of torch: the nearest is interpolate(")
    assert f"mode='{nearest}'" in node.words
    assert node.words.endswith(" away")
    assert node.torch is not None
    assert node.torch.verdict == "known difference"
    assert all(cause in node.torch.message for cause in causes)


def transposed(after: list[int], **attributes: Any) -> Any:
    weight = np.random.default_rng(0).standard_normal((2, 3, 4, 4), np.float32)
    node = helper.make_node("ConvTranspose", ["x", "w"], ["y"], "up", strides=[2, 2], **attributes)
    return model([node], [1, 2, 8, 8], after, [numpy_helper.from_array(weight, "w")])


@pytest.mark.parametrize(
    ("attributes", "size", "shown"),
    [
        ({"pads": [1, 1, 1, 1]}, 16, "padding=(1, 1)"),
        ({"auto_pad": "SAME_UPPER"}, 16, "padding=(1, 1)"),
        ({"output_shape": [16, 16]}, 16, "padding=(1, 1)"),
        ({"output_shape": [17, 17], "auto_pad": "SAME_LOWER"}, 17, "padding=(1, 1), output_padding=(1, 1)"),
        ({"pads": [1, 1, 1, 1], "output_padding": [1, 1]}, 17, "padding=(1, 1), output_padding=(1, 1)"),
        ({"pads": [2, 2, 1, 1]}, 15, "padding=(2, 2), output_padding=(1, 1)"),
    ],
)  # fmt: skip
def test_transposed_convolutions_are_judged_whatever_says_their_pads(
    attributes: dict[str, Any], size: int, shown: str
) -> None:
    (node,) = fastup.export.verify(transposed([1, 3, size, size], **attributes), like="torch").nodes
    assert shown in node.words
    assert node.torch is not None
    assert node.torch.verdict in ("equal", "within tolerance")


def test_pads_that_torch_has_not_are_said() -> None:
    (node,) = fastup.export.verify(transposed([1, 3, 15, 15], pads=[1, 1, 2, 2]), like="torch").nodes
    assert node.torch is not None
    assert node.torch.message == "torch pads both ends alike, this node (1, 1) and (2, 2)"
    assert {one.verdict for one in node.runtimes.values()} <= {"equal", "within tolerance"}


def test_models_as_runtimes_take_them() -> None:
    """Open dimensions written as -1; an output without a shape; channels that are last."""
    nearest: dict[str, Any] = {
        "mode": "nearest",
        "coordinate_transformation_mode": "asymmetric",
        "nearest_mode": "floor",
    }
    made = resize([1, 3, 8, 8], [1, 3, 16, 16], [1, 1, 2, 2], **nearest)
    for number in (2, 3):
        made.graph.input[0].type.tensor_type.shape.dim[number].dim_value = -1
    made.graph.output[0].type.tensor_type.ClearField("shape")
    report = fastup.export.verify(made, like="torch", shapes={"x": (1, 3, 8, 8)})
    assert report.status() == 0
    del made.graph.input[0].type.tensor_type.shape.dim[3]
    made.graph.input[0].type.tensor_type.shape.dim.add().dim_value = -1
    assert [node.input_shape for node in fastup.export.verify(made).nodes] == [(1, 3, 64, 64)]
    last = resize([1, 8, 8, 4], [1, 16, 16, 4], **nearest)
    assert words(last, like="torch") == ["interpolate(size=(16, 16), mode='nearest') of channels last"]


@pytest.mark.parametrize(
    ("value", "word"), [(0.0, "zeros"), (7.5, "one value"), (np.nan, "NaN")], ids=["zeros", "one value", "NaN"]
)
def test_nodes_that_see_nothing_get_data_of_their_own(value: float, word: str) -> None:
    made = resize([1, 2, 6, 6], [1, 2, 9, 9], mode="linear", coordinate_transformation_mode="asymmetric")
    x = np.full((1, 2, 6, 6), value, np.float32)
    (node,) = fastup.export.verify(made, x, like="torch").nodes
    assert node.warnings == [f"the node gets {word} only, and is judged on random data"]
    assert node.torch is not None
    assert node.torch.verdict == "known difference"


def test_slow_runtimes_have_a_limit_and_others_go_on() -> None:
    """A large node in the reference evaluator, in a process of its own, and what is left out."""
    from fastup.export.runtimes import processes

    made = resize([1, 1, 300, 300], [1, 1, 600, 600], mode="linear")
    fastup.export.verify(made)
    processes._running["reference"]._process.send_signal(signal.SIGSTOP)
    (node,) = fastup.export.verify(made, budget=0.3).nodes
    assert node.runtimes["reference"].verdict == "not run"
    assert node.runtimes["reference"].message == "not done within 0.3 seconds; a larger budget gives it more"
    assert node.runtimes["onnxruntime"].verdict in ("equal", "within tolerance")
    (node,) = fastup.export.verify(made, skip=["reference"]).nodes
    assert "reference" not in node.runtimes
    made = chain([1, 4, 400, 300], [1, 1, 800, 600],
                 [("Reshape", [1, 1, 2, 2, 400, 300]), ("Transpose", [0, 1, 4, 2, 5, 3]), ("Reshape", [1, 1, 800, 600])])  # fmt: skip  # noqa: E501
    (node,) = fastup.export.verify(made, budget=60).nodes
    assert node.runtimes["reference"].verdict == "equal"


def test_slow_runtimes_take_a_part_of_a_large_node() -> None:
    """The first channels, which are computed as in the whole; a fault in them is seen."""
    weight = np.random.default_rng(0).standard_normal((4, 30, 2, 2), np.float32)
    bias = np.arange(30, dtype=np.float32)
    up = helper.make_node("ConvTranspose", ["x", "w", "b"], ["y"], "up", strides=[2, 2])
    held = [numpy_helper.from_array(weight, "w"), numpy_helper.from_array(bias, "b")]
    many = [
        resize([1, 40, 60, 60], [1, 40, 90, 90], mode="linear"),
        resize([1, 40, 60, 60], [1, 40, 120, 120], [1, 1, 2, 2], mode="nearest", nearest_mode="floor"),
        model([up], [1, 4, 60, 60], [1, 30, 120, 120], held),
    ]
    for made in many:
        (node,) = fastup.export.verify(made, budget=60).nodes
        outcome = node.runtimes["reference"]
        assert outcome.verdict in ("equal", "within tolerance")
        assert outcome.message.startswith("only the first ")


def test_nodes_are_chosen_by_name() -> None:
    nodes = [
        helper.make_node("DepthToSpace", ["x"], ["t"], "first/up", blocksize=2, mode="CRD"),
        helper.make_node("DepthToSpace", ["t"], ["y"], "second/up", blocksize=2, mode="CRD"),
    ]
    made = model(nodes, [1, 16, 2, 2], [1, 1, 8, 8])
    assert [node.name for node in fastup.export.verify(made, nodes="^second").nodes] == ["second/up"]
    with pytest.raises(ValueError, match="nodes must be a regular expression"):
        fastup.export.verify(made, nodes="(")
    with pytest.raises(ValueError, match="skip must be among"):
        fastup.export.verify(made, skip=["tvm"])
    with pytest.raises(ValueError, match="budget must be greater than 0"):
        fastup.export.verify(made, budget=0)


def test_what_is_not_judged_is_named() -> None:
    grid = numpy_helper.from_array(np.zeros((1, 4, 4, 2), np.float32), "g")
    nodes = [
        helper.make_node("GridSample", ["x", "g"], ["t"], "warp"),
        helper.make_node("DepthToSpace", ["t"], ["y"], "up", blocksize=2, mode="CRD"),
    ]
    report = fastup.export.verify(model(nodes, [1, 4, 3, 3], [1, 1, 8, 8], [grid]))
    assert report.unjudged == ["warp (GridSample)"]
    assert [node.name for node in report.nodes] == ["up"]


def test_a_process_that_dies_or_hangs_is_an_answer() -> None:
    from fastup.export.runtimes import processes, run_jobs
    from fastup.export.runtimes.processes import Job

    made = chain([1, 4], [4], [("Reshape", [2, 2]), ("Reshape", [4])])
    x = np.arange(4, dtype=np.float32).reshape(1, 4)
    job = Job(made, [[x], [x + 1]], 60)
    results, refusals = run_jobs({"reference": job, "onnxruntime": job})
    assert [one[0].tolist() for one in results["reference"]] == [[0, 1, 2, 3], [1, 2, 3, 4]]
    assert not refusals
    process = processes._running["reference"]
    process._process.send_signal(signal.SIGSTOP)  # it hangs
    results, refusals = run_jobs({"reference": job._replace(seconds=0.2), "onnxruntime": job})
    assert refusals == {"reference": "not done within 0.2 seconds; a larger budget gives it more"}
    assert [*results] == ["onnxruntime"]
    assert "reference" in run_jobs({"reference": job})[0], "it is started anew"
    process = processes._running["reference"]
    process._process.send_signal(signal.SIGSTOP)
    threading.Timer(0.2, process._process.kill).start()
    assert run_jobs({"reference": job})[1] == {"reference": "its process ended with status -9"}
    assert "reference" in run_jobs({"reference": job})[0]


def test_runtimes_run_here_where_no_process_may_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sandbox that allows none must not make a wrong node pass because nobody judged it."""
    from fastup.export.runtimes import processes

    def refuse(*_: Any, **__: Any) -> Any:
        raise PermissionError(1, "no processes")

    processes.end()
    monkeypatch.setattr(processes.subprocess, "Popen", refuse)  # type: ignore[attr-defined]
    (node,) = fastup.export.verify(resize([1, 1, 4, 4], [1, 1, 8, 8], mode="linear")).nodes
    for name in ("onnxruntime", "reference"):
        assert node.runtimes[name].verdict in ("equal", "within tolerance")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_child_forked_while_others_verify_has_runtimes_of_its_own() -> None:
    """The lock may be held by a thread that the child has not."""
    code = """
import os, signal, threading
import fastup.export
from fastup.export.runtimes import processes
model = fastup.export.pixel_shuffle((1, 4, 3, 3), 2)
fastup.export.verify(model)
held, done = threading.Event(), threading.Event()
def hold():
    with processes.lock:
        held.set()
        done.wait()
threading.Thread(target=hold).start()
held.wait()
child = os.fork()
if child == 0:
    signal.alarm(60)
    os._exit(fastup.export.verify(model).status())
status = os.waitpid(child, 0)[1]
done.set()
print(status, fastup.export.verify(model).status())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "0"], done.stderr
