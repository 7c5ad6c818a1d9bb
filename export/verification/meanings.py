"""A node in torch's words: the calls that it may stand for, and the one that gives its numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import onnx

from fastup.export.tolerances import Tolerance
from fastup.export.verification.report import Difference, difference

Array = np.ndarray[Any, Any]


class Candidate(NamedTuple):
    """A call of one of torch's operators (fastup's, which equal them) that the author may have meant.

    Attributes
    ----------
    words : str
    call : callable
    operator : str
        Of fastup, for its exporter; empty where there is none.
    keywords : dict
    torch : callable, optional
        The same call as a model for the runtime torch; None where it has no such function.
    """

    words: str
    call: Callable[[], Array]
    operator: str = ""
    keywords: Mapping[str, Any] = MappingProxyType({})
    torch: Callable[[], onnx.ModelProto] | None = None


class Meaning(NamedTuple):
    """A node in torch's words.

    Attributes
    ----------
    words : str
    candidates : list of Candidate
    causes : list of (str, str)
        What in the node keeps it from being one of them, and what to change; the first that applies comes first.
    warnings : list of str
    """

    words: str
    candidates: list[Candidate]
    causes: list[tuple[str, str]]
    warnings: list[str]


class Called(NamedTuple):
    """The call that was run and gave a node's numbers, or the nearest one and how far it is away."""

    words: str
    difference: Difference | None
    candidate: Candidate | None = None

    def torch(self) -> onnx.ModelProto | None:
        """The call for the runtime torch, where it gave the numbers."""
        fits = self.difference is not None and self.difference.within
        return self.candidate.torch() if fits and self.candidate and self.candidate.torch else None


def called_as(words: Meaning, result: Array, allowed: Tolerance) -> Called:
    """What to call a node that gave this result."""
    nearest: tuple[Candidate, Difference] | None = None
    for candidate in words.candidates:
        try:
            one = difference(result, candidate.call(), allowed)
        except (ValueError, TypeError):  # torch has no such call for these arrays
            continue
        if isinstance(one, str):
            continue
        if one.within:
            return Called(candidate.words, one, candidate)
        if nearest is None or one.absolute < nearest[1].absolute:
            nearest = candidate, one
    if nearest is None:
        return Called(words.words if not words.candidates else f"no call of torch: {words.words} does not fit", None)
    candidate, found = nearest
    return Called(f"no call of torch: the nearest is {candidate.words}, {found.absolute:.3g} away", found, candidate)
