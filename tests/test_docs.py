"""The documentation in the checkout: complete, and what its pages say still holds."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import fastup

DOCS = Path(__file__).parent.parent / "docs"
pytestmark = pytest.mark.skipif(not DOCS.is_dir(), reason="the checkout, not an installed package")
INDEX = (DOCS / "index.md").read_text() if DOCS.is_dir() else ""
PLACES = (DOCS.parent, DOCS.parent / "fastup", DOCS.parent / "fastup" / "cpu")
PAGES = {
    "functions": "fastup",
    "layers": "fastup.nn",
    "networks": "fastup.networks",
    "init": "fastup.init",
    "plan": "fastup.plan",
    "export": "fastup.export",
}


@pytest.fixture
def pictures() -> None:
    """Skip where the gallery cannot be drawn."""
    for module in ("PIL", "skimage", "rich"):
        pytest.importorskip(module)


@pytest.mark.quick
def test_the_gallery_has_every_mode() -> None:
    text = (DOCS / "gallery.md").read_text()
    assert [mode for mode in fastup.plan.MODES if f"`{mode}`" not in text] == []


@pytest.mark.quick
def test_the_gallery_shows_every_picture_and_no_other() -> None:
    linked = re.findall(r"\]\(pictures/([^)]+)\)", (DOCS / "gallery.md").read_text())
    files = list((DOCS / "pictures").iterdir())
    assert sorted(linked) == sorted(file.name for file in files)
    assert all(file.read_bytes().startswith(b"\x89PNG") for file in files)
    assert sum(file.stat().st_size for file in files) < 1_500_000


@pytest.mark.quick
@pytest.mark.parametrize("page", PAGES)
def test_the_reference_has_every_public_name(page: str) -> None:
    if page == "export":
        pytest.importorskip("onnx")
    text = (DOCS / "reference" / f"{page}.rst").read_text()
    module = importlib.import_module(PAGES[page])
    summaries = re.findall(r"^\.\. autosummary::\n(?:   :.*\n)*\n((?:   \S+\n)+)", text, re.MULTILINE)
    listed = [*"".join(summaries).split(), *re.findall(r"^\.\. autodata:: (\S+)", text, re.MULTILINE)]
    listed += re.findall(rf":mod:`{module.__name__}\.(\w+)`", text)
    assert sorted(listed) == sorted(module.__all__)
    assert f".. automodule:: {module.__name__}\n   :members:\n" in text
    assert f"   {page}\n" in (DOCS / "reference" / "index.rst").read_text()


def test_a_section_of_the_gallery_made_again_says_the_same(pictures: None) -> None:
    from docs.sections import corners

    assert corners.make().markdown() in (DOCS / "gallery.md").read_text()


@pytest.mark.quick
def test_the_page_of_conventions_lists_all() -> None:
    from docs.conventions_page import text

    assert (DOCS / "conventions.md").read_text() == text()


def anchors(page: Path) -> set[str]:
    """What a page's headings are linked as."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.quick
def test_links_between_pages_lead_somewhere() -> None:
    root = DOCS.parent
    pages = [*root.glob("*.md"), *DOCS.glob("*.md"), *(root / "examples").glob("*.md"), *root.glob("benchmarks/*/*.md")]
    assert len(pages) >= 18
    for page in pages:
        for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
            name, _, anchor = link.partition("#")
            if not link.startswith("https://"):
                target = page.parent / name if name else page
                assert target.exists(), f"{page.name}: {link}"
                assert not anchor or anchor in anchors(target), f"{page.name}: {link}"


@pytest.mark.quick
@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/architecture.md"])
def test_files_that_pages_name_are_there(page: str) -> None:
    text = (DOCS.parent / page).read_text()
    named = re.findall(r"`((?:\w+/)+\w+/?|(?:\w+/)*\w+\.py)`", text)
    assert len(named) > 10
    assert [name for name in named if not any((folder / name).exists() for folder in PLACES)] == []


