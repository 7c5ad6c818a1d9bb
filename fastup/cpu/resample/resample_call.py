"""What the packers of separable and area share: where a call's arrays lie, and the kernel's table being built."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastup.cpu.resample.kernels import separable
from fastup.cpu.simd import convert
from fastup.plan.base import Array
from fastup.plan.sampling.axis import Axis


class Geometry(NamedTuple):
    """A call without its operator: the axes, and how source and target lie in memory (in bytes)."""

    axes: tuple[Axis, ...]
    source_strides: tuple[int, ...]  # of the spatial axes
    target_strides: tuple[int, ...]
    planes: tuple[tuple[int, int, int], ...]  # extent, source and target stride, outermost first
    source_offset: int  # of the first plane that is wanted
    items: int  # per pixel
    item_stride: int
    dtype: np.dtype[Any]
    read: int
    written: int
    wide: bool = False  # whether small integers are computed in float64

    @property
    def kind(self) -> str:
        """The kind of the items, as the kernels that convert them name it."""
        name = f"{convert.WIDE}{self.dtype.name}"
        return name if self.wide and name in convert.KINDS else self.dtype.name

    @property
    def ahead(self) -> int:
        """Bytes from a row to the one that is probably read next."""
        return self.source_strides[-2] if len(self.axes) > 1 else self.planes[-1][1]


class Table:
    """The kernel's table under construction: arrays one after another, each at a multiple of 64 bytes."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.size = 0

    def add(self, array: Array) -> int:
        """Where the array begins."""
        begin, content = self.size, np.ascontiguousarray(array).tobytes()
        self.parts.append(content + bytes(-len(content) % 64))
        self.size += len(self.parts[-1])
        return begin

    def array(self) -> Array:
        """The whole table."""
        return np.frombuffer(b"".join(self.parts) + bytes(64), np.uint8)


def kept_positions(axis: Axis | None) -> Array:
    """First input position and count for each output position of an axis that keeps its size, or that is not there."""
    positions = np.arange(*axis.window) - axis.first if axis else np.zeros(1, np.int64)
    return np.stack([positions, np.ones_like(positions)], axis=1)


def place_planes(params: Array, call: Geometry) -> None:
    """The three digits of a plane's number, and what lies between its rows and slices."""
    digits = [(1, 0, 0)] * (3 - len(call.planes)) + list(call.planes)
    params[separable.EXTENT_0], params[separable.EXTENT_1] = digits[2][0], digits[1][0]
    for k, (_, source, target) in enumerate(reversed(digits)):
        params[separable.SOURCE_0 + k], params[separable.TARGET_0 + k] = source, target
    if len(call.axes) > 1:
        params[separable.SOURCE_ROW], params[separable.TARGET_ROW] = call.source_strides[-2], call.target_strides[-2]
    if len(call.axes) > 2:
        params[separable.SOURCE_SLICE], params[separable.TARGET_SLICE] = call.source_strides[0], call.target_strides[0]
