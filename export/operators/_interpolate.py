"""Interpolation: Resize where it picks the same pixels, else Gather with the plan's own positions.

A native Resize computes coordinates in another order of roundings and picks another pixel in 267 of 8,192 size pairs;
whole factors up to 32 are exact in onnxruntime, in the reference evaluator and in torch's own rule (checked to
4 million outputs an axis). With symbolic sizes the graph computes the positions itself, in the plan's precision.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastup.export.graph import Dim, Graph, UnsupportedExport, Value
from fastup.plan import InterpolatePlan, axis_table

# fastup's mode -> attributes of Resize. half_pixel is torch's rule; round_prefer_ceil is floor(x + 0.5).
_ATTRIBUTES: dict[str, dict[str, Any]] = {
    "nearest": {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
    "nearest-exact": {
        "mode": "nearest",
        "coordinate_transformation_mode": "half_pixel",
        "nearest_mode": "round_prefer_ceil",
    },
}
# onnxruntime's CPU has Resize kernels for these (float16 runs through float32).
_RUNS = {np.dtype(t) for t in (np.float16, np.float32, np.int8, np.uint8, np.int32)}
_LARGEST_EXACT_FACTOR = 32
_ROUNDINGS = {"floor": "Floor", "round": "Round", "ceil": "Ceil"}


class Request(NamedTuple):
    """What a plan does not keep, and symbolic sizes need: how the output size was asked for."""

    scale_factor: tuple[float, ...] | None = None
    rounding: str = "floor"


def append(graph: Graph, x: Value, plan: InterpolatePlan, lowering: str, request: Request) -> Value:
    """Append the interpolation to the graph; any dimension of `x` may be symbolic."""
    factors = [_factor(x, plan, request, axis) for axis in range(len(plan.size))]
    exact = all(0 < factor <= _LARGEST_EXACT_FACTOR for factor in factors)
    if lowering == "auto":
        lowering = "native" if exact and plan.dtype in _RUNS else "portable"
    if lowering == "portable":
        return _gather(graph, x, plan, request)
    return _resize(graph, x, plan, request, factors if exact else None)


def _factor(x: Value, plan: InterpolatePlan, request: Request, axis: int) -> int:
    """How often each position of an axis is repeated, if that is all that happens to it; else 0."""
    if isinstance(x.shape[plan.spatial_axes[axis]], str):
        factor = request.scale_factor[axis] if request.scale_factor else 0.5
        return int(factor) if factor.is_integer() else 0
    return axis_table.repetition(plan.indices[axis], plan.input_size[axis])


def _resize(graph: Graph, x: Value, plan: InterpolatePlan, request: Request, factors: list[int] | None) -> Value:
    """One Resize: by `scales` where a scale factor sets the coordinates, else by `sizes`."""
    scales: list[float] | None = None
    if factors is not None:
        scales = [float(factor) for factor in factors]
    elif plan.scale_factor is not None:
        scales = [_scale(x.shape[axis], plan, k, request.rounding) for k, axis in enumerate(plan.spatial_axes)]
    absent = None if graph.opset >= 13 else graph.const([], np.float32)
    attributes = _ATTRIBUTES[plan.mode] | {"shape": _result(x, plan, request)}
    if scales is not None:
        spread = dict(zip(plan.spatial_axes, scales, strict=True))
        values = graph.const([spread.get(axis, 1.0) for axis in range(len(x.shape))], np.float32)
        return graph.op("Resize", x, absent, values, **attributes)
    return graph.op("Resize", x, absent, absent, _sizes(graph, x, plan, request), **attributes)


def _scale(dim: Dim, plan: InterpolatePlan, k: int, rounding: str) -> float:
    """A float32 scale from which onnxruntime (float32) and the reference (float64) both floor to the plan's size."""
    factor = np.float32(plan.scale_factor[k]) if plan.scale_factor else np.float32(0)
    if isinstance(dim, str) and rounding != "floor":
        raise UnsupportedExport(
            f"interpolate: lowering='native' takes the floor of symbolic sizes, not rounding={rounding!r};"
            " lowering='portable' exports this call"
        )
    if isinstance(dim, str):
        return float(factor)
    for candidate in (factor, np.nextafter(factor, np.float32(np.inf)), np.nextafter(factor, np.float32(0))):
        if int(np.float32(dim) * candidate) == int(dim * float(candidate)) == plan.size[k]:
            return float(candidate)
    raise UnsupportedExport(
        f"interpolate: lowering='native' has no scale that turns {dim} into {plan.size[k]};"
        " lowering='portable' exports this call"
    )


