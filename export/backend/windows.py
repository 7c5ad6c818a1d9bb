"""ONNX's Conv, ConvTranspose, MaxPool and MaxUnpool by fastup's: pads, auto_pad and output_shape as numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fastup import operators

Array = np.ndarray[Any, Any]
AUTO = ("NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID")


class Windows(NamedTuple):
    """What Conv, ConvTranspose and the poolings say of their windows, per axis."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]

    @property
    def reach(self) -> tuple[int, ...]:
        """Positions from the first to the last of a window."""
        return tuple(d * (k - 1) + 1 for d, k in zip(self.dilation, self.kernel, strict=True))


def windows(
    op: str,
    kernel: Sequence[int],
    space: Sequence[int],
    strides: Sequence[int] | None,
    dilations: Sequence[int] | None,
    pads: Sequence[int] | None,
    auto_pad: str | None,
) -> Windows:
    """The windows over an input of this spatial shape."""
    rank = len(kernel)
    stride, dilation = tuple(strides or (1,) * rank), tuple(dilations or (1,) * rank)
    pads = tuple(pads or (0,) * (2 * rank))
    auto_pad = auto_pad or "NOTSET"
    if auto_pad not in AUTO:
        raise ValueError(f"{op}: auto_pad must be one of {', '.join(AUTO)}, got {auto_pad!r}")
    if not len(stride) == len(dilation) == len(space) == rank or len(pads) != 2 * rank:
        raise ValueError(f"{op}: strides, dilations and pads must fit a kernel of {rank} axes and x, got {pads}")
    found = Windows(tuple(kernel), stride, dilation, pads[:rank], pads[rank:])
    if auto_pad == "NOTSET":
        return found
    if auto_pad == "VALID":
        return found._replace(before=(0,) * rank, after=(0,) * rank)
    sizes = zip(space, stride, found.reach, strict=True)
    totals = [max(0, (-(-n // s) - 1) * s + reach - n) for n, s, reach in sizes]
    return found._replace(**_split(totals, auto_pad == "SAME_UPPER"))


def transposed(
    found: Windows, space: Sequence[int], more: Sequence[int], wanted: Sequence[int], upper: bool
) -> Windows:
    """The same with the pads that give a wanted output; `upper` puts what is odd at the end."""
    sizes = zip(space, found.stride, found.reach, more, wanted, strict=True)
    totals = [s * (n - 1) + extra + reach - size for n, s, reach, extra, size in sizes]
    return found._replace(**_split(totals, upper))


def _split(totals: Sequence[int], upper: bool) -> dict[str, tuple[int, ...]]:
    halves = tuple(total // 2 for total in totals)
    rests = tuple(total - half for total, half in zip(totals, halves, strict=True))
    return {"before": halves, "after": rests} if upper else {"before": rests, "after": halves}


def conv(
    x: Array, w: Array, bias: Array | None, *, auto_pad: str | None, dilations: Sequence[int] | None,
    group: int | None, pads: Sequence[int] | None, strides: Sequence[int] | None,
) -> Array:  # fmt: skip
    """Conv of one to three spatial axes."""
    found = windows("Conv", w.shape[2:], x.shape[2:], strides, dilations, pads, auto_pad)
    padding = tuple(zip(found.before, found.after, strict=True))
    operator = getattr(operators, f"conv{w.ndim - 2}d")
    result: Array = operator(x, w, bias, found.stride, padding, found.dilation, group or 1)
    return result


def conv_transpose(
    x: Array, w: Array, bias: Array | None, *, auto_pad: str | None, dilations: Sequence[int] | None,
    group: int | None, output_padding: Sequence[int] | None, output_shape: Sequence[int] | None,
    pads: Sequence[int] | None, strides: Sequence[int] | None,
) -> Array:  # fmt: skip
    """ConvTranspose of one to three spatial axes: all of it is computed, then cut, or continued by the bias alone."""
    space = x.shape[2:]
    found = windows("ConvTranspose", w.shape[2:], space, strides, dilations, pads, None)
    more = tuple(output_padding or (0,) * len(space))
    if output_shape is not None:
        found = transposed(found, space, more, output_shape[-len(space) :], auto_pad == "SAME_UPPER")
    elif auto_pad in ("SAME_UPPER", "SAME_LOWER"):
        wanted = [n * s for n, s in zip(space, found.stride, strict=True)]
        found = transposed(found, space, more, wanted, auto_pad == "SAME_UPPER")
    full = getattr(operators, f"conv_transpose{len(space)}d")(
        x, w, bias, found.stride, 0, 0, group or 1, found.dilation
    )
    margins = [(-before, extra - after) for before, after, extra in zip(found.before, found.after, more, strict=True)]
    return _with_margins(full, bias, margins)


def _with_margins(y: Array, bias: Array | None, margins: Sequence[tuple[int, int]]) -> Array:
    """Positions cut off (negative), or added: no input reaches those, so they hold the bias."""
    cut = tuple(slice(max(0, -low), n - max(0, -high)) for n, (low, high) in zip(y.shape[2:], margins, strict=True))
    y = y[(slice(None), slice(None), *cut)]
    added = [(max(0, low), max(0, high)) for low, high in margins]
    if not any(map(any, added)):
        return np.ascontiguousarray(y)
    size = [n + low + high for n, (low, high) in zip(y.shape[2:], added, strict=True)]
    result = np.zeros((*y.shape[:2], *size), y.dtype)
    if bias is not None:
        result += bias.reshape(-1, *(1,) * len(size))
    inside = tuple(slice(low, low + n) for n, (low, _) in zip(y.shape[2:], added, strict=True))
    result[(slice(None), slice(None), *inside)] = y
    return result


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
