"""Layers and networks as models: every layer appends its own nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx

from fastup import nn
from fastup import plan as plans
from fastup.export import self_check
from fastup.export.exporters import dims_of
from fastup.export.graph import DEFAULT_OPSET, Graph, UnsupportedExport, Value
from fastup.export.operators import activations as written
from fastup.export.operators import convolution, interpolation, pooling, shuffle
from fastup.export.operators.call import LOWERINGS, Call, Weights
from fastup.nn._activations import Activation
from fastup.nn._conv_nd import ConvNd, ConvTransposeNd, SubPixelConvNd
from fastup.nn._normalisation import BatchNorm
from fastup.nn._pooling import MaxPoolNd, MaxUnpoolNd
from fastup.operators.argument_types import Dims, DType, Lowering
from fastup.plan import activations, check
from fastup.plan.operands import Operand, described

_UNKNOWN = 720  # stands in for an extent that is known at run time only: divisible by all small factors


class _Walk:
    """A model under construction: the graph, and the indices that poolings left for unpoolings."""

    def __init__(self, graph: Graph, lowering: str) -> None:
        self.graph, self.lowering = graph, lowering
        self.indices: list[Value] = []

    def append(self, layer: nn.Module, x: Value) -> Value:
        """The layer's nodes; what no writer knows must consist of layers that run one after the other."""
        for kind in type(layer).__mro__:
            writer = _WRITERS.get(kind)
            if writer and type(layer).forward is getattr(
                kind, "forward", None
            ):  # else a subclass computes something of its own
                return writer(self, layer, x)
        raise UnsupportedExport(f"to_onnx: layer must be one of fastup.nn, got {type(layer).__name__}")


def _known(x: Value) -> tuple[int, ...]:
    return tuple(_UNKNOWN if isinstance(dim, str) else dim for dim in x.shape)


def _shuffle(walk: _Walk, layer: nn.PixelShuffle, x: Value) -> Value:
    plan = plans.pixel_shuffle(_known(x), x.dtype, layer.upscale_factor)
    return shuffle.append(walk.graph, x, plan, Call(walk.lowering))


def _unshuffle(walk: _Walk, layer: nn.PixelUnshuffle, x: Value) -> Value:
    plan = plans.pixel_unshuffle(_known(x), x.dtype, layer.downscale_factor)
    return shuffle.append(walk.graph, x, plan, Call(walk.lowering))


def _upsample(walk: _Walk, layer: nn.Upsample, x: Value) -> Value:
    options = (layer.mode, layer.align_corners, layer.recompute_scale_factor, layer.antialias)
    plan = plans.interpolate(_known(x), x.dtype, layer.size, layer.scale_factor, *options, rounding=layer.rounding)
    asked = {"scale_factor": layer.scale_factor, "rounding": layer.rounding}
    return interpolation.append(walk.graph, x, plan, Call(walk.lowering, asked))


# Operator without its rank, and which attributes of the layer its plan takes.
_CONVOLUTIONS: dict[type, tuple[str, tuple[str, ...]]] = {
    ConvNd: ("conv", ("stride", "padding", "dilation", "groups")),
    ConvTransposeNd: ("conv_transpose", ("stride", "padding", "output_padding", "groups", "dilation")),
    SubPixelConvNd: ("subpixel_conv", ("upscale_factor", "padding")),
}


def _convolution(walk: _Walk, layer: Any, x: Value) -> Value:
    kind, names = next(found for base, found in _CONVOLUTIONS.items() if isinstance(layer, base))
    make = getattr(plans, f"{kind}{layer.rank}d")
    plan = make(_known(x), x.dtype, layer.weight.shape, **{name: getattr(layer, name) for name in names})
    plan.check_operands(tuple(map(described, (layer.weight, layer.bias, None))))
    return convolution.append(walk.graph, x, plan, Call(walk.lowering, weights=Weights(layer.weight, layer.bias)))


def _pool(walk: _Walk, layer: Any, x: Value) -> Value:
    arguments = (layer.kernel_size, layer.stride, layer.padding, layer.dilation, layer.ceil_mode, layer.return_indices)
    plan = getattr(plans, f"max_pool{layer.rank}d")(_known(x), x.dtype, *arguments)
    values, *indices = pooling.append_pool(walk.graph, x, plan, Call(walk.lowering))
    walk.indices += indices
    return values


def _unpool(walk: _Walk, layer: Any, x: Value) -> Value:
    if not walk.indices:
        raise UnsupportedExport(f"{type(layer).__name__}: a pooling with return_indices must come before, got none")
    plan = getattr(plans, f"max_unpool{layer.rank}d")(
        _known(x), x.dtype, layer.kernel_size, layer.stride, layer.padding
    )
    return pooling.unpooled(walk.graph, x, walk.indices.pop(), plan, walk.lowering, False)


