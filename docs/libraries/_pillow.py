"""Image.resize of Pillow: floats plane by plane as mode "F", pictures of uint8 as mode "RGB"."""

from __future__ import annotations

import numpy as np
from PIL import Image

from docs.libraries import OTHER_ROUNDING, Array, Library, Resize, Setting, pictures, planes, version

_ANTIALIAS = "Pillow always stretches the filter when it shrinks"
_WHY = {
    "NEAREST": OTHER_ROUNDING,
    "BOX": "shrinking, it takes the pixels whose centres lie in an output, area all that the output touches",
    "BILINEAR": _ANTIALIAS,
    "HAMMING": "a filter that fastup and torch have not",
    "BICUBIC": f"{_ANTIALIAS}, and a = -0.5 even when it enlarges",
    "LANCZOS": _ANTIALIAS,
}


def library() -> Library:
    """Every filter."""
    settings = [
        Setting(name, resize(Image.Resampling[name]), f"image.resize((w, h), Image.Resampling.{name})", why)
        for name, why in _WHY.items()
    ]
    about = '`image.resize((w, h), ...)` of mode "F" for float32, of mode "RGB" for uint8.'
    return Library("Pillow", version("pillow"), about, settings)


def resize(flag: Image.Resampling) -> Resize:
    """Colours at once where Pillow can."""
    grey, colour = planes(_call(flag)), pictures(_call(flag))
    return lambda x, size: colour(x, size) if x.dtype == np.uint8 else grey(x, size)


def grey_resize(flag: Image.Resampling) -> Resize:
    """Plane by plane: mode "F", or "L" for uint8."""
    return planes(_call(flag))


def _call(flag: Image.Resampling) -> Resize:
    def call(x: Array, size: tuple[int, ...]) -> Array:
        height, width = size
        return np.asarray(Image.fromarray(x).resize((width, height), flag))

    return call
