"""Zero stuffing."""

from __future__ import annotations

from fastup.arrays import apply
from fastup.cpu.copy import stuffing
from fastup.operators.argument_types import ArrayT, DataFormat, Ints
from fastup.operators.operator import operator
from fastup.plan.registry import Row
from fastup.plan.stuffing import ZeroStuffPlan, make_zero_stuff

ZERO_STUFF = Row(
    ZeroStuffPlan,
    launch=stuffing.launch,
    instances=stuffing.instances,
    families=stuffing.FAMILIES,
    cuda="stuffing.run",
    onnx="stuffing.append",
)
_EXAMPLE = """
    >>> import fastup
    >>> fastup.plan.zero_stuff((1, 3, 4, 4), "float32", 2, 1).output_shape
    (1, 3, 9, 9)
"""


@operator(ZERO_STUFF, _EXAMPLE)
def zero_stuff(
    x: ArrayT,
    stride: Ints,
    padding: Ints = 0,
    *,
    data_format: DataFormat = "channels_first",
    out: ArrayT | None = None,
) -> ArrayT:
    """Spread an array out among zeros: what a transposed convolution slides its kernel over.

    ``y[padding + stride * i] = x[i]`` along each spatial axis, and zero elsewhere; the size is
    ``(n - 1) * stride + 1 + 2 * padding``. A transposed convolution with kernel k and padding p is the stride-1
    convolution of ``zero_stuff(x, stride, k - 1 - p)`` with the kernel turned round and its channel axes exchanged (the
    "fractional stride" view). fastup computes it otherwise, without the zeros; this shows that both are the same.

    Parameters
    ----------
    x : array
        (N, C, *space) with 1 to 3 spatial axes, of any dtype with items of 1, 2, 4, 8 or 16 bytes; any strides.
    stride : int or tuple of int
        Distance of the items in the result, for all spatial axes or for each.
    padding : int or tuple of int
        Zeros on both sides, for all spatial axes or for each.
    data_format : {"channels_first", "channels_last"}
        Where the channel axis stands: second, or last.
    out : array, optional
        C-contiguous array of the result's shape and dtype that takes the result.

    Returns
    -------
    array
        Of the kind and dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is no array or holds Python objects, or an argument is of the wrong kind.
    ValueError
        If an argument has a wrong value, or `out` does not fit.

    Notes
    -----
    V. Dumoulin and F. Visin, A guide to convolution arithmetic for deep learning, arXiv:1603.07285, section 4.

    Examples
    --------
    >>> import fastup, numpy as np
    >>> fastup.zero_stuff(np.array([[[1, 2, 3]]]), 2, 1)
    array([[[0, 1, 0, 2, 0, 3, 0]]])
    """
    result: ArrayT = apply(make_zero_stuff, x, (stride, padding, data_format), out)
    return result
