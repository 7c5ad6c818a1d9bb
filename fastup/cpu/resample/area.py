"""Pack a plan of area mode: windows per axis in place of taps."""

from __future__ import annotations

import math

import numpy as np

from fastup.cpu.memory import aligned
from fastup.cpu.resample import row_stage
from fastup.cpu.resample.kernels import area, separable
from fastup.cpu.resample.kernels.separable import PARAMS
from fastup.cpu.resample.resample_call import Geometry, Table, kept_positions, place_planes
from fastup.cpu.simd import convert
from fastup.plan.base import Array
from fastup.plan.sampling.axis import Axis
from fastup.runtime.abi import Entry
from fastup.runtime.workers import Launch

FAMILIES = (area.area,)
_STRIP_BYTES = 16 * 2**10
_LINE_ITEMS = 2**16
_NANOSECONDS = 0.6  # per input item that a window adds, one thread


def pack(call: Geometry) -> Launch:
    """The launch of the area kernel."""
    *outer, width = call.axes
    depth = outer[0] if len(outer) == 2 and not outer[0].is_identity else None
    height = outer[-1] if outer else None
    kind = convert.KINDS.index(call.kind)
    computed = convert.COMPUTED[kind]
    size, swapped = np.dtype(computed).itemsize, not call.dtype.isnative
    params, table = np.zeros(PARAMS, np.int64), Table()
    params[area.INTEGERS] = int(call.dtype.kind in "iu")
    plain = computed == call.dtype.name and not swapped
    contiguous = call.item_stride == size and call.source_strides[-1] == size * call.items
    if not plain:
        params[separable.STORE] = convert.store("uint8", kind).address
    rows, slices = _windows(height), _windows(depth)
    params[separable.ROW_TABLE], params[separable.SLICE_TABLE] = table.add(rows), table.add(slices)
    params[separable.ROWS], params[separable.SLICES] = len(rows), len(slices)
    strips, line, add = _strips(call, width, computed, swapped, table)
    params[separable.SPREAD] = add.address if add else 0
    if add or not (plain and contiguous):  # vectors read past the last pixel, which only a copy of the row allows
        params[separable.LOAD] = convert.load("uint8", kind).address
    params[separable.STRIPS], params[separable.STRIP_TABLE] = len(strips), table.add(strips)
    params[separable.TOTAL] = math.prod(n for n, _, _ in call.planes) * len(strips) * len(rows) * len(slices)
    params[separable.LINE], params[separable.RESULT] = 0, aligned(line * size + 256)
    workspace = aligned(line * size + 256) + aligned(int(strips[:, separable.STRIP_ITEMS].max()) * size)
    place_planes(params, call)
    content = table.array()
    added = call.read / call.dtype.itemsize + 2 * call.written / call.dtype.itemsize
    work = added * _NANOSECONDS / 1000
    return Launch(area.area(computed), params.tolist(), work, content, content.ctypes.data, workspace)


def _windows(axis: Axis | None) -> Array:
    """First position and count of each output position's window."""
    if axis is None or axis.is_identity:
        return kept_positions(axis)
    return axis.windows()


def _strips(call: Geometry, width: Axis, computed: str, swapped: bool, table: Table) -> tuple[Array, int, Entry | None]:
    """The strips of the table, the items of the longest stretch of a row that one of them reads, and how to add it."""
    size = np.dtype(computed).itemsize
    most = min(_STRIP_BYTES // size, int(_LINE_ITEMS / max(1.0, width.n_in / width.n_out)))
    each = max(1, most // call.items)
    parts = [width.part(begin, min(begin + each, width.length)) for begin in range(0, width.length, each)]
    few = width.taps <= row_stage.MOST_ADDED
    tables = [row_stage.strip_of(part, call.items) if few else None for part in parts]
    add = row_stage.adding([one for one in tables if one], computed)
    strips, longest = np.zeros((len(parts), separable.STRIP), np.int64), 0
    for strip, part, taps in zip(strips, parts, tables, strict=True):
        windows = _windows(part)
        first, pixels = int(windows[0, 0]), int(windows[-1].sum() - windows[0, 0])
        windows = windows - np.array([first, 0])
        items, longest = part.length * call.items, max(longest, pixels * call.items)
        strip[separable.STRIP_SOURCE] = call.source_offset + first * call.source_strides[-1]
        strip[separable.STRIP_TARGET] = (part.window[0] - width.window[0]) * call.target_strides[-1]
        strip[separable.STRIP_ITEMS] = items
        load = (pixels, 0, 0, call.items, call.source_strides[-1], call.item_stride, swapped, call.ahead)
        strip[separable.STRIP_LOAD : separable.STRIP_SPREAD] = load
        if add and taps:
            strip[separable.STRIP_SPREAD : separable.STRIP_STORE] = row_stage.ones(taps, table)
        else:
            strip[area.MOST] = int(windows[:, 1].max())
        divisors = np.repeat(windows[:, 1], call.items).astype(computed)
        strip[area.OUTPUTS], strip[area.ITEMS] = part.length, call.items
        strip[area.WINDOWS] = table.add(windows)
        strip[area.LEAST] = int(windows[:, 1].min())
        strip[area.DIVISORS] = table.add(divisors)
        strip[separable.STRIP_STORE :] = (items, swapped)
    return strips, longest, add
