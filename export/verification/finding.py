"""The nodes of a model that upsample, and their real inputs and outputs, from one run of the model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import onnx
from onnx import helper, numpy_helper

from fastup.export.runtimes import RUNTIMES
from fastup.export.verification.loading import ModelError, first_line

Array = np.ndarray[Any, Any]
OPERATORS = (
    "Resize", "Upsample", "DepthToSpace", "SpaceToDepth", "ConvTranspose", "MaxUnpool", "MaxPool",
)  # fmt: skip
_SHUFFLES = {
    (0, 1, 4, 2, 5, 3): ("pixel_shuffle", "CRD"),
    (0, 3, 4, 1, 5, 2): ("pixel_shuffle", "DCR"),
    (0, 1, 3, 5, 2, 4): ("pixel_unshuffle", "CRD"),
    (0, 3, 5, 1, 2, 4): ("pixel_unshuffle", "DCR"),
}


class Found(NamedTuple):
    """A node, or the three that spell a pixel shuffle, with what went in and came out.

    Attributes
    ----------
    nodes : list of NodeProto
    inputs : list of (array or None)
        Of the first node; None where an optional one is left out.
    outputs : list of arrays
        Of the last node, as onnxruntime gave them.
    shuffle : (str, str), optional
        Which permutation the three nodes are: operator and order.
    """

    name: str
    op_type: str
    nodes: list[onnx.NodeProto]
    inputs: list[Array | None]
    outputs: list[Array]
    shuffle: tuple[str, str] | None = None

    @property
    def attributes(self) -> dict[str, Any]:
        """Of the first node; strings as str."""
        values = {one.name: helper.get_attribute_value(one) for one in self.nodes[0].attribute}
        return {name: value.decode() if isinstance(value, bytes) else value for name, value in values.items()}


def in_subgraphs(model: onnx.ModelProto) -> list[str]:
    """Upsampling nodes of control flow, which one run cannot show."""

    def within(graph: onnx.GraphProto) -> Iterator[str]:
        for node in graph.node:
            for attribute in node.attribute:
                for inner in (attribute.g, *attribute.graphs):
                    for one in inner.node:
                        if one.op_type in OPERATORS:
                            yield one.name or one.output[0]
                    yield from within(inner)

    return list(within(model.graph))


def find(model: onnx.ModelProto, feeds: dict[str, Array]) -> list[Found]:
    """Run the model once in onnxruntime, all its upsampling nodes watched."""
    groups = list(_groups(model.graph))
    known = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    watched = [name for nodes, _ in groups for node in nodes for name in (*node.input, *node.output) if name]
    values = {**known, **feeds, **_run(model, feeds, [name for name in dict.fromkeys(watched) if name not in known])}
    found = []
    for nodes, shuffle in groups:
        inputs = [values[name] if name else None for name in nodes[0].input]
        outputs = [values[name] for name in nodes[-1].output if name]
        op = nodes[0].op_type if shuffle is None else "Reshape-Transpose-Reshape"
        found.append(Found(nodes[-1].name or nodes[-1].output[0], op, nodes, inputs, outputs, shuffle))
    return found


def _groups(graph: onnx.GraphProto) -> Iterator[tuple[list[onnx.NodeProto], tuple[str, str] | None]]:
    makers = {name: node for node in graph.node for name in node.output}
    for node in graph.node:
        if node.op_type in OPERATORS and node.domain in ("", "ai.onnx"):
            if node.op_type != "MaxPool" or len([name for name in node.output if name]) > 1:
                yield [node], None
        elif node.op_type == "Reshape":
            turn = makers.get(node.input[0])
            first = makers.get(turn.input[0]) if turn is not None and turn.op_type == "Transpose" else None
            if turn is not None and first is not None and first.op_type == "Reshape":
                order = next((tuple(one.ints) for one in turn.attribute if one.name == "perm"), ())
                if order in _SHUFFLES:
                    yield [first, turn, node], _SHUFFLES[order]


def _run(model: onnx.ModelProto, feeds: dict[str, Array], names: list[str]) -> dict[str, Array]:
    """The values of these names; nothing is optimised, so that every node is there."""
    watching = onnx.ModelProto()
    watching.CopyFrom(model)
    present = {one.name for one in watching.graph.output}
    wanted = [name for name in names if name not in feeds]
    watching.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in wanted if name not in present)
    names = [one.name for one in watching.graph.output]
    inputs = [feeds[one.name] for one in watching.graph.input if one.name in feeds]
    try:
        results = RUNTIMES["onnxruntime, not optimised"].prepare(watching).run(inputs)
        return dict(zip(names, results, strict=True))
    except Exception as error:  # onnxruntime has a kind of error per status
        raise ModelError(f"verify: onnxruntime cannot run the model ({first_line(error)})") from None


def model_of(found: Found, opsets: Any, ir_version: int) -> onnx.ModelProto:
    """The node, or the three nodes, alone."""
    first, last = found.nodes[0], found.nodes[-1]
    data = first.input[0]
    fixed = {name: one for name, one in zip(first.input, found.inputs, strict=True) if name and name != data}
    extra = [name for node in found.nodes[1:] for name in node.input[1:] if name]
    initial = [numpy_helper.from_array(np.asarray(one), name) for name, one in fixed.items() if one is not None]
    shape = found.outputs[0].shape
    if extra:  # what the last Reshape is to give
        initial.append(numpy_helper.from_array(np.array(shape, np.int64), extra[-1]))
    x = np.asarray(found.inputs[0])
    value = helper.make_tensor_value_info(data, helper.np_dtype_to_tensor_dtype(x.dtype), x.shape)
    names = [name for name in last.output if name]
    outputs = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(one.dtype), one.shape)
        for name, one in zip(names, found.outputs, strict=True)
    ]
    graph = helper.make_graph(found.nodes, found.name, [value], outputs, initial)
    return helper.make_model(graph, opset_imports=opsets, ir_version=ir_version)
