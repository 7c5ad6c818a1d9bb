"""Max pooling with positions, and max unpooling, of one, two and three spatial axes."""

from __future__ import annotations

import functools
from typing import Any, Literal, Protocol, cast, overload

from fastup.arrays import apply
from fastup.cpu.pool import pooling
from fastup.operators.argument_types import ArrayT, DataFormat, Ints, SupportsArray
from fastup.operators.operator import of_ranks
from fastup.plan.pooling import MaxPoolPlan, MaxUnpoolPlan, make_max_pool, make_max_unpool
from fastup.plan.registry import Row

MAX_POOL = Row(
    MaxPoolPlan,
    launch=pooling.launch_pool,
    instances=pooling.pool_instances,
    families=pooling.POOLS,
    cuda="pooling.run_pool",
    onnx="pooling.append_pool",
    table=pooling.pool_table,
)
MAX_UNPOOL = Row(
    MaxUnpoolPlan,
    launch=pooling.launch_unpool,
    instances=pooling.unpool_instances,
    families=pooling.UNPOOLS,
    cuda="pooling.run_unpool",
    onnx="pooling.append_unpool",
    table=pooling.unpool_table,
)
_POOL = """
    >>> import fastup
    >>> fastup.plan.<name>((1, 3, *(8,) * <rank>), "float32", 2).output_shape == (1, 3, *(4,) * <rank>)
    True
"""
_UNPOOL = """
    >>> import fastup
    >>> fastup.plan.<name>((1, 3, *(4,) * <rank>), "float32", 2).output_shape == (1, 3, *(8,) * <rank>)
    True
"""


class _MaxPool(Protocol):
    """What a type checker sees: `return_indices` decides how many results there are."""

    @overload
    def __call__(
        self, x: ArrayT, kernel_size: Ints, stride: Ints | None = ..., padding: Ints = ..., dilation: Ints = ...,
        ceil_mode: bool = ..., return_indices: Literal[False] = ..., *, data_format: DataFormat = ...,
        out: ArrayT | None = ...,
    ) -> ArrayT: ...  # fmt: skip

    @overload
    def __call__(
        self, x: ArrayT, kernel_size: Ints, stride: Ints | None = ..., padding: Ints = ..., dilation: Ints = ...,
        ceil_mode: bool = ..., *, return_indices: Literal[True], data_format: DataFormat = ...,
        out: tuple[ArrayT, ArrayT] | None = ...,
    ) -> tuple[ArrayT, ArrayT]: ...  # fmt: skip

    @overload
    def __call__(
        self, x: ArrayT, kernel_size: Ints, stride: Ints | None = ..., padding: Ints = ..., dilation: Ints = ...,
        ceil_mode: bool = ..., return_indices: bool = ..., *, data_format: DataFormat = ..., out: Any = ...,
    ) -> Any: ...  # fmt: skip


@of_ranks("max_pool", MAX_POOL, _POOL)
def _max_pool(
    op: str,
    x: ArrayT,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    dilation: Ints = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
    *,
    data_format: DataFormat = "channels_first",
    out: Any = None,
) -> Any:
    """Take the largest value of each window over <rank> spatial axes, and where it lies if wanted.

    Along each axis window o covers ``o * stride - padding + k * dilation`` for k below the kernel size; what lies
    in the padding does not count. The first of equal values stands; NaN wins over numbers, the last over others.

    Parameters
    ----------
    x : array
        (N, C, *space), or (C, *space) without a batch; float16, bfloat16 (ml_dtypes), float32, float64 or any
        integer dtype.
    kernel_size, stride, dilation : int or tuple of int
        For all spatial axes or for each; the stride defaults to the kernel size.
    padding : int or tuple of int
        On both sides, at most half of the kernel.
    ceil_mode : bool
        Also take a last window that reaches beyond the padding, if it begins within.
    return_indices : bool
        Also give the positions of the values: int64, counted within the plane of one channel, as `<unpool>` takes
        them.
    data_format : {"channels_first", "channels_last"}
        Where the channel axis of `x` and of the results stands.
    out : array, optional
        C-contiguous array of the result's shape and dtype that takes the result; with `return_indices` a pair.

    Returns
    -------
    array, or (array, array)
        Of the kind and dtype of `x`; the indices are int64.

    Raises
    ------
    TypeError
        If `x` is no array of numbers, or an argument is of the wrong kind.
    ValueError
        If an argument has a wrong value, or `out` does not fit.

    Notes
    -----
    Semantics: torch.nn.functional.<name> (2.13).

    Examples
    --------
    >>> import fastup, numpy as np
    >>> x = np.arange(4**<rank>).reshape(1, 1, *(4,) * <rank>)
    >>> values, indices = fastup.<name>(x, 2, return_indices=True)
    >>> values.ravel()[-2:].tolist() == [4**<rank> - 3, 4**<rank> - 1], (values == indices).all().item()
    (True, True)
    """
    arguments = (kernel_size, stride, padding, dilation, ceil_mode, return_indices, data_format)
    return apply(functools.partial(make_max_pool, op), x, arguments, out)


@of_ranks("max_unpool", MAX_UNPOOL, _UNPOOL)
def _max_unpool(
    op: str,
    x: ArrayT,
    indices: SupportsArray,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    output_size: Ints | None = None,
    *,
    data_format: DataFormat = "channels_first",
    out: ArrayT | None = None,
) -> ArrayT:
    """Put values back where pooling over <rank> spatial axes found them, among zeros.

    ``y[c, indices[c, i]] = x[c, i]``, positions being counted within the plane of one channel; the last of several
    values for one position stands. The size is ``(n - 1) * stride - 2 * padding + kernel_size``.

    Parameters
    ----------
    x : array
        (N, C, *space), or (C, *space) without a batch, of any dtype with items of 1, 2, 4, 8 or 16 bytes.
    indices : array of int64
        Of the shape of `x`, as `<pool>` gives them.
    kernel_size, stride, padding : int or tuple of int
        As in the pooling.
    output_size : int or tuple of int, optional
        The size that is wanted: less than a stride from the usual one; also a whole shape.
    data_format : {"channels_first", "channels_last"}
        Where the channel axis of `x` and of the result stands.
    out : array, optional
        C-contiguous array of the result's shape and dtype that takes the result.

    Returns
    -------
    array
        Of the kind and dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is no array, or `indices` are not int64.
    ValueError
        If shapes do not fit or an index is no position of the result: then nothing has been written.

    Notes
    -----
    Semantics: torch.nn.functional.<name> (2.13), on one thread where indices are repeated.

    Examples
    --------
    >>> import fastup, numpy as np
    >>> x, indices = np.array([[[5, 7]]]), np.array([[[1, 2]]])
    >>> fastup.max_unpool1d(x, indices, 2)
    array([[[0, 5, 7, 0]]])
    """
    arguments = (kernel_size, stride, padding, output_size, data_format)
    result: ArrayT = apply(functools.partial(make_max_unpool, op), x, arguments, out, None, {"indices": indices})
    return result


max_pool1d, max_pool2d, max_pool3d = cast("tuple[_MaxPool, _MaxPool, _MaxPool]", _max_pool)
max_unpool1d, max_unpool2d, max_unpool3d = _max_unpool
