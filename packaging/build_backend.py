"""setuptools, with what compiles kernels where a wheel is to carry them."""

from __future__ import annotations

import os
from typing import Any

from setuptools import build_meta as _setuptools
from setuptools.build_meta import *  # noqa: F403


def get_requires_for_build_wheel(config_settings: Any = None) -> list[str]:
    """With ``FASTUP_SEEDS`` also what `fastup.seeding` runs on."""
    compilers = ["numpy>=1.24", "numba>=0.61"] if os.environ.get("FASTUP_SEEDS") else []
    return [*_setuptools.get_requires_for_build_wheel(config_settings), *compilers]
