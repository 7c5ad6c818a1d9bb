"""One axis of an interpolation as data: all that its table follows from, and windows and parts of it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from fastup.plan.base import Array
from fastup.plan.lazy import lazy
from fastup.plan.sampling.filter import Filter, Form
from fastup.plan.sampling.filters import FILTERS
from fastup.plan.sampling.rule import Rule

BLOCK = 65_536  # output positions of the longest table that is ever built at once
_BLOCK_ITEMS = 2**18  # and its weights
MOST_ADDED = 256  # items that are added in float32, in torch's order; more are added in float64
_LONGEST = 2**22  # outputs; beyond, halves of positions have too many digits for float32
_CLOSE = 2.0**-10  # of a pixel: what a coordinate in float32 may be off
_CHECKED = 512  # positions at the end of an axis, where coordinates are farthest off
_DIGITS = 24  # of a float32
_DENOMINATOR = 100_000  # of a scale factor that was meant as a fraction, such as 1.7 or 48 / 44.1


@dataclass(frozen=True)
class Axis:
    """How one spatial axis is resampled: all that its table follows from.

    Attributes
    ----------
    filter : Filter
        What happens along it.
    n_in, n_out : int
        Extents of the input and of the whole output.
    scale : float
        Input positions per output position.
    align_corners, antialias : bool
        As in `fastup.interpolate`.
    double : bool
        Whether coordinates and weights are float64.
    fixed : bool
        Whether weights are integers: the 16-bit ones of torch's uint8 kernels, or the rule's.
    window : tuple of int
        The output positions that are wanted, from and to.
    rule : Rule, optional
        Another library's rule in place of torch's.
    held : tuple of int, optional
        The input positions, from and to, that there are: tables count from the first of them. Default all.
    exact : bool
        Whether coordinates and weights are made in float64 throughout, since torch's float32 would be off.
    summed : bool
        Whether the axis has to be summed by itself, since a window of it has very many items.
    """

    filter: Filter
    n_in: int
    n_out: int
    scale: float
    align_corners: bool = False
    antialias: bool = False
    double: bool = False
    fixed: bool = False
    window: tuple[int, int] = (0, 0)
    rule: Rule | None = None
    held: tuple[int, int] | None = None
    exact: bool = False
    summed: bool = False

    @property
    def form(self) -> Form:
        """The weights of the filter, and what is known of them."""
        return self.filter.form(self.antialias)

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

    def parts(self) -> Iterator[Axis]:
        """The window in parts whose tables may be built at once; they end where the whole axis' blocks end."""
        start, stop = self.window
        ends = [*range((start // self.block + 1) * self.block, stop, self.block), stop]
        for begin, end in itertools.pairwise([start, *ends]):
            if begin < end:
                yield replace(self, window=(begin, end))

    @property
    def heeds_scale(self) -> bool:
        """Whether a scale factor moves the samples of an axis that keeps its size, as it does in torch's cubic."""
        return self.filter.heeds_scale and not (self.antialias or self.fixed)

    @property
    def is_identity(self) -> bool:
        """Whether every wanted position copies the input position of its own number."""
        if self.rule is not None or not self.filter.interpolates:
            return False
        return self.n_in == self.n_out and not (self.heeds_scale and self.scale != 1)

    @property
    def copies(self) -> bool:
        """Whether every output position is one input position as it is."""
        return self.filter.copies or self.is_identity or (self.filter.averages and self.n_out % self.n_in == 0)

    @property
    def taps(self) -> int:
        """Upper bound of the input positions that one output position reads."""
        if self.copies:
            return 1
        if self.rule is not None:
            return self.rule.most_taps(self.n_in, self.n_out)
        if self.filter.averages:
            return min(self.n_in, -(-self.n_in // self.n_out) + 1)
        half = self.filter.half
        return min(self.n_in, 2 * math.ceil(half * max(self.scale, 1.0)) + 1) if self.antialias else 2 * half

    @property
    def constant_taps(self) -> int:
        """Taps that every position reads, in torch's order of sums; 0 for any number, in sequence."""
        return 2 * self.filter.half if self.filter.reads_zeros and not self.antialias else 0

    @property
    def in_steps(self) -> bool:
        """Whether products are rounded before they are added, and taps of weight 0 are read; absent ones are NaN."""
        return self.rule is not None and self.rule.in_steps and not self.fixed

    @property
    def items(self) -> int:
        """Input positions that the filter of an antialiased axis covers."""
        return min(self.n_in, math.ceil(2 * self.filter.half * max(self.scale, 1.0)))

    @property
    def sums_many(self) -> bool:
        """Whether a position may add more items than a float32 can without losing the smaller ones."""
        return self.summed or (self.filter.averages and self.taps > MOST_ADDED)

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
        if self.rule is not None or self.fixed:
            return None
        if self.filter.averages:
            found = Fraction(self.n_in, self.n_out)
        else:
            found = self.ratio
            if not self.exact and not self._is_exact_in_float32(found):
                return None
        return (found.numerator, found.denominator) if found.denominator <= BLOCK else None

    @property
    def ratio(self) -> Fraction:
        """Input positions per output position, as the sizes or the scale factor say it."""
        sizes = Fraction(self.n_in, self.n_out)
        if self.align_corners:
            sizes = Fraction(self.n_in - 1, max(1, self.n_out - 1))
        if _is(self.scale, sizes):
            return sizes
        if self.scale == 0:  # one output, or one input, of aligned corners
            return Fraction(0)
        meant, turned = (Fraction(one).limit_denominator(_DENOMINATOR) for one in (self.scale, 1 / self.scale))
        for found in (1 / turned if turned else meant, meant):
            if _is(self.scale, found):
                return found
        return Fraction(self.scale)

    def _is_exact_in_float32(self, ratio: Fraction) -> bool:
        """Whether float32 holds every coordinate, so that weights repeat with the ratio."""
        digits = ratio.denominator.bit_length() - 1
        if ratio.denominator != 1 << digits:
            return False
        return self.n_in << (digits + 1) <= 1 << _DIGITS and self.n_out << 1 <= 1 << _DIGITS

    @property
    def needs_float64(self) -> bool:
        """Whether torch's coordinates, in float32 (if `double` only their floor), are off by what can be seen."""
        if self.n_out > _LONGEST:
            return True
        position = np.arange(max(0, self.n_out - _CHECKED), self.n_out)
        if self.double:
            exact = np.minimum(self._coordinates(position, self.scale, np.float64), self.n_in)
            rough = exact.astype(np.float32)
        else:
            exact = self._coordinates(position, float(self.ratio), np.float64)
            rough = self._coordinates(position, self.scale, np.float32)
        return bool((np.abs(rough.astype(np.float64) - exact) > _CLOSE).any())

    def _coordinates(self, position: Array, scale: float, kind: type[np.floating[Any]]) -> Array:
        if self.align_corners:
            return np.asarray(position.astype(kind) * kind(scale))
        return np.asarray((position + 0.5).astype(kind) * kind(scale) - kind(0.5))

    def is_inner(self, start: int, stop: int) -> bool:
        """Whether these positions read no tap that an edge moves or cuts off."""
        reach = (self.taps + 2, self.n_in - self.taps - 2)
        return start * self.scale >= reach[0] and stop * self.scale <= reach[1]

    def windows(self) -> Array:
        """First position and number of positions that each position of an axis of means adds."""
        position = np.arange(*self.window)
        first = position * self.n_in // self.n_out
        return np.stack([first - self.first, -(-(position + 1) * self.n_in // self.n_out) - first], axis=1)

    def counts(self, weights: Array) -> Array:
        """How many taps each output position reads: of a filter its support, and no further.

        Beyond it may be infinities.
        """
        if self.fixed or self.constant_taps:
            return np.full(len(weights), weights.shape[1])
        if self.in_steps:
            return np.asarray((~np.isnan(weights)).sum(axis=1))
        return np.asarray(weights.shape[1] - np.argmax((weights != 0)[:, ::-1], axis=1))


def _is(scale: float, found: Fraction) -> bool:
    """Whether a float is this fraction, rounded to float32 or to float64."""
    number = float(found)
    return found > 0 and (math.isclose(scale, number, rel_tol=2.0**-50) or scale == float(np.float32(number)))


def ruled(rule: Rule, n_in: int, n_out: int, double: bool = False) -> Axis:
    """An axis that another library's rule samples; its weights are float64 if `double`, unless they are integers."""
    record = FILTERS["nearest"] if rule.copies else _RULED
    fixed = rule.bits > 0
    return Axis(record, n_in, n_out, n_in / n_out, False, not rule.copies, double, fixed, (0, n_out), rule=rule)


_RULED = Filter("ruled", 1, Form(), Form(), interpolates=False)


def kept(length: int) -> Axis:
    """An axis in float64 whose positions stay as they are."""
    return Axis(FILTERS["nearest"], length, length, 1.0, double=True, window=(0, length))


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
