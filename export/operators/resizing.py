"""Resizing by a library's convention: its steps as nodes that leave nothing to interpret."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from fastup.export.graph import Dim, Graph, UnsupportedExport, Value
from fastup.export.operators import bands, cells, interpolation, ordered, splines
from fastup.export.operators.call import Call
from fastup.plan.base import Array
from fastup.plan.conventions.spline_steps import Banded, Clipped, Rounded, Scaled
from fastup.plan.conventions.steps import Alpha, Cast, CellMeans, Crop, Reduce, Scale, Step
from fastup.plan.interpolation import InterpolatePlan
from fastup.plan.resizing import VOLUME, ResizePlan, are_together
from fastup.plan.sampling import fixed_point
from fastup.plan.sampling.axis import Axis
from fastup.plan.sampling.table import whole_table

_LEAST = -(2**31)
_WIDE = 8  # bytes of integers that float64 does not hold


def append(graph: Graph, x: Value, plan: ResizePlan, call: Call) -> Value:
    """Append the steps, on the picture seen as (N, H, W, C); height and width are known."""
    for axis in plan.axes:
        if isinstance(x.shape[axis], str):
            raise UnsupportedExport(
                f"{plan.operator}: extents that change must be numbers, got {x.shape[axis]!r}: tables follow from them"
            )
    if plan.rank == VOLUME and any(isinstance(dim, str) for dim in x.shape[plan.axes[-1] + 1 :]):
        raise UnsupportedExport(f"{plan.operator}: channels of volumes must be numbers, got {x.shape}")
    if not are_together(plan.axes):
        raise UnsupportedExport(f"{plan.operator}: axes must stand side by side, height first, got {plan.axes}")
    if call.lowering == "native" and not all(_is_torchs(step) for step in plan.steps):
        raise UnsupportedExport(
            f"{plan.operator}: Resize has no attributes for like={plan.like.name!r}; lowering='portable' exports this"
        )
    y = _seen(graph, x, plan)
    steps = plan.steps
    if not steps and plan.window is not None:  # a part of a copy
        steps = (Crop((0, *plan.size, 0), plan.window),)
    limits = None
    for step in steps:
        if plan.rank == VOLUME and y.shape[1:] != step.input_shape[1:]:  # planes, or lines side by side
            y = graph.reshape(y, [-1, *step.input_shape[1:]], ("lines", *step.input_shape[1:]))
        if limits is None and isinstance(steps[-1], Clipped) and not isinstance(step, Scaled):
            limits = splines.range_of(graph, y)
        y = splines.clipped(graph, y, step, limits) if isinstance(step, Clipped) else _step(graph, y, step, call)
    return _unseen(graph, y, x, plan)


def _is_torchs(step: Step) -> bool:
    return isinstance(step, InterpolatePlan) and not step.follows_rules


def _seen(graph: Graph, x: Value, plan: ResizePlan) -> Value:
    """The picture, or the planes of a volume, as (N, H, W, C)."""
    height, width = plan.axes[-2:]
    before, after = x.shape[:height], x.shape[width + 1 :]
    shape = (_product(before), x.shape[height], x.shape[width], _product(after))
    if len(before) == len(after) == 1:
        return x
    return graph.reshape(x, [-1 if isinstance(dim, str) else dim for dim in shape], shape)


def _unseen(graph: Graph, y: Value, x: Value, plan: ResizePlan) -> Value:
    """The result with the picture's axes."""
    extents = plan.space(plan.output_shape)
    shape = (*x.shape[: plan.axes[0]], *extents, *x.shape[plan.axes[-1] + 1 :])
    if y.shape == shape:
        return y
    dims = [graph.extent(x, axis) if isinstance(dim, str) else dim for axis, dim in enumerate(shape)]
    return graph.reshape(y, dims, shape)


def _product(dims: tuple[Dim, ...]) -> Dim:
    """Extents as one; a name where one of them is."""
    names = [dim for dim in dims if isinstance(dim, str)]
    if len(dims) == len(names) == 1:
        return names[0]
    return "_".join(map(str, dims)) if names else math.prod(int(dim) for dim in dims)


