"""How far another runtime's numbers may be from fastup's, and why."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import onnx

from fastup import operators
from fastup.plan import ConvPlan, InterpolatePlan, Plan, ResizePlan, SegmentationPlan
from fastup.plan.conventions.spline_steps import Smoothed, Splined
from fastup.plan.sampling.axis import MOST_ADDED, Axis
from fastup.plan.sampling.table import repetition

Array = np.ndarray[Any, Any]
# float32 coordinates move a sample by about eps * L_in; on short axes the cubic's own polynomials round by 7 eps.
_NATIVE_ERROR = 2 * 2.0**-23
_SHORTEST = 8
# A native Resize of a uint8 picture rounds other sums after each axis than torch's 16-bit weights give: on 1,400 random
# pictures of other sizes and scales at most 2 away, in at most 12 % of the pixels.
_NATIVE_PICTURE = (2, 0.15)
_SPLINE_HALVES = 1e-3  # the share of integers that a rounding of float64 moves over a half
_SPLINE_ROUNDINGS = 64  # of a filter of order 5, whose weights sum to 20 in magnitude


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


def tolerance(plan: Plan, model: onnx.ModelProto, x: Array, operands: tuple[Any, ...] = ()) -> Tolerance | Ties:
    """What the rounding of `model` explains on `x`: nothing for positions and integer tables, else a bound by mode."""
    if isinstance(plan, SegmentationPlan):
        return _of_labels(plan, model, x)
    return _of_items(plan, model, x, operands)


def _of_items(plan: Plan, model: onnx.ModelProto, x: Array, operands: tuple[Any, ...]) -> Tolerance:
    if isinstance(plan, ConvPlan):
        eps = float(np.finfo(np.float64 if plan.dtype.itemsize == 8 else np.float32).eps)
        return of_sums(x, operands[0], 1 if plan.kind == "conv_transpose" else 0, eps)
    if isinstance(plan, ResizePlan):
        return _of_steps(plan, model, x)
    if not isinstance(plan, InterpolatePlan) or _keeps_bits(plan) or all(_copies(axis) for axis in plan.axes):
        return Tolerance()
    native = any(_weighs(node) for node in model.graph.node)
    if plan.axes[0].fixed:
        return Tolerance(_NATIVE_PICTURE[0], share=_NATIVE_PICTURE[1]) if native else Tolerance()
    if _has_exact_means(plan):
        rounding = float(np.finfo(np.float64 if plan.dtype.itemsize == 8 else np.float32).eps)
        return Tolerance(0.0 if plan.dtype.kind in "iu" else 2 * rounding * largest(x), ulp_of_half(plan.dtype))
    if native:
        error = error_of_resize(x, plan.input_size)
    else:  # a rounding per product and per sum
        error = float(np.finfo(_sums(plan)).eps) * sum(axis.taps for axis in plan.axes) * largest(x)
    if plan.dtype.kind in "iu":
        return Tolerance(1 + math.floor(error))
    return Tolerance(error, ulp_of_half(plan.dtype))


def _keeps_bits(plan: InterpolatePlan) -> bool:
    """Whether a library's rule says how sums are rounded, or that they are whole numbers."""
    rules = [axis.rule for axis in plan.axes if axis.rule is not None]
    return bool(rules) and all(rule.copies or rule.in_steps or rule.bits for rule in rules)


def _of_steps(plan: ResizePlan, model: onnx.ModelProto, x: Array) -> Tolerance:
    """That of the steps whose sums no rule fixes."""
    if any(isinstance(step, (Splined, Smoothed)) for step in plan.steps):
        return _of_splines(plan.outputs[0][1], x)
    free = [step for step in plan.steps if isinstance(step, InterpolatePlan) and not _keeps_bits(step)]
    return _of_items(free[0], model, x, ()) if free else Tolerance()


def _of_splines(dtype: np.dtype[Any], x: Array) -> Tolerance:
    """Filters along whole axes as sums in another order: in float64, and then of the result's dtype."""
    error = _SPLINE_ROUNDINGS * float(np.finfo(np.float64).eps) * largest(x)
    if dtype.kind in "iu":
        return Tolerance(1 + math.floor(error), share=_SPLINE_HALVES if error < _SPLINE_HALVES else 1.0)
    return Tolerance(error if dtype.itemsize == 8 else error + float(np.finfo(np.float32).eps) * largest(x))


