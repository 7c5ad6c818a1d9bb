"""Moves that are written with several readers of one tensor: slices, joined parts, indices."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnxruntime")
onnx = pytest.importorskip("onnx")

from onnx import helper, numpy_helper  # noqa: E402

import fastup  # noqa: E402
import fastup.export  # noqa: E402


class Writer:
    """A graph that is written node by node."""

    def __init__(self, before: list[int]) -> None:
        self.nodes: list[Any] = []
        self.initial: list[Any] = []
        self.before = before

    def constant(self, values: Any, dtype: Any = np.int64) -> str:
        name = f"c{len(self.initial)}"
        self.initial.append(numpy_helper.from_array(np.array(values, dtype), name))
        return name

    def node(self, op: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        names = [f"t{len(self.nodes)}_{k}" for k in range(outputs)]
        self.nodes.append(helper.make_node(op, [*inputs], names, f"n{len(self.nodes)}", **attributes))
        return names[0] if outputs == 1 else names

    def slice(self, name: str, starts: list[int], axes: list[int], steps: list[int]) -> str:
        far = [2**31] * len(axes)
        found: str = self.node(
            "Slice", name, self.constant(starts), self.constant(far), self.constant(axes), self.constant(steps)
        )
        return found

    def model(self, last: str, after: list[int]) -> Any:
        ends = [helper.make_tensor_value_info(name, 1, shape) for name, shape in (("x", self.before), (last, after))]
        graph = helper.make_graph(self.nodes, "graph", ends[:1], ends[1:], self.initial)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def focus(columns_first: bool) -> Any:
    """Phases of a picture side by side, as YOLOv5 slices them, or as DCR has them."""
    g = Writer([1, 3, 8, 6])
    rows_then_columns = [(0, 0), (1, 0), (0, 1), (1, 1)] if columns_first else [(0, 0), (0, 1), (1, 0), (1, 1)]
    parts = [g.slice("x", [down, right], [2, 3], [2, 2]) for down, right in rows_then_columns]
    return g.model(g.node("Concat", *parts, axis=1), [1, 12, 4, 3])


def focus_in_two_steps() -> Any:
    """As exporters write x[..., ::2, ::2]: one Slice for each axis."""
    g = Writer([1, 3, 8, 6])
    parts = []
    for right in (0, 1):
        for down in (0, 1):
            parts.append(g.slice(g.slice("x", [down], [2], [2]), [right], [3], [2]))
    return g.model(g.node("Concat", *parts, axis=1), [1, 12, 4, 3])


def interleaved() -> Any:
    """Nearest by parts that are the same: Unsqueeze, Concat with itself, Reshape, axis by axis, as MXNet does."""
    g = Writer([1, 2, 3, 4])
    wide = g.node("Unsqueeze", "x", g.constant([4]))
    wide = g.node("Reshape", g.node("Concat", wide, wide, axis=4), g.constant([1, 2, 3, 8]))
    high = g.node("Unsqueeze", wide, g.constant([3]))
    return g.model(g.node("Reshape", g.node("Concat", high, high, axis=3), g.constant([1, 2, 6, 8])), [1, 2, 6, 8])


def gathered() -> Any:
    """Nearest by indices along each axis, as torch.export decomposes it."""
    g = Writer([1, 2, 3, 4])
    rows = g.node("Gather", "x", g.constant(np.arange(6) // 2), axis=2)
    return g.model(g.node("Gather", rows, g.constant(np.arange(12) // 3), axis=3), [1, 2, 6, 12])


def gathered_pixels() -> Any:
    """Nearest of whole pixels at once, as torch.export writes nearest-exact."""
    g = Writer([1, 2, 3, 4])
    first = g.node("Transpose", "x", perm=[2, 3, 0, 1])
    places = np.stack(np.meshgrid(np.arange(6) // 2, np.arange(8) // 2, indexing="ij"), -1)
    return g.model(g.node("Transpose", g.node("GatherND", first, g.constant(places)), perm=[2, 3, 0, 1]), [1, 2, 6, 8])


def one_gather() -> Any:
    g = Writer([1, 2, 5])
    return g.model(g.node("Gather", "x", g.constant(np.arange(15) // 3), axis=2), [1, 2, 15])


def split_shuffle() -> Any:
    """A pixel shuffle in 1-D: two halves of the channels, item by item."""
    g = Writer([1, 4, 5])
    a, b = (g.slice("x", [k], [1], [2]) for k in (0, 1))
    both = [g.node("Unsqueeze", one, g.constant([3])) for one in (a, b)]
    return g.model(g.node("Reshape", g.node("Concat", *both, axis=3), g.constant([1, 2, 10])), [1, 2, 10])


def by_split() -> Any:
    """The same out of a Split, its halves being all first and all second phases: the order DCR."""
    g = Writer([1, 4, 5])
    both = g.node("Split", "x", g.constant([2, 2]), outputs=2, axis=1)
    both = [g.node("Unsqueeze", one, g.constant([3])) for one in both]
    return g.model(g.node("Reshape", g.node("Concat", *both, axis=3), g.constant([1, 2, 10])), [1, 2, 10])


NAMED = [
    (focus(True), "pixel_unshuffle(2) into channels in the order DCR, phases column by column"),
    (focus(False), "pixel_unshuffle(2) into channels in the order DCR"),
    (focus_in_two_steps(), "pixel_unshuffle(2) into channels in the order DCR, phases column by column"),
    (interleaved(), "interpolate(scale_factor=2)"),
    (gathered(), "interpolate(scale_factor=(2, 3))"),
    (gathered_pixels(), "interpolate(scale_factor=2)"),
    (one_gather(), "interpolate(scale_factor=3)"),
    (split_shuffle(), "pixel_shuffle(2)"),
    (by_split(), "pixel_shuffle(2) of channels in the order DCR"),
]


@pytest.mark.parametrize(("model", "words"), NAMED, ids=[words for _, words in NAMED])
def test_moves_of_several_readers_are_named(model: Any, words: str) -> None:
    report = fastup.export.verify(model, like="torch")
    assert [node.words for node in report.nodes] == [words]
    assert report.status() == 0
    verdicts = {name: one.verdict for name, one in report.nodes[0].runtimes.items()}
    assert verdicts["onnxruntime"] == verdicts["reference"] == "equal", verdicts


def skip_connection() -> Any:
    """A Concat of two tensors that come from different nodes."""
    g = Writer([1, 2, 4, 4])
    one = g.node("Relu", "x")
    return g.model(g.node("Concat", one, g.node("Identity", "x"), axis=1), [1, 4, 4, 4])


def shifted_windows() -> Any:
    """A picture rolled by two, as Swin does: nothing is enlarged."""
    g = Writer([1, 2, 4, 4])
    end = g.node("Slice", "x", g.constant([2]), g.constant([2**31]), g.constant([2]), g.constant([1]))
    begin = g.node("Slice", "x", g.constant([0]), g.constant([2]), g.constant([2]), g.constant([1]))
    return g.model(g.node("Concat", end, begin, axis=2), [1, 2, 4, 4])


def embedding() -> Any:
    """Rows of a table: what is gathered is a weight."""
    g = Writer([1, 6])
    table = g.constant(np.arange(12).reshape(1, 3, 4), np.float32)
    rows = g.node("Gather", table, g.constant([0, 0, 1, 1, 2, 2]), axis=1)
    flat = g.node("Reshape", rows, g.constant([1, 24]))
    return g.model(g.node("Concat", flat, "x", axis=1), [1, 30])


@pytest.mark.parametrize("model", [skip_connection(), shifted_windows(), embedding()])
def test_others_are_not_listed(model: Any) -> None:
    assert [node.words for node in fastup.export.verify(model).nodes] == []


def test_a_convolution_before_a_shuffle_is_judged() -> None:
    """Also before one that is written by hand; others are none of ours."""
    g = Writer([1, 4, 5, 7])
    weight = g.constant(np.random.default_rng(0).standard_normal((8, 4, 3, 3)), np.float32)
    first = g.node("Conv", "x", weight, pads=[1, 1, 1, 1])
    made = g.node("Conv", first, g.constant(np.ones((12, 8, 1, 1)), np.float32))
    wide = g.node("Reshape", made, g.constant([1, 3, 2, 2, 5, 7]))
    moved = g.node("Transpose", wide, perm=[0, 1, 4, 2, 5, 3])
    model = g.model(g.node("Reshape", moved, g.constant([1, 3, 10, 14])), [1, 3, 10, 14])
    report = fastup.export.verify(model, like="torch")
    assert [node.words for node in report.nodes] == ["conv2d(weight of (12, 8, 1, 1))", "pixel_shuffle(2)"]
    assert report.status() == 0
    assert report.nodes[0].torch is not None


def test_pools_with_positions_are_judged() -> None:
    pool = helper.make_node("MaxPool", ["x"], ["v", "i"], "pool", kernel_shape=[2, 2], strides=[2, 2])
    unpool = helper.make_node("MaxUnpool", ["v", "i"], ["y"], "unpool", kernel_shape=[2, 2], strides=[2, 2])
    x, y = (helper.make_tensor_value_info(name, 1, [2, 3, 8, 6]) for name in "xy")
    graph = helper.make_graph([pool, unpool], "graph", [x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    report = fastup.export.verify(model, like="torch")
    assert report.nodes[0].words == "max_pool2d(kernel_size=(2, 2), stride=(2, 2), return_indices=True)"
    assert report.nodes[0].torch is not None
    assert report.nodes[0].torch.verdict == "equal"
    assert report.status() == 0


def test_torch_runs_the_words(torch: Any) -> None:
    """Each call that is described gives the numbers in torch itself."""
    for model, words in NAMED:
        (node,) = fastup.export.verify(model).nodes
        if "DCR" not in words and words != "pixel_shuffle(2)":  # of which torch has none in 1-D
            assert node.runtimes["torch"].verdict == "equal", words
    for mode in ("nearest", "bilinear", "bicubic"):
        made = fastup.export.interpolate((1, 3, 5, 7), size=(9, 11), mode=mode, lowering="native")
        (node,) = fastup.export.verify(made).nodes
        assert node.runtimes["torch"].verdict in ("equal", "within tolerance")
    weight = np.random.default_rng(0).standard_normal((4, 2, 3, 3), np.float32)
    made = fastup.export.conv_transpose2d((1, 4, 5, 6), weight, stride=2, padding=1, output_padding=1)
    (node,) = fastup.export.verify(made).nodes
    assert node.runtimes["torch"].verdict in ("equal", "within tolerance")
