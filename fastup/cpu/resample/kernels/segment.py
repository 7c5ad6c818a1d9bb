"""Interpolation whose result is reduced at once: rows of one class after another, in a block that fits in the caches.

A work item is a block of output rows of a strip of columns of a picture (in volumes a block of slices and rows). Its
rows are made as `separable` makes them, for one class, into the workspace; `reduce` compares them with the best so far;
then the next class. At the end labels go to the result, as items of `label_size` bytes, and zeros beyond the box.

``params`` begins with those of `separable`. ``table`` holds the addresses of the boxes (per box from and to for slices,
rows and columns; 0: none) and of the confidences; the tables of the stages are where `table` says.
"""

from __future__ import annotations

from fastup.cpu.resample.kernels import reduce, separable
from fastup.cpu.resample.kernels.separable import STRIP, blended_rows, blended_slices, plane_begin
from fastup.cpu.simd.convert import LOAD, STORE, set_load
from fastup.cpu.simd.moves import publish
from fastup.cpu.simd.pointers import as_int32, as_int64, as_uint16, at, call_stage, call_stage_of_four, pointer_to
from fastup.runtime.fields import Fields
from fastup.runtime.kernel import inline, kernel

P = Fields(
    """
    table classes class_stride block_slices block_rows planes_per_box
    pixel_items row_items pitch number_size label_size confidence_size
    reduce load_back back_stride back_swapped back_kind confidence confidence_store
    header numbers floats best sums_after labels limit
    """,
    separable.P,
)
TABLE = Fields("boxes confidences")  # addresses
BOX = Fields("front back top bottom left right")  # from and to along slices, rows and items
HEADER = Fields("reduce load box", reduce=reduce.P, load=LOAD, box=BOX)  # of the stages, in the workspace


