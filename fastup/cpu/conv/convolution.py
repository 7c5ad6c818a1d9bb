"""Convolutions on the CPU: pack a plan and its weights for the one kernel, choose the tiles."""

from __future__ import annotations

import ctypes
import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from fastup.cpu.conv import channels_in_lanes, column_tiling, gaps, lane_tiling, panels, weight_layout
from fastup.cpu.conv.kernels import activate, conv, gemm, interleave_phases, pack_weight
from fastup.cpu.conv.panels import Bundle
from fastup.cpu.conv.phase_grid import Geometry
from fastup.cpu.conv.row_stages import ITEMS, joining, stages
from fastup.cpu.conv.weights import Operands
from fastup.cpu.memory import aligned, appended, beyond_caches, streams, target_strides
from fastup.cpu.simd import convert
from fastup.plan import ConvPlan
from fastup.plan.base import Array
from fastup.runtime.kernel import Family
from fastup.runtime.workers import Launch

FAMILIES = (
    conv.conv,
    gemm.gemm,
    *channels_in_lanes.FAMILIES,
    interleave_phases.join,
    pack_weight.pack,
    activate.activate_float,
    activate.activate_double,
    convert.load,
    convert.store,
)


def instances(dtype: np.dtype[Any]) -> Iterator[tuple[Family, tuple[Any, ...]]]:
    """The kernels that arrays of `dtype` may need."""
    if dtype.name not in ("float16", "bfloat16", "float32", "float64"):
        return
    kind = convert.KINDS.index(dtype.name)
    computed = convert.COMPUTED[kind]
    item = ITEMS[dtype.itemsize]
    for family in FAMILIES:
        for key in family.instances():
            if family in (convert.load, convert.store):
                wanted = key[1] == kind
            else:
                wanted = key[0] == (item if family is interleave_phases.join else computed)
            if wanted:
                yield family, key


def launch(plan: ConvPlan, strides: tuple[int, ...]) -> Launch | gaps.Spread:
    """The kernel call for a source with these strides (in items)."""
    if gaps.leaves_gaps(plan):
        return gaps.Spread(plan, _launch(gaps.compact(plan), strides))
    return _launch(plan, strides)


def _launch(plan: ConvPlan, strides: tuple[int, ...]) -> Launch:
    return channels_in_lanes.launch(plan, strides) if lane_tiling.applies(plan) else _Packing(plan, strides).launch()


def table(plan: ConvPlan, weight: Any, bias: Array | None = None, slopes: Array | None = None) -> tuple[int, Any]:
    """Address of the kernel's table for a weight, and what must stay alive beside it."""
    operands = plan.backend_cache.get("operands")
    if operands is None:
        computed = gaps.compact(plan) if gaps.leaves_gaps(plan) else plan
        make = channels_in_lanes.operands if lane_tiling.applies(computed) else _operands
        operands = plan.backend_cache["operands"] = make(computed)
    addresses, owners = operands.addresses(weight, bias, slopes)
    return ctypes.addressof(addresses), (addresses, owners)


def _operands(plan: ConvPlan) -> Operands:
    geometry = Geometry.of(plan)
    tiling = column_tiling.choose(plan, geometry)
    ranges = list(weight_layout.planar(geometry, tiling))
    rows = geometry.phases * tiling.channels_out
    return Operands(plan, geometry, ranges, rows, (tiling.channels_out, tiling.channels_in))


