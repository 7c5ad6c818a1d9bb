"""Weights of convolutions: packed once, and turned from transposed to sub-pixel form and back."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastup.arrays import operand
from fastup.operators.argument_types import Ints, Pads, SupportsArray
from fastup.plan import check, conv_arguments, phases
from fastup.plan.base import Array
from fastup.plan.conv_arguments import Pairs
from fastup.plan.operands import PackedWeight
from fastup.runtime import memory


def pack_weight(weight: SupportsArray) -> PackedWeight:
    """Copy a weight that many calls will use, so that it is arranged for the kernels only once.

    The arrangement depends on the other arguments of a call; it is made at the first call with each, and kept.

    Parameters
    ----------
    weight : array
        As the functions of convolution take it.

    Returns
    -------
    PackedWeight
        Accepted wherever `weight` is; the layers hold one.

    Raises
    ------
    TypeError
        If `weight` is no array of floats.

    Examples
    --------
    >>> import fastup, numpy as np
    >>> weight = fastup.pack_weight(np.ones((1, 1, 3, 3), np.float32))
    >>> fastup.conv2d(np.ones((1, 1, 3, 3), np.float32), weight).ravel()
    array([9.], dtype=float32)
    """
    array = operand("weight", weight)
    if array is None:
        raise TypeError("pack_weight: weight must be an array, got None")
    check.floats("pack_weight", "weight", array.dtype)
    return PackedWeight(array)


def transposed_to_subpixel(
    weight: SupportsArray, stride: Ints, padding: Pads = 0, output_padding: Ints = 0, dilation: Ints = 1
) -> tuple[Array, Pairs]:
    """Turn the weight of a transposed convolution into that of the equal sub-pixel convolution.

    Output position ``o = stride * q + p`` of phase p reads ``x[(o + padding - k * dilation) / stride]`` at the taps k
    for which that is whole: a stride-1 convolution per phase. The kernel spans the input positions of all phases, with
    zeros where a phase has no tap.

    Parameters
    ----------
    weight : array
        (in channels, out channels, *kernel), of one group.
    stride, padding, output_padding, dilation : int or tuple
        As in `conv_transpose2d`.

    Returns
    -------
    weight : numpy.ndarray
        (out channels * phases, in channels, *kernel), in the dtype given: numbers of the old weight, and zeros.
    padding : tuple of (int, int)
        With it, ``subpixel_conv2d(x, weight, upscale_factor=stride, padding=padding)`` equals
        ``conv_transpose2d(x, ...)`` as far as that reaches; its size is that size rounded up to a multiple of stride.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind or value.

    Notes
    -----
    W. Shi et al., Is the deconvolution layer the same as a convolutional layer?, arXiv:1609.07009.

    Examples
    --------
    >>> import fastup, numpy as np
    >>> weight, padding = fastup.transposed_to_subpixel(np.arange(4.0).reshape(1, 1, 4), 2, 1)
    >>> weight[:, 0], padding
    (array([[3., 1., 0.],
           [0., 2., 0.]]), ((1, 1),))
    """
    op = "transposed_to_subpixel"
    array = operand("weight", weight)
    rank = _rank(op, array)
    strides = check.per_axis(op, "stride", stride, rank)
    pads = conv_arguments.pads(op, padding, rank)
    more = check.per_axis(op, "output_padding", output_padding, rank, minimum=0)
    dilations = check.per_axis(op, "dilation", dilation, rank)
    pairs: list[tuple[int, int]] = []
    result = array.swapaxes(0, 1)
    _fits(op, (math.prod(strides), *array.shape[:2]), array.dtype)
    for axis in reversed(range(rank)):
        numbers = (strides[axis], pads[axis], more[axis], dilations[axis])
        kernel_size = array.shape[2 + axis]
        places, pair = _taps_by_phase(op, result.size // kernel_size, kernel_size, *numbers)
        pairs.insert(0, pair)
        zero = np.zeros_like(result.take([0], 2 + axis))
        result = np.concatenate([result, zero], 2 + axis).take(places, 2 + axis)
    order = [0, *range(2, 2 * rank + 2, 2), 1, *range(3, 2 * rank + 2, 2)]
    result = result.transpose(order)
    kernel = result.shape[rank + 2 :]
    return np.ascontiguousarray(result.reshape(-1, array.shape[0], *kernel)), tuple(pairs)


def _taps_by_phase(
    op: str, others: int, kernel: int, stride: int, padding: tuple[int, int], output_padding: int, dilation: int
) -> tuple[Array, tuple[int, int]]:
    """``[phase][tap of the sub-pixel kernel]`` as places in the old kernel (-1: none), and the padding it needs."""
    n_out = phases.transposed(1, kernel, stride, padding, output_padding, dilation).n_out
    every = phases.SpreadPhases(stride, kernel, stride, dilation, padding[0])
    found = [every[number] for number in every.live()]
    shifts = [shift for phase in found for shift in phase.shifts]
    more = -(-n_out // stride) - 1  # positions q beyond those of the input
    first = min(0, *shifts)
    last = max(-more, *shifts)
    _fits(op, (stride, last - first + 1, others), np.dtype(np.int64))
    places = np.full((stride, last - first + 1), -1, np.int64)
    for phase in found:
        places[phase.number, [shift - first for shift in phase.shifts]] = phase.taps
    return places, (-first, last + more)


def subpixel_to_transposed(weight: SupportsArray, factor: Ints, padding: Pads = 0) -> tuple[Array, Pairs]:
    """Turn the weight of a sub-pixel convolution into that of the equal transposed convolution.

    ``w[i, c, factor * (kernel - 1 - t) + p] = weight[c * phases + p, i, t]`` along each axis.

    Parameters
    ----------
    weight : array
        (out channels * phases, in channels, *kernel).
    factor, padding : int or tuple
        `upscale_factor` and `padding` of `subpixel_conv2d`.

    Returns
    -------
    weight : numpy.ndarray
        (in channels, out channels, *kernel) in the dtype given, the kernel being the factor times the old one.
    padding : tuple of (int, int)
        With it, ``conv_transpose2d(x, weight, stride=factor, padding=padding)`` equals ``subpixel_conv2d(x, ...)``.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind or value.

    Examples
    --------
    >>> import fastup, numpy as np
    >>> weight, padding = fastup.subpixel_to_transposed(np.arange(6.0).reshape(2, 1, 3), 2, 1)
    >>> weight.ravel(), padding
    (array([2., 5., 1., 4., 0., 3.]), ((2, 2),))
    """
    op = "subpixel_to_transposed"
    array = operand("weight", weight)
    rank = _rank(op, array)
    factors = check.per_axis(op, "factor", factor, rank)
    pads = conv_arguments.pads(op, padding, rank)
    if array.shape[0] % math.prod(factors):
        check.invalid(f"{op}: weight must have output channels divisible by {math.prod(factors)}, got {array.shape[0]}")
    kernel = array.shape[2:]
    # A padding beyond the kernel reads zeros only: taps of weight 0 on the other side make room for it.
    room = [(max(0, after - k + 1), max(0, before - k + 1)) for k, (before, after) in zip(kernel, pads, strict=True)]
    _fits(op, (*array.shape[:2], *(n + sum(pair) for n, pair in zip(kernel, room, strict=True))), array.dtype)
    array = np.pad(array, [(0, 0), (0, 0), *room])
    pairs = tuple(
        tuple(r * max(0, k - 1 - pad) for pad in pair) for r, k, pair in zip(factors, kernel, pads, strict=True)
    )
    split = array.reshape(-1, *factors, *array.shape[1:])
    order = [rank + 1, 0, *(axis for k in range(rank) for axis in (rank + 2 + k, 1 + k))]
    turned = np.flip(split, tuple(range(rank + 2, 2 * rank + 2))).transpose(order)
    sizes = [r * n for r, n in zip(factors, array.shape[2:], strict=True)]
    return np.ascontiguousarray(turned.reshape(*turned.shape[:2], *sizes)), pairs


def _fits(op: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Refuse weights that have at least this shape where that is more than the machine holds."""
    if not memory.fits(math.prod(shape) * max(8, dtype.itemsize)):  # places are counted in 8 bytes on the way
        raise check.not_enough_memory(op, shape, dtype)


def _rank(op: str, weight: Array | None) -> int:
    if weight is None:
        raise TypeError(f"{op}: weight must be an array, got None")
    rank = weight.ndim - 2
    if not 1 <= rank <= 3 or 0 in weight.shape:
        check.invalid(f"{op}: weight must have 3 to 5 axes, none of extent 0, got shape {weight.shape}")
    return rank
