"""Run a model in other runtimes, and compare what they give with what fastup gives."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx

from fastup import operators
from fastup.export.graph import UnsupportedExport
from fastup.export.tolerances import tolerance
from fastup.plan import MaxUnpoolPlan, Plan

Array = np.ndarray[Any, Any]


class VerificationError(AssertionError):
    """A runtime gives other numbers than fastup for a graph that fastup exported."""


def onnxruntime(model: onnx.ModelProto, x: Array, optimised: bool = True, others: tuple[Array, ...] = ()) -> Any:
    """The model's output in onnxruntime's CPU provider, or a list of its outputs; `others` are further inputs."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = 4  # what fails raises as well
    if not optimised:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    if x.dtype.name == "bfloat16":
        return _with_bfloat16(session, model.graph.input[0].name, x)
    return _one_or_all(session.run(None, _feeds(model, x, others)))


def _with_bfloat16(session: Any, name: str, x: Array) -> Any:
    """The output of a session that takes bfloat16, which NumPy has not, or a list of its outputs."""
    import onnxruntime as ort

    value = ort.OrtValue.ortvalue_from_numpy_with_onnx_type(np.ascontiguousarray(x), onnx.TensorProto.BFLOAT16)
    return _one_or_all([_array(result, x.dtype) for result in session.run_with_ort_values(None, {name: value})])


def _array(value: Any, bfloat16: np.dtype[Any]) -> Array:
    """The items of an OrtValue, those of bfloat16 by address."""
    if value.data_type() != "tensor(bfloat16)":
        return np.asarray(value.numpy())
    shape = tuple(value.shape())
    items = ctypes.string_at(value.data_ptr(), math.prod(shape) * bfloat16.itemsize)
    return np.frombuffer(items, bfloat16).reshape(shape)


def reference(model: onnx.ModelProto, x: Array, others: tuple[Array, ...] = ()) -> Any:
    """The model's output in ONNX's reference evaluator, or a list of its outputs; `others` are further inputs."""
    from onnx.reference import ReferenceEvaluator

    return _one_or_all(ReferenceEvaluator(model).run(None, _feeds(model, x, others)))


def _feeds(model: onnx.ModelProto, x: Array, others: tuple[Array, ...]) -> dict[str, Array]:
    return {value.name: array for value, array in zip(model.graph.input, (x, *others), strict=True)}


def _one_or_all(results: Any) -> Any:
    return results[0] if len(results) == 1 else list(results)


RUNTIMES: dict[str, Callable[..., Any]] = {"onnxruntime": onnxruntime, "reference": reference}


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
    """Raise `VerificationError` unless the runtime's results on random data are fastup's, within `tolerance`."""
    x = sample(plan.input_shape, plan.dtype.newbyteorder("="))
    if isinstance(plan, MaxUnpoolPlan):
        operands = (_positions(plan),)
    expected = operators.run(plan, x.astype(plan.dtype, copy=False), operands=operands)
    try:
        results = RUNTIMES[runtime](model, x, others=operands[: len(model.graph.input) - 1])
    except Exception as error:
        if not type(error).__module__.startswith("onnxruntime"):
            raise
        said = " ".join(str(error).split())
        raise UnsupportedExport(
            f"{plan.operator}: verify needs a graph that {runtime} can run, which says {said}"
        ) from None
    allowed = tolerance(plan, model, x, operands)
    for result, wanted in zip(_as_list(results), _as_list(expected), strict=True):
        native = wanted.dtype.newbyteorder("=")
        if result.shape != wanted.shape or result.dtype != native:
            got = f"{result.dtype}{result.shape}, fastup {native}{wanted.shape}"
            raise VerificationError(f"{plan.operator}: {runtime} gives {got}")
        if different := allowed.misses(result, wanted.astype(native, copy=False)):
            message = f"{runtime} differs from fastup in {different} of {result.size} items"
            raise VerificationError(f"{plan.operator}: {message}")


def _as_list(results: Any) -> list[Array]:
    return list(results) if isinstance(results, (list, tuple)) else [results]


def _positions(plan: MaxUnpoolPlan) -> Array:
    """Random positions, none of them twice within a plane as far as there are enough."""
    generator = np.random.default_rng(0)
    values, positions = (math.prod(plan.space(shape)) for shape in (plan.input_shape, plan.output_shape))
    planes = [
        generator.permutation(max(values, positions))[:values] % positions for _ in range(plan.batch * plan.channels)
    ]
    shape = (plan.batch, plan.channels, *plan.space(plan.input_shape))
    found = np.asarray(planes, np.int64).reshape(shape)
    moved = np.moveaxis(found, 1, -1) if plan.data_format == "channels_last" else found
    return np.ascontiguousarray(moved.reshape(plan.input_shape))


_NETWORK_ERROR = 1e-4  # of the largest value: layers sum in other orders, one after the other


def compare_layer(model: onnx.ModelProto, layer: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Raise `VerificationError` unless onnxruntime's result on random data is the layer's, within rounding."""
    x = sample(shape, dtype)
    expected, result = layer(x), onnxruntime(model, x)
    name = type(layer).__name__
    if result.shape != expected.shape or result.dtype != expected.dtype:
        got, wanted = f"{result.dtype}{result.shape}", f"{expected.dtype}{expected.shape}"
        raise VerificationError(f"{name}: onnxruntime gives {got}, fastup {wanted}")
    wide = expected.astype(np.float64)
    far = np.abs(result.astype(np.float64) - wide) > _NETWORK_ERROR * np.abs(wide).max(initial=0)
    if far.any():
        raise VerificationError(f"{name}: onnxruntime differs from fastup in {far.sum()} of {far.size} items")
