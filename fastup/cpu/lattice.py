"""Where the phases of a convolution meet: positions at which all of them are computed, and what each reads there."""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import numpy as np

from fastup.cpu.kernels import convert
from fastup.plan import ConvPlan
from fastup.plan.phases import Phase, PhasedAxis

_ONE = PhasedAxis(1, 1, 1, 1, (Phase((0,), (0,)),))


class Lattice:
    """One axis of z: positions j that all phases share, and what is staged for them."""

    def __init__(self, axis: PhasedAxis) -> None:
        self.axis = axis
        lowest = [min(phase.shifts) // axis.step if phase.shifts else None for phase in axis.phases]
        self.first = min((base for base in lowest if base is not None), default=0)
        self.bases = [self.first if base is None else base for base in lowest]
        counts = [-(-(axis.n_out - p) // axis.up) for p in range(axis.up)]
        self.end = max(base + count for base, count in zip(self.bases, counts, strict=True))
        # Input positions of each phase's taps, relative to step * j: never negative.
        self.taps = [
            tuple(shift - axis.step * base for shift in phase.shifts)
            for phase, base in zip(axis.phases, self.bases, strict=True)
        ]
        reach = max((max(taps) for taps in self.taps if taps), default=0)
        self.more = reach // axis.step  # staged positions beyond those of z
        self.residues = sorted({tap % axis.step for taps in self.taps for tap in taps}) or [0]

    @property
    def length(self) -> int:
        """Positions j."""
        return self.end - self.first

    @property
    def spread(self) -> int:
        """Positions j beyond the output positions of one phase, to have all phases of a strip."""
        return max(self.bases) - min(self.bases)


class TapGroup(NamedTuple):
    """Phases that read the same staged positions, and so are rows of one product."""

    taps: tuple[tuple[int, ...], ...]  # per axis
    phases: tuple[tuple[int, ...], ...]

    @property
    def size(self) -> int:
        """Taps of all axes together."""
        return math.prod(map(len, self.taps))


def tap_groups(lattices: list[Lattice]) -> list[TapGroup]:
    """All phases of the axes, grouped by what they read."""
    found: dict[tuple[tuple[int, ...], ...], list[tuple[int, ...]]] = {}
    for phase in itertools.product(*(range(lattice.axis.up) for lattice in lattices)):
        taps = tuple(lattice.taps[p] for lattice, p in zip(lattices, phase, strict=True))
        key = taps if all(taps) else ((),) * 3
        found.setdefault(key, []).append(phase)
    return [TapGroup(taps, tuple(phases)) for taps, phases in found.items()]


class Geometry(NamedTuple):
    """What a convolution is made of, without the tiles it is cut into."""

    lattices: list[Lattice]  # of slices, rows and columns
    tap_groups: list[TapGroup]
    group_in: int
    group_out: int
    computed: np.dtype[np.floating]

    @classmethod
    def of(cls, plan: ConvPlan) -> Geometry:
        """The geometry of a plan, with axes of one position where it has fewer than three."""
        lattices = [Lattice(axis) for axis in (_ONE,) * (3 - plan.rank) + plan.axes]
        computed = np.dtype(convert.COMPUTED[convert.KINDS.index(plan.dtype.name)])
        inside, outside = plan.in_channels // plan.groups, plan.out_channels // plan.groups
        return cls(lattices, tap_groups(lattices), inside, outside, computed)

    @property
    def phases(self) -> int:
        """Phases of all axes together: rows of z per output channel."""
        return math.prod(lattice.axis.up for lattice in self.lattices)

    @property
    def residues(self) -> int:
        """Residues of all axes together: parts that a staged channel is taken apart into."""
        return math.prod(len(lattice.residues) for lattice in self.lattices)

    @property
    def weights_per_channel(self) -> int:
        """Numbers in the weight per input and output channel."""
        return sum(len(group.phases) * group.size for group in self.tap_groups)
