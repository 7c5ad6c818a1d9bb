"""The modes of interpolation: their names, and what may be combined with them."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastup.plan import check
from fastup.plan.sampling import axes

# torch's names belong to a number of spatial axes; the others take any.
_OF_RANK = {"linear": ("linear", 1), "bilinear": ("linear", 2), "bicubic": ("cubic", 2), "trilinear": ("linear", 3)}
_OF_ANY_RANK = {
    "nearest": "nearest",
    "nearest-exact": "nearest-exact",
    "area": "area",
    "cubic": "cubic",
    "lanczos": "lanczos",
    "n-linear": "linear",
}
MODES = (*_OF_ANY_RANK, *_OF_RANK)
AXIS_MODES = ("nearest", "nearest-exact", "linear", "cubic", "lanczos", "area")
WITH_ANTIALIAS = ("linear", "cubic", "lanczos")
WITH_ALIGN_CORNERS = ("linear", "cubic")


def of_axes(op: str, mode: Any, shape: tuple[int, ...], rank: int) -> tuple[str, ...]:
    """What happens along each axis."""
    if isinstance(mode, tuple):
        if len(mode) != rank:
            entries = "1 entry" if rank == 1 else f"{rank} entries"
            check.invalid(f"{op}: mode must have {entries} for x of shape {shape}, got {mode}")
        return tuple(check.choice(op, "mode of an axis", one, AXIS_MODES) for one in mode)
    check.choice(op, "mode", mode, MODES)
    if mode in _OF_ANY_RANK:
        return (_OF_ANY_RANK[mode],) * rank
    kind, wanted = _OF_RANK[mode]
    if wanted != rank:
        any_rank = "n-linear" if kind == "linear" else "cubic"
        check.invalid(
            f"{op}: mode {mode!r} must be given x of {wanted + 2} dimensions (mode {any_rank!r} takes any),"
            f" got shape {shape}"
        )
    return (kind,) * rank


def check_options(op: str, mode: Any, modes: tuple[str, ...], align_corners: bool | None, antialias: bool) -> None:
    """Refuse options that none of the axes has."""
    if align_corners is not None and not set(modes) & {*WITH_ALIGN_CORNERS, "lanczos"}:
        check.invalid(f"{op}: align_corners must be None for mode {mode!r}, got {align_corners!r}")
    if align_corners and not set(modes) & set(WITH_ALIGN_CORNERS):
        check.invalid(f"{op}: align_corners must be None or False for mode {mode!r}, got True")
    if antialias and not set(modes) & set(WITH_ANTIALIAS):
        check.invalid(f"{op}: antialias must be False for mode {mode!r}, got True")


def check_dtype(op: str, modes: tuple[str, ...], dtype: np.dtype[Any]) -> None:
    """Refuse dtypes that the modes cannot take."""
    if set(modes) <= set(axes.NEAREST):
        check.movable(op, dtype)
    else:
        check.numeric(op, dtype)
