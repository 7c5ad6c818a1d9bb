"""ONNX's MaxPool and MaxUnpool by fastup's: pads of any size, positions counted over the whole array."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastup import operators
from fastup.export.backend.windows import Windows, windows

Array = np.ndarray[Any, Any]


def max_pool(
    x: Array, *, kernel: Sequence[int], auto_pad: str | None, ceil_mode: int | None, dilations: Sequence[int] | None,
    pads: Sequence[int] | None, strides: Sequence[int] | None, storage_order: int | None, indices: bool,
) -> tuple[Array, ...]:  # fmt: skip
    """MaxPool of one to three spatial axes; the second result is there if it is wanted."""
    space = x.shape[2:]
    found = windows("MaxPool", kernel, space, strides, dilations, pads, auto_pad)
    size = [_size(axis, found, n, bool(ceil_mode)) for axis, n in enumerate(space)]
    ends = [(m - 1) * s + reach for m, s, reach in zip(size, found.stride, found.reach, strict=True)]
    after = [max(0, end - n - before) for end, n, before in zip(ends, space, found.before, strict=True)]
    lowest = -np.inf if x.dtype.kind not in "iu" else np.iinfo(x.dtype).min
    margins = [(0, 0), (0, 0), *zip(found.before, after, strict=True)]
    padded = np.pad(x, margins, constant_values=lowest) if any(map(any, margins)) else x
    operator = getattr(operators, f"max_pool{len(space)}d")
    result = operator(padded, found.kernel, found.stride, 0, found.dilation, return_indices=indices)
    values, places = result if indices else (result, None)
    cut = (slice(None), slice(None), *map(slice, size))
    if places is None:
        return (np.ascontiguousarray(values[cut]),)
    whole = _whole(places[cut], padded.shape[2:], space, found, bool(storage_order))
    return np.ascontiguousarray(values[cut]), whole


def _size(axis: int, found: Windows, n: int, ceil: bool) -> int:
    """Windows along an axis; with `ceil` the last one must begin before the padding at the end."""
    stride, before = found.stride[axis], found.before[axis]
    room = n + before + found.after[axis] - found.reach[axis]
    size = (-(-room // stride) if ceil else room // stride) + 1
    return size - 1 if ceil and (size - 1) * stride >= n + before else size


def _whole(places: Array, padded: Sequence[int], space: Sequence[int], found: Windows, columns_first: bool) -> Array:
    """Positions in a padded plane as positions in all of x; one in the padding stands for its window's first item."""
    digits = np.unravel_index(places, padded)
    inside = []
    for digit, before, dilation in zip(digits, found.before, found.dilation, strict=True):
        moved = digit - before
        inside.append(np.where(moved < 0, moved + -(moved // dilation) * dilation, moved))
    if columns_first:
        inside, space = inside[::-1], space[::-1]
    flat = np.ravel_multi_index(tuple(inside), tuple(space), mode="clip")
    planes = np.arange(places.shape[0] * places.shape[1]).reshape(*places.shape[:2], *(1,) * len(space))
    return np.asarray(planes * math.prod(space) + flat, np.int64)


def max_unpool(
    x: Array, indices: Array, output_shape: Sequence[int] | None, *, kernel: Sequence[int],
    pads: Sequence[int] | None, strides: Sequence[int] | None, follow: str,
) -> Array:  # fmt: skip
    """MaxUnpool: indices count in the size that the windows give, or in `output_shape`, as runtimes have it."""
    space = x.shape[2:]
    found = windows("MaxUnpool", kernel, space, strides, None, pads, None)
    axes = zip(space, found.stride, found.kernel, found.before, found.after, strict=True)
    usual = [(n - 1) * s + k - before - after for n, s, k, before, after in axes]
    wanted = usual if output_shape is None else [int(n) for n in output_shape[-len(space) :]]
    size = usual if follow == "onnx" else wanted
    y = _filled(x, indices, size)
    if size == wanted:
        return y
    result = np.zeros((*x.shape[:2], *wanted), x.dtype)
    inside = tuple(slice(0, min(n, m)) for n, m in zip(size, wanted, strict=True))
    result[(slice(None), slice(None), *inside)] = y[(slice(None), slice(None), *inside)]
    return result


def _filled(x: Array, indices: Array, size: Sequence[int]) -> Array:
    """Values at positions of the whole array, as one plane."""
    total = math.prod((*x.shape[:2], *size))
    if x.size == 0:
        return np.zeros((*x.shape[:2], *size), x.dtype)
    stride = max(1, (total - 1) // max(1, x.size))  # any that makes such a size possible
    kernel = total - (x.size - 1) * stride
    if kernel < 1:
        raise ValueError(f"MaxUnpool: result of {total} positions must have room for {x.size} values")
    flat = operators.max_unpool1d(x.reshape(1, 1, -1), indices.reshape(1, 1, -1), kernel, stride)
    filled: Array = flat.reshape(*x.shape[:2], *size)
    return filled
