"""What lets kernels be put together: pointers into one block of memory, and calls of one kernel by another.

A *stage* is a kernel that treats one row. Another kernel calls it by its address, with the C signature that all kernels
have, so a new dtype is a stage that loads and one that stores, and a new mode is another table.
"""

from __future__ import annotations

from fastup.runtime.kernel import intrinsic, target_has


def _further(context, builder, signature, arguments):
    """IR of every view: the first argument moved by the second, as a pointer of the result's type."""
    from llvmlite import ir

    raw = builder.bitcast(arguments[0], ir.IntType(8).as_pointer())
    return builder.bitcast(builder.gep(raw, [arguments[1]]), context.get_value_type(signature.return_type))


@intrinsic
def at(_, pointer, distance):
    """The address `distance` bytes further, seen as a pointer of the same type."""
    from numba import types

    return pointer(pointer, types.intp), _further


@intrinsic
def address(_, pointer):
    """The pointer as a number."""
    from numba import types

    def generate(_context, builder, _signature, arguments):
        from llvmlite import ir

        return builder.ptrtoint(arguments[0], ir.IntType(64))

    return types.intp(pointer), generate


@intrinsic
def view(_, pointer, distance, like):
    """The address `distance` bytes further, seen as a pointer like another."""
    from numba import types

    return like(pointer, types.intp, like), _further


def _seen_as(name):
    @intrinsic
    def cast(_, pointer, distance):
        from numba import types

        return types.CPointer(getattr(types, name))(pointer, types.intp), _further

    return cast


# The address `distance` bytes further, as a pointer to another type.
as_uint8, as_uint16, as_int64 = _seen_as("uint8"), _seen_as("uint16"), _seen_as("int64")
as_int32, as_float32, as_float64 = _seen_as("int32"), _seen_as("float32"), _seen_as("float64")
SEEN_AS = {name: _seen_as(name) for name in ("int8", "int16", "uint32", "uint64")} | {
    "uint8": as_uint8,
    "uint16": as_uint16,
    "int32": as_int32,
    "int64": as_int64,
    "float32": as_float32,
    "float64": as_float64,
}


@intrinsic
def pointer_to(_, addresses, number, like):
    """The address that stands at a place of a list, as a pointer like another."""

    def generate(context, builder, signature, arguments):
        from llvmlite import ir

        words = builder.bitcast(arguments[0], ir.IntType(64).as_pointer())
        address = builder.load(builder.gep(words, [arguments[1]]))
        return builder.inttoptr(address, context.get_value_type(signature.return_type))

    from numba import types

    return like(addresses, types.intp, like), generate


def _call(context, builder, _signature, arguments):
    """IR of a call: the address, then the kernel's parameters and buffers."""
    from llvmlite import ir

    word, byte = ir.IntType(64), ir.IntType(8).as_pointer()
    kind = ir.FunctionType(word, [byte] * 5 + [word, word])
    function = builder.inttoptr(arguments[0], kind.as_pointer())
    pointers = [builder.bitcast(pointer, byte) for pointer in arguments[1:]]
    pointers += [ir.Constant(byte, None)] * (5 - len(pointers))
    zero = ir.Constant(word, 0)
    builder.call(function, [*pointers, zero, zero])
    return context.get_dummy_value()


@intrinsic
def call_stage(_, address, params, first, second, third):
    """Run the kernel at `address` on the calling thread, over all its items."""
    from numba import types

    return types.void(address, params, first, second, third), _call


@intrinsic
def call_stage_of_four(_, address, params, first, second, third, fourth):
    """The same for a kernel that takes another buffer."""
    from numba import types

    return types.void(address, params, first, second, third, fourth), _call


@intrinsic
def fma(_, a, b, c):
    """The sum a * b + c in one rounding; in two where that would be a call of the C library."""

    def generate(_context, builder, _signature, arguments):
        if target_has("fma"):
            return builder.fma(*arguments)
        return builder.fadd(builder.fmul(*arguments[:2]), arguments[2])

    return a(a, b, c), generate
