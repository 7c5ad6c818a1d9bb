"""A small builder of ONNX graphs: inputs, constants, operators, and a model that has passed every check.

The only user of `onnx.helper`. Names, constants and checks are its business; what to write is the exporters'.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import onnx
from onnx import helper, numpy_helper, shape_inference

from fastup.plan import check

LOWEST_OPSET, DEFAULT_OPSET = 11, 18
NEWEST_OPSET = min(28, onnx.defs.onnx_opset_version())  # 28 is the newest that onnxruntime 1.32 loads
Dim = int | str


class UnsupportedExport(ValueError):  # noqa: N818  (reads as what it is)
    """The call has no ONNX graph that gives the same numbers; the message says why, and what would work."""


class Value(NamedTuple):
    """A tensor of the graph; a dimension is a number, or the name of one that is known at run time only."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[Dim, ...]


class Graph:
    """An ONNX graph under construction.

    Parameters
    ----------
    opset : int
        Version of ONNX's operators, from 11 on; the model gets the lowest IR version that allows it.

    Examples
    --------
    >>> from fastup.export import Graph
    >>> graph = Graph(opset=18)
    >>> x = graph.input("x", "float32", ("N", 4, 8, 8))
    >>> y = graph.op("DepthToSpace", x, shape=("N", 1, 16, 16), blocksize=2, mode="CRD")
    >>> model = graph.model(y)
    >>> [node.op_type for node in model.graph.node], model.ir_version
    (['DepthToSpace'], 8)
    """

    def __init__(self, opset: int = DEFAULT_OPSET) -> None:
        self.opset = check.integer("export", "opset", opset)
        if not LOWEST_OPSET <= self.opset <= NEWEST_OPSET:
            check.invalid(f"export: opset must be from {LOWEST_OPSET} to {NEWEST_OPSET}, got {opset}")
        self._nodes: list[onnx.NodeProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []
        self._constants: dict[tuple[Any, ...], onnx.TensorProto] = {}
        self._counts: dict[str, int] = {}

    def input(self, name: str, dtype: Any, shape: tuple[Dim, ...]) -> Value:
        """Declare an input of the model."""
        value = Value(name, check.dtype("export", dtype), tuple(shape))
        if value.dtype.name == "bfloat16" and self.opset < 13:
            raise UnsupportedExport(f"export: dtype bfloat16 needs opset 13, got {self.opset}")
        self._inputs.append(_declaration(value))
        return value

    def const(self, values: Any, dtype: Any = np.int64) -> Value:
        """A constant tensor; equal constants are stored once."""
        array = np.asarray(values, dtype)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._constants:
            self._constants[key] = numpy_helper.from_array(array, f"c{len(self._constants)}")
        return Value(self._constants[key].name, array.dtype, array.shape)

    def sum(self, x: Value, axes: list[int], shape: tuple[Dim, ...]) -> Value:
        """Sums over some axes, which are gone afterwards."""
        if self.opset >= 13:
            return self.op("ReduceSum", x, self.const(axes), shape=shape, keepdims=0)
        return self.op("ReduceSum", x, shape=shape, axes=axes, keepdims=0)

    @staticmethod
    def tensor(array: np.ndarray[Any, Any]) -> onnx.TensorProto:
        """An array as the value of an attribute."""
        return numpy_helper.from_array(array)

    def op(
        self,
        kind: str,
        *inputs: Value | None,
        shape: tuple[Dim, ...] | None = None,
        dtype: Any = None,
        **attributes: Any,
    ) -> Value:
        """Append a node with one output; None stands for an input left out.

        `dtype` and `shape` are the output's, and default to those of the first input.
        """
        first = next(value for value in inputs if value is not None)
        number = self._counts[kind] = self._counts.get(kind, 0) + 1
        name = f"{kind.lower()}{number}"
        names = [value.name if value else "" for value in inputs]
        self._nodes.append(helper.make_node(kind, names, [name], name=f"{kind}_{number}", **attributes))
        dtype = first.dtype if dtype is None else np.dtype(dtype)
        return Value(name, dtype, first.shape if shape is None else tuple(shape))

    def has(self, kind: str) -> bool:
        """Whether there is a node of this operator yet."""
        return kind in self._counts

    def pair(self, kind: str, *inputs: Value, second: Any, shape: tuple[Dim, ...], **attributes: Any) -> list[Value]:
        """Append a node with two outputs of one shape: of the first input's dtype, and of `second`."""
        first = self.op(kind, *inputs, shape=shape, **attributes)
        other = Value(f"{first.name}_2", np.dtype(second), first.shape)
        self._nodes[-1].output.append(other.name)
        return [first, other]

    def cast(self, value: Value, dtype: Any) -> Value:
        """Convert a tensor, if it needs it."""
        dtype = np.dtype(dtype)
        if value.dtype == dtype:
            return value
        return self.op("Cast", value, dtype=dtype, to=_tensor_type(dtype))

    def extent(self, value: Value, axis: int) -> Value:
        """The extent of one axis as a tensor of one int64: a constant where it is known."""
        dim = value.shape[axis]
        if not isinstance(dim, str):
            return self.const([dim])
        shape = self.op("Shape", value, shape=(len(value.shape),), dtype=np.int64)
        return self.op("Gather", shape, self.const([axis]), shape=(1,), axis=0)

    def reshape(self, value: Value, dims: list[Any], names: tuple[Dim, ...]) -> Value:
        """Reshape to `dims`: numbers, and tensors of one int64 where a dimension is known at run time only."""
        known = all(not isinstance(dim, Value) for dim in dims)
        keeps_zeros = {"allowzero": 1} if known and self.opset >= 14 and 0 in dims else {}
        return self.op("Reshape", value, self.vector(dims), shape=names, **keeps_zeros)

    def vector(self, entries: list[Any], dtype: Any = np.int64) -> Value:
        """A tensor of one axis from numbers and tensors of one element; a constant where all are numbers."""
        if all(not isinstance(entry, Value) for entry in entries):
            return self.const(entries, dtype)
        parts = [entry if isinstance(entry, Value) else self.const([entry], dtype) for entry in entries]
        return self.op("Concat", *parts, shape=(len(parts),), dtype=dtype, axis=0)

    def clamp(self, value: Value, low: Any, high: Any) -> Value:
        """Clip; onnxruntime has no float64 kernel of it before opset 12."""
        bounds = [self.const(bound, value.dtype) for bound in (low, high)]
        if self.opset >= 12 or value.dtype == np.float32:
            return self.op("Clip", value, *bounds)
        return self.op("Min", self.op("Max", value, bounds[0]), bounds[1])

    def transpose(self, value: Value, order: list[int]) -> Value:
        """Axes in this order."""
        return self.op("Transpose", value, shape=tuple(value.shape[axis] for axis in order), perm=order)

    def with_axis(self, value: Value, axis: int) -> Value:
        """Insert an axis of extent 1."""
        shape = (*value.shape[:axis], 1, *value.shape[axis:])
        if self.opset >= 13:
            return self.op("Unsqueeze", value, self.const([axis]), shape=shape)
        return self.op("Unsqueeze", value, shape=shape, axes=[axis])

    def without_axis(self, value: Value, axis: int) -> Value:
        """Remove an axis of extent 1."""
        shape = (*value.shape[:axis], *value.shape[axis + 1 :])
        if self.opset >= 13:
            return self.op("Squeeze", value, self.const([axis]), shape=shape)
        return self.op("Squeeze", value, shape=shape, axes=[axis])

    def model(self, *outputs: Value, names: tuple[str, ...] = ("y",)) -> onnx.ModelProto:
        """The finished model, after ONNX's full check and strict shape inference."""
        nodes = [*self._nodes]
        for value, name in zip(outputs, names, strict=True):
            nodes.append(helper.make_node("Identity", [value.name], [name], name=f"output_{name}"))
        declared = [_declaration(value._replace(name=name)) for value, name in zip(outputs, names, strict=True)]
        graph = helper.make_graph(
            _without_identities(nodes), "fastup", self._inputs, declared, initializer=list(self._constants.values())
        )
        opsets = [helper.make_opsetid("", self.opset)]
        model = helper.make_model(
            graph,
            opset_imports=opsets,
            ir_version=helper.find_min_ir_version_for(opsets),
            producer_name="fastup",
        )
        onnx.checker.check_model(model, full_check=True)
        shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
        return model


def _tensor_type(dtype: np.dtype[Any]) -> int:
    """ONNX's number of a dtype; older versions of onnx do not know that of ml_dtypes' bfloat16."""
    return onnx.TensorProto.BFLOAT16 if dtype.name == "bfloat16" else helper.np_dtype_to_tensor_dtype(dtype)


def _declaration(value: Value) -> onnx.ValueInfoProto:
    try:
        kind = _tensor_type(value.dtype.newbyteorder("="))
    except (ValueError, KeyError):
        raise UnsupportedExport(f"export: dtype must be one that ONNX has, got {value.dtype}") from None
    return helper.make_tensor_value_info(value.name, kind, value.shape)


def _without_identities(nodes: list[onnx.NodeProto]) -> list[onnx.NodeProto]:
    """Let the last real node write an output itself, where nothing else reads it."""
    kept: list[onnx.NodeProto] = []
    for node in nodes:
        writers = [other for other in kept if node.op_type == "Identity" and node.input[0] in other.output]
        readers = [other for other in nodes if node.input and node.input[0] in other.input]
        if writers and len(readers) == 1:
            writers[0].output[0] = node.output[0]
        else:
            kept.append(node)
    return kept
