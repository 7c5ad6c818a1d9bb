"""Settings of other libraries as functions of (x, size), for the page that compares them with fastup's."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]
# Said of every nearest rule that is torch's nearest-exact but for the arithmetic.
OTHER_ROUNDING = (
    "where a centre falls on the border of two pixels, its coordinates round otherwise than the float32 ones of torch "
    "and fastup"
)
NO_ANTIALIAS = "no antialias when shrinking"
Resize = Callable[[Array, tuple[int, ...]], Array]


class Setting(NamedTuple):
    """One way to call a library."""

    name: str
    resize: Resize  # (N, C, *spatial) to (N, C, *size) of the same dtype
    code: str = ""  # what one writes; empty: not in the key
    why: str = ""  # what is known of the cause
    rank: int = 2  # spatial axes


class Library(NamedTuple):
    """A library's settings, and a sentence on how they were called."""

    name: str
    version: str
    about: str
    settings: list[Setting]


def version(distribution: str) -> str:
    """The version, without what names a build."""
    return importlib.metadata.version(distribution).partition("+")[0]


def planes(resize: Resize) -> Resize:
    """A function of (height, width) for all planes of (N, C, H, W)."""

    def all_planes(x: Array, size: tuple[int, ...]) -> Array:
        flat = x.reshape(-1, *x.shape[2:])
        return np.stack([resize(plane, size) for plane in flat]).reshape(*x.shape[:2], *size)

    return all_planes


def pictures(resize: Resize) -> Resize:
    """A function of (height, width, channels) for the one picture of (1, C, H, W)."""

    def one_picture(x: Array, size: tuple[int, ...]) -> Array:
        return np.moveaxis(resize(np.ascontiguousarray(np.moveaxis(x[0], 0, -1)), size), -1, 0)[None]

    return one_picture
