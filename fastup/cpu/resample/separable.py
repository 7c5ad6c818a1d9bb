"""Pack a plan for the separable kernel: choose its stages, cut the work into strips, lay out table and workspace."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from fastup.cpu.memory import beyond_caches
from fastup.cpu.resample import last_stage, row_stage
from fastup.cpu.resample.kernels import (
    fixed,
    horizontal,
    in_steps,
    lerp,
    opencv_bytes,
    separable,
    settle,
    vertical,
)
from fastup.cpu.resample.resample_call import ResampleCall, ResamplePacking, kept_positions
from fastup.cpu.resample.strip import strip_of
from fastup.cpu.resample.weight_words import in_pairs, words_of
from fastup.cpu.simd import convert
from fastup.cpu.simd.item_kinds import COMPUTED, KINDS, WIDE
from fastup.plan.base import Array
from fastup.plan.sampling import fixed_point
from fastup.plan.sampling.axis import Axis
from fastup.plan.sampling.table import table_of
from fastup.runtime.abi import Entry
from fastup.runtime.fields import Fields
from fastup.runtime.kernel import Family
from fastup.runtime.workers import Launch

FAMILIES = (
    separable.separable,
    convert.load,
    convert.store,
    vertical.blend,
    *row_stage.FAMILIES,
    in_steps.blend,
    in_steps.blend_of_doubles,
    in_steps.blend_backward,
    lerp.blend,
    opencv_bytes.blend_linear,
    opencv_bytes.blend_exact_linear,
    opencv_bytes.blend_exactly,
    opencv_bytes.blend_cubic,
    *last_stage.FAMILIES,
    fixed.blend,
    fixed.blend_narrow,
)
_STRIP_BYTES = 16 * 2**10  # of one row of a strip, which bounds the workspace; 8 to 64 KB are equally fast
_DEPTH_STRIP_BYTES = 4 * 2**10
_RING_BYTES = 2**20
_LINE_BYTES = 2**18
_DEPTH_RING_BYTES = 2**18
_SHORT_AT_ONCE, _SHORT_ROW = 4, 2**10  # rows and bytes, where calling the stage costs a part of what it does
_NANOSECONDS = 0.4  # per output item and blended row, one thread


class Stage(NamedTuple):
    """An axis across rows: which kernel blends them, the taps of each output position, and the weights."""

    entry: Entry | None
    taps: Array  # first and count
    weights: Array
    writes_items: bool = False  # whether what it writes is the result


def instances(dtype: np.dtype[Any], families: tuple[Family, ...]) -> Iterator[tuple[Family, tuple[Any, ...]]]:
    """Those of `families` that arrays of `dtype` may need."""
    if dtype.name not in KINDS:
        return
    kinds = kinds_of(dtype)
    elements = {COMPUTED[kind] for kind in kinds}
    for family in families:
        for key in family.instances():
            if family in (convert.load, convert.store):
                if key[1] in {convert.GROUP_OF[kind] for kind in kinds}:
                    yield family, key
            elif family is separable.separable or key[0] in elements:
                yield family, key


def kinds_of(dtype: np.dtype[Any]) -> set[int]:
    """The numbers of the kinds that items of `dtype` are converted as."""
    names = {dtype.name, f"{WIDE}{dtype.name}"} | ({"bytes"} if dtype == np.uint8 else set())
    return {number for number, kind in enumerate(KINDS) if kind in names}


def pack(call: ResampleCall) -> Launch:
    """The launch of the separable kernel."""
    return SeparablePacking(separable.P, call).pack()


def _power_of_two(number: int) -> int:
    return 1 << (number - 1).bit_length()


def _address(entry: Entry | None) -> int:
    return entry.address if entry else 0


def _fixed_weights(weights: Array, bits: int, words: int) -> Array:
    """Per row the bits as an int32, then pairs of 16-bit words."""
    pairs = in_pairs(weights, words).view(np.int32)
    return np.concatenate([np.full((len(weights), 1), bits, np.int32), pairs], axis=1)


def _narrow_weights(weights: Array, bits: int) -> Array:
    """Per row the bits, then the weights."""
    return np.concatenate([np.full((len(weights), 1), bits), weights], axis=1).astype(np.int32)


class SeparablePacking(ResamplePacking):
    """One call being packed; the attributes are what several steps need."""

    def __init__(self, fields: Fields, call: ResampleCall) -> None:
        self.fixed = call.axes[0].fixed
        super().__init__(fields, call, KINDS.index("bytes" if self.fixed else call.kind))
        self.has_depth = self.depth is not None
        # Rows come as bytes, and are sums in float32 from there on.
        rule = self.width.rule
        self.sums_bytes = bool(rule and rule.sums_bytes and call.dtype == np.uint8 and self.computed == "float32")
        if self.sums_bytes:
            self.load_kind = KINDS.index("bytes")
        self.rows = self.stage(self.height)
        self.slices = self.stage(self.depth)
        self.far = beyond_caches(call.read, call.written)
        self.at_once, self.scratch_bytes = 1, 0  # rows that are made together, and what their stage works in
        self.strip_bytes = _DEPTH_STRIP_BYTES if self.has_depth else _STRIP_BYTES

    def stage(self, axis: Axis | None) -> Stage:
        """How the rows along an axis are blended."""
        if axis is None or axis.is_identity:
            return Stage(None, kept_positions(axis), np.zeros(1))
        first, weights = table_of(axis)
        taps = np.stack([first, axis.counts(weights)], axis=1)
        if self.fixed:
            if small := row_stage.narrowed(weights, fixed_point.bits(axis)):
                return Stage(fixed.blend_narrow("uint8"), taps, _narrow_weights(*small))
            words = words_of(axis)
            return Stage(fixed.blend("uint8", words), taps, _fixed_weights(weights, fixed_point.bits(axis), words))
        if axis.rule is not None and axis.in_steps:
            entry = row_stage.blend_in_steps(axis.rule.blend, self.computed)
            return Stage(entry, taps, weights.astype(self.computed), axis.rule.blend.startswith("bytes"))
        entry = vertical.blend(self.computed, 1 if weights.shape[1] == 1 else row_stage.constant_taps(axis))
        return Stage(entry, taps, weights.astype(self.computed))

    @property
    def whole_rows(self) -> bool:
        """Whether the rows' own axis keeps its size."""
        return self.width.is_identity

    @property
    def contiguous(self) -> bool:
        """Whether a row's items lie one after the other, as what is computed with."""
        call, size = self.call, 1 if self.sums_bytes else self.size
        in_order = self.plain or self.sums_bytes
        return in_order and call.item_stride == size and call.source_strides[-1] == size * call.items

    @property
    def may_be_direct(self) -> bool:
        """Whether stages may read rows in the source: they are as those want them, and the next one lies behind."""
        row = self.call.source_strides[-1] * self.width.extent
        return self.contiguous and len(self.call.axes) > 1 and self.call.source_strides[-2] >= row

    def _needs_ring(self) -> bool:
        """Rows that are floats in order, and are blended as they are, are read where they lie."""
        return not (self.whole_rows and self.rows.entry and self.contiguous)

    @property
    def plain(self) -> bool:
        """Whether arrays hold what is computed with."""
        return KINDS[self.kind] in ("bytes", "float32", "float64") and not self.swapped

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

    @property
    def _most_taps(self) -> int:
        return int(self.rows.taps[:, 1].max())

    def _ring_rows(self) -> int:
        return _power_of_two(self._most_taps + self.at_once - 1)

    def pack(self) -> Launch:
        """The kernel call."""
        strips = self.strips()
        self.set_rows(strips)
        length = len(self.slices.taps) if self.has_depth else len(self.rows.taps)
        tiles = -(-len(self.rows.taps) // self.tile_rows) if self.has_depth else 1
        self.set(total=self.planes * len(strips) * tiles * length)
        table, entry = self.table.array(), separable.separable("uint8", int(self.has_depth))
        return self.launch(entry, self._microseconds(), table, table.ctypes.data)

    def set_rows(self, strips: list[tuple[int, int]]) -> None:
        """All that makes rows: the stages, their tables, the strips, and their part of the workspace."""
        self._place_tables()
        longest = max(stop - begin for begin, stop in strips) * self.call.items * self.size
        self.row_bytes = -(-longest // 64) * 64
        in_ring = self._needs_ring()
        longest = self._place_strips(strips, in_ring)
        self.set(
            in_place=not in_ring, blend=_address(self.rows.entry), blend_slices=_address(self.slices.entry),
            blend_far=last_stage.blend(self),
        )  # fmt: skip
        self._lay_out_workspace(longest, in_ring)

    def _microseconds(self) -> float:
        items = self.call.written / self.call.dtype.itemsize
        rows = items / max(1, self.width.length * self.call.items)
        taps = _power_of_two(self._most_taps) + (int(self.slices.taps[:, 1].max()) if self.has_depth else 0)
        return (items * _NANOSECONDS * taps / 2 + rows * 20) / 1000

    def _place_tables(self) -> None:
        self.set(rows=len(self.rows.taps), slices=len(self.slices.taps))
        self.set(in_rows=self.height.extent if self.height else 1, in_slices=self.depth.extent if self.depth else 1)
        for name, stage in (("row", self.rows), ("slice", self.slices)):
            step = stage.weights.nbytes // len(stage.taps) if stage.entry else 0
            taps, weights = self.table.add(stage.taps.astype(np.int64)), self.table.add(stage.weights)
            self.set(**{f"{name}_table": taps, f"{name}_weights": weights, f"{name}_weights_step": step})

    def _place_strips(self, strips: list[tuple[int, int]], in_ring: bool) -> int:
        """Write the strips; the bytes of the longest padded row."""
        call, width, longest, entries = self.call, self.width, 0, []
        made = [] if self.whole_rows else [strip_of(width.part(*strip), call.items) for strip in strips]
        last = not (self.rows.entry or self.has_depth)
        far, columns = self.far and self.plain and last, self.rows.entry is not None
        if self.sums_bytes and made:
            chosen: row_stage.Choice | None = row_stage.of_byte_sums(made, self.may_be_direct)
        else:
            chosen = row_stage.common(made, self.computed, far, self.may_be_direct, columns)
        direct = chosen is not None and chosen.direct
        if chosen and self.rows.entry:
            self.at_once = chosen.at_once or (_SHORT_AT_ONCE if self.row_bytes <= _SHORT_ROW else 1)
            self.scratch_bytes = chosen.scratch_bytes
        for number, (begin, stop) in enumerate(strips):
            span, stage = (width.window[0] - width.first + begin, 0, stop - begin, 0), [0] * horizontal.P.size
            if chosen:
                span, stage = made[number].span, chosen.params(made[number], self.table)
            first, before, pixels, after = span
            before, after = (0, 0) if direct else (before, after)
            beyond = made[number].weights.shape[1] if direct else 0  # absent taps
            longest = max(longest, (before + pixels + after + beyond) * call.items * self.size)
            items = (stop - begin) * call.items
            entries += separable.STRIP.fill(
                source=self.source_of(first), target=begin * call.target_strides[-1], items=items,
                **last_stage.of_strip(self, begin, items),
                load=self.load(pixels, before, after), horizontal=stage,
                settle=settle.P.fill(items=items, rounding=settle.ROUNDINGS.index(call.rounding)),
                store=convert.STORE.fill(items=items, swapped=self.swapped, kind=self.kind),
            )  # fmt: skip
        stores = (not self.plain or self.far) and not (chosen and chosen.far) and not self.rows.writes_items
        self.set(strips=len(strips), strip_table=self.table.add(np.array(entries)))
        loads = in_ring and not (chosen and chosen.keeps_within_rows)
        self.set(load=convert.loader(self.load_kind).address if loads else 0, direct=direct)
        self.set(horizontal=_address(chosen.entry if chosen else None))
        self.set(store=convert.storer(self.kind).address if stores else 0)
        self.set(settle=last_stage.settling(self.computed, call.rounding))
        return longest

    @property
    def ring_slices(self) -> int:
        """Slices that the ring has room for."""
        return _power_of_two(int(self.slices.taps[:, 1].max()))

    @property
    def tile_rows(self) -> int:
        """Rows of a tile of slices."""
        return max(1, min(len(self.rows.taps), _DEPTH_RING_BYTES // (self.ring_slices * self.row_bytes)))

    def _lay_out_workspace(self, line: int, loads: bool) -> None:
        """Blend's parameters, the padded row, the row on its way out, the ring of rows, the ring of slices."""
        row, rows, slices = self.row_bytes, self._ring_rows(), self.ring_slices
        self.room(vertical.P.bytes + 8 * (1 + max(rows, int(self.slices.taps[:, 1].max()))))
        # Vector loads reach past the last tap, and an odd one has a neighbour.
        line_step = -(-(line + 256 + self.call.items) // 64) * 64
        self.set(line=self.room(self.at_once * line_step), line_step=line_step, result=self.room(row))
        begin = self.room(horizontal.ROWS.bytes)
        self.set(at_once=self.at_once, at_once_rows=begin, scratch=self.room(self.scratch_bytes) - begin)
        self.set(ring=self.room(rows * row if loads else 0), ring_mask=rows - 1, ring_step=row)
        tile = self.tile_rows if self.has_depth else len(self.rows.taps)
        self.set(tile_rows=tile, slice_ring_mask=slices - 1, slice_ring_step=tile * row)
        self.set(slice_ring=self.room(slices * tile * row if self.has_depth else 0))
