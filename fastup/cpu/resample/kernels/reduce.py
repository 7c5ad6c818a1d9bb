"""Stages that compare upsampled logits: with the best class so far, or with a threshold.

``params`` of the reductions: items, and the number of the class. The first buffer holds the values of this class, the
second the best so far, the third their classes, the fourth the sums of `softmax`. The first of equal classes stands,
and NaN counts as the largest number, as in torch's argmax.
"""

from __future__ import annotations

import numpy as np

from fastup.cpu.simd import exponential, vectors
from fastup.runtime.fields import Fields
from fastup.runtime.kernel import inline, intrinsic, kernel

P = Fields("items number")
LANES = 8  # items of a vector; rows of a block of the result are padded to whole ones
ELEMENTS = ("float32", "float64", "uint8")


@inline
def is_better(value, best):
    """Whether a value takes the place of the best: greater, or the first NaN."""
    return (value > best) | ((value != value) & (best == best))


@intrinsic
def _better(_, line, best, labels, number, k):
    """Keep the larger of `LANES` values from item `k` on, and its class.

    A store of either a value or what was there becomes a masked one in LLVM, which takes 20 cycles on AMD's processors
    (0.7 ns an item); hence maxima and sums of bits in place of choices. Of vectors wider than a register it packs and
    unpacks the masks.
    """
    from llvmlite import ir
    from numba import types

    def generate(context, builder, _signature, arguments):
        *pointers, number, k = arguments
        kind = pointers[0].type.pointee
        places = [builder.gep(pointer, [k]) for pointer in pointers]
        values = [vectors.load(builder, place, place.type.pointee, LANES) for place in places]
        value, before, label = values
        if isinstance(kind, ir.IntType):
            better = builder.icmp_unsigned(">", value, before)
            largest = builder.select(better, value, before)
        else:
            greater = builder.fcmp_ordered(">", value, before)
            one, other = builder.fcmp_unordered("uno", value, value), builder.fcmp_ordered("ord", before, before)
            is_first_nan = builder.and_(one, other)
            better = builder.or_(greater, is_first_nan)
            words = ir.VectorType(ir.IntType({"float": 32, "double": 64}[str(kind)]), LANES)
            nan = builder.and_(builder.sext(is_first_nan, words), builder.bitcast(value, words))
            kept = builder.bitcast(builder.select(greater, value, before), words)
            largest = builder.bitcast(builder.or_(kept, nan), value.type)
        # Numbers of classes grow, so the larger one is the label.
        numbers = builder.and_(builder.sext(better, label.type), vectors.splat(builder, number, LANES))
        vectors.store(builder, largest, places[1])
        vectors.store(builder, builder.select(builder.icmp_signed(">", numbers, label), numbers, label), places[2])
        return context.get_dummy_value()

    return types.void(line, best, labels, types.int32, types.intp), generate


@inline
def first_class(params, line, best, labels):
    """Every value is the best so far."""
    for k in range(params[P.items]):
        best[k] = line[k]
        labels[k] = 0


@inline
def next_class(params, line, best, labels):
    """Keep the larger values, and their class; blocks of the last items may reach beyond them."""
    number = np.int32(params[P.number])
    for k in range(0, params[P.items], LANES):
        _better(line, best, labels, number, k)


@kernel("element", "element", "int32", elements=ELEMENTS)
def argmax():
    """Keep the larger value, and its class."""

    def body(params, line, best, labels, start, stop):
        if params[P.number] == 0:
            first_class(params, line, best, labels)
        else:
            next_class(params, line, best, labels)

    return body


def _softmax(decay, one):
    def body(params, line, best, labels, sums, start, stop):
        if params[P.number] == 0:
            first_class(params, line, best, labels)
            for k in range(params[P.items]):
                sums[k] = one
            return
        for k in range(params[P.items]):
            value, before, total = line[k], best[k], sums[k]
            share = decay(abs(value - before))
            share = one if value == before else share  # equal infinities too
            raised, added = total * share + one, total + share
            sums[k] = raised if is_better(value, before) else added
        next_class(params, line, best, labels)

    return body


@kernel("float32", "float32", "int32", "float32", elements=("float32",))
def softmax_float():
    """The same, and the sum of the classes' exponentials, each by that of the largest."""
    return _softmax(exponential.OF_FLOAT.decay, np.float32(1))


@kernel("float64", "float64", "int32", "float64", elements=("float64",))
def softmax_double():
    """The same in float64."""
    return _softmax(exponential.OF_DOUBLE.decay, np.float64(1))


@kernel("element", "element", "element", elements=("float32", "float64"))
def confidence():
    """The share of the largest exponential in the sum, over the sums; NaN where the largest is infinite."""

    def body(params, best, sums, dst, start, stop):
        for k in range(params[P.items]):
            dst[k] = (best[k] - best[k]) + 1 / sums[k]

    return body


@kernel("element", "element", "uint8", elements=("float32", "float64"))
def exceeds():
    """Whether values exceed the number in the second buffer."""

    def body(params, line, threshold, dst, start, stop):
        limit = threshold[0]
        for k in range(params[P.items]):
            dst[k] = 1 if line[k] > limit else 0

    return body


@kernel("uint8", "int32", "uint8", elements=("uint8",))
def exceeds_byte():
    """The same for bytes; the number may lie beyond them."""

    def body(params, line, threshold, dst, start, stop):
        limit = threshold[0]
        for k in range(params[P.items]):
            dst[k] = 1 if np.int32(line[k]) > limit else 0

    return body
