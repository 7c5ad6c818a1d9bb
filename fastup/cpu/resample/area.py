"""Pack a plan of area mode: windows per axis in place of taps."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastup.cpu.resample import float_blocks, row_stage
from fastup.cpu.resample.kernels import area, horizontal, settle
from fastup.cpu.resample.resample_call import ResampleCall, ResamplePacking, kept_positions
from fastup.cpu.resample.strip import strip_of
from fastup.cpu.simd import convert
from fastup.cpu.simd.item_kinds import KINDS
from fastup.plan.base import Array
from fastup.plan.sampling.axis import Axis
from fastup.runtime.abi import Entry
from fastup.runtime.workers import Launch

FAMILIES = (area.area,)
_STRIP_BYTES = 16 * 2**10
_LINE_ITEMS = 2**16
_NANOSECONDS = 0.6  # per input item that a window adds, one thread


def pack(call: ResampleCall) -> Launch:
    """The launch of the area kernel."""
    kind = KINDS.index(call.kind)
    packing = ResamplePacking(area.P, call, kind)
    size, table = packing.size, packing.table
    rows, slices = _windows(packing.height), _windows(packing.depth)
    strips, line, add = _strips(packing)
    plain = packing.computed == call.dtype.name and not packing.swapped
    contiguous = call.item_stride == size and call.source_strides[-1] == size * call.items
    # Vectors read past the last pixel, which only a copy of the row allows.
    loads = add is not None or not (plain and contiguous)
    packing.set(
        total=packing.planes * len(strips) * len(rows) * len(slices),
        rows=len(rows), slices=len(slices), strips=len(strips), integers=call.dtype.kind in "iu",
        row_table=table.add(rows), slice_table=table.add(slices),
        strip_table=table.add(np.array([area.STRIP.fill(**strip) for strip in strips])),
        load=convert.loader(kind).address if loads else 0,
        horizontal=add.address if add else 0,
        settle=0,
        store=0 if plain else convert.storer(kind).address,
        line=packing.room(line * size + 256), result=packing.room(max(strip["items"] for strip in strips) * size),
    )  # fmt: skip
    content = table.array()
    added = call.read / call.dtype.itemsize + 2 * call.written / call.dtype.itemsize
    work = added * _NANOSECONDS / 1000
    return packing.launch(area.area(packing.computed), work, content, content.ctypes.data)


def _windows(axis: Axis | None) -> Array:
    """First position and count of each output position's window."""
    if axis is None or axis.is_identity:
        return kept_positions(axis)
    return axis.windows()


def _strips(packing: ResamplePacking) -> tuple[list[dict[str, Any]], int, Entry | None]:
    """The strips, the items of the longest stretch of a row that one of them reads, and how to add it."""
    call, width, table = packing.call, packing.width, packing.table
    most = min(_STRIP_BYTES // packing.size, int(_LINE_ITEMS / max(1.0, width.n_in / width.n_out)))
    each = max(1, most // call.items)
    parts = [width.part(begin, min(begin + each, width.length)) for begin in range(0, width.length, each)]
    few = width.taps <= float_blocks.most_added()
    taps = [strip_of(part, call.items) for part in parts] if few else []
    add = float_blocks.adding(taps) if packing.computed == "float32" else None
    strips, longest = [], 0
    for number, part in enumerate(parts):
        windows = _windows(part)
        first, pixels = int(windows[0, 0]), int(windows[-1].sum() - windows[0, 0])
        longest, counts = max(longest, pixels * call.items), windows[:, 1]
        strips.append({
            "source": packing.source_of(first),
            "target": (part.window[0] - width.window[0]) * call.target_strides[-1],
            "items": part.length * call.items, "lead": 0, "lowest": 0, "far": 0,
            "load": packing.load(pixels),
            "horizontal": row_stage.ones(taps[number], table) if add else [0] * horizontal.P.size,
            "settle": settle.P.fill(items=0, rounding=0),  # means are rounded by `store`
            "store": convert.STORE.fill(items=part.length * call.items, swapped=packing.swapped, kind=packing.kind),
            "outputs": part.length, "pixel_items": call.items, "least": counts.min(), "most": counts.max(),
            "windows": table.add(windows - np.array([first, 0])),
            "divisors": table.add(np.repeat(counts, call.items).astype(packing.computed)),
        })  # fmt: skip
    return strips, longest, add
