"""The exporters: arguments -> plan -> nodes -> model. Each takes the arguments of its operator's declaration."""

from __future__ import annotations

import functools
import importlib
import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import onnx

from fastup.arrays import held
from fastup.export import self_check
from fastup.export.documentation import documentation
from fastup.export.graph import DEFAULT_OPSET, Dim, Graph, UnsupportedExport, Value
from fastup.export.operators import layout
from fastup.export.operators.call import LOWERINGS, Call, Weights
from fastup.operators.operator import OPERATORS, Operator
from fastup.plan import ConvPlan, InterpolatePlan, Plan, ResizePlan, SegmentationPlan, check
from fastup.plan.activations import with_slopes
from fastup.plan.operands import Operand, PackedWeight, described

SUBPIXEL = ("conv", "conv_transpose")
_CUT = (InterpolatePlan, ResizePlan, SegmentationPlan)  # what writes windows itself
_LEFT_OUT = ("out", "threads", "boxes", "indices")
_Parameter = inspect.Parameter


def exporter(name: str) -> Callable[..., onnx.ModelProto]:
    """The exporter of an operator, with its name."""
    operator = OPERATORS[name]
    signature = signature_of(operator)

    def export(*arguments: Any, **keywords: Any) -> onnx.ModelProto:
        given = operator.bind(signature, arguments, keywords)
        return _export(operator, {**defaults, **given})

    defaults = {one.name: one.default for one in signature.parameters.values()}
    export.__name__ = export.__qualname__ = name
    export.__module__ = "fastup.export"
    options = _options(name)
    export.__doc__ = documentation(name, [one for one in [*signature.parameters][1:] if one not in options], [*options])
    export.__signature__ = signature  # type: ignore[attr-defined]
    return export


def _options(name: str) -> dict[str, tuple[str, Any]]:
    """What exporters take beside the operator's arguments: type and default."""
    found: dict[str, tuple[str, Any]] = {}
    if name.startswith("subpixel_conv"):
        found["subpixel"] = ("SubPixel", "conv")
    if "conv" not in name:
        found["dtype"] = ("DType", "uint8" if name == "resize" else "float32")
    return {**found, "opset": ("int", DEFAULT_OPSET), "lowering": ("Lowering", "auto"), "verify": ("bool", False)}


def signature_of(operator: Operator[..., Any]) -> inspect.Signature:
    """Shape or plan in the place of the array, then all arguments, which a plan would bring with it, and options."""
    kept = [_Parameter("shape", _Parameter.POSITIONAL_OR_KEYWORD, annotation="Dims | Plan")]
    for name in operator.others:
        given = operator.parameters[name]
        if name == "dtype":
            given = given.replace(name="labels")
        if given.default is _Parameter.empty:
            given = given.replace(default=None, annotation=f"{given.annotation} | None")
        if name not in _LEFT_OUT:
            kept.append(given)
    for name, (kind, default) in _options(operator.name).items():
        kept.append(_Parameter(name, _Parameter.KEYWORD_ONLY, default=default, annotation=kind))
    return inspect.Signature(kept, return_annotation="onnx.ModelProto")


def _export(operator: Operator[..., Any], given: dict[str, Any]) -> onnx.ModelProto:
    """The model: plan for known sizes (others stand in for unknown ones), append, check, and verify."""
    op, shape = operator.name, given.pop("shape")
    options = {name: given.pop(name) for name in _options(op)}
    subpixel = check.choice(op, "subpixel", options.get("subpixel", "conv"), SUBPIXEL)
    weights = _weights(op, given, shape) if "weight" in given else None
    check.choice(op, "lowering", options["lowering"], LOWERINGS)
    check.flag(op, "verify", options["verify"])
    plan, dims = _plan(operator, shape, given, options, weights)
    call = Call(options["lowering"], given, weights, subpixel)
    operands = tuple(weights or ())
    if isinstance(plan, ConvPlan):
        plan.check_operands(tuple(map(described, operands)))
    graph = Graph(options["opset"])
    x = graph.input("x", plan.dtype.newbyteorder("="), dims)
    _refuse_windows(plan, dims)
    cuts = plan.whole is not None and not isinstance(plan, _CUT)
    results = _writer(operator.row.onnx)(graph, x, plan.whole if cuts else plan, call)
    results = results if isinstance(results, list) else [results]
    if cuts:
        results = [layout.cut(graph, y, plan) for y in results]
    second = "confidence" if isinstance(plan, SegmentationPlan) else "indices"
    model = graph.model(*results, names=("y", second)[: len(results)])
    if options["verify"]:
        self_check.compare(model, plan, operands=operands)
    return model


