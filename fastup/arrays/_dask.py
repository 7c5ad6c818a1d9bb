"""Arrays of dask: lazy in, lazy out. Each chunk of the result is the tile of a plan, made of its input window.

Chunks are cut where the input's are cut. What a chunk needs of its neighbours is exact: no input is read that no output
asks for, and none twice within a chunk.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fastup.arrays import _chunks, apply
from fastup.arrays._chunks import Interval, Piece
from fastup.plan import MaxUnpoolPlan, Plan, SegmentationPlan, check
from fastup.plan.kept_plan import Ready
from fastup.plan.operands import described
from fastup.runtime import workers

try:
    import dask.array
    import dask.config
    from dask.base import tokenize
    from dask.highlevelgraph import HighLevelGraph
    from dask.utils import parse_bytes
except ImportError as error:
    raise RuntimeError(f"fastup: arrays of dask need the extra, pip install 'fastup[dask]' ({error})") from None


def run(
    make_plan: Any,
    x: Any,
    arguments: tuple[Any, ...],
    out: Any,
    threads: int | None,
    operands: tuple[Any, ...] = (),
) -> Any:
    """The result as a lazy array; nothing is computed but the plan, which refuses what is wrong."""
    if out is not None:
        raise TypeError(
            f"fastup: out must be None for arrays of dask, whose results are lazy, got {type(out).__name__}"
        )
    x = view(x, "x")
    plan: Plan = make_plan(x.shape, x.dtype, *map(described, operands), *arguments)
    if threads is not None:
        threads = workers.checked_threads(plan.operator, "threads", threads)
    if plan.part is not None:
        raise TypeError(f"fastup: x must be in memory for the plan of a tile, got {type(x).__name__} of dask")
    if wanted := _chunks.wanted_cuts(plan, x.chunks, isinstance(make_plan, Ready)):
        x = x.rechunk(wanted)
    if isinstance(plan, MaxUnpoolPlan):
        operands = (_beside(operands[0], x),)
    else:
        operands = tuple(one.rechunk(-1) if isinstance(one, dask.array.Array) else one for one in operands)
    return _Graph(make_plan, arguments, plan, x, operands, threads).results()


def view(x: Any, name: str) -> Any:
    """The array itself."""
    if not isinstance(x, dask.array.Array):
        raise TypeError(f"fastup: {name} must be a dask array, got {type(x).__module__}.{type(x).__name__}")
    check.unmasked("fastup", name, x._meta)
    _chunks.known(name, x.chunks)
    return x


def wrap(array: Any) -> Any:
    """Results are of their kind already."""
    return array


def _beside(indices: Any, x: Any) -> Any:
    """Indices of an unpooling, cut as x is."""
    return (
        indices.rechunk(x.chunks) if isinstance(indices, dask.array.Array) else dask.array.from_array(indices, x.chunks)
    )


@dataclass(frozen=True)
class _Task:
    """One chunk of the result: how to put its input together, and the plan of its tile."""

    make_plan: Any
    arguments: tuple[Any, ...]
    shape: tuple[int, ...]  # of the whole argument, as far as this chunk is concerned
    window: tuple[Interval, ...] | None
    places: tuple[tuple[tuple[slice, ...], tuple[slice, ...]], ...]  # per block: what of it, and where it goes
    part: tuple[int, ...]  # shape of the input window
    picked: tuple[slice, ...] | None  # of the boxes
    threads: int | None

    def __call__(self, blocks: list[Any], operands: list[Any]) -> Any:
        """The chunk."""
        if self.picked is not None:
            operands = [operands[0][self.picked]]

        def tile(_shape: Any, dtype: Any, *others: Any) -> Plan:
            plan: Plan = self.make_plan(self.shape, dtype, *others, *self.arguments)
            return plan if self.window is None else plan.tile(tuple(slice(*part) for part in self.window))

        named = {f"operand {number}": one for number, one in enumerate(operands)}
        return apply(tile, self._joined(blocks), (), None, self.threads, named or None)

    def _joined(self, blocks: list[Any]) -> Any:
        for block in blocks:  # of which dask may know less than that some have a mask
            check.unmasked("fastup", "x", block)
        if len(blocks) == 1:
            return blocks[0][self.places[0][0]]
        joined = np.empty_like(blocks[0], shape=self.part)
        for block, (source, target) in zip(blocks, self.places, strict=True):
            joined[target] = block[source]
        return joined


class _Graph:
    """The tasks of one call, and the arrays that stand for its results."""

    def __init__(
        self, make_plan: Any, arguments: tuple[Any, ...], plan: Plan, x: Any, operands: tuple[Any, ...], threads: Any
    ) -> None:
        self.plan, self.x, self.operands = plan, x, operands
        self.blank = _Task(make_plan, arguments, x.shape, None, (), x.shape, None, threads)
        self.channel = _chunks.channel_of(plan)
        beside = [axis for axis in range(x.ndim) if axis not in plan.spatial_axes]
        self.leading = [axis for axis in beside if axis != self.channel]
        channels: tuple[int, ...] = ()
        if self.channel is not None:
            channels = _chunks.channels_after(plan, x.chunks[self.channel])
        largest = math.prod(max(x.chunks[axis], default=1) for axis in self.leading) * max(channels, default=1)
        largest *= max(dtype.itemsize for _, dtype in plan.outputs)
        self.space = _chunks.cut_space(
            plan, x.chunks, max(1, largest), parse_bytes(dask.config.get("array.chunk-size"))
        )
        self.channels = channels
        token = tokenize(x.name, make_plan, arguments, operands, x.chunks, self.space, threads)
        self.name = f"fastup-{plan.operator}-{token}"
        self.reads = _chunks.reads(plan, self.space)

    def results(self) -> Any:
        """One lazy array, or one for each result."""
        lazy = [isinstance(one, dask.array.Array) for one in self.operands]
        dependencies = [self.x, *itertools.compress(self.operands, lazy)]
        tasks: dict[Any, Any] = {
            self._operand_key(number, ()): one for number, one in enumerate(self.operands) if not lazy[number]
        }
        several = len(self.plan.outputs) > 1
        made = f"{self.name}-all" if several else self.name
        tasks |= {(made, *place): task for place, task in self._chunk_tasks()}
        arrays = []
        for number, (_, dtype) in enumerate(self.plan.outputs):
            name = f"{self.name}-{number}" if several else self.name
            chosen: dict[Any, Any] = {}
            if several:
                places = itertools.product(*(range(len(axis)) for axis in self._chunks()))
                chosen = {(name, *place): (operator.getitem, (made, *place), number) for place in places}
            graph = HighLevelGraph.from_collections(name, {**tasks, **chosen}, dependencies=dependencies)
            meta = np.empty((0,) * len(self._chunks()), dtype)
            arrays.append(dask.array.Array(graph, name, self._chunks(), meta=meta))
        return tuple(arrays) if several else arrays[0]

    def _chunks(self) -> tuple[tuple[int, ...], ...]:
        """Chunks of the result."""
        found = {axis: self.x.chunks[axis] for axis in self.leading}
        if self.channel is not None and not (isinstance(self.plan, SegmentationPlan) and self.plan.reduces):
            found[self.channel] = self.channels
        for axis, intervals in zip(self.plan.output_spatial_axes, self.space, strict=True):
            found[axis] = tuple(stop - start for start, stop in intervals)
        return tuple(found[axis] for axis in sorted(found))

    def _operand_key(self, number: int, place: tuple[int, ...]) -> Any:
        """Where a task finds an operand: the whole of it, or the indices beside its own values."""
        one = self.operands[number]
        if not isinstance(one, dask.array.Array):
            return f"{self.name}-operand-{number}"
        return (one.name, *(place if isinstance(self.plan, MaxUnpoolPlan) else (0,) * one.ndim))

    def _chunk_tasks(self) -> Iterator[tuple[tuple[int, ...], Any]]:
        """Where in the result each task stands, and the task."""
        x = self.x
        beside = [*self.leading, *([] if self.channel is None else [self.channel])]
        outer = [list(_chunks.numbered(x.chunks[axis])) for axis in beside]
        spatial = [list(enumerate(zip(*both, strict=True))) for both in zip(self.space, self.reads, strict=True)]
        for chosen in itertools.product(*outer):
            taken = dict(zip(beside, chosen, strict=True))
            for along in itertools.product(*spatial):
                yield (
                    self._place(taken, [number for number, _ in along]),
                    self._task(taken, [both for _, both in along]),
                )

    def _place(self, taken: dict[int, Any], numbers: list[int]) -> tuple[int, ...]:
        place = {axis: taken[axis][0] for axis in self.leading}
        if self.channel is not None and not (isinstance(self.plan, SegmentationPlan) and self.plan.reduces):
            place[self.channel] = taken[self.channel][0]
        place |= dict(zip(self.plan.output_spatial_axes, numbers, strict=True))
        return tuple(place[axis] for axis in sorted(place))

    def _task(
        self, taken: dict[int, tuple[int, Interval]], spatial: list[tuple[Interval, Interval]]
    ) -> tuple[Any, ...]:
        plan, x, shape = self.plan, self.x, list(self.x.shape)
        along: dict[int, list[Piece]] = {}
        for axis, (number, (start, stop)) in taken.items():
            shape[axis] = stop - start
            along[axis] = [Piece(number, (0, stop - start), (0, stop - start))]
        part = [*shape]
        for axis, (_, read) in zip(plan.spatial_axes, spatial, strict=True):
            along[axis], part[axis] = _chunks.pieces(x.chunks[axis], read), read[1] - read[0]
            along[axis] = along[axis] or [Piece(0, (0, 0), (0, 0))]  # zeros only: an empty input
        pieces = list(itertools.product(*(along[axis] for axis in sorted(along))))
        places = tuple(
            (tuple(slice(*one.source) for one in piece), tuple(slice(*one.target) for one in piece)) for piece in pieces
        )
        window = None if _chunks.is_planar(plan) else tuple(made for made, _ in spatial)
        task = replace(
            self.blank, shape=tuple(shape), window=window, places=places, part=tuple(part), picked=self._boxes(taken)
        )
        keys = [(x.name, *(one.block for one in piece)) for piece in pieces]
        return (task, keys, [self._operand_key(number, keys[0][1:]) for number in range(len(self.operands))])

    def _boxes(self, taken: dict[int, tuple[int, Interval]]) -> tuple[slice, ...] | None:
        """Which of the boxes belong to the pictures and classes of a chunk."""
        boxes = getattr(self.plan, "boxes", None)
        if boxes is None:
            return None
        axes = (0, self.plan.channel_axis)[: len(boxes) - 1]
        return tuple(slice(*taken[axis][1]) for axis in axes)
