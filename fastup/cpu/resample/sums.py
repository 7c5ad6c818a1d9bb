"""Interpolations that add more items than float32 has digits for: means of large windows, filters that shrink a lot.

Such an axis is summed alone, by a kernel that loses nothing; what is left is small. The means of `area` are whole sums
divided once. After a filter the other axes follow, in float64.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from fastup.cpu.memory import Packing
from fastup.cpu.resample.kernels import sums
from fastup.cpu.resample.rounding import mean_of_integers, narrowed
from fastup.cpu.simd import convert
from fastup.cpu.simd.item_kinds import COMPUTED, KINDS
from fastup.plan import InterpolatePlan
from fastup.plan.base import Array
from fastup.plan.sampling.axis import MOST_ADDED, Axis, kept
from fastup.plan.sampling.filters import fma
from fastup.plan.sampling.table import Row, table_of
from fastup.runtime.kernel import Family
from fastup.runtime.workers import Launch

FAMILIES: tuple[Family, ...] = (sums.sums,)
_FEW_ITEMS = 32  # of a pixel; more fill vectors by themselves
_BLOCK = 512  # items of a row that are added at once
_NANOSECONDS = 0.6  # per item, of one thread
_HALVES = {"uint64": ("uint32", "uint32"), "int64": ("uint32", "int32")}  # low and high
_SHORT, _MOST_PLAIN = 64, 2**20  # items of a window along a row, and of a whole one
_MANY_WINDOWS = 8  # of a row, which the kernel of small windows adds side by side
_SHRINKS_WELL = 0.25  # what is left of an axis
_LONGEST_ROW = 2**18  # weights of one position
_KEPT_BYTES = 8 * 2**20
Piece = tuple[Array, Array]  # a table of the kernel, and weights
Pair = tuple[Array, Array]  # sums, and what is to be added to them


def applies(plan: InterpolatePlan) -> bool:
    """Whether a position of this plan may add that many items, or items that no float holds."""
    if all(axis.filter.averages for axis in plan.axes):
        most = math.prod(1 if axis.copies else axis.taps for axis in plan.axes)
        return most > MOST_ADDED or (plan.dtype.name in _HALVES and most > 1)
    return any(axis.sums_many for axis in plan.axes)


def are_plain(plan: InterpolatePlan) -> bool:
    """Whether float64 adds the windows of an `area` one after the other as well and as fast as can be.

    To the bit of integers, and far closer than a float32 can tell.
    """
    width = plan.axes[-1]
    wide = width.copies or width.n_out >= _MANY_WINDOWS or width.taps < _SHORT
    return wide and plan.dtype.itemsize <= 4 and math.prod(axis.taps for axis in plan.axes) <= _MOST_PLAIN


class Means:
    """`area`: large windows are summed exactly, windows of up to `MOST_ADDED` items as torch sums them."""

    def __init__(self, plan: InterpolatePlan, small: Any, large: Any) -> None:
        """Calls for windows of up to `MOST_ADDED` items, and for larger ones where they `are_plain`."""
        self._plan, self._small, self._large = plan, small, large
        counts = np.ones((), np.int64)
        for k, axis in enumerate(plan.axes):
            along = np.ones(axis.length, np.int64) if axis.is_identity else axis.windows()[:, 1]
            counts = counts * along.reshape([-1 if k == other else 1 for other in range(len(plan.axes))])
        if plan.data_format == "channels_last":
            counts = counts[..., None]
        self._counts = counts

    def __call__(self, source: int, target: int, keep: tuple[Any, ...], threads: int | None = None) -> None:
        """Run over arrays; `keep` begins with them."""
        x, out = keep[:2]
        exact = x.dtype.name in _HALVES
        many = np.ones_like(self._counts, bool) if exact else self._counts > MOST_ADDED
        if not many.all():
            self._small(source, target, keep, threads)
        if many.any() and self._large:
            made = out if many.all() else np.empty_like(out)
            self._large(source, made.ctypes.data, (x, made, *keep[2:]), threads)
            np.copyto(out, made, where=many)
        elif many.any():
            mean = self._of_halves(x, threads) if exact else self._mean(self._sum(x, x.dtype.name, threads), x.dtype)
            np.copyto(out, mean, where=many)

    @property
    def nbytes(self) -> int:
        """Bytes of the counts, and of the call for small windows."""
        large = self._large.nbytes if self._large else 0
        return int(self._counts.nbytes) + int(self._small.nbytes) + int(large)

    def _sum(self, x: Array, kind: str, threads: int | None) -> Pair:
        """Whole sums of the windows, along one axis after the other."""
        plan = self._plan
        pair: tuple[Array, Array | None] = (x, None)
        for k in self._order():
            axis, place = plan.axes[k], plan.spatial_axes[k]
            windows = np.stack([np.arange(*axis.window) - axis.first, np.ones(axis.length, np.int64)], axis=1)
            windows = windows if axis.is_identity else axis.windows()
            pair = _along(pair, kind, place, np.pad(windows, ((0, 0), (0, 1))), None, threads)
            kind = "float64"
        high, low = pair
        return (high, low) if low is not None else (high.astype(np.float64), np.zeros(high.shape))

    def _order(self) -> list[int]:
        """Axes as they are summed: first those whose rows lie below each other, if they shrink well, then by ratio."""
        axes = self._plan.axes
        ratio = {k: axis.length / axis.extent for k, axis in enumerate(axes)}
        order = [k for k, axis in enumerate(axes) if not (axis.is_identity and axis.length == axis.extent)]
        return sorted(order, key=lambda k: (ratio[k] > _SHRINKS_WELL or k == len(axes) - 1, ratio[k]))

    def _mean(self, pair: Pair, dtype: np.dtype[Any]) -> Array:
        high, low = pair
        if dtype.kind in "iu":
            return mean_of_integers(high.astype(np.int64) + low.astype(np.int64), self._counts, dtype)
        with np.errstate(all="ignore"):
            low = np.where(np.isfinite(high), low, 0.0)
            count = self._counts.astype(np.float64)
            mean = (high + low) / count
            # The remainder of the division, which is exact, decides the last bit.
            rest = fma(-mean, count, high, True) + low
            mean = np.where(np.isfinite(rest), mean + rest / count, mean)
            return mean.astype(dtype, copy=False)

    def _of_halves(self, x: Array, threads: int | None) -> Array:
        """Integers of 64 bits, whose upper and lower halves are summed apart."""
        x = x.astype(x.dtype.newbyteorder("="), copy=False)
        parts = (
            x[..., None].view(np.uint32) if x.flags.c_contiguous else np.ascontiguousarray(x)[..., None].view(np.uint32)
        )
        low_kind, high_kind = _HALVES[x.dtype.name]
        little = int(np.dtype(x.dtype).str[0] == "<")
        low, high = parts[..., 1 - little], parts[..., little].view(high_kind)
        (a, b), (c, d) = (self._sum(half, kind, threads) for half, kind in ((low, low_kind), (high, high_kind)))
        below, above = a.astype(np.int64) + b.astype(np.int64), c.astype(np.int64) + d.astype(np.int64)
        quotient, rest = np.divmod(above, self._counts)
        return mean_of_integers((rest << 32) + below, self._counts, x.dtype, quotient)


class Filtered:
    """Antialias that shrinks a lot: those axes first and alone, then a plan of float64 for the others."""

    def __init__(self, plan: InterpolatePlan, run: Any) -> None:
        """`run` executes a plan on an array into another."""
        self._plan, self._run = plan, run
        self._large = [k for k, axis in enumerate(plan.axes) if axis.sums_many]
        self._large.sort(key=lambda k: plan.axes[k].length / plan.axes[k].extent)
        shape = list(plan.input_shape)
        axes = list(plan.axes)
        for k, axis in enumerate(plan.axes):
            if k in self._large:
                shape[plan.spatial_axes[k]] = axis.length
                axes[k] = kept(axis.length)
            else:
                axes[k] = replace(axis, double=True)
        whole = replace(plan, dtype=np.dtype(np.float64), input_shape=tuple(shape), axes=tuple(axes))
        self._rest = replace(whole, window=None, part=None, whole=None)
        self._tables: dict[int, list[Piece]] = {}

    @property
    def nbytes(self) -> int:
        """Bytes of the tables that are kept, and of the call for the other axes."""
        tables = (one.nbytes for pieces in self._tables.values() for piece in pieces for one in piece)
        return int(sum(tables)) + sum(int(launch.nbytes) for launch in self._rest.backend_cache.values())

    def __call__(self, source: int, target: int, keep: tuple[Any, ...], threads: int | None = None) -> None:
        """Run over arrays; `keep` begins with them."""
        x, out = keep[:2]
        kind = x.dtype.name
        for k in self._large:
            high, low = np.zeros(1), np.zeros(1)
            for piece, weights in self._pieces(k):
                more = _along((x, None), kind, self._plan.spatial_axes[k], piece, weights, threads)
                high, low = _two_sum(high, more[0], low + more[1])
            with np.errstate(invalid="ignore"):
                x, kind = np.where(np.isfinite(high), high + low, high), "float64"
        made = x
        if any(not axis.is_identity for axis in self._rest.axes):
            made = np.empty(out.shape, np.float64)
            self._run(self._rest, x, made, threads)
        out[...] = narrowed(made, out.dtype)

    def _pieces(self, k: int) -> Iterator[Piece]:
        """The tables of an axis, made once if they are few."""
        if k in self._tables:
            yield from self._tables[k]
            return
        kept: list[Piece] | None = []
        for piece in _pieces(self._plan.axes[k]):
            yield piece
            if kept is not None:
                kept = [*kept, piece] if sum(w.nbytes for _, w in kept) + piece[1].nbytes <= _KEPT_BYTES else None
        if kept is not None:
            self._tables[k] = kept


def _two_sum(a: Any, b: Array, lost: Array) -> Pair:
    with np.errstate(invalid="ignore"):
        total = a + b
        part = total - a
        return total, lost + ((a - (total - part)) + (b - part))


def _pieces(axis: Axis) -> Iterator[Piece]:
    """Tables of the kernel, and the weights that they point to; together they sum all taps of all positions.

    Rows that repeat are there once. Rows too long for one table are cut, and their sum is found first.
    """
    if axis.taps <= _LONGEST_ROW:
        yield _whole_rows(axis)
        return
    rows = [Row(axis, position) for position in range(*axis.window)]
    totals = [math.fsum(float(row.weights(*part).sum()) for part in row.parts(_LONGEST_ROW)) for row in rows]
    for number, (row, total) in enumerate(zip(rows, totals, strict=True)):
        for start, stop in row.parts(_LONGEST_ROW):
            windows = np.zeros((axis.length, sums.WINDOW.size), np.int64)
            windows[number] = sums.WINDOW.fill(first=start - axis.first, count=stop - start, weights=0)
            yield windows, np.concatenate([row.weights(start, stop) / total, np.zeros(sums.VECTOR)])


def _whole_rows(axis: Axis) -> Piece:
    entries, rows, known = [], [], 0
    starts: dict[bytes, int] = {}
    for part in axis.parts():
        first, weights = table_of(part)
        for position, row, count in zip(first, weights, part.counts(weights), strict=True):
            used = np.ascontiguousarray(row[:count], np.float64)
            name = used.tobytes() if axis.period else b""
            begin = starts.get(name, -1) if axis.period else -1
            if begin < 0:
                begin, known = known, known + len(used)
                rows.append(used)
                if axis.period:
                    starts[name] = begin
            entries.append((position, count, begin))
    return np.array(entries, np.int64).reshape(-1, 3), np.concatenate([*rows, np.zeros(sums.VECTOR)])


def _along(
    pair: tuple[Array, Array | None], kind: str, axis: int, table: Array, weights: Array | None, threads: int | None
) -> Pair:
    """The sums along one axis of numbers, and of what they lost before."""
    high, lost = _sums(pair[0], kind, axis, table, weights, threads)
    if pair[1] is not None:
        more, rest = _sums(pair[1], kind, axis, table, weights, threads)
        lost = lost + more + rest
    return high, lost


def _sums(x: Array, kind: str, axis: int, table: Array, weights: Array | None, threads: int | None) -> Pair:
    shape = x.shape
    planes, extent, items = math.prod(shape[:axis]), shape[axis], math.prod(shape[axis + 1 :])
    flat = x.reshape(planes, extent, items)  # a copy where strides do not allow it
    made = np.empty((2, planes, len(table), items))
    if made.size:
        launch, owner = _launch(flat, kind, table, weights, made[0].size)
        launch(flat.ctypes.data, made.ctypes.data, (flat, made, owner), threads)
    result = (*shape[:axis], len(table), *shape[axis + 1 :])
    return made[0].reshape(result), made[1].reshape(result)


def _launch(flat: Array, kind: str, table: Array, weights: Array | None, made: int) -> tuple[Launch, Array]:
    planes, _, items = flat.shape
    number = KINDS.index(kind)
    computed = COMPUTED[number]
    along = items <= _FEW_ITEMS
    block = items if along else min(items, _BLOCK)
    blocks = -(-items // block)
    packing = Packing(sums.P)
    packing.room(convert.LOAD.bytes)
    packing.set(total=planes * len(table) * blocks, outputs=len(table), blocks=blocks, block=block, items=items)
    plane, step, item = flat.strides
    lanes = (4 if items <= 4 else 1) * sums.VECTOR * items if along else 0
    packing.set(plane=plane, step=step, item=item, load=convert.loader(number).address, kind=number)
    packing.set(swapped=not flat.dtype.isnative, lost=made, lanes=lanes)
    room = 8 * (max(lanes, block) + sums.VECTOR)
    line = max(sums.LINE_ITEMS, lanes, block) + items + sums.VECTOR
    packing.set(high=packing.room(room), low=packing.room(room), line=packing.room(8 * line))
    content = np.ascontiguousarray(table)
    owner = np.concatenate([content.view(np.float64).ravel(), weights if weights is not None else np.zeros(1)])
    packing.set(weights=content.nbytes)
    work = planes * items * float(table[:, 1].sum()) * _NANOSECONDS / 1000
    entry = sums.sums(computed, int(weights is not None))
    return packing.launch(entry, work, owner, owner.ctypes.data), owner
