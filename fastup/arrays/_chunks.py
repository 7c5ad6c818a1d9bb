"""Chunks of a result: which output positions go together, and which input blocks each of them reads."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import NamedTuple

from fastup.plan import (
    ConvPlan,
    MaxPoolPlan,
    MaxUnpoolPlan,
    PixelShufflePlan,
    Plan,
    ResizePlan,
    SegmentationPlan,
    check,
)

Chunks = tuple[int, ...]
Interval = tuple[int, int]


class Piece(NamedTuple):
    """What one input block gives to an axis of a task: its number, and from and to in the block and in the task."""

    block: int
    source: Interval
    target: Interval


def wanted_cuts(plan: Plan, chunks: tuple[Chunks, ...], ready: bool) -> dict[int, int | Chunks]:
    """The axes that must be cut otherwise, and how: -1 for one chunk, or chunks that hold whole blocks of phases.

    A plan that is `ready` is of all pictures and channels.
    """
    outer = (axis for axis in range(len(chunks)) if axis not in plan.spatial_axes)
    wanted: dict[int, int | Chunks] = {axis: -1 for axis in outer if ready and len(chunks[axis]) > 1}
    if is_planar(plan):
        wanted |= {axis: -1 for axis in plan.spatial_axes if len(chunks[axis]) > 1}
    channel = channel_of(plan)
    if channel is None:
        return wanted
    channels, multiple = chunks[channel], channel_multiple(plan)
    if multiple == 0 and len(channels) > 1:
        wanted[channel] = -1
    elif not ready and multiple > 1 and any(extent % multiple for extent in channels):
        wanted[channel] = _multiples(channels, multiple)
    return wanted


def channel_of(plan: Plan) -> int | None:
    """The channel axis; a picture may have none."""
    return None if plan.channel_axis in plan.spatial_axes else plan.channel_axis


def is_planar(plan: Plan) -> bool:
    """Whether positions count in the whole plane."""
    return isinstance(plan, MaxUnpoolPlan) or (isinstance(plan, MaxPoolPlan) and plan.return_indices)


def channel_multiple(plan: Plan) -> int:
    """What chunks of channels must be multiples of; 0 where every result needs all channels."""
    if isinstance(plan, ConvPlan) or (isinstance(plan, SegmentationPlan) and plan.reduces):
        return 0
    if isinstance(plan, ResizePlan):
        return 0 if plan.alpha or any(getattr(step, "needs_all", False) for step in plan.steps) else 1
    if isinstance(plan, PixelShufflePlan):
        phases = math.prod(plan.factors)
        if plan.order == "DCR":
            return 0 if phases > 1 else 1
        return phases if plan.operator == "pixel_shuffle" else 1
    return 1


def _multiples(chunks: Chunks, multiple: int) -> Chunks:
    ends = {end // multiple * multiple for end in itertools.accumulate(chunks)} - {0}
    return tuple(stop - start for start, stop in itertools.pairwise([0, *sorted(ends)]))


def channels_after(plan: Plan, chunks: Chunks) -> Chunks:
    """Chunks of the result's channels."""
    if isinstance(plan, PixelShufflePlan):
        before, after = plan.input_shape[plan.channel_axis], plan.output_shape[plan.channel_axis]
        return tuple(extent * after // before for extent in chunks) if before else (after,)
    return (plan.out_channels,) if isinstance(plan, ConvPlan) else chunks


def cut_space(plan: Plan, chunks: tuple[Chunks, ...], others: int, limit: int) -> list[list[Interval]]:
    """Output positions, from and to, of each chunk along each spatial axis: as the input is cut, but none too large.

    `others` are the bytes of a position of the largest chunk, `limit` those that a chunk may have.
    """
    space = []
    for axis, size, (low, high) in zip(plan.spatial_axes, plan.result_size, _window(plan), strict=True):
        extent = sum(chunks[axis])
        uncut = is_planar(plan) or extent == 0
        ends = [size] if uncut else [(2 * end * size + extent) // (2 * extent) for end in _ends(chunks[axis])]
        inside = sorted({min(max(end, low), high) for end in ends} | {high} - {low})
        space.append(list(itertools.pairwise([low, *(end for end in inside if end > low)])) or [(low, high)])
    if not is_planar(plan):
        _split(space, others, limit)
    return space


def _window(plan: Plan) -> tuple[Interval, ...]:
    return plan.window or tuple((0, extent) for extent in plan.result_size)


def _ends(chunks: Chunks) -> list[int]:
    return list(itertools.accumulate(chunks))


def _split(space: list[list[Interval]], others: int, limit: int) -> None:
    """Halve the longest chunks until the largest has at most `limit` bytes."""
    while True:
        longest = [max(stop - start for start, stop in intervals) for intervals in space]
        if others * math.prod(longest) <= limit or max(longest) <= 1:
            return
        k = longest.index(max(longest))
        halved = []
        for start, stop in space[k]:
            middle = (start + stop + 1) // 2
            too_long = 2 * (stop - start) > longest[k]
            halved += [(start, middle), (middle, stop)] if too_long else [(start, stop)]
        space[k] = halved


def reads(plan: Plan, space: list[list[Interval]]) -> list[list[Interval]]:
    """The input positions, from and to, that each chunk along each spatial axis needs."""
    if is_planar(plan):
        return [[(0, extent)] for extent in plan.space(plan.input_shape)]
    whole, found = plan.whole or plan, []
    for k, intervals in enumerate(space):
        along = []
        for interval in intervals:
            window = tuple(interval if k == other else space[other][0] for other in range(len(space)))
            along.append(whole.reads(window)[k])
        found.append(along)
    return found


def pieces(chunks: Chunks, interval: Interval) -> list[Piece]:
    """The input blocks that have a part of an interval, and which part."""
    start, stop = interval
    found, begin = [], 0
    for number, extent in enumerate(chunks):
        low, high = max(start, begin), min(stop, begin + extent)
        if low < high:
            found.append(Piece(number, (low - begin, high - begin), (low - start, high - start)))
        begin += extent
    return found


def known(name: str, chunks: tuple[tuple[float, ...], ...]) -> None:
    """Refuse chunks of unknown size."""
    if any(math.isnan(extent) for axis in chunks for extent in axis):
        check.invalid(
            f"fastup: {name} must have chunks of known sizes, got {chunks}; x.compute_chunk_sizes() finds them"
        )


def numbered(chunks: Chunks) -> Iterator[tuple[int, Interval]]:
    """Every chunk: its number, from and to."""
    return enumerate(itertools.pairwise([0, *_ends(chunks)]))
