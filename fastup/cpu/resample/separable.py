"""Pack a plan for the separable kernel: choose its stages, cut the work into strips, lay out table and workspace."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from fastup.cpu.memory import aligned, beyond_caches
from fastup.cpu.resample import row_stage
from fastup.cpu.resample.kernels import fixed, separable, vertical
from fastup.cpu.resample.kernels.separable import PARAMS
from fastup.cpu.resample.resample_call import Geometry, Table, kept_positions, place_planes
from fastup.cpu.simd import convert
from fastup.plan.base import Array
from fastup.plan.sampling import fixed_point
from fastup.plan.sampling.axis import Axis
from fastup.plan.sampling.table import table_of
from fastup.runtime.abi import Entry
from fastup.runtime.kernel import Family
from fastup.runtime.workers import Launch

FAMILIES = (
    separable.separable,
    convert.load,
    convert.store,
    vertical.blend,
    vertical.blend_far,
    *row_stage.FAMILIES,
    fixed.blend,
    fixed.blend_narrow,
)
_STRIP_BYTES = 16 * 2**10  # of one row of a strip, which bounds the workspace; 8 to 64 KB are equally fast
_DEPTH_STRIP_BYTES = 4 * 2**10
_RING_BYTES = 2**20
_LINE_BYTES = 2**18
_DEPTH_RING_BYTES = 2**18
_NANOSECONDS = 0.4  # per output item and blended row, one thread


class Stage(NamedTuple):
    """An axis across rows: which kernel blends them, the taps of each output position, and the weights."""

    entry: Entry | None
    taps: Array  # first and count
    weights: Array


def instances(dtype: np.dtype[Any], families: tuple[Family, ...]) -> Iterator[tuple[Family, tuple[Any, ...]]]:
    """Those of `families` that arrays of `dtype` may need."""
    if dtype.name not in convert.KINDS:
        return
    kinds = kinds_of(dtype)
    elements = {convert.COMPUTED[kind] for kind in kinds}
    for family in families:
        for key in family.instances():
            if family in (convert.load, convert.store):
                if key[1] in kinds:
                    yield family, key
            elif family is separable.separable or key[0] in elements:
                yield family, key


def kinds_of(dtype: np.dtype[Any]) -> set[int]:
    """The numbers of the kinds that items of `dtype` are converted as."""
    names = {dtype.name, f"{convert.WIDE}{dtype.name}"} | ({"bytes"} if dtype == np.uint8 else set())
    return {number for number, kind in enumerate(convert.KINDS) if kind in names}


def pack(call: Geometry) -> Launch:
    """The launch of the separable kernel."""
    return Packing(call).launch()


def _power_of_two(number: int) -> int:
    return 1 << (number - 1).bit_length()


def _address(entry: Entry | None) -> int:
    return entry.address if entry else 0


def _fixed_weights(weights: Array, bits: int) -> Array:
    """Per row the bits, then the weights, of an even number."""
    even = np.pad(weights, ((0, 0), (0, weights.shape[1] % 2)))
    return np.concatenate([np.full((len(weights), 1), bits), even], axis=1).astype(np.int32)


class Packing:
    """One call being packed; the attributes are what several steps need."""

    def __init__(self, call: Geometry) -> None:
        self.call = call
        self.fixed = call.axes[0].fixed
        self.kind = convert.KINDS.index("bytes" if self.fixed else call.kind)
        self.computed = convert.COMPUTED[self.kind]
        self.size = np.dtype(self.computed).itemsize
        self.swapped = not call.dtype.isnative
        *outer, self.width = call.axes
        # An outermost axis that keeps its size is one more digit of the planes.
        self.has_depth = len(outer) == 2 and not outer[0].is_identity
        self.depth = outer[0] if self.has_depth else None
        self.height = outer[-1] if outer else None
        self.rows = self.stage(self.height)
        self.slices = self.stage(self.depth)
        self.far = beyond_caches(call.read, call.written)
        self.strip_bytes = _DEPTH_STRIP_BYTES if self.has_depth else _STRIP_BYTES
        self.table = Table()

    def stage(self, axis: Axis | None) -> Stage:
        """How the rows along an axis are blended."""
        if axis is None or axis.is_identity:
            return Stage(None, kept_positions(axis), np.zeros(1))
        first, weights = table_of(axis)
        taps = np.stack([first, axis.counts(weights)], axis=1)
        if self.fixed:
            if small := row_stage.narrowed(weights, fixed_point.bits(axis)):
                return Stage(fixed.blend_narrow("uint8"), taps, _fixed_weights(*small))
            entry = fixed.blend("uint8", row_stage.constant_taps(axis))
            return Stage(entry, taps, _fixed_weights(weights, fixed_point.bits(axis)))
        entry = vertical.blend(self.computed, 1 if weights.shape[1] == 1 else row_stage.constant_taps(axis))
        return Stage(entry, taps, weights.astype(self.computed))

    def _far_blend(self) -> int:
        """The last blend that itself writes past the caches."""
        last = self.slices if self.has_depth else self.rows
        taps = row_stage.constant_taps(self.depth or self.height or self.width)
        if not (self.far and self.plain and last.entry and taps) or self.fixed or last.weights.shape[1] != taps:
            return 0
        return vertical.blend_far(self.computed, taps).address

    @property
    def whole_rows(self) -> bool:
        """Whether the rows' own axis keeps its size."""
        return self.width.is_identity

    def _needs_load(self) -> bool:
        """Rows that are floats in order, and are blended as they are, are read where they lie."""
        contiguous = self.call.item_stride == self.size and self.call.source_strides[-1] == self.size * self.call.items
        return not (self.whole_rows and self.rows.entry and contiguous and self.plain)

    def _needs_store(self) -> bool:
        return not self.plain or self.far

    @property
    def plain(self) -> bool:
        """Whether arrays hold what is computed with."""
        return convert.KINDS[self.kind] in ("bytes", "float32", "float64") and not self.swapped

    def strips(self) -> list[tuple[int, int]]:
        """Output pixels, from and to, of each strip."""
        limit = min(self.strip_bytes, _RING_BYTES // self._ring_rows())
        if not self.whole_rows:
            limit = min(limit, int(_LINE_BYTES / max(self.width.scale, 1e-9)))
        most = max(1, limit // (self.size * self.call.items))
        parts = -(-self.width.length // most)
        each = -(-self.width.length // parts)
        each = min(self.width.length, -(-each // 16) * 16)
        return [(begin, min(begin + each, self.width.length)) for begin in range(0, self.width.length, each)]

    def _ring_rows(self) -> int:
        return _power_of_two(int(self.rows.taps[:, 1].max()))

    def launch(self) -> Launch:
        """The kernel call."""
        params = np.zeros(PARAMS, np.int64)
        workspace = self.fill(params, self.strips())
        table = self.table.array()
        planes = math.prod(extent for extent, _, _ in self.call.planes)
        length = len(self.slices.taps) if self.has_depth else len(self.rows.taps)
        tiles = -(-len(self.rows.taps) // int(params[separable.TILE_ROWS])) if self.has_depth else 1
        params[separable.TOTAL] = planes * int(params[separable.STRIPS]) * tiles * length
        entry = separable.separable("uint8", int(self.has_depth))
        return Launch(entry, params.tolist(), self._microseconds(), table, table.ctypes.data, workspace)

    def fill(self, params: Array, strips: list[tuple[int, int]]) -> int:
        """Write all parameters but the number of work items; the bytes of the workspace."""
        self._name_stages(params)
        self._place_rows(params)
        longest = max(stop - begin for begin, stop in strips) * self.call.items * self.size
        line = self._place_strips(params, strips)
        workspace = self._lay_out_workspace(params, longest, line)
        place_planes(params, self.call)
        params[separable.STRIPS] = len(strips)
        return workspace

    def _microseconds(self) -> float:
        items = self.call.written / self.call.dtype.itemsize
        rows = items / max(1, self.width.length * self.call.items)
        taps = self._ring_rows() + (int(self.slices.taps[:, 1].max()) if self.has_depth else 0)
        return (items * _NANOSECONDS * taps / 2 + rows * 20) / 1000

    def _name_stages(self, params: Array) -> None:
        if self._needs_load():
            params[separable.LOAD] = _address(convert.load("uint8", self.kind))
        if self._needs_store():
            params[separable.STORE] = _address(convert.store("uint8", self.kind))
        params[separable.BLEND] = _address(self.rows.entry)
        params[separable.DEPTH_BLEND] = _address(self.slices.entry)
        params[separable.BLEND_FAR] = self._far_blend()

    def _place_rows(self, params: Array) -> None:
        for stage, begin, weights, step in (
            (self.rows, separable.ROW_TABLE, separable.ROW_WEIGHTS, separable.ROW_WEIGHTS_STEP),
            (self.slices, separable.SLICE_TABLE, separable.SLICE_WEIGHTS, separable.SLICE_WEIGHTS_STEP),
        ):
            params[begin] = self.table.add(stage.taps.astype(np.int64))
            params[weights] = self.table.add(stage.weights)
            params[step] = stage.weights.nbytes // len(stage.taps) if stage.entry else 0
        params[separable.ROWS], params[separable.SLICES] = len(self.rows.taps), len(self.slices.taps)
        params[separable.IN_ROWS] = self.height.extent if self.height else 1
        params[separable.IN_SLICES] = self.depth.extent if self.depth else 1

    def _place_strips(self, params: Array, strips: list[tuple[int, int]]) -> int:
        """Write the strips; the bytes of the longest padded row."""
        call, longest = self.call, 0
        rows = np.zeros((len(strips), separable.STRIP), np.int64)
        made = [] if self.whole_rows else [row_stage.strip_of(self.width.part(*strip), call.items) for strip in strips]
        last = not (self.rows.entry or self.has_depth)
        chosen = row_stage.common(made, self.computed, self.far and self.plain and last)
        each: list[row_stage.Strip | None] = [*made] or [None] * len(strips)
        for row, (begin, stop), one in zip(rows, strips, each, strict=True):
            items = (stop - begin) * call.items
            first, before, pixels, after = self.width.window[0] - self.width.first + begin, 0, stop - begin, 0
            if one and chosen:
                first, before, pixels, after = one.span
                row[separable.STRIP_SPREAD : separable.STRIP_STORE] = chosen.params(one, self.table)
            longest = max(longest, (before + pixels + after) * call.items * self.size)
            row[separable.STRIP_SOURCE] = call.source_offset + first * call.source_strides[-1]
            row[separable.STRIP_TARGET] = begin * call.target_strides[-1]
            row[separable.STRIP_ITEMS] = items
            load = (
                pixels,
                before,
                after,
                call.items,
                call.source_strides[-1],
                call.item_stride,
                self.swapped,
                call.ahead,
            )
            row[separable.STRIP_LOAD : separable.STRIP_SPREAD] = load
            row[separable.STRIP_STORE :] = (items, self.swapped)
        params[separable.SPREAD] = _address(chosen.entry if chosen else None)
        if chosen and chosen.far:
            params[separable.STORE] = 0
        params[separable.STRIP_TABLE] = self.table.add(rows)
        return longest

    def tile_rows(self, row_bytes: int) -> int:
        """Rows of a tile of slices, each of which takes so many bytes in the ring."""
        return max(1, min(len(self.rows.taps), _DEPTH_RING_BYTES // row_bytes))

    def _lay_out_workspace(self, params: Array, longest: int, line: int) -> int:
        """Blend's parameters, the padded row, the row on its way out, the ring of rows, the ring of slices."""
        most = max(self._ring_rows(), int(self.slices.taps[:, 1].max()))
        at = aligned(8 * (2 + most))
        params[separable.LINE], at = at, at + aligned(line + 256)  # vector loads reach past the last tap
        params[separable.RESULT], at = at, at + aligned(longest)
        params[separable.RING_MASK], params[separable.RING_STEP] = self._ring_rows() - 1, aligned(longest)
        ring = self._ring_rows() * aligned(longest) if params[separable.LOAD] else 0
        params[separable.RING], at = at, at + ring
        slices = _power_of_two(int(self.slices.taps[:, 1].max()))
        tile = self.tile_rows(slices * aligned(longest)) if self.has_depth else len(self.rows.taps)
        params[separable.TILE_ROWS], params[separable.DEPTH_RING] = tile, at
        params[separable.DEPTH_RING_MASK], params[separable.DEPTH_RING_STEP] = slices - 1, tile * aligned(longest)
        return at + slices * tile * aligned(longest) if self.has_depth else at
