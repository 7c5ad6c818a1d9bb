"""The machine code of every kernel in the catalogue: self-contained, without gathers, finite in number."""

from __future__ import annotations

import ast
import importlib
import math
import re
import shutil
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import numpy as np
import pytest

from fastup import seeding
from fastup.cpu.conv.kernels import gemm, gemm_in_lanes, transpose
from fastup.cpu.memory import Packing
from fastup.runtime import digest, kernel, object_code
from fastup.runtime.fields import Fields

PACKAGE = Path(kernel.__file__).parents[1]
KERNELS = [*(PACKAGE / "cpu").glob("*/kernels/*.py"), *(PACKAGE / "cpu" / "simd").glob("*.py")]
CATALOGUE = seeding.catalogue()
FAMILIES = list(dict.fromkeys(family for family, _ in CATALOGUE))


def test_the_catalogue_is_finite() -> None:
    assert 0 < len(CATALOGUE) <= 348


def test_every_family_is_in_the_catalogue() -> None:
    declared = set()
    for file in KERNELS:
        module = importlib.import_module(".".join(("fastup", *file.relative_to(PACKAGE).with_suffix("").parts)))
        declared |= {value.name for value in vars(module).values() if isinstance(value, kernel.Family)}
    assert declared == {family.name for family in FAMILIES}


def _instructions(code: bytes) -> set[str]:
    """The mnemonics of an object."""
    capstone = pytest.importorskip("capstone")
    disassembler = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
    disassembler.skipdata = True
    sections = [section.data() for section in llvm.ObjectFileRef.from_data(code).sections() if section.is_text()]
    assert any(sections)
    return {mnemonic for text in sections for _, _, mnemonic, _ in disassembler.disasm_lite(text, 0)}


def test_gathers_would_be_seen() -> None:
    """vgatherdps in an object, so that the next test can fail."""
    floats = "<8 x float>"
    gather = llvm.parse_assembly(f"""
        declare {floats} @llvm.x86.avx2.gather.d.ps.256({floats}, ptr, <8 x i32>, {floats}, i8)
        define {floats} @f({floats} %v, ptr %p, <8 x i32> %i) {{
            %r = call {floats} @llvm.x86.avx2.gather.d.ps.256({floats} %v, ptr %p, <8 x i32> %i, {floats} %v, i8 4)
            ret {floats} %r
        }}""")
    object_code._llvm()
    machine = llvm.Target.from_default_triple().create_target_machine(cpu="haswell")
    assert "vgatherdps" in _instructions(machine.emit_object(gather))


def _gathers_pay(name: str, instance: tuple[object, ...]) -> bool:
    """Where gathers are the quickest way: cells of any width, 1.0 to 1.5 times (LLVM has none there on Zen)."""
    return (name, instance[1:]) == ("max_pool", (1, 2)) or name.startswith("cell_means")


@pytest.mark.skipif(kernel.runtime() == "numba", reason="Numba's loader keeps no objects")
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_objects_need_nothing_and_gather_nothing(family: kernel.Family) -> None:
    """What the cache holds once a kernel was called, of every instance in the catalogue."""
    for instance in family.instances():
        family(*instance)
        code, _ = kernel.stored(family, *instance) or kernel.object_of(kernel.compile_instance(family, *instance))
        assert object_code.undefined_symbols(code) <= set(object_code.ALLOWED_SYMBOLS)
        if not _gathers_pay(family.name.rpartition(".")[2], instance):
            assert not any("gather" in name for name in _instructions(code)), instance


def test_instances_outside_the_catalogue_are_refused() -> None:
    with pytest.raises(KeyError, match="is not in the catalogue"):
        FAMILIES[0]("uint32", 7, 0)


def test_fields_are_filled_by_name_and_completely() -> None:
    """Places count through the base, then through names of one integer, of several, and of a record."""
    base, entry = Fields("total rows"), Fields("first count")
    fields = Fields("stride entry last", base, stride=3, entry=entry)
    assert (fields.rows, fields.stride, fields.entry, fields.last, fields.size, fields.bytes) == (1, 2, 5, 7, 8, 64)
    values: dict[str, Any] = {
        "entry": entry.fill(first=5, count=6),
        "last": 7,
        "rows": np.int64(1),
        "stride": [2, 3, 4],
    }
    assert fields.fill(total=0, **values) == list(range(8))
    with pytest.raises(TypeError, match=r"\['total'\] are unset, \['totals'\] unknown"):
        fields.fill(totals=0, **values)
    with pytest.raises(TypeError, match="stride has 3 integers, not 2"):
        fields.fill(total=0, **(values | {"stride": (2, 3)}))
    with pytest.raises(AttributeError):
        Fields("size")  # a name of its own


