"""Kernels that apply the tables of an interpolation, whatever the mode, the rank and the ratio.

``params`` of a table of positions: rows; rows per plane; rows per slice; columns; items per pixel; two plane digits,
innermost first: extent, source stride; target strides of row, slice and plane. The table holds source offsets, strides
included: per row of a slice, per slice, per column; by pieces the columns are places and permutations of bytes.
"""

from __future__ import annotations

from fastup.cpu.copy.kernels.permuted_copy import INTEGERS
from fastup.cpu.simd import byte_lanes
from fastup.cpu.simd.byte_lanes import PIECE
from fastup.cpu.simd.moves import copy_bytes, copy_item, copy_items, flush, lane_count, publish, row_buffer, splats
from fastup.cpu.simd.pointers import as_int32, as_uint8, at
from fastup.cpu.simd.vectors import load, store
from fastup.runtime.fields import Fields
from fastup.runtime.kernel import inline, intrinsic, kernel

P = Fields(
    "total plane_rows height width pixel inner inner_stride outer outer_stride row_pitch slice_pitch plane_pitch"
    " streamed"
)


@inline
def plane_offset(params, plane):
    """Where a plane begins in the source."""
    above = plane // params[P.inner]
    return (plane - above * params[P.inner]) * params[P.inner_stride] + above % params[P.outer] * params[P.outer_stride]


@inline
def copy_row(dst, source, target, length):
    """Repeat a row of the target that was just written."""
    for k in range(length):
        dst[target + k] = dst[source + k]


def rows_by_table(write_row):
    """The body that walks its share of the rows: ``write_row(params, src, dst, line, table, source, target, ...)``."""

    def body(params, src, dst, table, start, stop):
        height = params[P.height]
        line = row_buffer(dst)
        row = start
        while row < stop:
            plane = row // params[P.plane_rows]
            base = plane_offset(params, plane)
            first = row - plane * params[P.plane_rows]
            last = min(params[P.plane_rows], first + stop - row)
            depth = first // height
            number = first - depth * height
            fresh = True
            previous = 0
            written = 0
            for _ in range(first, last):
                source = base + table[height + depth] + table[number]
                target = plane * params[P.plane_pitch] + depth * params[P.slice_pitch] + number * params[P.row_pitch]
                write_row(params, src, dst, line, table, source, target, written, fresh or source != previous)
                fresh = False
                previous = source
                written = target
                row += 1
                number += 1
                if number == height:
                    number = 0
                    depth += 1
        publish()

    return body


def _taken(row_length, take_row):
    """The body that takes a row, or copies the row above where that is the same."""

    @inline
    def write_row(params, src, dst, line, table, source, target, written, fresh):
        length = row_length(params)
        if params[P.streamed] != 0:
            if fresh:
                take_row(params, src, line, table, source, 0)
            flush(line, length, dst, target)
        elif fresh:
            take_row(params, src, dst, table, source, target)
        else:
            copy_row(dst, written, target, length)

    return rows_by_table(write_row)


@kernel("element", "element", "int64", elements=INTEGERS, pixel=(0, 1, 3))
def take_rows(pixel):
    """Nearest neighbours by table; ``pixel`` is the number of items of one pixel where that is a constant.

    Pixels of three items are moved as four: the next pixel overwrites the fourth.
    """
    four = copy_items(4)

    @inline
    def row_length(params):
        return params[P.width] * (pixel if pixel > 0 else params[P.pixel])

    @inline
    def take_row(params, src, dst, table, source, target):
        items = pixel if pixel > 0 else params[P.pixel]
        columns = params[P.height] + params[P.plane_rows] // params[P.height]
        highest = max(table[columns], table[columns + params[P.width] - 1])  # tables run one way
        for column in range(params[P.width]):
            begin = source + table[columns + column]
            end = target + column * items
            if pixel == 0:
                for k in range(items):
                    dst[end + k] = src[begin + k]
            elif pixel == 3 and column + 1 < params[P.width] and table[columns + column] < highest:
                four(src, begin, dst, end)
            else:
                for k in range(pixel):
                    copy_item(src, begin + k, dst, end + k)

    return _taken(row_length, take_row)


