"""Arguments -> plan of pixel shuffle and unshuffle."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastup.plan import check
from fastup.plan.base import Plan
from fastup.plan.cache import cached
from fastup.plan.windows import Window

ORDERS = ("CRD", "DCR")
_FACTOR_RULE = "an integer or a tuple of 1 to 3 integers"


@dataclass(frozen=True)
class PixelShufflePlan(Plan):
    """A permutation of one array; ``operator`` tells its direction.

    Attributes
    ----------
    factors : tuple of int
        One per spatial axis.
    order : {"CRD", "DCR"}
        How the channels of the small picture count: channel-major (torch) or phase-major (ONNX's default, TensorFlow).
    """

    factors: tuple[int, ...]
    order: str

    @property
    def rank(self) -> int:
        """Number of spatial axes."""
        return len(self.factors)

    @property
    def leading(self) -> tuple[int, ...]:
        """Extents of the axes before channels and space."""
        return self.input_shape[: len(self.input_shape) - len(self.factors) - 1]

    @property
    def channels(self) -> int:
        """Channels of the large picture."""
        large = self.output_shape if self.operator == "pixel_shuffle" else self.input_shape
        return large[self.channel_axis]

    @property
    def small(self) -> tuple[int, ...]:
        """Spatial extents of the small picture."""
        shape = self.input_shape if self.operator == "pixel_shuffle" else self.output_shape
        return spatial(shape, len(self.factors), self.data_format)

    @property
    def first_spatial_axis(self) -> int:
        """Index of the first spatial axis."""
        return len(self.leading) + (self.data_format == "channels_first")

    def reads(self, window: Window) -> Window:
        """The input positions, from and to per spatial axis, that these positions of the whole result need."""
        pairs = zip(self.factors, window, strict=True)
        if self.operator == "pixel_shuffle":
            return tuple((start // r, -(-stop // r) if start < stop else start // r) for r, (start, stop) in pairs)
        return tuple((start * r, stop * r) for r, (start, stop) in pairs)

    @property
    def inside(self) -> tuple[int, ...] | None:
        """Where the window begins in the blocks of phases that it touches; None where it has whole blocks only."""
        if self.operator != "pixel_shuffle" or self.window is None or self.part is None:
            return None
        begins = tuple(w[0] - r * p[0] for r, w, p in zip(self.factors, self.window, self.part, strict=True))
        return begins if self.space(self.output_shape) != self.space(self.blocks_shape) else None

    @property
    def blocks_shape(self) -> tuple[int, ...]:
        """The result's shape, with all of the blocks that the window touches."""
        shape = list(self.output_shape)
        for axis, r in zip(self.spatial_axes, self.factors, strict=True):
            shape[axis] = self.input_shape[axis] * r
        return tuple(shape)

    def digits(self, strides: tuple[int, ...]) -> list[tuple[int, int]]:
        """The axes of the result, phases apart: extent and distance in the input, which has these strides."""
        rank = len(self.factors)
        leading = list(zip(self.leading, strides, strict=False))
        channel, space = strides[self.channel_axis], strides[self.first_spatial_axis : self.first_spatial_axis + rank]
        return leading + (self._enlarging if self.operator == "pixel_shuffle" else self._reducing)(channel, space)

    def _enlarging(self, channel_stride: int, spatial_strides: tuple[int, ...]) -> list[tuple[int, int]]:
        """Every spatial position is followed by its phase, which the input keeps in its channels."""
        channel, phases = self._split_channels(channel_stride)
        space = [
            digit
            for extent, stride, phase in zip(self.small, spatial_strides, phases, strict=True)
            for digit in ((extent, stride), phase)
        ]
        return [channel, *space] if self.data_format == "channels_first" else [*space, channel]

    def _reducing(self, channel_stride: int, spatial_strides: tuple[int, ...]) -> list[tuple[int, int]]:
        """The channels hold the phases, which the input keeps in its spatial positions."""
        phases = list(zip(self.factors, spatial_strides, strict=True))
        space = [(n, r * s) for n, r, s in zip(self.small, self.factors, spatial_strides, strict=True)]
        channel = (self.channels, channel_stride)
        channels = [channel, *phases] if self.order == "CRD" else [*phases, channel]
        return [*channels, *space] if self.data_format == "channels_first" else [*space, *channels]

    def _split_channels(self, stride: int) -> tuple[tuple[int, int], list[tuple[int, int]]]:
        """The channel axis of the small picture as a channel digit and one digit per phase."""
        phases: list[tuple[int, int]] = []
        apart = stride if self.order == "CRD" else stride * self.channels
        for factor in reversed(self.factors):
            phases.insert(0, (factor, apart))
            apart *= factor
        return (self.channels, stride * math.prod(self.factors) if self.order == "CRD" else stride), phases


def spatial(shape: tuple[int, ...], rank: int, data_format: str) -> tuple[int, ...]:
    """The spatial extents of a shape."""
    return shape[-rank:] if data_format == "channels_first" else shape[-rank - 1 : -1]


@cached
def make_pixel_shuffle(
    shape: tuple[int, ...], dtype: np.dtype[Any], upscale_factor: Any, order: Any, window: Any, data_format: Any
) -> PixelShufflePlan:
    """The plan of `fastup.pixel_shuffle` on an array of this shape and dtype."""
    factors = _factors("pixel_shuffle", "upscale_factor", upscale_factor)
    return _plan("pixel_shuffle", "upscale_factor", shape, dtype, factors, order, data_format).cut(window)


@cached
def make_pixel_unshuffle(
    shape: tuple[int, ...], dtype: np.dtype[Any], downscale_factor: Any, order: Any, window: Any, data_format: Any
) -> PixelShufflePlan:
    """The plan of `fastup.pixel_unshuffle` on an array of this shape and dtype."""
    factors = _factors("pixel_unshuffle", "downscale_factor", downscale_factor)
    return _plan("pixel_unshuffle", "downscale_factor", shape, dtype, factors, order, data_format).cut(window)


def _factors(op: str, name: str, value: Any) -> tuple[int, ...]:
    factors = check.integers(op, name, value, _FACTOR_RULE)
    if not 1 <= len(factors) <= 3:
        check.invalid(f"{op}: {name} must be {_FACTOR_RULE}, got {check.shown(value)}")
    return factors if check.is_sequence(value) else factors * 2


def _plan(
    op: str,
    name: str,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    factors: tuple[int, ...],
    order: str,
    data_format: str,
) -> PixelShufflePlan:
    check.choice(op, "order", order, ORDERS)
    check.choice(op, "data_format", data_format, check.DATA_FORMATS)
    check.movable(op, dtype)
    rank = len(factors)
    if len(shape) <= rank:
        check.invalid(f"{op}: x must have at least {rank + 1} dimensions for {name} {factors}, got shape {shape}")
    leading = shape[: len(shape) - rank - 1]
    before = shape[len(leading)] if data_format == "channels_first" else shape[-1]
    change = _enlarge if op == "pixel_shuffle" else _reduce
    channels, extents = change(op, name, shape, before, spatial(shape, rank, data_format), factors)
    check.size_in_memory(op, (*leading, channels, *extents), dtype)
    inner = (channels, *extents) if data_format == "channels_first" else (*extents, channels)
    return PixelShufflePlan(op, shape, dtype, data_format, leading + inner, factors, order)


def _enlarge(
    op: str, name: str, shape: tuple[int, ...], channels: int, extents: tuple[int, ...], factors: tuple[int, ...]
) -> tuple[int, tuple[int, ...]]:
    phases = math.prod(factors)
    if channels % phases:
        product = "*".join(map(str, factors)) + (f" = {phases}" if len(factors) > 1 else "")
        check.invalid(f"{op}: channels must be divisible by {product}, got {channels} for x of shape {shape}")
    return channels // phases, tuple(n * r for n, r in zip(extents, factors, strict=True))


def _reduce(
    op: str, name: str, shape: tuple[int, ...], channels: int, extents: tuple[int, ...], factors: tuple[int, ...]
) -> tuple[int, tuple[int, ...]]:
    if any(n % r for n, r in zip(extents, factors, strict=True)):
        check.invalid(
            f"{op}: spatial sizes must be divisible by {name} {factors}, got {extents} for x of shape {shape}"
        )
    return channels * math.prod(factors), tuple(n // r for n, r in zip(extents, factors, strict=True))
