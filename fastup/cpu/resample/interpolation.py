"""Interpolation on the CPU: whole factors as a permuted copy, nearest by table, area by windows, the rest by axes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from fastup.cpu.copy import permuted, pieces
from fastup.cpu.copy.kernels import permuted_copy, take
from fastup.cpu.copy.permuted import Digits
from fastup.cpu.memory import ELEMENTS, beyond_caches, streams, target_strides
from fastup.cpu.resample import area, blocks, separable, sums
from fastup.cpu.resample.blocks import Digit
from fastup.cpu.resample.resample_call import ResampleCall
from fastup.cpu.simd.item_kinds import KINDS
from fastup.plan import InterpolatePlan
from fastup.plan.base import Array
from fastup.plan.sampling.axis import Axis
from fastup.plan.sampling.table import repetition, table_of
from fastup.runtime.kernel import Family
from fastup.runtime.workers import Launch

FAMILIES = (
    take.take_rows,
    take.take_long_pixels,
    take.take_pieces,
    take.repeat_rows,
    *separable.FAMILIES,
    *area.FAMILIES,
    *sums.FAMILIES,
)
_PIXELS, _LONG_PIXELS = take.take_rows.constants["pixel"], take.take_long_pixels.constants["chunk"]
_NANOSECONDS = 1.0  # per pixel that is looked up, of one thread
_BYTES_PER_MICROSECOND = 20_000  # read or written by one thread
_LINE = 64  # bytes of the caches


def instances(dtype: np.dtype[Any]) -> Iterator[tuple[Family, tuple[Any, ...]]]:
    """The kernels that arrays of `dtype` may need."""
    yield from permuted.instances(dtype)
    element = ELEMENTS[min(8, dtype.itemsize)]
    for family in (take.take_rows, take.repeat_rows):
        yield from ((family, key) for key in family.instances() if key[0] == element)
    for family in (take.take_long_pixels, take.take_pieces):
        yield from ((family, key) for key in family.instances())
    yield from separable.instances(dtype, (*separable.FAMILIES, *area.FAMILIES))
    if dtype.name in KINDS:
        yield from ((sums.FAMILIES[0], key) for key in sums.FAMILIES[0].instances())


def launch(plan: InterpolatePlan, strides: tuple[int, ...]) -> Any:
    """The kernel call for a source with these strides (in items); None for strides that no kernel walks."""
    factors = [repetition(axis) for axis in plan.axes]
    if all(factors):
        return _repeated_rows(plan, factors, strides) or permuted.launch(
            _repeating(plan, factors, strides), plan.dtype.itemsize
        )
    pixels_are_runs = plan.data_format == "channels_first" or plan.input_shape[-1] == 1 or strides[-1] == 1
    if all(axis.copies for axis in plan.axes) and not pixels_are_runs:
        return None
    if not sums.applies(plan):
        return _by_blocks(plan, strides)
    if all(axis.filter.averages for axis in plan.axes):
        large = _by_blocks(plan, strides, wide=True) if sums.are_plain(plan) else None
        return sums.Means(plan, _by_blocks(plan, strides), large)
    return sums.Filtered(plan, _run)


def _run(plan: InterpolatePlan, x: Any, out: Any, threads: int | None) -> None:
    """Execute a plan on an array without gaps into another."""
    launch = plan.backend_cache.get(x.strides)
    if launch is None:
        strides = tuple(stride // plan.dtype.itemsize for stride in x.strides)
        launch = plan.backend_cache[x.strides] = _by_blocks(plan, strides)
    launch(x.ctypes.data, out.ctypes.data, (x, out), threads)


def run(plan: InterpolatePlan, x: Array, out: Array, threads: int | None) -> None:
    """Execute a plan as a step of another one."""
    size = plan.dtype.itemsize
    call = plan.backend_cache.get(x.strides)
    if call is None:
        call = launch(plan, tuple(stride // size for stride in x.strides)) if x.flags.aligned else None
        if call is None or any(stride % size for stride in x.strides):  # strides that no kernel walks
            run(plan, x.copy(), out, threads)
            return
        plan.backend_cache[x.strides] = call
    call(x.ctypes.data, out.ctypes.data, (x, out), threads)


def _by_blocks(plan: InterpolatePlan, strides: tuple[int, ...], wide: bool = False) -> Any:
    def pack(axes: tuple[Axis, ...], digits: tuple[Digit, ...]) -> Launch:
        if all(axis.copies for axis in axes):
            return _by_table(plan, strides, axes)
        make = area.pack if all(axis.filter.averages for axis in axes) else separable.pack
        return make(call_of(plan, strides, axes, digits)._replace(wide=wide or plan.wide))

    if not any(axis.length > axis.block for axis in plan.axes):
        return pack(plan.axes, ())
    copies = all(axis.copies for axis in plan.axes)
    planes = 1 if plan.data_format == "channels_last" else 2
    planes += len(plan.axes) == 3 and plan.axes[0].is_identity
    return blocks.Blocks(plan, strides, pack, 0 if copies else 3 - planes)


def call_of(
    plan: InterpolatePlan, strides: tuple[int, ...], axes: tuple[Axis, ...], digits: tuple[Digit, ...] = ()
) -> ResampleCall:
    """Where arrays lie, for a source with these strides (in items); `digits` are further ones of the planes."""
    size, last = plan.dtype.itemsize, plan.data_format == "channels_last"
    source, target = tuple(stride * size for stride in strides), target_strides(plan)
    planes = [(plan.input_shape[axis], source[axis], target[axis]) for axis in ((0,) if last else (0, 1))]
    spatial, offset = plan.spatial_axes, 0
    if len(axes) == 3 and axes[0].is_identity:
        planes.append((axes[0].length, source[spatial[0]], target[spatial[0]]))
        offset = (axes[0].window[0] - axes[0].first) * source[spatial[0]]
    whole = math.prod(axis.length for axis in plan.axes)
    share = blocks.outputs(axes, digits) / whole if whole else 1.0
    return ResampleCall(
        axes,
        tuple(source[axis] for axis in spatial),
        tuple(target[axis] for axis in spatial),
        (*planes, *digits),
        offset,
        plan.input_shape[-1] if last else 1,
        source[-1] if last else size,
        plan.dtype,
        int(math.prod(plan.input_shape) * size * share),
        int(math.prod(plan.output_shape) * size * share),
        plan.wide,
        plan.rounding,
    )


def _repeated_rows(plan: InterpolatePlan, factors: list[int], strides: tuple[int, ...]) -> Launch | None:
    """Rows whose items are repeated more often than the kernels of constant factors do; None for others."""
    size, columns = plan.dtype.itemsize, plan.input_shape[-1]
    if (
        plan.data_format != "channels_first"
        or factors[-1] <= max(permuted_copy.FACTORS)
        or strides[-1] != 1
        or size > 8
    ):
        return None
    offsets = [
        np.repeat(np.arange(plan.input_shape[axis]) * strides[axis], factor)
        for axis, factor in zip(plan.spatial_axes[:-1], factors, strict=False)
    ]
    slices, lines = ([*[np.zeros(1, np.int64)] * 2, *offsets])[-2:]
    table = np.concatenate([lines, slices])
    planes = list(zip(plan.input_shape[:2], strides[:2], strict=True))
    params = _positions(plan, planes, lines, slices, width=columns, pixel=factors[-1], itemsize=size)
    written = math.prod(plan.output_shape) * size
    entry = take.repeat_rows(ELEMENTS[size])
    return Launch(entry, params, written / _BYTES_PER_MICROSECOND, table, table.ctypes.data)


def _touched(plan: InterpolatePlan, axes: tuple[Axis, ...], columns: int) -> int:
    """Bytes of the source whose lines of the caches are read: whole rows, or a line for every column."""
    planes = plan.input_shape[0] * (plan.input_shape[1] if plan.data_format == "channels_first" else 1)
    rows = math.prod(min(axis.length, axis.extent) for axis in axes[:-1])
    pixel = plan.dtype.itemsize * (1 if plan.data_format == "channels_first" else plan.input_shape[-1])
    return planes * rows * min(axes[-1].extent * pixel, columns * max(pixel, _LINE))


def _positions(
    plan: InterpolatePlan,
    planes: Digits,
    lines: Array,
    slices: Array,
    *,
    width: int,
    pixel: int,
    itemsize: int,
    streamed: int = 0,
) -> list[int]:
    """The integers of `take` for a table of lines and slices, and items of so many bytes."""
    target = target_strides(plan)
    pitches = [target[axis] // itemsize for axis in reversed(plan.spatial_axes)][1:]
    row_pitch, slice_pitch = [*pitches, 0, 0][:2]
    (outer, outer_stride), (inner, inner_stride) = planes
    plane_rows = len(slices) * len(lines)
    return take.P.fill(
        total=outer * inner * plane_rows, plane_rows=plane_rows, height=len(lines), width=width, pixel=pixel,
        inner=inner, inner_stride=inner_stride, outer=outer, outer_stride=outer_stride, row_pitch=row_pitch,
        slice_pitch=slice_pitch, plane_pitch=target[plan.spatial_axes[0] - 1] // itemsize, streamed=streamed,
    )  # fmt: skip


def _repeating(plan: InterpolatePlan, factors: list[int], strides: tuple[int, ...]) -> Digits:
    """Every spatial position is followed by a digit of stride 0: its repetitions."""
    digits: Digits = []
    for axis, (extent, stride) in enumerate(zip(plan.input_shape, strides, strict=True)):
        digits.append((extent, stride))
        if axis in plan.spatial_axes:
            digits.append((factors[axis - plan.spatial_axes[0]], 0))
    return digits


def _by_table(plan: InterpolatePlan, strides: tuple[int, ...], axes: tuple[Axis, ...]) -> Launch:
    itemsize, channels_last = plan.dtype.itemsize, plan.data_format == "channels_last"
    pixel, planes = 1, [(extent, stride) for extent, stride in zip(plan.input_shape[:2], strides[:2], strict=True)]
    if channels_last:
        pixel, planes = plan.input_shape[-1], [(1, 0), (plan.input_shape[0], strides[0])]
    strides = tuple(strides[axis] for axis in plan.spatial_axes)
    run = pixel * itemsize
    if run in ELEMENTS and all(stride % pixel == 0 for stride in (*strides, planes[-1][1])):
        strides, planes = tuple(s // pixel for s in strides), [(n, s // pixel) for n, s in planes]
        pixel, itemsize = 1, run
    long = run >= _LONG_PIXELS[0]
    fit = pieces.fit(table_of(axes[-1]).first, axes[-1].extent, run, pixel, strides[-1] * itemsize)
    if long or fit:  # as bytes
        strides, planes = tuple(itemsize * s for s in strides), [(n, itemsize * s) for n, s in planes]
        pixel, itemsize = run, 1
    offsets = [table_of(axis).first * stride for axis, stride in zip(axes, strides, strict=True)]
    columns, lines, slices = ([*reversed(offsets), *[np.zeros(1, np.int64)] * 2])[:3]
    table = np.concatenate([lines, slices, fit.table if fit else columns])
    written = math.prod(plan.output_shape) * plan.dtype.itemsize
    far = beyond_caches(math.prod(plan.input_shape) * plan.dtype.itemsize, written)
    params = _positions(
        plan, planes, lines, slices, width=len(columns), pixel=pixel, itemsize=itemsize,
        # Other rows gain nothing: float32 of three channels took 0.64 to 1.04 of the time without.
        streamed=streams(far, len(columns) * pixel * itemsize) if fit else 0,
    )  # fmt: skip
    if fit:
        entry = take.take_pieces("uint8", fit.windows)
    elif long:
        entry = take.take_long_pixels("uint8", max(chunk for chunk in _LONG_PIXELS if chunk <= run))
    else:
        entry = take.take_rows(ELEMENTS[itemsize], pixel if pixel in _PIXELS else 0)
    moved = written + _touched(plan, axes, len(columns))
    cost = moved / _BYTES_PER_MICROSECOND + (0 if fit else written / run * _NANOSECONDS / 1000)
    return Launch(entry, params, cost, table, table.ctypes.data)
