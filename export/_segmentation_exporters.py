"""The exporters of upsampling to labels, confidences and masks."""

from __future__ import annotations

import functools
from typing import Any

import onnx

from fastup import plan as plans
from fastup.export._exporters import export, factors_of, large_enough
from fastup.export.graph import DEFAULT_OPSET, Graph, Value
from fastup.export.operators.segmentation import append
from fastup.plan import SegmentationPlan


def upsample_argmax(
    shape: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: Any = "n-linear",
    align_corners: bool | None = None,
    antialias: bool = False,
    *,
    labels: Any = "int32",
    window: Any = None,
    data_format: str = "channels_first",
    dtype: Any = "float32",
    opset: int = DEFAULT_OPSET,
    lowering: str = "auto",
    verify: bool = False,
) -> onnx.ModelProto:
    """ONNX model of `fastup.upsample_argmax`: the graph of the interpolation, and ArgMax.

    A runtime holds the upsampled logits; fastup does not.

    Parameters
    ----------
    shape : tuple of int or str, or fastup.plan.Plan
        Shape of the logits; any dimension may be a name as in `fastup.export.interpolate`. A plan brings all other
        arguments with it.
    size, scale_factor, mode, align_corners, antialias, window, data_format
        As in `fastup.upsample_argmax`.
    labels : dtype
        Of the labels.
    dtype, opset, lowering, verify
        As in `fastup.export.interpolate`; labels may differ where two classes are equal within the rounding of the
        interpolation.

    Returns
    -------
    onnx.ModelProto
        With input "x" and output "y".

    Raises
    ------
    UnsupportedExport
        If the lowering cannot express the call.
    VerificationError
        If `verify` finds a difference.

    Examples
    --------
    >>> import fastup.export
    >>> model = fastup.export.upsample_argmax(("N", 21, "H", "W"), scale_factor=8)
    >>> [node.op_type for node in model.graph.node]
    ['Resize', 'ArgMax', 'Cast']
    """
    arguments = (size, scale_factor, mode, align_corners, antialias)
    make = functools.partial(plans.upsample_argmax, labels=labels, window=window, data_format=data_format)
    return _export(make, shape, dtype, arguments, scale_factor, opset, lowering, verify)


def upsample_softmax_max(
    shape: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: Any = "n-linear",
    align_corners: bool | None = None,
    antialias: bool = False,
    *,
    labels: Any = "int32",
    window: Any = None,
    data_format: str = "channels_first",
    dtype: Any = "float32",
    opset: int = DEFAULT_OPSET,
    lowering: str = "auto",
    verify: bool = False,
) -> onnx.ModelProto:
    """ONNX model of `fastup.upsample_softmax_max`: the same with a second output, "confidence".

    Parameters, results and errors are those of `fastup.export.upsample_argmax`.

    Examples
    --------
    >>> import fastup.export
    >>> model = fastup.export.upsample_softmax_max((1, 21, 65, 65), 513)
    >>> [output.name for output in model.graph.output]
    ['y', 'confidence']
    """
    arguments = (size, scale_factor, mode, align_corners, antialias)
    make = functools.partial(plans.upsample_softmax_max, labels=labels, window=window, data_format=data_format)
    return _export(make, shape, dtype, arguments, scale_factor, opset, lowering, verify)


def upsample_threshold(
    shape: Any,
    size: Any = None,
    threshold: float = 0.0,
    scale_factor: Any = None,
    mode: Any = "n-linear",
    align_corners: bool | None = None,
    antialias: bool = False,
    *,
    window: Any = None,
    data_format: str = "channels_first",
    dtype: Any = "float32",
    opset: int = DEFAULT_OPSET,
    lowering: str = "auto",
    verify: bool = False,
) -> onnx.ModelProto:
    """ONNX model of `fastup.upsample_threshold`: the graph of the interpolation, and Greater.

    Parameters, results and errors are those of `fastup.export.upsample_argmax`.

    Examples
    --------
    >>> import fastup.export
    >>> model = fastup.export.upsample_threshold(("N", 1, 28, 28), (120, 80), 0.5)
    >>> [node.op_type for node in model.graph.node]
    ['Resize', 'Greater']
    """
    arguments = (size, threshold, scale_factor, mode, align_corners, antialias)
    make = functools.partial(plans.upsample_threshold, window=window, data_format=data_format)
    return _export(make, shape, dtype, arguments, scale_factor, opset, lowering, verify)


def _export(
    make: functools.partial[SegmentationPlan], shape: Any, dtype: Any, arguments: tuple[Any, ...], scale_factor: Any,
    opset: int, lowering: str, verify: bool,
) -> onnx.ModelProto:  # fmt: skip
    def planned(known: tuple[int, ...]) -> SegmentationPlan:
        return make(known, dtype, *arguments)

    def write(graph: Graph, x: Value, plan: SegmentationPlan, lowering: str) -> list[Value]:
        return append(graph, x, plan, lowering, factors_of(scale_factor, plan.rank))

    stand_in = large_enough(scale_factor)
    return export(make.func.__name__, shape, planned, stand_in, write, opset, lowering, verify, second="confidence")
