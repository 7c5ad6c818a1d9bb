"""Nodes within If, Loop and Scan, which one run of a model cannot show: alone, on data of the shape that is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import onnx
from onnx import numpy_helper

from fastup.export.runtimes import RUNTIMES
from fastup.export.runtimes.runtime import attributes_of
from fastup.export.self_check import sample
from fastup.export.verification.model import Found, alone, is_judged

Array = np.ndarray[Any, Any]
_UNKNOWN = (1, 4, 9, 8, 7)  # lengths of axes that shape inference does not tell


class Inner(NamedTuple):
    """A node of a graph within a node; `found` is None where nothing is known of what it gets."""

    graph: onnx.GraphProto
    node: onnx.NodeProto
    found: Found | None
    exact: bool  # whether its shape is known, not made up

    @property
    def name(self) -> str:
        """Of the node, or of what it gives."""
        return self.node.name or self.node.output[0]


class _Scope(NamedTuple):
    """What is known by name: constants, and shapes with types."""

    constants: Mapping[str, Array]
    types: Mapping[str, onnx.TypeProto.Tensor]

    def within(self, graph: onnx.GraphProto) -> _Scope:
        """The same, and what a graph says."""
        constants = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
        for node in graph.node:
            if node.op_type == "Constant" and (value := _constant(node)) is not None:
                constants[node.output[0]] = value
        values = (*graph.input, *graph.value_info, *graph.output)
        types = {one.name: one.type.tensor_type for one in values if one.type.HasField("tensor_type")}
        return _Scope({**self.constants, **constants}, {**self.types, **types})


def _constant(node: onnx.NodeProto) -> Array | None:
    """The value of a Constant, in any of its spellings but texts and sparse ones."""
    given = attributes_of(node)
    if "value" in given:
        return np.asarray(numpy_helper.to_array(given["value"]))
    kinds = {"value_int": np.int64, "value_ints": np.int64, "value_float": np.float32, "value_floats": np.float32}
    return next((np.array(given[name], kind) for name, kind in kinds.items() if name in given), None)


def inner_nodes(model: onnx.ModelProto, feeds: Mapping[str, Array]) -> list[Inner]:
    """All that would be judged if they stood in the model's own graph; the graphs are those of the model."""
    shaped = onnx.ModelProto()
    shaped.CopyFrom(model)
    for value in shaped.graph.input:
        if value.name in feeds:
            del value.type.tensor_type.shape.dim[:]
            for length in feeds[value.name].shape:
                value.type.tensor_type.shape.dim.add().dim_value = length
    try:
        shaped = onnx.shape_inference.infer_shapes(shaped, data_prop=True)
    except Exception:  # of a model that runs: then less is known
        shaped = model
    return list(_within(model, model.graph, shaped.graph, _Scope({}, {}), top=True))


def _within(
    model: onnx.ModelProto, graph: onnx.GraphProto, shaped: onnx.GraphProto, scope: _Scope, top: bool = False
) -> Iterator[Inner]:
    scope = scope.within(shaped)
    for node, twin in zip(graph.node, shaped.node, strict=True):
        if not top and is_judged(node):
            kind = scope.types.get(node.input[0])
            exact = kind is not None and kind.HasField("shape") and all(dim.dim_value > 0 for dim in kind.shape.dim)
            yield Inner(graph, node, _found(node, scope, model), exact)
        for attribute, same in zip(node.attribute, twin.attribute, strict=True):
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from _within(model, attribute.g, same.g, scope)
            for one, other in zip(attribute.graphs, same.graphs, strict=True):
                yield from _within(model, one, other, scope)


def _found(node: onnx.NodeProto, scope: _Scope, model: onnx.ModelProto) -> Found | None:
    kind = scope.types.get(node.input[0])
    if kind is None or any(name and name not in scope.constants for name in node.input[1:]):
        return None
    others = [scope.constants[name] if name else None for name in node.input[1:]]
    try:
        x = sample(_shape(kind, node.op_type, others), onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type))
        declared = [(dtype, [f"n{k}" for k in range(x.ndim)]) for dtype in (x.dtype, np.int64)]
        names = [name for name in node.output if name]
        made = alone([node], [x, *others], declared[: len(names)], model.opset_import, model.ir_version)
        outputs = [np.asarray(one) for one in RUNTIMES["onnxruntime, not optimised"].prepare(made).run([x])]
    except Exception:  # onnxruntime has a kind of error per status; a type that NumPy has not is a KeyError
        return None
    found = Found(node.op_type, attributes_of(node), [x, *others], node.name or node.output[0], [node], outputs)
    return replace(found, said=f"within control flow: judged on random data of {x.shape}")


def _shape(kind: onnx.TypeProto.Tensor, op: str, others: list[Array | None]) -> tuple[int, ...]:
    """What is known, and lengths of our own for the rest."""
    shape = [dim.dim_value if dim.dim_value > 0 else 0 for dim in kind.shape.dim]
    rank = len(shape)
    weight = others[0] if op == "ConvTranspose" and others else None
    if not kind.HasField("shape"):
        rank = weight.ndim if weight is not None else 4
        shape = [0] * rank
    if len(shape) > 1 and not shape[1] and weight is not None:
        shape[1] = weight.shape[0]
    return tuple(known or own for known, own in zip(shape, _UNKNOWN[:rank], strict=True))
