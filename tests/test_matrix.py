"""The divergence matrix: what the project found still holds, cell by cell."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from fastup.export.runtimes import JUDGES
from fastup.export.verification import matrix

COMMITTED = Path(__file__).with_name("data") / "matrix.json"
HELD = JUDGES  # the cells of other runtimes are there to be read


def only_held(cells: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    return {name: {runtime: cell[runtime] for runtime in HELD if runtime in cell} for name, cell in cells.items()}


def test_the_committed_matrix_still_holds() -> None:
    """A runtime that has mended or broken a cell is named; `fastup matrix --json` then writes the file anew."""
    before = json.loads(COMMITTED.read_text())["cells"]
    now = matrix.measure()
    assert list(now) == list(before), "the cells themselves have changed"
    assert not [name for name, cell in now.items() if "fastup" in cell], "fastup refuses"
    assert matrix.changed(only_held(now), only_held(before)) == []


@pytest.mark.quick
def test_what_it_says_of_a_few_cells() -> None:
    """Known to every reader of ONNX's issues: see README."""
    (cell,) = matrix.measure(
        "Resize mode=cubic antialias=0 exclude_outside=0 coordinates=half_pixel rank=3 form=sizes"
    ).values()
    assert cell["onnxruntime"].startswith("refused with")
    assert cell["reference"] == "within tolerance"
    (cell,) = matrix.measure("MaxUnpool form=output_shape rank=2").values()
    assert cell["onnxruntime"] == "equal"
    assert cell["reference"].startswith("different by")


@pytest.mark.quick
def test_changes_are_named() -> None:
    before = {"a": {"x": "equal", "y": "different by 1"}, "b": {"x": "refused with this"}}
    now = {"a": {"x": "within tolerance", "y": "equal"}, "b": {"x": "refused with that"}, "c": {"x": "equal"}}
    assert matrix.changed(now, before) == ["a, y: was 'different by 1', is 'equal'"]


def run(*arguments: Any) -> Any:
    testing = pytest.importorskip("click.testing")
    from fastup.cli import command

    return testing.CliRunner().invoke(command, ["matrix", *map(str, arguments)])


def test_the_command(tmp_path: Path) -> None:
    written, page = tmp_path / "matrix.json", tmp_path / "matrix.html"
    only = "MaxUnpool rank=1"
    result = run("--only", only, "--json", written, "--html", page)
    assert result.exit_code == 0, result.output
    assert "MaxUnpool" in result.output
    cells = json.loads(written.read_text())["cells"]
    assert set(cells) == {"MaxUnpool form=usual rank=1", "MaxUnpool form=output_shape rank=1"}
    assert all(name in page.read_text() for name in cells)
    assert run("--only", only, "--against", written).exit_code == 0
    cells["MaxUnpool form=usual rank=1"]["onnxruntime"] = "refused with an error"
    written.write_text(json.dumps({"cells": cells}))
    result = run("--only", only, "--against", written)
    assert result.exit_code == 1
    assert "is 'equal'" in result.output.replace("\n", " ")
    for arguments in (("--only", "nothing"), ("--against", page), ("--against", tmp_path / "none")):
        assert run(*arguments).exit_code == 2


BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.mark.skipif(BROWSER is None, reason="needs Chromium")
def test_the_filter_in_a_browser(tmp_path: Path) -> None:
    import subprocess

    from fastup.cli.verify import matrix_page
    from tests.test_cli_verify import QUIET

    cells = {"Resize mode=cubic": {"x": "different by 1"}, "Resize mode=linear": {"x": "equal"}}
    typed = (
        "const box = document.getElementById('filter'); box.value = 'resize DIFFERENT';"
        "box.dispatchEvent(new Event('input')); document.title = document.getElementById('count').textContent;"
    )
    path = tmp_path / "matrix.html"
    path.write_text(matrix_page(cells, {"x": "1"}).replace("</body>", f"<script>{typed}</script></body>"))
    own = [f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", path.as_uri()]
    done = subprocess.run([str(BROWSER), *QUIET, *own], capture_output=True, text=True, check=True, timeout=120)
    assert "<title>1</title>" in done.stdout
