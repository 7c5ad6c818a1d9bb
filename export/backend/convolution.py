"""ONNX's Conv and ConvTranspose by fastup's engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastup import operators
from fastup.export.backend.windows import transposed, windows

Array = np.ndarray[Any, Any]


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
