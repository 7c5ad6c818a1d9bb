"""What a resize does to a picture (N, H, W, C), one step after the other.

A step knows its shapes, which of its input a window of its result needs, and itself restricted to a window. Most are
plans of interpolation whose axes follow a library's rules; the others stand here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

import numpy as np

from fastup.plan.interpolation import InterpolatePlan
from fastup.plan.sampling.axis import Axis, kept, ruled
from fastup.plan.sampling.rule import Rule
from fastup.plan.windows import Window

Shape = tuple[int, ...]
StepType = TypeVar("StepType", bound="Step")


class Step(Protocol):
    """One step."""

    @property
    def input_shape(self) -> Shape:
        """Of what it takes."""

    @property
    def output_shape(self) -> Shape:
        """Of what it makes."""

    def reads(self, window: Window) -> Window:
        """Rows and columns, from and to, that these of the whole result need."""

    def restricted(self: StepType, window: Window, part: Window | None = None) -> StepType:
        """The step for a window of its result and a part of its input; None: of all of it."""


def _cut(shape: Shape, window: Window) -> Shape:
    return (shape[0], *(stop - start for start, stop in window), shape[-1])


@dataclass(frozen=True)
class Alpha:
    """Colours times their alpha, the last channel, or divided by it, in the integers of Pillow.

    Attributes
    ----------
    input_shape : tuple of int
    divides : bool
        Whether colours are divided.
    """

    input_shape: Shape
    divides: bool

    @property
    def output_shape(self) -> Shape:
        """That of the input."""
        return self.input_shape

    def reads(self, window: Window) -> Window:
        """The same pixels."""
        return window

    def restricted(self, window: Window, part: Window | None = None) -> Alpha:
        """Of a part that is the window."""
        return replace(self, input_shape=_cut(self.input_shape, window))


@dataclass(frozen=True)
class Cast:
    """Items of another dtype.

    Attributes
    ----------
    input_shape : tuple of int
    dtype : numpy.dtype
    """

    input_shape: Shape
    dtype: np.dtype[Any]

    @property
    def output_shape(self) -> Shape:
        """That of the input."""
        return self.input_shape

    def reads(self, window: Window) -> Window:
        """The same pixels."""
        return window

    def restricted(self, window: Window, part: Window | None = None) -> Cast:
        """Of a part that is the window."""
        return replace(self, input_shape=_cut(self.input_shape, window))


@dataclass(frozen=True)
class Scale:
    """Items times a number of float32, in place.

    Attributes
    ----------
    input_shape : tuple of int
    factor : float
    """

    input_shape: Shape
    factor: float

    @property
    def output_shape(self) -> Shape:
        """That of the input."""
        return self.input_shape

    def reads(self, window: Window) -> Window:
        """The same pixels."""
        return window

    def restricted(self, window: Window, part: Window | None = None) -> Scale:
        """Of a part that is the window."""
        return replace(self, input_shape=_cut(self.input_shape, window))


@dataclass(frozen=True)
class Crop:
    """A part of the picture as it is.

    Attributes
    ----------
    input_shape : tuple of int
    box : tuple of (int, int)
        Rows and columns, from and to.
    """

    input_shape: Shape
    box: Window

    @property
    def output_shape(self) -> Shape:
        """That of the box."""
        return _cut(self.input_shape, self.box)

    def reads(self, window: Window) -> Window:
        """The same pixels, counted from the picture's corner."""
        return tuple((low + start, low + stop) for (low, _), (start, stop) in zip(self.box, window, strict=True))

    def restricted(self, window: Window, part: Window | None = None) -> Crop:
        """Of what the window needs alone, or of the whole."""
        wanted = self.reads(window)
        if part is None:
            return replace(self, box=wanted)
        box = tuple((a - low, b - low) for (a, b), (low, _) in zip(wanted, part, strict=True))
        return Crop(_cut(self.input_shape, part), box)


