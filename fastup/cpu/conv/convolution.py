"""Convolutions on the CPU: pack a plan and its weights for the one kernel, choose the tiles."""

from __future__ import annotations

import ctypes
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from fastup.cpu.conv import channels_in_lanes, column_tiling, gaps, weight_layout
from fastup.cpu.conv.kernels import activate, conv, gemm, interleave_phases, pack_weight
from fastup.cpu.conv.packing import ConvPacking
from fastup.cpu.conv.phase_grid import PhaseGrid
from fastup.cpu.conv.row_stages import ITEMS, interleaving
from fastup.cpu.conv.weight_layout import Bundle
from fastup.cpu.conv.weights import Operands
from fastup.cpu.simd import convert
from fastup.cpu.simd.convert import LOAD
from fastup.cpu.simd.item_kinds import COMPUTED, KINDS
from fastup.plan import ConvPlan
from fastup.plan.base import Array
from fastup.runtime.kernel import Family
from fastup.runtime.workers import Launch

FAMILIES = (
    conv.conv,
    gemm.gemm,
    *channels_in_lanes.FAMILIES,
    interleave_phases.interleave,
    pack_weight.pack_weight,
    activate.activate_float,
    activate.activate_double,
    convert.load,
    convert.store,
)


def instances(dtype: np.dtype[Any]) -> Iterator[tuple[Family, tuple[Any, ...]]]:
    """The kernels that arrays of `dtype` may need."""
    if dtype.name not in ("float16", "bfloat16", "float32", "float64"):
        return
    kind = KINDS.index(dtype.name)
    computed = COMPUTED[kind]
    item = ITEMS[dtype.itemsize]
    for family in FAMILIES:
        for key in family.instances():
            if family in (convert.load, convert.store):
                wanted = key[1] == convert.GROUP_OF[kind]
            else:
                wanted = key[0] == (item if family is interleave_phases.interleave else computed)
            if wanted:
                yield family, key


def launch(plan: ConvPlan, strides: tuple[int, ...]) -> Launch | gaps.Spread:
    """The kernel call for a source with these strides (in items)."""
    if gaps.leaves_gaps(plan):
        return gaps.Spread(plan, _launch(gaps.compact(plan), strides))
    return _launch(plan, strides)


def _launch(plan: ConvPlan, strides: tuple[int, ...]) -> Launch:
    return (
        channels_in_lanes.launch(plan, strides) if channels_in_lanes.applies(plan) else _Packing(plan, strides).pack()
    )


def table(plan: ConvPlan, weight: Any, bias: Array | None = None, slopes: Array | None = None) -> tuple[int, Any]:
    """Address of the kernel's table for a weight, and what must stay alive beside it."""
    operands = plan.backend_cache.get("operands")
    if operands is None:
        computed = gaps.compact(plan) if gaps.leaves_gaps(plan) else plan
        make = channels_in_lanes.operands if channels_in_lanes.applies(computed) else _operands
        operands = plan.backend_cache["operands"] = make(computed)
    addresses, owners = operands.addresses(weight, bias, slopes)
    return ctypes.addressof(addresses), (addresses, owners)


def _operands(plan: ConvPlan) -> Operands:
    grid = PhaseGrid.of(plan)
    tiling = column_tiling.choose(plan, grid)
    ranges = list(weight_layout.planar(grid, tiling.channels_out, tiling.channels_in))
    rows = grid.phases * tiling.channels_out
    return Operands(plan, grid, ranges, rows, (tiling.channels_out, tiling.channels_in))


