"""A row of the result woven from one row per phase: the last step of convolutions.

``params``: 0 items of the row; 1 phases; 2 items from one item of the row to the next; from 3 on, where the first item
of each phase lies. Items move as plain bits.
"""

from __future__ import annotations

from fastup.cpu.kernels import vectors
from fastup.cpu.kernels.simd import copy_item
from fastup.runtime.kernel import inline, intrinsic, kernel

OUTPUTS, PHASES, STEP, FIRST = range(4)
FACTORS = (0, 1, 2, 3, 4, 8)
_LANES = 8


def _weave(factor):
    """A helper ``(params, src, dst, k)`` that joins `_LANES` items of each phase; LLVM leaves these to single moves."""

    @intrinsic
    def block(_, params, src, dst, k):
        from llvmlite import ir
        from numba import types

        def generate(context, builder, signature, arguments):
            params, src, dst, k = arguments
            long, kind = ir.IntType(64), context.get_value_type(signature.args[1].dtype)

            def part(phase):
                first = builder.load(builder.gep(params, [long(FIRST + phase)]))
                return vectors.load(builder, builder.gep(src, [builder.add(first, k)]), kind, _LANES)

            joined = vectors.woven(builder, [part(phase) for phase in range(factor)])
            vectors.store(builder, joined, builder.gep(dst, [builder.mul(k, long(factor))]))
            return context.get_dummy_value()

        return types.void(params, src, dst, types.intp), generate

    return block


@kernel("element", "element", elements=("uint16", "uint32", "uint64"), factor=FACTORS)
def join(factor):
    """Rows of `factor` phases one item after the other; 0 stands for any number of phases and any step."""

    @inline
    def singly(params, src, dst, begin):
        phases = params[PHASES]
        for phase in range(phases):
            first = params[FIRST + phase]
            for k in range(begin, (params[OUTPUTS] - phase + phases - 1) // phases):
                copy_item(src, first + k, dst, (k * phases + phase) * params[STEP])

    def any_number(params, src, dst, start, stop):
        singly(params, src, dst, 0)

    def woven(params, src, dst, start, stop):
        whole = params[OUTPUTS] // factor
        for k in range(whole):
            for phase in range(factor):
                dst[k * factor + phase] = src[params[FIRST + phase] + k]
        singly(params, src, dst, whole)

    if factor not in (4, 8):
        return woven if factor else any_number
    block = _weave(factor)

    def in_blocks(params, src, dst, start, stop):
        whole = params[OUTPUTS] // factor // _LANES * _LANES
        for k in range(0, whole, _LANES):
            block(params, src, dst, k)
        singly(params, src, dst, whole)

    return in_blocks