def test_a_call_is_packed_completely() -> None:
    packing = Packing(Fields("total list second"))
    packing.set(total=3, list=packing.append([7, 8]))
    assert packing.append([9]) == 5
    assert [packing.room(size) for size in (1, 64, 65)] == [0, 64, 128]
    entry = FAMILIES[0](*next(FAMILIES[0].instances()))
    with pytest.raises(TypeError, match=r"\['second'\] are unset"):
        packing.launch(entry, 1)
    packing.set(second=packing.room(1))
    launch = packing.launch(entry, 1)
    assert (list(launch.params), launch.workspace) == ([3, 3, 256, 7, 8, 9], 320)


def test_objects_that_need_a_library_are_refused() -> None:
    """MCJIT would resolve what it cannot find to address zero; such code must not reach the cache."""

    @kernel.kernel("element", elements=("float64",))
    def transcendental() -> Any:
        def body(params: Any, dst: Any, start: Any, stop: Any) -> None:
            dst[0] = math.sin(dst[1])

        return body

    with pytest.raises(ValueError, match=r"needs \['.*sin.*'\]: kernels must be self-contained"):
        kernel.object_of(kernel.compile_instance(transcendental, "float64"))


def test_undefined_symbols_reads_elf_only() -> None:
    with pytest.raises(ValueError, match="not a little-endian ELF64 object"):
        object_code.undefined_symbols(b"MZ" + bytes(100))


def test_kernels_import_nothing_of_fastup_but_the_decorators() -> None:
    for file in KERNELS:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("fastup"):
                assert re.fullmatch(r"fastup\.(runtime\.(fields|kernel)|cpu\.(simd|\w+\.kernels).*)", node.module), file
            if isinstance(node, ast.Import):
                assert not any(name.name.startswith("fastup") for name in node.names), file


def _sources_with(tmp_path: Path, module: str, text: str) -> dict[str, digest.Source]:
    """The sources of a copy of the package in which one module ends with `text`."""
    package = tmp_path / "fastup"
    if not package.exists():
        for folder in ("cpu", "runtime"):
            shutil.copytree(PACKAGE / folder, package / folder, ignore=shutil.ignore_patterns("__pycache__"))
    file = package.joinpath(*module.split(".")[1:]).with_suffix(".py")
    original = file.read_bytes()
    file.write_bytes(original + text.encode())
    sources = digest.read(package)
    file.write_bytes(original)
    return sources


@pytest.mark.parametrize(
    ("edited", "touched", "untouched"),
    [
        (
            "fastup.cpu.conv.kernels.conv",
            {"conv.kernels.conv"},
            {"conv.kernels.conv_in_lanes", "pool.kernels.max_pool"},
        ),
        ("fastup.cpu.conv.kernels.gemm", {"conv.kernels.gemm", "conv.kernels.conv"}, {"copy.kernels.pixels"}),
        ("fastup.cpu.simd.vectors", {"conv.kernels.gemm", "resample.kernels.vertical"}, set()),
        ("fastup.runtime.fields", {"conv.kernels.conv", "pool.kernels.max_pool"}, set()),
        ("fastup.runtime.claim_loop", {"conv.kernels.conv", "pool.kernels.max_pool", "copy.kernels.take"}, set()),
    ],
)
def test_an_edit_recompiles_what_it_touches(
    tmp_path: Path, edited: str, touched: set[str], untouched: set[str]
) -> None:
    sources = _sources_with(tmp_path, edited, "\n# edited\n")
    for names, differs in ((touched, True), (untouched, False)):
        for name in names:
            module = f"fastup.cpu.{name}"
            assert (digest.of(module, sources) != digest.imported(module)) == differs, name


