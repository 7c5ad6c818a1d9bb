"""onnxruntime's provider for the CPU, its graphs optimised and as they are."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx

from fastup.export.runtimes.runtime import Array, Runtime, Session


class OnnxRuntime(Runtime):
    """Sessions whose idle threads sleep: spinning ones take a core from whatever runs next."""

    package = "onnxruntime"

    def __init__(self, name: str, optimised: bool) -> None:
        self.name, self.timed, self._optimised = name, optimised, optimised

    def prepare(self, model: onnx.ModelProto, threads: int | None = None) -> Session:
        """A session."""
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.log_severity_level = 4  # what fails raises as well
        options.intra_op_num_threads = threads or 0
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if not self._optimised:
            options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        names = [value.name for value in session.get_inputs()]

        def run(inputs: list[Array]) -> list[Array]:
            if inputs[0].dtype.name == "bfloat16":
                return _with_bfloat16(session, names[0], inputs[0])
            return list(session.run(None, dict(zip(names, inputs, strict=True))))

        return Session(run, lambda x, target: _bound(session, names[0], x, target))


def _bound(session: Any, name: str, x: Array, target: Array) -> Callable[[], Any]:
    import onnxruntime as ort

    binding = session.io_binding()
    binding.bind_ortvalue_input(name, ort.OrtValue.ortvalue_from_numpy(x))
    output = session.get_outputs()[0].name
    binding.bind_output(output, "cpu", 0, target.dtype, target.shape, target.ctypes.data)
    return lambda: session.run_with_iobinding(binding)


def _with_bfloat16(session: Any, name: str, x: Array) -> list[Array]:
    """The outputs of a session that takes bfloat16, which NumPy has not."""
    import onnxruntime as ort

    value = ort.OrtValue.ortvalue_from_numpy_with_onnx_type(np.ascontiguousarray(x), onnx.TensorProto.BFLOAT16)
    return [_array(result, x.dtype) for result in session.run_with_ort_values(None, {name: value})]


def _array(value: Any, bfloat16: np.dtype[Any]) -> Array:
    """The items of an OrtValue, those of bfloat16 by address."""
    if value.data_type() != "tensor(bfloat16)":
        return np.asarray(value.numpy())
    shape = tuple(value.shape())
    items = ctypes.string_at(value.data_ptr(), math.prod(shape) * bfloat16.itemsize)
    return np.frombuffer(items, bfloat16).reshape(shape)


RUNTIMES = (OnnxRuntime("onnxruntime", True), OnnxRuntime("onnxruntime, not optimised", False))
