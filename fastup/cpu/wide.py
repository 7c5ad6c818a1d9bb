"""Convolutions of wide layers on the CPU: pack a plan for the kernel whose vectors run along output channels.

It is chosen where a group's outputs fill the vectors; others are left to the kernel whose vectors run along columns.
"""

from __future__ import annotations

import itertools
import math
from typing import Any, NamedTuple

import numpy as np

from fastup.cpu.kernels import activate, conv_wide, convert, gemm, gemm_wide, join, turn
from fastup.cpu.lattice import Geometry, Lattice, tap_groups
from fastup.cpu.layout import aligned, appended, target_strides
from fastup.cpu.packing import Panel
from fastup.cpu.permuted_copy import beyond_caches, streams
from fastup.cpu.weights import Operands
from fastup.plan import ConvPlan
from fastup.runtime import cpu_info
from fastup.runtime.workers import Launch

FAMILIES = (conv_wide.conv_wide, gemm_wide.gemm_wide, turn.turn)
ITEMS = {2: "uint16", 4: "uint32", 8: "uint64"}
ACTIVATIONS: dict[str, Any] = {
    "relu": activate.RELU,
    "leaky_relu": activate.LEAKY_RELU,
    "prelu": activate.LEAKY_RELU,
    "tanh": activate.TANH,
    "sigmoid": activate.SIGMOID,
}
_MOST_L2 = 2**21  # counted; a workspace stays below 4 MB
_FEWEST_COLUMNS, _ROWS, _SHARES = 48, 4, 16
_FEWEST_PRODUCTS, _NARROW = 256, 32
_PER_MICROSECOND = 40_000  # products of one thread in float32


class Tiling(NamedTuple):
    """How a call is cut."""

    rows: int
    row_blocks: int
    columns: int
    strips: int
    panels: int  # of a range
    ranges: int


def applies(plan: ConvPlan) -> bool:
    """Whether the kernel is the quicker one for a plan, and half of the L2 cache holds what a row of its result reads.

    Where channels come last, it is, unless too many lanes would idle. Where they come first, its sums must be long
    enough to pay for the turning of pixels into rows: from 256 products on it was 3 to 13 % quicker on Emerald Rapids,
    at 64 and 128 it was 10 to 20 % slower, as it was for pictures 8 wide. Zen reads 64 bytes in two halves, so that
    rows across cache lines cost it nothing.
    """
    geometry = _geometry(plan)
    if sum(widths(geometry)) * 3 > geometry.group_out * 4:
        return False
    if _last(plan):
        if plan.activation[0] == "prelu":  # a slope per lane
            return False
    elif cpu_info.cpu_name().startswith("znver") or not _long(geometry):
        return False
    return _fits(plan, geometry, 1, min(_FEWEST_COLUMNS, geometry.lattices[2].length))


def _fits(plan: ConvPlan, geometry: Geometry, rows: int, columns: int) -> bool:
    """Whether half of the L2 cache holds the staged input of an item, and a quarter a row of z of all its phases."""
    budget, turned = min(cpu_info.caches().level2, _MOST_L2) // 2, 1 if _last(plan) else geometry.lattices[2].axis.up
    line = columns * max(widths(geometry)) * turned * geometry.computed.itemsize
    return _staged(geometry, rows, columns) <= budget and line <= budget // 2


def _long(geometry: Geometry) -> bool:
    products = geometry.weights_per_channel // geometry.phases * geometry.group_in
    return products >= _FEWEST_PRODUCTS and geometry.lattices[2].length >= _NARROW


def _last(plan: ConvPlan) -> bool:
    return plan.channel_axis >= plan.first_spatial_axis


def _geometry(plan: ConvPlan) -> Geometry:
    """As everywhere, but every phase is computed at its own positions, and strides are steps of the pixels."""
    usual = Geometry.of(plan)
    lattices = [Lattice(lattice.axis, True) for lattice in usual.lattices]
    return usual._replace(lattices=lattices, tap_groups=tap_groups(lattices))


def _extents(geometry: Geometry, rows: int, columns: int) -> tuple[int, ...]:
    """Slices, rows and columns that are staged for so many rows and columns of one slice of the result."""
    reach = [max((tap for taps in lattice.taps for tap in taps), default=0) for lattice in geometry.lattices]
    steps = (lattice.axis.step for lattice in geometry.lattices)
    return tuple(
        step * (count - 1) + 1 + more for step, count, more in zip(steps, (1, rows, columns), reach, strict=True)
    )


def _staged(geometry: Geometry, rows: int, columns: int) -> int:
    """Bytes of what is staged."""
    return math.prod(_extents(geometry, rows, columns)) * geometry.group_in * geometry.computed.itemsize


