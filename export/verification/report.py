"""How far results are apart, what a verification found, as data, and what it means for the exit status."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import numpy as np

from fastup.export.tolerances import Tolerance

Array = np.ndarray[Any, Any]
VERDICTS = ("equal", "within tolerance", "known difference", "different")
_PIECE = 2**18  # items
_SILENT = ("not run", "not judged")  # it refused, or is known to be mistaken


class Difference(NamedTuple):
    """One result against another.

    Attributes
    ----------
    absolute, relative : float
        The largest difference, and the largest one over the expected magnitude.
    differing, size : int
        How many items differ, and how many there are.
    where : tuple of int
        The item that differs most.
    within : bool
        Whether the tolerance explains all of it.
    """

    absolute: float
    relative: float
    differing: int
    size: int
    where: tuple[int, ...]
    within: bool

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        return self.differing == 0


_SAME = Difference(0.0, 0.0, 0, 0, (), True)


def difference(result: Array, expected: Array, allowed: Tolerance) -> Difference | str:
    """How they differ, or why they cannot be compared."""
    if result.shape != expected.shape or result.dtype != expected.dtype:
        return f"gives {result.dtype}{result.shape} in place of {expected.dtype}{expected.shape}"
    pieces = [
        _piece(mine, theirs, allowed._replace(share=1.0), start)
        for mine, theirs, start in _pieces(result.reshape(-1), expected.reshape(-1))
    ]
    worst = max(pieces, key=lambda one: one.absolute, default=_SAME)
    differing = sum(one.differing for one in pieces)
    few = differing <= math.ceil(allowed.share * result.size)
    where = tuple(int(k) for k in np.unravel_index(worst.where[0], result.shape)) if differing else ()
    relative = max((one.relative for one in pieces), default=0.0)
    within = few and all(one.within for one in pieces)
    return Difference(worst.absolute, relative, differing, result.size, where, within)


def _pieces(result: Array, expected: Array) -> Iterator[tuple[Array, Array, int]]:
    """Of a length that fits into caches, as they are compared in float64."""
    for start in range(0, result.size, _PIECE):
        yield result[start : start + _PIECE], expected[start : start + _PIECE], start


def _piece(result: Array, expected: Array, allowed: Tolerance, start: int) -> Difference:
    unequal = result != expected
    if unequal.any():
        unequal &= (result == result) | (expected == expected)  # NaN is NaN
    if not unequal.any():
        return _SAME
    a, b = result.astype(np.float64), expected.astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        away = np.where(unequal, np.nan_to_num(np.abs(a - b), nan=np.inf), 0.0)
        relative = away / np.maximum(np.abs(b), np.finfo(np.float64).tiny)
    where = (start + int(away.argmax()),)
    within = allowed.misses(result, expected) == 0
    return Difference(float(away.max()), float(relative.max()), int(unequal.sum()), result.size, where, within)


@dataclass
class Outcome:
    """One runtime on one node, against fastup.

    Attributes
    ----------
    difference : Difference, optional
        None where it refused, or gave something else than an array of the right shape and dtype.
    message : str
        Why it refused, which attribute it drops, or why its difference is known.
    advice : str
        What to change in the model.
    """

    verdict: str
    difference: Difference | None = None
    message: str = ""
    advice: str = ""


def judge(results: list[Array], expected: list[Array], allowed: Tolerance) -> Outcome:
    """The worst of a node's outputs."""
    worst: Difference | None = None
    for result, wanted in zip(results, expected, strict=False):
        found = difference(result, wanted, allowed)
        if isinstance(found, str):
            return Outcome("different", message=found)
        if worst is None or (found.within, -found.absolute) < (worst.within, -worst.absolute):
            worst = found
    if worst is None or worst.equal:
        return Outcome("equal", worst)
    return Outcome("within tolerance" if worst.within else "different", worst)


