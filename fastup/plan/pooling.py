"""Arguments -> plan of max pooling and max unpooling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from fastup.plan import check
from fastup.plan.cache import cached
from fastup.plan.channel_shapes import BatchedPlan, channels_of, space_of, spatial_part, with_space
from fastup.plan.operands import Operand
from fastup.plan.windows import Window

_LIMIT = 2**31  # torch's own; products of two such numbers are still 64-bit


@dataclass(frozen=True)
class _WindowPlan(BatchedPlan):
    """What pooling and unpooling share.

    Attributes
    ----------
    kernel_size, stride, padding : tuple of int
        Per spatial axis.
    """

    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]

    @property
    def channels(self) -> int:
        """Channels of input and result."""
        return self.input_shape[self.channel_axis]


@dataclass(frozen=True)
class MaxPoolPlan(_WindowPlan):
    """The largest value of each window, and where it lies in its plane.

    Attributes
    ----------
    dilation : tuple of int
        Per spatial axis.
    ceil_mode, return_indices : bool
        As given.
    """

    dilation: tuple[int, ...]
    ceil_mode: bool
    return_indices: bool

    native_only: ClassVar[bool] = True  # values are compared

    def reads(self, window: Window) -> Window:
        """The input positions, from and to per spatial axis, that these positions of the whole result compare."""
        if self.return_indices:
            check.invalid(
                f"{self.operator}: windows must be asked for without return_indices, which count in the plane"
            )
        found = []
        numbers = zip(self.space(self.input_shape), *self._numbers, window, strict=True)
        for n, k, s, p, d, (start, stop) in numbers:
            low = min(n, max(0, start * s - p))
            found.append((low, max(low, min(n, (stop - 1) * s - p + d * (k - 1) + 1)) if start < stop else low))
        return tuple(found)

    def windowed_fields(self, window: Window, part: Window | None) -> dict[str, Any]:
        """The padding that is left before the part."""
        if part is None:
            return {}
        numbers = zip(self.stride, self.padding, window, part, strict=True)
        return {"padding": tuple(low - start * s + p for s, p, (start, _), (low, _) in numbers)}

    @property
    def _numbers(self) -> tuple[tuple[int, ...], ...]:
        return self.kernel_size, self.stride, self.padding, self.dilation

    @property
    def outputs(self) -> tuple[tuple[tuple[int, ...], np.dtype[Any]], ...]:
        """Shape and dtype of the values, and of the indices if they are wanted."""
        indices = ((self.output_shape, np.dtype(np.int64)),) if self.return_indices else ()
        return (*super().outputs, *indices)


@dataclass(frozen=True)
class MaxUnpoolPlan(_WindowPlan):
    """Values at the positions that pooling found, and zeros elsewhere."""

    keeps_memory_order: ClassVar[bool] = False  # the indices lie beside x as they are given

    def reads(self, window: Window) -> Window:
        """Refuse: an index may name any position of the plane."""
        check.invalid(f"{self.operator}: has no windows: any position may be named by any index")

    def check_operands(self, given: tuple[Operand | None, ...]) -> None:
        """Refuse anything but indices of the input's shape."""
        if len(given) != 1:
            check.invalid(f"run: operands must be the indices for a plan of {self.operator}, got {len(given)} arrays")
        _check_indices("run", given[0], self.input_shape)


@cached
def make_max_pool(
    op: str, shape: tuple[int, ...], dtype: np.dtype[Any], kernel_size: Any, stride: Any, padding: Any, dilation: Any,
    ceil_mode: Any, return_indices: Any, data_format: Any,
) -> MaxPoolPlan:  # fmt: skip
    """The plan of `fastup.max_pool1d` and its siblings."""
    rank = int(op[-2])
    numbers = (*_windows(op, kernel_size, stride, padding, rank), check.per_axis(op, "dilation", dilation, rank))
    flags = check.flag(op, "ceil_mode", ceil_mode), check.flag(op, "return_indices", return_indices)
    return _pool(op, shape, dtype, numbers, flags, data_format)


@cached
def make_max_unpool(
    op: str, shape: tuple[int, ...], dtype: np.dtype[Any], indices: Operand | None, kernel_size: Any, stride: Any,
    padding: Any, output_size: Any, data_format: Any,
) -> MaxUnpoolPlan:  # fmt: skip
    """The plan of `fastup.max_unpool1d` and its siblings."""
    rank = int(op[-2])
    kernel, strides, pads = _windows(op, kernel_size, stride, padding, rank)
    _check_indices(op, indices, shape)
    space = space_of(op, shape, rank, check.choice(op, "data_format", data_format, check.DATA_FORMATS))
    size = tuple((n - 1) * s - 2 * p + k for n, s, p, k in zip(space, strides, pads, kernel, strict=True))
    if output_size is not None:
        size = _wanted(op, output_size, shape, size, strides)
    return _unpool(op, shape, dtype, kernel, strides, pads, size, data_format)


