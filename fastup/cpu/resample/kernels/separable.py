"""Interpolation axis by axis: rows are loaded and resampled once, kept in a ring, and blended into output rows.

The kernel knows no mode, no dtype and no ratio: it walks the output in order, keeps the rings, and calls the stages
that `params` names. A stage that is absent (address 0) has nothing to do: no `load` and no `spread` where rows are read
as they are, no `blend` where the rows' axis keeps its size, no `store` where the blended row is the result. A ring has
room for a power of two of rows, so that a row's place is its number under a mask.

Work items are output rows of a strip of columns of a plane; with depth, output slices of a tile of rows of a strip. The
table holds, per strip, the parameters of its stages, and per row (slice) the first input row and the number of taps.
All distances are bytes.
"""

from __future__ import annotations

from fastup.cpu.simd.moves import publish
from fastup.cpu.simd.pointers import as_int64, at, call_stage
from fastup.runtime.kernel import inline, kernel

(
    TOTAL, STRIPS, ROWS, SLICES, TILE_ROWS,
    LOAD, SPREAD, BLEND, DEPTH_BLEND, STORE, BLEND_FAR,
    EXTENT_0, EXTENT_1, SOURCE_0, SOURCE_1, SOURCE_2, TARGET_0, TARGET_1, TARGET_2,
    IN_ROWS, SOURCE_ROW, IN_SLICES, SOURCE_SLICE, TARGET_ROW, TARGET_SLICE,
    ROW_TABLE, ROW_WEIGHTS, ROW_WEIGHTS_STEP, SLICE_TABLE, SLICE_WEIGHTS, SLICE_WEIGHTS_STEP,
    STRIP_TABLE, RING, RING_MASK, RING_STEP, LINE, RESULT, DEPTH_RING, DEPTH_RING_MASK, DEPTH_RING_STEP,
) = range(40)  # fmt: skip
PARAMS = 40
# A strip in the table: bytes from the row's start in the source and in the target, items, then parameters of stages.
STRIP_SOURCE, STRIP_TARGET, STRIP_ITEMS, STRIP_LOAD, STRIP_SPREAD, STRIP_STORE, STRIP = 0, 1, 2, 3, 11, 21, 23
# Parameters of the blends are put together at the start of the workspace: items, rows, distances.
_BLEND_ROWS = 2


@inline
def plane_begin(params, plane, strides):
    """Where a plane begins: two digits and a rest, whose strides lie at `strides`, innermost first."""
    above = plane // params[EXTENT_0]
    top = above // params[EXTENT_1]
    inner, middle = plane - above * params[EXTENT_0], above - top * params[EXTENT_1]
    return inner * params[strides] + middle * params[strides + 1] + top * params[strides + 2]


@inline
def clamped(position, extent):
    """The nearest position inside."""
    return max(0, min(position, extent - 1))


@inline
def make_row(params, strip, source, target, table, work):
    """Load one input row of a strip and resample it."""
    if params[SPREAD] == 0:
        call_stage(params[LOAD], at(strip, 8 * STRIP_LOAD), source, target, table)
        return
    line = at(work, params[LINE])
    call_stage(params[LOAD], at(strip, 8 * STRIP_LOAD), source, line, table)
    call_stage(params[SPREAD], at(strip, 8 * STRIP_SPREAD), line, target, table)


@inline
def input_row(params, strip, source, row, table, work, filled):
    """Distance of an input row from the blend's base: in the source itself, or in the ring, made if it is not there."""
    if params[LOAD] == 0:
        return row * params[SOURCE_ROW]
    place = (row & params[RING_MASK]) * params[RING_STEP]
    if row >= filled:
        make_row(params, strip, at(source, row * params[SOURCE_ROW]), at(work, params[RING] + place), table, work)
    return place


@inline
def finish(params, strip, line, target, table):
    """Bring a blended row to the result, if it is not there yet."""
    if params[STORE] != 0:
        call_stage(params[STORE], at(strip, 8 * STRIP_STORE), line, target, table)


