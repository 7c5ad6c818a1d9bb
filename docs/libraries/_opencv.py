"""cv2.resize."""

from __future__ import annotations

import cv2
import numpy as np

from docs.libraries import NO_ANTIALIAS, OTHER_ROUNDING, Library, Resize, Setting, pictures

_WHY = {
    "INTER_NEAREST": "",
    "INTER_NEAREST_EXACT": OTHER_ROUNDING,
    "INTER_LINEAR": NO_ANTIALIAS,
    "INTER_LINEAR_EXACT": NO_ANTIALIAS,
    "INTER_CUBIC": f"a = -0.75, {NO_ANTIALIAS}; of uint8, fastup and torch round and clip after each axis, OpenCV once",
    "INTER_AREA": "at the border of an output it counts the part of a pixel that is covered, torch and fastup all of "
    "it; enlarging, it is linear with coordinates of its own",
    "INTER_LANCZOS4": f"eight taps where fastup has six; {NO_ANTIALIAS}",
}


def library() -> Library:
    """Every flag."""
    settings = [
        Setting(flag, resize(flag), f"cv2.resize(x, (w, h), interpolation=cv2.{flag})", why)
        for flag, why in _WHY.items()
    ]
    return Library("OpenCV", cv2.__version__, "`cv2.resize(x, (w, h), interpolation=...)` of (H, W, 3).", settings)


def resize(flag: str) -> Resize:
    """cv2.resize with the flag of this name."""
    return pictures(lambda x, size: np.asarray(cv2.resize(x, size[::-1], interpolation=getattr(cv2, flag))))
