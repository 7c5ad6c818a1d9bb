"""What calls of separable and area have in common: where their arrays lie, and the kernel's table being built."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from fastup.cpu.memory import Packing
from fastup.cpu.simd import convert
from fastup.cpu.simd.item_kinds import COMPUTED, KINDS, WIDE
from fastup.plan.base import Array
from fastup.plan.sampling.axis import Axis
from fastup.runtime.fields import Fields


class ResampleCall(NamedTuple):
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
    rounding: str = "half even"  # of integers, as `settle` names it

    @property
    def kind(self) -> str:
        """The kind of the items, as the kernels that convert them name it."""
        name = f"{WIDE}{self.dtype.name}"
        return name if self.wide and name in KINDS else self.dtype.name

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


class ResamplePacking(Packing):
    """A call of `separable` or `area` being packed; the attributes are what several steps need."""

    def __init__(self, fields: Fields, call: ResampleCall, kind: int) -> None:
        """`kind` is that of the items, as the kernels that convert them number it."""
        super().__init__(fields)
        self.call, self.kind, self.table = call, kind, Table()
        self.load_kind = kind  # that rows are loaded as
        self.computed = COMPUTED[kind]
        self.size, self.swapped = np.dtype(self.computed).itemsize, not call.dtype.isnative
        *outer, self.width = call.axes
        # An outermost axis that keeps its size is one more digit of the planes.
        self.depth = outer[0] if len(outer) == 2 and not outer[0].is_identity else None
        self.height = outer[-1] if outer else None
        self._place_planes()

    def _place_planes(self) -> None:
        """The three digits of a plane's number, and what lies between its rows and slices."""
        call = self.call
        digits = [*reversed(call.planes), *[(1, 0, 0)] * (3 - len(call.planes))]
        extents, source, target = zip(*digits, strict=True)
        self.set(extents=extents[:2], source=source, target=target)
        for side, strides in (("source", call.source_strides), ("target", call.target_strides)):
            slices, rows, _ = (0, 0, *strides)[-3:]
            self.set(**{f"{side}_slice": slices, f"{side}_row": rows})

    @property
    def planes(self) -> int:
        """Planes of the call."""
        return math.prod(extent for extent, _, _ in self.call.planes)

    def source_of(self, pixel: int) -> int:
        """Bytes from the row's start to an input pixel."""
        return self.call.source_offset + pixel * self.call.source_strides[-1]

    def load(self, pixels: int, before: int = 0, after: int = 0) -> list[int]:
        """What the stage that loads is told."""
        call = self.call
        return convert.LOAD.fill(
            pixels=pixels, before=before, after=after, items=call.items, pixel_stride=call.source_strides[-1],
            item_stride=call.item_stride, swapped=self.swapped, ahead=call.ahead, kind=self.load_kind,
        )  # fmt: skip
