"""Convolution, transposed convolution and sub-pixel convolution of one, two and three spatial axes."""

from __future__ import annotations

import functools

from fastup.arrays import apply
from fastup.cpu.conv import convolution
from fastup.operators.argument_types import Activation, ArrayT, DataFormat, Ints, Padding, Pads, SupportsArray, Window
from fastup.operators.operator import of_ranks
from fastup.plan.activations import with_slopes
from fastup.plan.convolution import ConvPlan, make_conv, make_conv_transpose, make_subpixel_conv
from fastup.plan.registry import Row

CONVOLUTION = Row(
    ConvPlan,
    launch=convolution.launch,
    instances=convolution.instances,
    families=convolution.FAMILIES,
    cuda="convolution.run",
    onnx="convolution.append",
    table=convolution.table,
)
_PARAMETERS = """
x : array
    (N, C, *space), or (C, *space) without a batch; float16, bfloat16 (ml_dtypes), float32 or float64.
weight : array or PackedWeight
    {weight} Of the dtype of `x`.
bias : array, optional
    {bias}"""
_REST = """
activation : str or tuple, optional
    Applied to the result: "relu", "leaky_relu" (slope 0.01), "tanh", "sigmoid", "silu", "gelu", "gelu_tanh",
    "hardswish", "elu" (alpha 1), "softplus" (beta 1, threshold 20); with a number of yours ("leaky_relu", slope),
    ("elu", alpha), ("softplus", beta); ("prelu", one slope per output channel). Each is within 4 units in the last
    place of the exact value of the sum.
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
_CONV = """
    >>> import fastup
    >>> plan = fastup.plan.<name>((1, 3, *(10,) * <rank>), "float32", (8, 3, *(3,) * <rank>), stride=2)
    >>> plan.output_shape == (1, 8, *(4,) * <rank>)
    True
"""
_CONV_TRANSPOSE = """
    >>> import fastup
    >>> plan = fastup.plan.<name>((1, 3, *(10,) * <rank>), "float32", (3, 8, *(3,) * <rank>), stride=2)
    >>> plan.output_shape == (1, 8, *(21,) * <rank>)
    True
"""
_SUBPIXEL_CONV = """
    >>> import fastup
    >>> weight_shape = (8 * 2**<rank>, 3, *(3,) * <rank>)
    >>> plan = fastup.plan.<name>((1, 3, *(10,) * <rank>), "float32", weight_shape, upscale_factor=2)
    >>> plan.output_shape == (1, 8, *(16,) * <rank>)
    True
"""


@of_ranks(
    "conv",
    CONVOLUTION,
    _CONV,
    rest=_REST,
    parameters=_PARAMETERS.format(
        weight="(out channels, in channels / groups, *kernel).", bias="One number per output channel."
    ),
)
def _conv(
    op: str,
    x: ArrayT,
    weight: SupportsArray,
    bias: SupportsArray | None = None,
    stride: Ints = 1,
    padding: Padding = 0,
    dilation: Ints = 1,
    groups: int = 1,
    *,
    activation: Activation | None = None,
    window: Window | None = None,
    data_format: DataFormat = "channels_first",
    out: ArrayT | None = None,
) -> ArrayT:
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
    arguments = (stride, padding, dilation, groups, known, window, data_format)
    operands = {"weight": weight, "bias": bias, "slopes": slopes}
    result: ArrayT = apply(functools.partial(make_conv, op), x, arguments, out, None, operands)
    return result


@of_ranks(
    "conv_transpose",
    CONVOLUTION,
    _CONV_TRANSPOSE,
    rest=_REST,
    parameters=_PARAMETERS.format(
        weight="(in channels, out channels / groups, *kernel).", bias="One number per output channel."
    ),
)
def _conv_transpose(
    op: str,
    x: ArrayT,
    weight: SupportsArray,
    bias: SupportsArray | None = None,
    stride: Ints = 1,
    padding: Pads = 0,
    output_padding: Ints = 0,
    groups: int = 1,
    dilation: Ints = 1,
    *,
    output_size: Ints | None = None,
    activation: Activation | None = None,
    window: Window | None = None,
    data_format: DataFormat = "channels_first",
    out: ArrayT | None = None,
) -> ArrayT:
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
    arguments = (stride, padding, output_padding, groups, dilation, output_size, known, window, data_format)
    operands = {"weight": weight, "bias": bias, "slopes": slopes}
    result: ArrayT = apply(functools.partial(make_conv_transpose, op), x, arguments, out, None, operands)
    return result


@of_ranks(
    "subpixel_conv",
    CONVOLUTION,
    _SUBPIXEL_CONV,
    rest=_REST,
    parameters=_PARAMETERS.format(
        weight="(out channels * phases, in channels, *kernel), phases being the product of the factors.",
        bias="One number per output channel and phase.",
    ),
)
def _subpixel_conv(
    op: str,
    x: ArrayT,
    weight: SupportsArray,
    bias: SupportsArray | None = None,
    *,
    upscale_factor: Ints,
    padding: Padding = 0,
    activation: Activation | None = None,
    window: Window | None = None,
    data_format: DataFormat = "channels_first",
    out: ArrayT | None = None,
) -> ArrayT:
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
    arguments = (upscale_factor, padding, known, window, data_format)
    operands = {"weight": weight, "bias": bias, "slopes": slopes}
    result: ArrayT = apply(functools.partial(make_subpixel_conv, op), x, arguments, out, None, operands)
    return result


conv1d, conv2d, conv3d = _conv
conv_transpose1d, conv_transpose2d, conv_transpose3d = _conv_transpose
subpixel_conv1d, subpixel_conv2d, subpixel_conv3d = _subpixel_conv
