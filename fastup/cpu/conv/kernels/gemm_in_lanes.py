"""The micro-kernel with output channels in lanes: a few pixels times the weights of many output channels, in registers.

``z[p, c] = bias[c] + sum_k x[offset[k] + p * step] * w[k, c]``: vectors run along output channels, so that weights are
loaded at whole cache lines, where `gemm` loads rows of pixels across them: 0.90 of the FMA peak against 0.82 on Emerald
Rapids. Sums are made in the same order, and cut at the same places, as in `gemm`: both give the same bits. Pixels that
do not fill a tile go through smaller ones.

``params``: pixels; products k; items from pixel to pixel of x and of z; bytes from `params` to the int64 offsets and to
the biases; the products of an accumulator, as in `gemm`.
"""

from __future__ import annotations

from fastup.cpu.conv.kernels import gemm
from fastup.cpu.conv.kernels.gemm import accumulator_end
from fastup.cpu.simd import vectors
from fastup.cpu.simd.pointers import as_int64, view
from fastup.runtime.fields import Fields
from fastup.runtime.kernel import inline, intrinsic, kernel

P = Fields("pixels products step z_step offsets biases at_once run")
VECTORS = (1, 2, 3, 4)
_TILES = 4  # that share an accumulator's part of the weights while it is in L1: 4 % on 64 channels
_MOST = 8  # pixels of a tile; LLVM loads those of larger ones all at once, and spills (12: half the speed)
_SMALLER = (4, 2, 1)  # pixels of the tiles for what is left


def pixels(vectors: int) -> int:
    """Pixels of the largest tile of so many vectors."""
    return min(_MOST, gemm.accumulators() // vectors)


def _tile(pixels, parts):
    """A helper for so many pixels from pixel p on, and so many vectors: products from `begin` to `end`."""

    @intrinsic
    def tile(_, params, offsets, x, z, w, bias, p, begin, end):
        from llvmlite import ir
        from numba import types

        lanes = gemm.vector_bytes() * 8 // x.dtype.bitwidth
        cells = [(pixel, part) for pixel in range(pixels) for part in range(parts)]

        def generate(context, builder, signature, arguments):
            params, offsets, x, z, w, bias, p, begin, end = arguments
            long, kind = ir.IntType(64), context.get_value_type(signature.args[2].dtype)
            step, z_step = (builder.load(builder.gep(params, [long(at)])) for at in (P.step, P.z_step))
            first, z_first = builder.mul(p, step), builder.mul(p, z_step)

            def place(pixel, part):
                moved = builder.add(z_first, builder.mul(z_step, long(pixel)))
                return builder.gep(z, [builder.add(moved, long(part * lanes))])

            def old():
                return [vectors.load(builder, place(*cell), kind, lanes) for cell in cells]

            def biases():
                loaded = [
                    vectors.load(builder, builder.gep(bias, [long(k * lanes)]), kind, lanes) for k in range(parts)
                ]
                return [loaded[part] for _, part in cells]

            def products(count, running):
                k = builder.add(begin, count)
                origin = builder.add(builder.load(builder.gep(offsets, [k])), first)
                weights = builder.gep(w, [builder.mul(k, long(parts * lanes))])

                def weight_of(part):
                    return vectors.load(builder, builder.gep(weights, [long(part * lanes)]), kind, lanes)

                def input_of(pixel):
                    item = builder.gep(x, [builder.add(origin, builder.mul(step, long(pixel)))])
                    return vectors.splat(builder, builder.load(item), lanes)

                return gemm.multiplied(builder, cells, weight_of, input_of, running)

            start = [ir.Constant(vectors.vector(kind, lanes), None)] * len(cells)
            totals = vectors.repeated(builder, builder.sub(end, begin), start, products)
            before = vectors.either(builder, builder.icmp_signed("!=", begin, long(0)), old, biases)
            for cell, total, added in zip(cells, totals, before, strict=True):
                vectors.store(builder, builder.fadd(total, added), place(*cell))
            return context.get_dummy_value()

        return types.void(params, offsets, x, z, w, bias, *(types.intp,) * 3), generate

    return tile


def _tiles(pixels, vectors):
    """A helper for all pixels from `first` on that tiles of so many fill; it gives the first one that is left."""
    tile = _tile(pixels, vectors)

    @inline
    def tiles(params, offsets, x, z, w, bias, first):
        products, at_once, run = params[P.products], params[P.at_once], params[P.run]
        end = first + (params[P.pixels] - first) // pixels * pixels
        for block in range(first, end, _TILES * pixels):
            k = 0
            while True:  # once also where there are no products, for the biases
                stop = accumulator_end(k, products, at_once, run)
                for p in range(block, min(block + _TILES * pixels, end), pixels):
                    tile(params, offsets, x, z, w, bias, p, k, stop)
                k = stop
                if k >= products:
                    break
        return end

    return tiles


@kernel("element", "element", "element", elements=gemm.FLOATS, vectors=VECTORS)
def gemm_in_lanes(vectors):
    """So many vectors of output channels."""
    largest, fours, twos, ones = (_tiles(count, vectors) for count in (pixels(vectors), *_SMALLER))

    def body(params, x, z, w, start, stop):
        offsets, bias = as_int64(params, params[P.offsets]), view(params, params[P.biases], z)
        p = largest(params, offsets, x, z, w, bias, 0)
        p = fours(params, offsets, x, z, w, bias, p)
        p = twos(params, offsets, x, z, w, bias, p)
        ones(params, offsets, x, z, w, bias, p)

    return body


@inline
def product(params, offsets, x, z, w, bias, channels, p):
    """One pixel of z, as a plain loop: what every tile must equal."""
    for channel in range(channels):
        result = bias[channel]
        begin = 0
        while begin < params[P.products]:
            end, total = accumulator_end(begin, params[P.products], params[P.at_once], params[P.run]), x[0] - x[0]
            for k in range(begin, end):
                total += x[offsets[k] + p * params[P.step]] * w[k * channels + channel]
            result += total
            begin = end
        z[params[P.z_step] * p + channel] = result
