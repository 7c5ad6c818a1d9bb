"""Nodes that give other numbers than torch's operator are rewritten: by their attributes, or as a portable graph."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import onnx

from fastup.export.graph import UnsupportedExport
from fastup.export.runtimes import JUDGES, RUNTIMES
from fastup.export.verification.control_flow import inner_nodes
from fastup.export.verification.functions import with_functions_inlined
from fastup.export.verification.known_differences import tolerance_of
from fastup.export.verification.loading import inputs_for, load, opset_of
from fastup.export.verification.model import Found, alone, find
from fastup.export.verification.report import difference
from fastup.export.verification.torch_equivalent import Candidate, called_as, meaning

Array = np.ndarray[Any, Any]
LOWERINGS = ("auto", "portable")


class Fixed(NamedTuple):
    """A model that was looked through.

    Attributes
    ----------
    model : onnx.ModelProto
        With what was changed; the given one where nothing was.
    changes : list of str
        A line for each node that was rewritten.
    left : list of str
        Nodes that are not what torch computes, and why they stay so.
    """

    model: onnx.ModelProto
    changes: list[str]
    left: list[str]


def fix(
    model: Any,
    inputs: Any = None,
    *,
    shapes: Mapping[str, Sequence[int]] | None = None,
    nodes: str | None = None,
    lowering: str = "auto",
) -> Fixed:
    """Rewrite the upsampling nodes of a model that give other numbers than the operator of torch they are nearest to.

    A node gets other attributes where these are enough, so that open dimensions stay open; else it becomes the portable
    graph of that operator, for the sizes that it has. Each rewritten node is run in onnxruntime and in the reference
    evaluator, and has to give the operator's numbers in both. Functions that hold such a node are inlined, others stay.
    Nodes within control flow are run on random data of the shape that is known.

    Parameters
    ----------
    model : path or onnx.ModelProto
    inputs, shapes
        As in `verify`.
    nodes : str, optional
        A regular expression: only nodes in whose names it is found.
    lowering : {"auto", "portable"}
        "portable" rewrites the chosen nodes as portable graphs, also those that are right.

    Returns
    -------
    Fixed

    Raises
    ------
    ModelError, FileNotFoundError, TypeError, ValueError
        As `verify` does.

    Examples
    --------
    >>> import fastup.export
    >>> model = fastup.export.interpolate((1, 3, 8, 8), scale_factor=2, mode="bilinear")
    >>> fastup.export.fix(model).changes
    []
    """
    if lowering not in LOWERINGS:
        raise ValueError(f"fix: lowering must be one of {', '.join(LOWERINGS)}, got {lowering!r}")
    given = load(model, inlined=False)
    proto, dissolved = with_functions_inlined(given)
    feeds, _ = inputs_for(proto, inputs, shapes)
    made = onnx.ModelProto()
    made.CopyFrom(proto)
    changes: list[str] = []
    left: list[str] = []
    inner = inner_nodes(made, feeds)
    places = [_Place(made.graph, one, True) for one in find(proto, feeds)]
    places += [_Place(one.graph, one.found, one.exact) for one in inner if one.found]
    for place in places:
        if re.search(nodes or "", place.found.name):
            _looked_at(place, proto, lowering, changes, left)
    left += [f"{one.name} ({one.node.op_type}): within control flow, and nothing is known of what it gets"
             for one in inner if not one.found and re.search(nodes or "", one.name)]  # fmt: skip
    if changes and dissolved:
        changes.append(f"inlined: {', '.join(dissolved)}")
    return Fixed(made if changes else given, changes, left)


class _Place(NamedTuple):
    """A node, the graph that it stands in, and whether its sizes are its own."""

    graph: onnx.GraphProto
    found: Found
    exact: bool


def _looked_at(place: _Place, proto: onnx.ModelProto, lowering: str, changes: list[str], left: list[str]) -> None:
    found, opset = place.found, opset_of(proto)
    words = meaning(found, opset)
    called = called_as(words, found.outputs[0], tolerance_of(found)[0])
    unknown = not words.candidates and not words.causes  # no operator of torch that it could be compared with
    right = unknown or (called.difference is not None and called.difference.within)
    if right and lowering == "auto":
        return
    if called.candidate is None or not called.candidate.operator:
        left += [] if right else [f"{found.name} ({found.op_type}): {called.words}"]
        return
    _rewrite(_Task(found, called.candidate, proto, opset), place, lowering, changes, left)


class _Task(NamedTuple):
    """A node, and what it is to be."""

    found: Found
    candidate: Candidate
    proto: onnx.ModelProto
    opset: int

    @property
    def x(self) -> Array:
        return np.asarray(self.found.inputs[0])

    def exported(self, lowering: str) -> onnx.ModelProto:
        """The graph of the candidate."""
        import fastup.export

        exporter = getattr(fastup.export, self.candidate.operator)
        model: onnx.ModelProto = exporter(
            self.x.shape, dtype=self.x.dtype, lowering=lowering, opset=self.opset, **self.candidate.keywords
        )
        return model

    def gives(self, model: onnx.ModelProto, fed: list[Array]) -> bool:
        """Whether the runtimes that judge give the candidate's numbers."""
        wanted, allowed = self.candidate.call(), tolerance_of(self.found)[0]
        for name in JUDGES:
            try:
                result = np.asarray(RUNTIMES[name].prepare(model).run(fed)[0])
            except Exception:  # whatever a runtime raises: it does not give them
                return False
            one = difference(result, wanted, allowed)
            if isinstance(one, str) or not one.within:
                return False
        return True