class _Packing(ConvPacking):
    def __init__(self, plan: ConvPlan, strides: tuple[int, ...]) -> None:
        super().__init__(conv.P, plan, PhaseGrid.of(plan), strides)
        self.tiling = column_tiling.choose(plan, self.grid)

    def pack(self) -> Launch:
        tiling = self.tiling
        self.set_items(tiling.rows, tiling.row_blocks, len(tiling.strips), tiling.ranges)
        self._set_tiles()
        self._set_lists()
        self._set_interleaving()
        self._lay_out_workspace()
        return self.launch(conv.conv(self.grid.computed.name), tiling.microseconds)

    def _set_tiles(self) -> None:
        grid, tiling, (depth, height, width) = self.grid, self.tiling, self.grid.lattices
        self.set(range=tiling.channels_out, channel_block=tiling.channels_in, end_row=height.end)
        self.set(staged_slices=1 + depth.more, more_rows=height.more, row_columns=tiling.strips[0][1] + width.spread)
        self.set(pitch=tiling.pitch, plane=tiling.plane, channel=tiling.channel, z_step=tiling.z_step)
        self.set(overlap=column_tiling.overlap(width, len(tiling.strips)), vector=gemm.vector_bytes() // self.size)
        weights = grid.weights_per_channel
        self.set(channel_weights=weights, range_weights=tiling.channels_out * weights * grid.group_in)
        self.set(group_weights=grid.group_out * weights * grid.group_in, range_rows=grid.phases * tiling.channels_out)

    def _set_lists(self) -> None:
        depth, height, width = (lattice.residues for lattice in self.grid.lattices)
        self.set(slice_residues=len(depth), row_residues=len(height), column_residues=len(width))
        self.set(residue_list=self.append([*depth, *height]))
        tiling, entries = self.tiling, []
        for group in self.grid.tap_groups:
            offsets = [tiling.offset(self.grid, *tap) for tap in itertools.product(*group.taps)]
            starts = range(0, tiling.channels_in * tiling.channel, tiling.channel)
            places = self.append([start + offset for start in starts for offset in offsets])
            at_once, run = self.grid.accumulators(len(offsets))
            entries += conv.TAPS.fill(taps=len(offsets), offsets=places, at_once=at_once, run=run)
        self.set(tap_list=self.append(entries))
        self._set_bundles()
        self._set_strips()

    def _set_bundles(self) -> None:
        """Each bundle with all its channels, and with those that are left at the end of the last range."""
        last = self.grid.group_out - (self.tiling.ranges - 1) * self.tiling.channels_out
        wholes, entries = weight_layout.whole_bundles(self.grid), []
        for whole in wholes:
            rest = whole._replace(channels=last % whole.channels)
            places = self._bundle(whole), self._bundle(rest)
            entries += conv.BUNDLES.fill(channels=whole.channels, whole=places[0], rest=places[1])
        self.set(bundles=len(wholes), bundle_list=self.append(entries))

    def _bundle(self, bundle: Bundle) -> int:
        """Where the description of a bundle is."""
        grid = self.grid
        panels: list[list[int]] = []
        before, first = 0, 0
        firsts: dict[tuple[int, ...], tuple[int, int]] = {}
        for number in bundle.groups:
            group = grid.tap_groups[number]
            firsts |= {phase: (first + k, len(group.phases)) for k, phase in enumerate(group.phases)}
            for rows in weight_layout.panels_of(bundle.channels * len(group.phases)):
                kernel = gemm.gemm(grid.computed.name, rows).address
                panels.append(conv.PANEL.fill(kernel=kernel, row=first, taps=number, weights=before))
                first, before = first + rows, before + rows * group.size
        pairs = self._pairs(firsts)
        lists = {"panel_list": self.append(itertools.chain(*panels)), "pair_list": self.append(itertools.chain(*pairs))}
        rows, weights = bundle.rows(grid), bundle.weights(grid)
        return self.append(conv.BUNDLE.fill(rows=rows, weights=weights, panels=len(panels), pairs=len(pairs), **lists))

    def _pairs(self, firsts: dict[tuple[int, ...], tuple[int, int]]) -> list[list[int]]:
        """What to interleave: the pairs of slice and row phase of which these are all phases, with their rows of z."""
        depth, height, width = self.grid.lattices
        pairs = []
        for s, r in sorted({phase[:2] for phase in firsts}):
            pair = conv.PAIR.fill(slice=s, slice_base=depth.bases[s], row=r, row_base=height.bases[r])
            for c in range(width.axis.up):
                row, channel_rows = firsts[s, r, c]
                pair += conv.PHASE.fill(row=row, channel_rows=channel_rows, column=width.bases[c] - width.first)
            pairs.append(pair)
        return pairs

    def _set_strips(self) -> None:
        width, pitch, pixel = self.grid.lattices[2], self.tiling.pitch, self.source[2]
        entries = []
        for begin, end in self.tiling.strips:
            first_output = begin * width.axis.up
            outputs = min(end * width.axis.up, width.axis.n_out) - first_output
            entries += conv.STRIP.fill(target=first_output * self.target[2], outputs=outputs)
            for residue in width.residues:
                before, stop = column_tiling.lattice_edges(width, residue, pitch, begin)
                origin = (width.first + begin + before) * width.axis.step + residue
                ahead = self.source_channel  # the next that is staged
                load = self.load(stop - before, 1, pixel * width.axis.step, self.item, ahead)
                entries += conv.RESIDUE.fill(source=origin * pixel, before=before, load=load)
        self.set(strip_list=self.append(entries))

    def _set_interleaving(self) -> None:
        up, dense = self.grid.lattices[2].axis.up, self.target[2] == self.item
        self.set(target_step=self.target[2] // self.item, interleave=interleaving(self.item, up if dense else 0))
        self.set(stream=dense and self.streams(self.tiling.strips[0][1]))
        self.set(fetches=self._rows_are_asked_for(), rows_on_end=self._rows_on_end())

    def _rows_are_asked_for(self) -> bool:
        """Whether what the next block of rows reads of a channel lies in one piece, and is staged at once."""
        width, tiling = self.grid.lattices[2], self.tiling
        dense = self.source[2] == self.item and self.source[1] == width.axis.n_in * self.item
        return dense and len(tiling.strips) == 1 and tiling.channels_in == self.grid.group_in

    def _rows_on_end(self) -> bool:
        """Whether the rows of the input lie one after the other, and just as they are staged."""
        _, height, width = self.grid.lattices
        row = width.axis.n_in * self.source[2]
        as_staged = width.axis.n_in == self.tiling.pitch and height.axis.step == width.axis.step == 1
        return as_staged and self.source[1] == row and len(self.tiling.strips) == 1

    def _lay_out_workspace(self) -> None:
        tiling, width = self.tiling, self.grid.lattices[2]
        self.room(max(gemm.P.bytes, LOAD.bytes))
        longest = max(end - begin for begin, end in tiling.strips) * width.axis.up
        self.set(line_at=self.room(longest * self.item))
        self.set(interleave_at=self.room(interleave_phases.P.bytes + interleave_phases.PHASE.bytes * width.axis.up))
        slack = width.more + 2 * gemm.vector_bytes() // self.size
        self.set(staged_at=self.room((tiling.channels_in * tiling.channel + slack) * self.size))
        rows = tiling.z_rows(self.grid)
        self.set(z_at=self.room(rows * tiling.z_step * self.size))
        self.set(stored_at=self.room(rows * tiling.z_step * self.item if self.stages.store else 0))