def test_every_import_of_a_kernel_is_in_its_digest() -> None:
    """What Python says that a module imports is what the digest follows."""
    for file in KERNELS:
        module = ".".join(("fastup", *file.relative_to(PACKAGE).with_suffix("").parts))
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("fastup"):
                named = {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
                assert named <= set(digest.IMPORTED[module].imports), file


@pytest.mark.quick
@pytest.mark.parametrize("rows", gemm.ROWS)
@pytest.mark.parametrize("dtype", gemm.FLOATS)
@pytest.mark.parametrize("adds", [0, 1])
@pytest.mark.parametrize("products", [0, 1, 7, gemm.PRODUCTS_AT_ONCE + 1, 3 * gemm.PRODUCTS_AT_ONCE])
def test_the_micro_kernel_equals_its_plain_loop(
    rows: int, dtype: str, adds: int, products: int, generator: np.random.Generator
) -> None:
    """Every tile of one call, wide and narrow, on small integers, whose sums are exact."""
    step = 2 * gemm.vector_bytes()
    columns = (gemm.accumulators() // rows + 2) * gemm.vector_bytes() // np.dtype(dtype).itemsize
    x = generator.integers(-9, 10, 4 * step + columns + 9).astype(dtype)
    a, bias = (generator.integers(-9, 10, n).astype(dtype) for n in (products * rows, rows))
    z = generator.integers(-9, 10, (rows, columns + 3)).astype(dtype)
    offsets = generator.integers(0, 4 * step, products)
    params = np.zeros(gemm.P.size, np.int64)
    params[[gemm.P.columns, gemm.P.products, gemm.P.row_step, gemm.P.adds]] = columns, products, columns + 3, adds
    params[[gemm.P.at_once, gemm.P.run]] = gemm.PRODUCTS_AT_ONCE, gemm.PRODUCTS_AT_ONCE + 37
    params[gemm.P.offsets] = offsets.ctypes.data - params.ctypes.data
    params[gemm.P.biases] = bias.ctypes.data - params.ctypes.data
    expected = z.copy()
    for n in range(columns):
        gemm.product(params, offsets, x, expected.ravel(), a, bias, rows, n)
    entry = gemm.gemm(dtype, rows)
    entry.holding(params.ctypes.data, x.ctypes.data, z.ctypes.data, a.ctypes.data, 0, 0, 0)
    np.testing.assert_array_equal(z, expected)


@pytest.mark.quick
@pytest.mark.parametrize("vectors", gemm_in_lanes.VECTORS)
@pytest.mark.parametrize("dtype", gemm.FLOATS)
@pytest.mark.parametrize("products", [0, 1, 7, gemm.PRODUCTS_AT_ONCE + 1, 3 * gemm.PRODUCTS_AT_ONCE])
def test_the_micro_kernel_in_lanes_equals_its_plain_loop(
    vectors: int, dtype: str, products: int, generator: np.random.Generator
) -> None:
    """Every number of pixels, so every tile, on small integers, whose sums are exact."""
    channels = vectors * gemm.vector_bytes() // np.dtype(dtype).itemsize
    w, bias = (generator.integers(-9, 10, n).astype(dtype) for n in (products * channels, channels))
    offsets = generator.integers(0, 50, products)
    params = np.zeros(gemm_in_lanes.P.size, np.int64)
    params[[gemm_in_lanes.P.products, gemm_in_lanes.P.step, gemm_in_lanes.P.z_step]] = products, 3, channels + 5
    params[[gemm_in_lanes.P.at_once, gemm_in_lanes.P.run]] = gemm.PRODUCTS_AT_ONCE, gemm.PRODUCTS_AT_ONCE + 37
    params[gemm_in_lanes.P.offsets] = offsets.ctypes.data - params.ctypes.data
    params[gemm_in_lanes.P.biases] = bias.ctypes.data - params.ctypes.data
    entry = gemm_in_lanes.gemm_in_lanes(dtype, vectors)
    for pixels in (0, 1, 2, 3, 7, 40):
        params[gemm_in_lanes.P.pixels] = pixels
        x = generator.integers(-9, 10, 50 + 3 * pixels).astype(dtype)
        z = generator.integers(-9, 10, (pixels, channels + 5)).astype(dtype)
        expected = z.copy()
        for p in range(pixels):
            gemm_in_lanes.product(params, offsets, x, expected.ravel(), w, bias, channels, p)
        entry.holding(params.ctypes.data, x.ctypes.data, z.ctypes.data, w.ctypes.data, 0, 0, 0)
        np.testing.assert_array_equal(z, expected)


@pytest.mark.quick
@pytest.mark.parametrize("dtype", gemm.FLOATS)
def test_pixels_are_turned_into_rows(dtype: str, generator: np.random.Generator) -> None:
    lanes = gemm.vector_bytes() // np.dtype(dtype).itemsize
    pixels = generator.standard_normal((3 * lanes, 2 * lanes)).astype(dtype)
    rows = np.zeros((2 * lanes, 3 * lanes + 7), dtype)
    params = np.array(transpose.P.fill(pixels=2 * lanes + 1, channels=2 * lanes, step=rows.shape[1]))
    transpose.transpose(dtype).holding(params.ctypes.data, pixels.ctypes.data, rows.ctypes.data, 0, 0, 0, 0)
    np.testing.assert_array_equal(rows[:, : 3 * lanes], pixels.T)
    assert not rows[:, 3 * lanes :].any()