def _sizes(graph: Graph, x: Value, plan: InterpolatePlan, request: Request) -> Value:
    symbolic = [isinstance(dim, str) for dim in x.shape]
    if not any(symbolic):
        return graph.const(plan.output_shape)
    if request.scale_factor is not None and any(symbolic[axis] for axis in plan.spatial_axes):
        raise UnsupportedExport(
            "interpolate: lowering='native' cannot recompute the scale factor of symbolic sizes;"
            " lowering='portable' exports this call"
        )
    known = dict(zip(plan.spatial_axes, plan.size, strict=True))
    parts = [graph.const([known[axis]]) if axis in known else graph.extent(x, axis) for axis in range(len(x.shape))]
    return graph.op("Concat", *parts, shape=(len(parts),), dtype=np.int64, axis=0)


def _gather(graph: Graph, x: Value, plan: InterpolatePlan, request: Request) -> Value:
    """One Gather per axis that changes."""
    y, result = x, _result(x, plan, request)
    for k, axis in enumerate(plan.spatial_axes):
        if isinstance(x.shape[axis], str):
            index = _computed_index(graph, x, plan, request, k)
        elif np.array_equal(plan.indices[k], np.arange(plan.input_size[k])):
            continue
        else:
            index = graph.const(plan.indices[k])
        shape = (*y.shape[:axis], result[axis], *y.shape[axis + 1 :])
        y = graph.op("Gather", y, index, shape=shape, axis=axis)
    return y


def _computed_index(graph: Graph, x: Value, plan: InterpolatePlan, request: Request, k: int) -> Value:
    """`axis_table.nearest` as nodes, rounding for rounding."""
    precision = axis_table.precision_of(plan.dtype)
    extent = graph.extent(x, plan.spatial_axes[k])
    outputs, scale = _computed_scale(graph, extent, plan, request, k, precision)
    zero, one = graph.const(0), graph.const(1)
    count = graph.op("Reshape", outputs, graph.const([]), shape=())
    numbers = graph.op("Range", zero, count, one, shape=("outputs",))
    position = graph.cast(numbers, precision)
    if plan.mode == "nearest":
        source = graph.op("Mul", position, scale)
    else:
        centre = graph.cast(graph.op("Add", position, graph.const(0.5, precision)), np.float64)
        exact = graph.op("Mul", centre, graph.cast(scale, np.float64))
        exact = graph.cast(graph.op("Sub", exact, graph.const(0.5, np.float64)), precision)
        clamped = graph.cast(graph.op("Max", exact, graph.const(0, precision)), np.float64)
        source = graph.op("Add", clamped, graph.const(0.5, np.float64))
    index = graph.cast(graph.op("Floor", graph.cast(source, np.float32)), np.int64)
    last = graph.op("Sub", extent, graph.const([1]))
    if graph.opset >= 12:
        return graph.op("Min", index, last)
    return graph.op("Where", graph.op("Less", index, last, dtype=np.bool_), index, last, dtype=np.int64)


def _computed_scale(
    graph: Graph, extent: Value, plan: InterpolatePlan, request: Request, k: int, precision: Any
) -> tuple[Value, Value]:
    """Output size and sampling scale of an axis, as tensors of one element."""
    if request.scale_factor is None:
        outputs = graph.const([plan.size[k]])
    else:
        exact = graph.op("Mul", graph.cast(extent, np.float64), graph.const([request.scale_factor[k]], np.float64))
        outputs = graph.cast(graph.op(_ROUNDINGS[request.rounding], exact), np.int64)
    if plan.scale_factor is not None:
        return outputs, graph.const([1.0 / plan.scale_factor[k]], precision)
    return outputs, graph.op("Div", graph.cast(extent, precision), graph.cast(outputs, precision))


def _result(x: Value, plan: InterpolatePlan, request: Request) -> tuple[Dim, ...]:
    """The result's shape; a symbolic extent that stays unknown is named after the input's."""
    shape: list[Dim] = list(x.shape)
    for k, axis in enumerate(plan.spatial_axes):
        dim = x.shape[axis]
        unknown = isinstance(dim, str) and request.scale_factor is not None
        shape[axis] = f"{dim}*{request.scale_factor[k]:g}" if unknown and request.scale_factor else plan.size[k]
    return tuple(shape)
