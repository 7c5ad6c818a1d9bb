"""What pyproject.toml cannot say: with ``FASTUP_SEEDS`` a wheel carries compiled kernels, and is one of a platform.

``FASTUP_SEEDS=all python -m build`` packs x86-64-v2, -v3 and -v4; names of levels, with commas, pack these only.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from setuptools import setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

SEEDS = os.environ.get("FASTUP_SEEDS", "")


class WithSeeds(build_py):  # type: ignore[misc]
    """The package, and in it a shared object for each level."""

    def run(self) -> None:
        """Copy, then compile what was copied: packed kernels are found by the hash of their sources."""
        super().run()
        if SEEDS and not self.editable_mode:
            levels = [] if SEEDS == "all" else SEEDS.split(",")
            folder = Path(self.build_lib).resolve()
            environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), *sys.path])}
            command = [sys.executable, "-m", "fastup.seeding", str(folder / "fastup" / "seeds"), *levels]
            subprocess.run(command, check=True, env=environment, cwd=folder)


class ForThisPlatform(bdist_wheel):  # type: ignore[misc]
    """A wheel for every Python 3, of a platform where it carries kernels: they need glibc's memcpy of 2.14."""

    def finalize_options(self) -> None:
        """Say what it is."""
        super().finalize_options()
        self.root_is_pure = not SEEDS

    def get_tag(self) -> Any:
        """The tag that installers read."""
        return ("py3", "none", "manylinux_2_17_x86_64") if SEEDS else super().get_tag()


setup(cmdclass={"build_py": WithSeeds, "bdist_wheel": ForThisPlatform})
