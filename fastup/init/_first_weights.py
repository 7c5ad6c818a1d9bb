"""First values for the weights of learned upsampling, and a measure of their unevenness. Everything is NumPy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, SupportsIndex

import numpy as np
import numpy.typing as npt

from fastup.plan import check

Array = np.ndarray[Any, Any]
Ints = SupportsIndex | Sequence[SupportsIndex]  # for all spatial axes, or for each


def icnr(weight: npt.ArrayLike, factor: Ints) -> Array:
    """Make all phases of a sub-pixel convolution equal, so that it begins as nearest-neighbour upsampling.

    ``y[c*P + p] = weight[c*P]`` with ``P`` the product of the factors, for every phase ``p``.

    Parameters
    ----------
    weight : array_like
        (C*P, C_in, *kernel), of a floating dtype: what any other initialisation gave.
    factor : int or tuple of int
        The upscale factor, one number or one per spatial axis.

    Returns
    -------
    ndarray
        A new array of the shape and dtype of `weight`.

    Raises
    ------
    TypeError
        If `weight` is not floating, or a factor is no integer.
    ValueError
        If `weight` has less than three axes, or its first is not divisible by the product of the factors.

    Notes
    -----
    A. Aitken et al., Checkerboard artifact free sub-pixel convolution, arXiv:1707.02937. The layer is nearest-neighbour
    upsampling of one stride-1 convolution.

    Examples
    --------
    >>> import fastup
    >>> fastup.init.icnr(np.arange(8.0).reshape(8, 1, 1, 1), 2).ravel()
    array([0., 0., 0., 0., 4., 4., 4., 4.])
    """
    values = _weight("icnr", weight)
    phases = math.prod(check.per_axis("icnr", "factor", factor, values.ndim - 2))
    if values.shape[0] % phases:
        check.invalid(f"icnr: weight must have output channels divisible by {phases}, got {values.shape[0]}")
    return np.repeat(values[::phases], phases, axis=0)


def bilinear(weight: npt.ArrayLike, stride: Ints) -> Array:
    """Fill a transposed convolution so that it begins as linear upsampling, each channel by itself.

    ``y[c, c % (C/groups), k] = max(0, 1 - |k - (K - 1)/2| / stride)``, multiplied over the axes; zero elsewhere. With
    ``padding=(K - stride)/2`` it is ``interpolate(mode="bilinear")``, or ``"linear"`` or ``"trilinear"``, away from the
    border.

    Parameters
    ----------
    weight : array_like
        (C, C/groups, *kernel), of a floating dtype: only its shape and dtype count.
    stride : int or tuple of int
        One number, or one per spatial axis.

    Returns
    -------
    ndarray
        A new array of the shape and dtype of `weight`.

    Raises
    ------
    TypeError
        If `weight` is not floating, or a stride is no integer.
    ValueError
        If `weight` has less than three axes or unequal numbers of channels, or a kernel is smaller than
        ``2*stride - stride % 2`` or differs from the stride by an odd number, which would shift the picture.

    Notes
    -----
    E. Shelhamer et al., Fully convolutional networks for semantic segmentation, arXiv:1605.06211.

    Examples
    --------
    >>> import fastup
    >>> fastup.init.bilinear(np.empty((1, 1, 4)), 2)
    array([[[0.25, 0.75, 0.75, 0.25]]])
    """
    values = _weight("bilinear", weight)
    strides = check.per_axis("bilinear", "stride", stride, values.ndim - 2)
    channels, per_group, *kernel = values.shape
    if per_group == 0 or channels % per_group:
        check.invalid(f"bilinear: weight must have as many output as input channels, got the shape {values.shape}")
    filled = np.ones(kernel, np.float64)
    for axis, (taps, step) in enumerate(zip(kernel, strides, strict=True)):
        least = 2 * step - step % 2
        if taps < least or (taps - step) % 2:
            rule = f"kernels of {least} or a multiple of 2 more for a stride of {step}"
            check.invalid(f"bilinear: weight must have {rule}, got {taps}")
        triangle = np.maximum(0, 1 - np.abs(np.arange(taps) - (taps - 1) / 2) / step)
        filled *= triangle.reshape([-1 if k == axis else 1 for k in range(len(kernel))])
    result = np.zeros_like(values)
    each = np.arange(channels)
    result[each, each % per_group] = filled
    return result


def checkerboard_score(weight: npt.ArrayLike, stride: Ints) -> float:
    """How unevenly a transposed convolution covers its output: 0 is even, 1 leaves outputs without any tap.

    ``(max - min) / (max + min)`` of the sum of ``|weight|`` over the taps that reach each output phase.

    Parameters
    ----------
    weight : array_like
        (C_in, C_out/groups, *kernel), of a floating dtype.
    stride : int or tuple of int
        One number, or one per spatial axis.

    Returns
    -------
    float
        From 0 to 1; 0 for weights that are all zero.

    Raises
    ------
    TypeError
        If `weight` is not floating, or a stride is no integer.
    ValueError
        If `weight` has less than three axes.

    Notes
    -----
    A. Odena et al., Deconvolution and checkerboard artifacts, Distill 2016, has the cause: a kernel that its stride
    does not divide.

    Examples
    --------
    >>> import fastup
    >>> round(fastup.init.checkerboard_score(np.ones((1, 1, 3)), 2), 6)
    0.333333
    """
    values = _weight("checkerboard_score", weight)
    strides = check.per_axis("checkerboard_score", "stride", stride, values.ndim - 2)
    covered = np.abs(values.astype(np.float64)).sum(axis=(0, 1))
    for axis, step in enumerate(strides):
        taps = covered.shape[axis]
        phases = [covered.take(range(phase, taps, step), axis).sum(axis) for phase in range(min(step, taps))]
        if step > taps:  # all others have none
            phases.append(np.zeros_like(phases[0]))
        covered = np.stack(phases, axis)
    total = covered.max() + covered.min()
    return float((covered.max() - covered.min()) / total) if total else 0.0


def _weight(op: str, weight: Any) -> Array:
    values = check.as_array(op, "weight", weight)
    if values.dtype.kind != "f" and values.dtype.name != "bfloat16":
        raise TypeError(f"{op}: weight must be of a floating dtype, got {values.dtype}")
    if values.ndim < 3:
        check.invalid(f"{op}: weight must have two channel axes and at least one spatial axis, got {values.ndim} axes")
    return values