@pytest.mark.quick
def test_the_site_has_every_page() -> None:
    listed = re.findall(r"^(\S+)$", "".join(re.findall(r"^```{toctree}\n(.*?)^```$", INDEX, re.M | re.S)), re.M)
    pages = {str(page.relative_to(DOCS).with_suffix("")) for page in DOCS.glob("*.md")} - {"index"}
    assert pages | {"reference/index"} == {name for name in listed if not name.startswith(":")}
    assert [name for name in pages if f"]({name}.md)" not in INDEX] == []


@pytest.mark.quick
def test_the_readme_is_short_and_its_figures_are_measured() -> None:
    readme, results = (DOCS.parent / "README.md").read_text(), DOCS.parent / "benchmarks" / "results"
    assert readme.count("\n") <= 160
    lines = readme.partition("<!-- benchmarks -->")[2].partition("<!-- /benchmarks -->")[0].splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("|")][2:]
    (said,) = (line.partition(" on ") for line in lines if line.startswith("Fastest in"))
    (processor,) = re.findall(r"\((\w+), ", said[2])
    measured = (results / f"{processor}.md").read_text().partition("\n## Every cell\n")[2].partition("\n## ")[0]
    assert said[0] in measured
    assert len(rows) == 8
    for title, *ratios in rows:
        (cells,) = (line.split(" | ") for line in measured.splitlines() if line.startswith(f"| {title} | "))
        peers = [re.findall(r"\((\w+)\)", cell)[0] for cell in (cells[2], cells[5])]
        found = [float(cell.split()[0]) for cell in (cells[3], cells[6])]
        assert ratios == [f"{ratio:.1f} ({peer})" for ratio, peer in zip(found, peers, strict=True)]


def test_a_section_of_results_is_written_beside_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks import report

    monkeypatch.delenv("NUMBA_CPU_NAME", raising=False)
    file = report.put("One", "first\n\n### More\n\ntext", tmp_path)
    assert report.put("Two", "second", tmp_path) == file
    monkeypatch.setenv("NUMBA_CPU_NAME", "x86-64-v3")
    report.put("Two", "third", tmp_path)
    monkeypatch.delenv("NUMBA_CPU_NAME")
    report.put("One", "again", tmp_path)
    text = file.read_text()
    assert re.findall("^## (.*)$", text, re.M) == ["One", "Two", "Two, kernels of x86-64-v3"]
    assert [word in text for word in ("first", "again", "second", "third")] == [False, True, True, True]
    assert text.count(report.machine()) == 3


def test_the_readme_takes_new_figures(tmp_path: Path) -> None:
    from benchmarks.cells import CELLS
    from benchmarks.protocol import Interval
    from benchmarks.report import Column, Result, put_into_readme

    one = Interval(1.0, 1.0, 1.0)
    won, lost = (Column(one, "torch", one, Interval(ratio, ratio, ratio)) for ratio in (2.0, 0.5))
    results = [Result(cell, won, won if k % 2 else lost, 1.0, {}, {}) for k, cell in enumerate(CELLS)]
    before, copy = (DOCS.parent / "README.md").read_text(), tmp_path / "README.md"
    copy.write_text(before)
    put_into_readme(results, copy)
    after = copy.read_text()
    assert f"Fastest in {len(CELLS) // 2} of {len(CELLS)} cells" in after
    assert after.count("| 2.0 (torch) |") == 8
    assert 0 < after.count("** | 2.0 (torch) | 0.5 (torch) |") < 8
    assert [text.partition("<!--")[0] for text in (before, after)] == [before.partition("<!--")[0]] * 2


def code_blocks(language: str) -> dict[str, list[str]]:
    """The blocks of a language of each page."""
    pages = [DOCS.parent / "README.md", *DOCS.rglob("*.md"), *DOCS.rglob("*.rst")]
    found = {page.name: re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.M | re.S) for page in pages}
    return {name: blocks for name, blocks in found.items() if blocks}


