"""The public functions that plan max pooling and unpooling, one per operator and rank."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastup.plan import check
from fastup.plan.documented import documented
from fastup.plan.operands import Operand
from fastup.plan.pooling import MaxPoolPlan, MaxUnpoolPlan, make_max_pool, make_max_unpool


def _max_pool(rank: int) -> Callable[..., MaxPoolPlan]:
    op = f"max_pool{rank}d"

    @documented(op, rank)
    def max_pool(
        shape: Any, dtype: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
        ceil_mode: bool = False, return_indices: bool = False, *, data_format: str = "channels_first",
    ) -> MaxPoolPlan:  # fmt: skip
        """Plan of `fastup.<name>` for an array of this shape and dtype.

        Examples
        --------
        >>> import fastup
        >>> fastup.plan.<name>((1, 3, *(8,) * <rank>), "float32", 2).output_shape == (1, 3, *(4,) * <rank>)
        True
        """
        arguments = (kernel_size, stride, padding, dilation, ceil_mode, return_indices, data_format)
        return make_max_pool(op, check.shape(op, shape), check.dtype(op, dtype), *arguments)

    return max_pool


def _max_unpool(rank: int) -> Callable[..., MaxUnpoolPlan]:
    op = f"max_unpool{rank}d"

    @documented(op, rank)
    def max_unpool(
        shape: Any, dtype: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None,
        *, data_format: str = "channels_first",
    ) -> MaxUnpoolPlan:  # fmt: skip
        """Plan of `fastup.<name>` for an array of this shape and dtype.

        Examples
        --------
        >>> import fastup
        >>> fastup.plan.<name>((1, 3, *(4,) * <rank>), "float32", 2).output_shape == (1, 3, *(8,) * <rank>)
        True
        """
        known = check.shape(op, shape)
        indices = Operand(known, np.dtype(np.int64))
        arguments = (indices, kernel_size, stride, padding, output_size, data_format)
        return make_max_unpool(op, known, check.dtype(op, dtype), *arguments)

    return max_unpool


max_pool1d, max_pool2d, max_pool3d = map(_max_pool, (1, 2, 3))
max_unpool1d, max_unpool2d, max_unpool3d = map(_max_unpool, (1, 2, 3))