def _rewrite(task: _Task, place: _Place, lowering: str, changes: list[str], left: list[str]) -> None:
    """Change the copy of the model, or say why not."""
    found, words = task.found, task.candidate.words
    name = f"{found.name} ({found.op_type})"
    if lowering == "auto" and (node := _with_attributes(task)) is not None:
        _replaced(place.graph, found, [node], [])
        shown = ", ".join(_shown(one) for one in node.attribute if one not in found.nodes[0].attribute)
        changes.append(f"{name}: {shown}: {words}")
        return
    if not place.exact:
        left.append(f"{name}: its attributes cannot say it, and its sizes are not known")
        return
    try:
        part = task.exported("portable")
    except (UnsupportedExport, ValueError, TypeError) as error:
        left.append(f"{name}: {error}")
        return
    fed = [task.x, *[np.asarray(one) for one in found.inputs[1 : len(part.graph.input)]]]
    if not task.gives(part, fed):
        left.append(f"{name}: the portable graph of {words} gives other numbers in a runtime")
        return
    nodes, initial = _renamed(part.graph, found)
    _replaced(place.graph, found, nodes, initial)
    kinds = ", ".join(dict.fromkeys(node.op_type for node in nodes))
    sizes = f"{task.x.shape} to {found.outputs[0].shape}"
    changes.append(f"{name}: {len(nodes)} nodes ({kinds}) for sizes {sizes}: {words}")


def _with_attributes(task: _Task) -> onnx.NodeProto | None:
    """The node with the attributes of the native graph, if they are enough."""
    found = task.found
    if found.op_type != "Resize" or len(found.nodes) != 1:
        return None
    try:
        resizes = [node for node in task.exported("native").graph.node if node.op_type == "Resize"]
    except (UnsupportedExport, ValueError, TypeError):
        return None
    if len(resizes) != 1:
        return None
    node = onnx.NodeProto()
    node.CopyFrom(found.nodes[0])
    kept = [one for one in node.attribute if one.name in ("axes", "keep_aspect_ratio_policy")]
    del node.attribute[:]
    node.attribute.extend([*kept, *resizes[0].attribute])
    declared = [(one.dtype, one.shape) for one in found.outputs]
    model = alone([node], found.inputs, declared, task.proto.opset_import, task.proto.ir_version)
    return node if task.gives(model, [task.x]) else None


def _shown(attribute: onnx.AttributeProto) -> str:
    value = onnx.helper.get_attribute_value(attribute)
    return f"{attribute.name}={value.decode() if isinstance(value, bytes) else value}"


def _renamed(graph: onnx.GraphProto, found: Found) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """The nodes of a graph with names of their own, between the tensors that the old nodes had."""
    first, last = found.nodes[0], found.nodes[-1]
    names = {one.name: name for one, name in zip(graph.input, first.input, strict=False)}
    names |= {one.name: name for one, name in zip(graph.output, last.output, strict=False)}

    def named(name: str) -> str:
        return names.setdefault(name, f"{found.name}/fixed/{name}") if name else ""

    nodes, initial = [], []
    for tensor in graph.initializer:
        copy = onnx.TensorProto()
        copy.CopyFrom(tensor)
        copy.name = named(tensor.name)
        initial.append(copy)
    for number, node in enumerate(graph.node):
        made = onnx.NodeProto()
        made.CopyFrom(node)
        made.name = f"{found.name}/fixed/{number}"
        made.input[:], made.output[:] = map(named, node.input), map(named, node.output)
        nodes.append(made)
    return nodes, initial


def _replaced(
    graph: onnx.GraphProto, found: Found, nodes: list[onnx.NodeProto], initial: list[onnx.TensorProto]
) -> None:
    """Put nodes in the place of the old ones."""
    old = {node.output[0] for node in found.nodes}
    kept: list[onnx.NodeProto] = []
    for node in graph.node:
        if node.output and node.output[0] == found.nodes[-1].output[0]:
            kept += nodes
        elif not node.output or node.output[0] not in old:
            kept.append(node)
    copies = []
    for node in kept:
        copy = onnx.NodeProto()
        copy.CopyFrom(node)
        copies.append(copy)
    del graph.node[:]
    graph.node.extend(copies)
    graph.initializer.extend(initial)
