"""Samples -> amounts of light and back, by the curves of a picture's profile, or sRGB's where it has none.

Amounts of light add up, samples do not: the mean of black and white is 188 of 255. A profile's matrix is left out, for
sums of light commute with it. Curves: ICC.1:2022, sections 10.6 (curv) and 10.18 (para); sRGB: IEC 61966-2-1.
"""

from __future__ import annotations

import functools
import struct
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
STEPS = 2**16
_TAGS = {"rgb": (b"rTRC", b"gTRC", b"bTRC"), "grey": (b"kTRC",)}
_PARAMETERS = (1, 3, 4, 5, 7)  # of each function of a parametric curve
_FIXED = 65536.0


class Curves:
    """One curve for each colour: a table of the light that each of 65,536 samples stands for."""

    def __init__(self, tables: tuple[Array, ...]) -> None:
        self._tables = tables

    def light(self, samples: Array) -> Array:
        """Light as float32 of samples of 8 or 16 bits, (..., colours)."""
        step = (STEPS - 1) // int(np.iinfo(samples.dtype).max)
        channels = [table[::step].astype(np.float32)[samples[..., k]] for k, table in enumerate(self._tables)]
        return np.stack(channels, -1)

    def samples(self, light: Array, dtype: np.dtype[Any]) -> Array:
        """The samples nearest to amounts of light."""
        step = (STEPS - 1) // int(np.iinfo(dtype).max)
        found = np.empty(light.shape, dtype)
        for k, table in enumerate(self._tables):
            if step == 1:
                found[..., k] = np.rint(np.interp(light[..., k], table, np.arange(STEPS)))
            else:  # the light of the samples halfway between two
                below = np.arange(STEPS // step) * step + step // 2
                halfway = (table[below] + table[below + 1]) / 2
                found[..., k] = np.searchsorted(halfway, light[..., k], "right")
        return found


@functools.lru_cache(16)
def curves(kind: str, profile: bytes) -> Curves:
    """The curves of a grey or RGB picture with this profile, or with none."""
    if not profile:
        return Curves((_srgb(),) * len(_TAGS[kind]))
    tags = _tags(profile)
    try:
        return Curves(tuple(_curve(tags[name]) for name in _TAGS[kind]))
    except (KeyError, struct.error, IndexError):
        raise ValueError("its profile of colours has no curves that --linear-light could use") from None


def _positions() -> Array:
    return np.arange(STEPS) / (STEPS - 1)


def _srgb() -> Array:
    x = _positions()
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)


def _tags(profile: bytes) -> dict[bytes, bytes]:
    """The elements of a profile by their signatures (section 7.3)."""
    (count,) = struct.unpack_from(">I", profile, 128)
    entries = [struct.unpack_from(">4sII", profile, 132 + 12 * k) for k in range(min(count, 256))]
    return {name: profile[start : start + size] for name, start, size in entries}


def _curve(element: bytes) -> Array:
    """The table of one element, which rises."""
    kind, x = element[:4], _positions()
    if kind == b"para":
        (number,) = struct.unpack_from(">H", element, 8)
        values = [value / _FIXED for value in struct.unpack_from(f">{_PARAMETERS[number]}i", element, 12)]
        table = _parametric(number, values, x)
    elif kind == b"curv":
        (count,) = struct.unpack_from(">I", element, 8)
        if count == 0:
            return x
        entries = np.frombuffer(element, ">u2", count, 12)
        table = x ** (entries[0] / 256) if count == 1 else np.interp(x, np.linspace(0, 1, count), entries / (STEPS - 1))
    else:
        raise KeyError(kind)
    return np.maximum.accumulate(np.clip(table, 0, 1))


def _parametric(number: int, values: list[float], x: Array) -> Array:
    """Function 0 to 4 of table 68."""
    g, a, b, c, d, e, f = (*values, *(1.0, 0.0, 0.0, 0.0, 0.0, 0.0)[len(values) - 1 :])
    if number in (1, 2):
        d, e, f, c = -b / a, (c if number == 2 else 0.0), (c if number == 2 else 0.0), 0.0
    power = np.maximum(a * x + b, 0) ** g
    return np.asarray(power if number == 0 else np.where(x >= d, power + e, c * x + f))