def _windows(
    op: str, kernel_size: Any, stride: Any, padding: Any, rank: int
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    kernel = check.per_axis(op, "kernel_size", kernel_size, rank)
    strides = kernel if stride is None else check.per_axis(op, "stride", stride, rank)
    return kernel, strides, check.per_axis(op, "padding", padding, rank, minimum=0)


def _check_indices(op: str, indices: Operand | None, shape: tuple[int, ...]) -> None:
    if indices is None or indices.dtype.newbyteorder("=") != np.int64:
        raise TypeError(f"{op}: indices must have dtype int64, got {None if indices is None else indices.dtype}")
    if indices.shape != shape:
        check.invalid(f"{op}: indices must have the shape of x {shape}, got {indices.shape}")


def _wanted(
    op: str, output_size: Any, shape: tuple[int, ...], usual: tuple[int, ...], strides: tuple[int, ...]
) -> tuple[int, ...]:
    output_size = spatial_part(output_size, len(usual))
    size = check.per_axis(op, "output_size", output_size, len(usual))
    if any(not n - s < m < n + s for m, n, s in zip(size, usual, strides, strict=True)):
        least, most = (tuple(n + sign * (s - 1) for n, s in zip(usual, strides, strict=True)) for sign in (-1, 1))
        check.invalid(
            f"{op}: output_size must be from {least} to {most} for x of shape {shape}, got {check.shown(output_size)}"
        )
    return size


def _pool(
    op: str, shape: tuple[int, ...], dtype: np.dtype[Any], windows: tuple[tuple[int, ...], ...],
    flags: tuple[bool, bool], data_format: str,
) -> MaxPoolPlan:  # fmt: skip
    kernel, strides, pads, dilations = windows
    check.choice(op, "data_format", data_format, check.DATA_FORMATS)
    check.numeric(op, dtype, "max pooling")
    space = space_of(op, shape, len(kernel), data_format)
    for name, numbers in (("kernel_size", kernel), ("stride", strides), ("dilation", dilations)):
        if max(numbers) >= _LIMIT:  # and padding is at most half of the kernel, or of its reach
            check.invalid(f"{op}: {name} must be less than 2**31, got {numbers}")
    for pad, k, d in zip(pads, kernel, dilations, strict=True):
        # torch counts the dilation in one dimension, and does not in more.
        if pad > (d * (k - 1) + 1 if len(kernel) == 1 else k) // 2:
            check.invalid(f"{op}: padding must be at most half of kernel_size, got {pads} with kernel_size {kernel}")
    sizes = zip(space, kernel, strides, pads, dilations, strict=True)
    size = tuple(_pooled(n, k, s, p, d, flags[0]) for n, k, s, p, d in sizes)
    if any(n < 1 for n in size):
        check.invalid(f"{op}: result must have a size of at least 1, got {size} for x of shape {shape}")
    output_shape = with_space(shape, channels_of(shape, len(kernel), data_format), size, data_format)
    return MaxPoolPlan(op, shape, dtype, data_format, output_shape, kernel, strides, pads, dilations, *flags)


def _pooled(n: int, kernel: int, stride: int, pad: int, dilation: int, ceil_mode: bool) -> int:
    """Windows along an axis; with `ceil_mode` also one that begins inside and ends beyond the padding."""
    room = n + 2 * pad - dilation * (kernel - 1) - 1
    size = (room + (stride - 1 if ceil_mode else 0)) // stride + 1
    return size - 1 if ceil_mode and (size - 1) * stride >= n + pad else size


def _unpool(
    op: str, shape: tuple[int, ...], dtype: np.dtype[Any], kernel: tuple[int, ...], strides: tuple[int, ...],
    pads: tuple[int, ...], size: tuple[int, ...], data_format: str,
) -> MaxUnpoolPlan:  # fmt: skip
    check.movable(op, dtype)
    if any(n < 1 for n in size):
        check.invalid(f"{op}: result must have a size of at least 1, got {size} for x of shape {shape}")
    output_shape = with_space(shape, channels_of(shape, len(kernel), data_format), size, data_format)
    check.size_in_memory(op, output_shape, dtype)
    return MaxUnpoolPlan(op, shape, dtype, data_format, output_shape, kernel, strides, pads)
