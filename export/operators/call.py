"""What an exporter was called with, beside the plan."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from fastup.plan.base import Array

LOWERINGS = ("auto", "native", "portable")


class Weights(NamedTuple):
    """What a convolution takes beside its input."""

    weight: Array
    bias: Array | None = None
    slopes: Array | None = None

    def astype(self, dtype: Any) -> Weights:
        """The same numbers in another dtype."""
        bias, slopes = (None if one is None else one.astype(dtype) for one in self[1:])
        return Weights(self.weight.astype(dtype), bias, slopes)


class Call(NamedTuple):
    """How a plan shall be written, and what it does not keep of how it was asked for."""

    lowering: str
    arguments: Mapping[str, Any] = MappingProxyType({})  # as they were given; none where a plan was
    weights: Weights | None = None
    subpixel: str = "conv"

    def factors(self, rank: int) -> tuple[float, ...] | None:
        """The scale factors that were asked for, one for each spatial axis."""
        given = self.arguments.get("scale_factor")
        if given is None:
            return None
        return tuple(float(factor) for factor in (given if isinstance(given, (tuple, list)) else [given] * rank))
