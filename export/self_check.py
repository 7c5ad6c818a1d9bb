"""What ``verify=True`` does: an exported model in another runtime, on random data, against fastup."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import onnx

from fastup import operators
from fastup.export import runtimes
from fastup.export.graph import UnsupportedExport
from fastup.export.tolerances import Ties, Tolerance, largest, tolerance
from fastup.plan import MaxUnpoolPlan, Plan

Array = np.ndarray[Any, Any]


class VerificationError(AssertionError):
    """A runtime gives other numbers than fastup for a graph that fastup exported."""


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
        results = runtimes.run(runtime, model, x, *operands[: len(model.graph.input) - 1])
    except Exception as error:
        if not type(error).__module__.startswith("onnxruntime"):
            raise
        said = " ".join(str(error).split())
        raise UnsupportedExport(
            f"{plan.operator}: verify needs a graph that {runtime} can run, which says {said}"
        ) from None
    allowed = tolerance(plan, model, x, operands)
    for result, wanted in zip(_as_list(results), _as_list(expected), strict=True):
        native = wanted.astype(wanted.dtype.newbyteorder("="), copy=False)
        _refuse_others(f"{plan.operator}: {runtime}", result, native, allowed)


def _refuse_others(who: str, result: Array, expected: Array, allowed: Tolerance | Ties) -> None:
    if result.shape != expected.shape or result.dtype != expected.dtype:
        got, wanted = f"{result.dtype}{result.shape}", f"{expected.dtype}{expected.shape}"
        raise VerificationError(f"{who} gives {got}, fastup {wanted}")
    if different := allowed.misses(result, expected):
        raise VerificationError(f"{who} differs from fastup in {different} of {result.size} items")


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
    expected, result = layer(x), runtimes.run("onnxruntime", model, x)
    allowed = Tolerance(_NETWORK_ERROR * largest(expected))
    _refuse_others(f"{type(layer).__name__}: onnxruntime", result, expected, allowed)
