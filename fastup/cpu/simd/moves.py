"""Vector operations that plain loops do not reach, each a helper that emits a few lines of LLVM IR.

The IR is portable: LLVM lowers wide loads and constant shuffles for any processor. Vectors live only inside one helper;
Numba has no vector type, and needs none here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from fastup.cpu.simd import vectors
from fastup.runtime.kernel import inline, intrinsic

VECTOR_BYTES = vectors.STREAMED
ROW_BYTES = 32 * 2**10  # a row that is streamed is first written here: within L1, beside what it is made from


class Step(NamedTuple):
    """One store of a `move`: items `mask` of the vector loaded at `shift`, stored at outer and inner multiples."""

    shift: int
    mask: tuple[int, ...]
    outer: int
    inner: int


def bits(element, count):
    """LLVM's type for `count` items of a Numba element type, seen as plain bits."""
    from llvmlite import ir

    return ir.VectorType(ir.IntType(element.bitwidth), count)


def splats(parts):
    """A helper ``(src, source, dst, target)`` that stores an item as often as a `parts`-th of a vector holds it."""

    @intrinsic
    def splat(_, src, source, dst, target):
        from llvmlite import ir
        from numba import types

        size = src.dtype.bitwidth

        def generate(context, builder, _signature, arguments):
            source, target = builder.gep(arguments[0], [arguments[1]]), builder.gep(arguments[2], [arguments[3]])
            item = builder.load(builder.bitcast(source, ir.IntType(size).as_pointer()))
            vectors.store(builder, vectors.splat(builder, item, VECTOR_BYTES * 8 // size // parts), target)
            return context.get_dummy_value()

        return types.void(src, types.intp, dst, types.intp), generate

    return splat


@intrinsic
def lane_count(_, pointer):
    """How many items of a buffer's type one vector holds: a constant."""
    from numba import types

    def generate(context, _builder, _signature, _arguments):
        return context.get_constant(types.intp, VECTOR_BYTES * 8 // pointer.dtype.bitwidth)

    return types.intp(pointer), generate


def move(span: Callable[[int], int], steps: Callable[[int], list[Step]], stream: bool = False):
    """A helper ``(src, source, dst, target, outer, inner)`` that moves one block by constant shuffles.

    `span` and `steps` are functions of the number of lanes: how many items each step loads, and the steps. With
    `stream` the stores, which must then be whole aligned vectors, go past the caches.
    """

    @intrinsic
    def block(_, src, source, dst, target, outer, inner):
        from llvmlite import ir
        from numba import types

        count = VECTOR_BYTES * 8 // src.dtype.bitwidth
        store = vectors.stream if stream else vectors.store

        def generate(context, builder, _signature, arguments):
            origin, source, destination, target, outer, inner = arguments
            kind = bits(src.dtype, span(count))
            for step in steps(count):
                index = builder.add(source, context.get_constant(types.intp, step.shift))
                loaded = vectors.load(builder, builder.gep(origin, [index]), kind.element, kind.count)
                mask = ir.Constant(ir.VectorType(ir.IntType(32), len(step.mask)), list(step.mask))
                chosen = builder.shuffle_vector(loaded, ir.Constant(kind, ir.Undefined), mask)
                for apart, times in ((outer, step.outer), (inner, step.inner)):
                    target = builder.add(target, builder.mul(apart, context.get_constant(types.intp, times)))
                store(builder, chosen, builder.gep(destination, [target]))
                target = arguments[3]
            return context.get_dummy_value()

        return types.void(src, types.intp, dst, types.intp, types.intp, types.intp), generate

    return block


@intrinsic
def copy_item(_, src, source, dst, target):
    """Copy one item in a way that LLVM does not vectorise: relaxed atomics cost nothing more than plain moves.

    It would make gathers and scatters of a copy with run-time strides: 3 to 8 times slower than single moves on Zen.
    """
    from numba import types

    def generate(context, builder, _signature, arguments):
        origin, source, destination, target = arguments
        size = src.dtype.bitwidth // 8
        item = builder.load_atomic(builder.gep(origin, [source]), "monotonic", size)
        builder.store_atomic(item, builder.gep(destination, [target]), "monotonic", size)
        return context.get_dummy_value()

    return types.void(src, types.intp, dst, types.intp), generate


def copy_bytes(count):
    """A helper ``(src, source, dst, target)`` that moves so many bytes as one vector."""

    @intrinsic
    def copy(_, src, source, dst, target):
        from llvmlite import ir
        from numba import types

        def generate(context, builder, _signature, arguments):
            origin, source, destination, target = arguments
            moved = vectors.load(builder, builder.gep(origin, [source]), ir.IntType(8), count)
            vectors.store(builder, moved, builder.gep(destination, [target]))
            return context.get_dummy_value()

        return types.void(src, types.intp, dst, types.intp), generate

    return copy


def copy_items(count):
    """A helper ``(src, source, dst, target)`` that moves so many items as one vector."""

    @intrinsic
    def copy(_, src, source, dst, target):
        from numba import types

        def generate(context, builder, _signature, arguments):
            origin, source, destination, target = arguments
            kind = bits(src.dtype, count)
            moved = vectors.load(builder, builder.gep(origin, [source]), kind.element, count)
            vectors.store(builder, moved, builder.gep(destination, [target]))
            return context.get_dummy_value()

        return types.void(src, types.intp, dst, types.intp), generate

    return copy


@intrinsic
def load_item(_, src, source):
    """One item, read in a way that LLVM makes no gathers of."""
    from numba import types

    def generate(_context, builder, _signature, arguments):
        return builder.load_atomic(builder.gep(arguments[0], [arguments[1]]), "monotonic", src.dtype.bitwidth // 8)

    return src.dtype(src, types.intp), generate


@intrinsic
def clear(_, pointer, begin, end):
    """Zero the items from `begin` to before `end`."""
    from numba import types
    from numba.core import cgutils

    def generate(context, builder, signature, arguments):
        zero = context.get_constant_null(signature.args[0].dtype)
        first, count = arguments[1], builder.sub(arguments[2], arguments[1])
        with cgutils.for_range(builder, count) as loop:
            builder.store(zero, builder.gep(arguments[0], [builder.add(first, loop.index)]))
        return context.get_dummy_value()

    return types.void(pointer, types.intp, types.intp), generate


@intrinsic
def row_buffer(_, like):
    """Memory on the stack for one row of `ROW_BYTES`, typed like a buffer."""
    from llvmlite import ir

    def generate(context, builder, _signature, _arguments):
        with builder.goto_entry_block():
            memory = builder.alloca(ir.IntType(8), size=ir.Constant(ir.IntType(64), ROW_BYTES))
            memory.align = VECTOR_BYTES
        return builder.bitcast(memory, context.get_value_type(like))

    return like(like), generate


@intrinsic
def stream_vector(_, src, source, dst, target):
    """Copy one vector past the caches, to an address that is aligned to a vector."""
    from numba import types

    def generate(context, builder, _signature, arguments):
        kind = bits(src.dtype, VECTOR_BYTES * 8 // src.dtype.bitwidth)
        origin, source, destination, target = arguments
        loaded = vectors.load(builder, builder.gep(origin, [source]), kind.element, kind.count)
        vectors.stream(builder, loaded, builder.gep(destination, [target]))
        return context.get_dummy_value()

    return types.void(src, types.intp, dst, types.intp), generate


@intrinsic
def publish(_):
    """Make streamed stores visible to other cores before anything that follows."""
    from llvmlite import ir
    from numba import types

    def generate(context, builder, _signature, _arguments):
        if "x86" in builder.module.triple:
            name = "llvm.x86.sse.sfence"
            kind = ir.FunctionType(ir.VoidType(), [])
            builder.call(builder.module.globals.get(name) or ir.Function(builder.module, kind, name), [])
        return context.get_dummy_value()

    return types.void(), generate


@intrinsic
def items_to_alignment(_, pointer, index):
    """How many items lie before the next address that a vector is aligned to; very many if none ever is."""
    from llvmlite import ir
    from numba import types

    def generate(_context, builder, _signature, arguments):
        address = builder.ptrtoint(builder.gep(arguments[0], [arguments[1]]), ir.IntType(64))
        mask = ir.Constant(ir.IntType(64), VECTOR_BYTES - 1)
        bytes_before = builder.and_(builder.neg(address), mask)
        item = ir.Constant(ir.IntType(64), size)
        rest = builder.urem(bytes_before, item)  # not 0 where short runs are copied as wider items
        never = ir.Constant(ir.IntType(64), 2**62)
        whole = builder.icmp_unsigned("==", rest, ir.Constant(ir.IntType(64), 0))
        return builder.select(whole, builder.udiv(bytes_before, item), never)

    size = pointer.dtype.bitwidth // 8
    return types.intp(pointer, types.intp), generate


@inline
def flush(line, length, dst, target):
    """Write a row from its buffer past the caches, with ordinary stores up to the first aligned address and at the end.

    A target beyond the last cache is written 1.2 to 1.3 times faster so (no line is read before it is overwritten); one
    that stays in a cache, 2.5 times slower. The kernel calls `publish` once, at its end: a fence per row costs more
    than streaming gains.
    """
    lanes = lane_count(line)
    head = min(length, items_to_alignment(dst, target))
    body = head + (length - head) // lanes * lanes
    for k in range(head):
        dst[target + k] = line[k]
    for k in range(head, body, lanes):
        stream_vector(line, k, dst, target + k)
    for k in range(body, length):
        dst[target + k] = line[k]


@intrinsic
def fetch(_, pointer, distance):
    """Bring the line that lies `distance` bytes further into the caches; any address may be asked for."""
    from llvmlite import ir
    from numba import types

    def generate(context, builder, _signature, arguments):
        place = builder.bitcast(arguments[0], ir.IntType(8).as_pointer())
        vectors.fetch(builder, builder.gep(place, [arguments[1]]))
        return context.get_dummy_value()

    return types.void(pointer, types.intp), generate