def _batch_norm(walk: _Walk, layer: BatchNorm, x: Value) -> Value:
    if layer.running_mean is None:
        raise UnsupportedExport(f"{type(layer).__name__}: running statistics must be there, got none")
    computed = x.dtype if x.dtype.itemsize > 2 else np.dtype(np.float32)
    ones, zeros = np.ones(layer.num_features), np.zeros(layer.num_features)
    arrays = (
        ones if layer.weight is None else layer.weight,
        zeros if layer.bias is None else layer.bias,
        layer.running_mean,
        layer.running_var,
    )
    inner = walk.graph.cast(x, computed)
    constants = [walk.graph.const(array, computed) for array in arrays]
    return walk.graph.cast(walk.graph.op("BatchNormalization", inner, *constants, epsilon=float(layer.eps)), x.dtype)


def _activation(walk: _Walk, layer: Any, x: Value) -> Value:
    given = layer.in_convolution
    if given is None:
        raise UnsupportedExport(f"to_onnx: {layer!r} has a threshold of its own, for which ONNX has no operator")
    name, slopes = activations.with_slopes(given)
    known = None if slopes is None else Operand(slopes.shape, slopes.dtype)
    return written.append(walk.graph, x, *activations.normalised("to_onnx", name, known), slopes)


def _sequence(walk: _Walk, layer: nn.Sequential, x: Value) -> Value:
    for inner in layer.children():
        x = walk.append(inner, x)
    return x


def _skip(walk: _Walk, layer: nn.Skip, x: Value) -> Value:
    inner = walk.append(layer.inner, x)
    channels = x.shape[1], inner.shape[1]
    if any(isinstance(count, str) for count in channels):
        raise UnsupportedExport(f"Skip: channels must be numbers, got {channels[0]!r} and {channels[1]!r}")
    total = sum(count for count in channels if isinstance(count, int))
    return walk.graph.op("Concat", x, inner, shape=(x.shape[0], total, *x.shape[2:]), axis=1)


_WRITERS: dict[type, Callable[[_Walk, Any, Value], Value]] = {
    nn.PixelShuffle: _shuffle,
    nn.PixelUnshuffle: _unshuffle,
    nn.Upsample: _upsample,
    ConvNd: _convolution,
    ConvTransposeNd: _convolution,
    SubPixelConvNd: _convolution,
    MaxPoolNd: _pool,
    MaxUnpoolNd: _unpool,
    BatchNorm: _batch_norm,
    Activation: _activation,
    nn.Identity: lambda _walk, _layer, x: x,
    nn.Sequential: _sequence,
    nn.Skip: _skip,
}


def to_onnx(
    layer: nn.Module,
    input_shape: Dims,
    *,
    dtype: DType = "float32",
    opset: int = DEFAULT_OPSET,
    lowering: Lowering = "auto",
    verify: bool = False,
) -> onnx.ModelProto:
    """ONNX model of a layer, or of a network of layers.

    Parameters
    ----------
    layer : fastup.nn.Module
        A layer, or layers in `Sequential` and `Skip`.
    input_shape : tuple of int or str
        Shape of its input, (N, C, *space); names stand for dimensions known at run time only.
    dtype : dtype
        Of the input; that of the parameters, where the layer has any.
    opset, lowering
        As in the exporters of the operators.
    verify : bool
        Run the model in onnxruntime and compare it with fastup, within 1e-4 of the largest value.

    Returns
    -------
    onnx.ModelProto
        With input "x" and output "y".

    Raises
    ------
    UnsupportedExport
        If a layer has no ONNX form.
    VerificationError
        If `verify` finds a difference.

    Examples
    --------
    >>> import fastup.nn, fastup.export
    >>> layers = fastup.nn.Sequential(fastup.nn.Conv2d(1, 4, 3, padding=1), fastup.nn.ReLU(), fastup.nn.PixelShuffle(2))
    >>> model = fastup.export.to_onnx(layers, ("N", 1, "H", "W"))
    >>> [node.op_type for node in model.graph.node]
    ['Conv', 'Relu', 'DepthToSpace']
    """
    check.choice("to_onnx", "lowering", lowering, LOWERINGS)
    dims = dims_of("to_onnx", input_shape)
    graph = Graph(opset)
    x = graph.input("x", check.dtype("to_onnx", dtype), dims)
    y = _Walk(graph, lowering).append(layer, x)
    model = graph.model(graph.op("Identity", y) if y is x else y)
    if verify:
        self_check.compare_layer(model, layer, tuple(64 if isinstance(dim, str) else dim for dim in dims), x.dtype)
    return model
