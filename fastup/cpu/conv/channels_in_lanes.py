"""Convolutions of wide layers on the CPU: pack a plan for the kernel whose vectors run along output channels.

`lane_tiling` says which plans these are; others are left to the kernel whose vectors run along columns.
"""

from __future__ import annotations

import itertools
import math

from fastup.cpu.conv import lane_tiling
from fastup.cpu.conv.kernels import conv_wide, gemm, gemm_wide, interleave_phases, transpose
from fastup.cpu.conv.phase_grid import Geometry
from fastup.cpu.conv.row_stages import joining, stages
from fastup.cpu.conv.weight_layout import Panel
from fastup.cpu.conv.weights import Operands
from fastup.cpu.memory import aligned, appended, beyond_caches, streams, target_strides
from fastup.plan import ConvPlan
from fastup.runtime.workers import Launch

FAMILIES = (conv_wide.conv_wide, gemm_wide.gemm_wide, transpose.turn)
_PER_MICROSECOND = 40_000  # products of one thread in float32


def _phases(geometry: Geometry) -> list[tuple[tuple[int, ...], tuple[tuple[int, ...], ...]]]:
    """All phases in order, with their taps."""
    return sorted((phase, group.taps) for group in geometry.tap_groups for phase in group.phases)


def operands(plan: ConvPlan) -> Operands:
    """What calls do with weights: panel by panel, phase by phase; surplus lanes repeat the last channel."""
    geometry = lane_tiling.geometry_of(plan)
    panels, first = [], 0
    for width in lane_tiling.widths(geometry):
        outputs = [min(output, geometry.group_out - 1) for output in range(first, first + width)]
        for phase, taps in _phases(geometry):
            rows = tuple((output, phase) for output in outputs)
            panels.append(Panel(0, geometry.group_in, math.prod(map(len, taps)), rows))
        first += width
    return Operands(plan, geometry, [panels], first * geometry.phases, ("wide",))


def launch(plan: ConvPlan, strides: tuple[int, ...]) -> Launch:
    """The kernel call for a source with these strides (in items)."""
    return _Packing(plan, strides).launch()