class Picture:
    """The largest difference of any runtime at each position of the last two axes.

    Attributes
    ----------
    away : array or None
        None where there are no two axes.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.away: Array | None = np.zeros(shape[-2:]) if len(shape) > 1 and 0 not in shape else None

    def add(self, result: Array, expected: Array) -> None:
        """One more result, plane by plane."""
        if self.away is None or result.shape != expected.shape or np.array_equal(result, expected):
            return
        planes = zip(result.reshape(-1, *self.away.shape), expected.reshape(-1, *self.away.shape), strict=True)
        for mine, theirs in planes:
            with np.errstate(invalid="ignore"):
                self.away = np.fmax(self.away, np.abs(mine.astype(np.float64) - theirs.astype(np.float64)))


@dataclass
class NodeReport:
    """One node."""

    name: str
    op_type: str
    words: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    dtype: str
    tolerance: float
    tolerance_source: str
    runtimes: dict[str, Outcome] = field(default_factory=dict)
    torch: Outcome | None = None
    warnings: list[str] = field(default_factory=list)
    seconds: float = 0.0
    picture: Any = field(default=None, repr=False)  # largest difference over the last two axes

    def verdict(self, judged: tuple[str, ...]) -> str:
        """The worst of the judged runtimes, and of torch's operator where it was asked for."""
        outcomes = [one for name, one in self.runtimes.items() if name.split(",")[0] in judged]
        outcomes += [self.torch] if self.torch else []
        ran = [one.verdict for one in outcomes if one.verdict not in _SILENT]
        return max(ran, key=VERDICTS.index, default="not run")


@dataclass
class Report:
    """A model.

    Attributes
    ----------
    model : str
    chosen : list of str
        Dimensions that the model left open, and what was taken.
    judged : tuple of str
        The runtimes that decide.
    nodes : list of NodeReport
    skipped : list of str
        Nodes within control flow, which were not run.
    unjudged : list of str
        Nodes that fastup has no operator for.
    """

    model: str
    chosen: list[str]
    judged: tuple[str, ...]
    versions: dict[str, str]
    nodes: list[NodeReport]
    skipped: list[str]
    unjudged: list[str] = field(default_factory=list)

    def status(self, strict: bool = False) -> int:
        """0: all equal or within tolerance. 1: some node differs, or with `strict` has a warning."""
        differs = any(one.verdict(self.judged) in ("known difference", "different") for one in self.nodes)
        warned = any(one.warnings for one in self.nodes) or bool(self.skipped)
        return int(differs or (strict and warned))

    def to_json(self) -> str:
        """All of it but the pictures."""
        nodes = []
        for one in self.nodes:
            entry = asdict(one)
            entry.pop("picture")
            for outcome in [*entry["runtimes"].values(), entry["torch"]]:
                if outcome and outcome["difference"] is not None:
                    outcome["difference"] = Difference(*outcome["difference"])._asdict()
            nodes.append({**entry, "verdict": one.verdict(self.judged)})
        whole = {**{key: value for key, value in vars(self).items() if key != "nodes"}, "nodes": nodes}
        return json.dumps(whole, indent=2, default=_plain)


def worst(reports: Sequence[Report]) -> Report:
    """Reports of one model on several sets of inputs as one: of each outcome the worst."""
    first, *others = reports
    for other in others:
        for mine, theirs in zip(first.nodes, other.nodes, strict=True):
            for name, outcome in theirs.runtimes.items():
                mine.runtimes[name] = _worse(mine.runtimes.get(name), outcome)
            mine.torch = _worse(mine.torch, theirs.torch) if theirs.torch else mine.torch
            mine.warnings = list(dict.fromkeys([*mine.warnings, *theirs.warnings]))
            mine.seconds += theirs.seconds
        first.chosen = list(dict.fromkeys([*first.chosen, *other.chosen]))
    return first


def _worse(one: Outcome | None, other: Outcome) -> Outcome:
    order = (*_SILENT, *VERDICTS)
    return other if one is None or order.index(other.verdict) > order.index(one.verdict) else one


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else str(value)
