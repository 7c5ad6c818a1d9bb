"""OpenCV's networks (``cv2.dnn``)."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence

import numpy as np
import onnx

from fastup.export.runtimes.runtime import Array, Node, Runtime, Session, aspect_policy, set_attributes


class OpenCv(Runtime):
    """A network, read from memory."""

    name, package = "opencv", "cv2"
    decides = timed = False

    def version(self) -> str:
        """Of the wheel that is installed: there are four."""
        return importlib.metadata.version(importlib.metadata.packages_distributions()["cv2"][0])

    def prepare(self, model: onnx.ModelProto, threads: int | None = None) -> Session:
        """The network."""
        import cv2

        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # what fails raises as well
        net = cv2.dnn.readNetFromONNX(np.frombuffer(model.SerializeToString(), np.uint8))
        names = [value.name for value in model.graph.input]
        outputs = [value.name for value in model.graph.output]

        def run(inputs: list[Array]) -> list[Array]:
            for name, value in zip(names, inputs, strict=False):
                net.setInput(np.ascontiguousarray(value), name)
            return [np.array(one) for one in net.forward(outputs)]

        return Session(run)

    def left_out(self, node: Node) -> Sequence[str]:
        """Antialiasing, a coordinate rule (taken for asymmetric), and what sizes a transposed convolution."""
        if node.op_type == "Resize":
            rule = node.attributes.get("coordinate_transformation_mode")
            return [
                *set_attributes(node, "antialias"),
                *aspect_policy(node),
                *([rule] if rule == "half_pixel_symmetric" else []),
            ]
        if node.op_type == "ConvTranspose":
            automatic = node.attributes.get("auto_pad", "NOTSET").startswith("SAME")
            return [*set_attributes(node, "output_shape"), *(["auto_pad"] if automatic else [])]
        return ()


RUNTIMES = (OpenCv(),)
