"""OpenVINO on the CPU, in float32: its default may be bfloat16."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx

from fastup.export.runtimes.runtime import Array, Node, Runtime, Session, aspect_policy, set_attributes


class OpenVino(Runtime):
    """A compiled model, whose tensors may share memory with arrays."""

    name, package = "openvino", "openvino"
    decides = False  # it has other kernels, and other numbers, on other processors

    def prepare(self, model: onnx.ModelProto, threads: int | None = None) -> Session:
        """The compiled model."""
        import openvino as ov

        core = ov.Core()
        hints: dict[str, Any] = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
        if threads:
            hints["INFERENCE_NUM_THREADS"] = threads
        compiled = core.compile_model(core.read_model(model.SerializeToString()), "CPU", hints)

        def run(inputs: list[Array]) -> list[Array]:
            results = compiled(inputs)
            return [np.array(results[k]) for k in range(len(compiled.outputs))]

        def bind(x: Array, target: Array) -> Callable[[], Any]:
            request = compiled.create_infer_request()
            request.set_input_tensor(ov.Tensor(x, shared_memory=True))
            request.set_output_tensor(ov.Tensor(target, shared_memory=True))
            return lambda: request.infer()

        return Session(run, bind)

    def left_out(self, node: Node) -> Sequence[str]:
        """Antialiasing, of which OpenVINO's front end knows nothing."""
        return (
            [*set_attributes(node, "antialias", "exclude_outside"), *aspect_policy(node)]
            if node.op_type == "Resize"
            else ()
        )


RUNTIMES = (OpenVino(),)
