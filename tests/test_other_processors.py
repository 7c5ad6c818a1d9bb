"""Vectors of processors that are not here: their code is emitted and read, not run."""

from __future__ import annotations

import re
from typing import Any

import llvmlite.binding as llvm
import pytest
from llvmlite import ir
from numba import types
from numba.core.registry import cpu_target

from fastup.cpu.resample.kernels import byte_vectors, columns, permute
from fastup.cpu.simd import byte_lanes, vectors

I64, BYTES, WORDS = types.intp, types.CPointer(types.uint8), types.CPointer(types.int32)
SHORTS, FLOATS = types.CPointer(types.int16), types.CPointer(types.float32)
ARM = ("aarch64-unknown-linux-gnu", "generic")


def assembly(helper: Any, kinds: tuple[Any, ...], triple: str, cpu: str) -> str:
    """The code of a helper that stands in a function of its own."""
    context = cpu_target.target_context
    signature, generate = helper.function(None, *kinds)
    module = ir.Module()
    module.triple = triple
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [context.get_value_type(k) for k in kinds]), "helper")
    builder = ir.IRBuilder(function.append_basic_block())
    generate(context, builder, signature, function.args)
    builder.ret_void()
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    machine = llvm.Target.from_triple(triple).create_target_machine(cpu=cpu, opt=2)
    parsed = llvm.parse_assembly(str(module))
    parsed.verify()
    return str(machine.emit_assembly(parsed))


@pytest.fixture
def neon(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (byte_lanes, permute, vectors):
        monkeypatch.setattr(module, "target_has", lambda feature: feature in ("neon", "fma"))


@pytest.mark.quick
@pytest.mark.usefixtures("neon")
@pytest.mark.parametrize("words", [1, 2])
def test_bytes_on_arm(words: int) -> None:
    """A table look-up permutes, and products of 16-bit numbers are added in pairs; no function is called."""
    made: Any = byte_vectors
    assert byte_lanes.width() == 16
    rows = assembly(made.rows_sum(16, 2, words), (types.CPointer(types.int64), BYTES, BYTES, WORDS, I64, I64), *ARM)
    assert re.search(r"\t(smlal|smull|mul|mla)", rows)
    row = (BYTES, I64, WORDS, I64, BYTES, BYTES, I64, I64, I64, I64)
    for orders, pixel, groups in ((1, 0, 2), (2, 0, 0), (2, 1, 0), (2, 3, 0)):
        pieces = assembly(made.pieces_sum(orders, pixel, groups, 2, words), row, *ARM)
        assert "tbl" in pieces
        assert "\tbl\t" not in pieces + rows
    long = assembly(made.long_pixel_sum(words), (BYTES, I64, SHORTS, BYTES, I64, I64), *ARM)
    assert "\tbl\t" not in long


@pytest.mark.quick
@pytest.mark.usefixtures("neon")
def test_columns_on_arm() -> None:
    """Squares are transposed in registers, and sums are fused."""
    square = assembly(columns._to_columns, (FLOATS, I64, I64, I64, FLOATS, I64), *ARM)
    assert "trn" in square or "zip" in square
    total = assembly(columns._column_sum, (FLOATS, I64, I64, FLOATS, I64, I64, FLOATS, I64), *ARM)
    assert "fmla" in total
