"""How a weight is laid out: bundles whose rows of z make whole rows of the result, and the panels of their products."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from fastup.cpu.conv.kernels import pack_weight
from fastup.cpu.conv.phase_grid import PANEL, PhaseGrid
from fastup.cpu.memory import Packing
from fastup.plan import ConvPlan
from fastup.runtime.workers import Launch

_PER_MICROSECOND = 500  # numbers of one thread; the panels are filled column by column
Rows = tuple[tuple[int, tuple[int, ...]], ...]  # output channel and phase of each


class Bundle(NamedTuple):
    """Tap groups that have the column phases of some row phases between them, for some output channels."""

    groups: tuple[int, ...]
    channels: int

    def rows(self, grid: PhaseGrid) -> int:
        """Rows of z, which stand tap group by tap group, then channel by channel."""
        return self.channels * sum(len(grid.tap_groups[number].phases) for number in self.groups)

    def weights(self, grid: PhaseGrid) -> int:
        """Numbers of weights per input channel."""
        groups = [grid.tap_groups[number] for number in self.groups]
        return self.channels * sum(len(group.phases) * group.size for group in groups)


class Panel(NamedTuple):
    """Weights that one call of a micro-kernel reads: of some input channels, all taps of a phase, and some rows."""

    channel: int
    channels: int
    taps: int
    rows: Rows

    @property
    def size(self) -> int:
        """Numbers in it."""
        return self.channels * self.taps * len(self.rows)


def panels_of(rows: int) -> list[int]:
    """Rows of each panel: full ones, and what is left in one panel or two."""
    rest = {0: [], 5: [3, 2]}.get(rows % PANEL, [rows % PANEL])
    return [PANEL] * (rows // PANEL) + rest


def whole_bundles(grid: PhaseGrid) -> list[Bundle]:
    """The bundles of a grid, with as many channels as fill the panels of all their tap groups."""
    joined: list[tuple[set[tuple[int, ...]], list[int]]] = []
    for number, group in enumerate(grid.tap_groups):
        rows, numbers = {phase[:2] for phase in group.phases}, [number]
        for other, before in [pair for pair in joined if pair[0] & rows]:
            joined.remove((other, before))
            rows, numbers = rows | other, before + numbers
        joined.append((rows, numbers))
    return [Bundle(tuple(numbers), _whole(grid, numbers)) for _, numbers in joined]


def _whole(grid: PhaseGrid, groups: list[int]) -> int:
    return PANEL // math.gcd(PANEL, *(len(grid.tap_groups[number].phases) for number in groups))


def channels_of_whole_panels(grid: PhaseGrid) -> int:
    """Output channels that fill the panels of all tap groups."""
    return _whole(grid, list(range(len(grid.tap_groups))))


def bundles(grid: PhaseGrid, channels: int) -> Iterator[tuple[int, Bundle]]:
    """The bundles of so many output channels in the order in which they are made, each with its first channel."""
    for whole in whole_bundles(grid):
        for begin in range(0, channels, whole.channels):
            yield begin, whole._replace(channels=min(whole.channels, channels - begin))


def planar(grid: PhaseGrid, channels_out: int, channels_in: int) -> Iterator[list[Panel]]:
    """The panels of each range of output channels: as many input channels as are staged at a time, bundle by bundle."""
    for begin in range(0, grid.group_out, channels_out):
        outputs = min(channels_out, grid.group_out - begin)
        yield [
            panel
            for channel in range(0, grid.group_in, channels_in)
            for panel in _block(grid, begin, outputs, channel, min(channels_in, grid.group_in - channel))
        ]


def _block(grid: PhaseGrid, begin: int, outputs: int, channel: int, channels: int) -> Iterator[Panel]:
    for first, bundle in bundles(grid, outputs):
        of_bundle = range(begin + first, begin + first + bundle.channels)
        for number in bundle.groups:
            group = grid.tap_groups[number]
            rows = tuple(itertools.product(of_bundle, group.phases))
            for count in panels_of(len(rows)):
                yield Panel(channel, channels, group.size, rows[:count])
                rows = rows[count:]


def packing(plan: ConvPlan, grid: PhaseGrid, panels: list[Panel]) -> Launch:
    """The kernel call that lays the panels of each group down one after the other."""
    call, kernel = Packing(pack_weight.P), math.prod(plan.kernel_size)
    if plan.kind == "conv_transpose":
        channel, output = grid.group_out * kernel, kernel
        group = grid.group_in * channel
    else:
        channel, output = kernel, grid.group_in * kernel
        group = grid.group_out * output
    taps = {phase: call.append(_taps(plan, phase)) for tap_group in grid.tap_groups for phase in tap_group.phases}
    lists: dict[Rows, int] = {}  # panels of several blocks of input channels share one
    entries, target = [], 0
    for panel in panels:
        if panel.rows not in lists:
            rows = (
                pack_weight.ROW.fill(source=_channel(plan, grid, *row) * output, taps=taps[row[1]])
                for row in panel.rows
            )
            lists[panel.rows] = call.append(itertools.chain.from_iterable(rows))
        entries += pack_weight.PANEL.fill(
            rows=len(panel.rows), taps=panel.taps, channels=panel.channels, source=panel.channel * channel,
            target=target, row_list=lists[panel.rows],
        )  # fmt: skip
        target += panel.size
    call.set(total=plan.groups * len(panels), panels=len(panels), panel_list=call.append(entries))
    call.set(group_source=group, group_target=target, channel_source=channel)
    return call.launch(pack_weight.pack_weight(grid.computed.name), plan.groups * target / _PER_MICROSECOND)


def _taps(plan: ConvPlan, phase: tuple[int, ...]) -> list[int]:
    """The items of a phase's taps in the kernel."""
    axes = zip(plan.axes, phase[3 - plan.rank :], strict=True)
    taps = itertools.product(*(axis.phases[p].taps for axis, p in axes))
    return [int(np.ravel_multi_index(tap, plan.kernel_size)) for tap in taps]


def _channel(plan: ConvPlan, grid: PhaseGrid, output: int, phase: tuple[int, ...]) -> int:
    """The channel of the weight that makes an output channel, and phase."""
    return output * grid.phases + grid.phase_number(phase) if plan.kind == "subpixel_conv" else output
