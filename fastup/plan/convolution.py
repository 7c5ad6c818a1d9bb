"""Arguments -> plan of convolution, transposed convolution and sub-pixel convolution: phases along each axis."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from fastup.plan import activations, check, phases
from fastup.plan import conv_arguments as arguments
from fastup.plan.activations import Activation
from fastup.plan.cache import cached
from fastup.plan.channel_shapes import BatchedPlan, channels_of, space_of, with_space
from fastup.plan.conv_arguments import Pairs
from fastup.plan.operands import Operand
from fastup.plan.phases import PhasedAxis
from fastup.plan.windows import Window


@dataclass(frozen=True)
class ConvPlan(BatchedPlan):
    """Phases of stride-1 convolutions of one input, interleaved.

    Attributes
    ----------
    weight_shape : tuple of int
        As torch has it: (out, in / groups, ...); transposed (in, out / groups, ...); sub-pixel (out * phases, in, ...).
    stride, dilation, output_padding : tuple of int
        One per spatial axis; the stride of a sub-pixel convolution is its upscale factor.
    padding : tuple of (int, int)
        Before and after, per spatial axis.
    groups : int
    activation : (str, float)
        Name, and the slope below zero that leaky_relu has.
    axes : tuple of PhasedAxis
        What each spatial axis reads.
    """

    weight_shape: tuple[int, ...]
    stride: tuple[int, ...]
    padding: Pairs
    output_padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int
    activation: Activation
    axes: tuple[PhasedAxis, ...] = field(compare=False, repr=False)

    @property
    def kind(self) -> str:
        """The operator without its rank: "conv", "conv_transpose" or "subpixel_conv"."""
        return self.operator[:-2]

    @property
    def kernel_size(self) -> tuple[int, ...]:
        """Extents of the kernel."""
        return self.weight_shape[2:]

    @property
    def in_channels(self) -> int:
        """Channels of the input."""
        return self.input_shape[self.channel_axis]

    @property
    def out_channels(self) -> int:
        """Channels of the result."""
        return self.output_shape[self.channel_axis]

    def reads(self, window: Window) -> Window:
        """The input positions, from and to per spatial axis, that these positions of the whole result need."""
        return tuple(phases.reads(phases.window(axis, *w)) for axis, w in zip(self.axes, window, strict=True))

    def windowed_fields(self, window: Window, part: Window | None) -> dict[str, Any]:
        """The phases of the window, counted in the part."""
        axes = tuple(phases.window(axis, *w) for axis, w in zip(self.axes, window, strict=True))
        if part is not None:
            axes = tuple(phases.on_part(axis, *p) for axis, p in zip(axes, part, strict=True))
        return {"axes": axes}

    def check_operands(self, given: tuple[Operand | None, ...]) -> None:
        """Refuse anything but a weight, a bias and slopes that this plan was made for."""
        weight, bias, slopes = (*given, None, None, None)[:3]
        if weight is None or weight.shape != self.weight_shape or len(given) > 3:
            shapes = [None if one is None else one.shape for one in given]
            check.invalid(
                f"run: operands must be a weight of shape {self.weight_shape}, a bias and slopes, got shapes {shapes}"
            )
        biases = weight.shape[0] if self.kind == "subpixel_conv" else self.out_channels
        arguments.check_operands("run", self.dtype, weight, bias, slopes, (biases, self.out_channels))
        activations.normalised("run", self.activation[0], slopes)


@cached
def make_conv(
    op: str,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    weight: Operand,
    bias: Operand | None,
    slopes: Operand | None,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: Any,
    activation: Any,
    window: Any,
    data_format: Any,
) -> ConvPlan:
    """The plan of `fastup.conv1d` and its siblings."""
    rank = int(op[-2])
    kernel = arguments.kernel_size(op, weight, rank)
    strides = check.per_axis(op, "stride", stride, rank)
    dilations = check.per_axis(op, "dilation", dilation, rank)
    groups = check.integer(op, "groups", groups)
    pads = arguments.pads(op, padding, rank, (kernel, strides, dilations))
    arguments.check_operands(op, dtype, weight, bias, slopes, (weight.shape[0],) * 2)
    act = activations.normalised(op, activation, slopes)
    numbers = _Numbers(strides, pads, (0,) * rank, dilations, groups)
    return _planned(op, shape, dtype, weight.shape, numbers, act, data_format).cut(window)


@cached
def make_conv_transpose(
    op: str,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    weight: Operand,
    bias: Operand | None,
    slopes: Operand | None,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: Any,
    dilation: Any,
    output_size: Any,
    activation: Any,
    window: Any,
    data_format: Any,
) -> ConvPlan:
    """The plan of `fastup.conv_transpose1d` and its siblings."""
    rank = int(op[-2])
    kernel = arguments.kernel_size(op, weight, rank)
    strides = check.per_axis(op, "stride", stride, rank)
    dilations = check.per_axis(op, "dilation", dilation, rank)
    groups = check.integer(op, "groups", groups)
    pads = arguments.pads(op, padding, rank)
    more = check.per_axis(op, "output_padding", output_padding, rank, minimum=0)
    if output_size is not None:
        if any(more):
            check.invalid(f"{op}: output_padding must be 0 where output_size is given, got {output_padding!r}")
        space = space_of(op, shape, rank, check.choice(op, "data_format", data_format, check.DATA_FORMATS))
        more = arguments.output_padding(op, output_size, shape, space, kernel, strides, pads, dilations)
    for m, s, d in zip(more, strides, dilations, strict=True):
        if m >= max(s, d):
            check.invalid(
                f"{op}: output_padding must be smaller than stride or dilation, got {more} "
                f"with stride {strides} and dilation {dilations}"
            )
    arguments.check_operands(op, dtype, weight, bias, slopes, (weight.shape[1] * groups,) * 2)
    act = activations.normalised(op, activation, slopes)
    numbers = _Numbers(strides, pads, more, dilations, groups)
    return _planned(op, shape, dtype, weight.shape, numbers, act, data_format).cut(window)


@cached
def make_subpixel_conv(
    op: str,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    weight: Operand,
    bias: Operand | None,
    slopes: Operand | None,
    upscale_factor: Any,
    padding: Any,
    activation: Any,
    window: Any,
    data_format: Any,
) -> ConvPlan:
    """The plan of `fastup.subpixel_conv1d` and its siblings."""
    rank = int(op[-2])
    kernel = arguments.kernel_size(op, weight, rank)
    factors = check.per_axis(op, "upscale_factor", upscale_factor, rank)
    ones = (1,) * rank
    pads = arguments.pads(op, padding, rank, (kernel, ones, ones))
    if weight.shape[0] % math.prod(factors):
        check.invalid(
            f"{op}: output channels of weight must be divisible by {math.prod(factors)} for upscale_factor {factors}, "
            f"got {weight.shape[0]}"
        )
    channels = weight.shape[0] // math.prod(factors)
    arguments.check_operands(op, dtype, weight, bias, slopes, (weight.shape[0], channels))
    act = activations.normalised(op, activation, slopes)
    numbers = _Numbers(factors, pads, (0,) * rank, ones, 1)
    return _planned(op, shape, dtype, weight.shape, numbers, act, data_format).cut(window)


class _Numbers(NamedTuple):
    """What a convolution is told per spatial axis, and its groups, as a plan holds them."""

    stride: tuple[int, ...]
    padding: Pairs
    output_padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int


def _planned(
    op: str, shape: tuple[int, ...], dtype: np.dtype[Any], weight_shape: tuple[int, ...], numbers: _Numbers,
    activation: Activation, data_format: str,
) -> ConvPlan:  # fmt: skip
    check.choice(op, "data_format", data_format, check.DATA_FORMATS)
    rank, kernel = len(weight_shape) - 2, weight_shape[2:]
    space = space_of(op, shape, rank, data_format)
    channels = channels_of(shape, rank, data_format)
    out_channels = arguments.channels(op, shape, channels, weight_shape, numbers.groups)
    if op.startswith("subpixel_conv"):
        out_channels //= math.prod(numbers.stride)
    axes = _axes(op[:-2], space, kernel, numbers)
    if any(axis.n_out < 1 for axis in axes):
        arguments.refuse_size(op, shape, kernel, numbers.padding, numbers.dilation, axes)
    extents = tuple(axis.n_out for axis in axes)
    output_shape = with_space(shape, out_channels, extents, data_format)
    check.size_in_memory(op, output_shape, dtype)
    return ConvPlan(op, shape, dtype, data_format, output_shape, weight_shape, *numbers, activation, axes)


def _axes(kind: str, space: tuple[int, ...], kernel: tuple[int, ...], numbers: _Numbers) -> tuple[PhasedAxis, ...]:
    each = zip(space, kernel, *numbers[:4], strict=True)
    if kind == "conv":
        return tuple(phases.convolution(n, k, s, p, d) for n, k, s, p, _, d in each)
    if kind == "conv_transpose":
        return tuple(phases.transposed(*one) for one in each)
    return tuple(phases.sub_pixel(n, k, s, p) for n, k, s, p, _, _ in each)
