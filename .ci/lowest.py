"""Print the lowest version that pyproject.toml allows of every dependency, as constraints for pip."""

from __future__ import annotations

import re
from pathlib import Path

import tomllib

project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
wanted = [*project["dependencies"], *(entry for extra in project["optional-dependencies"].values() for entry in extra)]
for entry in dict.fromkeys(wanted):
    if found := re.fullmatch(r"([A-Za-z0-9_-]+)(?:\[\w+\])?>=([0-9.]+)", entry):
        print(f"{found[1]}=={found[2]}.*")
