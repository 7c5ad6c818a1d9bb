"""One declaration per operator: what plans, exporters, registry and type checkers have follows from it."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any, get_args

import pytest

import fastup
import fastup.export
from fastup.operators import OPERATORS, argument_types
from fastup.plan import MODES
from fastup.plan.registry import ROWS
from fastup.plan.sampling.filters import FILTERS, AxisMode, Mode
from tests import make_stubs

ROOT = make_stubs.ROOT
checkout = pytest.mark.skipif(not (ROOT / "pyproject.toml").exists(), reason="the checkout, not an installed package")
USER = """
    import numpy as np
    import numpy.typing as npt

    import fastup
    import fastup.export

    x: npt.NDArray[np.float32] = np.zeros((1, 4, 8, 8), np.float32)
    w = np.zeros((4, 4, 3, 3), np.float32)
    same: npt.NDArray[np.float32] = fastup.interpolate(x, scale_factor=2, mode="bilinear")
    same = fastup.interpolate(x, (8, np.int64(9)), mode=("nearest", "linear"), window=(slice(2), slice(3)), out=same)
    same = fastup.conv2d(x, fastup.pack_weight(w), stride=(1, 2), padding="same", activation=("leaky_relu", 0.1))
    same = fastup.max_pool2d(x, 2)
    values, indices = fastup.max_pool2d(x, 2, return_indices=True)
    same = fastup.max_unpool2d(values, indices, 2)
    labels = fastup.upsample_argmax(x, 16, boxes=[[0, 0, 1, 1]])
    plan = fastup.plan.conv_transpose2d((1, 4, 8, 8), "float32", (4, 4, 3, 3), stride=2)
    extents: tuple[int, ...] = plan.output_shape
    model = fastup.export.interpolate(("N", 4, "H", "W"), scale_factor=2, dtype="float16", opset=18, lowering="auto")
    again = fastup.export.conv2d(fastup.plan.conv2d(x.shape, x.dtype, w.shape), w)

    fastup.interpolate(x, mode="biliner")  # wrong
    fastup.interpolate("no array", size="x")  # wrong
    fastup.interpolate(x, scale=2)  # wrong
    fastup.interpolate(x, 2, data_format="NHWC")  # wrong
    fastup.conv2d(x, w, strid=3)  # wrong
    fastup.conv2d(x, w, activation="rellu")  # wrong
    fastup.pixel_shuffle(x, 2, order="RCD")  # wrong
    fastup.max_pool2d(x, kernel=2)  # wrong
    fastup.plan.interpolate((1, 1, 8, 8), "float32", scale_factr=2)  # wrong
    fastup.plan.conv2d((1, 1, 8, 8), "float32", (1, 1, 3, 3), out=x)  # wrong
    fastup.export.conv2d((1, 4, 8, 8), w, strid=3)  # wrong
    fastup.export.interpolate((1, 4, 8, 8), size=16, lowering="natve")  # wrong
    text: str = fastup.interpolate(x, size=16)  # wrong
