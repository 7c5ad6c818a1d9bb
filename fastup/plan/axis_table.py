"""Coordinate rules: which input positions an output position reads, and with which weights. The only such arithmetic.

The arithmetic is torch's, operation by operation in its precision (float32, or float64 for float64 arrays): with exact
rationals three percent of the nearest neighbours of random size pairs would be other pixels. Where torch's compiler
contracts a product and a sum, `fma` does the same.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from fastup.plan import filters, fixed_point, onnx_rules
from fastup.plan.base import Array, read_only
from fastup.plan.filters import fma

NEAREST = ("nearest", "nearest-exact")
BLOCK = 65_536  # output positions of the longest table that is ever built at once
_BLOCK_ITEMS = 2**18  # and its weights
_HALF_WIDTH = {"linear": 1, "cubic": 2, "lanczos": 3}


class Taps(NamedTuple):
    """The table of one axis: output position i reads ``input[clip(first[i] + k)]`` with weight ``weights[i, k]``."""

    first: Array
    weights: Array

    def __len__(self) -> int:
        return len(self.first)


@dataclass(frozen=True)
class Axis:
    """How one spatial axis is resampled: all that its table follows from.

    Attributes
    ----------
    mode : str
        "nearest", "nearest-exact", "linear", "cubic", "lanczos" or "area".
    n_in, n_out : int
        Extents of the input and of the whole output.
    scale : float
        Input positions per output position.
    align_corners, antialias : bool
        As in `fastup.interpolate`.
    double : bool
        Whether coordinates and weights are float64.
    fixed : bool
        Whether weights are the 16-bit integers of torch's uint8 kernels.
    window : tuple of int
        The output positions that are wanted, from and to.
    onnx : (OnnxRule, bool), optional
        One of ONNX's rules in place of torch's, and whether its filter is stretched when the axis shrinks.
    held : tuple of int, optional
        The input positions, from and to, that there are: tables count from the first of them. Default all.
    """

    mode: str
    n_in: int
    n_out: int
    scale: float
    align_corners: bool = False
    antialias: bool = False
    double: bool = False
    fixed: bool = False
    window: tuple[int, int] = (0, 0)
    onnx: tuple[onnx_rules.OnnxRule, bool] | None = None
    held: tuple[int, int] | None = None

    @property
    def first(self) -> int:
        """The first input position that there is."""
        return self.held[0] if self.held else 0

    @property
    def extent(self) -> int:
        """Number of input positions that there are."""
        return self.held[1] - self.held[0] if self.held else self.n_in

    @property
    def length(self) -> int:
        """Number of wanted output positions."""
        return self.window[1] - self.window[0]

    def whole(self) -> Axis:
        """The same axis with its whole output as window, of its whole input."""
        return replace(self, window=(0, self.n_out), held=None)

    def part(self, start: int, stop: int) -> Axis:
        """The same axis, restricted to wanted positions `start` to `stop` (counted from the window's start)."""
        return replace(self, window=(self.window[0] + start, self.window[0] + stop))

    @property
    def is_identity(self) -> bool:
        """Whether every wanted position copies the input position of its own number."""
        if self.onnx is not None:
            return False
        # torch leaves such axes alone whatever the scale factor, but not nearest, nor cubic in floating point.
        heeds_scale = self.mode in NEAREST or (self.mode in ("cubic", "lanczos") and not (self.antialias or self.fixed))
        return self.n_in == self.n_out and not (heeds_scale and self.scale != 1)

    @property
    def copies(self) -> bool:
        """Whether every output position is one input position as it is."""
        return self.mode in NEAREST or self.is_identity or (self.mode == "area" and self.n_out % self.n_in == 0)

    @property
    def taps(self) -> int:
        """Upper bound of the input positions that one output position reads."""
        if self.copies:
            return 1
        if self.mode == "area":
            return min(self.n_in, -(-self.n_in // self.n_out) + 1)
        half = _HALF_WIDTH[self.mode]
        return min(self.n_in, 2 * math.ceil(half * max(self.scale, 1.0)) + 1) if self.antialias else 2 * half

    @property
    def block(self) -> int:
        """How many positions may have their table built at once: fewer than `BLOCK` where each has many taps."""
        return max(1, min(BLOCK, _BLOCK_ITEMS // self.taps))

    @property
    def table_bytes(self) -> int:
        """Bytes of the longest table that is built for this axis."""
        return min(self.length, self.block) * (8 + 4 * self.taps)

    @functools.cached_property
    def bits(self) -> int:
        """Binary digits after the point of fixed-point weights: one number for the whole axis."""
        return fixed_point.precision(max(fixed_point.largest(self.rule, *part.window) for part in self.whole().parts()))

    @property
    def rule(self) -> fixed_point.Rule:
        """What fixed-point weights follow from."""
        half = _HALF_WIDTH[self.mode]
        return fixed_point.Rule(self.mode, half, self.n_in, self.scale, self.align_corners, self.antialias)

    def parts(self) -> Iterator[Axis]:
        """The window in parts whose tables may be built at once."""
        for start in range(0, self.length, self.block):
            yield self.part(start, min(start + self.block, self.length))

    def table(self) -> Taps:
        """The table of the window, which is asked for `block` positions at once at most."""
        first, weights = self._table()
        return Taps(read_only(first - self.first) if self.first else first, weights)

    def _table(self) -> Taps:
        position = np.arange(*self.window)
        if self.onnx is not None:
            first, weights = onnx_rules.taps(self.onnx[0], self.mode, self.onnx[1], position, self.n_in)
            return _trimmed(first, weights.astype(_float(self)))
        if self.is_identity:
            return _copying(position, self)
        if self.fixed:
            first, weights = fixed_point.taps(self.rule, *self.window, self.bits)
            return _trimmed(first, weights) if self.antialias else Taps(read_only(first), read_only(weights))
        if self.mode in NEAREST:
            return _copying(_nearest(position, self), self)
        if self.mode == "area":
            return _trimmed(*_area(position, self))
        if self.antialias:
            return _trimmed(*_antialiased(position, self))
        return _sampled(position, self)

    def reads(self) -> tuple[int, int]:
        """The input positions, from and to, that the window reads."""
        if self.length == 0:
            return (0, 0)
        low, high = self.n_in, 0
        for part in self.parts():
            first, weights = part.table()
            count = self.counts(weights)
            low = min(low, int(np.clip(first, 0, self.n_in - 1).min()))
            high = max(high, int(np.clip(first + count - 1, 0, self.n_in - 1).max()) + 1)
        return low, high

    def windows(self) -> Array:
        """First position and number of positions that each position of an area axis adds."""
        first, count = area_windows(np.arange(*self.window), self.n_in, self.n_out)
        return np.stack([first - self.first, count], axis=1)

    def counts(self, weights: Array) -> Array:
        """How many taps each output position reads: of a filter its support, and no further.

        Beyond it may be infinities. Linear and cubic read all their taps, as torch does: 0 * inf is NaN there.
        """
        if self.fixed or not (self.antialias or self.mode in ("area", "lanczos")):
            return np.full(len(weights), weights.shape[1])
        return np.asarray(weights.shape[1] - np.argmax((weights != 0)[:, ::-1], axis=1))

    def repetition(self) -> int:
        """How often each input position that there is is copied in turn, if that is all that happens; else 0."""
        factor, rest = divmod(self.n_out, self.n_in)
        if self.is_identity:
            factor, rest = 1, 0
        elif self.mode not in (*NEAREST, "area"):
            return 0
        if rest or self.window != (self.first * factor, (self.first + self.extent) * factor):
            return 0
        if self.mode not in NEAREST:
            return factor
        same = (
            np.array_equal(part.table().first, np.arange(*part.window) // factor - self.first) for part in self.parts()
        )
        return factor if all(same) else 0


def precision_of(dtype: np.dtype[Any]) -> type[np.floating[Any]]:
    """The type in which torch computes coordinates for arrays of `dtype`."""
    return np.float64 if is_double(dtype) else np.float32


def is_double(dtype: np.dtype[Any]) -> bool:
    """Whether `dtype` is float64 in either byte order, which NumPy counts as different dtypes."""
    return dtype.kind == "f" and dtype.itemsize == 8


def sampling_scale(
    n_in: int, n_out: int, scale_factor: float | None, precision: type[np.floating[Any]], align_corners: bool = False
) -> float:
    """Input positions per output position: 1 / scale_factor where one was given, else the ratio of the sizes."""
    if align_corners:
        return float(precision(n_in - 1) / precision(n_out - 1)) if n_out > 1 else 0.0
    if scale_factor is not None:
        with np.errstate(over="ignore"):  # the caller refuses what is not finite
            return float(precision(1.0 / np.float64(scale_factor)))
    return float(precision(n_in) / precision(n_out))


def _float(axis: Axis) -> type[np.floating[Any]]:
    return np.float64 if axis.double else np.float32


def _copying(position: Array, axis: Axis) -> Taps:
    return Taps(read_only(position), read_only(np.ones((len(position), 1), _float(axis))))


def _centre(position: Array, axis: Axis) -> Array:
    """The input coordinate that an output position samples."""
    kind = _float(axis)
    if axis.align_corners:
        return np.asarray(position.astype(kind) * kind(axis.scale))
    return np.asarray(fma(kind(axis.scale), position.astype(kind) + kind(0.5), kind(-0.5), axis.double))


def _nearest(position: Array, axis: Axis) -> Array:
    """nearest: floor(i * scale). nearest-exact: floor of the pixel centre, clamped at 0, plus 0.5."""
    kind = _float(axis)
    if axis.mode == "nearest":
        source = position.astype(kind) * kind(axis.scale)
    else:
        # scale * (i + 0.5) - 0.5 with the product in float64: one rounding for float32 arrays, two for float64 ones.
        exact = np.float64(axis.scale) * (position.astype(kind) + kind(0.5)).astype(np.float64) - 0.5
        source = np.maximum(exact.astype(kind), kind(0)).astype(np.float64) + 0.5
    # Through float32 in every precision, and clamped before it becomes an integer: no scale is too large.
    index = np.floor(np.minimum(source, axis.n_in).astype(np.float32)).astype(np.float64)
    return np.asarray(np.clip(index, 0, axis.n_in - 1).astype(np.int64))


def _sampled(position: Array, axis: Axis) -> Taps:
    """Taps at the sampled coordinate; those beyond the edge read the edge."""
    kind = _float(axis)
    source = _centre(position, axis)
    if axis.mode == "linear":
        source = np.maximum(source, kind(0))
    # torch's floor goes through float32 for float64 coordinates too: 2.99999999 counts as 3.
    whole = np.minimum(np.floor(np.minimum(source, axis.n_in).astype(np.float32)), axis.n_in - 1).astype(np.int64)
    past = np.clip(source - whole.astype(kind), 0, 1).astype(kind)
    weights = filters.SAMPLED[axis.mode](past, axis.double)
    first = whole - (_HALF_WIDTH[axis.mode] - 1)
    return Taps(read_only(first), read_only(np.ascontiguousarray(weights.astype(kind))))


def _antialiased(position: Array, axis: Axis) -> tuple[Array, Array]:
    """Taps within the filter's support, which grows with the scale; the filter is cut off at the edges."""
    kind = _float(axis)
    support = kind(kind(_HALF_WIDTH[axis.mode]) * kind(max(axis.scale, 1.0)))
    narrowing = kind(1.0 / max(axis.scale, 1.0))
    centre = (axis.scale * (position + 0.5)).astype(kind)
    # Clipped before they become integers: no scale is too large for one.
    first = np.clip((centre - support).astype(np.float64) + 0.5, 0, axis.n_in).astype(np.int64)
    last = np.clip((centre + support).astype(np.float64) + 0.5, 0, axis.n_in).astype(np.int64)
    count = np.clip(last - first, 0, axis.taps)
    weights = np.zeros((len(position), axis.taps), kind)
    total = np.zeros(len(position), kind)
    for k in range(axis.taps):
        away = ((first + k).astype(kind) - centre).astype(np.float64) + 0.5
        weight = filters.ANTIALIASED[axis.mode]((away * narrowing).astype(kind), axis.double)
        weights[:, k] = np.where(k < count, weight, 0)
        total += weights[:, k]
    return first, np.divide(weights, total[:, None], where=total[:, None] != 0, out=weights)


def area_windows(position: Array, n_in: int, n_out: int) -> tuple[Array, Array]:
    """First input position and number of positions that adaptive average pooling takes."""
    first = position * n_in // n_out
    return first, -(-(position + 1) * n_in // n_out) - first


def _area(position: Array, axis: Axis) -> tuple[Array, Array]:
    first, count = area_windows(position, axis.n_in, axis.n_out)
    inside = np.arange(int(count.max(initial=1))) < count[:, None]
    return first, (inside / count[:, None]).astype(_float(axis))


def _trimmed(first: Array, weights: Array) -> Taps:
    """Without the columns that no position uses."""
    used = np.flatnonzero(weights.any(axis=0))
    columns = int(used[-1]) + 1 if len(used) else 1
    return Taps(read_only(first), read_only(np.ascontiguousarray(weights[:, :columns])))
