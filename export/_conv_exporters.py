"""The exporters of convolutions: weights are constants of the graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import onnx

from fastup.arrays import held
from fastup.export._exporters import export
from fastup.export.graph import DEFAULT_OPSET, Graph, UnsupportedExport, Value
from fastup.export.operators.convolution import SUBPIXEL, append
from fastup.export.operators.weights import Weights
from fastup.plan import ConvPlan, check
from fastup.plan.conv_arguments import with_slopes
from fastup.plan.convolution import make_conv, make_conv_transpose, make_subpixel_conv
from fastup.plan.documented import documented
from fastup.plan.operands import PackedWeight, described

_PARAMETERS = """shape : tuple of int or str, or fastup.plan.Plan
            Shape of the input; batch and spatial dimensions may be names. A plan brings all other arguments with it,
            but for weight and bias.
        weight, bias : array
            As in `fastup.<name>`; constants of the graph. Their dtype is the input's."""
_REST = """opset, verify
            As in `fastup.export.pixel_shuffle`.
        lowering : {"auto", "native", "portable"}
            "native": ONNX's operator, in float32 for halves. "portable": Gather with the plan's own table, and MatMul.
            "auto": native, and portable for float64, which onnxruntime cannot convolve, where the table is at most
            1 MB.

        Returns
        -------
        onnx.ModelProto
            With input "x" and output "y".

        Raises
        ------
        UnsupportedExport
            If the lowering cannot express the call.
        VerificationError
            If `verify` finds a difference."""


def _written(op: str, rank: int) -> Callable[[Callable[..., onnx.ModelProto]], Callable[..., onnx.ModelProto]]:
    dims = ", ".join(f'"{letter}"' for letter in "DHW"[3 - rank :])
    return documented(op, rank, parameters=_PARAMETERS, rest=_REST, dims=dims)


def _conv_like(
    op: str, shape: Any, make: Callable[..., ConvPlan], weights: tuple[Any, Any, Any], **options: Any
) -> onnx.ModelProto:
    """The model of a convolution; `make` plans it for known sizes."""
    subpixel = check.choice(op, "subpixel", options.pop("subpixel", "conv"), SUBPIXEL)
    weight, bias, slopes = (_array(name, one) for name, one in zip(("weight", "bias", "slopes"), weights, strict=True))
    if weight is None:
        raise TypeError(f"{op}: weight must be an array, got None")
    last = check.choice(op, "data_format", options.pop("data_format"), check.DATA_FORMATS) == "channels_last"
    channel = -1 if last else -int(op[-2]) - 1
    if isinstance(shape, (tuple, list)) and len(shape) >= -channel and isinstance(shape[channel], str):
        raise UnsupportedExport(f"{op}: channels must be a number, got {shape[channel]!r}")
    operands = (weight, bias, slopes)

    def write(graph: Graph, x: Value, plan: ConvPlan, lowering: str) -> Value:
        plan.check_operands(tuple(map(described, operands)))
        return append(graph, x, plan, lowering, Weights(*operands), subpixel)

    def planned(known: tuple[int, ...]) -> ConvPlan:
        return make(known, weight.dtype, *map(described, operands))

    if len(weight.shape) != int(op[-2]) + 2:
        check.invalid(f"{op}: weight must have {int(op[-2]) + 2} dimensions, got shape {weight.shape}")
    check.floats(op, "weight", weight.dtype)
    stand_in = max(16, *(8 * extent for extent in weight.shape[2:]))
    return export(op, shape, planned, stand_in, write, operands=operands, **options)


def _array(name: str, value: Any) -> Any:
    value = held(name, value)
    return value.array if isinstance(value, PackedWeight) else value


def _conv(rank: int) -> Callable[..., onnx.ModelProto]:
    op = f"conv{rank}d"

    @_written(op, rank)
    def conv(
        shape: Any, weight: Any = None, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
        groups: int = 1, *, activation: Any = None, window: Any = None, data_format: str = "channels_first",
        opset: int = DEFAULT_OPSET, lowering: str = "auto", verify: bool = False,
    ) -> onnx.ModelProto:  # fmt: skip
        """ONNX model of `fastup.<name>`: Conv.

        Parameters
        ----------
        <parameters>
        stride, padding, dilation, groups, activation, window, data_format
            As in `fastup.<name>`.
        <rest>

        Examples
        --------
        >>> import numpy as np, fastup.export
        >>> w = np.ones((2, 1, *(3,) * <rank>), np.float32)
        >>> model = fastup.export.<name>(("N", 1, <dims>), w, stride=2)
        >>> model.graph.node[0].op_type
        'Conv'
        """
        known, slopes = with_slopes(activation)
        rest = (stride, padding, dilation, groups, known, data_format, window)

        def make(known_shape: Any, dtype: Any, weight: Any, bias: Any, slopes: Any) -> ConvPlan:
            return make_conv(op, known_shape, dtype, weight, bias, slopes, *rest)

        options = {"data_format": data_format, "opset": opset, "lowering": lowering, "verify": verify}
        return _conv_like(op, shape, make, (weight, bias, slopes), **options)

    return conv


