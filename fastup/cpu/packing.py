"""The kernel call that packs a weight: where each panel begins, and which numbers of the weight are its rows."""

from __future__ import annotations

import itertools
import math

import numpy as np

from fastup.cpu.kernels import pack
from fastup.cpu.lattice import Geometry
from fastup.cpu.layout import appended
from fastup.cpu.panels import Bundle, bundles, panels_of
from fastup.cpu.tiles import Tiling
from fastup.plan import ConvPlan
from fastup.runtime.workers import Launch

_PER_MICROSECOND = 500  # numbers of one thread; the panels are filled column by column


def packing(plan: ConvPlan, geometry: Geometry, tiling: Tiling) -> Launch:
    """The kernel call: group by group, range by range, channels by channels, bundle by bundle, panel by panel."""
    return _Panels(plan, geometry, tiling).launch()


class _Panels:
    def __init__(self, plan: ConvPlan, geometry: Geometry, tiling: Tiling) -> None:
        self.plan, self.geometry, self.tiling = plan, geometry, tiling
        self.params = [0] * pack.FIRST
        kernel = math.prod(plan.kernel_size)
        if plan.kind == "conv_transpose":
            self.channel, self.output = geometry.group_out * kernel, kernel
            self.group = geometry.group_in * self.channel
        else:
            self.channel, self.output = kernel, geometry.group_in * kernel
            self.group = geometry.group_out * self.output
        self.taps = {phase: self._taps(phase) for group in geometry.tap_groups for phase in group.phases}

    def launch(self) -> Launch:
        geometry, tiling, p = self.geometry, self.tiling, self.params
        panels: list[int] = []
        target = 0
        for begin in range(0, geometry.group_out, tiling.channels_out):
            outputs = min(tiling.channels_out, geometry.group_out - begin)
            for channel in range(0, geometry.group_in, tiling.channels_in):
                channels = min(tiling.channels_in, geometry.group_in - channel)
                for first, bundle in bundles(geometry, outputs):
                    for rows, taps, row_list in self._panels(begin + first, bundle):
                        panels += [rows, taps, channels, channel * self.channel, target, row_list]
                        target += rows * taps * channels
        count = len(panels) // pack.PANEL_ENTRY
        p[: pack.FIRST] = [self.plan.groups * count, count, appended(p, panels), self.group, target, self.channel]
        return Launch(pack.pack(geometry.computed.name), p, self.plan.groups * target / _PER_MICROSECOND)

    def _taps(self, phase: tuple[int, ...]) -> int:
        """Where the list of a phase's taps is: their items in the kernel."""
        plan = self.plan
        axes = zip(plan.axes, phase[3 - plan.rank :], strict=True)
        taps = itertools.product(*(axis.phases[p].taps for axis, p in axes))
        return appended(self.params, [int(np.ravel_multi_index(tap, plan.kernel_size)) for tap in taps])

    def _panels(self, first: int, bundle: Bundle) -> list[tuple[int, int, int]]:
        """Rows, taps and place of the rows of each panel of a bundle, whose first output channel is given."""
        found = []
        for number in bundle.groups:
            group = self.geometry.tap_groups[number]
            entries = []
            for output in range(first, first + bundle.channels):
                for phase in group.phases:
                    place = output
                    if self.plan.kind == "subpixel_conv":
                        place = output * self.geometry.phases + self.geometry.phase_number(phase)
                    entries += [place * self.output, self.taps[phase]]
            place = appended(self.params, entries)
            for rows in panels_of(bundle.channels * len(group.phases)):
                found.append((rows, group.size, place))
                place += rows * pack.ROW_ENTRY
        return found
