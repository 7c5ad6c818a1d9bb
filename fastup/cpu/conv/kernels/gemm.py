"""The micro-kernel of convolutions: a few rows of weights times columns of the staged input, in registers.

``z[r, n] = bias[r] + sum_k a[k, r] * x[offset[k] + n]``: a matrix product whose second factor is never built, because
each of its rows is the staged input moved by an offset. The accumulators are SSA values of one loop over k: an array
of accumulators would stay in memory (5 % of the FMA peak against 92 to 98 % on Zen 4). An accumulator runs over at
most `PRODUCTS_AT_ONCE` products: it begins at zero and is added to z at its end, so that a long sum is a sum of short
ones, whose rounding grows with the square root of their number (at 96 no cell of the tests is less exact than torch, at
384 some are 1.6 times). z stays in L1 meanwhile. Where sums are cut follows from the weight alone, never from the
tiles, so that a window of a result has the bits of the whole.

``params``: columns, a multiple of a vector; products k; items from row to row of z; whether z is added to; bytes from
`params` to the int64 offsets and to the biases; products of an accumulator; products at whose multiples one ends in any
case. Then what is needed next: its address, and steps of `FETCHED` bytes that are left of this run; steps, and bytes
beyond them, of every run; runs that are left. It is asked for step by step beside the products,
which leave the way to memory unused: sub-pixel convolutions of large pictures, where copying the input took 14 % of the
time, are 3 to 6 % faster so. How far it has come is noted between the loops; noted within them, it took the ports of
the products (5 % of the time on Emerald Rapids).
"""

from __future__ import annotations

from fastup.cpu.simd import vectors
from fastup.cpu.simd.pointers import as_int64, view
from fastup.runtime.fields import Fields
from fastup.runtime.kernel import inline, intrinsic, kernel, target_has

P = Fields(
    "columns products row_step adds offsets biases at_once run fetch_at fetch_left fetch_steps fetch_skip fetch_runs"
)
FETCHED = 16  # bytes of a step
FLOATS = ("float32", "float64")
ROWS = (1, 2, 3, 4, 6)
PRODUCTS_AT_ONCE = 100  # 11 channels of 3x3 taps: 64 channels are 6 parts


def vector_bytes() -> int:
    """Bytes of a vector register of the target."""
    return 64 if target_has("avx512f") else 32 if target_has("avx") else 16


def accumulators() -> int:
    """Vectors of a tile, which all row counts divide: what 16 or 32 registers hold beside a weight and an input."""
    return 24 if target_has("avx512f") or not target_has("sse3") else 12


def multiplied(builder, cells, input_of, weight_of, sums):
    """The sums of all cells (row, part) with one product more each.

    The shorter side stays in registers while the longer one passes through a single one: 16 hold no more.
    """
    rows, parts = (sorted({cell[side] for cell in cells}) for side in (0, 1))
    old, new = dict(zip(cells, sums, strict=True)), {}
    if len(rows) >= len(parts):
        inputs = [input_of(part) for part in parts]
        for row in rows:
            weight = weight_of(row)
            for part in parts:
                new[row, part] = vectors.fma(builder, weight, inputs[part], old[row, part])
    else:
        weights = [weight_of(row) for row in rows]
        for part in parts:
            value = input_of(part)
            for row in rows:
                new[row, part] = vectors.fma(builder, weights[row], value, old[row, part])
    return [new[cell] for cell in cells]


