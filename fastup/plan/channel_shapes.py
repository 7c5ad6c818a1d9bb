"""Inputs of a known number of spatial axes, with a batch axis or without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastup.plan import check
from fastup.plan.base import Plan


@dataclass(frozen=True)
class BatchedPlan(Plan):
    """A plan for (N, C, *space) or (C, *space); who derives from it knows its rank."""

    @property
    def rank(self) -> int:
        """Number of spatial axes: the digit in the operator's name."""
        return int(self.operator[-2])

    @property
    def first_spatial_axis(self) -> int:
        """Index of the first spatial axis; one less without a batch."""
        return len(self.input_shape) - self.rank - (self.data_format == "channels_last")

    @property
    def batch(self) -> int:
        """Extent of the batch axis; 1 where there is none."""
        return self.input_shape[0] if len(self.input_shape) == self.rank + 2 else 1


def space_of(op: str, shape: tuple[int, ...], rank: int, data_format: str) -> tuple[int, ...]:
    """Spatial extents of an input with or without a batch axis."""
    if len(shape) not in (rank + 1, rank + 2):
        check.invalid(f"{op}: x must have {rank + 2} dimensions, or {rank + 1} without a batch, got shape {shape}")
    return shape[-rank:] if data_format == "channels_first" else shape[-rank - 1 : -1]


def channels_of(shape: tuple[int, ...], rank: int, data_format: str) -> int:
    """Channels of an input with or without a batch axis."""
    return shape[-rank - 1] if data_format == "channels_first" else shape[-1]


def with_space(shape: tuple[int, ...], channels: int, size: tuple[int, ...], data_format: str) -> tuple[int, ...]:
    """The input's shape with other channels and spatial extents."""
    leading = shape[: len(shape) - len(size) - 1]
    return (*leading, channels, *size) if data_format == "channels_first" else (*leading, *size, channels)


def spatial_part(output_size: Any, rank: int) -> Any:
    """`output_size` as it is, or the spatial part of a whole shape, which torch takes too."""
    whole = check.is_sequence(output_size) and len(output_size) in (rank + 1, rank + 2)
    return tuple(output_size)[-rank:] if whole else output_size
