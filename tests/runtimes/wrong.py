"""A runtime for tests: the reference with an error of 1 in the first item, as an adapter may stand in the folder."""

from __future__ import annotations

import numpy as np
import onnx

from fastup.export.runtimes.reference import evaluate
from fastup.export.runtimes.runtime import Array, Node, Reason, Runtime, Session
from fastup.export.tolerances import Tolerance


class Wrong(Runtime):
    """It says of itself that its sums are that far off, and which pixel of a nearest Resize is another."""

    name, package = "wrong", "onnx"
    apart = False  # another process would not find this file

    def prepare(self, model: onnx.ModelProto, threads: int | None = None) -> Session:
        """The model in the evaluator."""
        inner = evaluate(model)

        def run(inputs: list[Array]) -> list[Array]:
            results = [np.array(output) for output in inner(inputs)]
            results[0].flat[0] += 1
            return results

        return Session(run)

    def tolerance(self, allowed: Tolerance) -> Tolerance:
        """The error, where there are sums."""
        return allowed._replace(absolute=allowed.absolute + 1.001) if allowed.absolute else allowed

    def known(self, node: Node) -> Reason | None:
        """The pixel."""
        nearest = node.op_type == "Resize" and node.attributes.get("mode", "nearest") == "nearest"
        return ("its first item is off by one", "another item") if nearest else None


RUNTIMES = (Wrong(),)
