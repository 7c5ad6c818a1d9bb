"""Colours times their alpha, and back, in the integers of Pillow: ``floor(c * a / 255 + 1/2)``, ``floor(255 * c / a)``.

``params``: pixels, and items of each, of which the last one is alpha.
"""

from __future__ import annotations

import numpy as np

from fastup.cpu.simd import byte_lanes, vectors
from fastup.runtime.fields import Fields
from fastup.runtime.kernel import inline, intrinsic, kernel

P = Fields("total items")


@inline
def multiplied(colour, alpha):
    """The quotient by 255 as Pillow has it; it is right for all bytes."""
    product = np.uint32(colour) * np.uint32(alpha) + np.uint32(128)
    return np.uint8(((product >> np.uint32(8)) + product) >> np.uint32(8))


@inline
def divided(colour, alpha):
    """A quotient below 256 is off by less than half a step of it in float32; larger ones are cut off."""
    quotient = (np.float32(255) * np.float32(colour) + np.float32(0.5)) / np.float32(max(alpha, np.uint8(1)))
    whole = np.uint8(np.int32(min(quotient, np.float32(255))))
    return colour if alpha == 0 or alpha == 255 else whole


_CHANNELS, _PIXELS = 4, 4  # of a vector: three colours and alpha, which LLVM does not find by itself


def _vector(divides):
    """A helper ``(src, dst, begin)`` for sixteen bytes of pixels with four channels."""

    @intrinsic
    def four_pixels(_, src, dst, begin):
        from llvmlite import ir
        from numba import types

        def generate(context, builder, _signature, arguments):
            src, dst, begin = arguments
            byte, _, word, _ = byte_lanes.integers()
            lanes = _CHANNELS * _PIXELS
            wide = vectors.vector(word, lanes)

            def all_lanes(value, kind=wide):
                return ir.Constant(kind, [value] * lanes)

            read = vectors.load(builder, builder.gep(src, [begin]), byte, lanes)
            colours = builder.zext(read, wide)
            own = [lane // _CHANNELS * _CHANNELS + _CHANNELS - 1 for lane in range(lanes)]
            alpha = builder.shuffle_vector(colours, colours, vectors.lane_numbers(own))
            if divides:
                made = _quotients(builder, colours, alpha, all_lanes)
            else:
                product = builder.add(builder.mul(colours, alpha), all_lanes(128))
                carried = builder.add(builder.lshr(product, all_lanes(8)), product)
                made = builder.lshr(carried, all_lanes(8))
            is_alpha = ir.Constant(vectors.vector(ir.IntType(1), lanes), [lane in own for lane in range(lanes)])
            made = builder.select(is_alpha, alpha, made)
            vectors.store(builder, builder.trunc(made, vectors.vector(byte, lanes)), builder.gep(dst, [begin]))
            return context.get_dummy_value()

        return types.void(src, dst, types.intp), generate

    return four_pixels


def _quotients(builder, colours, alpha, all_lanes):
    """Colours divided by alpha, as `divided` has them."""
    from llvmlite import ir

    floats = vectors.vector(ir.FloatType(), colours.type.count)

    def number(value):
        return builder.uitofp(value, floats)

    scaled = builder.fadd(builder.fmul(number(colours), all_lanes(255.0, floats)), all_lanes(0.5, floats))
    at_least_one = builder.select(builder.icmp_unsigned("==", alpha, all_lanes(0)), all_lanes(1), alpha)
    quotient = builder.fdiv(scaled, number(at_least_one))
    top = all_lanes(255.0, floats)
    quotient = builder.fptosi(builder.select(builder.fcmp_ordered(">", quotient, top), top, quotient), colours.type)
    absent, whole = (builder.icmp_unsigned("==", alpha, all_lanes(bound)) for bound in (0, 255))
    return builder.select(builder.or_(absent, whole), colours, quotient)


def _of(change, divides):
    four_pixels = _vector(divides)

    def body(params, src, dst, start, stop):
        items, first = params[P.items], start
        if items == _CHANNELS:
            first = start + (stop - start) // _PIXELS * _PIXELS
            for pixel in range(start, first, _PIXELS):
                four_pixels(src, dst, pixel * items)
        for pixel in range(first, stop):
            begin = pixel * items
            alpha = src[begin + items - 1]
            for item in range(items - 1):
                dst[begin + item] = change(src[begin + item], alpha)
            dst[begin + items - 1] = alpha

    return body


@kernel("uint8", "uint8", elements=("uint8",))
def multiply_alpha():
    """Colours times alpha."""
    return _of(multiplied, False)


@kernel("uint8", "uint8", elements=("uint8",))
def divide_alpha():
    """Colours divided by alpha."""
    return _of(divided, True)
