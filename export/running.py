"""Run a model in other runtimes, and compare what they give with what fastup gives."""

from __future__ import annotations

import ctypes
import math
from typing import Any

import numpy as np
import onnx

from fastup import functional
from fastup.export.tolerances import tolerance
from fastup.plan import Plan

Array = np.ndarray[Any, Any]


class VerificationError(AssertionError):
    """A runtime gives other numbers than fastup for a graph that fastup exported."""


def onnxruntime(model: onnx.ModelProto, x: Array, optimised: bool = True) -> Array:
    """The model's first output in onnxruntime's CPU provider."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = 4  # what fails raises as well
    if not optimised:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    if x.dtype.name == "bfloat16":
        return _with_bfloat16(session, model.graph.input[0].name, x)
    return session.run(None, {model.graph.input[0].name: x})[0]  # type: ignore[no-any-return]


def _with_bfloat16(session: Any, name: str, x: Array) -> Array:
    """The first output of a session that takes and gives bfloat16, which NumPy has not: by address."""
    import onnxruntime as ort

    value = ort.OrtValue.ortvalue_from_numpy_with_onnx_type(np.ascontiguousarray(x), onnx.TensorProto.BFLOAT16)
    (result,) = session.run_with_ort_values(None, {name: value})
    shape = tuple(result.shape())
    items = ctypes.string_at(result.data_ptr(), math.prod(shape) * x.itemsize)
    return np.frombuffer(items, x.dtype).reshape(shape)


def reference(model: onnx.ModelProto, x: Array) -> Array:
    """The model's first output in ONNX's reference evaluator."""
    from onnx.reference import ReferenceEvaluator

    results: Any = ReferenceEvaluator(model).run(None, {model.graph.input[0].name: x})
    return results[0]  # type: ignore[no-any-return]


RUNTIMES = {"onnxruntime": onnxruntime, "reference": reference}


def sample(shape: tuple[int, ...], dtype: np.dtype[Any], seed: int = 0) -> Array:
    """Random values that differ from each other as far as the dtype allows."""
    generator = np.random.default_rng(seed)
    if dtype.kind in "fcV":  # V: ml_dtypes
        return generator.standard_normal(shape).astype(dtype)
    if dtype.kind == "b":
        return generator.integers(0, 2, shape).astype(bool)
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return generator.integers(limits.min, limits.max, shape, dtype, endpoint=True)
    return generator.integers(0, 256, (*shape, dtype.itemsize), np.uint8).view(dtype)[..., 0]


def compare(model: onnx.ModelProto, plan: Plan, runtime: str = "onnxruntime", operands: tuple[Any, ...] = ()) -> None:
    """Raise `VerificationError` unless the runtime's result on random data is fastup's, within `tolerance`."""
    x = sample(plan.input_shape, plan.dtype.newbyteorder("="))
    if plan.dtype.isnative:
        expected = functional.run(plan, x, operands=operands)
    else:
        expected = functional.run(plan, x.astype(plan.dtype), operands=operands).astype(x.dtype)
    result = RUNTIMES[runtime](model, x)
    if result.shape != expected.shape or result.dtype != expected.dtype:
        got, wanted = f"{result.dtype}{result.shape}", f"{expected.dtype}{expected.shape}"
        raise VerificationError(f"{plan.operator}: {runtime} gives {got}, fastup {wanted}")
    if different := tolerance(plan, model, x, operands).misses(result, expected):
        raise VerificationError(f"{plan.operator}: {runtime} differs from fastup in {different} of {result.size} items")
