"""Labels and masks of upsampled logits on the CPU: the stages of an interpolation, and one that reduces its rows."""

from __future__ import annotations

import ctypes
import math
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from fastup.cpu.resample import separable
from fastup.cpu.resample.interpolation import call_of
from fastup.cpu.resample.kernels import reduce, segment, vertical
from fastup.cpu.resample.resample_call import kept_positions
from fastup.cpu.simd import convert
from fastup.cpu.simd.item_kinds import COMPUTED, KINDS, WIDE
from fastup.plan import SegmentationPlan, check
from fastup.plan.base import Array
from fastup.plan.sampling.axis import MOST_ADDED
from fastup.runtime.kernel import Family
from fastup.runtime.workers import Launch

REDUCTIONS = (
    reduce.argmax,
    reduce.softmax_float,
    reduce.softmax_double,
    reduce.confidence,
    reduce.exceeds,
    reduce.exceeds_byte,
)
FAMILIES = (segment.segment, *separable.FAMILIES, *REDUCTIONS)
_BLOCK_BYTES = 96 * 2**10  # of a block's values, best values and labels: a part of L2
_STRIP_BYTES = 4 * 2**10  # of a row
_BOX_STRIP_BYTES = 2**10  # with boxes narrow strips leave more out
_NANOSECONDS = 0.25  # per item of a class, of one thread


def instances(dtype: np.dtype[Any]) -> Iterator[tuple[Family, tuple[Any, ...]]]:
    """The kernels that logits of `dtype` may need."""
    if dtype.name not in KINDS or (dtype.kind in "iu" and dtype.itemsize == 8):
        return
    yield from separable.instances(dtype, separable.FAMILIES)
    yield from ((segment.segment, key) for key in segment.segment.instances())
    elements = {COMPUTED[kind] for kind in separable.kinds_of(dtype)}
    for family in REDUCTIONS:
        yield from ((family, key) for key in family.instances() if key[0] in elements)


def launch(plan: SegmentationPlan, strides: tuple[int, ...]) -> Launch:
    """The kernel call for a source with these strides (in items)."""
    if plan.reduces and plan.data_format == "channels_last":
        strides = (strides[0], strides[-1], *strides[1:-1])
    return _Packing(plan, strides).pack()


def table(plan: SegmentationPlan, *operands: Array | None) -> tuple[int, Any]:
    """Addresses of boxes and confidences, and what must stay alive beside them."""
    boxes = operands[0] if plan.boxes is not None else None
    confidences = operands[-1] if len(plan.outputs) > 1 else None
    known = None if boxes is None else box_table(plan, boxes)
    addresses = (ctypes.c_int64 * 2)(*(0 if part is None else part.ctypes.data for part in (known, confidences)))
    return ctypes.addressof(addresses), (addresses, known, confidences)


def box_table(plan: SegmentationPlan, boxes: Array) -> Array:
    """From and to for slices, rows and columns of the window that is made, of each box."""
    if boxes.dtype.kind == "f" and not np.isfinite(boxes).all():
        check.invalid(f"{plan.operator}: boxes must be finite, got {boxes[~np.isfinite(boxes)][0]}")
    whole = np.ceil(boxes.astype(np.float64))  # a pixel is in a box from its number on
    corners = whole.reshape(-1, 2, plan.rank)[:, :, ::-1]
    window = plan.window or tuple((0, extent) for extent in plan.result_size)
    found = np.tile(np.array([0, 1] * 3, np.int64), (len(corners), 1))
    for k, (start, stop) in enumerate(window, 3 - plan.rank):
        found[:, 2 * k : 2 * k + 2] = np.clip(corners[:, :, k - 3 + plan.rank], start, stop) - start
    return found