def _step(graph: Graph, x: Value, step: Step, call: Call) -> Value:
    if isinstance(step, InterpolatePlan):
        if _is_torchs(step):
            return interpolation.append(graph, x, step, Call(call.lowering, {}, None, call.subpixel))
        return _resampled(graph, x, step)
    if isinstance(step, Banded):
        raise UnsupportedExport("resize: columns at the sides have other roundings in Intel's library, and no graph")
    writer = _WRITERS.get(type(step), splines.append)
    return writer(graph, x, step)


def _resampled(graph: Graph, x: Value, step: InterpolatePlan) -> Value:
    """Columns first, then rows, as fastup's kernels have them."""
    dtype, y = x.dtype, x
    for k in (1, 0):
        axis, place = step.axes[k], k + 1
        if axis.rule is None:
            y = _sliced(graph, y, place, axis)
        elif axis.copies:
            shape = (*y.shape[:place], axis.length, *y.shape[place + 1 :])
            y = graph.op("Gather", y, graph.const(whole_table(axis).first), shape=shape, axis=place)
        elif axis.fixed:
            y = bands.fixed(graph, y, place, axis, fixed_point.bits(axis))
        else:
            y = ordered.weighted(graph, y, place, axis, step)
    return _rounded(graph, y, dtype, step.rounding)


def _sliced(graph: Graph, x: Value, place: int, axis: Axis) -> Value:
    """The window of an axis that keeps its size."""
    start, stop = (position - axis.first for position in axis.window)
    if (start, stop) == (0, x.shape[place]):
        return x
    shape = (*x.shape[:place], stop - start, *x.shape[place + 1 :])
    return graph.op("Slice", x, *(graph.const([one]) for one in (start, stop, place)), shape=shape)


def _rounded(graph: Graph, y: Value, dtype: np.dtype[Any], rounding: str) -> Value:
    """Sums as items of the dtype, rounded as the step says."""
    if y.dtype == dtype or dtype.kind not in "iu":
        return graph.cast(y, dtype)
    limits = np.iinfo(dtype)
    if rounding == "half up":
        whole = graph.op("Floor", graph.op("Add", y, graph.const(0.5, y.dtype)))
    elif rounding == "toward zero":
        whole = graph.op("Mul", graph.op("Floor", graph.op("Abs", y)), graph.op("Sign", y))
    elif rounding != "half even":
        half = graph.op("Mul", graph.op("Sign", y), graph.const(0.5, y.dtype))
        away = graph.op("Add", y, half)
        whole = graph.op("Mul", graph.op("Floor", graph.op("Abs", away)), graph.op("Sign", away))
    else:
        whole = graph.op("Round", y)
    if rounding.endswith("bytes apart"):
        raise UnsupportedExport(f"resize: {dtype} of this version of Pillow has no graph: its bytes are cut off apart")
    if rounding.endswith("as x86 converts"):
        low = graph.const(float(_LEAST), y.dtype)
        fits = graph.op("Less", graph.op("Abs", whole), graph.const(float(-_LEAST), y.dtype), dtype=np.bool_)
        whole = graph.op("Where", fits, whole, low, dtype=y.dtype, shape=y.shape)
    if dtype.itemsize < _WIDE:
        return graph.cast(graph.clamp(whole, float(limits.min), float(limits.max)), dtype)
    beyond = graph.op("GreaterOrEqual", whole, graph.const(float(limits.max), y.dtype), dtype=np.bool_)
    below = float(np.nextafter(y.dtype.type(limits.max), y.dtype.type(0)))  # the largest integer is no float
    inside = graph.cast(graph.clamp(whole, float(limits.min), below), dtype)
    return graph.op("Where", beyond, graph.const(limits.max, dtype), inside, dtype=dtype, shape=y.shape)


