"""The loop around every kernel: claim a chunk from a shared counter, run the body over it, report it done.

Claiming happens in machine code, so a call releases the GIL once whatever the number of chunks, and a caller that is
alone (a late helper, a forked child, a nested call) simply claims everything itself.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.compiler import Flags
from numba.core.typing import signature
from numba.extending import intrinsic

from fastup.runtime.abi import BUFFERS, CHUNK, CHUNKS, CLAIMED, DONE


def _pointer(builder: Any, address: Any, index: Any) -> Any:
    return builder.gep(builder.inttoptr(address, ir.IntType(64).as_pointer()), [index])


@intrinsic
def _fetch_add(_: Any, address: Any, index: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        one = ir.Constant(ir.IntType(64), 1)
        return builder.atomic_rmw("add", _pointer(builder, *arguments), one, "seq_cst")

    return signature(types.int64, address, types.intp), generate


@intrinsic
def _load(_: Any, address: Any, index: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.load_atomic(_pointer(builder, *arguments), "acquire", 8)

    return signature(types.int64, address, types.intp), generate


@intrinsic
def _pause(_: Any) -> Any:
    def generate(context: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:
        if "x86" in builder.module.triple:
            kind = ir.FunctionType(ir.VoidType(), [])
            name = "llvm.x86.sse2.pause"
            builder.call(builder.module.globals.get(name) or ir.Function(builder.module, kind, name), [])
        return context.get_dummy_value()

    return signature(types.void), generate


def _caller_of(body: Any, used: int) -> Any:
    """A helper that calls `body` on its share, with Numba's `noalias` flag: no two buffers overlap.

    The flag saves LLVM a check before every row. A call that ignores the status (kernels cannot fail) leaves one copy
    of the body in the object where inlining makes two: half the time to compile.
    """

    @intrinsic
    def call(_: Any, params: Any, buffers: Any, start: Any, stop: Any) -> Any:
        kinds = (params, *buffers.types[:used], start, stop)

        def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            flags = Flags()
            flags.error_model, flags.noalias = "numpy", True
            inner = types.void(*kinds)
            compiled = context.compile_subroutine(builder, body, inner, flags=flags)
            pointers = cgutils.unpack_tuple(builder, arguments[1])[:used]
            values = [arguments[0], *pointers, *arguments[2:]]
            context.call_internal_no_propagate(builder, compiled.fndesc, inner, values)
            return context.get_dummy_value()

        return types.void(params, buffers, start, stop), generate

    return call


def around(body: Any, used: int, spins: int) -> Any:
    """The C entry point of a kernel whose body takes the first `used` buffers.

    Without counters the whole range is one chunk. With them, the caller (``wait`` = 1) returns 1 if other threads
    still work after `spins` pauses, so that Python can yield and ask again; helpers (``wait`` = 0) return at once.
    """
    call = _caller_of(body, used)

    def entry(params, b0, b1, b2, b3, counters, wait):  # type: ignore[no-untyped-def]
        total = params[0]
        chunk, chunks = total, 1
        if counters != 0:
            chunk, chunks = _load(counters, CHUNK), _load(counters, CHUNKS)
        claimed = 0
        while True:
            if counters != 0:
                claimed = _fetch_add(counters, CLAIMED)
            if claimed >= chunks:
                break
            start = claimed * chunk
            call(params, (b0, b1, b2, b3), start, min(total, start + chunk))
            if counters != 0:
                _fetch_add(counters, DONE)
            claimed += 1
        if counters != 0 and wait != 0:
            spun = 0
            while _load(counters, DONE) < chunks:
                if spun == spins:
                    return 1
                _pause()
                spun += 1
        return 0

    if entry.__code__.co_argcount != BUFFERS + 3:
        raise TypeError("the entry point must take every buffer of the prototype")
    return entry
