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
from fastup.plan.conventions.steps import Crop, Step, chain, read_by
from fastup.plan.windows import Window

VOLUME = 3


@dataclass(frozen=True)
class ResizePlan(Plan):
    """Steps that a convention takes, on the picture seen as (N, H, W, C).

    Attributes
    ----------
    like : Convention
    axes : tuple of int
        Those of height and width, or of depth, height and width.
    size : tuple of int
        Extents of the result along them, before `window` is cut out of it.
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
    axes: tuple[int, ...]
    size: tuple[int, ...]
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
        """2, or 3 for volumes."""
        return len(self.axes)

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
        if self.rank == VOLUME:
            return tuple((0, self.input_shape[axis]) for axis in self.axes)
        return read_by(self.steps, window)

    def windowed_fields(self, window: Window, part: Window | None) -> dict[str, Any]:
        """The steps of the window, on the part."""
        if self.rank == VOLUME:
            whole = self.whole or self
            return {"steps": (*self.steps, Crop(together(whole.output_shape, self.axes), window))}
        return {"steps": chain(self.steps, window, part)}

    def seen(self, array: Array) -> Array:
        """The picture, or the result, as (N, H, W, C) or (N, D, H, W, C); a copy where memory does not allow it."""
        if are_together(self.axes):
            return array.reshape(together(array.shape, self.axes))
        moved = np.moveaxis(array, self.axes, range(-self.rank, 0))
        return moved.reshape(-1, *moved.shape[-self.rank :], 1)


def are_together(axes: tuple[int, ...]) -> bool:
    """Whether the axes stand side by side in their order."""
    return axes == tuple(range(axes[0], axes[0] + len(axes)))


def together(shape: tuple[int, ...], axes: tuple[int, ...]) -> tuple[int, ...]:
    """A shape as (N, H, W, C), or (N, D, H, W, C)."""
    extents = tuple(shape[axis] for axis in axes)
    if not are_together(axes):
        return math.prod(extent for axis, extent in enumerate(shape) if axis not in axes), *extents, 1
    return math.prod(shape[: axes[0]]), *extents, math.prod(shape[axes[-1] + 1 :])


def as_planes(seen: tuple[int, ...]) -> tuple[int, ...]:
    """(N, H, W, C) of a volume's planes."""
    return (math.prod(seen[:-3]), *seen[-3:])


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
    axes = _axes(shape, axes, convention)
    extents = tuple(shape[axis] for axis in axes)
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
    depth = (extents[0], size[0]) if len(axes) == VOLUME else None
    request = Request(
        as_planes(seen), dtype.newbyteorder("="), (size[-2], size[-1]), factors, box, reducing_gap, alpha, depth
    )
    plan = ResizePlan(
        OPERATOR, shape, dtype, "channels_last", output, convention, axes, size, factors, box, reducing_gap, alpha,
        convention.steps(request),
    )  # fmt: skip
    return plan.cut(window)


def _axes(shape: tuple[int, ...], axes: Any, convention: Convention) -> tuple[int, ...]:
    rank = len(shape)
    if axes is None:
        if rank not in (2, 3):
            check.invalid(f"{OPERATOR}: axes must be given for an image that is not (H, W) or (H, W, C), got {shape}")
        return 0, 1
    named = check.integers(OPERATOR, "axes", axes, "two integers, of height and width", -rank)
    counts = (2, VOLUME) if convention.volumes else (2,)
    found = tuple(axis % rank for axis in named if -rank <= axis < rank)
    if len(named) not in counts or len(set(found)) != len(named):
        number = "two or three" if convention.volumes else "two"
        check.invalid(
            f"{OPERATOR}: axes must be {number} different ones of {rank}, got {axes} for image of shape {shape}"
        )
    return found


def _size(extents: tuple[int, ...], size: Any, scale_factor: Any) -> tuple[tuple[int, ...], tuple[float, ...] | None]:
    count = len(extents)
    if (size is None) == (scale_factor is None):
        given = "neither" if size is None else "both"
        check.invalid(f"{OPERATOR}: give exactly one of size and scale_factor, got {given}")
    if size is not None:
        rule = "three integers, depth, height and width" if count == VOLUME else "two integers, height and width"
        if not check.is_sequence(size):
            raise TypeError(f"{OPERATOR}: size must be {rule}, got {check.shown(size)}")
        sizes = check.integers(OPERATOR, "size", size, rule)
        if len(sizes) != count:
            check.invalid(f"{OPERATOR}: size must be {rule}, got {check.shown(size)}")
        return sizes, None
    several = tuple(scale_factor) if check.is_sequence(scale_factor) else (scale_factor,) * count
    factors = tuple(check.positive(OPERATOR, "scale_factor", one) for one in several)
    if len(factors) != count:
        number = "three" if count == VOLUME else "two"
        check.invalid(f"{OPERATOR}: scale_factor must be a number or {number} of them, got {check.shown(scale_factor)}")
    scaled = [n * factor for n, factor in zip(extents, factors, strict=True)]
    if not all(math.isfinite(one) and one < 2**62 for one in scaled) or min(scaled) < 1:
        check.invalid(f"{OPERATOR}: scale_factor must give sizes of at least 1 that fit in memory, got {scale_factor}")
    return tuple(map(math.floor, scaled)), factors


def _box(box: Any, extents: tuple[int, ...]) -> tuple[float, float, float, float] | None:
    if box is None:
        return None
    rule = "four numbers: left, top, right, bottom"
    if not check.is_sequence(box):
        raise TypeError(f"{OPERATOR}: box must be {rule}, got {check.shown(box)}")
    edges = tuple(check.number(OPERATOR, "box", edge) for edge in box)
    if len(edges) != 4 or not all(math.isfinite(edge) for edge in edges):
        check.invalid(f"{OPERATOR}: box must be {rule}, got {check.shown(box)}")
    left, top, right, bottom = edges
    if not (0 <= left < right <= extents[-1] and 0 <= top < bottom <= extents[-2]):
        check.invalid(f"{OPERATOR}: box must lie within the image and not be empty, got {box} for {extents}")
    return left, top, right, bottom


def _alpha(
    convention: Convention, shape: tuple[int, ...], dtype: np.dtype[Any], axes: tuple[int, ...], alpha: Any
) -> bool:
    """Whether the last channel is alpha: by default that of two or of four channels of bytes, as Pillow sees them."""
    one_behind = are_together(axes) and axes[-1] == len(shape) - 2
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
