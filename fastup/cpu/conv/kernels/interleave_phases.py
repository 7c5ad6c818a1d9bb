"""Rows of the result woven from one row per phase: the last step of convolutions.

``params``: items of a row; phases; items from one item of a row to the next; rows; channels; items from row to row of
the phases; items from row to row and from channel to channel of the result; whether rows go past the caches, by way of
`line`. Then of each phase where its first item lies, and items from channel to channel of it.
Items move as plain bits.
"""

from __future__ import annotations

from fastup.cpu.simd import vectors
from fastup.cpu.simd.moves import copy_item, flush
from fastup.runtime.fields import Fields
from fastup.runtime.kernel import inline, intrinsic, kernel

P = Fields("outputs phases step rows channels source_row target_row target_channel stream")
PHASE = Fields("first channel")
FACTORS = (0, 1, 2, 3, 4, 8)
_LANES = 8


@inline
def origin(params, phase, channel, row):
    """Where the first item of a row of one phase lies."""
    place = P.size + PHASE.size * phase
    return params[place + PHASE.first] + channel * params[place + PHASE.channel] + row * params[P.source_row]


@inline
def set_phase(params, phase, first, channel):
    """Where the first item of a phase lies, and items from channel to channel of it."""
    place = P.size + PHASE.size * phase
    params[place + PHASE.first], params[place + PHASE.channel] = first, channel


@inline
def singly(params, src, channel, row, begin, dst, target):
    """A row item by item, from each phase's item `begin` on; any number of phases and any step."""
    phases = params[P.phases]
    for phase in range(phases):
        first = origin(params, phase, channel, row)
        for k in range(begin, (params[P.outputs] - phase + phases - 1) // phases):
            copy_item(src, first + k, dst, target + (k * phases + phase) * params[P.step])


def _block(factor):
    """A helper that interleaves `_LANES` items of each phase from item k on; LLVM leaves these to single moves."""

    @intrinsic
    def block(_, params, src, channel, row, k, dst, target):
        from llvmlite import ir
        from numba import types

        def generate(context, builder, signature, arguments):
            params, src, channel, row, k, dst, target = arguments
            kind = context.get_value_type(signature.args[1].dtype)

            def number(place):
                return builder.load(builder.gep(params, [ir.IntType(64)(place)]))

            def part(phase):
                moved = builder.mul(channel, number(P.size + PHASE.size * phase + PHASE.channel))
                moved = builder.add(moved, builder.mul(row, number(P.source_row)))
                first = builder.add(builder.add(number(P.size + PHASE.size * phase + PHASE.first), moved), k)
                return vectors.load(builder, builder.gep(src, [first]), kind, _LANES)

            joined = vectors.woven(builder, [part(phase) for phase in range(factor)])
            place = builder.add(target, builder.mul(k, ir.IntType(64)(factor)))
            vectors.store(builder, joined, builder.gep(dst, [place]))
            return context.get_dummy_value()

        return types.void(params, src, channel, row, k, dst, target), generate

    return block


def _weaver(factor):
    """A helper that writes one row of one channel."""
    if factor == 0:

        @inline
        def any_number(params, src, channel, row, dst, target):
            singly(params, src, channel, row, 0, dst, target)

        return any_number

    if factor in (4, 8):
        block = _block(factor)

        @inline
        def in_blocks(params, src, channel, row, dst, target):
            whole = params[P.outputs] // factor // _LANES * _LANES
            for k in range(0, whole, _LANES):
                block(params, src, channel, row, k, dst, target)
            singly(params, src, channel, row, whole, dst, target)

        return in_blocks

    @inline
    def woven(params, src, channel, row, dst, target):
        whole = params[P.outputs] // factor
        for k in range(whole):
            for phase in range(factor):
                dst[target + k * factor + phase] = src[origin(params, phase, channel, row) + k]
        singly(params, src, channel, row, whole, dst, target)

    return woven


@kernel("element", "element", "element", elements=("uint16", "uint32", "uint64"), factor=FACTORS)
def interleave(factor):
    """Rows of `factor` phases one item after the other; 0 stands for any number of phases and any step."""
    weave = _weaver(factor)

    def body(params, src, dst, line, start, stop):
        for channel in range(params[P.channels]):
            for row in range(params[P.rows]):
                target = channel * params[P.target_channel] + row * params[P.target_row]
                if params[P.stream] != 0:
                    weave(params, src, channel, row, line, 0)
                    flush(line, params[P.outputs], dst, target)
                else:
                    weave(params, src, channel, row, dst, target)

    return body
