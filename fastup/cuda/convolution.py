"""Convolutions on a device: the phases of the plan, their taps and weights as lists."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from fastup.cuda import floats, memory
from fastup.cuda.copies import contiguous, copy
from fastup.cuda.kernels import activate, conv
from fastup.cuda.memory import View
from fastup.plan import ConvPlan
from fastup.plan.activations import RECORDS
from fastup.plan.operands import PackedWeight
from fastup.plan.phases import Phase, PhasedAxis, number_of

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
        function = activate.NAMES.index(RECORDS[plan.activation[0]].computed_by)
        memory.launch(activate.activate, y.size, function, plan.out_channels, pixels, slope, made)
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
    phases = math.prod(axis.up for axis in axes)
    strides = [plan.weight_shape[0] // plan.groups * inside * taps, inside * taps, taps]
    if plan.kind == "conv_transpose":
        strides = [inside * outside * taps, taps, outside * taps]
    source = _places(plan, plan.in_channels, [axis.n_in for axis in axes])
    target = _places(plan, plan.out_channels, [axis.n_out for axis in axes])
    rows, columns = (-(-axis.n_out // axis.up) for axis in axes[1:])
    numbers = conv.P.fill(
        positions=math.prod(-(-axis.n_out // axis.up) for axis in axes), rows=rows, columns=columns,
        tiles=-(-outside // conv.OUTPUTS), groups=plan.groups, group_in=inside, group_out=outside, phases=phases,
        phase_list=conv.P.size, numbers=phases if plan.kind == "subpixel_conv" else 1,
        source_image=source[0], source_channel=source[1], source_pixel=source[2],
        target_image=target[0], target_channel=target[1], target_pixel=target[2],
        weight_group=strides[0], weight_output=strides[1], weight_channel=strides[2],
        inside=[axis.n_in for axis in axes], outside=[axis.n_out for axis in axes],
        up=[axis.up for axis in axes], step=[axis.step for axis in axes],
    )  # fmt: skip
    return numbers + _phases(plan)


def _places(plan: ConvPlan, channels: int, space: list[int]) -> list[int]:
    """Items between images, channels and pixels."""
    pixels = math.prod(space)
    last = plan.data_format == "channels_last"
    return [channels * pixels, 1 if last else pixels, channels if last else 1]


def _phases(plan: ConvPlan) -> list[int]:
    """The list of phases, in the order of their numbers, and of the taps of each."""
    axes, kernel = _axes(plan), (1,) * (3 - plan.rank) + plan.kernel_size
    phases = list(itertools.product(*(range(axis.up) for axis in axes)))
    begin = conv.P.size + conv.PHASE.size * len(phases)
    entries: list[int] = []
    lists: list[int] = []
    for phase in phases:
        of_axes = [axis.phases[p] for axis, p in zip(axes, phase, strict=True)]
        shifts = list(itertools.product(*(one.shifts for one in of_axes)))
        items = [int(np.ravel_multi_index(tap, kernel)) for tap in itertools.product(*(one.taps for one in of_axes))]
        number = number_of(axes, phase) if plan.kind == "subpixel_conv" else 0
        entries += conv.PHASE.fill(place=phase, taps=len(items), tap_list=begin + len(lists), number=number)
        for shift, item in zip(shifts, items, strict=True):
            lists += conv.TAP.fill(shift=shift, weight=item)
    return entries + lists
