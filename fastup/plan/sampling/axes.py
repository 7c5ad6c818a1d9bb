"""One axis of an interpolation: all that its table follows from, and windows and parts of it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from fastup.plan import onnx_rules
from fastup.plan.base import Array, read_only
from fastup.plan.lazy import lazy
from fastup.plan.sampling import fixed_point, periods, table
from fastup.plan.sampling.table import Taps

NEAREST = ("nearest", "nearest-exact")
BLOCK = 65_536  # output positions of the longest table that is ever built at once
_BLOCK_ITEMS = 2**18  # and its weights
_ENDS = 64  # positions at either end of a window
MOST_ADDED = 256  # items that are added in float32, in torch's order; more are added in float64


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
    exact : bool
        Whether coordinates and weights are made in float64 throughout, since torch's float32 would be off.
    summed : bool
        Whether the axis has to be summed by itself, since a window of it has very many items.
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
    exact: bool = False
    summed: bool = False

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
        half = table.HALF_WIDTH[self.mode]
        return min(self.n_in, 2 * math.ceil(half * max(self.scale, 1.0)) + 1) if self.antialias else 2 * half

    @property
    def items(self) -> int:
        """Input positions that the filter of an antialiased axis covers."""
        return min(self.n_in, math.ceil(2 * table.HALF_WIDTH[self.mode] * max(self.scale, 1.0)))

    @property
    def block(self) -> int:
        """How many positions may have their table built at once: fewer than `BLOCK` where each has many taps.

        Where weights repeat, whole periods.
        """
        most = max(1, min(BLOCK, _BLOCK_ITEMS // self.taps))
        repeated = self.period[1] if self.period else 1
        return most // repeated * repeated if most >= repeated else most

    @lazy
    def period(self) -> tuple[int, int] | None:
        """After how many input and output positions weights repeat to the last bit; None if never, or too late."""
        if self.onnx is not None or self.fixed:
            return None
        if self.mode == "area":
            found = Fraction(self.n_in, self.n_out)
        else:
            found = periods.ratio(self.n_in, self.n_out, self.scale, self.align_corners)
            if not self.exact and not periods.is_exact_in_float32(found, self.n_in, self.n_out):
                return None
        return (found.numerator, found.denominator) if found.denominator <= BLOCK else None

    def is_inner(self, start: int, stop: int) -> bool:
        """Whether these positions read no tap that an edge moves or cuts off."""
        reach = (self.taps + 2, self.n_in - self.taps - 2)
        return start * self.scale >= reach[0] and stop * self.scale <= reach[1]

    @property
    def sums_many(self) -> bool:
        """Whether a position may add more items than a float32 can without losing the smaller ones."""
        return self.summed or (self.mode == "area" and self.taps > MOST_ADDED)

    @lazy
    def bits(self) -> int:
        """Binary digits after the point of fixed-point weights: one number for the whole axis."""
        return fixed_point.precision(max(fixed_point.largest(self.rule, *part.window) for part in self.whole().parts()))

    @property
    def rule(self) -> fixed_point.Rule:
        """What fixed-point weights follow from."""
        half = table.HALF_WIDTH[self.mode]
        options = (self.align_corners, self.antialias, self.exact)
        return fixed_point.Rule(self.mode, half, self.n_in, self.scale, *options)

    def parts(self) -> Iterator[Axis]:
        """The window in parts whose tables may be built at once; they end where the whole axis' blocks end."""
        start, stop = self.window
        ends = [*range((start // self.block + 1) * self.block, stop, self.block), stop]
        for begin, end in itertools.pairwise([start, *ends]):
            if begin < end:
                yield replace(self, window=(begin, end))

    def table(self) -> Taps:
        """The table of the window, which is asked for `block` positions at once at most."""
        first, weights = self._table()
        return Taps(read_only(first - self.first) if self.first else first, weights)

    def _table(self) -> Taps:
        position = np.arange(*self.window)
        if self.onnx is not None:
            first, weights = onnx_rules.taps(self.onnx[0], self.mode, self.onnx[1], position, self.n_in)
            return table.trimmed(first, weights.astype(table.float_of(self)))
        if self.is_identity:
            return table.copying(position, self)
        if self.fixed:
            first, weights = fixed_point.taps(self.rule, *self.window, self.bits)
            return table.trimmed(first, weights) if self.antialias else Taps(read_only(first), read_only(weights))
        if self.mode in NEAREST:
            return table.copying(table.nearest(position, self), self)
        if self.mode == "area":
            return table.trimmed(*table.area(position, self))
        if self.antialias:
            return table.trimmed(*table.antialiased(position, self))
        return table.sampled(position, self)

    def reads(self) -> tuple[int, int]:
        """The input positions, from and to, that the window reads."""
        if self.length == 0:
            return (0, 0)
        low, high = self.n_in, 0
        start, stop = self.window
        ends = (
            (start, min(start + _ENDS, stop)),
            (max(start, stop - _ENDS), stop),
        )  # what lies between reads no further
        for part in (replace(self, window=window) for window in ends):
            first, weights = part.table()
            count = self.counts(weights)
            low = min(low, int(np.clip(first, 0, self.n_in - 1).min()))
            high = max(high, int(np.clip(first + count - 1, 0, self.n_in - 1).max()) + 1)
        return low, high

    def windows(self) -> Array:
        """First position and number of positions that each position of an area axis adds."""
        first, count = table.area_windows(np.arange(*self.window), self.n_in, self.n_out)
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
        if self.mode not in NEAREST or self.period == (1, factor):
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