"""


@checkout
@pytest.mark.quick
def test_stubs_are_the_declarations() -> None:
    """Else run python -m tests.make_stubs."""
    assert make_stubs.PLAN.read_text() == make_stubs.plan_stub()
    assert make_stubs.EXPORT.read_text() == make_stubs.export_stub()


def _lines_with_errors(report: str, file: Path) -> set[int]:
    return {int(number) for number in re.findall(rf"{re.escape(str(file))}:(\d+)(?::\d+)?(?: -)?:? error", report)}


@checkout
@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_a_type_checker_sees_typing_errors(checker: str, tmp_path: Path) -> None:
    """Errors in the lines that are wrong, and in no other."""
    pytest.importorskip(checker)
    file = tmp_path / "user.py"
    file.write_text(textwrap.dedent(USER))
    options = {"mypy": ["--strict", "--no-incremental"], "pyright": ["--pythonpath", sys.executable]}[checker]
    (tmp_path / "pyproject.toml").write_text("[tool.mypy]\n")
    done = subprocess.run(
        [sys.executable, "-m", checker, *options, str(file)],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "MYPYPATH": str(ROOT), "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"},
    )  # fmt: skip
    wrong = {number for number, line in enumerate(file.read_text().splitlines(), 1) if line.endswith("# wrong")}
    assert len(wrong) == 13
    assert _lines_with_errors(done.stdout, file) == wrong, done.stdout + done.stderr


@pytest.mark.quick
def test_literals_are_what_is_taken() -> None:
    from fastup.export.operators.call import LOWERINGS
    from fastup.plan.check import DATA_FORMATS
    from fastup.plan.shuffle import ORDERS

    assert set(get_args(Mode)) == set(MODES)
    assert set(get_args(AxisMode)) == set(FILTERS)
    assert set(get_args(argument_types.DataFormat)) == set(DATA_FORMATS)
    assert set(get_args(argument_types.Order)) == set(ORDERS)
    assert set(get_args(argument_types.Lowering)) == set(LOWERINGS)


@pytest.mark.quick
def test_every_row_names_what_there_is() -> None:
    for row in ROWS.values():
        assert callable(row.launch)
        assert row.families
        for room, place in (("cuda", row.cuda), ("export/operators", row.onnx)):
            module, _, name = place.partition(".")
            file = Path(fastup.__file__).parent / room / f"{module}.py"
            tree = ast.parse(file.read_text())
            assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, place
    assert {operator.row for operator in OPERATORS.values()} == set(ROWS.values())


@pytest.mark.quick
@pytest.mark.parametrize("name", OPERATORS)
def test_fronts_take_the_same_arguments(name: str) -> None:
    """The function, its plan and its exporter have the arguments of the declaration, with its defaults."""
    operator = OPERATORS[name]
    assert getattr(fastup, name) is operator.function
    listed = {key: value.default for key, value in operator.parameters.items() if key in operator.others}
    for front in (fastup.plan, fastup.export):
        function: Any = getattr(front, name)
        for key, parameter in inspect.signature(function).parameters.items():
            if key in listed and key != "dtype" and listed[key] is not inspect.Parameter.empty:
                assert parameter.default == listed[key], (front.__name__, key)
        assert function.__name__ == name
        assert f"`fastup.{name}`" in function.__doc__


@checkout
def test_argument_lists_are_written_once() -> None:
    """The list of interpolate, by its least common argument: the declaration, the maker of its plan, and the layer."""
    files = [*(ROOT / "fastup").rglob("*.py"), *(ROOT / "export").rglob("*.py")]
    places = []
    for file in {path.resolve() for path in files}:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef):
                arguments = node.args
                names = {one.arg for one in (*arguments.args, *arguments.kwonlyargs)}
                if {"scale_factor", "align_corners", "recompute_scale_factor"} <= names:
                    places.append(f"{file.name}: {node.name}")
    assert len(places) <= 3, places


@pytest.mark.quick
def test_public_functions_say_their_types() -> None:
    for name in fastup.__all__:
        value = getattr(fastup, name)
        if callable(value):
            parameters = inspect.signature(value).parameters.values()
            assert all(one.annotation is not inspect.Parameter.empty for one in parameters), name
    importlib.import_module("fastup.nn")


@pytest.mark.parametrize("room", [fastup, fastup.plan, fastup.export], ids=lambda room: room.__name__)
def test_examples_run(room: Any) -> None:
    """pytest finds the doctests of functions in the module that they were made in only."""
    tests = [test for name in OPERATORS for test in doctest.DocTestFinder().find(getattr(room, name), name)]
    assert len(tests) == len(OPERATORS)
    runner = doctest.DocTestRunner()
    for test in tests:
        runner.run(test)
    assert runner.summarize().failed == 0
    assert runner.tries >= 2 * len(OPERATORS)
