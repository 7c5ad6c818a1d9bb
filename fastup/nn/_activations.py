"""Activations: NumPy's own expressions where they stand alone, the convolution's activation where they follow one."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from fastup.nn._module import Array, Module, Parameter, dtype_of, elementwise, room_for
from fastup.plan import check


class Activation(Module):
    """What activations share: each value by itself, in the dtype that comes in."""

    name: ClassVar[str]  # as convolutions call it

    @property
    def in_convolution(self) -> Any:
        """What a convolution takes as `activation` for this layer."""
        return self.name

    def forward(self, x: Any) -> Any:
        """Apply the layer."""
        return elementwise(x, self.check_values, self.values)

    def check_values(self, x: Array) -> None:
        """Refuse arrays that the layer is not defined for."""
        check.floats(type(self).__name__, "x", x.dtype)

    def values(self, x: Array) -> Any:
        """The layer's values of an array; every activation defines it."""
        raise TypeError(f"{type(self).__name__}: an activation must define values")


class ReLU(Activation):
    """``max(x, 0)``; integers stay integers. With `inplace` the result is the same, and `x` is left alone too.

    Examples
    --------
    >>> import numpy as np, fastup.nn
    >>> fastup.nn.ReLU()(np.array([-1.0, 2.0, np.nan]))
    array([ 0.,  2., nan])
    """

    name = "relu"

    def __init__(self, inplace: bool = False) -> None:
        self.inplace = check.flag("ReLU", "inplace", inplace)

    def check_values(self, x: Array) -> None:
        """Refuse what has no order or no zero."""
        check.numeric("ReLU", x.dtype, "rectification")

    def values(self, x: Array) -> Any:
        """The layer's values of an array."""
        return np.maximum(x, 0)

    def extra_repr(self) -> str:
        """The arguments, as the repr shows them."""
        return "inplace=True" if self.inplace else ""


class LeakyReLU(Activation):
    """``x`` above 0, ``negative_slope * x`` elsewhere. With `inplace` `x` is left alone too.

    Examples
    --------
    >>> import numpy as np, fastup.nn
    >>> fastup.nn.LeakyReLU(0.5)(np.array([-1.0, 2.0]))
    array([-0.5,  2. ])
    """

    name = "leaky_relu"

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        number = check.number("LeakyReLU", "negative_slope", negative_slope)
        self.negative_slope = negative_slope if np.isfinite(number) else number
        self.inplace = check.flag("LeakyReLU", "inplace", inplace)

    @property
    def in_convolution(self) -> Any:
        """What a convolution takes as `activation` for this layer."""
        return (self.name, self.negative_slope)

    def values(self, x: Array) -> Any:
        """The layer's values of an array."""
        return np.where(x > 0, x, x * x.dtype.type(self.negative_slope))

    def extra_repr(self) -> str:
        """The arguments, as the repr shows them."""
        return f"negative_slope={self.negative_slope}" + (", inplace=True" if self.inplace else "")


class PReLU(Activation):
    """``x`` above 0, ``weight * x`` elsewhere, with one slope for all channels (axis 1) or one for each.

    Examples
    --------
    >>> import numpy as np, fastup.nn
    >>> layer = fastup.nn.PReLU(2)
    >>> layer.weight = np.array([0.5, 0.25], np.float32)
    >>> layer, layer(np.array([[-1, -1]], np.float32))
    (PReLU(num_parameters=2), array([[-0.5 , -0.25]], dtype=float32))
    """

    name = "prelu"
    weight = Parameter()

    def __init__(self, num_parameters: int = 1, init: float = 0.25, *, dtype: Any = None) -> None:
        self.num_parameters = check.integer("PReLU", "num_parameters", num_parameters)
        self.init = check.number("PReLU", "init", init)
        room_for("PReLU", (self.num_parameters,), dtype_of("PReLU", dtype))
        with np.errstate(over="ignore"):  # infinite, as in torch
            self.weight = np.full(self.num_parameters, self.init, dtype_of("PReLU", dtype))

    @property
    def in_convolution(self) -> Any:
        """What a convolution takes as `activation` for this layer."""
        return (self.name, self.weight)

    def check_values(self, x: Array) -> None:
        """Refuse other dtypes than that of the slopes, and another number of channels."""
        if x.dtype.newbyteorder("=") != self.weight.dtype:
            raise TypeError(f"PReLU: x must have dtype {self.weight.dtype}, got {x.dtype}")
        channels = x.shape[1] if x.ndim > 1 else 1
        if self.num_parameters not in (1, channels):
            given = f"got {channels} for x of shape {x.shape}"
            check.invalid(f"PReLU: channels of x must be {self.num_parameters}, {given}")

    def values(self, x: Array) -> Any:
        """The layer's values of an array."""
        slopes = self.weight.astype(x.dtype)
        return np.where(x > 0, x, x * (slopes.reshape(-1, *(1,) * (x.ndim - 2)) if x.ndim > 1 else slopes))

    def extra_repr(self) -> str:
        """The arguments, as the repr shows them."""
        return f"num_parameters={self.num_parameters}"


class Tanh(Activation):
    """Hyperbolic tangent.

    Examples
    --------
    >>> import numpy as np, fastup.nn
    >>> fastup.nn.Tanh()(np.array([-np.inf, 0.0, np.inf]))
    array([-1.,  0.,  1.])
    """

    name = "tanh"

    def values(self, x: Array) -> Any:
        """The layer's values of an array."""
        return np.tanh(x)


class Sigmoid(Activation):
    """``1 / (1 + exp(-x))``.

    Examples
    --------
    >>> import numpy as np, fastup.nn
    >>> fastup.nn.Sigmoid()(np.array([-np.inf, 0.0, np.inf]))
    array([0. , 0.5, 1. ])
    """

    name = "sigmoid"

    def values(self, x: Array) -> Any:
        """The layer's values of an array."""
        one = x.dtype.type(1)
        return one / (one + np.exp(-x))


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
