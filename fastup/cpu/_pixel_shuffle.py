"""Pixel shuffle and unshuffle on the CPU: one permuted copy."""

from __future__ import annotations

import math

from fastup.cpu.permuted_copy import Digits, permuted_copy
from fastup.plan import PixelShufflePlan
from fastup.runtime.workers import Launch


def launch(plan: PixelShufflePlan, strides: tuple[int, ...]) -> Launch | None:
    """The copy for a source with these strides (in items)."""
    rank = len(plan.factors)
    leading = list(zip(plan.leading, strides, strict=False))
    channel_stride = strides[plan.channel_axis]
    spatial_strides = strides[plan.first_spatial_axis : plan.first_spatial_axis + rank]
    digits_of = _enlarging if plan.operator == "pixel_shuffle" else _reducing
    return permuted_copy(leading + digits_of(plan, channel_stride, spatial_strides), plan.dtype.itemsize)


def _enlarging(plan: PixelShufflePlan, channel_stride: int, spatial_strides: tuple[int, ...]) -> Digits:
    """Target order: every spatial position is followed by its phase, which the source keeps in its channels."""
    channel, phases = _split_channels(plan, channel_stride)
    space = [
        digit
        for extent, stride, phase in zip(plan.small, spatial_strides, phases, strict=True)
        for digit in ((extent, stride), phase)
    ]
    return [channel, *space] if plan.data_format == "channels_first" else [*space, channel]


def _reducing(plan: PixelShufflePlan, channel_stride: int, spatial_strides: tuple[int, ...]) -> Digits:
    """Target order: the channels hold the phases, which the source keeps in its spatial positions."""
    phases = list(zip(plan.factors, spatial_strides, strict=True))
    space = [(n, r * s) for n, r, s in zip(plan.small, plan.factors, spatial_strides, strict=True)]
    channel = (plan.channels, channel_stride)
    channels = [channel, *phases] if plan.order == "CRD" else [*phases, channel]
    return [*channels, *space] if plan.data_format == "channels_first" else [*space, *channels]


def _split_channels(plan: PixelShufflePlan, stride: int) -> tuple[tuple[int, int], Digits]:
    """The channel axis of the small picture as a channel digit and one digit per phase."""
    phases: Digits = []
    apart = stride if plan.order == "CRD" else stride * plan.channels
    for factor in reversed(plan.factors):
        phases.insert(0, (factor, apart))
        apart *= factor
    return (plan.channels, stride * math.prod(plan.factors) if plan.order == "CRD" else stride), phases
