"""Whose pixels these are: every convention tried on a picture before and after its resize."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from fastup.arrays import held
from fastup.operators.resizing import resize
from fastup.plan import check
from fastup.plan.conventions import ALL, Convention
from fastup.plan.resizing import make_resize

Array = np.ndarray[Any, Any]
_OP = "identify"
_HALVES = 2e-3  # the share of items that may be a level apart


class Match(NamedTuple):
    """How near a convention comes to what was done to a picture.

    Attributes
    ----------
    convention : Convention
    options : dict
        What else `resize` was called with: whether the last channel is alpha.
    gives : bool
        Whether these are the pixels: equal, or within what the convention promises.
    largest : float
        The largest difference.
    share : float
        The share of equal items.
    sure : float
        The share of all other conventions that give other pixels for these pictures. Near 0 for flat ones, which say
        nothing.
    """

    convention: Convention
    options: dict[str, Any]
    gives: bool
    largest: float
    share: float
    sure: float


def identify(before: Any, after: Any) -> list[Match]:
    """Find the conventions that turn one picture into the other.

    Parameters
    ----------
    before, after : array
        (H, W) or (H, W, C), both with the same channels. Pixels that a library gave as floats may have been rounded to
        the dtype of `before`.

    Returns
    -------
    list of Match
        Every convention that takes such a picture, the nearest first. Those that `give` the pixels come before all
        others; where none does, something else was done, or a library that fastup does not know did it.

    Raises
    ------
    TypeError
        If one of them is no array in memory.
    ValueError
        If they are no pictures of the same channels.

    Examples
    --------
    >>> import fastup, numpy as np
    >>> before = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    >>> after = fastup.resize(before, (17, 31), like="opencv/area")
    >>> first = fastup.identify(before, after)[0]
    >>> first.convention.name, first.gives, first.largest
    ('opencv/area', True, 0.0)
    """
    before, after = (np.asarray(_picture(name, one)) for name, one in (("before", before), ("after", after)))
    if before.ndim != after.ndim or before.shape[2:] != after.shape[2:]:
        check.invalid(f"{_OP}: after must have the channels of before, {before.shape[2:]}, got shape {after.shape}")
    found = [one for one in _candidates(before) if _may_give(one[0], before.dtype, after.dtype)]
    span = _range(before)
    results: dict[Any, Array] = {}  # by what is done: many conventions are the same for a picture
    tried = [
        (
            convention,
            options,
            *_apart(after, _made(before, after, convention, options, results), convention.within * span),
        )
        for convention, options in found
    ]
    giving = sum(gives for *_, gives, _, _ in tried)
    others = max(1, len(tried) - 1)
    matches = [
        Match(convention, options, gives, largest, share, (len(tried) - giving) / others if gives else 0.0)
        for convention, options, gives, largest, share in tried
    ]
    return sorted(matches, key=lambda one: (not one.gives, -one.share, one.largest))


def _picture(name: str, value: Any) -> Array:
    array: Array = held(name, value)
    if array.ndim not in (2, 3) or 0 in array.shape:
        check.invalid(f"{_OP}: {name} must be a picture (H, W) or (H, W, C), got shape {array.shape}")
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _candidates(before: Array) -> Iterator[tuple[Convention, dict[str, Any]]]:
    """Conventions that take the picture, those with alpha both ways."""
    alpha = before.ndim == 3 and before.shape[2] in (2, 4) and before.dtype == np.uint8
    for convention in ALL.values():
        if before.dtype.name in convention.dtypes:
            yield convention, {}
            if alpha and "alpha" in convention.options:
                yield convention, {"alpha": False}


def _may_give(convention: Convention, before: np.dtype[Any], after: np.dtype[Any]) -> bool:
    """Whether the dtypes fit, or floats may have been rounded to integers."""
    made = convention.result_of(before)
    return made == after or (bool(convention.result) and made.kind == "f" and after.kind in "iu")


def _made(
    before: Array, after: Array, convention: Convention, options: dict[str, Any], results: dict[Any, Array]
) -> Array:
    """What a convention makes of the picture."""
    plan = make_resize(
        before.shape, before.dtype, after.shape[:2], None, convention, None, None, None, options.get("alpha"), None
    )
    key = (plan.steps, plan.outputs)
    if key not in results:
        results[key] = resize(before, after.shape[:2], like=convention, **options)
    return results[key]


def _apart(after: Array, made: Array, within: float) -> tuple[bool, float, float]:
    """Whether these are the pixels, how far they are away at most, and the share of equal items.

    Where floats are within a rounding, integers are a level apart where a half was met.
    """
    if made.dtype != after.dtype and after.dtype.kind in "iu":
        limits = np.iinfo(after.dtype)
        made = np.clip(np.rint(made), limits.min, limits.max)
    one, other = made.astype(np.float64), after.astype(np.float64)
    equal = (one == other) | (np.isnan(one) & np.isnan(other))
    with np.errstate(invalid="ignore"):
        largest = float(np.nanmax(np.where(equal, 0.0, np.abs(one - other)), initial=0.0))
    if np.isnan(one[~equal]).any() or np.isnan(other[~equal]).any():
        largest = float("inf")
    if after.dtype.kind in "iu" and within > 0:
        near = largest <= 1 and np.count_nonzero(~equal) <= _HALVES * equal.size
    else:
        near = 0 < largest <= within
    return bool(equal.all() or near), largest, float(equal.mean())


def _range(before: Array) -> float:
    """Between the least and the largest number."""
    finite = before[np.isfinite(before)].astype(np.float64)
    return float(np.ptp(finite)) if finite.size else 0.0
