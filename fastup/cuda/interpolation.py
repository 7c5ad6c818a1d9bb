"""Interpolation on a device: nearest as a copy by places, the rest axis by axis with the plan's tables."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastup.cuda import floats, memory
from fastup.cuda.copies import Digits, contiguous, copy
from fastup.cuda.kernels import resample
from fastup.cuda.memory import View
from fastup.plan import InterpolatePlan
from fastup.plan.sampling import fixed_point
from fastup.plan.sampling.axis import MOST_ADDED, Axis
from fastup.plan.sampling.table import whole_table

# The order in which torch's compiled code sums the taps of sampled filters.
_GRID = 1.5 * 2.0**22  # beside it a float64 has steps of 2**-30, far above what a sum of small integers errs by
_ORDERS = {2: (1, 0), 4: (1, 0, 2, 3)}


def run(plan: InterpolatePlan, x: View, results: tuple[View, ...], _operands: tuple[Any, ...]) -> None:
    """Fill the result."""
    if all(axis.copies for axis in plan.axes):
        _copy(plan, x, results[0])
        return
    x = contiguous(plan, x)
    if all(axis.filter.averages for axis in plan.axes):
        if plan.dtype.kind in "iu":
            bits = 4 * plan.dtype.itemsize
            halves = memory.uploaded(np.array([bits, 2**bits - 1], plan.dtype))
            items = (one.flat(plan.dtype)[0] for one in (x, results[0]))
            memory.launch(resample.area_integers, results[0].size, _windows(plan), halves, *items)
            return
        made = floats.target(results[0])
        memory.launch(resample.area, results[0].size, _windows(plan), MOST_ADDED, floats.widened(x), made)
    elif any(axis.fixed for axis in plan.axes):
        _fixed(plan, x, results[0])
        return
    else:
        made = _weighted(plan, x, results[0])
    floats.narrowed(made, results[0], _GRID if plan.wide else 0.0)


def _computed(plan: InterpolatePlan) -> np.dtype[Any]:
    """What sums are computed in: float64 also where float32 has too few digits for weights or sums."""
    more = plan.wide or any(axis.sums_many for axis in plan.axes)
    return np.dtype(np.float64) if more else floats.computed_in(plan.dtype)


def _copy(plan: InterpolatePlan, x: View, y: View) -> None:
    digits: Digits = []
    for axis, (extent, step) in enumerate(zip(plan.output_shape, x.strides, strict=True)):
        stride = step // x.dtype.itemsize
        if axis in plan.spatial_axes:
            first = whole_table(plan.axes[axis - plan.spatial_axes[0]]).first
            digits.append((extent, first * stride))
        else:
            digits.append((extent, stride))
    copy(plan, "copy", digits, x, y)


class _Pass:
    """One axis, with its tables on the device."""

    def __init__(self, axis: Axis, inner: int, kind: np.dtype[Any]) -> None:
        first, weights = whole_table(axis)
        self.bits = fixed_point.bits(axis) if axis.fixed else 0
        if axis.fixed and axis.is_identity:  # only cut: one half of twice the pixel
            weights, self.bits = np.full(weights.shape, 2, np.int32), 1
        taps = weights.shape[1]
        order = _ORDERS.get(taps if taps == axis.constant_taps else 0, range(taps))
        self.sizes, self.taps = (axis.extent, axis.length, inner), taps
        self.order, self.first = memory.table(list(order)), memory.uploaded(first.astype(np.int64))
        self.counts = memory.uploaded(axis.counts(weights).astype(np.int64))
        self.weights = memory.uploaded(weights.ravel() if axis.fixed else weights.ravel().astype(kind))


def _passes(plan: InterpolatePlan) -> list[tuple[_Pass, tuple[int, ...]]]:
    """The axes that change, the last one first, and the shape after each."""
    known = memory.kept(plan, "passes")
    if not known:
        shape = list(plan.input_shape)
        for number in reversed(range(len(plan.axes))):
            axis, place = plan.axes[number], plan.spatial_axes[number]
            if axis.is_identity and axis.length == axis.extent:
                continue
            shape[place] = axis.length
            known.append((_Pass(axis, math.prod(shape[place + 1 :]), _computed(plan)), tuple(shape)))
    return known


def _weighted(plan: InterpolatePlan, x: View, y: View) -> Any:
    kind, passes = _computed(plan), _passes(plan)
    current = floats.widened(x, kind)
    for number, (one, shape) in enumerate(passes):
        last = number == len(passes) - 1
        made = floats.target(y, kind) if last else memory.empty((math.prod(shape),), kind)
        tables = (one.order, one.first, one.counts, one.weights)
        memory.launch(resample.weighted, math.prod(shape), *one.sizes, one.taps, *tables, current, made)
        current = made
    return current


def _fixed(plan: InterpolatePlan, x: View, y: View) -> None:
    current, passes = x.flat(np.uint8)[0], _passes(plan)
    for number, (one, shape) in enumerate(passes):
        last = number == len(passes) - 1
        made = y.flat(np.uint8)[0] if last else memory.empty((math.prod(shape),), np.uint8)
        tables = (one.bits, one.first, one.weights)
        memory.launch(resample.fixed, math.prod(shape), *one.sizes, one.taps, *tables, current, made)
        current = made


def _windows(plan: InterpolatePlan) -> Any:
    """The table of the area kernel."""
    known = memory.kept(plan, "area")
    if not known:
        missing = 3 - len(plan.axes)
        lists, windows = [0, 1], [resample.P.size] * missing  # an axis that is not there has one window of one
        for axis in plan.axes:
            windows.append(resample.P.size + len(lists))
            lists += [int(number) for number in axis.windows().ravel()]
        numbers = resample.P.fill(
            inputs=[*(1,) * missing, *(axis.extent for axis in plan.axes)], windows=windows,
            outputs=[*(1,) * missing, *(axis.length for axis in plan.axes)],
            items=plan.input_shape[-1] if plan.data_format == "channels_last" else 1,
        )  # fmt: skip
        known.append(memory.table(numbers + lists))
    return known[0]
