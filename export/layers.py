"""Layers as models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import onnx

from fastup import nn
from fastup.export._exporters import interpolate, pixel_shuffle, pixel_unshuffle
from fastup.export.graph import DEFAULT_OPSET, UnsupportedExport


def _upsample(layer: nn.Upsample, shape: Any, **options: Any) -> onnx.ModelProto:
    return interpolate(
        shape,
        layer.size,
        layer.scale_factor,
        layer.mode,
        layer.align_corners,
        layer.recompute_scale_factor,
        **options,
    )


_EXPORTERS: dict[type[nn.Module], Callable[..., onnx.ModelProto]] = {
    nn.PixelShuffle: lambda layer, shape, **options: pixel_shuffle(shape, layer.upscale_factor, **options),
    nn.PixelUnshuffle: lambda layer, shape, **options: pixel_unshuffle(shape, layer.downscale_factor, **options),
    nn.Upsample: _upsample,
}


def to_onnx(
    layer: nn.Module,
    input_shape: Any,
    *,
    dtype: Any = "float32",
    opset: int = DEFAULT_OPSET,
    lowering: str = "auto",
    verify: bool = False,
) -> onnx.ModelProto:
    """ONNX model of a layer.

    Parameters
    ----------
    layer : fastup.nn.Module
        The layer.
    input_shape : tuple of int or str
        Shape of its input; names stand for dimensions known at run time only.
    dtype, opset, lowering, verify
        As in `fastup.export.pixel_shuffle`.

    Returns
    -------
    onnx.ModelProto
        With input "x" and output "y".

    Raises
    ------
    UnsupportedExport
        If the layer has no ONNX form.

    Examples
    --------
    >>> import fastup.nn, fastup.export
    >>> model = fastup.export.to_onnx(fastup.nn.PixelShuffle(2), ("N", 4, "H", "W"))
    >>> [node.op_type for node in model.graph.node]
    ['DepthToSpace']
    """
    for kind in type(layer).__mro__:
        if exporter := _EXPORTERS.get(kind):
            return exporter(layer, input_shape, dtype=dtype, opset=opset, lowering=lowering, verify=verify)
    raise UnsupportedExport(f"to_onnx: layer must be one of fastup.nn, got {type(layer).__name__}")
