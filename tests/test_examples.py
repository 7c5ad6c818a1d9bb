"""Every example runs as it is and finds what it checks to be right: else it leaves with a message."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent.parent / "examples"
EXAMPLES = sorted(file.stem for file in FOLDER.glob("*.py"))
WITH_TORCH = "replace_torch"
pytestmark = pytest.mark.skipif(not EXAMPLES, reason="the checkout, not an installed package")


def assert_runs(name: str, folder: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(FOLDER.parent)}
    command = [sys.executable, "-W", "error::RuntimeWarning", str(FOLDER / f"{name}.py")]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") >= 2
    assert "False" not in done.stdout
    assert not list(folder.iterdir())  # what it writes, it takes away


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name != WITH_TORCH])
def test_example(name: str, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    assert_runs(name, tmp_path)


def test_example_with_torch(torch: Any, tmp_path: Path) -> None:
    assert_runs(WITH_TORCH, tmp_path)


def test_every_example_is_on_the_page() -> None:
    links = re.findall(r"\]\((\w+)\.py\)", (FOLDER / "README.md").read_text())
    assert sorted(links) == EXAMPLES
