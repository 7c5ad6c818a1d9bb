"""What the nodes of a model cost: products, and bytes that are read and written, by the shapes that are known."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import onnx

from fastup.export.runtimes.runtime import attributes_of

Shape = tuple[int, ...]


class Cost(NamedTuple):
    """Multiplications, and bytes of what a node takes and gives."""

    products: int
    bytes: int

    def __add__(self, other: object) -> Cost:
        assert isinstance(other, Cost)
        return Cost(self.products + other.products, self.bytes + other.bytes)


class Sizes(NamedTuple):
    """Shapes and bytes of an item by name, as far as they are known."""

    shapes: Mapping[str, Shape]
    items: Mapping[str, int]

    def bytes(self, names: Sequence[str]) -> int:
        """Of tensors whose shapes are known."""
        return sum(math.prod(self.shapes[name]) * self.items[name] for name in names if name in self.shapes)

    def cost(self, node: onnx.NodeProto) -> Cost:
        """Of one node."""
        return Cost(self._products(node), self.bytes([*node.input, *node.output]))

    def _products(self, node: onnx.NodeProto) -> int:
        x, weight, y = (self.shapes.get(next(iter(names), "")) for names in (node.input, node.input[1:], node.output))
        if x is None or y is None:
            return 0
        given = attributes_of(node)
        if node.op_type == "Conv" and weight:
            return math.prod(y) * math.prod(weight[1:])
        if node.op_type == "ConvTranspose" and weight:
            return math.prod(x) * math.prod(weight[1:])
        if node.op_type in ("MatMul", "Gemm") and x:
            return math.prod(y) * (x[0] if given.get("transA") else x[-1])
        if node.op_type in ("Resize", "Upsample"):
            taps = {"linear": 2, "cubic": 4}.get(str(given.get("mode", "nearest")), 0)
            resized = sum(before != after for before, after in zip(x, y, strict=False))
            return math.prod(y) * taps**resized if taps else 0
        return 0


def sizes_of(model: onnx.ModelProto, feeds: Mapping[str, np.ndarray]) -> Sizes:
    """By ONNX's own inference, from the inputs that the model is run on."""
    known = onnx.ModelProto()
    known.CopyFrom(model)
    for value in known.graph.input:
        if value.name in feeds and value.type.HasField("tensor_type"):
            dims = value.type.tensor_type.shape.dim
            del dims[:]
            for extent in feeds[value.name].shape:
                dims.add().dim_value = extent
    for value in known.graph.output:
        value.type.tensor_type.ClearField("shape")
    inferred = onnx.shape_inference.infer_shapes(known, data_prop=True)
    shapes: dict[str, Shape] = {one.name: tuple(one.dims) for one in inferred.graph.initializer}
    kinds = {one.name: one.data_type for one in inferred.graph.initializer}
    for value in (*inferred.graph.input, *inferred.graph.value_info, *inferred.graph.output):
        kind = value.type.tensor_type
        if kind.HasField("shape") and all(dim.HasField("dim_value") for dim in kind.shape.dim):
            shapes[value.name] = tuple(dim.dim_value for dim in kind.shape.dim)
            kinds[value.name] = kind.elem_type
    items = {name: _item(kind) for name, kind in kinds.items()}
    return Sizes({name: shape for name, shape in shapes.items() if items[name]}, items)


def _item(kind: int) -> int:
    try:
        return onnx.helper.tensor_dtype_to_np_dtype(kind).itemsize
    except KeyError:
        return 0
