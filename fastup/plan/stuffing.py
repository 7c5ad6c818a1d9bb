"""Arguments -> plan of zero stuffing: the input of a transposed convolution, spread out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastup.plan import check
from fastup.plan.base import Plan
from fastup.plan.cache import cached
from fastup.plan.windows import Window

_OP = "zero_stuff"


@dataclass(frozen=True)
class ZeroStuffPlan(Plan):
    """Items of the input, ``stride`` apart, among zeros.

    Attributes
    ----------
    stride, padding : tuple of int
        Per spatial axis: distance of the items, and zeros on both sides.
    """

    stride: tuple[int, ...]
    padding: tuple[int, ...]

    @property
    def rank(self) -> int:
        """Number of spatial axes."""
        return len(self.stride)

    def reads(self, window: Window) -> Window:
        """The input positions, from and to per spatial axis, that these positions of the whole result hold."""
        found = []
        numbers = zip(self.space(self.input_shape), self.stride, self.padding, window, strict=True)
        for n, s, p, (start, stop) in numbers:
            low = min(n, max(0, -((p - start) // s)))
            found.append((low, max(low, min(n, -((p - stop) // s)))))
        return tuple(found)

    def windowed_fields(self, window: Window, part: Window | None) -> dict[str, Any]:
        """The zeros before the first item that is there."""
        if part is None:
            return {}
        numbers = zip(self.stride, self.padding, window, part, strict=True)
        return {"padding": tuple(max(0, p + s * low - start) for s, p, (start, _), (low, _) in numbers)}


@cached
def make_zero_stuff(
    shape: tuple[int, ...], dtype: np.dtype[Any], stride: Any, padding: Any, data_format: Any
) -> ZeroStuffPlan:
    """The plan of `fastup.zero_stuff` on an array of this shape and dtype."""
    rank = len(shape) - 2
    if not 1 <= rank <= 3:
        check.invalid(f"{_OP}: x must have 3 to 5 dimensions, got shape {shape}")
    strides = check.per_axis(_OP, "stride", stride, rank)
    pads = check.per_axis(_OP, "padding", padding, rank, minimum=0)
    return _plan(shape, dtype, strides, pads, data_format)


def _plan(
    shape: tuple[int, ...], dtype: np.dtype[Any], strides: tuple[int, ...], pads: tuple[int, ...], data_format: str
) -> ZeroStuffPlan:
    check.choice(_OP, "data_format", data_format, check.DATA_FORMATS)
    check.movable(_OP, dtype)
    first = 2 if data_format == "channels_first" else 1
    output_shape = list(shape)
    for axis, (s, p) in enumerate(zip(strides, pads, strict=True), first):
        output_shape[axis] = max(0, (shape[axis] - 1) * s + 1) + 2 * p
    check.size_in_memory(_OP, tuple(output_shape), dtype)
    return ZeroStuffPlan(_OP, shape, dtype, data_format, tuple(output_shape), strides, pads)
