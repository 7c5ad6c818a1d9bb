"""Run a model in other runtimes, and compare what they give with what fastup gives."""

from __future__ import annotations

import ctypes
import math
from typing import Any, NamedTuple

import numpy as np
import onnx

from fastup import functional
from fastup.plan import InterpolatePlan, Plan, axis_table

Array = np.ndarray[Any, Any]
# float32 coordinates move a sample by about eps * L_in; on short axes the cubic's own polynomials round by 7 eps.
_NATIVE_ERROR = 2 * 2.0**-23
_SHORTEST = 8
# A native Resize of a uint8 picture rounds other sums after each axis than torch's 16-bit weights give: on 1,400 random
# pictures of other sizes and scales at most 2 away, in at most 12 % of the pixels.
_NATIVE_PICTURE = (2, 0.15)


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


class Tolerance(NamedTuple):
    """How far a runtime's result may be from fastup's.

    Attributes
    ----------
    absolute, relative : float
        Largest difference of an item, and what it may grow by with the expected value.
    share : float
        Largest share of items that may differ at all.
    """

    absolute: float = 0.0
    relative: float = 0.0
    share: float = 1.0

    def misses(self, result: Array, expected: Array) -> int:
        """How many items are too far away, or differ though too many do."""
        unequal = ~((result == expected) | ((result != result) & (expected != expected)))
        if self.absolute == 0 or np.count_nonzero(unequal) > math.ceil(self.share * result.size):
            return int(np.count_nonzero(unequal))
        with np.errstate(invalid="ignore"):  # an infinity that the other has not is too far
            allowed = self.absolute + self.relative * np.abs(expected.astype(np.float64))
            return int(np.count_nonzero(unequal & ~(_distance(result, expected) <= allowed)))


def _distance(a: Array, b: Array) -> Array:
    if a.dtype.kind in "iu":
        # Differences of integers fit into the unsigned type, whose arithmetic is modular.
        large, small = (pick(a, b).astype(f"u{a.itemsize}") for pick in (np.maximum, np.minimum))
        return np.asarray(large - small)
    return np.abs(a.astype(np.float64) - b.astype(np.float64))


def tolerance(plan: Plan, model: onnx.ModelProto, x: Array) -> Tolerance:
    """What the rounding of `model` explains on `x`: nothing for positions and integer tables, else a bound by mode."""
    if not isinstance(plan, InterpolatePlan) or all(_copies(axis) for axis in plan.axes):
        return Tolerance()
    native = any(_weighs(node) for node in model.graph.node)
    if plan.axes[0].fixed:
        return Tolerance(_NATIVE_PICTURE[0], share=_NATIVE_PICTURE[1]) if native else Tolerance()
    largest = float(np.abs(x.astype(np.float64)).max(initial=0, where=np.isfinite(x)))
    if native:
        error = _NATIVE_ERROR * max(_SHORTEST, *plan.input_size) * 2 * largest
    else:  # a rounding per product and per sum
        error = float(np.finfo(_sums(plan)).eps) * sum(axis.taps for axis in plan.axes) * largest
    if plan.dtype.kind in "iu":
        return Tolerance(1 + math.floor(error))
    return Tolerance(error, _ulp(plan.dtype))


def _copies(axis: axis_table.Axis) -> bool:
    return axis.mode in axis_table.NEAREST or axis.whole().repetition() > 0


def _weighs(node: onnx.NodeProto) -> bool:
    """Whether a node is a Resize that computes coordinates and weights of its own."""
    modes = [attribute.s for attribute in node.attribute if attribute.name == "mode"]
    return node.op_type == "Resize" and modes != [b"nearest"]


def _sums(plan: InterpolatePlan) -> Any:
    return np.float64 if any(axis.double for axis in plan.axes) else np.float32


def _ulp(dtype: np.dtype[Any]) -> float:
    """Half precision is rounded once more, from numbers that differ a little."""
    return {"float16": 2.0**-10, "bfloat16": 2.0**-7}.get(dtype.name, 0.0)


def compare(model: onnx.ModelProto, plan: Plan, runtime: str = "onnxruntime") -> None:
    """Raise `VerificationError` unless the runtime's result on random data is fastup's, within `tolerance`."""
    x = sample(plan.input_shape, plan.dtype.newbyteorder("="))
    if plan.dtype.isnative:
        expected = functional.run(plan, x)
    else:
        expected = functional.run(plan, x.astype(plan.dtype)).astype(x.dtype)
    result = RUNTIMES[runtime](model, x)
    if result.shape != expected.shape or result.dtype != expected.dtype:
        got, wanted = f"{result.dtype}{result.shape}", f"{expected.dtype}{expected.shape}"
        raise VerificationError(f"{plan.operator}: {runtime} gives {got}, fastup {wanted}")
    if different := tolerance(plan, model, x).misses(result, expected):
        raise VerificationError(f"{plan.operator}: {runtime} differs from fastup in {different} of {result.size} items")