@kernel("uint8", "uint8", "int64", elements=("uint8",), chunk=(16, 64))
def take_long_pixels(chunk):
    """The same for pixels of at least `chunk` bytes, all distances in bytes; their last chunk may lie over another."""
    copy_chunk = copy_bytes(chunk)

    @inline
    def row_length(params):
        return params[P.width] * params[P.pixel]

    @inline
    def take_row(params, src, dst, table, source, target):
        length = params[P.pixel]
        columns = params[P.height] + params[P.plane_rows] // params[P.height]
        for column in range(params[P.width]):
            begin, end = source + table[columns + column], target + column * length
            for k in range(0, length, chunk):
                place = min(k, length - chunk)
                copy_chunk(src, begin + place, dst, end + place)

    return _taken(row_length, take_row)


def piece_of(windows):
    """A helper ``(src, source, begins, orders, dst, target)`` that brings the bytes of so many windows together.

    Each is 16 bytes from where `begins` says; `orders` are their permutations, in which 128 stands for another window.
    """

    @intrinsic
    def piece(_, src, source, begins, orders, dst, target):
        from numba import types

        def generate(context, builder, _signature, arguments):
            src, source, begins, orders, dst, target = arguments
            byte, _, _, long = byte_lanes.integers()
            found = None
            for number in range(windows):
                begin = builder.sext(builder.load(builder.gep(begins, [long(number)])), long)
                read = load(builder, builder.gep(src, [builder.add(source, begin)]), byte, PIECE)
                order = load(builder, builder.gep(orders, [long(PIECE * number)]), byte, PIECE)
                chosen = byte_lanes.permuted(builder, read, order)
                found = chosen if found is None else builder.or_(found, chosen)
            store(builder, found, builder.gep(dst, [target]))
            return context.get_dummy_value()

        return types.void(src, types.intp, begins, orders, dst, types.intp), generate

    return piece


@kernel("uint8", "uint8", "int64", elements=("uint8",), windows=(1, 2, 3, 4))
def take_pieces(windows):
    """The same for rows of short pixels without gaps, all distances in bytes: 16 bytes of a row at once.

    The last piece lies over the one before.
    """
    if not byte_lanes.width():
        return lambda params, src, dst, table, start, stop: None
    piece = piece_of(windows)

    @inline
    def row_length(params):
        return params[P.width] * params[P.pixel]

    @inline
    def take_row(params, src, dst, table, source, target):
        length = params[P.width] * params[P.pixel]
        pieces = (length + PIECE - 1) // PIECE
        columns = 8 * (params[P.height] + params[P.plane_rows] // params[P.height])
        begins = as_int32(table, columns)
        orders = as_uint8(table, columns + 4 * windows * pieces)
        for number in range(pieces):
            place = target + min(number * PIECE, length - PIECE)
            mine = number * windows
            piece(src, source, at(begins, 4 * mine), at(orders, PIECE * mine), dst, place)

    return _taken(row_length, take_row)


def widening(parts):
    """A helper ``(params, src, dst, source, target)`` that repeats the items of a row by a `parts`-th of a vector."""
    splat = splats(parts)

    @inline
    def widen(params, src, dst, source, target):
        width, factor, lanes = params[P.width], params[P.pixel], lane_count(src) // parts
        stored = (factor + lanes - 1) // lanes * lanes
        # As far as the last vector stays within the row.
        whole = max(0, min(width, (width * factor - stored) // factor + 1))
        for column in range(whole):
            for k in range(0, factor, lanes):
                splat(src, source + column, dst, target + column * factor + k)
        for column in range(whole, width):
            for k in range(factor):
                copy_item(src, source + column, dst, target + column * factor + k)

    return widen


@kernel("element", "element", "int64", elements=INTEGERS)
def repeat_rows():
    """Every item of a row `pixel` times, and rows as often as the table names them.

    Each item is stored as a whole vector of itself, of which the next item's vector overwrites what is too much: one
    store an item for factors of up to a vector.
    """
    by_quarter, by_half, by_whole = widening(4), widening(2), widening(1)

    @inline
    def write_row(params, src, dst, line, table, source, target, written, fresh):
        factor, lanes = params[P.pixel], lane_count(src)
        if not fresh:
            copy_row(dst, written, target, params[P.width] * factor)
        elif 4 * factor <= lanes:
            by_quarter(params, src, dst, source, target)
        elif 2 * factor <= lanes:
            by_half(params, src, dst, source, target)
        else:
            by_whole(params, src, dst, source, target)

    return rows_by_table(write_row)
