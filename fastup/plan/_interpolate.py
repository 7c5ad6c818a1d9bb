"""Arguments -> plan of interpolation."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fastup.plan import axis_table, check
from fastup.plan.base import Array, Plan, cached

_OP = "interpolate"
MODES = axis_table.NEAREST
_ROUNDINGS: dict[str, Callable[[float], int]] = {"floor": math.floor, "round": round, "ceil": math.ceil}


@dataclass(frozen=True)
class InterpolatePlan(Plan):
    """Resampling of the spatial axes by one table per axis.

    Attributes
    ----------
    size : tuple of int
        Output size per spatial axis.
    scale_factor : tuple of float, or None
        The factors that define the sampling scale; None where it follows from the sizes.
    mode : str
        As given.
    sampling_scale : tuple of float
        Input positions per output position and axis.
    indices : tuple of arrays
        Per spatial axis, the input position that each output position copies.
    """

    size: tuple[int, ...]
    scale_factor: tuple[float, ...] | None
    mode: str
    sampling_scale: tuple[float, ...] = field(compare=False)
    indices: tuple[Array, ...] = field(compare=False, repr=False)

    @property
    def spatial_axes(self) -> tuple[int, ...]:
        """Indices of the spatial axes."""
        return tuple(range(self.first_spatial_axis, self.first_spatial_axis + len(self.size)))

    @property
    def input_size(self) -> tuple[int, ...]:
        """Input size per spatial axis."""
        return tuple(self.input_shape[axis] for axis in self.spatial_axes)

    @property
    def table_bytes(self) -> int:
        """Bytes of the tables."""
        return sum(index.nbytes for index in self.indices)


def make_interpolate(
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    size: Any,
    scale_factor: Any,
    mode: Any,
    align_corners: Any,
    recompute_scale_factor: Any,
    antialias: Any,
    rounding: Any,
    data_format: Any,
) -> InterpolatePlan:
    """The plan of `fastup.interpolate` on an array of this shape and dtype."""
    if scale_factor.__class__ not in (float, int) or not 0 < scale_factor < 1e300:
        scale_factor = _per_axis(scale_factor, _positive)
    if size.__class__ is not int or size <= 0:
        size = _per_axis(size, _size)
    if recompute_scale_factor is not None:
        recompute_scale_factor = check.flag(_OP, "recompute_scale_factor", recompute_scale_factor)
    antialias = check.flag(_OP, "antialias", antialias)
    arguments = (align_corners, recompute_scale_factor, antialias, rounding, data_format)
    # 2 and 2.0 are equal keys, and as scale factors they mean the same; as sizes only 2 gets here.
    return _plan(shape, dtype, size, scale_factor, mode, *arguments)


def _per_axis(value: Any, convert: Callable[[Any], Any]) -> Any:
    if value is None:
        return None
    if check.is_sequence(value):
        return tuple(convert(entry) for entry in value)
    return convert(value)


def _positive(value: Any) -> float:
    return check.positive(_OP, "scale_factor", value)


def _size(value: Any) -> int:
    return check.integer(_OP, "size", value, "an integer or one integer per spatial axis")


@cached
def _plan(
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    size: Any,
    scale_factor: Any,
    mode: str,
    align_corners: Any,
    recompute_scale_factor: bool | None,
    antialias: bool,
    rounding: str,
    data_format: str,
) -> InterpolatePlan:
    _check_options(mode, align_corners, antialias, rounding, data_format)
    check.movable(_OP, dtype)
    extents = _spatial(shape, data_format)
    sizes, scales = _sizes(shape, extents, size, scale_factor, rounding, recompute_scale_factor)
    output = (*shape[:2], *sizes) if data_format == "channels_first" else (shape[0], *sizes, shape[-1])
    check.size_in_memory(_OP, output, dtype)
    precision = axis_table.precision_of(dtype)
    given = scales or (None,) * len(sizes)
    sampling = tuple(
        axis_table.sampling_scale(n, m, s, precision) for n, m, s in zip(extents, sizes, given, strict=True)
    )
    if not all(map(math.isfinite, sampling)):
        check.invalid(f"{_OP}: scale_factor must have a reciprocal in {precision.__name__}, got {scale_factor}")
    try:
        tables = tuple(
            axis_table.nearest(n, m, s, mode, precision) for n, m, s in zip(extents, sizes, sampling, strict=True)
        )
    except MemoryError:
        raise check.not_enough_memory(_OP, output, dtype) from None
    return InterpolatePlan(_OP, shape, dtype, data_format, output, sizes, scales, mode, sampling, tables)


def _check_options(mode: str, align_corners: Any, antialias: bool, rounding: str, data_format: str) -> None:
    check.choice(_OP, "mode", mode, MODES)
    check.choice(_OP, "data_format", data_format, check.DATA_FORMATS)
    check.choice(_OP, "rounding", rounding, tuple(_ROUNDINGS))
    if align_corners is not None:
        check.invalid(f"{_OP}: align_corners must be None for mode {mode!r}, got {align_corners!r}")
    if antialias:
        check.invalid(f"{_OP}: antialias must be False for mode {mode!r}, got True")


def _spatial(shape: tuple[int, ...], data_format: str) -> tuple[int, ...]:
    if not 3 <= len(shape) <= 5:
        check.invalid(f"{_OP}: x must have 3, 4 or 5 dimensions, got shape {shape}")
    extents = shape[2:] if data_format == "channels_first" else shape[1:-1]
    if min(extents) < 1:
        check.invalid(f"{_OP}: spatial sizes must be at least 1, got {extents} for x of shape {shape}")
    return extents


def _sizes(
    shape: tuple[int, ...],
    extents: tuple[int, ...],
    size: Any,
    scale_factor: Any,
    rounding: str,
    recompute_scale_factor: bool | None,
) -> tuple[tuple[int, ...], tuple[float, ...] | None]:
    """Output sizes, and the factors that set the sampling scale (None: the sizes set it)."""
    if (size is None) == (scale_factor is None):
        given = "neither" if size is None else "both"
        check.invalid(f"{_OP}: give exactly one of size and scale_factor, got {given}")
    if size is not None:
        if recompute_scale_factor:
            check.invalid(f"{_OP}: recompute_scale_factor must be None or False when size is given, got True")
        return _spread("size", size, shape, len(extents)), None
    factors = tuple(float(s) for s in _spread("scale_factor", scale_factor, shape, len(extents)))
    if not all(math.isfinite(n * s) for n, s in zip(extents, factors, strict=True)):
        check.invalid(f"{_OP}: result must be smaller than 2**63 bytes, got scale_factor {scale_factor}")
    # torch: floor(float64(input) * float64(factor)), whatever the dtype.
    sizes = tuple(_ROUNDINGS[rounding](n * s) for n, s in zip(extents, factors, strict=True))
    if min(sizes) < 1:
        check.invalid(
            f"{_OP}: scale_factor must give sizes of at least 1, got {scale_factor}, which gives {sizes}"
            f" for x of shape {shape}"
        )
    return sizes, None if recompute_scale_factor else factors


def _spread(name: str, value: Any, shape: tuple[int, ...], rank: int) -> tuple[Any, ...]:
    if not isinstance(value, tuple):
        return (value,) * rank
    if len(value) != rank:
        entries = "1 entry" if rank == 1 else f"{rank} entries"
        check.invalid(f"{_OP}: {name} must have {entries} for x of shape {shape}, got {value}")
    return value
