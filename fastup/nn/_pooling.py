"""Max pooling and unpooling of one, two and three spatial axes."""

from __future__ import annotations

from typing import Any, ClassVar

from fastup import operators
from fastup.nn._module import Module
from fastup.operators.argument_types import ArrayT, Ints, SupportsArray
from fastup.plan import check


class MaxPoolNd(Module):
    """What the three ranks share."""

    rank: ClassVar[int]

    def __init__(
        self,
        kernel_size: Ints,
        stride: Ints | None = None,
        padding: Ints = 0,
        dilation: Ints = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.return_indices = check.flag(type(self).__name__, "return_indices", return_indices)
        self.ceil_mode = ceil_mode

    def forward(self, x: Any) -> Any:
        """Apply the layer; with `return_indices` a pair, the values and where they lie."""
        function = getattr(operators, f"max_pool{self.rank}d")
        arguments = (self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode)
        return function(x, *arguments, self.return_indices)

    def pass_through(self, x: Any, indices: list[Any]) -> Any:
        """Apply the layer inside a container: the indices go onto the list."""
        if not self.return_indices:
            return self.forward(x)
        values, found = self.forward(x)
        indices.append(found)
        return values

    def extra_repr(self) -> str:
        """The arguments, as the repr shows them."""
        names = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")
        return ", ".join(f"{name}={getattr(self, name)}" for name in names)


class MaxUnpoolNd(Module):
    """What the three ranks share."""

    rank: ClassVar[int]

    def __init__(self, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0) -> None:
        op = type(self).__name__
        self.kernel_size = check.per_axis(op, "kernel_size", kernel_size, self.rank)
        self.stride = self.kernel_size if stride is None else check.per_axis(op, "stride", stride, self.rank)
        self.padding = check.per_axis(op, "padding", padding, self.rank, minimum=0)

    def forward(self, x: ArrayT, indices: SupportsArray, output_size: Ints | None = None) -> ArrayT:
        """Put the values of `x` to their indices in a result of `output_size`, by default the smallest."""
        function = getattr(operators, f"max_unpool{self.rank}d")
        result: ArrayT = function(x, indices, self.kernel_size, self.stride, self.padding, output_size)
        return result

    def pass_through(self, x: Any, indices: list[Any]) -> Any:
        """Apply the layer inside a container: the last indices are taken from the list."""
        if not indices:
            pool = f"MaxPool{self.rank}d(return_indices=True)"
            check.invalid(f"{type(self).__name__}: indices must come from a {pool} before it, got none")
        return self.forward(x, indices.pop())

    def extra_repr(self) -> str:
        """The arguments, as the repr shows them."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxPool1d(MaxPoolNd):
    """Largest value of each window along one axis, as `fastup.max_pool1d`: (N, C, L) to (N, C, L').

    Examples
    --------
    >>> import numpy as np, fastup.nn
    >>> fastup.nn.MaxPool1d(2)(np.array([[[1.0, 3.0, 2.0, 0.0]]]))
    array([[[3., 2.]]])
    """

    rank = 1


class MaxPool2d(MaxPoolNd):
    """Largest value of each window of pictures, as `fastup.max_pool2d`: (N, C, H, W) to (N, C, H', W').

    Examples
    --------
    >>> import numpy as np, fastup.nn
    >>> layer = fastup.nn.MaxPool2d(2, return_indices=True)
    >>> layer
    MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)
    >>> values, indices = layer(np.arange(4.0).reshape(1, 1, 2, 2))
    >>> values.item(), indices.item()
    (3.0, 3)
    """

    rank = 2


class MaxPool3d(MaxPoolNd):
    """Largest value of each window of volumes, as `fastup.max_pool3d`: (N, C, D, H, W) to (N, C, D', H', W').

    Examples
    --------
    >>> import numpy as np, fastup.nn
    >>> fastup.nn.MaxPool3d(2)(np.zeros((1, 1, 4, 4, 4))).shape
    (1, 1, 2, 2, 2)
    """

    rank = 3


class MaxUnpool1d(MaxUnpoolNd):
    """Values back where pooling along one axis found them, among zeros, as `fastup.max_unpool1d`.

    Examples
    --------
    >>> import numpy as np, fastup.nn
    >>> fastup.nn.MaxUnpool1d(2)(np.array([[[3.0, 2.0]]]), np.array([[[1, 2]]]))
    array([[[0., 3., 2., 0.]]])
    """

    rank = 1


class MaxUnpool2d(MaxUnpoolNd):
    """Values back where pooling of pictures found them, among zeros, as `fastup.max_unpool2d`.

    In a `Sequential` the indices come from the last pooling whose indices no other unpooling has taken.

    Examples
    --------
    >>> import numpy as np, fastup.nn
    >>> layer = fastup.nn.Sequential(fastup.nn.MaxPool2d(2, return_indices=True), fastup.nn.MaxUnpool2d(2))
    >>> layer(np.arange(4.0).reshape(1, 1, 2, 2))[0, 0]
    array([[0., 0.],
           [0., 3.]])
    """

    rank = 2


class MaxUnpool3d(MaxUnpoolNd):
    """Values back where pooling of volumes found them, among zeros, as `fastup.max_unpool3d`.

    Examples
    --------
    >>> import numpy as np, fastup.nn
    >>> fastup.nn.MaxUnpool3d(2)
    MaxUnpool3d(kernel_size=(2, 2, 2), stride=(2, 2, 2), padding=(0, 0, 0))
    """

    rank = 3
