"""Vector operations that plain loops do not reach, each a helper that emits a few lines of LLVM IR.

The IR is portable: LLVM lowers wide loads and constant shuffles for any processor. Vectors live only inside one helper;
Numba has no vector type, and needs none here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from fastup.runtime.kernel import intrinsic

VECTOR_BYTES = 64  # the widest register there is; LLVM splits it where registers are narrower


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


@intrinsic
def lane_count(_, pointer):
    """How many items of a buffer's type one vector holds: a constant."""
    from numba import types

    def generate(context, _builder, _signature, _arguments):
        return context.get_constant(types.intp, VECTOR_BYTES * 8 // pointer.dtype.bitwidth)

    return types.intp(pointer), generate


def move(span: Callable[[int], int], steps: Callable[[int], list[Step]]):
    """A helper ``(src, source, dst, target, outer, inner)`` that moves one block by constant shuffles.

    `span` and `steps` are functions of the number of lanes: how many items each step loads, and the steps.
    """

    @intrinsic
    def block(_, src, source, dst, target, outer, inner):
        from llvmlite import ir
        from numba import types

        count = VECTOR_BYTES * 8 // src.dtype.bitwidth

        def generate(context, builder, _signature, arguments):
            origin, source, destination, target, outer, inner = arguments
            kind = bits(src.dtype, span(count))
            for step in steps(count):
                index = builder.add(source, context.get_constant(types.intp, step.shift))
                loaded = builder.load(_at(builder, origin, index, kind), typ=kind)
                mask = ir.Constant(ir.VectorType(ir.IntType(32), len(step.mask)), list(step.mask))
                chosen = builder.shuffle_vector(loaded, ir.Constant(kind, ir.Undefined), mask)
                for apart, times in ((outer, step.outer), (inner, step.inner)):
                    target = builder.add(target, builder.mul(apart, context.get_constant(types.intp, times)))
                store = builder.store(chosen, _at(builder, destination, target, chosen.type))
                loaded.align = store.align = src.dtype.bitwidth // 8  # the default, 64, would fault on unaligned rows
                target = arguments[3]
            return context.get_dummy_value()

        return types.void(src, types.intp, dst, types.intp, types.intp, types.intp), generate

    return block


def _at(builder, pointer, index, kind):
    from llvmlite import ir

    return builder.bitcast(builder.gep(pointer, [index]), ir.PointerType(kind))


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


@intrinsic
def store_stream(_, dst, target):
    """Fill one aligned vector of the target past the caches; below its alignment LLVM would use an ordinary store."""
    from llvmlite import ir
    from numba import types

    def generate(context, builder, _signature, arguments):
        count = VECTOR_BYTES * 8 // dst.dtype.bitwidth
        kind = bits(dst.dtype, count)
        store = builder.store(ir.Constant(kind, [1] * count), _at(builder, *arguments, kind))
        store.align = VECTOR_BYTES
        one = ir.Constant(ir.IntType(32), 1)
        store.set_metadata("nontemporal", builder.module.add_metadata([one]))
        return context.get_dummy_value()

    return types.void(dst, types.intp), generate