class _Packing:
    """One call being packed."""

    def __init__(self, plan: ConvPlan, strides: tuple[int, ...]) -> None:
        self.plan, self.geometry, self.last = plan, lane_tiling.geometry_of(plan), lane_tiling.has_channels_last(plan)
        self.tiling = lane_tiling.choose(plan, self.geometry)
        self.extents = lane_tiling.extents(self.geometry, self.tiling.rows, self.tiling.columns)
        self.size, self.item = self.geometry.computed.itemsize, plan.dtype.itemsize
        self.strides = [stride * self.item for stride in strides]
        self.params = [0] * conv_wide.PARAMS

    def launch(self) -> Launch:
        self._set_numbers()
        self._set_source()
        self._set_target()
        self._set_phases()
        self._name_stages()
        workspace = self._lay_out_workspace()
        entry = conv_wide.conv_wide(self.geometry.computed.name)
        return Launch(entry, self.params, self._microseconds(), workspace=workspace)

    def _microseconds(self) -> float:
        geometry = self.geometry
        positions = self.plan.batch * self.plan.groups * math.prod(lattice.length for lattice in geometry.lattices)
        products = positions * geometry.group_out * geometry.weights_per_channel * geometry.group_in
        moved = positions * (geometry.group_in * self.tiling.ranges + geometry.group_out * geometry.phases)
        return (products * self.size / 4 + 20 * moved) / _PER_MICROSECOND

    def _set_numbers(self) -> None:
        plan, tiling, p = self.plan, self.tiling, self.params
        depth, height, width = self.geometry.lattices
        p[conv_wide.ROW_BLOCKS], p[conv_wide.STRIPS] = tiling.row_blocks, tiling.strips
        p[conv_wide.SLICES], p[conv_wide.RANGES], p[conv_wide.GROUPS] = depth.length, tiling.ranges, plan.groups
        p[conv_wide.TOTAL] = math.prod(p[conv_wide.ROW_BLOCKS : conv_wide.GROUPS + 1]) * plan.batch
        p[conv_wide.NUMBER_SIZE], p[conv_wide.GROUP_OUT] = self.size, self.geometry.group_out
        p[conv_wide.ROWS], p[conv_wide.BLOCK_ROWS] = height.length, tiling.rows
        p[conv_wide.COLUMNS], p[conv_wide.STRIP], p[conv_wide.RANGE] = width.length, tiling.columns, tiling.panels
        for k, lattice in enumerate(self.geometry.lattices):
            axis = lattice.axis
            p[conv_wide.IN_SLICES + k], p[conv_wide.OUT_SLICES + k] = axis.n_in, axis.n_out
            p[conv_wide.UP_SLICES + k], p[conv_wide.STEP_SLICES + k] = axis.up, axis.step
            p[conv_wide.FIRST_SLICE + k], p[conv_wide.STAGED_SLICES + k] = lattice.first, self.extents[k]

    def _set_source(self) -> None:
        plan, p, inside = self.plan, self.params, self.geometry.group_in
        first, channel = plan.first_spatial_axis, self.strides[plan.channel_axis]
        space = [0] * (3 - plan.rank) + self.strides[first : first + plan.rank]
        p[conv_wide.SOURCE_SLICE : conv_wide.SOURCE_PIXEL + 1] = space
        p[conv_wide.SOURCE_IMAGE] = self.strides[0] if len(self.strides) == plan.rank + 2 else 0
        p[conv_wide.SOURCE_GROUP], p[conv_wide.SOURCE_LAYER] = inside * channel, channel
        p[conv_wide.LAYERS], p[conv_wide.ITEMS] = (1, inside) if self.last else (inside, 1)
        swapped, ahead = int(not plan.dtype.isnative), 0 if self.last else channel
        load = [0, 0, 0, p[conv_wide.ITEMS], space[2], channel if self.last else self.item, swapped, ahead]
        p[conv_wide.LOAD_PARAMS] = appended(p, load)

    def _set_target(self) -> None:
        plan, p, target = self.plan, self.params, target_strides(self.plan)
        first = plan.first_spatial_axis
        space = (*(0,) * (3 - plan.rank), *target[first : first + plan.rank])
        p[conv_wide.TARGET_SLICE : conv_wide.TARGET_PIXEL + 1] = space
        p[conv_wide.TARGET_IMAGE] = target[0] if len(target) == plan.rank + 2 else 0
        p[conv_wide.TARGET_CHANNEL] = target[plan.channel_axis]

    def _set_phases(self) -> None:
        p, inside, found = self.params, self.geometry.group_in, _phases(self.geometry)
        _, high, wide = self.extents
        plane = math.prod(self.extents)
        entries, before = [], 0
        for phase, taps in found:
            places = [(s * high + r) * wide + c for s, r, c in itertools.product(*taps)]
            offsets = [
                channel + place * inside if self.last else channel * plane + place
                for channel in range(inside)
                for place in places
            ]
            cut = self.geometry.accumulators(len(places))
            entries += [*phase, len(offsets), appended(p, offsets), before, *cut]
            before += len(offsets)
        p[conv_wide.PAIRS] = len(found) // p[conv_wide.UP_COLUMNS]
        p[conv_wide.PHASE_LIST] = appended(p, entries)
        self._set_panels(before)

    def _set_panels(self, products: int) -> None:
        """The panels of a group; all phases together have so many products."""
        p, geometry = self.params, self.geometry
        lanes = gemm.vector_bytes() // self.size
        entries, first = [], 0
        for width in lane_tiling.widths(geometry):
            kernel = gemm_wide.gemm_wide(geometry.computed.name, width // lanes)
            outputs = min(width, geometry.group_out - first)
            entries += [kernel.address, width, outputs, first, first * products, first * geometry.phases]
            first += width
        p[conv_wide.PANELS] = len(entries) // conv_wide.PANEL_ENTRY
        p[conv_wide.PANEL_LIST] = appended(p, entries)
        p[conv_wide.GROUP_WEIGHTS], p[conv_wide.GROUP_BIASES] = first * products, first * geometry.phases

    def _name_stages(self) -> None:
        p, plan, up = self.params, self.plan, self.geometry.lattices[2].axis.up
        known = stages(plan, self.geometry.computed)
        p[conv_wide.LOAD], p[conv_wide.ACTIVATE], p[conv_wide.STORE], p[conv_wide.SWAPPED] = known
        p[conv_wide.STORED_SIZE] = self.item
        if self.last:
            p[conv_wide.DIRECT] = int(known.activate == known.store == 0)
            p[conv_wide.JOIN] = joining(self.item, 1)
            return
        far = beyond_caches(math.prod(plan.input_shape) * self.item, math.prod(plan.output_shape) * self.item)
        p[conv_wide.STREAM] = int(streams(far, self.tiling.columns * up * self.item))
        p[conv_wide.TURN] = transpose.turn(self.geometry.computed.name).address
        p[conv_wide.JOIN] = joining(self.item, up)

    def _lay_out_workspace(self) -> int:
        p, tiling, geometry = self.params, self.tiling, self.geometry
        lanes, widest, up = gemm.vector_bytes() // self.size, max(lane_tiling.widths(geometry)), p[conv_wide.UP_COLUMNS]
        p[conv_wide.LINE] = -(-tiling.columns // lanes) * lanes
        at = aligned(8 * max(gemm_wide.PARAMS, transpose.PARAMS, 8))
        p[conv_wide.JOIN_AT], at = at, at + aligned(8 * (interleave_phases.FIRST + 2 * up))
        p[conv_wide.LINE_AT], at = at, at + aligned(tiling.columns * up * self.item)
        p[conv_wide.STAGED_AT], at = at, at + aligned(lane_tiling.staged_bytes(geometry, tiling.rows, tiling.columns))
        line = p[conv_wide.LINE] * widest
        p[conv_wide.Z_AT], at = at, at + aligned(line * self.size)
        line *= 1 if self.last else up
        p[conv_wide.TURNED_AT], at = at, at if self.last else at + aligned(line * self.size)
        p[conv_wide.STORED_AT] = at
        return at + aligned(line * self.item) if p[conv_wide.STORE] else at
