"""Layers without parameters that resample: shuffles and interpolation."""

from __future__ import annotations

from typing import Any

from fastup import operators
from fastup.nn._module import Module
from fastup.operators.argument_types import ArrayT, Floats, Ints, Modes, Rounding
from fastup.plan import check


class PixelShuffle(Module):
    """(*, C*r*r, H, W) to (*, C, r*H, r*W), as `fastup.pixel_shuffle`.

    Examples
    --------
    >>> import numpy as np, fastup.nn
    >>> layer = fastup.nn.PixelShuffle(3)
    >>> layer, layer(np.zeros((1, 9, 4, 4))).shape
    (PixelShuffle(upscale_factor=3), (1, 1, 12, 12))
    """

    def __init__(self, upscale_factor: Ints) -> None:
        self.upscale_factor = upscale_factor

    def forward(self, x: ArrayT) -> ArrayT:
        """Apply the layer."""
        return operators.pixel_shuffle(x, self.upscale_factor)

    def extra_repr(self) -> str:
        """The arguments, as the repr shows them."""
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """(*, C, r*H, r*W) to (*, C*r*r, H, W), as `fastup.pixel_unshuffle`.

    Examples
    --------
    >>> import numpy as np, fastup.nn
    >>> layer = fastup.nn.PixelUnshuffle(3)
    >>> layer, layer(np.zeros((1, 1, 12, 12))).shape
    (PixelUnshuffle(downscale_factor=3), (1, 9, 4, 4))
    """

    def __init__(self, downscale_factor: Ints) -> None:
        self.downscale_factor = downscale_factor

    def forward(self, x: ArrayT) -> ArrayT:
        """Apply the layer."""
        return operators.pixel_unshuffle(x, self.downscale_factor)

    def extra_repr(self) -> str:
        """The arguments, as the repr shows them."""
        return f"downscale_factor={self.downscale_factor}"


class Upsample(Module):
    """Resize the spatial axes, as `fastup.interpolate`.

    Examples
    --------
    >>> import numpy as np, fastup.nn
    >>> layer = fastup.nn.Upsample(scale_factor=2)
    >>> layer, layer(np.zeros((1, 1, 4, 4))).shape
    (Upsample(scale_factor=2.0, mode='nearest'), (1, 1, 8, 8))
    """

    def __init__(
        self,
        size: Ints | None = None,
        scale_factor: Floats | None = None,
        mode: Modes = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
        *,
        antialias: bool = False,
        rounding: Rounding = "floor",
    ) -> None:
        op = type(self).__name__
        self.size = size
        given: Any = scale_factor
        if check.is_sequence(given):
            self.scale_factor: Any = tuple(check.positive(op, "scale_factor", one) for one in given)
        else:
            self.scale_factor = None if given is None else check.positive(op, "scale_factor", given)
        self.mode = mode
        self.align_corners = align_corners
        self.recompute_scale_factor = recompute_scale_factor
        self.antialias = check.flag(op, "antialias", antialias)
        self.rounding = rounding

    def forward(self, x: ArrayT, output_size: Ints | None = None) -> ArrayT:
        """Apply the layer; `output_size` takes the place of size and scale factor."""
        size, scale_factor, recompute = self.size, self.scale_factor, self.recompute_scale_factor
        if output_size is not None:
            size, scale_factor, recompute = output_size, None, None
        options = (self.mode, self.align_corners, recompute, self.antialias)
        return operators.interpolate(x, size, scale_factor, *options, rounding=self.rounding)

    def extra_repr(self) -> str:
        """The arguments, as the repr shows them."""
        given = f"size={self.size!r}" if self.scale_factor is None else f"scale_factor={self.scale_factor!r}"
        more = ", antialias=True" if self.antialias else ""
        more += f", rounding={self.rounding!r}" if self.rounding != "floor" else ""
        return f"{given}, mode={self.mode!r}{more}"


class UpsamplingNearest2d(Upsample):
    """Nearest-neighbour upsampling of pictures, as `fastup.interpolate` with mode "nearest".

    Examples
    --------
    >>> import numpy as np, fastup.nn
    >>> layer = fastup.nn.UpsamplingNearest2d(scale_factor=2)
    >>> layer(np.array([[[[1, 2], [3, 4]]]]))[0, 0]
    array([[1, 1, 2, 2],
           [1, 1, 2, 2],
           [3, 3, 4, 4],
           [3, 3, 4, 4]])
    """

    def __init__(self, size: Ints | None = None, scale_factor: Floats | None = None) -> None:
        super().__init__(size, scale_factor, mode="nearest")


class UpsamplingBilinear2d(Upsample):
    """Bilinear upsampling of pictures with aligned corners, as `fastup.interpolate` with ``align_corners=True``.

    Examples
    --------
    >>> import numpy as np, fastup.nn
    >>> layer = fastup.nn.UpsamplingBilinear2d(size=3)
    >>> layer(np.array([[[[1.0, 2.0], [3.0, 4.0]]]]))[0, 0]
    array([[1. , 1.5, 2. ],
           [2. , 2.5, 3. ],
           [3. , 3.5, 4. ]])
    """

    def __init__(self, size: Ints | None = None, scale_factor: Floats | None = None) -> None:
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True)
