"""Interpolation axis by axis: rows are loaded and resampled once, kept in a ring, and blended into output rows.

The kernel knows no mode, no dtype and no ratio: it walks the output in order, keeps the rings, and calls the stages
that `params` names. A stage that is absent (address 0) has nothing to do: no `load` where `horizontal` reads rows as
they are, no `blend` where the rows' axis keeps its size, no `settle` where `store` rounds, no `store` where the blended
row is the result; rows that are blended *in place* have neither of the first two. A ring has room for a power of two of
rows, so that a row's place is its number under a mask; rows come into it in groups of `at_once`, whose stage reads its
table once for several.

Work items are output rows of a strip of columns of a plane; with depth, output slices of a tile of rows of a strip. The
table holds, per strip, the parameters of its stages, and per row (slice) the first input row and the number of taps.
All distances are bytes.
"""

from __future__ import annotations

from fastup.cpu.resample.kernels import horizontal, settle, vertical
from fastup.cpu.simd.convert import LOAD, STORE
from fastup.cpu.simd.moves import publish
from fastup.cpu.simd.pointers import as_int64, at, call_stage, call_stage_of_four
from fastup.runtime.fields import Fields
from fastup.runtime.kernel import inline, kernel

# What `area` has as well: where arrays lie, the stages of a row, and the places of the tables.
CALL = Fields(
    """
    total strips rows slices load horizontal settle store
    extents source source_row source_slice target target_row target_slice
    row_table slice_table strip_table line result
    """,
    extents=2,  # of the digits of a plane's number, innermost first
    source=3,
    target=3,
)
P = Fields(
    """
    tile_rows in_place direct blend blend_slices blend_far in_rows in_slices
    row_weights row_weights_step slice_weights slice_weights_step
    at_once at_once_rows scratch line_step ring ring_mask ring_step slice_ring slice_ring_mask slice_ring_step
    """,
    CALL,
)
# A strip: bytes from the row's start in the source and in the target, items, then parameters of stages.
STRIP = Fields(
    "source target items lead lowest far load horizontal settle store",
    load=LOAD, horizontal=horizontal.P, settle=settle.P, store=STORE,
)  # fmt: skip
TAPS = Fields("first count")  # of each row, and slice


@inline
def plane_begin(params, plane, strides):
    """Where a plane begins: two digits and a rest, whose strides lie at `strides`, innermost first."""
    above = plane // params[CALL.extents]
    top = above // params[CALL.extents + 1]
    inner, middle = plane - above * params[CALL.extents], above - top * params[CALL.extents + 1]
    return inner * params[strides] + middle * params[strides + 1] + top * params[strides + 2]


@inline
def clamped(position, extent):
    """The nearest position inside."""
    return max(0, min(position, extent - 1))


@inline
def load_rows(params, strip, source, target, step, count, table):
    """Load so many input rows of a strip, `step` bytes from each other."""
    for row in range(count):
        line = at(source, row * params[P.source_row])
        call_stage(params[P.load], at(strip, 8 * STRIP.load), line, at(target, row * step), table)


@inline
def make_rows(params, strip, source, target, step, count, is_last, table, work):
    """Load so many input rows of a strip and resample them, `step` bytes from each other.

    Where rows are read *directly*, vectors may reach into the next row; the last one has none and is loaded.
    """
    if params[P.horizontal] == 0:
        load_rows(params, strip, source, target, step, count, table)
        return
    line, line_step = source, params[P.source_row]
    if params[P.load] != 0 and (params[P.direct] == 0 or is_last):
        line, line_step = at(work, params[P.line]), params[P.line_step]
        load_rows(params, strip, source, line, line_step, count, table)
    rows = as_int64(work, params[P.at_once_rows])
    rows[horizontal.ROWS.count], rows[horizontal.ROWS.line_step] = count, line_step
    rows[horizontal.ROWS.target_step], rows[horizontal.ROWS.scratch] = step, params[P.scratch]
    call_stage_of_four(params[P.horizontal], at(strip, 8 * STRIP.horizontal), line, target, table, rows)


@inline
def fill_ring(params, strip, source, row, table, work):
    """Make an input row and those that share its table; the number of the row behind them."""
    begin = row & -params[P.at_once]
    count = min(params[P.at_once], params[P.in_rows] - begin)
    place = (begin & params[P.ring_mask]) * params[P.ring_step]
    line, target = at(source, begin * params[P.source_row]), at(work, params[P.ring] + place)
    is_last = begin + count == params[P.in_rows]
    make_rows(params, strip, line, target, params[P.ring_step], count, is_last, table, work)
    return begin + count


@inline
def finish(params, strip, line, target, table):
    """Bring a blended row to the result, if it is not there yet."""
    if params[P.store] != 0:
        if params[CALL.settle] != 0:
            call_stage(params[CALL.settle], at(strip, 8 * STRIP.settle), line, line, table)
        call_stage(params[P.store], at(strip, 8 * STRIP.store), line, target, table)


