"""Activation functions as nodes: one writer for each, for convolutions and for layers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from fastup.export.graph import Graph, UnsupportedExport, Value
from fastup.plan.activations import RECORDS

_GELU, _HARDSWISH = 20, 14  # opsets that have these operators
_THRESHOLD = 20  # from which on softplus is the identity, as in torch
_IN_HALVES = ("relu", "leaky_relu", "tanh", "sigmoid")  # what every runtime computes in half precision


def append(graph: Graph, x: Value, name: str, number: float, slopes: Any = None) -> Value:
    """Append a function by its record's name; `slopes` is one number per channel of (N, C, *space), or one for all."""
    if slopes is not None:
        slopes = np.asarray(slopes, x.dtype)
        slopes = graph.const(slopes.reshape(-1, *(1,) * (len(x.shape) - 2)), x.dtype)
    function = RECORDS[name].computed_by
    if x.dtype.itemsize == 2 and function not in _IN_HALVES:
        return graph.cast(WRITERS[function](graph, graph.cast(x, np.float32), number, slopes), x.dtype)
    return WRITERS[function](graph, x, number, slopes)


def _native(operator: str) -> Callable[[Graph, Value, float, Value | None], Value]:
    return lambda graph, x, number, slopes: graph.op(operator, x)


def _scaled(graph: Graph, x: Value, factor: float) -> Value:
    return graph.op("Mul", x, graph.const(factor, x.dtype))


def _leaky_relu(graph: Graph, x: Value, slope: float, slopes: Value | None) -> Value:
    if x.dtype == np.float64:  # onnxruntime has neither operator in float64
        zero = graph.const(0, x.dtype)
        factor = graph.const(slope, x.dtype) if slopes is None else slopes
        below = graph.op("Mul", graph.op("Min", x, zero), factor)
        return graph.op("Add", graph.op("Max", x, zero), below)
    return graph.op("LeakyRelu", x, alpha=slope) if slopes is None else graph.op("PRelu", x, slopes)


def _silu(graph: Graph, x: Value, number: float, slopes: Value | None) -> Value:
    if x.dtype == np.float64:  # onnxruntime 1.20 fuses the product into an operator that it has in float32 only
        return graph.op("Div", x, graph.op("Add", graph.op("Exp", graph.op("Neg", x)), graph.const(1, x.dtype)))
    return graph.op("Mul", x, graph.op("Sigmoid", x))


def _gelu(graph: Graph, x: Value, number: float, slopes: Value | None) -> Value:
    if x.dtype == np.float64:
        reason = "onnxruntime has no float64 kernel of Erf; activation='gelu_tanh' or float32 exports this call"
        raise UnsupportedExport(f"gelu: {reason}")
    if graph.opset >= _GELU:
        return graph.op("Gelu", x)
    grown = graph.op("Add", graph.op("Erf", _scaled(graph, x, math.sqrt(0.5))), graph.const(1, x.dtype))
    return _scaled(graph, graph.op("Mul", x, grown), 0.5)


def _gelu_tanh(graph: Graph, x: Value, number: float, slopes: Value | None) -> Value:
    if graph.opset >= _GELU and x.dtype != np.float64:  # of which onnxruntime's has the digits of a float32
        return graph.op("Gelu", x, approximate="tanh")
    bent = graph.op("Add", _scaled(graph, graph.op("Mul", x, x), 0.044715), graph.const(1, x.dtype))
    distance = _scaled(graph, graph.op("Mul", x, bent), math.sqrt(2 / math.pi))
    grown = graph.op("Add", graph.op("Tanh", distance), graph.const(1, x.dtype))
    return _scaled(graph, graph.op("Mul", x, grown), 0.5)


def _hardswish(graph: Graph, x: Value, number: float, slopes: Value | None) -> Value:
    if graph.opset >= _HARDSWISH and x.dtype != np.float64:
        return graph.op("HardSwish", x)
    raised = graph.clamp(graph.op("Add", x, graph.const(3, x.dtype)), 0, 6)
    return _scaled(graph, graph.op("Mul", x, raised), 1 / 6)


def _elu(graph: Graph, x: Value, alpha: float, slopes: Value | None) -> Value:
    if x.dtype != np.float64:
        return graph.op("Elu", x, alpha=alpha)
    zero = graph.const(0, x.dtype)  # Exp of what is not above 0, less 1
    below = graph.op("Sub", graph.op("Exp", graph.op("Min", x, zero)), graph.const(1, x.dtype))
    return graph.op("Add", graph.op("Max", x, zero), _scaled(graph, below, alpha))


def _softplus(graph: Graph, x: Value, beta: float, slopes: Value | None) -> Value:
    scaled = x if beta == 1 else _scaled(graph, x, beta)
    if x.dtype == np.float64:
        zero = graph.const(0, x.dtype)
        share = graph.op("Exp", graph.op("Neg", graph.op("Abs", scaled)))
        rest = graph.op("Log", graph.op("Add", share, graph.const(1, x.dtype)))
        y = graph.op("Add", graph.op("Max", scaled, zero), rest)
        above = graph.op("Greater", scaled, graph.const(_THRESHOLD, x.dtype), dtype=bool)
        y = graph.op("Where", above, scaled, y, shape=x.shape, dtype=x.dtype)  # which float32 does not see
    else:
        y = graph.op("Softplus", scaled)
    return y if beta == 1 else graph.op("Div", y, graph.const(beta, x.dtype))


WRITERS: dict[str, Callable[[Graph, Value, float, Value | None], Value]] = {
    "relu": _native("Relu"),
    "leaky_relu": _leaky_relu,
    "tanh": _native("Tanh"),
    "sigmoid": _native("Sigmoid"),
    "silu": _silu,
    "gelu": _gelu,
    "gelu_tanh": _gelu_tanh,
    "hardswish": _hardswish,
    "elu": _elu,
    "softplus": _softplus,
}
