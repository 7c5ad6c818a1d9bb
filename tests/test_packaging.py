"""The source distribution: it holds what its tests need, and they pass in it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.skipif(not (ROOT / "MANIFEST.in").exists(), reason="the checkout, not an installed package")
NOT_SOURCES = ("seeds", ".*", "__pycache__", "*.egg-info", "build", "dist", "fastup-demo")
FOLDERS = ("packaging", "benchmarks", "docs", "examples", "export", "fastup", "tests")
QUICK = ("test_plan", "test_structure", "test_docs", "test_messages", "test_matrix", "test_shuffle")


def files_of(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A copy of the checkout, without what was built there, and its source distribution unpacked."""
    pytest.importorskip("build")
    pytest.importorskip("setuptools", minversion="77")
    folder = tmp_path_factory.mktemp("sdist")
    source = folder / "source"
    shutil.copytree(ROOT, source, symlinks=True, ignore=shutil.ignore_patterns(*NOT_SOURCES))
    command = [sys.executable, "-m", "build", "--no-isolation", "--sdist", "--outdir", str(folder), str(source)]
    subprocess.run(command, capture_output=True, check=True)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return source, folder / archive.name.removesuffix(".tar.gz")


def test_the_source_distribution_is_the_checkout(unpacked: tuple[Path, Path]) -> None:
    source, made = unpacked
    for name in FOLDERS:
        assert files_of(source / name) <= files_of(made / name), name
    assert {"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "pyproject.toml"} <= files_of(made)
    assert files_of(made / "fastup" / "export") == files_of(source / "export")  # where the checkout has a link


def test_quick_tests_pass_in_the_source_distribution(unpacked: tuple[Path, Path]) -> None:
    _, made = unpacked
    tests = [f"tests/{name}.py" for name in QUICK]
    command = [sys.executable, "-m", "pytest", "-m", "quick", "-p", "no:cacheprovider", *tests]
    done = subprocess.run(command, cwd=made, env={**os.environ, "PYTHONPATH": ""}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


@pytest.mark.quick
def test_every_package_is_listed() -> None:
    """What setuptools is not told of is missing in the wheel."""
    listed = re.findall(r'^    "(fastup[\w.]*)",$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    folders = [("fastup", ROOT / "fastup"), ("fastup.export", ROOT / "export")]
    found = [
        ".".join([name, *file.parent.relative_to(folder).parts])
        for name, folder in folders
        for file in folder.rglob("__init__.py")
    ]
    assert sorted(listed) == sorted(set(found))
