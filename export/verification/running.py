"""One node in each runtime: a model of its own, its first input fed, the others constant."""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from fastup.export import backend
from fastup.export.verification.finding import Found

Array = np.ndarray[Any, Any]


def model_of(found: Found, opsets: Any, ir_version: int) -> onnx.ModelProto:
    """The node, or the three nodes, alone."""
    first, last = found.nodes[0], found.nodes[-1]
    data = first.input[0]
    fixed = {name: one for name, one in zip(first.input, found.inputs, strict=True) if name and name != data}
    extra = [name for node in found.nodes[1:] for name in node.input[1:] if name]
    initial = [numpy_helper.from_array(np.asarray(one), name) for name, one in fixed.items() if one is not None]
    shape = found.outputs[0].shape
    if extra:  # what the last Reshape is to give
        initial.append(numpy_helper.from_array(np.array(shape, np.int64), extra[-1]))
    x = np.asarray(found.inputs[0])
    value = helper.make_tensor_value_info(data, helper.np_dtype_to_tensor_dtype(x.dtype), x.shape)
    names = [name for name in last.output if name]
    outputs = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(one.dtype), one.shape)
        for name, one in zip(names, found.outputs, strict=True)
    ]
    graph = helper.make_graph(found.nodes, found.name, [value], outputs, initial)
    return helper.make_model(graph, opset_imports=opsets, ir_version=ir_version)


def _onnxruntime(model: onnx.ModelProto, x: Array, optimised: bool) -> list[Array]:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = 4
    if not optimised:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return list(session.run(None, {model.graph.input[0].name: x}))


def _reference(model: onnx.ModelProto, x: Array) -> list[Array]:
    from onnx.reference import ReferenceEvaluator

    results: Any = ReferenceEvaluator(model).run(None, {model.graph.input[0].name: x})
    return list(results)


def _fastup(model: onnx.ModelProto, x: Array) -> list[Array]:
    return list(backend.prepare(model, follow="runtimes").run([x]))


def _openvino(model: onnx.ModelProto, x: Array) -> list[Array]:
    import openvino as ov

    core = ov.Core()
    hints = {"INFERENCE_PRECISION_HINT": "f32"}  # its default may be bfloat16
    compiled = core.compile_model(core.read_model(model.SerializeToString()), "CPU", hints)
    results = compiled(x)
    return [np.array(results[k]) for k in range(len(compiled.outputs))]


def runtimes() -> dict[str, Callable[[onnx.ModelProto, Array], list[Array]]]:
    """Every runtime that is installed, fastup first."""
    found: dict[str, Callable[[onnx.ModelProto, Array], list[Array]]] = {
        "fastup": _fastup,
        "onnxruntime": functools.partial(_onnxruntime, optimised=True),
        "onnxruntime, not optimised": functools.partial(_onnxruntime, optimised=False),
        "reference": _reference,
    }
    if importlib.util.find_spec("openvino") is not None:
        found["openvino"] = _openvino
    return found
