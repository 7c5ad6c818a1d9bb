"""Max pooling with torch's indices, and unpooling: ONNX counts positions over the whole tensor, torch in a plane."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastup.export.graph import Dim, Graph, UnsupportedExport, Value
from fastup.export.operators.call import Call
from fastup.export.operators.layout import arranged, arranged_back
from fastup.plan import MaxPoolPlan, MaxUnpoolPlan

# What onnxruntime's MaxPool takes, and an exact detour for what it does not.
_POOLS = {"float32": "float32", "float64": "float64", "float16": "float32", "bfloat16": "float32"}
_POOLS |= {"int8": "int8", "uint8": "uint8", "int16": "float32", "uint16": "float32"}
_POOLS |= {"int32": "float64", "uint32": "float64"}
_DROPS_FROM = 22  # opset whose MaxPool drops the windows that torch drops
_BYTES_FROM = 12  # opset of MaxPool for int8 and uint8


def append_pool(graph: Graph, x: Value, plan: MaxPoolPlan, call: Call) -> list[Value]:
    """Append the pooling; its values, and its indices if the plan has them."""
    computed = _POOLS.get(plan.dtype.name)
    if computed is None:
        reason = f"onnxruntime compares no {plan.dtype}; cast to int32 or float64 first"
        raise UnsupportedExport(f"{plan.operator}: {reason}")
    if computed in ("int8", "uint8") and graph.opset < _BYTES_FROM:
        computed = "float32"
    inner = arranged(graph, graph.cast(x, computed), plan)
    shape = (*inner.shape[:2], *_pooled(inner, plan))
    attributes: dict[str, Any] = {
        "kernel_shape": plan.kernel_size,
        "strides": plan.stride,
        "dilations": plan.dilation,
        **_ends(plan, graph.opset, any(isinstance(dim, str) for dim in inner.shape[2:])),
    }
    if not plan.return_indices:
        values = [graph.op("MaxPool", inner, shape=shape, **attributes)]
    else:
        values = graph.pair("MaxPool", inner, second=np.int64, shape=shape, **attributes)
        values[1] = graph.op("Mod", values[1], _positions(graph, inner))
    values[0] = graph.cast(values[0], plan.dtype.newbyteorder("="))
    return [arranged_back(graph, value, plan) for value in values]


def _ends(plan: MaxPoolPlan, opset: int, symbolic: bool) -> dict[str, Any]:
    """Padding and rounding.

    Until opset 22 ONNX's text keeps a last window that begins beyond the input, which torch and onnxruntime drop; where
    sizes are known, that is told by the padding.
    """
    reach = [d * (k - 1) + 1 for k, d in zip(plan.kernel_size, plan.dilation, strict=True)]
    numbers = list(zip(plan.stride, plan.padding, reach, strict=True))
    if not plan.ceil_mode or symbolic or opset >= _DROPS_FROM or all(p + s - 1 < r for s, p, r in numbers):
        return {"pads": [*plan.padding, *plan.padding], "ceil_mode": int(plan.ceil_mode)}
    sizes = zip(plan.space(plan.input_shape), plan.space(plan.output_shape), numbers, strict=True)
    after = [max(0, (m - 1) * s + r - n - p) for n, m, (s, p, r) in sizes]
    return {"pads": [*plan.padding, *after], "ceil_mode": 0}


def append_unpool(graph: Graph, x: Value, plan: MaxUnpoolPlan, call: Call) -> Value:
    """Append the unpooling, with its indices as a second input of the graph."""
    indices = graph.input("indices", np.int64, x.shape)
    return unpooled(graph, x, indices, plan, call.lowering, call.arguments.get("output_size") is not None)


def unpooled(graph: Graph, x: Value, indices: Value, plan: MaxUnpoolPlan, lowering: str, sized: bool) -> Value:
    """Append the unpooling; `sized`: whether its size was given, and does not follow from that of `x`."""
    unknown = [dim for dim in x.shape if isinstance(dim, str)]
    if lowering == "auto":
        lowering = "native" if plan.dtype == np.float32 and not unknown else "portable"
    if isinstance(x.shape[plan.channel_axis], str):
        raise UnsupportedExport(f"{plan.operator}: channels must be a number, got {x.shape[plan.channel_axis]!r}")
    inner, places = arranged(graph, x, plan), arranged(graph, indices, plan)
    space, names = _unpooled(graph, inner, plan, sized)
    batch = graph.extent(inner, 0) if isinstance(inner.shape[0], str) else inner.shape[0]
    shape = (inner.shape[0], plan.channels, *names)
    if lowering == "portable":
        y = _scattered(graph, inner, places, [batch, plan.channels, *space], shape)
    elif unknown or plan.dtype not in (np.float32, np.float64, np.float16):
        reason = "known sizes" if unknown else "a floating dtype of ONNX's MaxUnpool"
        raise UnsupportedExport(
            f"{plan.operator}: lowering='native' needs {reason}; lowering='portable' exports this call"
        )
    else:
        plane = math.prod(plan.space(plan.output_shape))
        offsets = np.arange(plan.batch * plan.channels).reshape(plan.batch, plan.channels, *(1,) * plan.rank) * plane
        y = graph.op(
            "MaxUnpool",
            inner,
            graph.op("Add", places, graph.const(offsets)),
            graph.const([plan.batch, plan.channels, *plan.space(plan.output_shape)]),
            shape=shape,
            kernel_shape=plan.kernel_size,
            strides=plan.stride,
            pads=[*plan.padding, *plan.padding],
        )
    return arranged_back(graph, y, plan)


def _scattered(graph: Graph, x: Value, places: Value, dims: list[Any], shape: tuple[Dim, ...]) -> Value:
    """Flattened planes of zeros, and the values scattered into each: positions as they are."""
    batch, channels, *space = dims
    flat = (x.shape[0], channels, -1)
    known = all(not isinstance(dim, str) for dim in shape[2:])
    positions: Any = math.prod(space) if known else _product(graph, space)
    names: tuple[Dim, ...] = (shape[0], channels, positions if known else "positions")
    zeros = graph.op(
        "ConstantOfShape",
        graph.vector([batch, channels, positions]),
        shape=names,
        dtype=x.dtype,
        value=graph.tensor(np.zeros(1, x.dtype)),
    )
    inputs = [graph.reshape(one, [batch, channels, -1], (*flat[:2], "values")) for one in (places, x)]
    scattered = graph.op("ScatterElements", zeros, *inputs, shape=names, axis=2)
    return graph.reshape(scattered, [batch, channels, *space], shape)


def _product(graph: Graph, extents: list[Any]) -> Value:
    """The product of numbers and tensors of one int64."""
    total = graph.vector(extents[:1])
    for extent in extents[1:]:
        total = graph.op("Mul", total, graph.vector([extent]))
    return total


def _positions(graph: Graph, x: Value) -> Value:
    """How many positions the plane of (N, C, *space) has."""
    space = list(enumerate(x.shape))[2:]
    return _product(graph, [graph.extent(x, axis) if isinstance(dim, str) else dim for axis, dim in space])


def _pooled(x: Value, plan: MaxPoolPlan) -> list[Dim]:
    return [
        f"pooled_{dim}" if isinstance(dim, str) else known
        for dim, known in zip(x.shape[2:], plan.space(plan.output_shape), strict=True)
    ]


def _unpooled(graph: Graph, x: Value, plan: MaxUnpoolPlan, sized: bool) -> tuple[list[Any], list[Dim]]:
    """Spatial extents of the result as `Graph.reshape` takes them, and as a shape names them."""
    extents: list[Any] = []
    names: list[Dim] = []
    numbers = zip(plan.space(plan.output_shape), plan.stride, plan.padding, plan.kernel_size, strict=True)
    for axis, (known, stride, pad, kernel) in enumerate(numbers, 2):
        dim = x.shape[axis]
        if sized or not isinstance(dim, str):
            extents.append(known)
            names.append(known)
        else:
            grown = graph.op("Mul", graph.extent(x, axis), graph.const([stride]))
            extents.append(graph.op("Add", grown, graph.const([kernel - stride - 2 * pad])))
            names.append(f"unpooled_{dim}")
    return extents, names
