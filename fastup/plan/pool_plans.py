"""The public functions that plan max pooling and unpooling, one per operator and rank."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastup.plan import check
from fastup.plan._max_pool import MaxPoolPlan, MaxUnpoolPlan, make_max_pool, make_max_unpool
from fastup.plan.operands import Operand


def _named(function: Callable[..., Any], name: str, rank: int, sizes: tuple[int, int]) -> Any:
    before, after = ((1, 3, *(n,) * rank) for n in sizes)
    function.__name__ = function.__qualname__ = name
    function.__doc__ = (
        f"Plan of `fastup.{name}` for an array of this shape and dtype.\n\n    Examples\n    --------\n"
        f"    >>> import fastup\n    >>> fastup.plan.{name}({before}, 'float32', 2).output_shape\n    {after}\n    "
    )
    return function


def _max_pool(rank: int) -> Callable[..., MaxPoolPlan]:
    op = f"max_pool{rank}d"

    def max_pool(
        shape: Any, dtype: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
        ceil_mode: bool = False, return_indices: bool = False, *, data_format: str = "channels_first",
    ) -> MaxPoolPlan:  # fmt: skip
        arguments = (kernel_size, stride, padding, dilation, ceil_mode, return_indices, data_format)
        return make_max_pool(op, check.shape(op, shape), check.dtype(op, dtype), *arguments)

    return _named(max_pool, op, rank, (8, 4))  # type: ignore[no-any-return]


def _max_unpool(rank: int) -> Callable[..., MaxUnpoolPlan]:
    op = f"max_unpool{rank}d"

    def max_unpool(
        shape: Any, dtype: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None,
        *, data_format: str = "channels_first",
    ) -> MaxUnpoolPlan:  # fmt: skip
        known = check.shape(op, shape)
        indices = Operand(known, np.dtype(np.int64))
        arguments = (indices, kernel_size, stride, padding, output_size, data_format)
        return make_max_unpool(op, known, check.dtype(op, dtype), *arguments)

    return _named(max_unpool, op, rank, (4, 8))  # type: ignore[no-any-return]


max_pool1d, max_pool2d, max_pool3d = map(_max_pool, (1, 2, 3))
max_unpool1d, max_unpool2d, max_unpool3d = map(_max_unpool, (1, 2, 3))
