"""Rows of pixels turned into rows of channels: the last step of convolutions in lanes whose channels come first.

``params``: pixels; channels, a multiple of a vector; items from channel to channel of the result. Whole vectors
are read and written: both sides have room for the next multiple of pixels.
"""

from __future__ import annotations

from fastup.cpu.conv.kernels import gemm
from fastup.cpu.conv.kernels.gemm import lanes_of
from fastup.cpu.simd import vectors
from fastup.runtime.fields import Fields
from fastup.runtime.kernel import intrinsic, kernel

P = Fields("pixels channels step")


@intrinsic
def _block(_, params, src, p, c, dst):
    """As many pixels of as many channels as a vector has lanes."""
    from llvmlite import ir
    from numba import types

    lanes = gemm.vector_bytes() * 8 // src.dtype.bitwidth
    low = [place for lane in range(lanes // 2) for place in (lane, lanes + lane)]
    high = [place + lanes // 2 for place in low]

    def generate(context, builder, signature, arguments):
        params, src, p, c, dst = arguments
        long, kind = ir.IntType(64), context.get_value_type(signature.args[1].dtype)
        channels, step = (builder.load(builder.gep(params, [long(at)])) for at in (P.channels, P.step))

        def place(first, factor, second, number):
            return builder.add(builder.mul(builder.add(first, long(number)), factor), second)

        lines = [vectors.load(builder, builder.gep(src, [place(p, channels, c, k)]), kind, lanes) for k in range(lanes)]
        for _ in range(lanes.bit_length() - 1):
            pairs = zip(lines[: lanes // 2], lines[lanes // 2 :], strict=True)
            lines = [
                builder.shuffle_vector(*pair, vectors.lane_numbers(mask)) for pair in pairs for mask in (low, high)
            ]
        for k, line in enumerate(lines):
            vectors.store(builder, line, builder.gep(dst, [place(c, step, p, k)]))
        return context.get_dummy_value()

    return types.void(params, src, *(types.intp,) * 2, dst), generate


@kernel("element", "element", elements=gemm.FLOATS)
def transpose():
    """All pixels of all channels."""

    def body(params, src, dst, start, stop):
        lanes = lanes_of(src)
        for c in range(0, params[P.channels], lanes):
            for p in range(0, params[P.pixels], lanes):
                _block(params, src, p, c, dst)

    return body
