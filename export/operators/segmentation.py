"""Labels, confidences and masks of upsampled logits: the interpolation's graph, and ArgMax, a softmax or Greater."""

from __future__ import annotations

import numpy as np

from fastup.export.graph import Dim, Graph, UnsupportedExport, Value
from fastup.export.operators import interpolation
from fastup.export.operators.call import Call
from fastup.plan import SegmentationPlan, check

_COMPARED = {np.dtype(t) for t in (np.float32, np.float64, np.int32)}  # what onnxruntime compares on the CPU
_AXES_AS_INPUT = {"ReduceMax": 18, "ReduceSum": 13}  # from this opset on


def append(graph: Graph, x: Value, plan: SegmentationPlan, call: Call) -> list[Value]:
    """Append the interpolation and its reduction; spatial sizes may be symbolic as in interpolation."""
    if plan.boxes is not None:
        raise UnsupportedExport(f"{plan.operator}: boxes are data, not part of a graph; export without them")
    classes = x.shape[plan.channel_axis]
    if plan.reduces and isinstance(classes, str) and plan.labels.itemsize < 4:
        raise UnsupportedExport(
            f"{plan.operator}: dtype of labels must have 32 bits for {classes!r} classes, got {plan.labels}"
        )
    if plan.reduces and plan.data_format == "channels_last":
        x = graph.transpose(x, [0, len(x.shape) - 1, *range(1, len(x.shape) - 1)])
    try:
        y = interpolation.append(graph, x, plan.resize, call)
    except UnsupportedExport as error:
        raise check.renamed(error, "interpolate", plan.operator) from None
    if y.dtype not in _COMPARED:
        y = graph.cast(y, np.float32 if y.dtype.kind not in "iu" else np.float64 if y.dtype.itemsize > 2 else np.int32)
    if not plan.reduces:
        return [_mask(graph, y, plan.limit)]
    labels = graph.op("ArgMax", y, dtype=np.int64, shape=_without_classes(y), axis=1, keepdims=0)
    labels = graph.cast(labels, plan.labels)
    if plan.operator == "upsample_argmax":
        return [labels]
    return [labels, graph.cast(_confidences(graph, y), plan.dtype.newbyteorder("="))]


def _mask(graph: Graph, y: Value, limit: float) -> Value:
    """Whether items exceed a number; integers are compared as float64, which has all of 32 bits, and any limit."""
    if y.dtype.kind == "i":
        y = graph.cast(y, np.float64)
    return graph.op("Greater", y, graph.const(limit, y.dtype), dtype=bool)


def _without_classes(y: Value) -> tuple[Dim, ...]:
    return (y.shape[0], *y.shape[2:])


def _confidences(graph: Graph, y: Value) -> Value:
    """One over the sum of the classes' exponentials, each by that of the largest."""
    largest = _reduced(graph, "ReduceMax", y, (y.shape[0], 1, *y.shape[2:]), keepdims=1)
    shares = graph.op("Exp", graph.op("Sub", y, largest))
    return graph.op("Reciprocal", _reduced(graph, "ReduceSum", shares, _without_classes(y), keepdims=0))


def _reduced(graph: Graph, kind: str, y: Value, shape: tuple[Dim, ...], keepdims: int) -> Value:
    if graph.opset >= _AXES_AS_INPUT[kind]:
        return graph.op(kind, y, graph.const([1]), shape=shape, keepdims=keepdims)
    return graph.op(kind, y, shape=shape, axes=[1], keepdims=keepdims)