@inline
def set_box(params, table, plane, strip, box):
    """What of the result is wanted of this plane: slices, rows, and items of the strip, from and to."""
    box[BOX.front], box[BOX.back], box[BOX.top], box[BOX.bottom] = 0, params[P.slices], 0, params[P.rows]
    box[BOX.left], box[BOX.right] = 0, strip[STRIP.items]
    if as_int64(table, 0)[TABLE.boxes] != 0:
        wanted = at(pointer_to(table, TABLE.boxes, params), BOX.bytes * (plane // params[P.planes_per_box]))
        items, before = params[P.pixel_items], strip[STRIP.target]
        for k in range(BOX.left):
            box[k] = wanted[k]
        box[BOX.left] = max(0, wanted[BOX.left] * items - before)
        box[BOX.right] = min(strip[STRIP.items], wanted[BOX.right] * items - before)


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
    header, target = as_int64(work, params[P.header]), at(dst, begin * params[P.confidence_size])
    header[STORE.items], header[STORE.swapped], header[STORE.kind] = end - begin, 0, params[P.back_kind]
    first = at(best, begin * params[P.number_size])
    sums = at(first, params[P.sums_after])
    if params[P.confidence_store] == 0:
        call_stage(params[P.confidence], header, first, sums, target)
        return
    call_stage(params[P.confidence], header, first, sums, sums)
    call_stage(params[P.confidence_store], header, sums, target, sums)


@inline
def reduce_block(params, count, number, table, work):
    """Compare the numbers of one class with the best so far."""
    header, line = as_int64(work, params[P.header]), at(work, params[P.numbers])
    if params[P.load_back] != 0:  # items were rounded to the logits' type, and are compared as what they are then
        loading = at(header, 8 * HEADER.load)
        stride, swapped, kind = params[P.back_stride], params[P.back_swapped], params[P.back_kind]
        set_load(loading, count, 1, stride, stride, swapped, kind)
        call_stage(params[P.load_back], loading, line, at(work, params[P.floats]), table)
        line = at(work, params[P.floats])
    if params[P.classes] != 0:
        header[reduce.P.items], header[reduce.P.number], best = count, number, at(work, params[P.best])
        sums = at(best, params[P.sums_after])
        call_stage_of_four(params[P.reduce], header, line, best, at(work, params[P.labels]), sums)


@inline
def put_row(params, row, place, dst, confidences, work):
    """One row of the block within the box: labels and confidences, or the mask."""
    box = as_int64(work, params[P.header] + 8 * HEADER.box)
    begin, end, first = box[BOX.left], box[BOX.right], row * params[P.pitch]
    target = at(dst, place * params[P.label_size])
    if params[P.classes] == 0:
        header, line = as_int64(work, params[P.header]), params[P.numbers]
        if params[P.load_back] != 0:
            line = params[P.floats]
        header[reduce.P.items] = end - begin
        values = at(work, line + (first + begin) * params[P.number_size])
        call_stage(params[P.reduce], header, values, at(params, 8 * P.limit), at(target, begin))
        return
    put_labels(as_int32(work, params[P.labels] + 4 * first), target, params[P.label_size], begin, end)
    if params[P.confidence] != 0:
        best = at(work, params[P.best] + first * params[P.number_size])
        put_confidences(params, best, at(confidences, place * params[P.confidence_size]), begin, end, work)


@inline
def put_block(params, strip, plane, slices, rows, base, dst, table, work):
    """The block's rows, and zeros beyond the box; `base` is the slice and row that its memory begins with."""
    box, items = as_int64(work, params[P.header] + 8 * HEADER.box), strip[STRIP.items]
    confidences = pointer_to(table, TABLE.confidences, dst)
    empty = box[BOX.left] >= box[BOX.right]
    for depth in range(slices[0], slices[1]):
        for row in range(rows[0], rows[1]):
            above = (plane * params[P.slices] + depth) * params[P.rows] + row
            place = above * params[P.row_items] + strip[STRIP.target]
            begin, end = box[BOX.left], box[BOX.right]
            inside = box[BOX.front] <= depth < box[BOX.back] and box[BOX.top] <= row < box[BOX.bottom]
            if empty or not inside:
                begin, end = 0, 0
            else:
                number = (depth - base[0]) * params[P.block_rows] + row - base[1]
                put_row(params, number, place, dst, confidences, work)
            for edge in range(2):
                first, last = (0, begin) if edge == 0 else (end, items)
                cleared(at(dst, place * params[P.label_size]), params[P.label_size], first, last)
                if params[P.confidence] != 0:
                    size = params[P.confidence_size]
                    cleared(at(confidences, place * size), size, first, last)


@kernel("uint8", "uint8", "uint8", "uint8", elements=("uint8",), depth=(0, 1))
def segment(depth):
    """Labels, labels and confidences, or a mask; with `depth` of volumes."""

    def body(params, src, dst, table, work, start, stop):
        tables = pointer_to(params, P.table, src)
        strips, box = as_int64(tables, params[P.strip_table]), as_int64(work, params[P.header] + 8 * HEADER.box)
        row_blocks = (params[P.rows] + params[P.block_rows] - 1) // params[P.block_rows]
        blocks = row_blocks * ((params[P.slices] + params[P.block_slices] - 1) // params[P.block_slices])
        for item in range(start, stop):
            upper = item // blocks
            plane = upper // params[P.strips]
            strip = at(strips, STRIP.bytes * (upper - plane * params[P.strips]))
            set_box(params, table, plane, strip, box)
            block = item - upper * blocks
            over = block // row_blocks
            top, first = (block - over * row_blocks) * params[P.block_rows], over * params[P.block_slices]
            bottom, last = (
                min(params[P.rows], top + params[P.block_rows]),
                min(params[P.slices], first + params[P.block_slices]),
            )
            begin, end = max(top, box[BOX.top]), min(bottom, box[BOX.bottom])
            front, back = max(first, box[BOX.front]), min(last, box[BOX.back])
            if begin < end and front < back and box[BOX.left] < box[BOX.right]:
                source = plane_begin(params, plane, P.source) + strip[STRIP.source]
                for number in range(max(1, params[P.classes])):
                    line = at(src, source + number * params[P.class_stride])
                    if depth:
                        before = front * params[P.target_slice] + top * params[P.target_row]
                        made = at(work, params[P.numbers] - before)
                        tile = top // params[P.tile_rows]
                        blended_slices(params, strip, line, made, tile, front, back, tables, work)
                        count = (back - front) * params[P.block_rows] * params[P.pitch]
                    else:
                        made, pitch = at(work, params[P.numbers]), params[P.target_row]
                        blended_rows(params, strip, line, made, pitch, begin, end, tables, work, True)
                        count = (end - begin) * params[P.pitch]
                    reduce_block(params, count, number, tables, work)
            base = (front, top) if depth else (0, begin)
            put_block(params, strip, plane, (first, last), (top, bottom), base, dst, table, work)
        publish()

    return body
