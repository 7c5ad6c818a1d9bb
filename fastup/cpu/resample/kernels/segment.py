"""Interpolation whose result is reduced at once: rows of one class after another, in a block that fits in the caches.

A work item is a block of output rows of a strip of columns of a picture (in volumes a block of slices and rows). Its
rows are made as `separable` makes them, for one class, into the workspace; `REDUCE` compares them with the best so far;
then the next class. At the end labels go to the result, as items of `LABEL_SIZE` bytes, and zeros beyond the box.

``params`` begins with those of `separable`. ``table`` holds the addresses of the boxes (per box from and to for slices,
rows and columns; 0: none) and of the confidences; the tables of the stages are where `TABLE` says.
"""

from __future__ import annotations

from fastup.cpu.resample.kernels import separable
from fastup.cpu.resample.kernels.separable import (
    ROWS,
    SLICES,
    SOURCE_0,
    STRIP,
    STRIP_ITEMS,
    STRIP_SOURCE,
    STRIP_TABLE,
    STRIP_TARGET,
    STRIPS,
    TARGET_ROW,
    TARGET_SLICE,
    TILE_ROWS,
    blended_rows,
    blended_slices,
    plane_begin,
)
from fastup.cpu.simd.moves import publish
from fastup.cpu.simd.pointers import as_int32, as_int64, as_uint16, at, call_stage, call_stage_of_four, pointer_to
from fastup.runtime.kernel import inline, kernel

(
    TABLE, CLASSES, CLASS_STRIDE, BLOCK_SLICES, BLOCK_ROWS, PLANES_PER_BOX,
    PIXEL_ITEMS, ROW_ITEMS, PITCH, NUMBER_SIZE, LABEL_SIZE, CONFIDENCE_SIZE,
    REDUCE, LOAD_BACK, BACK_STRIDE, BACK_SWAPPED, CONFIDENCE, CONFIDENCE_STORE,
    NUMBERS, MADE, FLOATS, BEST, SUMS_AFTER, LABELS, LIMIT,
) = range(separable.PARAMS, separable.PARAMS + 25)  # fmt: skip
PARAMS = separable.PARAMS + 25
BOX = 6  # numbers
NUMBERS_BYTES = 192  # of the stages' parameters in the workspace
_LOAD_AT, _BOX_AT = 2, 10  # behind those of the reductions: of the stage that loads, and the box within the block


