"""OpenCV's networks (``cv2.dnn``)."""

from __future__ import annotations

import importlib.metadata

import numpy as np
import onnx

from fastup.export.runtimes.runtime import Array, Runtime, Session


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


RUNTIMES = (OpenCv(),)
