"""Activations: NumPy's own expressions where they stand alone, the convolution's activation where they follow one."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np

from fastup.cpu.conv.row_stages import activated
from fastup.nn._module import Array, Module, Parameter, dtype_of, elementwise, room_for
from fastup.plan import activations, check

_THRESHOLD = 20  # of the softplus that convolutions have, torch's default


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

    def extra_repr(self: Any) -> str:
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
        given = check.number("LeakyReLU", "negative_slope", negative_slope)
        self.negative_slope = negative_slope if np.isfinite(given) else given
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
        return x.dtype.type(1) / (x.dtype.type(1) + np.exp(-x))


class _Computed(Activation):
    """What is computed as convolutions compute it, to the bit."""

    def values(self, x: Array) -> Any:
        """The layer's values of an array."""
        name, number = activations.normalised(type(self).__name__, self.in_convolution, None)
        if isinstance(x, np.ndarray):
            return activated(x, name, number)
        return x.map_blocks(activated, name, number, dtype=x.dtype)  # lazy, of dask


class SiLU(_Computed):
    """``x * sigmoid(x)``. With `inplace` `x` is left alone too.

    Examples
    --------
    >>> import numpy as np, fastup.nn
    >>> fastup.nn.SiLU()(np.array([-1.0, 0.0, 1.0])).round(8)
    array([-0.26894142,  0.        ,  0.73105858])
    """

    name = "silu"

    def __init__(self, inplace: bool = False) -> None:
        self.inplace = check.flag(type(self).__name__, "inplace", inplace)

    extra_repr = ReLU.extra_repr


class Hardswish(_Computed):
    """``x * clip(x + 3, 0, 6) / 6``. With `inplace` `x` is left alone too.

    Examples
    --------
    >>> import numpy as np, fastup.nn
    >>> fastup.nn.Hardswish()(np.array([-1.0, 1.5, 4.0]))
    array([-0.33333333,  1.125     ,  4.        ])
    """

    name = "hardswish"

    def __init__(self, inplace: bool = False) -> None:
        self.inplace = check.flag(type(self).__name__, "inplace", inplace)


class GELU(_Computed):
    """``x * Phi(x)``, Phi being the normal distribution; or with approximate="tanh" torch's approximation of it.

    Examples
    --------
    >>> import numpy as np, fastup.nn
    >>> fastup.nn.GELU()(np.array([-1.0, 0.0, 1.0])).round(8)
    array([-0.15865525,  0.        ,  0.84134475])
    """

    def __init__(self, approximate: Literal["none", "tanh"] = "none") -> None:
        self.approximate = check.choice("GELU", "approximate", approximate, ("none", "tanh"))

    @property
    def in_convolution(self) -> Any:
        """What a convolution takes as `activation` for this layer."""
        return ("gelu", self.approximate)

    def extra_repr(self) -> str:
        """The arguments, as the repr shows them."""
        return f"approximate={self.approximate!r}"


class ELU(_Computed):
    """``x`` above 0, ``alpha * (exp(x) - 1)`` elsewhere. With `inplace` `x` is left alone too.

    Examples
    --------
    >>> import numpy as np, fastup.nn
    >>> fastup.nn.ELU()(np.array([-1.0, 2.0])).round(8)
    array([-0.63212056,  2.        ])
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        check.number("ELU", "alpha", alpha)
        self.alpha, self.inplace = alpha, check.flag("ELU", "inplace", inplace)

    @property
    def in_convolution(self) -> Any:
        """What a convolution takes as `activation` for this layer."""
        return ("elu", self.alpha)

    def extra_repr(self) -> str:
        """The arguments, as the repr shows them."""
        return f"alpha={self.alpha}" + (", inplace=True" if self.inplace else "")


class Softplus(_Computed):
    """``log(1 + exp(beta * x)) / beta``, and ``x`` itself where ``beta * x`` is above the threshold.

    Examples
    --------
    >>> import numpy as np, fastup.nn
    >>> fastup.nn.Softplus()(np.array([-1.0, 0.0, 30.0])).round(8)
    array([ 0.31326169,  0.69314718, 30.        ])
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        for name, value in (("beta", beta), ("threshold", threshold)):
            check.number("Softplus", name, value)
        self.beta, self.threshold = beta, threshold

    @property
    def in_convolution(self) -> Any:
        """What a convolution takes as `activation` for this layer; None for a threshold that it does not know."""
        return ("softplus", self.beta) if self.threshold == _THRESHOLD else None

    def values(self, x: Array) -> Any:
        """The layer's values of an array."""
        if self.in_convolution:
            return super().values(x)
        scaled = x * x.dtype.type(self.beta)
        smooth = (np.maximum(scaled, 0) + np.log1p(np.exp(-abs(scaled)))) / x.dtype.type(self.beta)
        return np.where(scaled > self.threshold, x, smooth)

    def extra_repr(self) -> str:
        """The arguments, as the repr shows them."""
        return f"beta={self.beta}, threshold={self.threshold}"
