"""Pixel shuffle and unshuffle."""

from __future__ import annotations

from fastup.arrays import apply
from fastup.cpu.copy import permuted, shuffle
from fastup.operators.argument_types import ArrayT, DataFormat, Ints, Order, Window
from fastup.operators.operator import operator
from fastup.plan.registry import Row
from fastup.plan.shuffle import PixelShufflePlan, make_pixel_shuffle, make_pixel_unshuffle

PIXEL_SHUFFLE = Row(
    PixelShufflePlan,
    launch=shuffle.launch,
    instances=permuted.instances,
    families=permuted.FAMILIES,
    cuda="shuffle.run",
    onnx="shuffle.append",
)
_SHUFFLE = """
    >>> import fastup
    >>> fastup.plan.pixel_shuffle((1, 12, 5, 5), "uint8", 2).output_shape
    (1, 3, 10, 10)
"""
_UNSHUFFLE = """
    >>> import fastup
    >>> fastup.plan.pixel_unshuffle((1, 3, 10, 10), "uint8", 2).output_shape
    (1, 12, 5, 5)
"""


@operator(PIXEL_SHUFFLE, _SHUFFLE)
def pixel_shuffle(
    x: ArrayT,
    upscale_factor: Ints,
    *,
    order: Order = "CRD",
    window: Window | None = None,
    data_format: DataFormat = "channels_first",
    out: ArrayT | None = None,
) -> ArrayT:
    """Move phases from the channels into space: (*, C*r*r, H, W) becomes (*, C, r*H, r*W).

    ``y[c, r*h + i, r*w + j] = x[c*r*r + i*r + j, h, w]`` in the order CRD, which is torch's;
    ``x[(i*r + j)*C + c, h, w]`` in the order DCR, the default of ONNX and TensorFlow.

    Parameters
    ----------
    x : array
        Of any dtype with items of 1, 2, 4, 8 or 16 bytes; any number of leading axes, any strides.
    upscale_factor : int or tuple of int
        One number stands for two spatial axes, as in torch; a tuple gives one factor for each of 1 to 3 spatial axes.
    order : {"CRD", "DCR"}
        How the channels of `x` count.
    window : tuple of slice, optional
        Compute only these positions of the result, one slice per spatial axis: equal to slicing the whole.
    data_format : {"channels_first", "channels_last"}
        Where the channel axis stands: before the spatial axes, or last.
    out : array, optional
        C-contiguous array of the result's shape and dtype that takes the result.

    Returns
    -------
    array
        Of the kind and dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is no array or holds Python objects, or a factor is no integer.
    ValueError
        If the channels are not divisible by the product of the factors, or `out` does not fit.

    Notes
    -----
    Semantics: torch.nn.functional.pixel_shuffle (2.13), which has two spatial axes and one factor.

    Examples
    --------
    >>> import fastup, numpy as np
    >>> x = np.arange(4).reshape(1, 4, 1, 1)
    >>> fastup.pixel_shuffle(x, 2)
    array([[[[0, 1],
             [2, 3]]]])
    >>> fastup.pixel_shuffle(np.arange(6).reshape(6, 1), (3,))
    array([[0, 1, 2],
           [3, 4, 5]])
    """
    result: ArrayT = apply(make_pixel_shuffle, x, (upscale_factor, order, window, data_format), out)
    return result


@operator(PIXEL_SHUFFLE, _UNSHUFFLE)
def pixel_unshuffle(
    x: ArrayT,
    downscale_factor: Ints,
    *,
    order: Order = "CRD",
    window: Window | None = None,
    data_format: DataFormat = "channels_first",
    out: ArrayT | None = None,
) -> ArrayT:
    """Move phases from space into the channels: (*, C, r*H, r*W) becomes (*, C*r*r, H, W).

    The inverse of `pixel_shuffle`: ``y[c*r*r + i*r + j, h, w] = x[c, r*h + i, r*w + j]`` in the order CRD.

    Parameters
    ----------
    x : array
        Of any dtype with items of 1, 2, 4, 8 or 16 bytes; any number of leading axes, any strides.
    downscale_factor : int or tuple of int
        One number stands for two spatial axes, as in torch; a tuple gives one factor for each of 1 to 3 spatial axes.
    order : {"CRD", "DCR"}
        How the channels of the result count.
    window : tuple of slice, optional
        Compute only these positions of the result, one slice per spatial axis: equal to slicing the whole.
    data_format : {"channels_first", "channels_last"}
        Where the channel axis stands: before the spatial axes, or last.
    out : array, optional
        C-contiguous array of the result's shape and dtype that takes the result.

    Returns
    -------
    array
        Of the kind and dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is no array or holds Python objects, or a factor is no integer.
    ValueError
        If the spatial sizes are not divisible by the factors, or `out` does not fit.

    Notes
    -----
    Semantics: torch.nn.functional.pixel_unshuffle (2.13). ONNX's SpaceToDepth is the order DCR.

    Examples
    --------
    >>> import fastup, numpy as np
    >>> x = np.arange(4).reshape(1, 1, 2, 2)
    >>> fastup.pixel_unshuffle(x, 2).ravel()
    array([0, 1, 2, 3])
    """
    result: ArrayT = apply(make_pixel_unshuffle, x, (downscale_factor, order, window, data_format), out)
    return result
