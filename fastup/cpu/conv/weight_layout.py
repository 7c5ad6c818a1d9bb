"""The kernel call that packs a weight: where each panel begins, and which numbers of the weight are its rows."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from fastup.cpu.conv.column_tiling import Tiling
from fastup.cpu.conv.kernels import pack_weight
from fastup.cpu.conv.panels import bundles, panels_of
from fastup.cpu.conv.phase_grid import Geometry
from fastup.cpu.memory import appended
from fastup.plan import ConvPlan
from fastup.runtime.workers import Launch

_PER_MICROSECOND = 500  # numbers of one thread; the panels are filled column by column


class Panel(NamedTuple):
    """Weights that one call of a micro-kernel reads: of some input channels, all taps of a phase, and some rows."""

    channel: int
    channels: int
    taps: int
    rows: tuple[tuple[int, tuple[int, ...]], ...]  # output channel and phase

    @property
    def size(self) -> int:
        """Numbers in it."""
        return self.channels * self.taps * len(self.rows)


def planar(geometry: Geometry, tiling: Tiling) -> Iterator[list[Panel]]:
    """The panels of each range of output channels: channels by channels, bundle by bundle."""
    for begin in range(0, geometry.group_out, tiling.channels_out):
        outputs = min(tiling.channels_out, geometry.group_out - begin)
        yield [
            panel
            for channel in range(0, geometry.group_in, tiling.channels_in)
            for panel in _block(geometry, begin, outputs, channel, min(tiling.channels_in, geometry.group_in - channel))
        ]


def _block(geometry: Geometry, begin: int, outputs: int, channel: int, channels: int) -> Iterator[Panel]:
    for first, bundle in bundles(geometry, outputs):
        of_bundle = range(begin + first, begin + first + bundle.channels)
        for number in bundle.groups:
            group = geometry.tap_groups[number]
            rows = tuple(itertools.product(of_bundle, group.phases))
            for count in panels_of(len(rows)):
                yield Panel(channel, channels, group.size, rows[:count])
                rows = rows[count:]


def packing(plan: ConvPlan, geometry: Geometry, panels: list[Panel]) -> Launch:
    """The kernel call that lays the panels of each group down one after the other."""
    return _Packing(plan, geometry, panels).launch()


class _Packing:
    def __init__(self, plan: ConvPlan, geometry: Geometry, panels: list[Panel]) -> None:
        self.plan, self.geometry, self.panels = plan, geometry, panels
        self.params = [0] * pack_weight.FIRST
        self.lists: dict[tuple[tuple[int, tuple[int, ...]], ...], int] = {}
        kernel = math.prod(plan.kernel_size)
        if plan.kind == "conv_transpose":
            self.channel, self.output = geometry.group_out * kernel, kernel
            self.group = geometry.group_in * self.channel
        else:
            self.channel, self.output = kernel, geometry.group_in * kernel
            self.group = geometry.group_out * self.output
        self.taps = {phase: self._taps(phase) for group in geometry.tap_groups for phase in group.phases}

    def launch(self) -> Launch:
        p, entries, target = self.params, [], 0
        for panel in self.panels:
            first = panel.channel * self.channel
            entries += [len(panel.rows), panel.taps, panel.channels, first, target, self._rows(panel)]
            target += panel.size
        groups, count = self.plan.groups, len(self.panels)
        p[: pack_weight.FIRST] = [groups * count, count, appended(p, entries), self.group, target, self.channel]
        return Launch(pack_weight.pack(self.geometry.computed.name), p, groups * target / _PER_MICROSECOND)

    def _taps(self, phase: tuple[int, ...]) -> int:
        """Where the list of a phase's taps is: their items in the kernel."""
        plan = self.plan
        axes = zip(plan.axes, phase[3 - plan.rank :], strict=True)
        taps = itertools.product(*(axis.phases[p].taps for axis, p in axes))
        return appended(self.params, [int(np.ravel_multi_index(tap, plan.kernel_size)) for tap in taps])

    def _rows(self, panel: Panel) -> int:
        """Where the list of a panel's rows is; panels of several blocks of input channels share it."""
        if panel.rows not in self.lists:
            entries = []
            for output, phase in panel.rows:
                place = output
                if self.plan.kind == "subpixel_conv":
                    place = output * self.geometry.phases + self.geometry.phase_number(phase)
                entries += [place * self.output, self.taps[phase]]
            self.lists[panel.rows] = appended(self.params, entries)
        return self.lists[panel.rows]
