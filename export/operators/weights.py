"""Weights on their way into a graph."""

from __future__ import annotations

from typing import Any, NamedTuple

from fastup.plan.base import Array


class Weights(NamedTuple):
    """What a convolution takes beside its input."""

    weight: Array
    bias: Array | None = None
    slopes: Array | None = None

    def astype(self, dtype: Any) -> Weights:
        """The same numbers in another dtype."""
        bias, slopes = (None if one is None else one.astype(dtype) for one in self[1:])
        return Weights(self.weight.astype(dtype), bias, slopes)
