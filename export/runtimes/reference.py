"""ONNX's reference evaluator, and what it is known to compute wrongly."""

from __future__ import annotations

from typing import Any

import onnx

from fastup.export.runtimes.runtime import Array, Node, Reason, Runtime, Session


class Reference(Runtime):
    """The definition of each operator, in NumPy."""

    name, package, timed = "reference", "onnx", False

    def prepare(self, model: onnx.ModelProto, threads: int | None = None) -> Session:
        """The model in the evaluator."""
        return Session(evaluate(model))

    def known(self, node: Node) -> Reason | None:
        """Why the evaluator is known to differ on a node."""
        if node.op_type == "MaxUnpool" and len(node.inputs) > 2:
            return "output_shape: the reference counts indices in the size that the windows give", "ScatterElements"
        return None

    def mistaken(self, node: Node) -> str | None:
        """What the evaluator is known to compute wrongly."""
        if node.op_type == "ConvTranspose" and node.attributes.get("group", 1) > 1:
            return "the reference takes the first group's bias for all groups"
        if node.op_type == "MaxPool" and set(node.attributes.get("strides", [1])) == {1}:
            return "the reference gives wrong indices for stride 1"
        return None


def evaluate(model: onnx.ModelProto, **options: Any) -> Any:
    """A function from inputs, in order or by name, to all outputs."""
    from onnx.reference import ReferenceEvaluator

    evaluator = ReferenceEvaluator(model, **options)
    names = [value.name for value in model.graph.input]

    def run(inputs: list[Array] | dict[str, Array]) -> list[Any]:
        fed = inputs if isinstance(inputs, dict) else dict(zip(names, inputs, strict=True))
        return list(evaluator.run(None, fed))

    return run


RUNTIMES = (Reference(),)
