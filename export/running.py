"""Run a model in other runtimes, and compare what they give with what fastup gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx

from fastup import functional
from fastup.plan import Plan

Array = np.ndarray[Any, Any]


class VerificationError(AssertionError):
    """A runtime gives other numbers than fastup for a graph that fastup exported."""


def onnxruntime(model: onnx.ModelProto, x: Array, optimised: bool = True) -> Array:
    """The model's first output in onnxruntime's CPU provider."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = 3
    if not optimised:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, {model.graph.input[0].name: x})[0]  # type: ignore[no-any-return]


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


def compare(model: onnx.ModelProto, plan: Plan, runtime: str = "onnxruntime") -> None:
    """Raise `VerificationError` unless the runtime's result equals fastup's on random data."""
    x = sample(plan.input_shape, plan.dtype.newbyteorder("="))
    if plan.dtype.isnative:
        expected = functional.run(plan, x)
    else:
        expected = functional.run(plan, x.astype(plan.dtype)).astype(x.dtype)
    result = RUNTIMES[runtime](model, x)
    if result.shape != expected.shape or result.dtype != expected.dtype:
        got, wanted = f"{result.dtype}{result.shape}", f"{expected.dtype}{expected.shape}"
        raise VerificationError(f"{plan.operator}: {runtime} gives {got}, fastup {wanted}")
    different = int(np.count_nonzero(result != expected))
    if different:
        raise VerificationError(f"{plan.operator}: {runtime} differs from fastup in {different} of {result.size} items")
