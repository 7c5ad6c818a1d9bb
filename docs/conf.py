"""Sphinx: ``python -m sphinx -W --keep-going docs build/docs``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import fastup

project = "fastup"
author = "The fastup developers"
version = release = fastup.__version__

extensions = ["sphinx.ext.autodoc", "sphinx.ext.autosummary", "numpydoc", "myst_parser"]
html_theme = "furo"
html_title = f"fastup {release}"
exclude_patterns = ["pictures"]
default_role = "py:obj"  # `fastup.run` links; what is no public name stays as it is

autosummary_generate = False  # the summaries link to entries of the same page
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # docstrings tell the types
numpydoc_show_class_members = False  # autodoc does
myst_heading_anchors = 2

_LITERAL = re.compile(r"(``.*?``)")
_SETTINGS = (Path(__file__).parent.parent / "pyproject.toml").read_text()
(_ADDRESS,) = re.findall(r'^Homepage = "(.*)"$', _SETTINGS, re.MULTILINE)


def setup(app: Any) -> None:
    """Hooks of this project."""
    app.connect("autodoc-process-docstring", _prepare, priority=400)  # before numpydoc
    app.connect("source-read", _link_out)


def _link_out(_app: Any, _name: str, source: list[str]) -> None:
    """Files beside this folder are no pages of the site: links to them go to the project's address."""
    source[0] = source[0].replace("](../", f"]({_ADDRESS}/blob/main/")


def _prepare(_app: Any, what: str, _name: str, _object: Any, _options: Any, lines: list[str]) -> None:
    """``(N, C, *space)`` is a shape and no emphasis; docstrings are read in terminals too, without a backslash."""
    if what == "data":
        lines.clear()  # a tuple has Python's own docstring
    example = False
    for number, line in enumerate(lines):
        example = bool(line.strip()) and (example or line.lstrip().startswith(">>>"))
        if not example:
            pieces = _LITERAL.split(line)
            pieces[::2] = [piece.replace("*", r"\*") for piece in pieces[::2]]
            lines[number] = "".join(pieces)
