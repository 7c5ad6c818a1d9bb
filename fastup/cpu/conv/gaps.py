"""Transposed convolutions whose stride leaves gaps: only what has taps is computed, in a small result of its own.

A stride beyond the kernel makes phases without any tap, whose outputs are all the same number. However many there are,
one of them stands for all in the small result, beside the phases that have taps.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np

from fastup.plan import ConvPlan
from fastup.plan.base import Array
from fastup.plan.phases import Phase, PhasedAxis, SpreadPhases
from fastup.runtime.workers import Launch

_WORTH = 4  # times as many phases as have taps: below that, one pass over the result costs less than two
_FEW = 16  # phases; regular strides stay as they are


def leaves_gaps(plan: ConvPlan) -> bool:
    """Whether most phases of an axis have no tap."""
    return any(isinstance(axis.phases, SpreadPhases) and _gapped(axis) for axis in plan.axes)


def _gapped(axis: PhasedAxis) -> bool:
    return axis.up > _FEW and axis.up > _WORTH * (len(list(axis.live)) + 1)


def compact(plan: ConvPlan) -> ConvPlan:
    """The plan of the small result: along each gapped axis the phases with taps, then one without."""
    found: ConvPlan | None = plan.backend_cache.get("compact")
    if found is None:
        axes = tuple(_compacted(axis) if _gapped(axis) else axis for axis in plan.axes)
        shape = list(plan.output_shape)
        for axis, number in zip(axes, plan.spatial_axes, strict=True):
            shape[number] = axis.n_out
        found = plan.backend_cache["compact"] = replace(plan, axes=axes, output_shape=tuple(shape))
    return found


def _compacted(axis: PhasedAxis) -> PhasedAxis:
    phases = (*(axis.phases[p] for p in axis.live), Phase((), ()))
    return PhasedAxis(axis.n_in, -(-axis.n_out // axis.up) * len(phases), len(phases), axis.step, phases)


class Spread:
    """A call of the small plan, whose result goes to its places in the large one."""

    def __init__(self, plan: ConvPlan, launch: Launch) -> None:
        self._plan, self._launch, self._small = plan, launch, compact(plan)
        self.workspace = launch.workspace

    @property
    def nbytes(self) -> int:
        """Bytes of the small call."""
        return self._launch.nbytes

    def __call__(
        self, source: int, target: int, keep: tuple[Any, ...], threads: int | None = None, table: int = 0
    ) -> None:
        """Run over buffers at these addresses; `keep` begins with their arrays."""
        out: Array = keep[1]
        made = np.empty(self._small.output_shape, out.dtype)
        self._launch(source, made.ctypes.data, (keep[0], made, *keep[2:]), threads, table)
        places = [self._places(k) for k in range(self._plan.rank)]
        out[...] = made[self._index([slice(-1, None) if _gapped(axis) else slice(0, 1) for axis in self._plan.axes])]
        for along in itertools.product(*places):
            part = out[self._index([large for large, _ in along])]
            part[...] = made[self._index([small for _, small in along])][tuple(map(slice, part.shape))]

    def _places(self, k: int) -> list[tuple[slice, slice]]:
        """Along an axis, where the positions of each phase with taps stand in the large and in the small result."""
        axis, small = self._plan.axes[k], self._small.axes[k]
        if not _gapped(axis):
            return [(slice(None), slice(None))]
        return [(slice(p, None, axis.up), slice(j, None, small.up)) for j, p in enumerate(axis.live)]

    def _index(self, along: list[slice]) -> tuple[slice, ...]:
        index = [slice(None)] * len(self._plan.output_shape)
        for axis, part in zip(self._plan.spatial_axes, along, strict=True):
            index[axis] = part
        return tuple(index)
