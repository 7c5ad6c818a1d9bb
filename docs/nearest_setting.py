"""The search for fastup's nearest equivalent to a setting of another library."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

import fastup
from docs.figures import Array, photo
from docs.libraries import Setting
from fastup.plan.sampling import filters

FEW = 0.005  # of the pixels
ROUNDING = 1e-4  # of a white of 1: coordinates in float32 on 400 pixels
Options = tuple[tuple[str, Any], ...]


class Case(NamedTuple):
    """What is resized to what: `up` or down, by a whole factor or to a size without one."""

    name: str
    up: bool
    size: tuple[int, ...]


CASES = {
    1: (Case("x2", True, (400,)), Case("ragged up", True, (337,)), Case("/2", False, (100,)),
        Case("ragged down", False, (83,))),
    2: (Case("x2", True, (320, 400)), Case("ragged up", True, (263, 211)), Case("/2", False, (80, 100)),
        Case("ragged down", False, (57, 163))),
    3: (Case("x2", True, (16, 80, 100)), Case("ragged up", True, (11, 67, 83)), Case("/2", False, (4, 20, 25)),
        Case("ragged down", False, (5, 17, 21))),
}  # fmt: skip
NAMES = tuple(case.name for case in CASES[2])


class Apart(NamedTuple):
    """Largest and mean square difference, and the number of pixels that are more than a level of 255 apart."""

    largest: float
    square: float
    pixels: int


class Found(NamedTuple):
    """A setting of another library, fastup's nearest, and how far apart they are."""

    setting: Setting
    options: tuple[Options, Options]  # enlarging, shrinking
    differences: tuple[float, ...]  # the largest of each case, float32 from 0 to 1
    apart: float  # share of all pixels that differ by more than a level of 255
    levels: int | None  # the largest of all cases, uint8; None where the library refuses

    @property
    def verdict(self) -> str:
        """In a few words."""
        within = [value <= ROUNDING for value in self.differences]
        if not any(self.differences):
            return "equal"
        if all(within):
            return "rounding"
        if self.apart < FEW:
            return "few pixels"
        parts = {"enlarging": within[:2], "shrinking": within[2:], "whole factors": within[::2]}
        only = [name for name, part in parts.items() if all(part)]
        return f"only {only[0]}" if only else "no equivalent"


def nearest(setting: Setting) -> Found:
    """The setting that is within rounding most often, then the one with the least mean square difference.

    One for all cases if there it is within rounding or differs in few pixels, else one each for up and down.
    """
    cases = CASES[setting.rank]
    results = _results(setting)
    one = _best(setting.rank, results, range(len(cases)))
    found = _found(setting, results, (one, one))
    if found.verdict in ("equal", "rounding", "few pixels"):
        return found
    up, down = ([k for k, case in enumerate(cases) if case.up is wanted] for wanted in (True, False))
    return _found(setting, results, (_best(setting.rank, results, up), _best(setting.rank, results, down)))


def compare(setting: Setting, options: tuple[Options, Options]) -> Found:
    """How far a setting of another library is from these of fastup, for enlarging and for shrinking."""
    return _found(setting, _results(setting), options)


def _results(setting: Setting) -> list[Array]:
    return [setting.resize(pixels(setting.rank), case.size) for case in CASES[setting.rank]]


def _found(setting: Setting, results: list[Array], options: tuple[Options, Options]) -> Found:
    cases = CASES[setting.rank]
    rows = [_apart(setting.rank, y, case, options[not case.up]) for y, case in zip(results, cases, strict=True)]
    apart = sum(row.pixels for row in rows) / sum(y.size for y in results)
    return Found(setting, options, tuple(row.largest for row in rows), apart, _levels(setting, options))


@functools.cache
def pixels(rank: int, dtype: str = "float32") -> Array:
    """The photo that is resized, as (N, C, *spatial): rows, a picture, or a volume of shifted details."""
    colour = photo("coffee")[..., 120:280, 200:400]
    x = colour[0] if rank == 1 else colour
    if rank == 3:
        x = np.stack([colour[..., k : k + 40, 3 * k : 3 * k + 50] for k in range(8)], axis=2)
    return np.ascontiguousarray(x) if dtype == "uint8" else x.astype(np.float32) / 255


@functools.cache
def settings(rank: int) -> tuple[Options, ...]:
    """Everything that `fastup.interpolate` takes for so many axes, the simplest first; no second names."""
    flags: tuple[dict[str, bool], ...] = (
        {}, {"align_corners": True}, {"antialias": True}, {"align_corners": True, "antialias": True}
    )  # fmt: skip
    modes = [mode for mode, (record, wanted) in filters.modes().items() if wanted or rank not in record.ranked]
    every = [{"mode": mode, **chosen} for chosen in flags for mode in modes]
    return tuple(tuple(options.items()) for options in every if _legal(rank, options))


def _legal(rank: int, options: dict[str, Any]) -> bool:
    try:
        fastup.plan.interpolate(pixels(rank).shape, np.float32, CASES[rank][0].size, **options)
    except ValueError:
        return False
    return True


@functools.cache
def _ours(rank: int, dtype: str, size: tuple[int, ...], options: Options) -> Array:
    y: Array = fastup.interpolate(pixels(rank, dtype), size, **dict(options))
    return y


def _best(rank: int, results: list[Array], numbers: Sequence[int]) -> Options:
    def error(options: Options) -> tuple[int, float]:
        rows = [_apart(rank, results[k], CASES[rank][k], options) for k in numbers]
        return sum(row.largest > ROUNDING for row in rows), sum(row.square for row in rows)

    return min(settings(rank), key=error)


def _apart(rank: int, y: Array, case: Case, options: Options) -> Apart:
    difference = np.abs(_ours(rank, "float32", case.size, options).astype(np.float64) - y)
    return Apart(float(difference.max()), float((difference**2).mean()), int((difference > 1 / 255).sum()))


def _levels(setting: Setting, options: tuple[Options, Options]) -> int | None:
    x = pixels(setting.rank, "uint8")
    largest = 0
    for case in CASES[setting.rank]:
        try:
            y = setting.resize(x, case.size)
        except Exception:  # whatever a library raises for a dtype that it does not take
            return None
        ours = _ours(setting.rank, "uint8", case.size, options[not case.up])
        largest = max(largest, int(np.abs(ours.astype(np.int64) - y).max()))
    return largest