@inline
def blended_rows(params, strip, source, target, pitch, begin, end, table, work, last):
    """Output rows `begin` to `end` of a strip; `last` tells whether they are the result or a slice on the way."""
    blending = as_int64(work, 0)
    blending[0] = strip[STRIP_ITEMS]
    taps_of = as_int64(table, params[ROW_TABLE])
    base = at(work, params[RING])
    if params[LOAD] == 0:
        base = source
    filled = 0  # input rows below this one are in the ring, as far as they are still needed
    for row in range(begin, end):
        first, count = taps_of[2 * row], taps_of[2 * row + 1]
        out = at(target, (row - begin) * pitch)
        far = last and params[BLEND_FAR] != 0
        line = out
        if last and params[STORE] != 0 and not far:
            line = at(work, params[RESULT])
        if params[BLEND] == 0:
            make_row(params, strip, at(source, first * params[SOURCE_ROW]), line, table, work)
        else:
            blending[1] = count
            for k in range(count):
                wanted = clamped(first + k, params[IN_ROWS])
                blending[_BLEND_ROWS + k] = input_row(params, strip, source, wanted, table, work, filled)
                filled = max(filled, wanted + 1)
            weights = at(table, params[ROW_WEIGHTS] + row * params[ROW_WEIGHTS_STEP])
            call_stage(params[BLEND_FAR] if far else params[BLEND], as_int64(work, 0), base, line, weights)
        if last and not far:
            finish(params, strip, line, out, table)


@inline
def blended_slices(params, strip, source, target, tile, begin, end, table, work):
    """Output slices `begin` to `end` of a tile of rows, from a ring of slices whose rows are done."""
    taps_of = as_int64(table, params[SLICE_TABLE])
    top = tile * params[TILE_ROWS]
    bottom = min(params[ROWS], top + params[TILE_ROWS])
    pitch = params[RING_STEP]
    ring = at(work, params[DEPTH_RING])
    blending = as_int64(work, 0)
    filled = 0
    for depth in range(begin, end):
        first, count = taps_of[2 * depth], taps_of[2 * depth + 1]
        for k in range(count):
            wanted = clamped(first + k, params[IN_SLICES])
            if wanted >= filled:
                place = at(ring, (wanted & params[DEPTH_RING_MASK]) * params[DEPTH_RING_STEP])
                slice_source = at(source, wanted * params[SOURCE_SLICE])
                blended_rows(params, strip, slice_source, place, pitch, top, bottom, table, work, False)
                filled = wanted + 1
        for row in range(top, bottom):
            blending[0], blending[1] = strip[STRIP_ITEMS], count
            for k in range(count):
                slot = clamped(first + k, params[IN_SLICES]) & params[DEPTH_RING_MASK]
                blending[_BLEND_ROWS + k] = slot * params[DEPTH_RING_STEP] + (row - top) * pitch
            out = at(target, depth * params[TARGET_SLICE] + row * params[TARGET_ROW])
            far = params[BLEND_FAR] != 0
            line = out
            if params[STORE] != 0 and not far:
                line = at(work, params[RESULT])
            weights = at(table, params[SLICE_WEIGHTS] + depth * params[SLICE_WEIGHTS_STEP])
            stage = params[BLEND_FAR] if far else params[DEPTH_BLEND]
            call_stage(stage, as_int64(work, 0), ring, line, weights)
            if not far:
                finish(params, strip, line, out, table)


@kernel("uint8", "uint8", "uint8", "uint8", elements=("uint8",), depth=(0, 1))
def separable(depth):
    """Interpolation of any rank by the stages and tables that `params` names."""

    def body(params, src, dst, table, work, start, stop):
        strips = as_int64(table, params[STRIP_TABLE])
        tiles, length = 1, params[ROWS]
        if depth:
            tiles, length = (params[ROWS] + params[TILE_ROWS] - 1) // params[TILE_ROWS], params[SLICES]
        item = start
        while item < stop:
            group = item // length
            begin = item - group * length
            end = min(length, begin + stop - item)
            upper = group // tiles
            plane = upper // params[STRIPS]
            strip = at(strips, 8 * STRIP * (upper - plane * params[STRIPS]))
            source = at(src, plane_begin(params, plane, SOURCE_0) + strip[STRIP_SOURCE])
            target = at(dst, plane_begin(params, plane, TARGET_0) + strip[STRIP_TARGET])
            if depth:
                blended_slices(params, strip, source, target, group - upper * tiles, begin, end, table, work)
            else:
                pitch = params[TARGET_ROW]
                blended_rows(params, strip, source, at(target, begin * pitch), pitch, begin, end, table, work, True)
            item += end - begin
        publish()

    return body
