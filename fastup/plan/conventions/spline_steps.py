"""Steps that look at the whole picture: recursive filters, and what comes before and after them, in floats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import numpy as np

from fastup.plan.base import Array
from fastup.plan.conventions.steps import Shape
from fastup.plan.interpolation import InterpolatePlan
from fastup.plan.sampling.libraries import itk, scipy
from fastup.plan.windows import Window

WholeType = TypeVar("WholeType", bound="Whole")
ITK_TERMS = 18  # sqrt(3) - 2 to this power


@dataclass(frozen=True)
class Whole:
    """A step that needs all of the picture for any part of its result.

    Attributes
    ----------
    input_shape : tuple of int
    """

    needs_all: ClassVar[bool] = True
    input_shape: Shape

    @property
    def output_shape(self) -> Shape:
        """That of the input."""
        return self.input_shape

    def reads(self, window: Window) -> Window:
        """All of it."""
        return ((0, self.input_shape[1]), (0, self.input_shape[2]))

    def restricted(self: WholeType, window: Window, part: Window | None = None) -> WholeType:
        """The step itself: its result is cut afterwards."""
        return self


@dataclass(frozen=True)
class Splined(Whole):
    """B-splines through the pixels, in float64, at the positions of another size.

    Attributes
    ----------
    size : (int, int)
    order : int
        Degree of the polynomials.
    mode : str
        What lies beyond the edges, as SciPy names it.
    positions : {"corners", "cells", "itk"}
        Which coordinates the result has: SciPy's of points, its `grid_mode` of areas, or ITK's of areas.
    """

    size: tuple[int, int]
    order: int
    mode: str
    positions: str

    def coordinates(self) -> tuple[Array, Array]:
        """Of rows, and of columns."""
        rows, columns = zip(self.input_shape[1:3], self.size, strict=True)
        if self.positions == "itk":
            return itk.coordinates(*rows, False), itk.coordinates(*columns, True)
        found = scipy.corners if self.positions == "corners" else scipy.cells
        return found(*rows), found(*columns)

    @property
    def most_terms(self) -> int | None:
        """Of the sum that begins a recursion; ITK ends it where a pixel's part is less than 1e-10."""
        return ITK_TERMS if self.positions == "itk" else None

    @property
    def output_shape(self) -> Shape:
        """That of the size."""
        return (self.input_shape[0], *self.size, self.input_shape[3])


@dataclass(frozen=True)
class Smoothed(Whole):
    """scikit-image's Gaussian along an axis that shrinks.

    Attributes
    ----------
    axis : int
        1 for rows, 2 for columns.
    size : int
        What the axis shrinks to.
    edge : str
        "mirror", "reflect", "nearest", "wrap" or "constant".
    """

    axis: int
    size: int
    edge: str


@dataclass(frozen=True)
class Banded(Whole):
    """A plan, but for columns at the sides whose rows are put together in two roundings, as Intel's library does it.

    Attributes
    ----------
    plan : InterpolatePlan
    columns : tuple of int
        Of the result.
    channels : int
        So many of each pixel, from the first on.
    """

    plan: InterpolatePlan
    columns: tuple[int, ...]
    channels: int

    @property
    def output_shape(self) -> Shape:
        """That of the plan."""
        return self.plan.output_shape


@dataclass(frozen=True)
class Scaled(Whole):
    """Integers as float64, times a number, and not below -1 where that makes parts of the largest one.

    Attributes
    ----------
    factor : float
    """

    factor: float


@dataclass(frozen=True)
class Mixed(Whole):
    """Channels as sums of channels: what a filter along their axis does that is not quite undone.

    Attributes
    ----------
    matrix : tuple of tuple of float
        Weights of the channels that come in, for each that goes out.
    """

    matrix: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Clipped(Whole):
    """Cut off at the least and the largest item of the picture that the steps began with, once it was floats.

    Attributes
    ----------
    widened : bool
        Whether 0, which stands for what lies beyond the edges, is inside as well.
    """

    widened: bool


@dataclass(frozen=True)
class Rounded(Whole):
    """Floats as items of a dtype: integers are rounded and saturate.

    Attributes
    ----------
    dtype : numpy.dtype
    rounding : {"half away", "half even", "toward zero"}
    """

    dtype: np.dtype[Any]
    rounding: str = "half away"
