"""The record of a convention, and what a resize asks it for."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from fastup.plan import check
from fastup.plan.conventions.steps import Shape, Step

OPERATOR = "resize"


class Request(NamedTuple):
    """A call of `resize`, normalised.

    Attributes
    ----------
    shape : tuple of int
        (N, H, W, C) of the picture.
    dtype : numpy.dtype
    size : (int, int)
    scale_factor : tuple of float, or None
        What the size follows from, if that was given.
    box : (float, float, float, float), or None
        Left, top, right and bottom of the part that is resized.
    reducing_gap : float, or None
    alpha : bool
        Whether the last channel is one.
    depth : (int, int), or None
        That of volumes, before and after; their planes are the pictures.
    """

    shape: Shape
    dtype: np.dtype[Any]
    size: tuple[int, int]
    scale_factor: tuple[float, ...] | None = None
    box: tuple[float, float, float, float] | None = None
    reducing_gap: float | None = None
    alpha: bool = False
    depth: tuple[int, int] | None = None


_NUMBERS = (
    "uint8", "int8", "uint16", "int16", "uint32", "int32", "float16", "bfloat16", "float32", "float64",
)  # fmt: skip


@dataclass(frozen=True)
class Convention:
    """One library's way to resize, or one's own, put together out of the keyword arguments.

    Attributes
    ----------
    name : str
        As `like` takes it: library, and filter with its options.
    call : str
        What gives the same pixels.
    dtypes : tuple of str
        What the library takes.
    instead : str
        What it would do with others, for the message.
    build : callable, optional
        From a request to the steps; None for one's own, which follow from the settings below.
    options : tuple of str
        Which of box, reducing_gap and alpha it takes.
    result : str
        Dtype of the result; empty for that of the picture, "float of integers" for float64 of integers.
    within : float
        How far pixels may be from the library's, as a part of the picture's range; 0 where they are equal to the bit.
    volumes : bool
        Whether it resizes depth as well, along a third axis.
    filter : str, optional
        "nearest", "box", "linear" (the default), "cubic", "mitchell", "lanczos3" or "lanczos4".
    cubic_coeff_a : float, optional
        Of the cubic; default -0.5.
    coordinates : str, optional
        "half_pixel" (the default), "align_corners" or "asymmetric".
    antialias : bool, optional
        Whether the filter is stretched where the picture shrinks; default False.
    edge : str, optional
        What taps beyond an edge read: "repeat" (the default) its pixel, "renormalise" nothing, "reflect" the mirror
        image, "wrap" the other side.
    arithmetic : str, optional
        "float32" (the default), "float64", or "bytes": weights of 22 bits, and bytes after each axis.
    order : str, optional
        "columns first" (the default) or "rows first".
    rounding : str, optional
        Of integers: "half even" (the default), "half away", "half up" or "toward zero".

    Examples
    --------
    >>> import fastup, numpy as np
    >>> soft = fastup.Convention(filter="mitchell", antialias=True, edge="renormalise")
    >>> fastup.resize(np.arange(6, dtype=np.float32).reshape(1, 6), (1, 3), like=soft)
    array([[0.6536775, 2.5      , 4.3463225]], dtype=float32)
    """

    name: str = "own"
    call: str = ""
    dtypes: tuple[str, ...] = _NUMBERS
    instead: str = "there are no weights for it"
    build: Callable[[Request], tuple[Step, ...]] | None = field(default=None, compare=False, repr=False)
    options: tuple[str, ...] = ()
    result: str = ""
    within: float = 0.0
    volumes: bool = False
    filter: str | None = field(default=None, kw_only=True)
    cubic_coeff_a: float | None = field(default=None, kw_only=True)
    coordinates: str | None = field(default=None, kw_only=True)
    antialias: bool | None = field(default=None, kw_only=True)
    edge: str | None = field(default=None, kw_only=True)
    arithmetic: str | None = field(default=None, kw_only=True)
    order: str | None = field(default=None, kw_only=True)
    rounding: str | None = field(default=None, kw_only=True)

    def result_of(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        """Dtype of the result for a picture of `dtype`."""
        if self.result == "float of integers":
            return np.dtype(np.float64) if dtype.kind in "iu" else dtype
        return np.dtype(self.result or dtype)

    def steps(self, request: Request) -> tuple[Step, ...]:
        """What a resize does; a dtype that the library does not take is refused."""
        if request.dtype.name not in self.dtypes:
            raise TypeError(
                f"{OPERATOR}: image must be of dtype {', '.join(self.dtypes)} for like={self.name!r}, got"
                f" {request.dtype}; {self.instead}"
            )
        for name in ("box", "reducing_gap"):
            if getattr(request, name) is not None and name not in self.options:
                check.invalid(f"{OPERATOR}: {name} must be None for like={self.name!r}, got {getattr(request, name)}")
        if request.alpha and "alpha" not in self.options:
            check.invalid(f"{OPERATOR}: alpha must be None or False for like={self.name!r}, got True")
        if self.build is None:
            from fastup.plan.conventions import free

            return free.build(self, request)
        return self.build(request)


def of_name(known: dict[str, Convention], like: Any) -> Convention:
    """The convention of this name; names that look like it are told where there is none."""
    if not isinstance(like, str):
        raise TypeError(f"{OPERATOR}: like must be a name or a Convention, got {check.shown(like)}")
    if like not in known:
        near = difflib.get_close_matches(like, known, n=3, cutoff=0.3)
        check.invalid(
            f"{OPERATOR}: like must be one of fastup.conventions(), such as {' or '.join(near or list(known)[:2])},"
            f" got {check.shown(like)}"
        )
    return known[like]