def _tile(rows, wide):
    """A helper for `rows` rows and one vector, or as many as fit, from column n on: products from `begin` to `end`."""

    @intrinsic
    def tile(_, params, offsets, x, z, a, bias, n, begin, end):
        from llvmlite import ir
        from numba import types

        lanes = vector_bytes() * 8 // x.dtype.bitwidth
        parts = range(accumulators() // rows if wide else 1)
        cells = [(row, part) for row in range(rows) for part in parts]

        def generate(context, builder, signature, arguments):
            params, offsets, x, z, a, bias, n, begin, end = arguments
            long, kind = ir.IntType(64), context.get_value_type(signature.args[2].dtype)

            def number(at):
                return builder.load(builder.gep(params, [long(at)]))

            def vector_at(pointer, index, part):
                return builder.gep(pointer, [builder.add(index, long(part * lanes))])

            def place(row, part):
                return vector_at(z, builder.add(builder.mul(number(P.row_step), long(row)), n), part)

            def splat_of(pointer, index):
                return vectors.splat(builder, builder.load(builder.gep(pointer, [index])), lanes)

            def products(count, running):
                k = builder.add(begin, count)
                column = builder.add(builder.load(builder.gep(offsets, [k])), n)
                first = builder.mul(k, long(rows))

                def input_of(part):
                    return vectors.load(builder, vector_at(x, column, part), kind, lanes)

                def weight_of(row):
                    return splat_of(a, builder.add(first, long(row)))

                *sums, asked = running
                vectors.fetch(builder, builder.inttoptr(asked, ir.IntType(8).as_pointer()), 2)
                return [*multiplied(builder, cells, input_of, weight_of, sums), builder.add(asked, step)]

            step = builder.select(builder.icmp_signed(">", number(P.fetch_runs), long(0)), long(FETCHED), long(0))
            start = [ir.Constant(vectors.vector(kind, lanes), None)] * len(cells) + [number(P.fetch_at)]
            totals = vectors.repeated(builder, builder.sub(end, begin), start, products)
            adds = builder.icmp_signed("!=", builder.or_(number(P.adds), begin), long(0))
            before = vectors.either(
                builder,
                adds,
                lambda: [vectors.load(builder, place(*cell), kind, lanes) for cell in cells],
                lambda: [splat_of(bias, long(row)) for row, _ in cells],
            )
            for cell, total, added in zip(cells, totals, before, strict=False):
                vectors.store(builder, builder.fadd(total, added), place(*cell))
            return context.get_dummy_value()

        return types.void(params, offsets, x, z, a, bias, *(types.intp,) * 3), generate

    return tile


@intrinsic
def lanes_of(_, pointer):
    """Items of one vector: a constant."""
    from numba import types

    def generate(context, _builder, _signature, _arguments):
        return context.get_constant(types.intp, vector_bytes() * 8 // pointer.dtype.bitwidth)

    return types.intp(pointer), generate


@intrinsic
def _tile_vectors(_, rows):
    """Vectors of a wide tile of so many rows."""
    from numba import types

    def generate(context, builder, _signature, arguments):
        return builder.sdiv(context.get_constant(types.intp, accumulators()), arguments[0])

    return types.intp(types.intp), generate


@inline
def accumulator_end(k, products, at_once, run):
    """Where the accumulator that begins with product k ends."""
    return min(products, min(k + at_once, k - k % run + run))


@inline
def asked(params, products):
    """Note how far the next rows have been asked for: on to the next run, where this one has ended."""
    if params[P.fetch_runs] > 0:
        params[P.fetch_at] += products * FETCHED
        params[P.fetch_left] -= products
        if params[P.fetch_left] <= 0:
            params[P.fetch_at] += params[P.fetch_left] * FETCHED + params[P.fetch_skip]
            params[P.fetch_left] = params[P.fetch_steps]
            params[P.fetch_runs] -= 1


@kernel("element", "element", "element", elements=FLOATS, rows=ROWS)
def gemm(rows):
    """So many rows of z."""
    wide, narrow = _tile(rows, True), _tile(rows, False)

    def body(params, x, z, a, start, stop):
        offsets, bias = as_int64(params, params[P.offsets]), view(params, params[P.biases], z)
        lanes = lanes_of(z)
        width = _tile_vectors(rows) * lanes
        columns, products = params[P.columns], params[P.products]
        at_once, run = params[P.at_once], params[P.run]
        whole = columns // width * width
        for n in range(0, whole, width):
            k = 0
            while True:  # once also where there are no products, for the biases
                end = accumulator_end(k, products, at_once, run)
                wide(params, offsets, x, z, a, bias, n, k, end)
                asked(params, end - k)
                k = end
                if k >= products:
                    break
        for n in range(whole, columns, lanes):
            k = 0
            while True:
                end = accumulator_end(k, products, at_once, run)
                narrow(params, offsets, x, z, a, bias, n, k, end)
                asked(params, end - k)
                k = end
                if k >= products:
                    break

    return body


@inline
def product(params, offsets, x, z, a, bias, rows, n):
    """One column of z, as a plain loop: what every tile must equal."""
    for row in range(rows):
        result = z[params[P.row_step] * row + n] if params[P.adds] else bias[row]
        begin = 0
        while begin < params[P.products]:
            end, total = accumulator_end(begin, params[P.products], params[P.at_once], params[P.run]), x[0] - x[0]
            for k in range(begin, end):
                total += a[k * rows + row] * x[offsets[k] + n]
            result += total
            begin = end
        z[params[P.row_step] * row + n] = result
