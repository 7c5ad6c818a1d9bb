"""What a release is made of: one version, workflows that call what is here, and files that say what they are."""

from __future__ import annotations

import importlib.metadata
import re
from pathlib import Path
from typing import Any

import pytest

import fastup

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.skipif(not (ROOT / ".github").is_dir(), reason="only in a checkout")


def project() -> dict[str, Any]:
    tomllib = pytest.importorskip("tomllib")
    found: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return found


def test_the_version_stands_in_one_place() -> None:
    """And the recipe, which is a file for others, says the same."""
    assert project()["dynamic"] == ["version"]
    assert f'version = "{fastup.__version__}"' in (ROOT / "conda" / "meta.yaml").read_text()
    assert importlib.metadata.version("fastup") == fastup.__version__


def test_the_recipe_asks_for_what_the_package_asks_for() -> None:
    recipe = (ROOT / "conda" / "meta.yaml").read_text()
    for one in project()["dependencies"]:
        name, _, least = one.partition(">=")
        assert f"- {name} >={least}" in recipe
    assert f"- python {project()['requires-python']}" in recipe


@pytest.mark.parametrize("name", ["tests.yml", "release.yml"])
def test_workflows_call_what_is_here(name: str) -> None:
    text = (ROOT / ".github" / "workflows" / name).read_text()
    yaml = pytest.importorskip("yaml")
    workflow = yaml.safe_load(text)
    assert {"name", "permissions", "jobs"} <= set(workflow)
    for job in workflow["jobs"].values():
        assert "runs-on" in job
        assert all("uses" in step or "run" in step for step in job["steps"])
    for script in re.findall(r"bash (\S+)", text):
        assert (ROOT / script).is_file(), script
    assert all(re.search(r"@(v\d+|release/v1)$", line) for line in re.findall(r"uses: (\S+)", text))


def test_the_citation_is_complete() -> None:
    yaml = pytest.importorskip("yaml")
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert {"cff-version", "message", "title", "authors", "license"} <= set(citation)
    assert citation["license"] == project()["license"]
