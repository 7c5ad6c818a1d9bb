"""What the upsampling nodes of a model get and give, and a node as a model of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from fastup.export.runtimes import RUNTIMES, Node, first_line
from fastup.export.runtimes.runtime import attributes_of
from fastup.export.verification import moves
from fastup.export.verification.loading import ModelError

Array = np.ndarray[Any, Any]
OPERATORS = (
    "Resize", "Upsample", "DepthToSpace", "SpaceToDepth", "ConvTranspose", "MaxUnpool", "MaxPool",
)  # fmt: skip


@dataclass(frozen=True)
class Found(Node):
    """A node, or several that move items one after the other, with what went in and came out.

    Attributes
    ----------
    outputs : list of arrays
        Of the last node, as onnxruntime gave them; operator, attributes and inputs are the first one's.
    move : Move, optional
        What several nodes mean.
    constants : dict of name to array
        What they take beside their items.
    said : str
        What is to be told of its data.
    """

    name: str
    nodes: list[onnx.NodeProto]
    outputs: list[Array]
    move: moves.Move | None = None
    constants: Mapping[str, Array] = field(default_factory=dict)
    said: str = ""


def find(model: onnx.ModelProto, feeds: dict[str, Array]) -> list[Found]:
    """Run the model once in onnxruntime, all its upsampling nodes watched."""
    singles, chained = list(_singles(model.graph)), list(moves.chains(model.graph))
    before = _convolutions(model.graph, singles, chained)
    known = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    watched = [name for node in (*singles, *before.values()) for name in (*node.input, *node.output)]
    watched += [name for chain in chained for step in chain for name in (step.source, step.output, *_operands(step))]
    watched = [name for name in dict.fromkeys(watched) if name and name not in known]
    values = {**known, **feeds, **_run(model, feeds, watched)}
    found = [_found([node], values, node.op_type) for node in singles]
    for chain in chained:
        found += _moved(chain, values, model)
    shuffled = {str(one.nodes[0].input[0]) for one in found if one.move or one.op_type == "DepthToSpace"}
    found += [_found([node], values, node.op_type) for name, node in before.items() if name in shuffled]
    place = {name: number for number, node in enumerate(model.graph.node) for name in node.output}
    return sorted(found, key=lambda one: place[one.nodes[-1].output[0]])


def _convolutions(
    graph: onnx.GraphProto, singles: Sequence[onnx.NodeProto], chained: Sequence[Sequence[moves.Step]]
) -> dict[str, onnx.NodeProto]:
    """Those whose results a shuffle takes, or what may turn out to be one, by the names of these."""
    made = {node.output[0]: node for node in graph.node if node.op_type == "Conv" and node.domain in ("", "ai.onnx")}
    taken = [node.input[0] for node in singles if node.op_type == "DepthToSpace"]
    taken += [step.source for chain in chained for step in chain]
    return {name: made[name] for name in dict.fromkeys(taken) if name in made}


def _operands(step: moves.Step) -> list[str]:
    """What the nodes of a step take beside the items: shapes, repeats, indices."""
    inside = {step.source, *(name for node in step.nodes for name in node.output)}
    return [name for node in step.nodes for name in node.input[1:] if name and name not in inside]


def _found(nodes: list[onnx.NodeProto], values: Mapping[str, Array], op: str) -> Found:
    first, last = nodes[0], nodes[-1]
    inputs = [values[name] if name else None for name in first.input]
    outputs = [values[name] for name in last.output if name]
    return Found(op, attributes_of(first), inputs, last.name or last.output[0], nodes, outputs)


def _moved(chain: Sequence[moves.Step], values: Mapping[str, Array], model: onnx.ModelProto) -> list[Found]:
    """The parts of a chain that fastup has a name for; they do not overlap."""
    taken: set[int] = set()
    found = []
    for start, stop in moves.parts(chain):
        before, after = (values[name].shape for name in (chain[start].source, chain[stop - 1].output))
        if taken & set(range(start, stop)) or not moves.possible(before, after):
            continue
        nodes = [node for step in chain[start:stop] for node in step.nodes]
        one = _found(nodes, values, "-".join(op for op, _ in itertools.groupby(nodes, lambda node: node.op_type)))
        constants = {name: values[name] for step in chain[start:stop] for name in _operands(step)}
        one = replace(one, constants=constants)
        if move := moves.named(before, _places(one, model)):
            found.append(replace(one, move=move))
            taken |= set(range(start, stop))
    return found


def _places(found: Found, model: onnx.ModelProto) -> Array:
    """Which item of its argument each item of a chain's result is."""
    x = np.arange(np.size(found.inputs[0]), dtype=np.int64).reshape(np.shape(found.inputs[0]))
    inputs, outputs = [x, *found.inputs[1:]], [(x.dtype, found.outputs[0].shape)]
    made = alone(found.nodes, inputs, outputs, model.opset_import, model.ir_version, found.constants)
    return np.asarray(RUNTIMES["onnxruntime, not optimised"].prepare(made).run([x])[0])


def _singles(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """Nodes that are judged one by one."""
    return (node for node in graph.node if is_judged(node))


def is_judged(node: onnx.NodeProto) -> bool:
    """Whether a node is one that enlarges, or a pool that gives positions to one."""
    own = node.op_type in OPERATORS and node.domain in ("", "ai.onnx")
    return own and (node.op_type != "MaxPool" or len([name for name in node.output if name]) > 1)


def _run(model: onnx.ModelProto, feeds: dict[str, Array], names: list[str]) -> dict[str, Array]:
    """The values of these names, which are outputs, so that the optimiser leaves them."""
    watching = onnx.ModelProto()
    watching.CopyFrom(model)
    present = {one.name for one in watching.graph.output}
    wanted = [name for name in names if name not in feeds]
    watching.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in wanted if name not in present)
    names = [one.name for one in watching.graph.output]
    inputs = [feeds[one.name] for one in watching.graph.input if one.name in feeds]
    try:
        results = RUNTIMES["onnxruntime"].prepare(watching).run(inputs)
    except Exception:  # onnxruntime has a kind of error per status, and graphs that only its optimiser refuses
        try:
            results = RUNTIMES["onnxruntime, not optimised"].prepare(watching).run(inputs)
        except Exception as error:
            raise ModelError(f"verify: onnxruntime cannot run the model ({first_line(error)})") from None
    return dict(zip(names, results, strict=True))


def alone(
    nodes: list[onnx.NodeProto], inputs: Sequence[Array | None], outputs: Sequence[tuple[Any, Sequence[Any]]],
    opsets: Sequence[onnx.OperatorSetIdProto], ir_version: int, constants: Mapping[str, Array] | None = None,
) -> onnx.ModelProto:  # fmt: skip
    """The node, or several, as a model of the first input; `outputs` are dtypes and shapes."""
    first, last = nodes[0], nodes[-1]
    held = {name: value for name, value in zip(first.input, inputs, strict=True) if value is not None and name}
    held |= constants or {}
    held.pop(first.input[0])
    initial = [numpy_helper.from_array(np.asarray(value), name) for name, value in held.items()]
    x, results = np.asarray(inputs[0]), zip([name for name in last.output if name], outputs, strict=True)
    ends = [(first.input[0], (x.dtype, x.shape)), *results]
    values = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), shape)
        for name, (dtype, shape) in ends
    ]
    graph = helper.make_graph(nodes, last.name or last.output[0], values[:1], values[1:], initial)
    return helper.make_model(graph, opset_imports=opsets, ir_version=ir_version)
