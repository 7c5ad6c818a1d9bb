"""The loop around every kernel: claim a chunk from a shared counter, run the body over it, report it done.

Claiming happens in machine code, so a call releases the GIL once whatever the number of chunks, and a caller that is
alone (a late helper, a forked child, a nested call) simply claims everything itself.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from fastup.runtime.abi import BUFFERS, CHUNK, CHUNKS, CLAIMED, DONE

WORD, BYTES = ir.IntType(64), ir.IntType(8).as_pointer()


def entry_point(library: Any, name: str, context: Any, body: Any, spins: int) -> Any:
    """A module with the C entry point of a kernel, whose body Numba has lowered to a function that `body` describes.

    Without counters the whole range is one chunk; kernels call each other so, a row at a time. What only the shared
    loop needs, six registers among it, is a function of its own.
    """
    module = library.create_ir_module(name)
    function = context.declare_function(module, body)
    kind = ir.FunctionType(WORD, [WORD.as_pointer(), *[BYTES] * BUFFERS, WORD.as_pointer(), WORD])
    entry, shared = ir.Function(module, kind, name), ir.Function(module, kind, f"{name}.shared")
    shared.linkage = "internal"
    shared.attributes.add("noinline")

    def run(builder: Any, arguments: Any, start: Any, stop: Any) -> None:
        values = [*arguments[: len(body.argtypes) - 2], start, stop]
        kinds = map(context.get_value_type, body.argtypes)
        values = [builder.bitcast(value, kind) for value, kind in zip(values, kinds, strict=True)]
        # A function of its own: that no two buffers overlap, LLVM knows of arguments only.
        context.call_conv.call_function(builder, function, body.restype, body.argtypes, values, attrs=("noinline",))

    _share(module, shared, run, spins)
    begin, alone, several = map(entry.append_basic_block, ("begin", "alone", "several"))
    counters = entry.args[-2]
    builder = ir.IRBuilder(begin)
    builder.cbranch(builder.icmp_unsigned("==", counters, counters.type(None)), alone, several)
    builder.position_at_end(alone)
    run(builder, entry.args, WORD(0), builder.load(entry.args[0]))
    builder.ret(WORD(0))
    builder.position_at_end(several)
    builder.ret(builder.call(shared, entry.args, tail=True))
    return module


def _share(module: Any, function: Any, run: Any, spins: int) -> None:
    """The loop of a thread that has others beside it.

    The caller (``wait`` = 1) returns 1 if others still work after `spins` pauses, so that Python can yield and ask
    again; helpers (``wait`` = 0) return at once.
    """
    *_, counters, wait = function.args
    blocks = ("begin", "claim", "run", "ended", "spin", "done", "busy")
    begin, claim, running, ended, spin, done, busy = map(function.append_basic_block, blocks)
    ir.IRBuilder(begin).branch(claim)

    def counter(place: int) -> Any:
        return builder.gep(counters, [WORD(place)])

    def current(place: int) -> Any:
        return builder.load_atomic(counter(place), "acquire", 8)

    builder = ir.IRBuilder(claim)
    claimed = builder.atomic_rmw("add", counter(CLAIMED), WORD(1), "seq_cst")
    chunk, total = current(CHUNK), builder.load(function.args[0])
    first = builder.mul(claimed, chunk)
    last = builder.add(first, chunk)
    last = builder.select(builder.icmp_signed("<", last, total), last, total)
    builder.cbranch(builder.icmp_signed("<", claimed, current(CHUNKS)), running, ended)

    builder.position_at_end(running)
    run(builder, function.args, first, last)
    builder.atomic_rmw("add", counter(DONE), WORD(1), "seq_cst")
    builder.branch(claim)

    builder.position_at_end(ended)
    builder.cbranch(builder.icmp_signed("!=", wait, WORD(0)), spin, done)

    _wait(module, builder, (ended, spin, done, busy), lambda: (current(DONE), current(CHUNKS)), spins)
    for block, result in ((done, 0), (busy, 1)):
        builder.position_at_end(block)
        builder.ret(WORD(result))


def _wait(module: Any, builder: Any, blocks: tuple[Any, ...], counts: Any, spins: int) -> None:
    """From `ended` on: pause until all chunks are done, or so often."""
    ended, spin, done, busy = blocks
    check, pause = (spin.function.append_basic_block(name) for name in ("check", "pause"))
    builder.position_at_end(spin)
    spun = builder.phi(WORD)
    builder.cbranch(builder.icmp_signed("<", *counts()), check, done)
    builder.position_at_end(check)
    builder.cbranch(builder.icmp_signed("==", spun, WORD(spins)), busy, pause)
    builder.position_at_end(pause)
    if "x86" in module.triple:
        builder.call(ir.Function(module, ir.FunctionType(ir.VoidType(), []), "llvm.x86.sse2.pause"), [])
    spun.add_incoming(WORD(0), ended)
    spun.add_incoming(builder.add(spun, WORD(1)), pause)
    builder.branch(spin)
