"""The public functions that plan convolutions, one per operator and rank."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastup.plan import check
from fastup.plan.convolution import ConvPlan, make_conv, make_conv_transpose, make_subpixel_conv
from fastup.plan.documented import documented
from fastup.plan.operands import Operand


def _given(op: str, shape: Any, dtype: Any, weight_shape: Any) -> tuple[tuple[int, ...], np.dtype[Any], Operand, None]:
    kind = check.dtype(op, dtype)
    return check.shape(op, shape), kind, Operand(check.shape(op, weight_shape, "weight_shape"), kind), None


def _activation(dtype: Any, activation: Any) -> tuple[Operand | None, Any]:
    """Slopes that a PReLU will bring, and the name of the activation."""
    return (Operand((1,), dtype) if isinstance(activation, str) and activation == "prelu" else None, activation)


def _conv(rank: int) -> Callable[..., ConvPlan]:
    op = f"conv{rank}d"

    @documented(op, rank)
    def conv(
        shape: Any, dtype: Any, weight_shape: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
        groups: int = 1, *, activation: Any = None, window: Any = None, data_format: str = "channels_first",
    ) -> ConvPlan:  # fmt: skip
        """Plan of `fastup.<name>` for an array of this shape and dtype and a weight of this shape.

        Examples
        --------
        >>> import fastup
        >>> plan = fastup.plan.<name>((1, 3, *(10,) * <rank>), "float32", (8, 3, *(3,) * <rank>), stride=2)
        >>> plan.output_shape == (1, 8, *(4,) * <rank>)
        True
        """
        given = _given(op, shape, dtype, weight_shape)
        slopes, known = _activation(given[1], activation)
        return make_conv(op, *given, slopes, stride, padding, dilation, groups, known, data_format, window)

    return conv


def _conv_transpose(rank: int) -> Callable[..., ConvPlan]:
    op = f"conv_transpose{rank}d"

    @documented(op, rank)
    def conv_transpose(
        shape: Any, dtype: Any, weight_shape: Any, stride: Any = 1, padding: Any = 0, output_padding: Any = 0,
        groups: int = 1, dilation: Any = 1, *, output_size: Any = None, activation: Any = None,
        window: Any = None, data_format: str = "channels_first",
    ) -> ConvPlan:  # fmt: skip
        """Plan of `fastup.<name>` for an array of this shape and dtype and a weight of this shape.

        Examples
        --------
        >>> import fastup
        >>> plan = fastup.plan.<name>((1, 3, *(10,) * <rank>), "float32", (3, 8, *(3,) * <rank>), stride=2)
        >>> plan.output_shape == (1, 8, *(21,) * <rank>)
        True
        """
        given = _given(op, shape, dtype, weight_shape)
        slopes, known = _activation(given[1], activation)
        sizes = (stride, padding, output_padding, groups, dilation, output_size)
        return make_conv_transpose(op, *given, slopes, *sizes, known, data_format, window)

    return conv_transpose


def _subpixel_conv(rank: int) -> Callable[..., ConvPlan]:
    op = f"subpixel_conv{rank}d"

    @documented(op, rank)
    def subpixel_conv(
        shape: Any, dtype: Any, weight_shape: Any, *, upscale_factor: Any, padding: Any = 0, activation: Any = None,
        window: Any = None, data_format: str = "channels_first",
    ) -> ConvPlan:  # fmt: skip
        """Plan of `fastup.<name>` for an array of this shape and dtype and a weight of this shape.

        Examples
        --------
        >>> import fastup
        >>> weight_shape = (8 * 2**<rank>, 3, *(3,) * <rank>)
        >>> plan = fastup.plan.<name>((1, 3, *(10,) * <rank>), "float32", weight_shape, upscale_factor=2)
        >>> plan.output_shape == (1, 8, *(16,) * <rank>)
        True
        """
        given = _given(op, shape, dtype, weight_shape)
        slopes, known = _activation(given[1], activation)
        return make_subpixel_conv(op, *given, slopes, upscale_factor, padding, known, data_format, window)

    return subpixel_conv


conv1d, conv2d, conv3d = map(_conv, (1, 2, 3))
conv_transpose1d, conv_transpose2d, conv_transpose3d = map(_conv_transpose, (1, 2, 3))
subpixel_conv1d, subpixel_conv2d, subpixel_conv3d = map(_subpixel_conv, (1, 2, 3))