def error_of_resize(x: Array, lengths: Sequence[int]) -> float:
    """How far the float32 coordinates of a native Resize along axes of these lengths may bring an item."""
    return _NATIVE_ERROR * max(_SHORTEST, *lengths) * 2 * largest(x)


def largest(x: Array) -> float:
    """The largest magnitude of what is finite."""
    if x.dtype.kind not in "fiu":
        return float(np.abs(x.astype(np.float64)).max(initial=0, where=np.isfinite(x)))
    low, high = (pick(x, initial=0, where=np.isfinite(x)) for pick in (np.min, np.max))
    return max(float(high), -float(low))


def _has_exact_means(plan: InterpolatePlan) -> bool:
    """Whether the graph adds in float64: means of integers below 2**53, and of many items."""
    axes = [axis for axis in plan.axes if not axis.copies]
    if not all(axis.filter.averages for axis in axes) or (plan.dtype.kind in "iu" and plan.dtype.itemsize == 8):
        return False
    return plan.dtype.kind in "iu" or math.prod(axis.taps for axis in axes) > MOST_ADDED


class Ties(NamedTuple):
    """How far labels and masks may be apart: as far as the rounding of the upsampled logits can decide.

    Attributes
    ----------
    plan : SegmentationPlan
        Of the call.
    logits : array
        The upsampled logits, classes second.
    error : float
        How far each of them may be off.
    """

    plan: SegmentationPlan
    logits: Array
    error: float

    def misses(self, result: Array, expected: Array) -> int:
        """How many items differ though no rounding explains it."""
        if result.dtype.kind not in "iub":  # exponentials, whose arguments are off by twice the error
            eps = float(np.finfo(np.float32).eps) if result.dtype.itemsize >= 4 else 2.0**-7
            return Tolerance(4 * self.error + eps * (4 + self.plan.classes)).misses(result, expected)
        if result.dtype.kind == "b":
            near = np.abs(self.logits - self.plan.limit) <= self.error
            return int(np.count_nonzero((result != expected) & ~near))
        best, chosen = (np.take_along_axis(self.logits, one[:, None].astype(np.int64), 1) for one in (expected, result))
        return int(np.count_nonzero(best - chosen > 2 * self.error))


def _of_labels(plan: SegmentationPlan, model: onnx.ModelProto, x: Array) -> Ties:
    """What the rounding of the interpolation can decide."""
    if plan.reduces and plan.data_format == "channels_last":
        x = np.moveaxis(x, -1, 1)
    logits = operators.run(plan.resize, x).astype(np.float64)  # whose differences no dtype wraps
    return Ties(plan, logits, _of_items(plan.resize, model, x, ()).absolute)


def _copies(axis: Axis) -> bool:
    return axis.filter.copies or repetition(axis.whole()) > 0


def _weighs(node: onnx.NodeProto) -> bool:
    """Whether a node is a Resize that computes coordinates and weights of its own."""
    modes = [attribute.s for attribute in node.attribute if attribute.name == "mode"]
    return node.op_type == "Resize" and modes != [b"nearest"]


def _sums(plan: InterpolatePlan) -> Any:
    return np.float64 if any(axis.double for axis in plan.axes) else np.float32


def ulp_of_half(dtype: np.dtype[Any]) -> float:
    """Half precision is rounded once more, from numbers that differ a little."""
    return {"float16": 2.0**-10, "bfloat16": 2.0**-7}.get(dtype.name, 0.0)


def of_sums(x: Array, weight: Array, outputs: int, eps: float) -> Tolerance:
    """Sums of n products in another order: sqrt(n) roundings of the largest sum of magnitudes there can be.

    `outputs` is the weight's axis of output channels.
    """
    rows = np.abs(np.moveaxis(weight.astype(np.float64), outputs, 0)).reshape(weight.shape[outputs], -1)
    error = 2 * eps * math.sqrt(rows.shape[1]) * largest(x) * float(rows.sum(axis=1).max(initial=0))
    return Tolerance(error, ulp_of_half(x.dtype))