class _Packing:
    """One call being packed; the attributes are what several steps need."""

    def __init__(self, plan: ConvPlan, strides: tuple[int, ...]) -> None:
        self.plan = plan
        self.geometry = Geometry.of(plan)
        self.tiling = column_tiling.choose(plan, self.geometry)
        self.size = self.geometry.computed.itemsize
        self.item = plan.dtype.itemsize
        first = plan.first_spatial_axis
        missing = (0,) * (3 - plan.rank)
        self.source = (*missing, *(s * self.item for s in strides[first : first + plan.rank]))
        self.source_channel = strides[plan.channel_axis] * self.item
        self.source_image = strides[0] * self.item if len(strides) == plan.rank + 2 else 0
        self.params = [0] * conv.PARAMS

    def launch(self) -> Launch:
        self._set_numbers()
        self._set_lists()
        self._name_stages()
        workspace = self._lay_out_workspace()
        entry = conv.conv(self.geometry.computed.name)
        return Launch(entry, self.params, self.tiling.microseconds, workspace=workspace)

    def _set_numbers(self) -> None:
        plan, geometry, tiling, p = self.plan, self.geometry, self.tiling, self.params
        depth, height, width = geometry.lattices
        p[conv.ROW_BLOCKS], p[conv.STRIPS], p[conv.SLICES] = tiling.row_blocks, len(tiling.strips), depth.length
        p[conv.RANGES], p[conv.GROUPS] = tiling.ranges, plan.groups
        p[conv.TOTAL] = math.prod(p[conv.ROW_BLOCKS : conv.GROUPS + 1]) * plan.batch
        p[conv.GROUP_IN], p[conv.GROUP_OUT] = geometry.group_in, geometry.group_out
        p[conv.RANGE], p[conv.CHANNEL_BLOCK] = tiling.channels_out, tiling.channels_in
        p[conv.NUMBER_SIZE] = self.size
        p[conv.SOURCE_IMAGE], p[conv.SOURCE_CHANNEL] = self.source_image, self.source_channel
        p[conv.SOURCE_SLICE], p[conv.SOURCE_ROW], _ = self.source
        self._set_target()
        p[conv.IN_SLICES], p[conv.IN_ROWS] = depth.axis.n_in, height.axis.n_in
        p[conv.OUT_SLICES], p[conv.OUT_ROWS] = depth.axis.n_out, height.axis.n_out
        p[conv.UP_SLICES], p[conv.UP_ROWS], p[conv.UP_COLUMNS] = depth.axis.up, height.axis.up, width.axis.up
        p[conv.STEP_SLICES], p[conv.STEP_ROWS] = depth.axis.step, height.axis.step
        p[conv.FIRST_SLICE], p[conv.FIRST_ROW], p[conv.END_ROW] = depth.first, height.first, height.end
        p[conv.BLOCK_ROWS], p[conv.STAGED_SLICES], p[conv.MORE_ROWS] = tiling.rows, 1 + depth.more, height.more
        p[conv.ROW_COLUMNS] = tiling.strips[0][1] + width.spread
        p[conv.OVERLAP] = column_tiling.overlap(width, len(tiling.strips))
        p[conv.PITCH], p[conv.PLANE], p[conv.CHANNEL] = tiling.pitch, tiling.plane, tiling.channel
        p[conv.Z_STEP], p[conv.RANGE_ROWS] = tiling.z_step, geometry.phases * tiling.channels_out
        p[conv.VECTOR] = gemm.vector_bytes() // self.size
        p[conv.CHANNEL_WEIGHTS] = geometry.weights_per_channel
        p[conv.RANGE_WEIGHTS] = tiling.channels_out * geometry.weights_per_channel * geometry.group_in
        p[conv.GROUP_WEIGHTS] = geometry.group_out * geometry.weights_per_channel * geometry.group_in

    def _set_target(self) -> None:
        plan, p = self.plan, self.params
        strides = target_strides(plan)
        first = plan.first_spatial_axis
        self.target = (0,) * (3 - plan.rank) + strides[first : first + plan.rank]
        p[conv.TARGET_IMAGE] = strides[0] if len(strides) == plan.rank + 2 else 0
        p[conv.TARGET_CHANNEL] = strides[plan.channel_axis]
        p[conv.TARGET_SLICE], p[conv.TARGET_ROW] = self.target[:2]
        p[conv.TARGET_STEP] = self.target[2] // self.item

    def _set_lists(self) -> None:
        depth, height, width = self.geometry.lattices
        p, tiling, groups = self.params, self.tiling, self.geometry.tap_groups
        p[conv.SLICE_RESIDUES], p[conv.ROW_RESIDUES] = len(depth.residues), len(height.residues)
        p[conv.COLUMN_RESIDUES] = len(width.residues)
        p[conv.RESIDUES] = appended(p, [*depth.residues, *height.residues])
        entries = []
        for group in groups:
            offsets = [tiling.offset(self.geometry, *tap) for tap in itertools.product(*group.taps)]
            starts = range(0, tiling.channels_in * tiling.channel, tiling.channel)
            places = appended(p, [start + offset for start in starts for offset in offsets])
            entries += [len(offsets), places, *self.geometry.accumulators(len(offsets))]
        p[conv.TAP_LIST] = appended(p, entries)
        self._set_bundles()
        self._set_strips()

    def _set_bundles(self) -> None:
        """Each kind of bundle with all its channels, and with those that are left at the end of the last range."""
        last = self.geometry.group_out - (self.tiling.ranges - 1) * self.tiling.channels_out
        entries = []
        for kind in panels.kinds(self.geometry):
            rest = kind._replace(channels=last % kind.channels)
            entries += [kind.channels, self._bundle(kind), self._bundle(rest)]
        self.params[conv.BUNDLES] = len(entries) // conv.BUNDLE_ENTRY
        self.params[conv.BUNDLE_LIST] = appended(self.params, entries)

    def _bundle(self, bundle: Bundle) -> int:
        """Where the description of a bundle is."""
        p, geometry = self.params, self.geometry
        entries, before, first = [], 0, 0
        firsts: dict[tuple[int, ...], tuple[int, int]] = {}
        for number in bundle.groups:
            group = geometry.tap_groups[number]
            firsts |= {phase: (first + k, len(group.phases)) for k, phase in enumerate(group.phases)}
            for rows in panels.panels_of(bundle.channels * len(group.phases)):
                entries += [gemm.gemm(geometry.computed.name, rows).address, first, number, before]
                first, before = first + rows, before + rows * group.size
        made, pairs = len(entries) // conv.PANEL_ENTRY, len({phase[:2] for phase in firsts})
        panel_list, phase_list = appended(p, entries), appended(p, self._phases(firsts))
        rows, weights = bundle.rows(geometry), bundle.weights(geometry)
        return appended(p, [rows, weights, made, panel_list, pairs, phase_list])

    def _phases(self, firsts: dict[tuple[int, ...], tuple[int, int]]) -> list[int]:
        """What to join: the pairs of slice and row phase of which these are all phases, with their rows of z."""
        depth, height, width = self.geometry.lattices
        entries = []
        for s, r in sorted({phase[:2] for phase in firsts}):
            entries += [s, depth.bases[s], r, height.bases[r]]
            for c in range(width.axis.up):
                entries += [*firsts[s, r, c], width.bases[c] - width.first]
        return entries

    def _set_strips(self) -> None:
        width, pitch = self.geometry.lattices[2], self.tiling.pitch
        pixel = self.source[2]
        entries = []
        for begin, end in self.tiling.strips:
            first_output = begin * width.axis.up
            outputs = min(end * width.axis.up, width.axis.n_out) - first_output
            entries += [first_output * self.target[2], outputs]
            for residue in width.residues:
                before, stop = column_tiling.lattice_edges(width, residue, pitch, begin)
                origin = (width.first + begin + before) * width.axis.step + residue
                count, source = stop - before, origin * pixel
                swapped, ahead = int(not self.plan.dtype.isnative), self.source_channel  # the next that is staged
                load = [count, 0, 0, 1, pixel * width.axis.step, self.item, swapped, ahead]
                entries += [source, before, *load]
        self.params[conv.STRIP_LIST] = appended(self.params, entries)

    def _name_stages(self) -> None:
        p, plan = self.params, self.plan
        p[conv.LOAD], p[conv.ACTIVATE], p[conv.STORE], p[conv.SWAPPED] = stages(plan, self.geometry.computed)
        p[conv.STORED_SIZE] = self.item
        p[conv.FETCHES] = int(self._rows_are_asked_for())
        p[conv.ROWS_ON_END] = int(self._rows_on_end())
        up = self.geometry.lattices[2].axis.up
        far = beyond_caches(math.prod(plan.input_shape) * self.item, math.prod(plan.output_shape) * self.item)
        p[conv.STREAM] = int(p[conv.TARGET_STEP] == 1 and streams(far, self.tiling.strips[0][1] * up * self.item))
        p[conv.JOIN] = joining(self.item, up if p[conv.TARGET_STEP] == 1 else 0)

    def _rows_are_asked_for(self) -> bool:
        """Whether what the next block of rows reads of a channel lies in one piece, and is staged at once."""
        width, tiling = self.geometry.lattices[2], self.tiling
        dense = self.source[2] == self.item and self.source[1] == width.axis.n_in * self.item
        return dense and len(tiling.strips) == 1 and tiling.channels_in == self.geometry.group_in

    def _rows_on_end(self) -> bool:
        """Whether the rows of the input lie one after the other, and just as they are staged."""
        _, height, width = self.geometry.lattices
        row = width.axis.n_in * self.source[2]
        as_staged = width.axis.n_in == self.tiling.pitch and height.axis.step == width.axis.step == 1
        return as_staged and self.source[1] == row and len(self.tiling.strips) == 1

    def _lay_out_workspace(self) -> int:
        p, tiling = self.params, self.tiling
        at = aligned(8 * gemm.PARAMS)
        longest = max(end - begin for begin, end in tiling.strips) * p[conv.UP_COLUMNS]
        p[conv.LINE_AT], at = at, at + aligned(longest * self.item)
        p[conv.JOIN_AT], at = at, at + aligned(8 * (interleave_phases.FIRST + 2 * p[conv.UP_COLUMNS]))
        slack = self.geometry.lattices[2].more + 2 * p[conv.VECTOR]
        p[conv.STAGED_AT], at = at, at + aligned((tiling.channels_in * tiling.channel + slack) * self.size)
        rows = tiling.z_rows(self.geometry)
        p[conv.Z_AT], at = at, at + aligned(rows * tiling.z_step * self.size)
        p[conv.STORED_AT] = at
        return at + aligned(rows * tiling.z_step * self.item) if p[conv.STORE] else at
