"""Where the phases of a convolution meet: positions at which all of them are computed, and what each reads there."""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import numpy as np

from fastup.cpu.conv.kernels import gemm
from fastup.cpu.simd.item_kinds import COMPUTED, KINDS
from fastup.plan import ConvPlan
from fastup.plan.phases import Phase, PhasedAxis, number_of

PANEL = max(gemm.ROWS)  # rows of z that one call of the micro-kernel makes
# Zeros between rows 8 wide cost more than copies of the picture for 256 channels that read them: 1.2 times the time.
# The bounds between that and wider pictures, or fewer channels, were set without a search.
_NARROW, _MANY = 16, 16
_ONE = PhasedAxis(1, 1, 1, 1, (Phase((0,), (0,)),))


class Lattice:
    """One axis of z: positions j that all phases share, and what is staged for them.

    Phases whose taps begin at different positions are computed where the first ones of all need it, so that those with
    equal taps are rows of one product; or, where it is `exact`, each at its own positions and no others. The staged
    positions are parted by their residue, one after the other; or, where taps are `apart`, into a copy for each tap.
    """

    def __init__(self, axis: PhasedAxis, exact: bool = False, apart: bool = False) -> None:
        self.axis, self.apart = axis, apart
        lowest = [min(phase.shifts) // axis.step if phase.shifts else None for phase in axis.phases]
        self.first = min((base for base in lowest if base is not None), default=0)
        self.bases = [self.first if exact or base is None else base for base in lowest]
        counts = [-(-(axis.n_out - p) // axis.up) for p in range(axis.up)]
        self.end = max(base + count for base, count in zip(self.bases, counts, strict=True))
        # Input positions of each phase's taps, relative to step * j: never negative.
        self.taps = [
            tuple(shift - axis.step * base for shift in phase.shifts)
            for phase, base in zip(axis.phases, self.bases, strict=True)
        ]
        wanted = {tap for taps in self.taps for tap in taps} or {0}
        self.more = 0 if apart else max(wanted) // axis.step  # staged positions beyond those of z
        self.residues = sorted(wanted if apart else {tap % axis.step for tap in wanted})

    def place(self, tap: int) -> tuple[int, int]:
        """The part of the staged positions that a tap reads, and from where on."""
        shift = 0 if self.apart else tap // self.axis.step
        return self.residues.index(tap - shift * self.axis.step), shift

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


class PhaseGrid(NamedTuple):
    """What a convolution is made of, without the tiles it is cut into."""

    lattices: list[Lattice]  # of slices, rows and columns
    tap_groups: list[TapGroup]
    group_in: int
    group_out: int
    computed: np.dtype[np.floating]

    @classmethod
    def of(cls, plan: ConvPlan) -> PhaseGrid:
        """The grid of a plan, with axes of one position where it has fewer than three."""
        computed = np.dtype(COMPUTED[KINDS.index(plan.dtype.name)])
        inside, outside = plan.in_channels // plan.groups, plan.out_channels // plan.groups
        exact = outside >= PANEL  # one phase of all channels fills a panel
        apart = outside >= _MANY and plan.axes[-1].n_in <= _NARROW
        higher = [Lattice(axis, exact) for axis in ((_ONE,) * (3 - plan.rank) + plan.axes)[:2]]
        lattices = [*higher, Lattice(plan.axes[-1], exact, apart)]
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
    def channels_at_once(self) -> int:
        """Input channels whose products one accumulator sums; what is staged at a time is a multiple of them."""
        most = max(1, gemm.PRODUCTS_AT_ONCE // max(1, *(group.size for group in self.tap_groups)))
        return -(-self.group_in // -(-self.group_in // most))

    def accumulators(self, taps: int) -> tuple[int, int]:
        """Products of one accumulator of a phase with so many taps, and at whose multiples one ends: whole channels.

        Of more taps than one accumulator may sum, a channel is cut into equal parts.
        """
        if taps <= gemm.PRODUCTS_AT_ONCE:
            products = max(1, self.channels_at_once * taps)
            return products, products
        return -(-taps // -(-taps // gemm.PRODUCTS_AT_ONCE)), taps

    @property
    def weights_per_channel(self) -> int:
        """Numbers in the weight per input and output channel."""
        return sum(len(group.phases) * group.size for group in self.tap_groups)

    def phase_number(self, phase: tuple[int, ...]) -> int:
        """The place of a phase among those of an output channel, as the weight has them."""
        return number_of([lattice.axis for lattice in self.lattices], phase)
