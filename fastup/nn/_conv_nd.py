"""The three kinds of convolution, each for any number of spatial axes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from fastup import operators
from fastup.nn._module import Array, Module, Parameter, dtype_of, initial, room_for
from fastup.operators.argument_types import ArrayT, DType, Ints, Padding
from fastup.plan import check, conv_arguments
from fastup.plan.operands import PackedWeight


class _PackedParameter(Parameter):
    """A weight; it is packed anew when it is assigned, and the pack's array is the one that the layer shows."""

    def kept(self, layer: Module, array: Array) -> Array:
        packed = operators.pack_weight(array)
        layer.__dict__["packed_weight"] = packed
        return packed.array


class Convolution(Module):
    """What all convolutions share: weight, bias, and a call that can take folded ones and an activation."""

    rank: ClassVar[int]
    weight = _PackedParameter()
    bias = Parameter()
    packed_weight: PackedWeight

    in_channels: int
    out_channels: int
    kernel_size: tuple[int, ...]

    def _set_channels(self, in_channels: Any, out_channels: Any, kernel_size: Ints, groups: Any = 1) -> None:
        op = type(self).__name__
        self.in_channels = check.integer(op, "in_channels", in_channels)
        self.out_channels = check.integer(op, "out_channels", out_channels)
        self.kernel_size = self._per_axis("kernel_size", kernel_size)
        self.groups = check.integer(op, "groups", groups)
        for name in ("in_channels", "out_channels"):
            if getattr(self, name) % self.groups:
                check.invalid(f"{op}: {name} must be divisible by groups {self.groups}, got {getattr(self, name)}")

    def _set_parameters(self, first: int, second: int, biases: int, bias: Any, dtype: Any) -> None:
        op = type(self).__name__
        shape, kind = (first, second, *self.kernel_size), dtype_of(op, dtype)
        room_for(op, shape, kind)
        self.weight = initial(shape, shape, kind)
        self.bias = initial(shape, (biases,), kind) if check.flag(op, "bias", bias) else None

    def _per_axis(self, name: str, value: Any, minimum: int = 1) -> tuple[int, ...]:
        return check.per_axis(type(self).__name__, name, value, self.rank, minimum)

    def _padding(self, padding: Any) -> Any:
        """Numbers per axis; pairs (before, after) and the words that the operator knows stay as they are."""
        if isinstance(padding, str) or (check.is_sequence(padding) and any(map(check.is_sequence, padding))):
            word = isinstance(padding, str)
            pads = conv_arguments.pads(type(self).__name__, padding, self.rank, ((1,) * self.rank,) * 3)
            return padding if word else pads
        return self._per_axis("padding", padding, minimum=0)

    def forward(self, x: ArrayT) -> ArrayT:
        """Apply the layer."""
        result: ArrayT = self.apply(x, self.packed_weight, self.bias, None)
        return result

    def apply(self, x: Any, weight: Any, bias: Any, activation: Any, factor: Any = None) -> Any:
        """The layer with this weight, this bias and this activation, shuffled by `factor` if there is one."""
        raise TypeError(f"{type(self).__name__}: a convolution must define apply")

    def per_output(self, values: Array) -> Array:
        """One number per output channel, spread over what `bias` counts."""
        return values

    def scaled(self, scale: Array) -> Array:
        """The weight with each output channel times a number, in float64."""
        column: Array = scale.reshape(-1, *(1,) * (self.rank + 1))
        result: Array = self.weight.astype(np.float64) * column
        return result