def _cropped(graph: Graph, x: Value, step: Crop) -> Value:
    starts, stops = zip(*step.box, strict=True)
    shape = (x.shape[0], *(stop - start for start, stop in step.box), x.shape[-1])
    axes = range(1, len(starts) + 1)
    return graph.op("Slice", x, *(graph.const([*one]) for one in (starts, stops, axes)), shape=shape)


def _alpha(graph: Graph, x: Value, step: Alpha) -> Value:
    """In integers of 32 bits."""
    *space, channels = x.shape
    colours = graph.op(
        "Gather", x, graph.const(np.arange(int(channels) - 1)), shape=(*space, int(channels) - 1), axis=3
    )
    alpha = graph.op("Gather", x, graph.const([int(channels) - 1]), shape=(*space, 1), axis=3)
    c, a = (graph.cast(one, np.int32) for one in (colours, alpha))

    def number(value: int) -> Value:
        return graph.const(value, np.int32)

    if not step.divides:
        product = graph.op("Add", graph.op("Mul", c, a, shape=c.shape), number(128))
        whole = graph.op("Div", graph.op("Add", graph.op("Div", product, number(256)), product), number(256))
        return graph.op("Concat", graph.cast(whole, np.uint8), alpha, shape=x.shape, axis=3)
    present = graph.op("Max", a, number(1))
    quotient = graph.op("Min", graph.op("Div", graph.op("Mul", c, number(255)), present, shape=c.shape), number(255))
    # 0 and 255 leave colours as they are.
    inner = graph.op("Mul", a, graph.op("Sub", number(255), a, shape=a.shape))
    changes = graph.op("Greater", inner, number(0), dtype=np.bool_)
    found = graph.op("Where", changes, quotient, c, dtype=np.int32, shape=c.shape)
    return graph.op("Concat", graph.cast(found, np.uint8), alpha, shape=x.shape, axis=3)


def _reduced(graph: Graph, x: Value, step: Reduce) -> Value:
    """Sums of blocks of bytes as products with ones, then Pillow's quotient."""
    if x.dtype != np.uint8:
        raise UnsupportedExport(f"resize: reducing_gap has a graph for uint8, not for {x.dtype}")
    y, counts = graph.cast(x, np.float64), list[Array]()
    for place, factor in ((2, step.factors[1]), (1, step.factors[0])):
        extent = int(x.shape[place])
        blocks = np.arange(extent) // factor
        ones = (blocks[:, None] == np.arange(-(-extent // factor))).astype(np.float64)
        counts.insert(0, ones.sum(axis=0))
        shape = (*y.shape[:place], ones.shape[1], *y.shape[place + 1 :])
        order = [0, 3, 1, 2] if place == 2 else [0, 2, 3, 1]
        moved = graph.transpose(y, order)
        summed = graph.op("MatMul", moved, graph.const(ones, np.float64), shape=(*moved.shape[:3], ones.shape[1]))
        y = graph.transpose(summed, [order.index(axis) for axis in range(4)])
        y = Value(y.name, y.dtype, shape)
    count = (counts[0][:, None] * counts[1]).astype(np.int64)[..., None]
    by = (np.float32(2.0**32) / (256 * count).astype(np.float32)).astype(np.int64)
    total = graph.op("Add", graph.cast(y, np.int64), graph.const(count // 2))
    scaled = graph.op("Div", graph.op("Mul", total, graph.const(by)), graph.const(1 << 24))
    return graph.cast(scaled, np.uint8)


def _cast(graph: Graph, x: Value, step: Cast) -> Value:
    return graph.cast(x, step.dtype)


def _scaled(graph: Graph, x: Value, step: Scale) -> Value:
    return graph.op("Mul", x, graph.const(step.factor, x.dtype))


def _to_dtype(graph: Graph, x: Value, step: Rounded) -> Value:
    return _rounded(graph, x, step.dtype, step.rounding)


_WRITERS: dict[type[Any], Callable[[Graph, Value, Any], Value]] = {
    Alpha: _alpha,
    Cast: _cast,
    CellMeans: cells.means,
    Crop: _cropped,
    Reduce: _reduced,
    Rounded: _to_dtype,
    Scale: _scaled,
}
