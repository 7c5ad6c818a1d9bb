"""Store digests of what other libraries give for seeded calls: ``python -m tests.make_library_data NAME ROW``.

Run in an environment that has the version of the library that the row is about: `pillow-11` with Pillow 11.3.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.library_calls import LIBRARIES, PILLOW_METHODS, LibraryCall, digest

DATA = Path(__file__).parent / "data" / "libraries.json"
COUNT = 320


def calls_of(row: str) -> list[LibraryCall]:
    """The calls of a row: of older versions of Pillow without the filters that they have not."""
    library = row.partition("-")[0]
    calls, _ = LIBRARIES[library]
    if library == "pillow" and row != "pillow":
        return list(calls(COUNT, methods=PILLOW_METHODS[:-2]))
    if library == "skimage":  # whose Gaussian has NumPy's exponentials, which differ between versions
        return [call for call in calls(2 * COUNT) if "no_anti_aliasing" in call.method]
    return list(calls(COUNT))


def main(row: str) -> None:
    """Write the row's digests."""
    _, give = LIBRARIES[row.partition("-")[0]]
    stored = json.loads(DATA.read_text()) if DATA.exists() else {}
    stored[row] = [digest(give(call)) for call in calls_of(row)]
    DATA.write_text(json.dumps(stored, indent=0, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
