"""What calls of both kernels of convolutions have in common: where arrays lie, the stages of rows, the work items."""

from __future__ import annotations

import math

from fastup.cpu.conv.phase_grid import PhaseGrid
from fastup.cpu.conv.row_stages import stages
from fastup.cpu.memory import Packing, beyond_caches, streams, target_strides
from fastup.cpu.simd.convert import LOAD
from fastup.cpu.simd.item_kinds import KINDS
from fastup.plan import ConvPlan
from fastup.runtime.fields import Fields


class ConvPacking(Packing):
    """One call being packed; the attributes are what several steps need."""

    def __init__(self, fields: Fields, plan: ConvPlan, grid: PhaseGrid, strides: tuple[int, ...]) -> None:
        super().__init__(fields)
        self.plan, self.grid = plan, grid
        self.size, self.item = grid.computed.itemsize, plan.dtype.itemsize
        source_image, self.source_channel, self.source = self._apart(tuple(s * self.item for s in strides))
        target_image, target_channel, self.target = self._apart(target_strides(plan))
        self.set(source_image=source_image, source_channel=self.source_channel, source=self.source)
        self.set(target_image=target_image, target_channel=target_channel, target=self.target)
        self.set(number_size=self.size, stored_size=self.item, group_in=grid.group_in, group_out=grid.group_out)
        axes = [lattice.axis for lattice in grid.lattices]
        self.set(inside=[axis.n_in for axis in axes], outside=[axis.n_out for axis in axes])
        self.set(up=[axis.up for axis in axes], step=[axis.step for axis in axes])
        self.set(first=[lattice.first for lattice in grid.lattices])
        self.stages = stages(plan, grid.computed)
        self.set(**self.stages._asdict())

    def _apart(self, strides: tuple[int, ...]) -> tuple[int, int, tuple[int, ...]]:
        """Bytes from image to image, from channel to channel, and along slices, rows and pixels."""
        plan, first = self.plan, self.plan.first_spatial_axis
        image = strides[0] if len(strides) == plan.rank + 2 else 0
        return image, strides[plan.channel_axis], (0,) * (3 - plan.rank) + strides[first : first + plan.rank]

    def set_items(self, rows: int, row_blocks: int, strips: int, ranges: int) -> None:
        """What a work item is a part of: blocks of so many rows, strips of columns, ranges of channels."""
        slices, groups = self.grid.lattices[0].length, self.plan.groups
        total = self.plan.batch * groups * ranges * slices * strips * row_blocks
        self.set(total=total, row_blocks=row_blocks, strips=strips, slices=slices, ranges=ranges, groups=groups)
        self.set(block_rows=rows)

    def load(self, pixels: int, items: int, pixel_stride: int, item_stride: int, ahead: int) -> list[int]:
        """What the stage that loads is told."""
        return LOAD.fill(
            pixels=pixels, before=0, after=0, items=items, pixel_stride=pixel_stride, item_stride=item_stride,
            swapped=self.stages.swapped, ahead=ahead, kind=KINDS.index(self.plan.dtype.name),
        )  # fmt: skip

    def streams(self, columns: int) -> bool:
        """Whether rows of so many columns of a phase go past the caches."""
        moved = (math.prod(shape) * self.item for shape in (self.plan.input_shape, self.plan.output_shape))
        return bool(streams(beyond_caches(*moved), columns * self.grid.lattices[2].axis.up * self.item))
