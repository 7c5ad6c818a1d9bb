"""The upsampling of a model in a few lines: each node in torch's words, its sizes, and its share of the work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from fastup.export.verification.known_differences import tolerance_of
from fastup.export.verification.loading import inputs_for, load, opset_of
from fastup.export.verification.model import find
from fastup.export.verification.sizes import Cost, sizes_of
from fastup.export.verification.torch_equivalent import called_as, meaning


class Line(NamedTuple):
    """One node.

    Attributes
    ----------
    name, op_type, words : str
    input_shape, output_shape : tuple of int
    dtype : str
    products, bytes : float
        Its share of what all nodes of the model multiply, and of what they read and write, from 0 to 1.
    """

    name: str
    op_type: str
    words: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    dtype: str
    products: float
    bytes: float


class Shown(NamedTuple):
    """A model.

    Attributes
    ----------
    lines : list of Line
    chosen : list of str
        Dimensions that the model leaves open, and what was taken.
    nodes : int
        How many the model has.
    products, bytes : int
        Of all of them, as far as their shapes are known.
    """

    lines: list[Line]
    chosen: list[str]
    nodes: int
    products: int
    bytes: int


def show(model: Any, inputs: Any = None, *, shapes: Mapping[str, Sequence[int]] | None = None) -> Shown:
    """List the upsampling nodes of a model, which runs once in onnxruntime for it.

    Parameters
    ----------
    model : path or onnx.ModelProto
    inputs, shapes
        As in `verify`.

    Returns
    -------
    Shown

    Raises
    ------
    ModelError, FileNotFoundError, TypeError, ValueError
        As `verify` does.

    Examples
    --------
    >>> import fastup.export
    >>> model = fastup.export.interpolate((1, 3, 8, 8), scale_factor=2, lowering="native")
    >>> [(line.words, line.output_shape) for line in fastup.export.show(model).lines]
    [("interpolate(size=(16, 16), mode='nearest')", (1, 3, 16, 16))]
    """
    proto = load(model)
    feeds, chosen = inputs_for(proto, inputs, shapes)
    opset = opset_of(proto)
    sizes = sizes_of(proto, feeds)
    whole = sum((sizes.cost(node) for node in proto.graph.node), Cost(0, 0))
    lines = []
    for found in find(proto, feeds):
        called = called_as(meaning(found, opset), found.outputs[0], tolerance_of(found)[0])
        cost = sum((sizes.cost(node) for node in found.nodes), Cost(0, 0))
        x, y = found.inputs[0], found.outputs[0]
        assert x is not None
        lines.append(
            Line(
                found.name, found.op_type, called.words, x.shape, y.shape, x.dtype.name,
                cost.products / max(1, whole.products), cost.bytes / max(1, whole.bytes),
            )
        )  # fmt: skip
    return Shown(lines, chosen, len(proto.graph.node), whole.products, whole.bytes)
