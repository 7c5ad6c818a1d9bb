"""Choose the kernel for a permuted copy: a target written in order, each of its digits with a stride in the source."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from fastup.cpu.copy.kernels import permuted_copy, pixels
from fastup.cpu.memory import ELEMENTS, beyond_caches, streams
from fastup.runtime.abi import Entry
from fastup.runtime.kernel import Family
from fastup.runtime.workers import Launch

Digits = list[tuple[int, int]]
FAMILIES = (
    permuted_copy.interleave,
    permuted_copy.repeat,
    permuted_copy.deinterleave,
    pixels.split_rgb,
    pixels.split_pixels,
    pixels.repeat_rgb,
    pixels.join_pixels,
    permuted_copy.copy_runs,
    permuted_copy.copy_nest,
)
_BYTES_PER_MICROSECOND = 40_000  # read and written by one thread; 35 000 beyond the caches, 90 000 within
_WORTH_A_VECTOR = 8  # rows shorter than this many items leave the vector kernels nothing to do


def instances(dtype: np.dtype[Any]) -> Iterator[tuple[Family, tuple[Any, ...]]]:
    """The kernels that arrays of `dtype` may need."""
    element = ELEMENTS[min(8, dtype.itemsize)]
    return ((family, key) for family in FAMILIES for key in family.instances() if key[0] == element)


class _Choice(NamedTuple):
    entry: Entry
    digits: Digits
    row: int  # how many of the last digits are the row
    streamed: int = 0  # past the caches


def launch(digits: Digits, itemsize: int) -> Launch | None:
    """The launch that copies; None if the source has more independent strides than a kernel counts.

    `digits` are the target's, outermost first: (extent, stride in the source in items).
    """
    moved = math.prod(extent for extent, _ in digits) * itemsize
    far = beyond_caches(math.prod(extent for extent, stride in digits if stride) * itemsize, moved)
    if itemsize == 16:  # as two items of eight bytes
        digits, itemsize = [(extent, 2 * stride) for extent, stride in digits] + [(2, 1)], 8
    digits, itemsize = _widen(_merge(digits), itemsize)
    entry, digits, row_digits, streamed = _choose(digits, itemsize, far)
    above, row = digits[: len(digits) - row_digits], digits[len(digits) - row_digits :]
    spare = permuted_copy.PLANE_DIGITS + 2 - len(above)
    if spare < 0:
        return None
    above = [(1, 0)] * spare + above
    (outer, outer_stride), (inner, inner_stride) = above[-2:]
    rows = math.prod(extent for extent, _ in above)
    row += [(1, 0)] * (permuted_copy.ROW_DIGITS - len(row))
    params = permuted_copy.P.fill(
        total=rows, inner=inner, inner_stride=inner_stride, plane_rows=outer * inner, outer_stride=outer_stride,
        planes=[number for digit in reversed(above[:-2]) for number in digit], row=[n for digit in row for n in digit],
        streamed=streamed,
    )  # fmt: skip
    return Launch(entry, params, 2 * moved / _BYTES_PER_MICROSECOND)


def _merge(digits: Digits) -> Digits:
    """Drop digits of extent 1 and join neighbours that step through the source as one."""
    merged: Digits = []
    for extent, stride in digits:
        if extent == 1:
            continue
        if merged and merged[-1][1] == stride * extent:
            merged[-1] = (merged[-1][0] * extent, stride)
        else:
            merged.append((extent, stride))
    return merged or [(1, 1)]


def _widen(digits: Digits, itemsize: int) -> tuple[Digits, int]:
    """Copy short runs as single larger items; x86-64 and ARM64 both load those from any address."""
    run, stride = digits[-1]
    if len(digits) > 1 and stride == 1 and run * itemsize in ELEMENTS and all(s % run == 0 for _, s in digits[:-1]):
        return [(extent, s // run) for extent, s in digits[:-1]], run * itemsize
    return digits, itemsize


def _choose(digits: Digits, itemsize: int, far: bool) -> _Choice:
    element = ELEMENTS[itemsize]
    stream = streams(far, math.prod(extent for extent, _ in digits[-2:]) * itemsize)
    narrow = element in permuted_copy.NARROW
    by_source = _in_source_order(digits)
    match by_source[-4:]:
        case [(_, pixel), (3, 1), (a, _), (b, 3)] if (
            a == b and pixel == 3 * a and a in permuted_copy.FACTORS and narrow
        ):
            return _Choice(pixels.split_rgb(element, a), by_source, 4)
        case [_, (channels, 1), (a, _), (b, _)] if (
            a == b and a in permuted_copy.FACTORS and channels >= _WORTH_A_VECTOR and narrow
        ):
            return _Choice(pixels.split_pixels(element, a), by_source, 4, int(far))
        case [*_, (width, 1), (factor, _)] if factor in permuted_copy.FACTORS and width >= _WORTH_A_VECTOR:
            return _Choice(permuted_copy.deinterleave(element, factor), by_source, 2)
    match digits[-4:]:
        case [*_, (_, 3), (factor, 0), (3, 1)] if factor in permuted_copy.FACTORS and narrow:
            return _Choice(pixels.repeat_rgb(element, factor), digits, 3)
        case [_, (channels, 1), (2, _), (2, _)] if channels >= _WORTH_A_VECTOR and narrow:
            return _Choice(pixels.join_pixels(element), digits, 4)
        case [*_, (width, 1), (factor, 0)] if (
            factor in permuted_copy.FACTORS and width >= _WORTH_A_VECTOR and not stream
        ):
            return _Choice(permuted_copy.repeat(element, factor), digits, 2)
        case [*_, (width, 1), (factor, _)] if factor in permuted_copy.FACTORS and width >= _WORTH_A_VECTOR:
            return _Choice(permuted_copy.interleave(element, factor), digits, 2, stream)
        case [*_, (length, 1)] if length >= _WORTH_A_VECTOR:
            return _Choice(permuted_copy.copy_runs(element), _padded(digits, 2), 2, stream)
    return _nest(digits, element)


def _in_source_order(digits: Digits) -> Digits:
    """The same copy walked through the source: its digits with their strides in the target; empty if it has gaps."""
    apart, positions = 1, []
    for extent, stride in reversed(digits):
        positions.append((stride, extent, apart))
        apart *= extent
    positions.sort()
    expected = 1
    for stride, extent, _ in positions:
        if stride != expected:
            return []
        expected *= extent
    return _merge([(extent, apart) for _, extent, apart in reversed(positions)])


def _nest(digits: Digits, element: str) -> _Choice:
    """The fallback moves blocks of its first row digit, so the row begins at the longest of the last four."""
    last = digits[-permuted_copy.ROW_DIGITS :]
    longest = max(range(len(last)), key=lambda k: last[k][0])
    row = len(last) - longest
    digits = digits + [(1, 0)] * (permuted_copy.ROW_DIGITS - row)
    return _Choice(permuted_copy.copy_nest(element), digits, permuted_copy.ROW_DIGITS)


def _padded(digits: Digits, count: int) -> Digits:
    return [(1, 0)] * (count - len(digits)) + digits
