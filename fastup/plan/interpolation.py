"""Arguments -> plan of interpolation."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import numpy as np

from fastup.plan import check
from fastup.plan.base import Array, Plan, read_only
from fastup.plan.cache import cached
from fastup.plan.lazy import lazy
from fastup.plan.sampling import filters
from fastup.plan.sampling.axis import MOST_ADDED, Axis, is_double, sampling_scale
from fastup.plan.sampling.filter import Filter
from fastup.plan.sampling.table import reads, whole_table
from fastup.plan.windows import Window

_OP = "interpolate"
_ROUNDINGS: dict[str, Callable[[float], int]] = {"floor": math.floor, "round": round, "ceil": math.ceil}


@dataclass(frozen=True)
class InterpolatePlan(Plan):
    """Resampling of the spatial axes, each by a table of its own.

    Attributes
    ----------
    size : tuple of int
        Output size per spatial axis, before `window` is cut out of it.
    scale_factor : tuple of float, or None
        The factors that define the sampling scale; None where it follows from the sizes.
    mode : str or tuple of str
        As given.
    align_corners, antialias : bool
        As given; None is False.
    axes : tuple of Axis
        What the table of each spatial axis follows from.
    rounding : str
        How integers are rounded in the end.
    """

    size: tuple[int, ...]
    scale_factor: tuple[float, ...] | None
    mode: Any
    align_corners: bool
    antialias: bool
    axes: tuple[Axis, ...] = field(compare=False, repr=False)
    rounding: str = field(default="half even", kw_only=True)

    @property
    def rank(self) -> int:
        """Number of spatial axes."""
        return len(self.size)

    @property
    def input_size(self) -> tuple[int, ...]:
        """Input size per spatial axis."""
        return tuple(axis.n_in for axis in self.axes)

    @property
    def sampling_scale(self) -> tuple[float, ...]:
        """Input positions per output position and axis."""
        return tuple(axis.scale for axis in self.axes)

    @property
    def wide(self) -> bool:
        """Whether what float32 holds is computed in float64.

        Integers, whose halves it then rounds as they are, and windows of more items than float32 adds without loss.
        """
        small = self.dtype.itemsize <= (2 if self.dtype.kind in "iu" else 4)
        return small and any(axis.double for axis in self.axes) and not self.axes[0].fixed

    @property
    def follows_rules(self) -> bool:
        """Whether another library's rules stand in place of torch's."""
        return any(axis.rule is not None for axis in self.axes)

    @lazy
    def indices(self) -> tuple[Array, ...]:
        """Per spatial axis, the input position that each output position of a nearest mode copies."""
        whole = []
        for axis in self.axes:
            if axis.taps != 1:
                check.invalid(f"{_OP}: indices must be asked of a nearest mode, got {self.mode!r}")
            whole.append(whole_table(axis).first)
        return tuple(map(read_only, whole))

    def reads(self, window: Window) -> Window:
        """The input positions, from and to per spatial axis, that these positions of the whole result need."""
        return tuple(reads(axis.part(*w)) for axis, w in zip(self.axes, window, strict=True))

    def windowed_fields(self, window: Window, part: Window | None) -> dict[str, Any]:
        """The tables of the window, counted in the part."""
        axes = tuple(axis.part(*w) for axis, w in zip(self.axes, window, strict=True))
        if part is not None:
            axes = tuple(replace(axis, held=p) for axis, p in zip(axes, part, strict=True))
        return {"axes": axes}


@cached
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
    window: Any,
    data_format: Any,
) -> InterpolatePlan:
    """The plan of `fastup.interpolate` on an array of this shape and dtype."""
    scale_factor = _per_axis(scale_factor, _positive)
    size = _per_axis(size, _size)
    if recompute_scale_factor is not None:
        recompute_scale_factor = check.flag(_OP, "recompute_scale_factor", recompute_scale_factor)
    if align_corners is not None:
        align_corners = check.flag(_OP, "align_corners", align_corners)
    antialias = check.flag(_OP, "antialias", antialias)
    mode = tuple(mode) if isinstance(mode, list) else mode
    check.choice(_OP, "data_format", data_format, check.DATA_FORMATS)
    check.choice(_OP, "rounding", rounding, tuple(_ROUNDINGS))
    extents = _spatial(shape, data_format)
    records = filters.of_axes(_OP, mode, shape, len(extents))
    filters.check_options(_OP, mode, records, align_corners, antialias)
    filters.check_dtype(_OP, records, dtype)
    sizes, scales = _sizes(shape, extents, size, scale_factor, rounding, recompute_scale_factor)
    if not isinstance(mode, tuple) and records[0].averages:
        scales = None  # torch computes the windows from the sizes
    aligned = bool(align_corners)
    axes = _axes(records, extents, sizes, scales, aligned, antialias, dtype)
    if not all(math.isfinite(axis.scale) for axis in axes):
        kind = "float64" if axes[0].double else "float32"
        check.invalid(f"{_OP}: scale_factor must have a reciprocal in {kind}, got {scale_factor}")
    output = (*shape[:2], *sizes) if data_format == "channels_first" else (shape[0], *sizes, shape[-1])
    check.size_in_memory(_OP, output, dtype)
    plan = InterpolatePlan(_OP, shape, dtype, data_format, output, sizes, scales, mode, aligned, antialias, axes)
    return plan.cut(window)


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


def _axes(
    records: tuple[Filter, ...],
    extents: tuple[int, ...],
    sizes: tuple[int, ...],
    scales: tuple[float, ...] | None,
    align_corners: bool,
    antialias: bool,
    dtype: np.dtype[Any],
) -> tuple[Axis, ...]:
    """What each axis' table follows from, in the arithmetic that torch uses for this dtype."""
    fixed = dtype == np.uint8 and len(records) == 2 and all(record.form(antialias).fixed for record in records)
    # 16-bit weights of so many taps would round to a sum that is off by what moves a pixel.
    fixed = fixed and not (antialias and max(n // m for n, m in zip(extents, sizes, strict=True)) >= _MOST_FIXED)
    integers = dtype.kind in "iu" and any(record.half for record in records)
    numbers = list(zip(records, extents, sizes, scales or (None,) * len(records), strict=True))
    # Integers are accumulated in float64, so their coordinates are float64 too, but where float32 holds every sum;
    # nearest follows torch.
    plain = integers and not antialias and not align_corners and _fits_float32(numbers, dtype)
    double = bool(fixed or (integers and not plain) or is_double(dtype))
    precision: Any = np.float64 if double else np.float32
    axes = []
    for record, n_in, n_out, factor in numbers:
        aligned = align_corners and record.align_corners
        scale = sampling_scale(n_in, n_out, None if record.averages else factor, precision, aligned)
        smooth = antialias and record.stretched is not None
        axes.append(Axis(record, n_in, n_out, scale, aligned, smooth, double, fixed, (0, n_out)))
    if not all(math.isfinite(axis.scale) for axis in axes):
        return tuple(axes)
    many = not fixed and math.prod(axis.items for axis in axes if axis.antialias) > MOST_ADDED
    small = integers and dtype.itemsize <= _SMALL
    return tuple(_in_float64(axis, factor, many, small) for axis, (*_, factor) in zip(axes, numbers, strict=True))


def _in_float64(axis: Axis, factor: float | None, many: bool, small: bool) -> Axis:
    """The axis with exact coordinates, if torch's would be off or if the window that it belongs to has many items.

    Sums of `small` integers keep 2**-30 of one in float64 as they are.
    """
    if axis.is_identity or axis.filter.averages:
        return axis
    many = many and axis.antialias
    if not (many or axis.needs_float64):
        return axis
    scale = sampling_scale(axis.n_in, axis.n_out, factor, np.float64, axis.align_corners)
    # Each axis of many items, or of items that float64 itself would round, is summed by itself.
    summed = many and (axis.items > MOST_ADDED or (axis.double and not small and axis.scale >= _WORTH_A_SUM))
    return replace(axis, scale=scale, exact=True, double=axis.double or many, summed=summed)


_DIGITS = 24  # of a float32
_SMALL = 2  # bytes of an integer
_WORTH_A_SUM = 2.5  # input pixels for one of the result; what is left of the picture is then small
_MOST_FIXED = 512  # input pixels for one of the result: 3,073 taps of lanczos


def _fits_float32(numbers: list[tuple[Filter, int, int, float | None]], dtype: np.dtype[Any]) -> bool:
    """Whether float32 holds every weight and every sum of these integers: halves, quarters and so on of pixels."""
    digits = 8 * dtype.itemsize
    for record, n_in, n_out, factor in numbers:
        ratio = Fraction(n_in, n_out) if factor is None else 1 / Fraction(factor)
        halves = ratio.denominator.bit_length()  # the coordinate has a half beside the ratio
        if record.digits is None or ratio.denominator != 1 << (halves - 1) or n_in << halves > 1 << _DIGITS:
            return False
        digits += record.digits[0] * halves + record.digits[1]
    return digits <= _DIGITS


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
