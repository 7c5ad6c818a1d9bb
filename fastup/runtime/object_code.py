"""Object code in memory: which symbols it needs, and how to make it callable."""

from __future__ import annotations

import ctypes
import functools
import struct
from typing import Any

# LLVM turns copy and fill loops into calls of these three; every C library has them.
ALLOWED_SYMBOLS = ("memcpy", "memmove", "memset")

_ELF64_HEADER = struct.Struct("<40xQ10xHH2x")  # e_shoff, e_shentsize, e_shnum
_ELF64_SECTION = struct.Struct("<4xI16xQQI12xQ")  # sh_type, sh_offset, sh_size, sh_link, sh_entsize
_ELF64_SYMBOL = struct.Struct("<IBBHQQ")  # st_name, st_info, st_other, st_shndx, st_value, st_size
_SYMBOL_TABLE, _UNDEFINED = 2, 0


def undefined_symbols(code: bytes) -> frozenset[str]:
    """Names that an ELF64 object expects from outside.

    MCJIT resolves a name that it cannot find to address zero without a word, and the process dies at the call;
    hence objects are read before they are trusted.
    """
    if code[:6] != b"\x7fELF\x02\x01":
        raise ValueError("not a little-endian ELF64 object")
    offset, size, count = _ELF64_HEADER.unpack_from(code)
    sections = [_ELF64_SECTION.unpack_from(code, offset + i * size) for i in range(count)]
    names = set()
    for kind, start, length, link, entry in sections:
        if kind != _SYMBOL_TABLE:
            continue
        strings = sections[link][1]
        for at in range(start, start + length, entry):
            name, _, _, section, _, _ = _ELF64_SYMBOL.unpack_from(code, at)
            if section == _UNDEFINED and name:
                begin = strings + name
                names.add(code[begin : code.index(b"\0", begin)].decode())
    return frozenset(names)


@functools.cache
def _llvm() -> Any:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    libc = ctypes.CDLL(None)
    for name in ALLOWED_SYMBOLS:
        llvm.add_symbol(name, ctypes.cast(getattr(libc, name), ctypes.c_void_p).value)
    return llvm


def load(code: bytes, symbol: str) -> int:
    """Address of `symbol` in the object, which stays valid until the process ends."""
    llvm = _llvm()
    machine = llvm.Target.from_default_triple().create_target_machine()
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    address = engine.get_function_address(symbol)
    if not address:
        raise ValueError(f"the object has no symbol {symbol}")
    keep_for_ever(engine)
    return int(address)


def keep_for_ever(*owners: Any) -> None:
    """Never finalise what owns machine code: at exit a daemon thread may still run it.

    A reference held by a module would be dropped when the interpreter takes modules apart, which unmaps the code
    under the thread.
    """
    for owner in owners:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(owner))
