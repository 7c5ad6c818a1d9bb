"""What all tests share: an object cache of their own, a seeded generator, and peers that may not be installed."""

from __future__ import annotations

import importlib
import os
import tempfile
from typing import Any

import numpy as np
import pytest

# Before fastup is imported: tests neither read nor fill the user's cache. CI names one folder for all its runs.
os.environ.setdefault("FASTUP_CACHE_DIR", tempfile.mkdtemp(prefix="fastup-tests-"))


@pytest.fixture
def generator() -> np.random.Generator:
    return np.random.default_rng(20240607)


@pytest.fixture
def torch() -> Any:
    """torch: without it the test is skipped, or fails where FASTUP_REQUIRE_PEERS=1 says that peers are there."""
    if os.environ.get("FASTUP_REQUIRE_PEERS") == "1":
        return importlib.import_module("torch")
    return pytest.importorskip("torch")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests against a live peer can be chosen by their mark."""
    for item in items:
        if "torch" in getattr(item, "fixturenames", ()):
            item.add_marker("peers")