class ConvNd(Convolution):
    """Convolution with torch's arguments; its rank comes with the subclass."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Ints,
        stride: Ints = 1,
        padding: Padding = 0,
        dilation: Ints = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        dtype: DType | None = None,
    ) -> None:
        op = type(self).__name__
        self._set_channels(in_channels, out_channels, kernel_size, groups)
        self.stride = self._per_axis("stride", stride)
        self.padding = self._padding(padding)
        self.dilation = self._per_axis("dilation", dilation)
        if isinstance(padding, str) and padding == "same":
            conv_arguments.same(op, self.kernel_size, self.stride, self.dilation)
        self.padding_mode = check.choice(op, "padding_mode", padding_mode, ("zeros",))
        self._set_parameters(self.out_channels, self.in_channels // self.groups, self.out_channels, bias, dtype)

    def apply(self, x: Any, weight: Any, bias: Any, activation: Any, factor: Any = None) -> Any:
        """The layer with this weight, this bias and this activation, shuffled by `factor` if there is one."""
        if factor is not None:
            shuffled = getattr(operators, f"subpixel_conv{self.rank}d")
            return shuffled(x, weight, bias, upscale_factor=factor, padding=self.padding, activation=activation)
        function = getattr(operators, f"conv{self.rank}d")
        arguments = (self.stride, self.padding, self.dilation, self.groups)
        return function(x, weight, bias, *arguments, activation=activation)

    def extra_repr(self) -> str:
        """The arguments, as the repr shows them."""
        return _arguments(self)


class ConvTransposeNd(Convolution):
    """Transposed convolution with torch's arguments, in torch's order."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Ints,
        stride: Ints = 1,
        padding: Ints = 0,
        output_padding: Ints = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Ints = 1,
        padding_mode: str = "zeros",
        *,
        dtype: DType | None = None,
    ) -> None:
        self._set_channels(in_channels, out_channels, kernel_size, groups)
        self.stride = self._per_axis("stride", stride)
        self.padding = self._per_axis("padding", padding, minimum=0)
        self.output_padding = self._per_axis("output_padding", output_padding, minimum=0)
        self.dilation = self._per_axis("dilation", dilation)
        self.padding_mode = check.choice(type(self).__name__, "padding_mode", padding_mode, ("zeros",))
        self._set_parameters(self.in_channels, self.out_channels // self.groups, self.out_channels, bias, dtype)

    def forward(self, x: ArrayT, output_size: Ints | None = None) -> ArrayT:
        """Apply the layer; `output_size` takes the place of the output padding."""
        result: ArrayT = self.apply(x, self.packed_weight, self.bias, None, output_size=output_size)
        return result

    def apply(
        self, x: Any, weight: Any, bias: Any, activation: Any, factor: Any = None, *, output_size: Ints | None = None
    ) -> Any:
        """The layer with this weight, this bias and this activation; no shuffle follows it in one pass."""
        function = getattr(operators, f"conv_transpose{self.rank}d")
        more = self.output_padding if output_size is None else 0
        return function(
            x,
            weight,
            bias,
            self.stride,
            self.padding,
            more,
            self.groups,
            self.dilation,
            output_size=output_size,
            activation=activation,
        )

    def scaled(self, scale: Array) -> Array:
        """The weight with each output channel times a number, in float64; the channels stand within the groups."""
        split = self.weight.astype(np.float64).reshape(self.groups, -1, *self.weight.shape[1:])
        column = scale.reshape(self.groups, 1, -1, *(1,) * self.rank)
        result: Array = (split * column).reshape(self.weight.shape)
        return result

    def extra_repr(self) -> str:
        """The arguments, as the repr shows them."""
        return _arguments(self)


class SubPixelConvNd(Convolution):
    """Convolution into phases, and their shuffle; a convolution within a layer of torch gives its state."""

    other_keys: ClassVar[Mapping[str, str]] = {"weight": "conv.weight", "bias": "conv.bias"}

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        upscale_factor: Ints,
        kernel_size: Ints = 3,
        padding: Padding = "same",
        bias: bool = True,
        *,
        dtype: DType | None = None,
    ) -> None:
        self._set_channels(in_channels, out_channels, kernel_size)
        self.upscale_factor = self._per_axis("upscale_factor", upscale_factor)
        self.padding = self._padding(padding)
        phases = self.out_channels * math.prod(self.upscale_factor)
        self._set_parameters(phases, self.in_channels, phases, bias, dtype)

    def apply(self, x: Any, weight: Any, bias: Any, activation: Any, factor: Any = None) -> Any:
        """The layer with this weight, this bias and this activation; it has a shuffle of its own."""
        function = getattr(operators, f"subpixel_conv{self.rank}d")
        return function(
            x, weight, bias, upscale_factor=self.upscale_factor, padding=self.padding, activation=activation
        )

    def per_output(self, values: Array) -> Array:
        """One number per output channel, spread over its phases."""
        return np.repeat(values, math.prod(self.upscale_factor))

    def scaled(self, scale: Array) -> Array:
        """The weight with each output channel times a number, in float64; all phases of a channel alike."""
        return super().scaled(self.per_output(scale))

    def extra_repr(self) -> str:
        """The arguments, as the repr shows them."""
        return _arguments(self)


# Arguments that the repr shows always, or unless they have their default for every axis.
_SHOWN = {"upscale_factor": None, "kernel_size": None, "stride": None, "padding": 0, "dilation": 1, "output_padding": 0}


def _arguments(layer: Any) -> str:
    words = [f"{layer.in_channels}, {layer.out_channels}"]
    for name, default in _SHOWN.items():
        value = getattr(layer, name, None)
        if value is not None and value != (default,) * layer.rank:
            words.append(f"{name}={value}")
    if layer.groups != 1:
        words.append(f"groups={layer.groups}")
    return ", ".join(words) + (", bias=False" if layer.bias is None else "")
