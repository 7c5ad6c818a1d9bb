"""Every kernel of the CUDA back-end compiled for three generations of GPUs, without one: no thread spills."""

from __future__ import annotations

import os
import re
from typing import Any

import pytest

pytest.importorskip("numba_cuda", reason="needs the extra cuda")
if os.environ.get("NUMBA_ENABLE_CUDASIM") == "1":
    pytest.skip("the simulator compiles nothing", allow_module_level=True)

from numba import cuda, types

from fastup.cuda.kernels import activate, conv, convert, gather, pool, reduce, resample

WORD = types.int64
DOUBLE = types.float64


def _flat(element: str) -> Any:
    return types.Array(getattr(types, element), 1, "C")


def _signatures() -> list[tuple[str, Any, tuple[Any, ...]]]:
    found: list[tuple[str, Any, tuple[Any, ...]]] = []
    words, byte = _flat("int64"), _flat("uint8")

    def add(kernel: Any, label: str, *arguments: Any) -> None:
        found.append((f"{kernel.py_func.__name__}-{label}", kernel, arguments))

    for size in (8, 16, 32, 64):
        item = _flat(f"uint{size}")
        add(gather.gather, item.name, WORD, WORD, words, item, item)
        add(pool.place, item.name, WORD, words, item, item)
    add(pool.place_pairs, "uint64", WORD, words, _flat("uint64"), _flat("uint64"))
    add(pool.claim, "int64", WORD, words, words, words, words)
    add(pool.fill, "int64", WORD, WORD, words)
    for name in ("float32", "float64"):
        item = _flat(name)
        tables = (words, words, words, item)
        add(resample.weighted, name, *(WORD,) * 5, *tables, item, item)
        add(resample.area, name, WORD, words, WORD, item, item)
        add(conv.CONVS[name], name, WORD, words, *(item,) * 4)
        add(activate.activate, name, *(WORD,) * 4, item, item)
        for kind in ("uint8", "int16", "int32", "uint64"):
            add(convert.saturate, f"{kind}-{name}", WORD, DOUBLE, _flat(kind), item, _flat(kind))
            add(convert.cast, f"{kind}-{name}", WORD, _flat(kind), item)
    for kind in ("uint8", "int16", "int32", "uint64"):
        add(resample.area_integers, kind, WORD, words, *(_flat(kind),) * 3)
    add(convert.cast, "float16-float32", WORD, _flat("float16"), _flat("float32"))
    add(convert.cast, "float32-float16", WORD, _flat("float32"), _flat("float16"))
    add(convert.widen, "bfloat16", WORD, _flat("uint16"), _flat("uint32"))
    add(convert.narrow, "bfloat16", WORD, _flat("uint32"), _flat("uint16"))
    add(resample.fixed, "uint8", *(WORD,) * 6, words, _flat("int32"), byte, byte)
    for name in ("float32", "float64"):
        for labels in ("uint8", "int32", "int64"):
            add(reduce.argmax, f"{name}-{labels}", *(WORD,) * 5, _flat(name), _flat(labels))
            add(reduce.clear, f"{name}-{labels}", WORD, words, _flat(name), _flat(labels))
        add(reduce.confidence, name, *(WORD,) * 5, _flat(name), _flat("int32"), _flat(name))
        add(reduce.exceeds, name, *(WORD,) * 4, _flat(name), _flat(name), _flat("bool_"))
    for name in ("float32", "float64", "uint8", "int64"):
        add(pool.pool, name, WORD, words, _flat(name), _flat(name), words)
    return found


def _label(one: Any) -> str:
    return one if isinstance(one, str) else ""


def resources(kernel: Any, arguments: tuple[Any, ...], capability: tuple[int, int]) -> tuple[int, int, int]:
    """Registers of a thread, bytes of its stack, bytes that it spills: as the assembler reports them."""
    from cuda.core import Linker, LinkerOptions, ObjectCode

    ptx, _ = cuda.compile_ptx(kernel.py_func, types.void(*arguments), cc=capability)
    options = LinkerOptions(arch=f"sm_{capability[0]}{capability[1]}", ptxas_options=["-v"])
    linker = Linker(ObjectCode.from_ptx(ptx.encode()), options=options)
    linker.link("cubin")
    report = linker.get_info_log()
    registers = re.search(r"Used (\d+) registers", report)
    stack = re.search(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads", report)
    assert registers, report
    assert stack, report
    return int(registers[1]), int(stack[1]), int(stack[2]) + int(stack[3])


@pytest.mark.parametrize("capability", [(7, 5), (8, 0), (9, 0)], ids=lambda cc: f"sm_{cc[0]}{cc[1]}")
@pytest.mark.parametrize(("label", "kernel", "arguments"), _signatures(), ids=_label)
def test_kernels_compile_without_spills(
    label: str, kernel: Any, arguments: tuple[Any, ...], capability: tuple[int, int]
) -> None:
    registers, stack, spilled = resources(kernel, arguments, capability)
    assert (stack, spilled) == (0, 0), f"{label}: {stack} bytes of stack, {spilled} spilled"
    assert registers <= 128, f"{label}: {registers} registers leave fewer than 512 threads resident"


def test_every_kernel_is_compiled() -> None:
    compiled = {label.split("-")[0] for label, *_ in _signatures()}
    written = {
        one.py_func.__name__
        for module in (activate, conv, convert, gather, pool, reduce, resample)
        for one in vars(module).values()
        if hasattr(one, "py_func")
    }
    assert written | {"conv"} == compiled
