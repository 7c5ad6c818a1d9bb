"""Interpolation on the CPU: whole factors as a permuted copy, everything else by table."""

from __future__ import annotations

import math

import numpy as np

from fastup.cpu.kernels import resample
from fastup.cpu.permuted_copy import ELEMENTS, Digits, permuted_copy, streams
from fastup.plan import InterpolatePlan, axis_table
from fastup.runtime.workers import Launch

FAMILIES = (resample.take_rows,)
_PIXELS = resample.take_rows.constants["pixel"]
_BYTES_PER_MICROSECOND = 20_000  # written by one thread


def launch(plan: InterpolatePlan, strides: tuple[int, ...]) -> Launch | None:
    """The kernel call for a source with these strides (in items)."""
    factors = [axis_table.repetition(i, n) for i, n in zip(plan.indices, plan.input_size, strict=True)]
    if all(factors):
        return permuted_copy(_repeating(plan, factors, strides), plan.dtype.itemsize)
    return _by_table(plan, strides)


def _repeating(plan: InterpolatePlan, factors: list[int], strides: tuple[int, ...]) -> Digits:
    """Every spatial position is followed by a digit of stride 0: its repetitions."""
    digits: Digits = []
    for axis, (extent, stride) in enumerate(zip(plan.input_shape, strides, strict=True)):
        digits.append((extent, stride))
        if axis in plan.spatial_axes:
            digits.append((factors[axis - plan.spatial_axes[0]], 0))
    return digits


def _by_table(plan: InterpolatePlan, strides: tuple[int, ...]) -> Launch | None:
    itemsize, channels_last = plan.dtype.itemsize, plan.data_format == "channels_last"
    pixel, planes = 1, [(extent, stride) for extent, stride in zip(plan.input_shape[:2], strides[:2], strict=True)]
    if channels_last:
        pixel, planes = plan.input_shape[-1], [(1, 0), (plan.input_shape[0], strides[0])]
        if pixel > 1 and strides[-1] != 1:
            return None
    strides = tuple(strides[axis] for axis in plan.spatial_axes)
    run = pixel * itemsize
    if run in ELEMENTS and all(stride % pixel == 0 for stride in (*strides, planes[-1][1])):
        strides, planes = tuple(s // pixel for s in strides), [(n, s // pixel) for n, s in planes]
        pixel, itemsize = 1, run
    if itemsize == 16:  # as two items of eight bytes
        strides, planes = tuple(2 * s for s in strides), [(n, 2 * s) for n, s in planes]
        pixel, itemsize = 2 * pixel, 8
    offsets = [index * stride for index, stride in zip(plan.indices, strides, strict=True)]
    columns, lines, slices = ([*reversed(offsets), *[np.zeros(1, np.int64)] * 2])[:3]
    table = np.ascontiguousarray(np.concatenate([lines, slices, columns]))
    (outer, outer_stride), (inner, inner_stride) = planes
    params = [
        outer * inner * len(slices) * len(lines), len(slices) * len(lines), len(lines), len(columns), pixel,
        inner, inner_stride, outer, outer_stride,
    ]  # fmt: skip
    written = math.prod(plan.output_shape) * plan.dtype.itemsize
    stream = streams(written, len(columns) * pixel * itemsize)
    entry = resample.take_rows(ELEMENTS[itemsize], pixel if pixel in _PIXELS else 0, stream)
    return Launch(entry, params, written / _BYTES_PER_MICROSECOND, table, table.ctypes.data)