@inline
def blended_rows(params, strip, source, target, pitch, begin, end, table, work, last):
    """Output rows `begin` to `end` of a strip; `last` tells whether they are the result or a slice on the way."""
    blending = as_int64(work, 0)
    blending[vertical.P.items], blending[vertical.P.lead] = strip[STRIP.items], strip[STRIP.lead]
    blending[vertical.P.lowest], blending[vertical.P.far] = strip[STRIP.lowest], strip[STRIP.far]
    base = at(work, params[P.ring])
    if params[P.in_place] != 0:
        base = source
    filled = 0  # input rows below this one are in the ring, as far as they are still needed
    for row in range(begin, end):
        taps = as_int64(table, params[P.row_table] + TAPS.bytes * row)
        first, count = taps[TAPS.first], taps[TAPS.count]
        out = at(target, (row - begin) * pitch)
        far = last and params[P.blend_far] != 0
        line = out
        if last and params[P.store] != 0 and not far:
            line = at(work, params[P.result])
        if params[P.blend] == 0:
            is_last = first + 1 == params[P.in_rows]
            make_rows(params, strip, at(source, first * params[P.source_row]), line, pitch, 1, is_last, table, work)
        else:
            blending[vertical.P.rows] = count
            for k in range(count):
                wanted = clamped(first + k, params[P.in_rows])
                if params[P.in_place] != 0:
                    blending[vertical.P.size + k] = wanted * params[P.source_row]
                else:
                    if wanted >= filled:
                        filled = fill_ring(params, strip, source, wanted, table, work)
                    blending[vertical.P.size + k] = (wanted & params[P.ring_mask]) * params[P.ring_step]
            weights = at(table, params[P.row_weights] + row * params[P.row_weights_step])
            call_stage(params[P.blend_far] if far else params[P.blend], blending, base, line, weights)
        if last and not far:
            finish(params, strip, line, out, table)


@inline
def blended_slices(params, strip, source, target, tile, begin, end, table, work):
    """Output slices `begin` to `end` of a tile of rows, from a ring of slices whose rows are done."""
    top = tile * params[P.tile_rows]
    bottom = min(params[P.rows], top + params[P.tile_rows])
    pitch = params[P.ring_step]
    ring = at(work, params[P.slice_ring])
    blending = as_int64(work, 0)
    filled = 0
    for depth in range(begin, end):
        taps = as_int64(table, params[P.slice_table] + TAPS.bytes * depth)
        first, count = taps[TAPS.first], taps[TAPS.count]
        for k in range(count):
            wanted = clamped(first + k, params[P.in_slices])
            if wanted >= filled:
                place = at(ring, (wanted & params[P.slice_ring_mask]) * params[P.slice_ring_step])
                slice_source = at(source, wanted * params[P.source_slice])
                blended_rows(params, strip, slice_source, place, pitch, top, bottom, table, work, False)
                filled = wanted + 1
        for row in range(top, bottom):
            blending[vertical.P.items], blending[vertical.P.rows] = strip[STRIP.items], count
            blending[vertical.P.lead] = 0
            blending[vertical.P.lowest], blending[vertical.P.far] = strip[STRIP.lowest], strip[STRIP.far]
            for k in range(count):
                slot = clamped(first + k, params[P.in_slices]) & params[P.slice_ring_mask]
                blending[vertical.P.size + k] = slot * params[P.slice_ring_step] + (row - top) * pitch
            out = at(target, depth * params[P.target_slice] + row * params[P.target_row])
            far = params[P.blend_far] != 0
            line = out
            if params[P.store] != 0 and not far:
                line = at(work, params[P.result])
            weights = at(table, params[P.slice_weights] + depth * params[P.slice_weights_step])
            stage = params[P.blend_far] if far else params[P.blend_slices]
            call_stage(stage, blending, ring, line, weights)
            if not far:
                finish(params, strip, line, out, table)


@kernel("uint8", "uint8", "uint8", "uint8", elements=("uint8",), depth=(0, 1))
def separable(depth):
    """Interpolation of any rank by the stages and tables that `params` names."""

    def body(params, src, dst, table, work, start, stop):
        strips = as_int64(table, params[P.strip_table])
        tiles, length = 1, params[P.rows]
        if depth:
            tiles, length = (params[P.rows] + params[P.tile_rows] - 1) // params[P.tile_rows], params[P.slices]
        item = start
        while item < stop:
            group = item // length
            begin = item - group * length
            end = min(length, begin + stop - item)
            upper = group // tiles
            plane = upper // params[P.strips]
            strip = at(strips, STRIP.bytes * (upper - plane * params[P.strips]))
            source = at(src, plane_begin(params, plane, P.source) + strip[STRIP.source])
            target = at(dst, plane_begin(params, plane, P.target) + strip[STRIP.target])
            if depth:
                blended_slices(params, strip, source, target, group - upper * tiles, begin, end, table, work)
            else:
                pitch = params[P.target_row]
                blended_rows(params, strip, source, at(target, begin * pitch), pitch, begin, end, table, work, True)
            item += end - begin
        publish()

    return body