@inline
def set_box(params, table, plane, strip, box):
    """What of the result is wanted of this plane: slices, rows, and items of the strip, from and to."""
    box[0], box[1], box[2], box[3] = 0, params[SLICES], 0, params[ROWS]
    box[4], box[5] = 0, strip[STRIP_ITEMS]
    if as_int64(table, 0)[0] != 0:
        given = at(pointer_to(table, 0, params), 8 * BOX * (plane // params[PLANES_PER_BOX]))
        items, before = params[PIXEL_ITEMS], strip[STRIP_TARGET]
        for k in range(4):
            box[k] = given[k]
        box[4] = max(0, given[4] * items - before)
        box[5] = min(strip[STRIP_ITEMS], given[5] * items - before)


@inline
def cleared(dst, size, begin, end):
    """Zeros for the items from `begin` to `end`."""
    for k in range(begin * size, end * size):
        dst[k] = 0


@inline
def put_labels(labels, dst, size, begin, end):
    """Labels as integers of `size` bytes."""
    if size == 1:
        for k in range(begin, end):
            dst[k] = labels[k]
    elif size == 2:
        narrow = as_uint16(dst, 0)
        for k in range(begin, end):
            narrow[k] = labels[k]
    elif size == 4:
        same = as_int32(dst, 0)
        for k in range(begin, end):
            same[k] = labels[k]
    else:
        wide = as_int64(dst, 0)
        for k in range(begin, end):
            wide[k] = labels[k]


@inline
def put_confidences(params, best, dst, begin, end, work):
    """Confidences, as items of the logits' type."""
    numbers, target = as_int64(work, params[NUMBERS]), at(dst, begin * params[CONFIDENCE_SIZE])
    numbers[0], numbers[1] = end - begin, 0
    first = at(best, begin * params[NUMBER_SIZE])
    sums = at(first, params[SUMS_AFTER])
    if params[CONFIDENCE_STORE] == 0:
        call_stage(params[CONFIDENCE], numbers, first, sums, target)
        return
    call_stage(params[CONFIDENCE], numbers, first, sums, sums)
    call_stage(params[CONFIDENCE_STORE], numbers, sums, target, sums)


@inline
def reduce_block(params, count, number, table, work):
    """Compare the numbers of one class with the best so far."""
    numbers, line = as_int64(work, params[NUMBERS]), at(work, params[MADE])
    if params[LOAD_BACK] != 0:  # items were rounded to the logits' type, and are compared as what they are then
        loading = at(numbers, 8 * _LOAD_AT)
        loading[0], loading[1], loading[2], loading[3] = count, 0, 0, 1
        loading[4], loading[5] = params[BACK_STRIDE], params[BACK_STRIDE]
        loading[6], loading[7] = params[BACK_SWAPPED], 0
        call_stage(params[LOAD_BACK], loading, line, at(work, params[FLOATS]), table)
        line = at(work, params[FLOATS])
    if params[CLASSES] != 0:
        numbers[0], numbers[1], best = count, number, at(work, params[BEST])
        sums = at(best, params[SUMS_AFTER])
        call_stage_of_four(params[REDUCE], numbers, line, best, at(work, params[LABELS]), sums)


@inline
def put_row(params, row, place, dst, confidences, work):
    """One row of the block within the box: labels and confidences, or the mask."""
    box = as_int64(work, params[NUMBERS] + 8 * _BOX_AT)
    begin, end, first = box[4], box[5], row * params[PITCH]
    target = at(dst, place * params[LABEL_SIZE])
    if params[CLASSES] == 0:
        numbers, line = as_int64(work, params[NUMBERS]), params[MADE]
        if params[LOAD_BACK] != 0:
            line = params[FLOATS]
        numbers[0] = end - begin
        values = at(work, line + (first + begin) * params[NUMBER_SIZE])
        call_stage(params[REDUCE], numbers, values, at(params, 8 * LIMIT), at(target, begin))
        return
    put_labels(as_int32(work, params[LABELS] + 4 * first), target, params[LABEL_SIZE], begin, end)
    if params[CONFIDENCE] != 0:
        best = at(work, params[BEST] + first * params[NUMBER_SIZE])
        put_confidences(params, best, at(confidences, place * params[CONFIDENCE_SIZE]), begin, end, work)


@inline
def put_block(params, strip, plane, slices, rows, base, dst, table, work):
    """The block's rows, and zeros beyond the box; `base` is the slice and row that its memory begins with."""
    box, items = as_int64(work, params[NUMBERS] + 8 * _BOX_AT), strip[STRIP_ITEMS]
    confidences = pointer_to(table, 1, dst)
    empty = box[4] >= box[5]
    for depth in range(slices[0], slices[1]):
        for row in range(rows[0], rows[1]):
            place = ((plane * params[SLICES] + depth) * params[ROWS] + row) * params[ROW_ITEMS] + strip[STRIP_TARGET]
            begin, end = box[4], box[5]
            if empty or depth < box[0] or depth >= box[1] or row < box[2] or row >= box[3]:
                begin, end = 0, 0
            else:
                number = (depth - base[0]) * params[BLOCK_ROWS] + row - base[1]
                put_row(params, number, place, dst, confidences, work)
            for edge in range(2):
                first, last = (0, begin) if edge == 0 else (end, items)
                cleared(at(dst, place * params[LABEL_SIZE]), params[LABEL_SIZE], first, last)
                if params[CONFIDENCE] != 0:
                    size = params[CONFIDENCE_SIZE]
                    cleared(at(confidences, place * size), size, first, last)


@kernel("uint8", "uint8", "uint8", "uint8", elements=("uint8",), depth=(0, 1))
def segment(depth):
    """Labels, labels and confidences, or a mask; with `depth` of volumes."""

    def body(params, src, dst, table, work, start, stop):
        tables = pointer_to(params, TABLE, src)
        strips, box = as_int64(tables, params[STRIP_TABLE]), as_int64(work, params[NUMBERS] + 8 * _BOX_AT)
        row_blocks = (params[ROWS] + params[BLOCK_ROWS] - 1) // params[BLOCK_ROWS]
        blocks = row_blocks * ((params[SLICES] + params[BLOCK_SLICES] - 1) // params[BLOCK_SLICES])
        for item in range(start, stop):
            upper = item // blocks
            plane = upper // params[STRIPS]
            strip = at(strips, 8 * STRIP * (upper - plane * params[STRIPS]))
            set_box(params, table, plane, strip, box)
            block = item - upper * blocks
            over = block // row_blocks
            top, first = (block - over * row_blocks) * params[BLOCK_ROWS], over * params[BLOCK_SLICES]
            bottom, last = (
                min(params[ROWS], top + params[BLOCK_ROWS]),
                min(params[SLICES], first + params[BLOCK_SLICES]),
            )
            begin, end = max(top, box[2]), min(bottom, box[3])
            front, back = max(first, box[0]), min(last, box[1])
            if begin < end and front < back and box[4] < box[5]:
                source = plane_begin(params, plane, SOURCE_0) + strip[STRIP_SOURCE]
                for number in range(max(1, params[CLASSES])):
                    line = at(src, source + number * params[CLASS_STRIDE])
                    if depth:
                        before = front * params[TARGET_SLICE] + top * params[TARGET_ROW]
                        made = at(work, params[MADE] - before)
                        tile = top // params[TILE_ROWS]
                        blended_slices(params, strip, line, made, tile, front, back, tables, work)
                        count = (back - front) * params[BLOCK_ROWS] * params[PITCH]
                    else:
                        made, pitch = at(work, params[MADE]), params[TARGET_ROW]
                        blended_rows(params, strip, line, made, pitch, begin, end, tables, work, True)
                        count = (end - begin) * params[PITCH]
                    reduce_block(params, count, number, tables, work)
            base = (front, top) if depth else (0, begin)
            put_block(params, strip, plane, (first, last), (top, bottom), base, dst, table, work)
        publish()

    return body
