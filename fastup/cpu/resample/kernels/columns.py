"""A stage for long filters: rows are turned into columns, whose sums need no neighbours.

As many rows as a vector has lanes are transposed, a tile at a time. The sum of an output item is then, for all rows at
once, a loop of loads, weights and multiply-adds in the order of `blend`; the tile's results are transposed back. Any
ratio and any number of taps cost the same per tap, where permutations reach two vectors.
"""

from __future__ import annotations

from fastup.cpu.resample.kernels.horizontal import ROWS, P
from fastup.cpu.resample.kernels.permute import block_bytes, lanes
from fastup.cpu.resample.kernels.vertical import FLOATS
from fastup.cpu.simd.pointers import as_int64, at, view
from fastup.cpu.simd.vectors import fma, lane_numbers, load, moved, repeated, splat, store
from fastup.runtime.fields import Fields
from fastup.runtime.kernel import inline, intrinsic, kernel

TILE = Fields("begin end first items")  # output pixels, from and to; items of the row that they read
MOST_READ, MOST_MADE = 768, 256  # items of a tile


def scratch_bytes() -> int:
    """Bytes of a tile and of its results, in columns."""
    return (MOST_READ + MOST_MADE) * block_bytes()


def transposed(builder, rows):
    """Vectors of as many lanes as there are, lane k of each as vector k."""
    count = len(rows)
    for _ in range(count.bit_length() - 1):
        made = []
        for upper, lower in zip(rows[: count // 2], rows[count // 2 :], strict=True):
            for begin in (0, count // 2):
                mask = [place for lane in range(begin, begin + count // 2) for place in (lane, count + lane)]
                made.append(builder.shuffle_vector(upper, lower, lane_numbers(mask)))
        rows = made
    return rows


@intrinsic
def _to_columns(_, line, line_step, count, index, columns, place):
    """A square of items, from `index` on, of `count` rows; where there are fewer than lanes, the last one again."""
    from llvmlite import ir
    from numba import types

    def generate(context, builder, _signature, arguments):
        line, line_step, count, index, columns, place = arguments
        size, long = lanes(str(element)), ir.IntType(64)
        last, rows = builder.sub(count, long(1)), []
        for lane in range(size):
            number = builder.select(builder.icmp_signed("<", long(lane), last), long(lane), last)
            begin = moved(builder, line, 1, builder.mul(number, line_step))
            rows.append(load(builder, builder.gep(begin, [index]), context.get_value_type(element), size))
        for lane, column in enumerate(transposed(builder, rows)):
            store(builder, column, builder.gep(columns, [builder.add(place, long(lane * size))]))
        return context.get_dummy_value()

    element, n = line.dtype, types.intp
    return types.void(line, n, n, n, columns, n), generate


@intrinsic
def _to_rows(_, columns, place, dst, target_step, count, index):
    """A square of results, back into `count` rows."""
    from llvmlite import ir
    from numba import types

    def generate(context, builder, _signature, arguments):
        columns, place, dst, target_step, count, index = arguments
        size, long, kind = lanes(str(element)), ir.IntType(64), context.get_value_type(element)
        places = [builder.add(place, long(lane * size)) for lane in range(size)]
        rows = transposed(builder, [load(builder, builder.gep(columns, [one]), kind, size) for one in places])
        for lane, row in enumerate(rows):
            with builder.if_then(builder.icmp_signed("<", long(lane), count)):
                store(builder, row, builder.gep(moved(builder, dst, lane, target_step), [index]))
        return context.get_dummy_value()

    element, n = dst.dtype, types.intp
    return types.void(columns, n, dst, n, n, n), generate


@intrinsic
def _column_sum(_, columns, place, apart, weights, first, taps, made, target):
    """One output item of all rows; a weight of 0 stands for a tap that is not read."""
    from llvmlite import ir
    from numba import types

    def generate(context, builder, _signature, arguments):
        columns, place, apart, weights, first, taps, made, target = arguments
        size, long, kind = lanes(str(element)), ir.IntType(64), context.get_value_type(element)

        def value(tap):
            distance = builder.add(place, builder.mul(tap, apart))
            return load(builder, builder.gep(columns, [distance]), kind, size)

        def weight(tap):
            return builder.load(builder.gep(weights, [builder.add(first, tap)]))

        def step(number, sums):
            tap = builder.add(number, long(1))
            by, (total,) = weight(tap), sums
            added = fma(builder, value(tap), splat(builder, by, size), total)
            return [builder.select(builder.fcmp_unordered("une", by, ir.Constant(kind, 0.0)), added, total)]

        begin = builder.fmul(value(long(0)), splat(builder, weight(long(0)), size))
        (total,) = repeated(builder, builder.sub(taps, long(1)), [begin], step)
        store(builder, total, builder.gep(made, [target]))
        return context.get_dummy_value()

    element, n = columns.dtype, types.intp
    return types.void(columns, n, n, weights, n, n, made, n), generate


@inline
def _square_by_square(begin, total, size):
    """Where the square lies that begins with this item: the last one lies over the one before."""
    return min(begin, total - size)


def _of(element):
    size = lanes(element)
    head = MOST_READ * block_bytes()

    @inline
    def make_tile(params, line, line_step, dst, target_step, count, tile, table, columns):
        first, weights = as_int64(table, params[P.first]), view(table, params[P.weights], dst)
        items, taps, made = params[P.items], params[P.taps], at(columns, head)
        for k in range(0, tile[TILE.items], size):
            item = _square_by_square(k, tile[TILE.items], size)
            _to_columns(line, line_step, count, tile[TILE.first] + item, columns, item * size)
        for pixel in range(tile[TILE.begin], tile[TILE.end]):
            place = (first[pixel] * items - tile[TILE.first]) * size
            target = (pixel - tile[TILE.begin]) * items * size
            for item in range(items):
                at_item = item * size
                _column_sum(columns, place + at_item, items * size, weights, pixel * taps, taps, made, target + at_item)
        total = (tile[TILE.end] - tile[TILE.begin]) * items
        for k in range(0, total, size):
            item = _square_by_square(k, total, size)
            _to_rows(made, item * size, dst, target_step, count, tile[TILE.begin] * items + item)

    def body(params, line, dst, table, rows, start, stop):
        tiles, columns = as_int64(table, params[P.places]), view(rows, rows[ROWS.scratch], line)
        line_step, target_step = rows[ROWS.line_step], rows[ROWS.target_step]
        for begin in range(0, rows[ROWS.count], size):
            count = min(size, rows[ROWS.count] - begin)
            source, target = at(line, begin * line_step), at(dst, begin * target_step)
            for number in range(params[P.whole]):
                tile = at(tiles, number * TILE.bytes)
                make_tile(params, source, line_step, target, target_step, count, tile, table, columns)

    return body


@kernel("element", "element", "uint8", "int64", elements=FLOATS[:1])
def by_columns():
    """Rows of float32."""
    return _of("float32")


@kernel("element", "element", "uint8", "int64", elements=FLOATS[1:])
def by_columns_of_doubles():
    """Rows of float64."""
    return _of("float64")
