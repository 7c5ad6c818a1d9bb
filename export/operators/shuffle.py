"""Pixel shuffle and unshuffle: DepthToSpace, SpaceToDepth where they mean the same, else Reshape-Transpose-Reshape."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastup.export.graph import Dim, Graph, UnsupportedExport, Value
from fastup.export.operators.call import Call
from fastup.plan import PixelShufflePlan

# dtypes for which every onnxruntime has a kernel (float16 runs through float32); 1.32 also has int8 and uint8.
_RUNS = {np.dtype(t) for t in (np.float16, np.float32, np.float64)}


def append(graph: Graph, x: Value, plan: PixelShufflePlan, call: Call) -> Value:
    """Append the permutation to the graph; dimensions of `x` may be symbolic, except its channels."""
    if isinstance(x.shape[plan.channel_axis], str):
        raise UnsupportedExport(f"{plan.operator}: channels must be a number, got {x.shape[plan.channel_axis]!r}")
    lowering = call.lowering
    if lowering == "auto":
        lowering = "native" if _obstacle(plan) is None and plan.dtype in _RUNS else "portable"
    if lowering == "portable":
        return _permute(graph, x, plan)
    if obstacle := _obstacle(plan):
        raise UnsupportedExport(
            f"{plan.operator}: lowering='native' needs {obstacle}; lowering='portable' exports this call"
        )
    factor = plan.factors[0]
    if plan.operator == "pixel_shuffle":
        return graph.op("DepthToSpace", x, shape=_result(plan, x), blocksize=factor, mode=plan.order)
    return graph.op("SpaceToDepth", x, shape=_result(plan, x), blocksize=factor)


def _obstacle(plan: PixelShufflePlan) -> str | None:
    """What ONNX's own operator would need to express this plan."""
    if len(plan.input_shape) != 4 or len(plan.factors) != 2 or plan.data_format != "channels_first":
        return "an input (N, C, H, W)"
    if len(set(plan.factors)) > 1:
        return "equal factors"
    if plan.operator == "pixel_unshuffle" and plan.order == "CRD" and plan.channels > 1:
        return "order='DCR' or a single channel (SpaceToDepth counts its channels so)"
    return None


def _permute(graph: Graph, x: Value, plan: PixelShufflePlan) -> Value:
    """Split the axes into digits, permute the digits, join them."""
    enlarging = plan.operator == "pixel_shuffle"
    lead, rank = len(plan.leading), len(plan.factors)
    phases = list(range(lead, lead + rank))
    space = list(range(lead + rank, lead + 2 * rank))
    channel = lead + 2 * rank
    # Digits are numbered: leading axes, phases, small spatial extents, channels. Both sides are an order of them.
    woven = [digit for pair in zip(space, phases, strict=True) for digit in pair]
    mixed = [channel, *phases] if plan.order == "CRD" else [*phases, channel]
    first = plan.data_format == "channels_first"
    small = [*mixed, *space] if first else [*space, *mixed]
    large = [channel, *woven] if first else [*woven, channel]
    before, after = (small, large) if enlarging else (large, small)
    extents = _digits(graph, x, plan)
    split = graph.reshape(x, _dims(extents, [*range(lead), *before]), _names(extents, [*range(lead), *before]))
    source = [*range(lead), *before]
    target = [*range(lead), *after]
    moved = graph.op("Transpose", split, shape=_names(extents, target), perm=[source.index(digit) for digit in target])
    shape = _result(plan, x)
    return graph.reshape(moved, _joined(graph, x, plan, shape), shape)


def _digits(graph: Graph, x: Value, plan: PixelShufflePlan) -> list[tuple[Any, Dim]]:
    """Extent of every digit, as `Graph.reshape` takes it and as a shape names it."""
    extents: list[tuple[Any, Dim]] = [_extent(graph, x, axis) for axis in range(len(plan.leading))]
    extents += [(factor, factor) for factor in plan.factors]
    for axis, factor, known in zip(_spatial_axes(plan), plan.factors, plan.small, strict=True):
        dim = x.shape[axis]
        if not isinstance(dim, str):
            extents.append((known, known))
        elif plan.operator == "pixel_shuffle":
            extents.append(_extent(graph, x, axis))
        else:
            extents.append((graph.op("Div", graph.extent(x, axis), graph.const([factor])), f"{dim}/{factor}"))
    return [*extents, (plan.channels, plan.channels)]


def _extent(graph: Graph, x: Value, axis: int) -> tuple[Any, Dim]:
    dim = x.shape[axis]
    return (graph.extent(x, axis) if isinstance(dim, str) else dim, dim)


def _joined(graph: Graph, x: Value, plan: PixelShufflePlan, shape: tuple[Dim, ...]) -> list[Any]:
    """The result's shape with tensors in place of names."""
    operation = "Mul" if plan.operator == "pixel_shuffle" else "Div"
    factors = dict(zip(_spatial_axes(plan), plan.factors, strict=True))
    dims: list[Any] = []
    for axis, dim in enumerate(shape):
        if not isinstance(dim, str):
            dims.append(dim)
        elif axis in factors:
            dims.append(graph.op(operation, graph.extent(x, axis), graph.const([factors[axis]])))
        else:
            dims.append(graph.extent(x, axis))
    return dims


def _result(plan: PixelShufflePlan, x: Value) -> tuple[Dim, ...]:
    """The result's shape; symbolic dimensions are named after the input's."""
    sign = "*" if plan.operator == "pixel_shuffle" else "/"
    factors = dict(zip(_spatial_axes(plan), plan.factors, strict=True))
    return tuple(
        known if not isinstance(dim, str) else f"{dim}{sign}{factors[axis]}" if axis in factors else dim
        for axis, (known, dim) in enumerate(zip(plan.output_shape, x.shape, strict=True))
    )


def _spatial_axes(plan: PixelShufflePlan) -> range:
    return range(plan.first_spatial_axis, plan.first_spatial_axis + len(plan.factors))


def _dims(extents: list[tuple[Any, Dim]], order: list[int]) -> list[Any]:
    return [extents[digit][0] for digit in order]


def _names(extents: list[tuple[Any, Dim]], order: list[int]) -> tuple[Dim, ...]:
    return tuple(extents[digit][1] for digit in order)