@functools.cache
def _writer(place: str) -> Callable[[Graph, Value, Any, Call], Any]:
    module, _, name = place.partition(".")
    writer: Callable[..., Any] = getattr(importlib.import_module(f"fastup.export.operators.{module}"), name)
    return writer


def _plan(
    operator: Operator[..., Any], shape: Any, given: dict[str, Any], options: dict[str, Any], weights: Weights | None
) -> tuple[Plan, tuple[Dim, ...]]:
    """The plan, and the shape that the graph's input has."""
    op = operator.name
    if isinstance(shape, Plan):
        if shape.operator != op:
            check.invalid(f"{op}: shape must be a shape or a plan of {op}, got a plan of {shape.operator}")
        return shape, shape.input_shape
    dims = dims_of(op, shape)
    stand_in = _stand_in(given, weights)
    known = tuple(stand_in if isinstance(dim, str) else dim for dim in dims)
    call = {("dtype" if name == "labels" else name): value for name, value in given.items()}
    if weights is None:
        return operator.plan_of(Operand(known, check.dtype(op, options["dtype"])), **call), dims
    call |= {"weight": weights.weight, "bias": weights.bias}
    if weights.slopes is not None:
        call["activation"] = ("prelu", weights.slopes)
    return operator.plan_of(Operand(known, weights.weight.dtype), **call), dims


def _weights(op: str, given: dict[str, Any], shape: Any) -> Weights:
    """The constants of a convolution's graph."""
    rank = int(op[-2])
    arrays = (given["weight"], given["bias"], with_slopes(given["activation"])[1])
    weights = Weights(*(_array(name, one) for name, one in zip(("weight", "bias", "slopes"), arrays, strict=True)))
    if weights.weight is None:
        raise TypeError(f"{op}: weight must be an array, got None")
    last = check.choice(op, "data_format", given["data_format"], check.DATA_FORMATS) == "channels_last"
    channel = -1 if last else -rank - 1
    symbolic = isinstance(shape, (tuple, list)) and any(isinstance(dim, str) for dim in tuple(shape)[-rank - 1 :])
    if symbolic and given.get("output_size") is not None:
        reason = "output_size needs known spatial sizes; output_padding exports this call"
        raise UnsupportedExport(f"{op}: {reason}")
    if symbolic and len(shape) >= -channel and isinstance(shape[channel], str):
        raise UnsupportedExport(f"{op}: channels must be a number, got {shape[channel]!r}")
    if len(weights.weight.shape) != rank + 2:
        check.invalid(f"{op}: weight must have {rank + 2} dimensions, got shape {weights.weight.shape}")
    check.floats(op, "weight", weights.weight.dtype)
    return weights


def _array(name: str, value: Any) -> Any:
    value = held(name, value)
    return value.array if isinstance(value, PackedWeight) else value


def _stand_in(given: Mapping[str, Any], weights: Weights | None) -> int:
    """A size in the place of one that is not known: kernels fit it, factors divide it, and scales leave a pixel."""
    if weights is not None:
        return max(16, *(8 * int(extent) for extent in weights.weight.shape[2:]))
    factor = given.get("upscale_factor", given.get("downscale_factor"))
    if factor is not None:
        factors = factor if isinstance(factor, (tuple, list)) else (factor, factor)
        whole = [int(entry) for entry in factors if isinstance(entry, (int, np.integer)) and entry > 0]
        return math.prod(whole)
    scale = given.get("scale_factor")
    entries = scale if isinstance(scale, (tuple, list)) else (scale,)
    smallest = min((float(e) for e in entries if isinstance(e, (int, float, np.number)) and 1e-9 < e < 1), default=1.0)
    least = 32 if "kernel_size" in given else 16
    return max(least, math.ceil(2 / smallest))


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
