"""Layers made of layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from fastup import arrays
from fastup.nn import _fusion
from fastup.nn._module import Array, Module
from fastup.operators.argument_types import ArrayT
from fastup.plan import check


class Sequential(Module):
    """One layer after another.

    A convolution takes over the batch normalisation, pixel shuffle and activation that follow it, so that these cost
    nothing; the parameters stay as they are, and the result is that of the single layers but for rounding. Pooling
    with `return_indices` hands on its values and keeps its indices for the next unpooling, also across the containers
    within.

    Parameters
    ----------
    *layers : Module, or one mapping of names to layers
        Without names they are called 0, 1, ...

    Examples
    --------
    >>> import numpy as np, fastup.nn
    >>> layers = fastup.nn.Sequential(fastup.nn.Conv2d(1, 4, 3, padding=1), fastup.nn.ReLU(), fastup.nn.PixelShuffle(2))
    >>> layers
    Sequential(
      (0): Conv2d(1, 4, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))
      (1): ReLU()
      (2): PixelShuffle(upscale_factor=2)
    )
    >>> layers(np.zeros((1, 1, 8, 8), np.float32)).shape, len(layers), layers[-1]
    ((1, 1, 16, 16), 3, PixelShuffle(upscale_factor=2))
    """

    def __init__(self, *layers: Any) -> None:
        named = layers[0] if len(layers) == 1 and isinstance(layers[0], Mapping) else dict(enumerate(layers))
        self._layers: dict[str, Module] = {str(name): _layer("Sequential", layer) for name, layer in named.items()}
        self._folded: dict[int, _fusion.Folded] = {}

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The layers in order, with their names."""
        return iter(self._layers.items())

    def forward(self, x: ArrayT) -> ArrayT:
        """Apply the layers; indices that no unpooling takes are dropped."""
        result: ArrayT = self.pass_through(x, [])
        return result

    def pass_through(self, x: Any, indices: list[Any]) -> Any:
        """Apply the layers inside a container."""
        layers, at = [*self], 0
        while at < len(layers):
            step, count = _fusion.step(layers[at:], x)
            x = self._fused(step, at, x) if step.fused else step.layer.pass_through(x, indices)
            at += count
        return x

    def _fused(self, step: _fusion.Step, at: int, x: Any) -> Any:
        layer, norm, factor, activation = step
        if norm is None:
            return layer.apply(x, layer.packed_weight, layer.bias, activation, factor)
        folded = self._folded[at] = _fusion.fold(layer, norm, self._folded.get(at))
        return layer.apply(x, folded.weight, folded.bias, activation, factor)

    def __len__(self) -> int:
        return len(self._layers)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._layers.values())

    def __getitem__(self, index: int | slice) -> Module:
        """A layer; of a slice a `Sequential` of the same layers under their names."""
        if isinstance(index, slice):
            return Sequential(dict([*self._layers.items()][index]))
        layer: Module = [*self][index]
        return layer

    def __getstate__(self) -> dict[str, Any]:
        """Pickle the layers alone; what was made from them is made again."""
        return {**self.__dict__, "_folded": {}}


class Skip(Module):
    """`x` and ``inner(x)``, one after the other along the channels: (N, C, ...) to (N, C + C_inner, ...).

    Parameters
    ----------
    inner : Module
        Keeps the batch and the size of its input.

    Examples
    --------
    >>> import numpy as np, fastup.nn
    >>> fastup.nn.Skip(fastup.nn.ReLU())(np.array([[[1.0, -2.0]]]))
    array([[[ 1., -2.],
            [ 1.,  0.]]])
    """

    def __init__(self, inner: Module) -> None:
        self.inner = _layer("Skip", inner)

    def forward(self, x: ArrayT) -> ArrayT:
        """Apply the layer."""
        result: ArrayT = self.pass_through(x, [])
        return result

    def pass_through(self, x: Any, indices: list[Any]) -> Any:
        """Apply the layer inside a container."""
        return arrays.mapped(_joined, x, self.inner.pass_through(x, indices))


def _layer(op: str, layer: Any) -> Module:
    if not isinstance(layer, Module):
        raise TypeError(f"{op}: layers must be layers of fastup.nn, got {type(layer).__name__}")
    return layer


def _joined(x: Array, y: Array) -> Array:
    if x.dtype != y.dtype:
        raise TypeError(f"Skip: result of inner must have dtype {x.dtype}, got {y.dtype}")
    if x.ndim < 2 or x.ndim != y.ndim or (x.shape[0], *x.shape[2:]) != (y.shape[0], *y.shape[2:]):
        check.invalid(f"Skip: result of inner must differ from x of shape {x.shape} in axis 1 only, got {y.shape}")
    return np.concatenate([x, y], axis=1)


class Identity(Module):
    """`x` itself; arguments are taken and forgotten, so that it can stand in for any layer.

    Examples
    --------
    >>> import fastup.nn
    >>> fastup.nn.Identity(54, unused=True)(7)
    7
    """

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        pass

    def forward(self, x: Any) -> Any:
        """Give `x` back."""
        return x


class Dropout(Identity):
    """Nothing at inference: `x` itself, as torch's Dropout gives it after ``eval()``.

    Parameters
    ----------
    p : float
        The share that training would drop, from 0 to 1.
    inplace : bool
        As torch prints it; nothing is changed in place.

    Examples
    --------
    >>> import fastup.nn
    >>> fastup.nn.Dropout(0.1), fastup.nn.Dropout()(7)
    (Dropout(p=0.1, inplace=False), 7)
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        if not 0 <= p <= 1:
            check.invalid(f"{type(self).__name__}: p must be from 0 to 1, got {p}")
        self.p, self.inplace = float(p), bool(inplace)

    def extra_repr(self) -> str:
        """The arguments."""
        return f"p={self.p}, inplace={self.inplace}"


class Dropout1d(Dropout):
    """As `Dropout`; training would drop whole channels."""


class Dropout2d(Dropout):
    """As `Dropout`; training would drop whole channels."""


class Dropout3d(Dropout):
    """As `Dropout`; training would drop whole channels."""