@dataclass(frozen=True)
class Reduce:
    """Means of blocks, in the arithmetic of Pillow's Image.reduce; the last ones may hold fewer pixels.

    Attributes
    ----------
    input_shape : tuple of int
    factors : (int, int)
        Rows and columns of a block.
    whole : (int, int)
        Rows and columns of the picture that blocks are counted in; those of the input, or more if it is a part.
    """

    input_shape: Shape
    factors: tuple[int, int]
    whole: tuple[int, int]

    @property
    def output_shape(self) -> Shape:
        """As many blocks as begin in the input."""
        n, *space, c = self.input_shape
        return (n, *(-(-extent // factor) for extent, factor in zip(space, self.factors, strict=True)), c)

    def reads(self, window: Window) -> Window:
        """All pixels of the blocks."""
        return tuple(
            (start * factor, min(stop * factor, extent))
            for (start, stop), factor, extent in zip(window, self.factors, self.whole, strict=True)
        )

    def restricted(self, window: Window, part: Window | None = None) -> Reduce:
        """Of the blocks of the window."""
        return replace(self, input_shape=_cut(self.input_shape, self.reads(window)))


@dataclass(frozen=True)
class CellMeans:
    """Means of cells of whole pixels, in the arithmetic of OpenCV.

    Attributes
    ----------
    input_shape : tuple of int
    factors : (int, int)
        Rows and columns of a cell.
    lead : int or None
        Of cells of two by two pixels: items of a row of float32 that are added as pairs of pairs, while integers are
        rounded half up; None for cells that are added in groups.
    """

    input_shape: Shape
    factors: tuple[int, int]
    lead: int | None = None

    @property
    def output_shape(self) -> Shape:
        """The cells."""
        n, height, width, c = self.input_shape
        return (n, height // self.factors[0], width // self.factors[1], c)

    def reads(self, window: Window) -> Window:
        """All pixels of the cells."""
        return tuple((a * factor, b * factor) for (a, b), factor in zip(window, self.factors, strict=True))

    def restricted(self, window: Window, part: Window | None = None) -> CellMeans:
        """Of the cells of the window."""
        lead = self.lead
        if lead is not None:
            lead = max(0, lead - window[1][0] * self.input_shape[3])
        return replace(self, input_shape=_cut(self.input_shape, self.reads(window)), lead=lead)


def resample(
    shape: Shape,
    dtype: np.dtype[Any],
    rules: tuple[Rule | None, Rule | None],
    size: tuple[int, int],
    *,
    double: bool = False,
    rounding: str = "half even",
) -> InterpolatePlan:
    """Rows and columns by rules, None for one that stays as it is; sums of the columns' axis first."""
    extents = shape[1:3]
    axes: tuple[Axis, ...] = tuple(
        replace(kept(n), double=double) if rule is None else ruled(rule, n, m, double)
        for rule, n, m in zip(rules, extents, size, strict=True)
    )
    if any(axis.fixed for axis in axes):  # the axis that stays is one of bytes as well
        axes = tuple(replace(axis, fixed=True) for axis in axes)
    output = (shape[0], *size, shape[-1])
    return InterpolatePlan(
        "resize", shape, dtype, "channels_last", output, size, None, rules, False, True, axes, rounding=rounding
    )


def chain(steps: tuple[Step, ...], window: Window, part: Window | None) -> tuple[Step, ...]:
    """The steps for a window of the last one's result; the first takes a part of the picture, or all of it."""
    if any(getattr(step, "needs_all", False) for step in steps):
        return (*steps, Crop(steps[-1].output_shape, window))
    made: list[Step] = []
    for number, step in reversed([*enumerate(steps)]):
        needed = step.reads(window)
        last = number == 0
        if (
            last and part is None and isinstance(step, (Alpha, Cast, Reduce, CellMeans))
        ):  # which take what they need and no more
            made[:0] = [Crop(step.input_shape, needed), step.restricted(window, needed)]
        else:
            made.insert(0, step.restricted(window, part if last else needed))
        window = needed
    return tuple(made)


def read_by(steps: tuple[Step, ...], window: Window) -> Window:
    """Rows and columns of the picture that a window of the result needs."""
    for step in reversed(steps):
        window = step.reads(window)
    return window
