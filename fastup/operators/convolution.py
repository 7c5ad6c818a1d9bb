"""Convolution, transposed convolution and sub-pixel convolution of one, two and three spatial axes.

The functions of one operator differ in nothing but their rank, so each operator is written once.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from fastup.arrays import apply
from fastup.plan.conv_arguments import with_slopes
from fastup.plan.convolution import make_conv, make_conv_transpose, make_subpixel_conv
from fastup.plan.documented import documented

_PARAMETERS = """x : array
        (N, C, *space), or (C, *space) without a batch; float16, bfloat16 (ml_dtypes), float32 or float64.
    weight : array or PackedWeight
        {weight} Of the dtype of `x`.
    bias : array, optional
        {bias}"""
_REST = """activation : str or tuple, optional
        Applied to the result: "relu", "leaky_relu" (slope 0.01), "tanh", "sigmoid", ("leaky_relu", slope) or
        ("prelu", one slope per output channel).
    window : tuple of slice, optional
        Compute only these positions of the result, one slice per spatial axis: equal to slicing the whole.
    data_format : {"channels_first", "channels_last"}
        Where the channel axis of `x` and of the result stands.
    out : array, optional
        C-contiguous array of the result's shape and dtype that takes the result.

    Returns
    -------
    array
        Of the kind and dtype of `x`. Sums are float32, in float64 for float64, and are rounded once.

    Raises
    ------
    TypeError
        If `x` is no array of floats, or a dtype or an argument is of the wrong kind.
    ValueError
        If shapes do not fit together, an argument has a wrong value, or `out` does not fit."""


def _conv(rank: int) -> Callable[..., Any]:
    op = f"conv{rank}d"
    make = functools.partial(make_conv, op)

    @documented(
        op,
        rank,
        rest=_REST,
        parameters=_PARAMETERS.format(
            weight="(out channels, in channels / groups, *kernel).", bias="One number per output channel."
        ),
    )
    def conv(
        x: Any,
        weight: Any,
        bias: Any = None,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        *,
        activation: Any = None,
        window: Any = None,
        data_format: str = "channels_first",
        out: Any = None,
    ) -> Any:
        """Slide a kernel over <rank> spatial axes: a weighted sum of all input channels at each position.

        Along each axis ``y[o] = sum_k w[k] * x[o * stride - padding + k * dilation]``, with zeros beyond the edges; the
        size is ``(n + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1``.

        Parameters
        ----------
        <parameters>
        stride, dilation : int or tuple of int
            For all spatial axes or for each.
        padding : int, str or tuple
            Zeros on both sides of all spatial axes or of each; a pair per axis gives (before, after). "same" keeps the
            size where the stride is 1, "valid" is 0.
        groups : int
            Divide the channels into so many groups, each with weights of its own.
        <rest>

        Notes
        -----
        Semantics: torch.nn.functional.<name> (2.13), which has no activation and no pairs of paddings.

        Examples
        --------
        >>> import fastup, numpy as np
        >>> x = np.ones((1, 1, *(3,) * <rank>), np.float32)
        >>> w = np.ones((1, 1, *(3,) * <rank>), np.float32)
        >>> float(fastup.<name>(x, w).item()) == 3**<rank>, fastup.<name>(x, w, padding="same").shape == x.shape
        (True, True)
        """
        known, slopes = with_slopes(activation)
        arguments = (stride, padding, dilation, groups, known, data_format, window)
        return apply(make, x, arguments, out, None, {"weight": weight, "bias": bias, "slopes": slopes})

    return conv


def _conv_transpose(rank: int) -> Callable[..., Any]:
    op = f"conv_transpose{rank}d"
    make = functools.partial(make_conv_transpose, op)

    @documented(
        op,
        rank,
        rest=_REST,
        parameters=_PARAMETERS.format(
            weight="(in channels, out channels / groups, *kernel).", bias="One number per output channel."
        ),
    )
    def conv_transpose(
        x: Any,
        weight: Any,
        bias: Any = None,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        dilation: Any = 1,
        *,
        output_size: Any = None,
        activation: Any = None,
        window: Any = None,
        data_format: str = "channels_first",
        out: Any = None,
    ) -> Any:
        """Upsample by spreading every input position over a kernel: the transpose of `conv<rank>d`.

        Along each axis ``y[o] = sum_k w[k] * x[(o + padding - k * dilation) / stride]`` over the k for which that is a
        position; the size is ``(n - 1) * stride - 2 * padding + dilation * (kernel - 1) + output_padding + 1``.

        Parameters
        ----------
        <parameters>
        stride, dilation : int or tuple of int
            For all spatial axes or for each.
        padding : int or tuple
            Positions cut off on both sides of all spatial axes or of each; a pair per axis gives (before, after).
        output_padding : int or tuple of int
            Positions added at the end of each axis; smaller than stride or dilation.
        groups : int
            Divide the channels into so many groups, each with weights of its own.
        output_size : int or tuple of int, optional
            The size that is wanted, in place of `output_padding`.
        <rest>

        Notes
        -----
        Semantics: torch.nn.functional.<name> (2.13); output_size as in torch.nn.ConvTranspose<rank>d.

        Examples
        --------
        >>> import fastup, numpy as np
        >>> x = np.ones((1, 1, *(2,) * <rank>), np.float32)
        >>> w = np.ones((1, 1, *(2,) * <rank>), np.float32)
        >>> y = fastup.<name>(x, w, stride=2)
        >>> y.shape == (1, 1, *(4,) * <rank>), float(y.min()), float(y.max())
        (True, 1.0, 1.0)
        """
        known, slopes = with_slopes(activation)
        arguments = (stride, padding, output_padding, groups, dilation, output_size, known, data_format, window)
        return apply(make, x, arguments, out, None, {"weight": weight, "bias": bias, "slopes": slopes})

    return conv_transpose


def _subpixel_conv(rank: int) -> Callable[..., Any]:
    op = f"subpixel_conv{rank}d"
    make = functools.partial(make_subpixel_conv, op)

    @documented(
        op,
        rank,
        rest=_REST,
        parameters=_PARAMETERS.format(
            weight="(out channels * phases, in channels, *kernel), phases being the product of the factors.",
            bias="One number per output channel and phase.",
        ),
    )
    def subpixel_conv(
        x: Any,
        weight: Any,
        bias: Any = None,
        *,
        upscale_factor: Any,
        padding: Any = 0,
        activation: Any = None,
        window: Any = None,
        data_format: str = "channels_first",
        out: Any = None,
    ) -> Any:
        """Convolve into one channel per phase and put the phases into space, without holding the channels.

        Equal to `pixel_shuffle` of `conv<rank>d` with stride 1. Along each axis, with r the factor,
        ``y[c, r * q + p] = sum_k w[c * r + p, k] * x[q - padding + k]``.

        Parameters
        ----------
        <parameters>
        upscale_factor : int or tuple of int
            For all spatial axes or for each.
        padding : int, str or tuple
            As in `conv<rank>d`; "same" gives the size of `x` times the factor.
        <rest>

        Notes
        -----
        Semantics: torch.nn.functional.conv<rank>d and pixel_shuffle (2.13).

        Examples
        --------
        >>> import fastup, numpy as np
        >>> x = np.ones((1, 1, *(2,) * <rank>), np.float32)
        >>> w = np.arange(2**<rank>, dtype=np.float32).reshape(-1, 1, *(1,) * <rank>)
        >>> y = fastup.<name>(x, w, upscale_factor=2)
        >>> y.shape == (1, 1, *(4,) * <rank>), y.ravel()[:2]
        (True, array([0., 1.], dtype=float32))
        """
        known, slopes = with_slopes(activation)
        return apply(
            make,
            x,
            (upscale_factor, padding, known, data_format, window),
            out,
            None,
            {"weight": weight, "bias": bias, "slopes": slopes},
        )

    return subpixel_conv


conv1d, conv2d, conv3d = map(_conv, (1, 2, 3))
conv_transpose1d, conv_transpose2d, conv_transpose3d = map(_conv_transpose, (1, 2, 3))
subpixel_conv1d, subpixel_conv2d, subpixel_conv3d = map(_subpixel_conv, (1, 2, 3))
