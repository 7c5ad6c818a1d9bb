"""The shape of the code: imports run one way, stems are the same everywhere, the package stays light."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import fastup

PACKAGE = Path(fastup.__file__).parent
ROOT = PACKAGE.parent
checkout = pytest.mark.skipif(not (ROOT / "pyproject.toml").exists(), reason="the checkout, not an installed package")
# A room may import the rooms after it; kernels may import the decorator of their runtime.
ROOMS = ("cli", "pictures", "export", "networks", "nn", "operators", "arrays", "init", "cpu", "cuda", "plan", "runtime")


def room_of(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[0] == "fastup" and parts[1] in ROOMS else None


def files() -> list[tuple[str, Path]]:
    found = []
    for room in ROOMS:
        folder = PACKAGE / room
        found += [(room, file) for file in ([PACKAGE / f"{room}.py"] if not folder.is_dir() else folder.rglob("*.py"))]
    return found


def imports(file: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            found += [node.module, *(f"{node.module}.{name.name}" for name in node.names)]
        elif isinstance(node, ast.Import):
            found += [name.name for name in node.names]
    return found


@pytest.mark.quick
def test_imports_run_one_way() -> None:
    for room, file in files():
        for module in imports(file):
            target = room_of(module)
            if target is not None:
                assert ROOMS.index(room) <= ROOMS.index(target), f"{file} imports {module}"


def test_plan_knows_no_backend_and_runtime_no_operator() -> None:
    for room, file in files():
        targets = {room_of(module) for module in imports(file)} - {None, room}
        if room in ("plan", "runtime"):
            assert not targets, f"{file}: {targets}"


def test_backends_know_nothing_of_each_other() -> None:
    for room, file in files():
        if room in ("cpu", "cuda"):
            other = {"cpu": "cuda", "cuda": "cpu"}[room]
            assert other not in {room_of(module) for module in imports(file)}, file


def room_of_cpu(module: str) -> str:
    """The engine, or what lies below: a folder or a file of ``fastup/cpu``; "" for the front."""
    parts = module.split(".")[2:]
    return parts[0] if parts and ((PACKAGE / "cpu" / parts[0]).is_dir() or parts[0] in CPU_MODULES) else ""


# Rooms of the CPU back-end from the top down; those of one floor know nothing of each other.
CPU_FLOORS = [{""}, {"pool", "resample"}, {"conv"}, {"copy"}, {"memory"}, {"simd"}]
CPU_MODULES = {"memory"}


def test_the_rooms_of_the_cpu_are_few_and_imported_downwards() -> None:
    floor = {room: number for number, rooms in enumerate(CPU_FLOORS) for room in rooms}
    arrows = set()
    for file in (PACKAGE / "cpu").rglob("*.py"):
        room = room_of_cpu(".".join(("fastup", *file.relative_to(PACKAGE).with_suffix("").parts)))
        targets = {room_of_cpu(module) for module in imports(file) if module.startswith("fastup.cpu")} - {room}
        arrows |= {(room, target) for target in targets if target}
    assert len(floor) <= 8
    assert len(arrows) <= 16
    assert [(one, other) for one, other in sorted(arrows) if floor[one] >= floor[other]] == []


def test_kernels_read_their_integers_by_name() -> None:
    bare = re.compile(r"\b(params|table|header|strip|panel|bundle|phase|box)\[\d+\]")
    for folder in ("cpu", "cuda"):
        for file in (PACKAGE / folder).rglob("*.py"):
            assert bare.search(file.read_text()) is None, file


def test_nothing_imports_export_by_its_folder() -> None:
    for _, file in files():
        assert not any(module.split(".")[0] == "export" for module in imports(file)), file


@checkout
@pytest.mark.quick
def test_one_stem_per_operator_family() -> None:
    def stems_in(folder: Path, pattern: str = "*.py") -> set[str]:
        return {file.stem for file in folder.glob(pattern)}

    stems = {"convolution", "interpolation", "pooling", "resizing", "segmentation", "shuffle", "stuffing"}
    for folder in (PACKAGE / "operators", PACKAGE / "plan", PACKAGE / "cuda", ROOT / "export" / "operators"):
        assert stems <= stems_in(folder), folder
    assert stems <= stems_in(PACKAGE / "cpu", "*/*.py")
    assert stems <= stems_in(ROOT / "benchmarks")
    assert {f"test_{stem}.py" for stem in stems} <= {file.name for file in (ROOT / "tests").iterdir()}


def test_every_operator_has_an_exporter_and_a_plan() -> None:
    import fastup.export
    from fastup.operators import OPERATORS
    from tests.cases import CASES, CONVS, POOLS, RESIZED, SEGMENTED, STUFFED

    pools = {case.operator for case in POOLS}
    operators = set(OPERATORS)
    assert operators <= set(fastup.__all__)
    assert operators <= set(fastup.export.__all__)
    assert operators <= set(fastup.plan.__all__)
    assert operators == {
        *(case.operator for case in (*CASES, *CONVS, *RESIZED, *STUFFED)),
        *pools,
        *(name.replace("pool", "unpool") for name in pools),  # the same cases, back
        *(
            case.operator.replace("argmax", name)
            for case in SEGMENTED
            for name in ("argmax", "softmax_max", "threshold")
        ),
    }


def test_no_public_name_hides_a_module() -> None:
    modules = {file.stem for file in PACKAGE.glob("*.py")} | {file.name for file in PACKAGE.iterdir() if file.is_dir()}
    assert set(fastup.__all__) & modules == {"init", "plan"}  # the modules themselves, on purpose


def test_importing_fastup_is_light() -> None:
    code = """
        import sys, fastup, fastup.nn
        heavy = {"numba", "llvmlite", "onnx", "onnxruntime", "torch", "PIL", "click", "rich", "asyncio", "tempfile"}
        heavy |= {"safetensors"}
        print(sorted(heavy & set(sys.modules)))
    """
    lines = "\n".join(line.strip() for line in code.splitlines())
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", lines], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@checkout
def test_functions_and_files_stay_small() -> None:
    for _, file in [*files(), *[("", file) for file in (ROOT / "benchmarks").glob("*.py")]]:
        source = file.read_text()
        assert source.count("\n") <= 300, f"{file} has {source.count(chr(10))} lines"
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef):
                inner = [one for one in ast.walk(node) if isinstance(one, ast.FunctionDef)]
                documented = sum((ast.get_docstring(one, clean=False) or "").count("\n") for one in inner)
                length = (node.end_lineno or 0) - node.lineno + 1 - documented
                assert length <= 60, f"{file}: {node.name} has {length} lines"


@checkout
@pytest.mark.parametrize("call", ["InferenceSession(", "ReferenceEvaluator(", ".Core()"])
def test_each_runtime_is_called_in_one_file(call: str) -> None:
    folders = (PACKAGE, *(ROOT / name for name in ("export", "benchmarks", "docs", "tests")))
    found = {file.resolve() for folder in folders for file in folder.rglob("*.py") if call in file.read_text()}
    (adapter,) = found - {Path(__file__)}
    assert adapter.parent.name == "runtimes"
