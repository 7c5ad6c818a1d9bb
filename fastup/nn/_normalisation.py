"""Batch normalisation with the statistics that training left."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from fastup.nn._module import HALVES, Array, Module, Parameter, dtype_of, elementwise, room_for
from fastup.operators.argument_types import ArrayT, DType
from fastup.plan import check


class BatchNorm(Module):
    """What the three ranks share: ``y = (x - running_mean) / sqrt(running_var + eps) * weight + bias`` per channel."""

    rank: ClassVar[int]
    dimensions: ClassVar[tuple[int, ...]]
    optional_keys = ("num_batches_tracked",)  # states that are older than torch 0.4.1 lack it
    weight = Parameter()
    bias = Parameter()
    running_mean = Parameter()
    running_var = Parameter()
    num_batches_tracked = Parameter()

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        bias: bool = True,
        dtype: DType | None = None,
    ) -> None:
        op = type(self).__name__
        self.num_features = check.integer(op, "num_features", num_features)
        self.eps = check.number(op, "eps", eps)
        self.momentum = None if momentum is None else check.number(op, "momentum", momentum)
        self.affine = check.flag(op, "affine", affine)
        self.track_running_stats = check.flag(op, "track_running_stats", track_running_stats)
        self.dtype = dtype_of(op, dtype)
        room_for(op, (self.num_features,), self.dtype)
        ones, zeros = np.ones(self.num_features, self.dtype), np.zeros(self.num_features, self.dtype)
        self.weight = ones if affine else None
        self.bias = zeros if check.flag(op, "bias", bias) and affine else None
        self.running_mean = zeros if track_running_stats else None
        self.running_var = ones if track_running_stats else None
        self.num_batches_tracked = np.array(0, np.int64) if track_running_stats else None

    def scale_and_shift(self, mean: Array, variance: Array) -> tuple[Array, Array]:
        """The layer as ``x * scale + shift`` per channel, in float64."""
        with np.errstate(all="ignore"):
            scale = 1 / np.sqrt(variance.astype(np.float64) + self.eps)
            if self.weight is not None:
                scale *= self.weight.astype(np.float64)
            shift = -mean.astype(np.float64) * scale
        return scale, shift if self.bias is None else shift + self.bias.astype(np.float64)

    def forward(self, x: ArrayT) -> ArrayT:
        """Apply the layer; without running statistics those of `x` stand in, as in torch."""
        result: ArrayT = elementwise(x, self._check, self._normalised)
        return result

    def _normalised(self, values: Array) -> Array:
        mean, variance = self.running_mean, self.running_var
        if mean is None:
            others = (0, *range(2, values.ndim))
            mean, variance = values.mean(others, np.float64), values.var(others, np.float64)
        shape = (-1, *(1,) * (values.ndim - 2))
        scale, shift = (one.astype(values.dtype).reshape(shape) for one in self.scale_and_shift(mean, variance))
        result: Array = values * scale + shift
        return result

    def _check(self, values: Array) -> None:
        op = type(self).__name__
        if values.ndim not in self.dimensions:
            allowed = " or ".join(map(str, self.dimensions))
            check.invalid(f"{op}: x must have {allowed} dimensions, got shape {values.shape}")
        if values.shape[1] != self.num_features:
            given = f"got {values.shape[1]} for x of shape {values.shape}"
            check.invalid(f"{op}: channels of x must be {self.num_features}, {given}")
        taken = [self.dtype.name, *(HALVES if self.dtype == np.float32 else ())]
        if values.dtype.name not in taken:
            raise TypeError(f"{op}: x must have dtype {', '.join(taken)}, got {values.dtype}")

    def extra_repr(self) -> str:
        """The arguments, as the repr shows them."""
        names = ("eps", "momentum", "affine", "bias", "track_running_stats")
        values = {**vars(self), "bias": self.bias is not None}
        return ", ".join([str(self.num_features), *(f"{name}={values[name]}" for name in names)])


class BatchNorm1d(BatchNorm):
    """Batch normalisation of (N, C) or (N, C, L) with running statistics.

    Examples
    --------
    >>> import numpy as np, fastup.nn
    >>> layer = fastup.nn.BatchNorm1d(1, eps=0.0)
    >>> layer.running_mean, layer.running_var = np.float32([1]), np.float32([4])
    >>> layer(np.array([[1], [3], [5]], np.float32)).ravel()
    array([0., 1., 2.], dtype=float32)
    """

    rank = 1
    dimensions = (2, 3)


class BatchNorm2d(BatchNorm):
    """Batch normalisation of pictures with running statistics: (N, C, H, W), each channel by itself.

    ``y = (x - running_mean) / sqrt(running_var + eps) * weight + bias``. A `Sequential` folds it into the convolution
    before it.

    Examples
    --------
    >>> import numpy as np, fastup.nn
    >>> layer = fastup.nn.BatchNorm2d(3)
    >>> layer
    BatchNorm2d(3, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)
    >>> list(layer.state_dict())
    ['weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked']
    """

    rank = 2
    dimensions = (4,)


class BatchNorm3d(BatchNorm):
    """Batch normalisation of volumes with running statistics: (N, C, D, H, W), each channel by itself.

    Examples
    --------
    >>> import numpy as np, fastup.nn
    >>> layer = fastup.nn.BatchNorm3d(2, affine=False)
    >>> layer(np.zeros((1, 2, 3, 3, 3), np.float32)).shape, list(layer.state_dict())
    ((1, 2, 3, 3, 3), ['running_mean', 'running_var', 'num_batches_tracked'])
    """

    rank = 3
    dimensions = (5,)
