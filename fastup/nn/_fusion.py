"""A convolution and what follows it as one call: batch normalisation, pixel shuffle, activation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fastup import operators
from fastup.nn._activations import Activation
from fastup.nn._conv_nd import ConvNd, Convolution
from fastup.nn._module import Array, Module, read_only
from fastup.nn._normalisation import BatchNorm
from fastup.nn._sampling import PixelShuffle
from fastup.plan import check
from fastup.plan.operands import PackedWeight


class Step(NamedTuple):
    """A layer, and the layers after it that its call can take over."""

    layer: Any
    norm: BatchNorm | None = None
    factor: Any = None
    activation: Any = None

    @property
    def fused(self) -> bool:
        """Whether it has taken over any."""
        return not (self.norm is None and self.factor is None and self.activation is None)


class Folded(NamedTuple):
    """Weight and bias with a normalisation in them, and the arrays that they were made from."""

    sources: tuple[Any, ...]
    weight: PackedWeight
    bias: Array

    def holds_for(self, sources: tuple[Any, ...]) -> bool:
        """Whether the parameters are still those; they are read-only, so a new value is another array."""
        return all(old is new for old, new in zip(self.sources, sources, strict=True))


def step(layers: Sequence[Module], x: Any) -> tuple[Step, int]:
    """The first of these layers with what can join it for an input `x`, and how many layers that are."""
    layer: Any = layers[0]
    rest: list[Any] = [*layers[1:]]
    # Without a batch, channels are another axis to the layers that would join.
    if not (_is_plain(layer, Convolution) and getattr(x, "ndim", 0) == layer.rank + 2):
        return Step(layer), 1
    norm = rest.pop(0) if rest and _folds(layer, rest[0]) else None
    factor = rest.pop(0).upscale_factor if rest and _shuffles(layer, rest[0]) else None
    joins = rest and _is_plain(rest[0], Activation) and rest[0].in_convolution is not None
    activation = rest.pop(0).in_convolution if joins else None
    return Step(layer, norm, factor, activation), len(layers) - len(rest)


def fold(layer: Convolution, norm: BatchNorm, before: Folded | None) -> Folded:
    """The convolution's parameters with the normalisation in them; those made `before`, while they hold."""
    sources = (layer.weight, layer.bias, norm.weight, norm.bias, norm.running_mean, norm.running_var, norm.eps)
    if before is not None and before.holds_for(sources):
        return before
    dtype = layer.weight.dtype
    scale, shift = norm.scale_and_shift(norm.running_mean, norm.running_var)
    with np.errstate(all="ignore"):
        weight = layer.scaled(scale).astype(dtype)
        bias = layer.per_output(shift)
        if layer.bias is not None:
            bias = bias + layer.bias.astype(np.float64) * layer.per_output(scale)
        return Folded(sources, operators.pack_weight(weight), read_only(bias.astype(dtype)))


def _is_plain(layer: Module, kind: type[Module]) -> bool:
    """Whether the layer is of this kind and computes as we know it does, not as a subclass elsewhere says."""
    return isinstance(layer, kind) and type(layer).forward.__module__.startswith("fastup.nn.")


def _folds(layer: Any, norm: Any) -> bool:
    return (
        _is_plain(norm, BatchNorm)
        and norm.running_mean is not None
        and (norm.rank, norm.num_features, norm.dtype) == (layer.rank, layer.out_channels, layer.weight.dtype)
    )


def _shuffles(layer: Any, shuffle: Any) -> bool:
    if not (isinstance(layer, ConvNd) and _is_plain(shuffle, PixelShuffle)):
        return False
    factor = shuffle.upscale_factor
    axes = len(factor) if check.is_sequence(factor) else 2
    ones = (1,) * layer.rank
    return axes == layer.rank and layer.stride == layer.dilation == ones and layer.groups == 1
