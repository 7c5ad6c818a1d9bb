"""Convolutions: Conv, ConvTranspose, Conv with a shuffle; Gather and MatMul in float64, which onnxruntime lacks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastup import plan as plans
from fastup.export.graph import Dim, Graph, UnsupportedExport, Value
from fastup.export.operators import activations, shuffle, windows
from fastup.export.operators.call import Call, Weights
from fastup.export.operators.layout import arranged, arranged_back
from fastup.operators import subpixel_to_transposed
from fastup.plan import ConvPlan
from fastup.plan.base import Array

_LARGEST_TABLE = 1 << 20  # "auto" writes no larger ones


def append(graph: Graph, x: Value, plan: ConvPlan, call: Call) -> Value:
    """Append the convolution to the graph; dimensions of `x` may be symbolic, except its channels."""
    if isinstance(x.shape[plan.channel_axis], str):
        raise UnsupportedExport(f"{plan.operator}: channels must be a number, got {x.shape[plan.channel_axis]!r}")
    # Sums of halves are float32 here and in every runtime; written out, nothing is left to interpret.
    computed = np.dtype(np.float64 if plan.dtype.itemsize == 8 else np.float32)
    if call.weights is None:
        raise TypeError(f"{plan.operator}: weight must be an array, got None")
    weights = call.weights.astype(computed)
    inner = arranged(graph, graph.cast(x, computed), plan)
    y = _convolved(graph, inner, plan, _form(plan, inner, call.lowering), weights, call.subpixel)
    if plan.activation[0] != "none":
        y = activations.append(graph, y, *plan.activation, weights.slopes)
    y = graph.cast(y, plan.dtype.newbyteorder("="))
    return arranged_back(graph, y, plan)


def _form(plan: ConvPlan, x: Value, lowering: str) -> str:
    unknown = [dim for dim in x.shape[2:] if isinstance(dim, str)]
    if lowering == "portable" and unknown:
        raise UnsupportedExport(
            f"{plan.operator}: lowering='portable' needs known spatial sizes, got {unknown[0]!r}; "
            "lowering='native' exports this call"
        )
    if lowering != "auto" or plan.dtype.itemsize < 8:
        return "portable" if lowering == "portable" else "native"
    if unknown or windows.table_bytes(plan) > _LARGEST_TABLE:
        raise UnsupportedExport(
            f"{plan.operator}: onnxruntime has no float64 kernel of convolutions, and a table in its place would be "
            "unknown or larger than 1 MB; lowering='native' exports this call for other runtimes"
        )
    return "portable"


def _native(graph: Graph, x: Value, plan: ConvPlan, weights: Weights) -> Value:
    pads_after, output_padding, surplus = _ends(plan)
    attributes: dict[str, Any] = {
        "kernel_shape": plan.kernel_size,
        "strides": plan.stride,
        "dilations": plan.dilation,
        "group": plan.groups,
        "pads": [*(before for before, _ in plan.padding), *pads_after],
    }
    if any(output_padding):
        attributes["output_padding"] = output_padding
    late = any(surplus) and weights.bias is not None  # beyond the last tap there is the bias alone
    inputs = [graph.const(weights.weight, weights.weight.dtype)]
    if weights.bias is not None and not late:
        inputs.append(graph.const(weights.bias, weights.bias.dtype))
    kind = "Conv" if plan.kind == "conv" else "ConvTranspose"
    shape = (x.shape[0], plan.out_channels, *_names(x, plan))
    y = graph.op(kind, x, *inputs, shape=shape, **attributes)
    if any(surplus):
        zeros = [0] * (plan.rank + 2)
        y = graph.op("Pad", y, graph.const([*zeros, 0, 0, *surplus]), shape=shape)
    return graph.op("Add", y, _per_channel(graph, weights.bias, plan.rank)) if late else y


def _ends(plan: ConvPlan) -> tuple[list[int], list[int], list[int]]:
    """Pads after, output padding, and what must be appended to the result, per axis.

    An output padding of a stride or more is legal in torch beside a dilation, and in neither runtime: it is taken from
    the pads, and what is still missing reads no input at all.
    """
    after, more, surplus = [], [], []
    for (_, end), extra, stride in zip(plan.padding, plan.output_padding, plan.stride, strict=True):
        moved = extra if extra < stride else 0
        rest = extra - moved
        after.append(max(0, end - rest))
        more.append(moved)
        surplus.append(max(0, rest - end))
    return after, more, surplus


def _names(x: Value, plan: ConvPlan) -> list[Dim]:
    """Spatial extents of the result; those of symbolic ones are named after the input's."""
    names: list[Dim] = []
    for dim, axis in zip(x.shape[2:], plan.axes, strict=True):
        if not isinstance(dim, str):
            names.append(axis.n_out)
        elif axis.step > 1:
            names.append(f"({dim}{_signed(axis.step * (axis.n_out - 1) - axis.n_in)})/{axis.step}+1")
        else:
            grown = dim if axis.up == 1 else f"{dim}*{axis.up}"
            names.append(grown + _signed(axis.n_out - axis.n_in * axis.up))
    return names


def _signed(number: int) -> str:
    return f"{number:+d}" if number else ""


def _convolved(graph: Graph, x: Value, plan: ConvPlan, form: str, weights: Weights, subpixel: str) -> Value:
    if plan.kind != "subpixel_conv":
        return (windows.append if form == "portable" else _native)(graph, x, plan, weights)
    batch = 1 if isinstance(x.shape[0], str) else x.shape[0]
    shape = (batch, plan.in_channels, *(axis.n_in for axis in plan.axes))
    if subpixel == "conv_transpose":
        return _as_transposed(graph, x, plan, shape, form, weights)
    twin = getattr(plans, f"conv{plan.rank}d")(shape, x.dtype, plan.weight_shape, padding=plan.padding)
    phases = _convolved(graph, x, twin, form, weights, subpixel)
    shuffled = plans.pixel_shuffle(twin.output_shape, x.dtype, plan.stride)
    return shuffle.append(graph, phases, shuffled, Call("auto"))


def _as_transposed(
    graph: Graph, x: Value, plan: ConvPlan, shape: tuple[int, ...], form: str, weights: Weights
) -> Value:
    """A sub-pixel convolution as the transposed convolution that is the same."""
    weight, padding = subpixel_to_transposed(weights.weight, plan.stride, plan.padding)
    twin = getattr(plans, f"conv_transpose{plan.rank}d")(
        shape, x.dtype, weight.shape, stride=plan.stride, padding=padding
    )
    phases = math.prod(plan.stride)
    bias = None if weights.bias is None else weights.bias.reshape(-1, phases)
    if bias is not None and (bias != bias[:, :1]).any():
        raise UnsupportedExport(f"{plan.operator}: subpixel='conv_transpose' needs the same bias in all phases")
    return _convolved(graph, x, twin, form, Weights(weight, None if bias is None else bias[:, 0]), "")


def _per_channel(graph: Graph, values: Array | None, rank: int) -> Value:
    """A constant that is added or multiplied channel by channel."""
    array = np.asarray(values)
    return graph.const(array.reshape(-1, *(1,) * rank), array.dtype)
