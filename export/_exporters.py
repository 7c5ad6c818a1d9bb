"""The exporters: arguments -> plan -> nodes -> model."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx

from fastup import plan as plans
from fastup.export import running
from fastup.export.graph import DEFAULT_OPSET, Dim, Graph, UnsupportedExport, Value
from fastup.export.operators import interpolation, layout, shuffle, stuffing
from fastup.plan import InterpolatePlan, PixelShufflePlan, Plan, SegmentationPlan, ZeroStuffPlan, check

LOWERINGS = ("auto", "native", "portable")
_CUT = (InterpolatePlan, SegmentationPlan)  # exporters that write windows themselves


def pixel_shuffle(
    shape: Any,
    upscale_factor: Any = None,
    *,
    order: str = "CRD",
    window: Any = None,
    data_format: str = "channels_first",
    dtype: Any = "float32",
    opset: int = DEFAULT_OPSET,
    lowering: str = "auto",
    verify: bool = False,
) -> onnx.ModelProto:
    """ONNX model of `fastup.pixel_shuffle`: DepthToSpace, or Reshape, Transpose, Reshape.

    Parameters
    ----------
    shape : tuple of int or str, or fastup.plan.Plan
        Shape of the input; leading and spatial dimensions may be names. A plan brings all other arguments with it.
    upscale_factor, order, window, data_format
        As in `fastup.pixel_shuffle`.
    dtype : dtype
        Of the input.
    opset : int
        Version of ONNX's operators, from 11 on.
    lowering : {"auto", "native", "portable"}
        Which operators to write.
    verify : bool
        Run the model in onnxruntime and compare it with fastup.

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
    >>> model = fastup.export.pixel_shuffle(("N", 12, "H", "W"), 2)
    >>> [node.op_type for node in model.graph.node]
    ['DepthToSpace']
    """

    def make(known: tuple[int, ...]) -> PixelShufflePlan:
        return plans.pixel_shuffle(known, dtype, upscale_factor, order=order, window=window, data_format=data_format)

    return export("pixel_shuffle", shape, make, _product(upscale_factor), shuffle.append, opset, lowering, verify)


def pixel_unshuffle(
    shape: Any,
    downscale_factor: Any = None,
    *,
    order: str = "CRD",
    window: Any = None,
    data_format: str = "channels_first",
    dtype: Any = "float32",
    opset: int = DEFAULT_OPSET,
    lowering: str = "auto",
    verify: bool = False,
) -> onnx.ModelProto:
    """ONNX model of `fastup.pixel_unshuffle`: SpaceToDepth where its order fits, else Reshape, Transpose, Reshape.

    Parameters, results and errors are those of `fastup.export.pixel_shuffle`.

    Examples
    --------
    >>> import fastup.export
    >>> model = fastup.export.pixel_unshuffle((1, 3, 8, 8), 2)
    >>> [node.op_type for node in model.graph.node]
    ['Reshape', 'Transpose', 'Reshape']
    """

    def make(known: tuple[int, ...]) -> PixelShufflePlan:
        return plans.pixel_unshuffle(
            known, dtype, downscale_factor, order=order, window=window, data_format=data_format
        )

    return export("pixel_unshuffle", shape, make, _product(downscale_factor), shuffle.append, opset, lowering, verify)


def interpolate(
    shape: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: Any = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
    *,
    rounding: str = "floor",
    window: Any = None,
    data_format: str = "channels_first",
    dtype: Any = "float32",
    opset: int = DEFAULT_OPSET,
    lowering: str = "auto",
    verify: bool = False,
) -> onnx.ModelProto:
    """ONNX model of `fastup.interpolate`: Resize where it gives the same numbers, else the plan's own tables.

    Parameters
    ----------
    shape : tuple of int or str, or fastup.plan.Plan
        Shape of the input; any dimension may be a name. A plan brings all other arguments with it.
    size, scale_factor, mode, align_corners, recompute_scale_factor, antialias, rounding, window, data_format
        As in `fastup.interpolate`.
    dtype, opset, verify
        As in `fastup.export.pixel_shuffle`. A native antialias needs opset 18.
    lowering : {"auto", "native", "portable"}
        "native": Resize, and AveragePool for area where sizes divide. "portable": Gather, with products and sums or
        MatMul where pixels are weighted. "auto": nearest native where it picks the same pixels, else Gather; weighted
        modes native unless that would be wrong or onnxruntime has no kernel, and then tables of at most 1 MB.

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
    >>> model = fastup.export.interpolate(("N", 3, "H", "W"), scale_factor=2)
    >>> [node.op_type for node in model.graph.node]
    ['Resize']
    >>> model = fastup.export.interpolate((1, 3, 20, 20), size=33)
    >>> [node.op_type for node in model.graph.node]
    ['Gather', 'Gather']
    >>> model = fastup.export.interpolate(("N", 3, "H", "W"), (64, 64), mode="bilinear", antialias=True)
    >>> [node.op_type for node in model.graph.node]
    ['Resize']
    """
    options = (mode, align_corners, recompute_scale_factor, antialias)
    layout = {"rounding": rounding, "window": window, "data_format": data_format}

    def make(known: tuple[int, ...]) -> InterpolatePlan:
        return plans.interpolate(known, dtype, size, scale_factor, *options, **layout)

    def append(graph: Graph, x: Value, plan: InterpolatePlan, lowering: str) -> Value:
        return interpolation.append(graph, x, plan, lowering, factors_of(scale_factor, plan.rank), rounding)

    return export("interpolate", shape, make, large_enough(scale_factor), append, opset, lowering, verify)


def zero_stuff(
    shape: Any,
    stride: Any = None,
    padding: Any = 0,
    *,
    data_format: str = "channels_first",
    dtype: Any = "float32",
    opset: int = DEFAULT_OPSET,
    lowering: str = "auto",
    verify: bool = False,
) -> onnx.ModelProto:
    """ONNX model of `fastup.zero_stuff`: Pad, Reshape and Slice along each axis, in every lowering.

    Parameters, results and errors are those of `fastup.export.pixel_shuffle`, with the arguments of the operator.

    Examples
    --------
    >>> import fastup.export
    >>> model = fastup.export.zero_stuff(("N", 3, "W"), 2)
    >>> [node.op_type for node in model.graph.node]
    ['Unsqueeze', 'Pad', 'Shape', 'Gather', 'Shape', 'Gather', 'Mul', 'Concat', 'Reshape', 'Slice']
    """

    def make(known: tuple[int, ...]) -> ZeroStuffPlan:
        return plans.zero_stuff(known, dtype, stride, padding, data_format=data_format)

    return export("zero_stuff", shape, make, 16, stuffing.append, opset, lowering, verify)


def _product(factor: Any) -> int:
    """A size that stands in for an unknown one: divisible by whatever the factors divide."""
    entries = factor if isinstance(factor, (tuple, list)) else (factor, factor)
    return math.prod(int(entry) for entry in entries if isinstance(entry, (int, np.integer)) and entry > 0)


def factors_of(scale_factor: Any, rank: int) -> tuple[float, ...] | None:
    """One factor for each spatial axis, as asked for."""
    factors = scale_factor if isinstance(scale_factor, (tuple, list)) else [scale_factor] * rank
    return None if scale_factor is None else tuple(float(factor) for factor in factors)


def large_enough(scale_factor: Any) -> int:
    """A size that stands in for an unknown one: any scale factor leaves a pixel of it."""
    entries = scale_factor if isinstance(scale_factor, (tuple, list)) else (scale_factor,)
    smallest = min((float(e) for e in entries if isinstance(e, (int, float, np.number)) and 1e-9 < e < 1), default=1.0)
    return max(16, math.ceil(2 / smallest))


def export(
    op: str,
    shape: Any,
    make: Callable[[tuple[int, ...]], Any],
    stand_in: int,
    append: Callable[[Graph, Value, Any, str], Value | list[Value]],
    opset: int,
    lowering: str,
    verify: bool,
    operands: tuple[Any, ...] = (),
    second: str = "indices",
) -> onnx.ModelProto:
    """The model of an operator: plan for known sizes (`stand_in` for unknown ones), append, check, and verify.

    A second output has the name `second`.
    """
    check.choice(op, "lowering", lowering, LOWERINGS)
    check.flag(op, "verify", verify)
    dims: tuple[Dim, ...]
    if isinstance(shape, Plan):
        if shape.operator != op:
            check.invalid(f"{op}: shape must be a shape or a plan of {op}, got a plan of {shape.operator}")
        plan, dims = shape, shape.input_shape
    else:
        dims = dims_of(op, shape)
        plan = make(tuple(stand_in if isinstance(dim, str) else dim for dim in dims))
    graph = Graph(opset)
    x = graph.input("x", plan.dtype.newbyteorder("="), dims)
    _refuse_windows(plan, dims)
    cuts = plan.whole is not None and not isinstance(plan, _CUT)
    results = append(graph, x, plan.whole if cuts else plan, lowering)
    results = results if isinstance(results, list) else [results]
    if cuts:
        results = [layout.cut(graph, y, plan) for y in results]
    model = graph.model(*results, names=("y", second)[: len(results)])
    if verify:
        running.compare(model, plan, operands=operands)
    return model


def _refuse_windows(plan: Plan, dims: tuple[Dim, ...]) -> None:
    """Refuse plans of tiles, whose input is no input of the operator, and windows of results of unknown size."""
    if plan.part is not None:
        raise UnsupportedExport(
            f"{plan.operator}: a tile has no graph of its own; export the plan that it is a tile of"
        )
    symbolic = any(isinstance(dims[axis], str) for axis in plan.spatial_axes)
    if plan.window is not None and symbolic and not isinstance(plan, _CUT):
        raise UnsupportedExport(f"{plan.operator}: window needs known spatial sizes, got shape {dims}")


def dims_of(op: str, shape: Any) -> tuple[Dim, ...]:
    """A shape of integers and names."""
    if not isinstance(shape, (tuple, list)):
        raise TypeError(f"{op}: shape must be a tuple of integers and names, got {check.shown(shape)}")
    return tuple(
        dim if isinstance(dim, str) and dim else check.integer(op, "shape", dim, "a tuple of integers and names", 0)
        for dim in shape
    )
