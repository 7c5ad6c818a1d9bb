"""The types of arguments, as a user's type checker sees them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol, SupportsFloat, SupportsIndex, TypeVar

import numpy as np
import numpy.typing as npt

from fastup.plan import activations
from fastup.plan.conventions import Convention
from fastup.plan.sampling.filters import AxisMode, Mode


class SupportsArray(Protocol):
    """What has a shape and a dtype: arrays of NumPy, dask and CuPy, tensors of torch, packed weights."""

    @property
    def shape(self) -> Any:
        """Its extents."""

    @property
    def dtype(self) -> Any:
        """Of its items."""


Box = Sequence[float]  # left, top, right, bottom
Like = str | Convention
ArrayT = TypeVar("ArrayT", bound=SupportsArray)

DataFormat = Literal["channels_first", "channels_last"]
Order = Literal["CRD", "DCR"]
Rounding = Literal["floor", "round", "ceil"]
Lowering = Literal["auto", "native", "portable"]
SubPixel = Literal["conv", "conv_transpose"]

DType = npt.DTypeLike
Shape = Sequence[SupportsIndex]
Ints = SupportsIndex | Sequence[SupportsIndex]  # for all spatial axes, or for each
Floats = SupportsFloat | Sequence[SupportsFloat]
Window = Sequence[slice]
Pads = Ints | Sequence[Sequence[SupportsIndex]]
Padding = Literal["same", "valid"] | Pads
Modes = Mode | Sequence[AxisMode]
Activation = (
    activations.Name
    | tuple[Literal["leaky_relu", "elu", "softplus"], float]
    | tuple[Literal["gelu"], Literal["none", "tanh"]]
    | tuple[Literal["prelu"], SupportsArray]
)
Boxes = SupportsArray | Sequence[Sequence[float]]
Dims = Sequence[SupportsIndex | str]  # of a graph, of which some may be known at run time only
Array = np.ndarray[Any, Any]