def _conv_transpose(rank: int) -> Callable[..., onnx.ModelProto]:
    op = f"conv_transpose{rank}d"

    @_written(op, rank)
    def conv_transpose(
        shape: Any, weight: Any = None, bias: Any = None, stride: Any = 1, padding: Any = 0, output_padding: Any = 0,
        groups: int = 1, dilation: Any = 1, *, output_size: Any = None, activation: Any = None,
        window: Any = None, data_format: str = "channels_first", opset: int = DEFAULT_OPSET, lowering: str = "auto",
        verify: bool = False,
    ) -> onnx.ModelProto:  # fmt: skip
        """ONNX model of `fastup.<name>`: ConvTranspose.

        Parameters
        ----------
        <parameters>
        stride, padding, output_padding, groups, dilation, output_size, activation, window, data_format
            As in `fastup.<name>`.
        <rest>

        Examples
        --------
        >>> import numpy as np, fastup.export
        >>> w = np.ones((1, 2, *(4,) * <rank>), np.float32)
        >>> model = fastup.export.<name>(("N", 1, <dims>), w, stride=2, padding=1)
        >>> model.graph.node[0].op_type
        'ConvTranspose'
        """
        known, slopes = with_slopes(activation)
        rest = (stride, padding, output_padding, groups, dilation, output_size, known, data_format, window)

        def make(known_shape: Any, dtype: Any, weight: Any, bias: Any, slopes: Any) -> ConvPlan:
            return make_conv_transpose(op, known_shape, dtype, weight, bias, slopes, *rest)

        if output_size is not None and any(isinstance(dim, str) for dim in tuple(shape)[-rank - 1 :]):
            reason = "output_size needs known spatial sizes; output_padding exports this call"
            raise UnsupportedExport(f"{op}: {reason}")
        options = {"data_format": data_format, "opset": opset, "lowering": lowering, "verify": verify}
        return _conv_like(op, shape, make, (weight, bias, slopes), **options)

    return conv_transpose


def _subpixel_conv(rank: int) -> Callable[..., onnx.ModelProto]:
    op = f"subpixel_conv{rank}d"

    @_written(op, rank)
    def subpixel_conv(
        shape: Any, weight: Any = None, bias: Any = None, *, upscale_factor: Any = None, padding: Any = 0,
        activation: Any = None, window: Any = None, data_format: str = "channels_first", subpixel: str = "conv",
        opset: int = DEFAULT_OPSET, lowering: str = "auto", verify: bool = False,
    ) -> onnx.ModelProto:  # fmt: skip
        """ONNX model of `fastup.<name>`: Conv and DepthToSpace, or the transposed convolution that is the same.

        Parameters
        ----------
        <parameters>
        upscale_factor, padding, activation, window, data_format
            As in `fastup.<name>`.
        subpixel : {"conv", "conv_transpose"}
            Write the convolution and the shuffle, or the transposed convolution that is the same.
        <rest>

        Examples
        --------
        >>> import numpy as np, fastup.export
        >>> w = np.ones((2**<rank>, 1, *(3,) * <rank>), np.float32)
        >>> model = fastup.export.<name>(("N", 1, <dims>), w, upscale_factor=2, padding=1)
        >>> model.graph.node[0].op_type
        'Conv'
        """
        known, slopes = with_slopes(activation)

        def make(known_shape: Any, dtype: Any, weight: Any, bias: Any, slopes: Any) -> ConvPlan:
            return make_subpixel_conv(
                op, known_shape, dtype, weight, bias, slopes, upscale_factor, padding, known, data_format, window
            )

        options = {"data_format": data_format, "opset": opset, "lowering": lowering, "verify": verify}
        return _conv_like(op, shape, make, (weight, bias, slopes), subpixel=subpixel, **options)

    return subpixel_conv


conv1d, conv2d, conv3d = map(_conv, (1, 2, 3))
conv_transpose1d, conv_transpose2d, conv_transpose3d = map(_conv_transpose, (1, 2, 3))
subpixel_conv1d, subpixel_conv2d, subpixel_conv3d = map(_subpixel_conv, (1, 2, 3))