def widths(geometry: Geometry) -> list[int]:
    """Output channels of each panel, in whole vectors; the last one may have some to spare."""
    lanes = gemm.vector_bytes() // geometry.computed.itemsize
    left, widest = -(-geometry.group_out // lanes), max(gemm_wide.VECTORS)
    return [lanes * min(widest, left - begin) for begin in range(0, left, widest)]


def choose(plan: ConvPlan, geometry: Geometry) -> Tiling:
    """Blocks of `_ROWS` rows or more, as wide as the cache holds; then so many of them that threads can share."""
    depth, height, width = geometry.lattices
    columns, rows, ranges = width.length, height.length, 1
    panels, planes = len(widths(geometry)), plan.batch * plan.groups * depth.length
    while columns > _FEWEST_COLUMNS and not _fits(plan, geometry, min(_ROWS, rows), columns):
        columns = max(_FEWEST_COLUMNS, -(-columns // 2))
    while rows > 1 and not _fits(plan, geometry, rows, columns):
        rows -= 1

    def items() -> int:
        return planes * -(-width.length // columns) * ranges * -(-height.length // rows)

    pixels = math.prod(lattice.axis.n_in for lattice in geometry.lattices)
    if geometry.weights_per_channel * geometry.group_out > pixels:  # so weights are read once
        while items() < _SHARES and ranges < panels:
            ranges = min(panels, 2 * ranges)
    while items() < _SHARES and rows > 1:
        rows = -(-rows // 2)
    while items() < _SHARES and columns >= 2 * _FEWEST_COLUMNS:
        columns = -(-columns // 2)
    blocks, each = -(-height.length // rows), -(-panels // ranges)
    rows = -(-height.length // blocks)
    return Tiling(rows, -(-height.length // rows), columns, -(-width.length // columns), each, -(-panels // each))


def _phases(geometry: Geometry) -> list[tuple[tuple[int, ...], tuple[tuple[int, ...], ...]]]:
    """All phases in order, with their taps."""
    return sorted((phase, group.taps) for group in geometry.tap_groups for phase in group.phases)


def operands(plan: ConvPlan) -> Operands:
    """What calls do with weights: panel by panel, phase by phase; surplus lanes repeat the last channel."""
    geometry = _geometry(plan)
    panels, first = [], 0
    for width in widths(geometry):
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
        self.plan, self.geometry, self.last = plan, _geometry(plan), _last(plan)
        self.tiling = choose(plan, self.geometry)
        self.extents = _extents(self.geometry, self.tiling.rows, self.tiling.columns)
        self.size, self.item = self.geometry.computed.itemsize, plan.dtype.itemsize
        self.kind = convert.KINDS.index(plan.dtype.name)
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
            entries += [*phase, len(offsets), appended(p, offsets), before]
            before += len(offsets)
        p[conv_wide.PAIRS] = len(found) // p[conv_wide.UP_COLUMNS]
        p[conv_wide.PHASE_LIST] = appended(p, entries)
        self._set_panels(before)

    def _set_panels(self, products: int) -> None:
        """The panels of a group; all phases together have so many products."""
        p, geometry = self.params, self.geometry
        lanes = gemm.vector_bytes() // self.size
        entries, first = [], 0
        for width in widths(geometry):
            kernel = gemm_wide.gemm_wide(geometry.computed.name, width // lanes)
            outputs = min(width, geometry.group_out - first)
            entries += [kernel.address, width, outputs, first, first * products, first * geometry.phases]
            first += width
        p[conv_wide.PANELS] = len(entries) // conv_wide.PANEL_ENTRY
        p[conv_wide.PANEL_LIST] = appended(p, entries)
        p[conv_wide.GROUP_WEIGHTS], p[conv_wide.GROUP_BIASES] = first * products, first * geometry.phases

    def _name_stages(self) -> None:
        p, plan, computed = self.params, self.plan, self.geometry.computed
        name, up = plan.activation[0], self.geometry.lattices[2].axis.up
        if name != "none":
            family = activate.activate_float if computed == np.float32 else activate.activate_double
            p[conv_wide.ACTIVATE] = family(computed.name, ACTIVATIONS[name]).address
        p[conv_wide.LOAD] = convert.load("uint8", self.kind).address
        if plan.dtype != computed:
            p[conv_wide.STORE] = convert.store("uint8", self.kind).address
        p[conv_wide.SWAPPED], p[conv_wide.STORED_SIZE] = int(not plan.dtype.isnative), self.item
        if self.last:
            p[conv_wide.DIRECT] = int(name == "none" and plan.dtype == computed)
            p[conv_wide.JOIN] = join.join(ITEMS[self.item], 1).address
            return
        far = beyond_caches(math.prod(plan.input_shape) * self.item, math.prod(plan.output_shape) * self.item)
        p[conv_wide.STREAM] = int(streams(far, self.tiling.columns * up * self.item))
        p[conv_wide.TURN] = turn.turn(computed.name).address
        p[conv_wide.JOIN] = join.join(ITEMS[self.item], up if up in join.FACTORS else 0).address

    def _lay_out_workspace(self) -> int:
        p, tiling, geometry = self.params, self.tiling, self.geometry
        lanes, widest, up = gemm.vector_bytes() // self.size, max(widths(geometry)), p[conv_wide.UP_COLUMNS]
        p[conv_wide.LINE] = -(-tiling.columns // lanes) * lanes
        at = aligned(8 * max(gemm_wide.PARAMS, turn.PARAMS, 8))
        p[conv_wide.JOIN_AT], at = at, at + aligned(8 * (join.FIRST + 2 * up))
        p[conv_wide.LINE_AT], at = at, at + aligned(tiling.columns * up * self.item)
        p[conv_wide.STAGED_AT], at = at, at + aligned(_staged(geometry, tiling.rows, tiling.columns))
        line = p[conv_wide.LINE] * widest
        p[conv_wide.Z_AT], at = at, at + aligned(line * self.size)
        line *= 1 if self.last else up
        p[conv_wide.TURNED_AT], at = at, at if self.last else at + aligned(line * self.size)
        p[conv_wide.STORED_AT] = at
        return at + aligned(line * self.item) if p[conv_wide.STORE] else at