class _Packing(separable.SeparablePacking):
    """The stages of the interpolation, packed for blocks of rows."""

    def __init__(self, plan: SegmentationPlan, strides: tuple[int, ...]) -> None:
        self.plan, item = plan, plan.dtype.itemsize
        call = call_of(plan.resize, strides, plan.resize.axes)
        planes = [(plan.input_shape[0], strides[0] * item, 0)]
        if not plan.reduces and plan.data_format == "channels_first":
            planes.append((plan.classes, strides[1] * item, 0))
        targets = (0,) * (plan.rank - 1) + (call.items,)  # what strips begin with is counted in items
        call = call._replace(planes=tuple(planes), target_strides=targets, source_offset=0, read=0, written=0)
        super().__init__(segment.P, call)
        self.class_stride = strides[1] * item if plan.reduces else 0
        if plan.rank == 3:  # also along slices that stay as they are
            self.has_depth, self.depth = True, plan.resize.axes[0]
            if self.depth.is_identity:
                ones = np.ones((self.depth.length, 1), self.computed)
                self.slices = separable.Stage(vertical.blend(self.computed, 1), kept_positions(self.depth), ones)
        self.strip_bytes = _STRIP_BYTES if plan.boxes is None else _BOX_STRIP_BYTES
        self.softmax = plan.operator == "upsample_softmax_max"
        # Exponentials of very many classes are added in float64: each in float32 would lose what is smaller.
        many = self.softmax and plan.classes > MOST_ADDED and self.computed == "float32"
        self.compared = "float64" if many else self.computed
        self.compared_kind = KINDS.index(f"{WIDE}{call.dtype.name}") if many else self.kind
        self.loads_back = many or not self.plain
        self.number = np.dtype(self.compared).itemsize
        self.slice_block, self.row_block = self._block()

    def pack(self) -> Launch:
        """The kernel call."""
        strips = self.strips()
        self.set_rows(strips)
        self._lay_out_block()
        self._set_numbers()
        self._name_reductions()
        content, nothing = self.table.array(), np.zeros(segment.TABLE.size, np.int64)
        blocks = -(-len(self.rows.taps) // self.row_block) * -(-len(self.slices.taps) // self.slice_block)
        self.set(table=content.ctypes.data, total=self.planes * len(strips) * blocks)
        items = math.prod(self.plan.resize.output_shape) * (4 if self.softmax else 1)
        entry = segment.segment("uint8", int(self.has_depth))
        return self.launch(entry, items * _NANOSECONDS / 1000, (content, nothing), nothing.ctypes.data)

    @property
    def tile_rows(self) -> int:
        """Rows of a tile of slices: those of a block."""
        return self.row_block

    @property
    def _pitch(self) -> int:
        """Items from one row of a block to the next."""
        longest = max(end - begin for begin, end in self.strips()) * self.call.items
        return -(-longest // reduce.LANES) * reduce.LANES

    @property
    def _numbers_per_item(self) -> int:
        """Arrays of a block that hold numbers: the values, the best so far, and the sums."""
        return 2 + self.softmax if self.plan.reduces else 1

    def _block(self) -> tuple[int, int]:
        """Slices and rows of a block."""
        per_row = self._pitch * (self.number * self._numbers_per_item + (4 if self.plan.reduces else 1))
        rows = max(1, _BLOCK_BYTES // per_row)
        slices = min(len(self.slices.taps), max(1, math.isqrt(rows))) if self.has_depth else 1
        return slices, min(len(self.rows.taps), max(1, rows // slices))

    def _set_numbers(self) -> None:
        plan, pitch, pixel = self.plan, self._pitch, self.call.items
        stored = self.size if self.plain else plan.dtype.itemsize
        per_class = plan.boxes is not None and len(plan.boxes) == 3
        self.set(classes=plan.classes if plan.reduces else 0, class_stride=self.class_stride)
        self.set(block_slices=self.slice_block, block_rows=self.row_block)
        self.set(planes_per_box=1 if per_class or len(self.call.planes) == 1 else max(1, plan.classes))
        self.set(pixel_items=pixel, row_items=self.width.length * pixel, pitch=pitch, number_size=self.number)
        self.set(label_size=plan.labels.itemsize, confidence_size=plan.dtype.itemsize, limit=self._limit())
        self.set(target_row=pitch * stored, target_slice=self.row_block * pitch * stored)
        self.set(back_stride=stored, back_swapped=self.swapped, back_kind=self.compared_kind)

    def _limit(self) -> int:
        """The bits of the threshold, in what values are compared in."""
        if self.computed == "uint8":
            return int(self.plan.limit)
        bits = np.array(self.plan.limit).astype(self.computed).tobytes().ljust(8, b"\0")
        return int.from_bytes(bits, sys.byteorder, signed=True)

    def _name_reductions(self) -> None:
        confidence = load_back = confidence_store = 0
        if not self.plan.reduces:
            entry = reduce.exceeds_byte("uint8") if self.computed == "uint8" else reduce.exceeds(self.computed)
        elif self.softmax:
            entry = reduce.softmax_float("float32") if self.compared == "float32" else reduce.softmax_double("float64")
            confidence = reduce.confidence(self.compared).address
        else:
            entry = reduce.argmax(self.computed)
        if self.loads_back:
            load_back = convert.loader(self.compared_kind).address
            if self.softmax and self.plan.dtype.itemsize != self.number:
                confidence_store = convert.storer(self.compared_kind).address
        self.set(reduce=entry.address, confidence=confidence, load_back=load_back, confidence_store=confidence_store)

    def _lay_out_block(self) -> None:
        """Behind the workspace of the interpolation: parameters of stages, values, best values, sums, labels."""
        items, reduces = self.slice_block * self.row_block * self._pitch, self.plan.reduces
        numbers = -(-(items * self.number + 64) // 64) * 64
        self.set(header=self.room(segment.HEADER.bytes), numbers=self.room(numbers))
        self.set(floats=self.room(numbers if self.loads_back else 0), best=self.room(numbers if reduces else 0))
        self.room(numbers if self.softmax else 0)
        self.set(sums_after=numbers, labels=self.room(4 * items if reduces else 0))