def test_python_of_the_pages_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each page is one program, whose blocks follow one another."""
    pytest.importorskip("onnxruntime")
    monkeypatch.chdir(tmp_path)
    pages = code_blocks("python")
    assert {"README.md", "guide.md", "index.md", "onnx.md"} <= set(pages)
    for name, blocks in pages.items():
        scope: dict[str, Any] = {}
        for block in blocks:
            exec(compile(block, name, "exec"), scope)


def test_commands_of_the_pages_run(tmp_path: Path) -> None:
    """All but those that set up an environment, which CI runs, and with the file that they name."""
    zarr = pytest.importorskip("zarr")
    zarr.save_array(tmp_path / "big.zarr", np.random.default_rng(0).random((4, 5, 6), np.float32))
    blocks = [block for blocks in code_blocks("sh").values() for block in blocks if "-m venv" not in block]
    assert blocks
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(DOCS.parent)}
    for block in blocks:
        subprocess.run(["sh", "-e", "-c", block], cwd=tmp_path, env=environment, check=True)
    assert zarr.open_array(tmp_path / "out.zarr").shape == (8, 10, 12)


def test_parts_come_on_first_use(tmp_path: Path) -> None:
    code = """
        import sys, fastup
        heavy = {"onnx", "numba", "llvmlite", "fastup.nn", "fastup.networks", "fastup.export"} & set(sys.modules)
        assert not heavy, heavy
        fastup.nn.ReLU(), fastup.networks.ESPCN, fastup.export.interpolate
        assert not hasattr(fastup, "nothing")
        sys.modules["onnx"] = None
        del sys.modules["fastup.export"], fastup.export
        try:
            fastup.export
        except ModuleNotFoundError as error:
            print(error)
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    done = subprocess.run(command, cwd=DOCS.parent, capture_output=True, text=True, check=True)
    assert done.stdout == "fastup.export needs onnx; install it with: pip install 'fastup[onnx]'\n"


class Row(NamedTuple):
    """A line of a table of the page."""

    options: tuple[Any, Any]
    differences: list[str]
    levels: str
    verdict: str


def row(library: str, name: str) -> Row:
    section = (DOCS / "library-settings.md").read_text().partition(f"\n## {library} ")[2].partition("\n## ")[0]
    (line,) = (line for line in section.splitlines() if line.startswith(f"| `{name}` |"))
    _, _, ours, *differences, _, levels, verdict, _ = (cell.strip() for cell in line.split("|"))
    written = re.findall("`([^`]+)`", ours)
    options = [(("mode", mode), *((flag, True) for flag in flags)) for mode, *flags in (w.split(", ") for w in written)]
    return Row((options[0], options[-1]), differences, levels, verdict.strip("*"))


def assert_page_holds(library: Any, name: str) -> None:
    """What the page says of a setting: the nearest one of fastup is as far away as it says."""
    from docs.nearest_setting import ROUNDING, compare
    from docs.page import shown

    (setting,) = (setting for setting in library.settings if setting.name == name)
    said = row(library.name, name)
    found = compare(setting, said.options)
    exact = ("equal", "rounding")  # which of the two depends on the processor
    assert found.verdict == said.verdict or {found.verdict, said.verdict} <= set(exact)
    for value, text in zip(found.differences, said.differences, strict=True):
        assert shown(value) == text or max(value, float(text)) <= ROUNDING
    assert (found.levels is None) == (said.levels == "refused")
    assert found.levels is None or abs(found.levels - int(said.levels)) <= 1


@pytest.mark.parametrize("name", ["nearest", "bilinear", "bicubic, antialias", "trilinear, align_corners"])
def test_settings_of_torch(name: str, pictures: None, torch: Any) -> None:
    from docs.libraries import _torch

    assert_page_holds(_torch.library(), name)


@pytest.mark.parametrize("name", ["NEAREST", "BOX", "BILINEAR", "BICUBIC"])
def test_settings_of_pillow(name: str, pictures: None) -> None:
    from docs.libraries import _pillow

    assert_page_holds(_pillow.library(), name)


@pytest.mark.parametrize("name", ["order=1, anti_aliasing=False", "order=1, anti_aliasing=True"])
def test_settings_of_scikit_image(name: str, pictures: None) -> None:
    from docs.libraries import _skimage

    assert_page_holds(_skimage.library(), name)


def test_every_setting_of_a_library_is_on_the_page(pictures: None) -> None:
    from docs.libraries import _pillow, _skimage

    for library in (_pillow.library(), _skimage.library(), _skimage.scipy_library()):
        for setting in library.settings:
            assert row(library.name, setting.name).verdict
