"""Arguments -> plan of a resize by another library's convention."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from fastup.plan import check
from fastup.plan.base import Array, Plan
from fastup.plan.cache import cached
from fastup.plan.conventions import ALL
from fastup.plan.conventions.record import OPERATOR, Convention, Request, of_name
from fastup.plan.conventions.steps import Step, chain, read_by
from fastup.plan.windows import Window


@dataclass(frozen=True)
class ResizePlan(Plan):
    """Steps that a convention takes, on the picture seen as (N, H, W, C).

    Attributes
    ----------
    like : Convention
    axes : (int, int)
        Those of height and width.
    size : tuple of int
        Height and width of the result, before `window` is cut out of it.
    scale_factor : tuple of float, or None
    box : tuple of float, or None
    reducing_gap : float, or None
    alpha : bool
        Whether the last channel is one.
    steps : tuple of Step
        What is done to the picture; nothing where it is only copied.
    """

    native_only: ClassVar[bool] = True
    keeps_memory_order: ClassVar[bool] = False
    like: Convention
    axes: tuple[int, int]
    size: tuple[int, int]
    scale_factor: tuple[float, ...] | None
    box: tuple[float, float, float, float] | None
    reducing_gap: float | None
    alpha: bool
    steps: tuple[Step, ...] = field(compare=False, repr=False)

    @property
    def outputs(self) -> tuple[tuple[tuple[int, ...], np.dtype[Any]], ...]:
        """Shape and dtype of the result: some libraries give floats for integers."""
        return ((self.output_shape, self.like.result_of(self.dtype)),)

    @property
    def rank(self) -> int:
        """Height and width."""
        return 2

    @property
    def channel_axis(self) -> int:
        """That of the channels behind height and width, if there is one such axis; else that of the width."""
        return len(self.input_shape) - 1

    @property
    def spatial_axes(self) -> tuple[int, ...]:
        """Those that were named."""
        return self.axes

    def reads(self, window: Window) -> Window:
        """The rows and columns, from and to, that these of the whole result need."""
        return read_by(self.steps, window)

    def windowed_fields(self, window: Window, part: Window | None) -> dict[str, Any]:
        """The steps of the window, on the part."""
        return {"steps": chain(self.steps, window, part)}

    def seen(self, array: Array) -> Array:
        """The picture, or the result, as (N, H, W, C); a copy where memory does not allow it."""
        if are_together(self.axes):
            return array.reshape(together(array.shape, self.axes))
        moved = np.moveaxis(array, self.axes, (-2, -1))
        return moved.reshape(-1, *moved.shape[-2:], 1)


def are_together(axes: tuple[int, int]) -> bool:
    """Whether height and width stand side by side, height first."""
    return axes[1] == axes[0] + 1


def together(shape: tuple[int, ...], axes: tuple[int, int]) -> tuple[int, int, int, int]:
    """A shape as (N, H, W, C)."""
    height, width = axes
    if not are_together(axes):
        n = math.prod(extent for axis, extent in enumerate(shape) if axis not in axes)
        return n, shape[height], shape[width], 1
    return math.prod(shape[:height]), shape[height], shape[width], math.prod(shape[width + 1 :])


@cached
def make_resize(
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    size: Any,
    scale_factor: Any,
    like: Any,
    axes: Any,
    box: Any,
    reducing_gap: Any,
    alpha: Any,
    window: Any,
) -> ResizePlan:
    """The plan of `fastup.resize` of a picture of this shape and dtype."""
    convention = like if isinstance(like, Convention) else of_name(ALL, like)
    axes = _axes(shape, axes)
    extents = (shape[axes[0]], shape[axes[1]])
    if min(extents) < 1:
        check.invalid(f"{OPERATOR}: height and width must be at least 1, got {extents} for image of shape {shape}")
    size, factors = _size(extents, size, scale_factor)
    box = _box(box, extents)
    if reducing_gap is not None:
        reducing_gap = check.number(OPERATOR, "reducing_gap", reducing_gap)
        if not reducing_gap >= 1.0:
            check.invalid(f"{OPERATOR}: reducing_gap must be at least 1, got {reducing_gap}")
    alpha = _alpha(convention, shape, dtype, axes, alpha)
    seen = together(shape, axes)
    output = tuple(size[axes.index(axis)] if axis in axes else extent for axis, extent in enumerate(shape))
    check.size_in_memory(OPERATOR, output, dtype)
    request = Request(seen, dtype.newbyteorder("="), size, factors, box, reducing_gap, alpha)
    plan = ResizePlan(
        OPERATOR, shape, dtype, "channels_last", output, convention, axes, size, factors, box, reducing_gap, alpha,
        convention.steps(request),
    )  # fmt: skip
    return plan.cut(window)


def _axes(shape: tuple[int, ...], axes: Any) -> tuple[int, int]:
    rank = len(shape)
    if axes is None:
        if rank not in (2, 3):
            check.invalid(f"{OPERATOR}: axes must be given for an image that is not (H, W) or (H, W, C), got {shape}")
        return 0, 1
    named = check.integers(OPERATOR, "axes", axes, "two integers, of height and width", -rank)
    if len(named) != 2 or any(not -rank <= axis < rank for axis in named) or len({axis % rank for axis in named}) != 2:
        check.invalid(f"{OPERATOR}: axes must be two different ones of {rank}, got {axes} for image of shape {shape}")
    return named[0] % rank, named[1] % rank


def _size(extents: tuple[int, int], size: Any, scale_factor: Any) -> tuple[tuple[int, int], tuple[float, ...] | None]:
    if (size is None) == (scale_factor is None):
        given = "neither" if size is None else "both"
        check.invalid(f"{OPERATOR}: give exactly one of size and scale_factor, got {given}")
    if size is not None:
        rule = "two integers, height and width"
        if not check.is_sequence(size):
            raise TypeError(f"{OPERATOR}: size must be {rule}, got {check.shown(size)}")
        sizes = check.integers(OPERATOR, "size", size, rule)
        if len(sizes) != 2:
            check.invalid(f"{OPERATOR}: size must be {rule}, got {check.shown(size)}")
        return (sizes[0], sizes[1]), None
    several = tuple(scale_factor) if check.is_sequence(scale_factor) else (scale_factor,) * 2
    factors = tuple(check.positive(OPERATOR, "scale_factor", one) for one in several)
    if len(factors) != 2:
        check.invalid(f"{OPERATOR}: scale_factor must be a number or two of them, got {check.shown(scale_factor)}")
    scaled = [n * factor for n, factor in zip(extents, factors, strict=True)]
    if not all(math.isfinite(one) and one < 2**62 for one in scaled) or min(scaled) < 1:
        check.invalid(f"{OPERATOR}: scale_factor must give sizes of at least 1 that fit in memory, got {scale_factor}")
    return (math.floor(scaled[0]), math.floor(scaled[1])), factors


def _box(box: Any, extents: tuple[int, int]) -> tuple[float, float, float, float] | None:
    if box is None:
        return None
    rule = "four numbers: left, top, right, bottom"
    if not check.is_sequence(box):
        raise TypeError(f"{OPERATOR}: box must be {rule}, got {check.shown(box)}")
    edges = tuple(check.number(OPERATOR, "box", edge) for edge in box)
    if len(edges) != 4 or not all(math.isfinite(edge) for edge in edges):
        check.invalid(f"{OPERATOR}: box must be {rule}, got {check.shown(box)}")
    left, top, right, bottom = edges
    if not (0 <= left < right <= extents[1] and 0 <= top < bottom <= extents[0]):
        check.invalid(f"{OPERATOR}: box must lie within the image and not be empty, got {box} for {extents}")
    return left, top, right, bottom


def _alpha(
    convention: Convention, shape: tuple[int, ...], dtype: np.dtype[Any], axes: tuple[int, int], alpha: Any
) -> bool:
    """Whether the last channel is alpha: by default that of two or of four channels of bytes, as Pillow sees them."""
    one_behind = are_together(axes) and axes[1] == len(shape) - 2
    channels = shape[-1] if one_behind else 1
    if alpha is None:
        return "alpha" in convention.options and dtype == np.uint8 and channels in (2, 4)
    alpha = check.flag(OPERATOR, "alpha", alpha)
    if alpha and not (channels > 1 and dtype == np.uint8):
        check.invalid(
            f"{OPERATOR}: alpha must be None or False but for uint8 with a channel axis behind height and width,"
            f" got True for {dtype} of shape {shape}"
        )
    return bool(alpha)
