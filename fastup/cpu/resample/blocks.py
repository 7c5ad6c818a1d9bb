"""Long axes in blocks: the ends of an axis have tables of their own, and all that lies between shares one.

Where weights repeat after so many positions, the blocks between the ends differ by where they lie alone: they are one
more digit of the planes, and one launch does them all, on as many threads as there are. Other long axes are cut into
blocks, each with a launch that is kept as long as there is room.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from fastup.cpu.memory import target_strides
from fastup.plan import InterpolatePlan
from fastup.plan.sampling.axis import Axis
from fastup.runtime.workers import Launch

_KEPT_BYTES = 8 * 2**20  # of the tables of one call
Digit = tuple[int, int, int]  # extent, source and target stride in bytes
Pack = Callable[[tuple[Axis, ...], tuple[Digit, ...]], Launch]


class Block(NamedTuple):
    """A part of an axis, how often it comes in a row, and how far in input and output each lies from the one before."""

    axis: Axis
    times: int = 1
    inputs: int = 0
    outputs: int = 0


def blocks(axis: Axis) -> Iterator[Block]:
    """The parts of a window of an axis, in order."""
    parts = list(axis.parts())
    inner = [part for part in parts if axis.period and part.length == axis.block and part.is_inner(*part.window)]
    if len(inner) < 2 or not axis.period:
        yield from map(Block, parts)
        return
    first = parts.index(inner[0])
    shift = axis.block // axis.period[1] * axis.period[0]
    yield from map(Block, parts[:first])
    yield Block(inner[0], len(inner), shift, axis.block)
    yield from map(Block, parts[first + len(inner) :])


class Blocks:
    """A call in blocks: one launch after another, over buffers that are moved to where each begins."""

    def __init__(self, plan: InterpolatePlan, strides: tuple[int, ...], pack: Pack, spare: int) -> None:
        """`pack` makes the launch of some axes with further digits, of which `spare` are free."""
        self._plan, self._pack, self._spare = plan, pack, spare
        source = tuple(stride * plan.dtype.itemsize for stride in strides)
        self._strides = [(source[axis], target_strides(plan)[axis]) for axis in plan.spatial_axes]
        self._blocks = [list(blocks(axis)) for axis in plan.axes]
        self._launches: dict[tuple[Any, ...], Launch] = {}
        self.nbytes = 0

    def __call__(self, source: int, target: int, keep: tuple[Any, ...], threads: int | None = None) -> None:
        """Run over buffers at these addresses."""
        for chosen in itertools.product(*self._blocks):
            several = [k for k, block in enumerate(chosen) if block.times > 1]
            digits = several[: self._spare]
            launch = self._launch(chosen, digits)
            begin = sum(
                (block.axis.window[0] - axis.window[0]) * stride
                for block, axis, (_, stride) in zip(chosen, self._plan.axes, self._strides, strict=True)
            )
            others = [k for k in several if k not in digits]
            for numbers in itertools.product(*(range(chosen[k].times) for k in others)):
                moved = [
                    sum(number * self._shifts(chosen[k], k)[side] for number, k in zip(numbers, others, strict=True))
                    for side in (0, 1)
                ]
                launch(source + moved[0], target + begin + moved[1], keep, threads)

    def _shifts(self, block: Block, k: int) -> tuple[int, int]:
        source, target = self._strides[k]
        return block.inputs * source, block.outputs * target

    def _launch(self, chosen: tuple[Block, ...], digits: list[int]) -> Launch:
        key = tuple(block.axis.window for block in chosen)
        launch = self._launches.get(key)
        if launch is None:
            more = tuple((chosen[k].times, *self._shifts(chosen[k], k)) for k in digits)
            launch = self._pack(tuple(block.axis for block in chosen), more)
            if self.nbytes + launch.nbytes <= _KEPT_BYTES:
                self._launches[key] = launch
                self.nbytes += launch.nbytes
        return launch


def outputs(axes: tuple[Axis, ...], digits: tuple[Digit, ...]) -> int:
    """Positions that a launch makes of each plane."""
    return math.prod(axis.length for axis in axes) * math.prod(extent for extent, _, _ in digits)
