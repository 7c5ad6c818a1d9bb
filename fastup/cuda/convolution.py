"""Convolutions on a device: the phases of the plan, their taps and weights as lists."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from fastup.cuda import floats, memory
from fastup.cuda.copies import contiguous, copy
from fastup.cuda.kernels import conv
from fastup.cuda.memory import View
from fastup.plan import ConvPlan
from fastup.plan.operands import PackedWeight
from fastup.plan.phases import Phase, PhasedAxis, number_of

_ACTIVATIONS = {
    "relu": conv.RELU,
    "leaky_relu": conv.LEAKY_RELU,
    "prelu": conv.LEAKY_RELU,
    "tanh": conv.TANH,
    "sigmoid": conv.SIGMOID,
}
_ONE = PhasedAxis(1, 1, 1, 1, (Phase((0,), (0,)),))


def run(plan: ConvPlan, x: View, results: tuple[View, ...], operands: tuple[Any, ...]) -> None:
    """Fill the result."""
    weight, bias, slopes = (*operands, None, None)[:3]
    known = memory.kept(plan, "conv")
    if not known:
        known.append((memory.table(_table(plan)), _grid(plan)))
    table, grid = known[0]
    biases = plan.weight_shape[0] if plan.kind == "subpixel_conv" else plan.out_channels
    y = results[0]
    made, kind = floats.target(y), floats.computed_in(plan.dtype).name
    source, bias = floats.widened(contiguous(plan, x)), _numbers(plan, bias, biases, 0.0)
    arguments = (source, _weight(plan, weight), bias, made)
    memory.launch_blocks(conv.CONVS[kind], grid, conv.THREADS, table, *arguments)
    if plan.activation[0] != "none":
        slope = _numbers(plan, slopes, plan.out_channels, plan.activation[1])
        pixels = 1 if plan.data_format == "channels_last" else math.prod(plan.space(plan.output_shape))
        function = _ACTIVATIONS[plan.activation[0]]
        memory.launch(conv.activate, y.size, function, plan.out_channels, pixels, slope, made)
    floats.narrowed(made, y)


def _weight(plan: ConvPlan, weight: Any) -> Any:
    """The weight as floats; a packed one is brought to the device once."""
    if not isinstance(weight, PackedWeight):
        return floats.widened(contiguous(plan, weight))
    kind = floats.computed_in(plan.dtype)
    key = ("cuda", kind.name, memory.device())
    if key not in weight.packs:
        weight.packs[key] = memory.uploaded(weight.array.astype(kind).ravel())
    return weight.packs[key]


def _numbers(plan: ConvPlan, values: View | None, count: int, otherwise: float) -> Any:
    """One number per channel, as floats."""
    if values is None:
        return memory.uploaded(np.full(count, otherwise, floats.computed_in(plan.dtype)))
    flat = floats.widened(contiguous(plan, values))
    if values.size == count:
        return flat
    result = memory.view_of(memory.empty((count,), floats.computed_in(plan.dtype)))
    copy(plan, "slope", [(count, 0)], memory.view_of(flat), result)  # one for all channels
    return result.flat(result.dtype)[0]


def _axes(plan: ConvPlan) -> tuple[PhasedAxis, ...]:
    return (_ONE,) * (3 - plan.rank) + plan.axes


def _grid(plan: ConvPlan) -> tuple[int, int]:
    """Blocks of positions, and of phases, output channels, groups and images."""
    positions = math.prod(-(-axis.n_out // axis.up) for axis in _axes(plan))
    tiles = -(-plan.out_channels // plan.groups // conv.OUTPUTS)
    phases = math.prod(axis.up for axis in _axes(plan))
    return -(-positions // conv.THREADS), phases * tiles * plan.groups * plan.batch


def _table(plan: ConvPlan) -> list[int]:
    axes, taps = _axes(plan), math.prod(plan.kernel_size)
    outside, inside = plan.out_channels // plan.groups, plan.in_channels // plan.groups
    numbers = [0] * conv.PARAMS
    numbers[conv.POSITIONS] = math.prod(-(-axis.n_out // axis.up) for axis in axes)
    numbers[conv.TILES], numbers[conv.GROUPS] = -(-outside // conv.OUTPUTS), plan.groups
    numbers[conv.GROUP_IN], numbers[conv.GROUP_OUT] = inside, outside
    numbers[conv.PHASES] = math.prod(axis.up for axis in axes)
    numbers[conv.NUMBERS] = numbers[conv.PHASES] if plan.kind == "subpixel_conv" else 1
    for k, axis in enumerate(axes):
        numbers[conv.IN_SLICES + k], numbers[conv.OUT_SLICES + k] = axis.n_in, axis.n_out
        numbers[conv.UP_SLICES + k], numbers[conv.STEP_SLICES + k] = axis.up, axis.step
    numbers[conv.ROWS], numbers[conv.COLUMNS] = (-(-axis.n_out // axis.up) for axis in axes[1:])
    numbers[conv.SOURCE_IMAGE : conv.SOURCE_PIXEL + 1] = _places(plan, plan.in_channels, [axis.n_in for axis in axes])
    numbers[conv.TARGET_IMAGE : conv.TARGET_PIXEL + 1] = _places(plan, plan.out_channels, [axis.n_out for axis in axes])
    if plan.kind == "conv_transpose":
        strides = [inside * outside * taps, taps, outside * taps]
    else:
        strides = [plan.weight_shape[0] // plan.groups * inside * taps, inside * taps, taps]
    numbers[conv.WEIGHT_GROUP : conv.WEIGHT_CHANNEL + 1] = strides
    return _with_phases(plan, numbers)


def _places(plan: ConvPlan, channels: int, space: list[int]) -> list[int]:
    """Items between images, channels and pixels."""
    pixels = math.prod(space)
    last = plan.data_format == "channels_last"
    return [channels * pixels, 1 if last else pixels, channels if last else 1]


def _with_phases(plan: ConvPlan, numbers: list[int]) -> list[int]:
    """The list of phases, in the order of their numbers, and of the taps of each."""
    axes, kernel = _axes(plan), (1,) * (3 - plan.rank) + plan.kernel_size
    phases = list(itertools.product(*(range(axis.up) for axis in axes)))
    numbers[conv.PHASE_LIST] = len(numbers)
    begin = len(numbers) + conv.PHASE_ENTRY * len(phases)
    entries: list[int] = []
    lists: list[int] = []
    for phase in phases:
        of_axes = [axis.phases[p] for axis, p in zip(axes, phase, strict=True)]
        shifts = list(itertools.product(*(one.shifts for one in of_axes)))
        items = [int(np.ravel_multi_index(tap, kernel)) for tap in itertools.product(*(one.taps for one in of_axes))]
        entries += [
            *phase,
            len(items),
            begin + len(lists),
            number_of(axes, phase) if plan.kind == "subpixel_conv" else 0,
        ]
        for shift, item in zip(shifts, items, strict=True):
            lists += [*shift, item]
    return numbers + entries + lists
