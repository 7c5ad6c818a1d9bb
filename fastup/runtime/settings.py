"""Environment variables: a value that cannot be used is told once and counts as none."""

from __future__ import annotations

import functools
import os
import warnings

# Settings of Numba that change machine code; one that is missing here would serve code that was made under others.
NUMBA = (
    "NUMBA_OPT", "NUMBA_LOOP_VECTORIZE", "NUMBA_SLP_VECTORIZE", "NUMBA_ENABLE_AVX", "NUMBA_BOUNDSCHECK",
    "NUMBA_DISABLE_INTEL_SVML",
)  # fmt: skip
_MOST_DIGITS = 19  # of a 64-bit number


def number(name: str, minimum: int) -> int | None:
    """The variable as an integer of at least `minimum`; None where it is not set or no such number."""
    text = os.environ.get(name)
    return None if text is None else _parsed(name, text, minimum)


@functools.cache
def _parsed(name: str, text: str, minimum: int) -> int | None:
    found = text.strip()
    if found.isdecimal() and len(found) < _MOST_DIGITS and int(found) >= minimum:
        return int(found)
    if found:
        ignored(name, text, f"an integer of at least {minimum}")
    return None


@functools.cache
def ignored(name: str, text: str, rule: str, why: str = "") -> None:
    """Tell, once, that a variable is not used, and what it must be."""
    reason = f"which {why} and is ignored" if why else "which is ignored"
    warnings.warn(f"fastup: {name} must be {rule}, got {text!r}, {reason}", RuntimeWarning, stacklevel=2)
