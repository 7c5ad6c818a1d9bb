"""Cells of resizing by convention: the peer is the library whose pixels they are, to the bit."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.cell import Array, Cell, Way


def _pillow(cell: Cell, x: Array, y: Array) -> Way:
    from PIL import Image

    image = Image.fromarray(x)
    method = getattr(Image.Resampling, cell.keywords["like"].partition("/")[2].upper())
    height, width = cell.keywords["size"]

    def fresh() -> Any:
        return image.resize((width, height), method)

    return Way(fresh, None, lambda: np.asarray(fresh()))


_SIZES = ((720, 1280), (2160, 3840))
_PILLOW: dict[str, Any] = {"pillow": _pillow}

CELLS = (
    *(
        Cell("resize", (1080, 1920, 3), {"size": size, "like": f"pillow/{name}"}, "uint8", target=2.5, peers=_PILLOW)
        for size in _SIZES
        for name in ("nearest", "box", "bilinear", "hamming", "bicubic", "lanczos", "mks2013")
    ),
    Cell("resize", (1080, 1920, 4), {"size": (720, 1280), "like": "pillow/bicubic"}, "uint8", 2.5, peers=_PILLOW),
    Cell("resize", (3000, 4000, 3), {"size": (224, 224), "like": "pillow/bilinear"}, "uint8", 2.5, peers=_PILLOW),
    Cell("resize", (1080, 1920), {"size": (720, 1280), "like": "pillow/lanczos"}, "float32", 2.5, peers=_PILLOW),
)
