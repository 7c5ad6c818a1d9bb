"""LLVM IR for vectors of floats, as the intrinsics of the kernels put it together.

Numba has no vector type, so vectors live within one intrinsic. Explicit blocks are for rows whose end LLVM's own
vectorisation leaves to single items: a last block that lies over the one before costs as much as any other.
"""

from __future__ import annotations

from fastup.runtime.kernel import target_has

STREAMED = 64  # bytes of the widest register there is; LLVM splits such vectors where registers are narrower


def vector(kind, lanes):
    """The vector type."""
    from llvmlite import ir

    return ir.VectorType(kind, lanes)


def load(builder, pointer, kind, lanes):
    """A vector from any address."""
    loaded = builder.load(builder.bitcast(pointer, vector(kind, lanes).as_pointer()), typ=vector(kind, lanes))
    loaded.align = 1
    return loaded


def store(builder, value, pointer):
    """A vector to any address."""
    written = builder.store(value, builder.bitcast(pointer, value.type.as_pointer()))
    written.align = 1


def stream(builder, value, pointer):
    """A vector past the caches, to an address that is aligned to `STREAMED` bytes."""
    from llvmlite import ir

    written = builder.store(value, builder.bitcast(pointer, value.type.as_pointer()))
    written.align = STREAMED  # below its alignment LLVM would take an ordinary store without a word
    written.set_metadata("nontemporal", builder.module.add_metadata([ir.Constant(ir.IntType(32), 1)]))


def moved(builder, pointer, number, step):
    """A pointer `number` times so many bytes further."""
    from llvmlite import ir

    if number == 0:
        return pointer
    raw = builder.bitcast(pointer, ir.IntType(8).as_pointer())
    return builder.bitcast(builder.gep(raw, [builder.mul(step, ir.IntType(64)(number))]), pointer.type)


def lane_numbers(numbers):
    """The constant mask of a shuffle."""
    from llvmlite import ir

    return ir.Constant(vector(ir.IntType(32), len(numbers)), list(numbers))


def splat(builder, value, lanes):
    """A vector with the same value in every lane."""
    from llvmlite import ir

    undefined = ir.Constant(vector(value.type, lanes), ir.Undefined)
    first = builder.insert_element(undefined, value, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, undefined, lane_numbers([0] * lanes))


def call(builder, name, result, arguments):
    """One of LLVM's intrinsic functions, or an instruction of the processor that has a name there."""
    from llvmlite import ir
    from numba.core import cgutils

    kind = ir.FunctionType(result, [argument.type for argument in arguments])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), arguments)


def fetch(builder, pointer, level=3):
    """Bring the line at a byte pointer into the caches: 3 for all, 2 but the first; any address may be asked for."""
    from llvmlite import ir

    word = ir.IntType(32)
    call(builder, "llvm.prefetch.p0i8", ir.VoidType(), [pointer, word(0), word(level), word(1)])


def fma(builder, a, b, c):
    """The sum a * b + c in one rounding, or in two where the processor has no such instruction."""
    if not target_has("fma"):
        return builder.fadd(builder.fmul(a, b), c)
    letter = {"float": "f32", "double": "f64"}[str(a.type.element)]
    return call(builder, f"llvm.fma.v{a.type.count}{letter}", a.type, [a, b, c])


def plus(builder, a, b, c):
    """The sum a * b + c with the product rounded before."""
    return builder.fadd(builder.fmul(a, b), c)


def in_order(taps):
    """The taps in the order in which torch's compiled code sums two or four."""
    return [1, 0, *range(2, taps)]


def weighted(builder, taps, value, weight):
    """The sum of ``value(tap) * weight(tap)``."""
    first, *rest = in_order(taps)
    total = builder.fmul(value(first), weight(first))
    for tap in rest:
        total = fma(builder, value(tap), weight(tap), total)
    return total


def woven(builder, streams):
    """Two or four vectors as one, item by item."""
    while len(streams) > 1:
        half = len(streams) // 2
        pairs = []
        for left, right in zip(streams[:half], streams[half:], strict=True):
            lanes = left.type.count
            mask = lane_numbers([place for lane in range(lanes) for place in (lane, lanes + lane)])
            pairs.append(builder.shuffle_vector(left, right, mask))
        streams = pairs
    return streams[0]


def either(builder, condition, one, other):
    """The values that ``one()`` gives, or those that ``other()`` gives: only one of the two is executed."""
    with builder.if_else(condition) as (then, otherwise):
        with then:
            left = one()
            left_block = builder.block
        with otherwise:
            right = other()
            right_block = builder.block
    chosen = []
    for a, b in zip(left, right, strict=True):
        value = builder.phi(a.type)
        value.add_incoming(a, left_block)
        value.add_incoming(b, right_block)
        chosen.append(value)
    return chosen


def repeated(builder, count, begin, step):
    """The values after ``values = step(k, values)`` for k from 0 to `count`: registers, never memory."""
    from llvmlite import ir

    long = ir.IntType(64)
    before, loop, done = builder.block, builder.append_basic_block("k"), builder.append_basic_block("done")
    builder.cbranch(builder.icmp_signed(">", count, long(0)), loop, done)
    builder.position_at_end(loop)
    k = builder.phi(long)
    k.add_incoming(long(0), before)
    running = [builder.phi(value.type) for value in begin]
    after = step(k, running)
    following = builder.add(k, long(1))
    k.add_incoming(following, builder.block)
    for phi, first, value in zip(running, begin, after, strict=True):
        phi.add_incoming(first, before)
        phi.add_incoming(value, builder.block)
    end = builder.block
    builder.cbranch(builder.icmp_signed("<", following, count), loop, done)
    builder.position_at_end(done)
    totals = [builder.phi(value.type) for value in begin]
    for phi, first, value in zip(totals, begin, after, strict=True):
        phi.add_incoming(first, before)
        phi.add_incoming(value, end)
    return totals
