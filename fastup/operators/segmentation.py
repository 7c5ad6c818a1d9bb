"""Upsampling of logits to labels, confidences or a mask, row by row."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from fastup.arrays import apply
from fastup.cpu.resample import segmentation
from fastup.operators.argument_types import ArrayT, Boxes, DataFormat, DType, Floats, Ints, Modes, Window
from fastup.operators.operator import operator
from fastup.plan import check
from fastup.plan.registry import Row
from fastup.plan.segmentation import SegmentationPlan, make_segmentation

SEGMENTATION = Row(
    SegmentationPlan,
    launch=segmentation.launch,
    instances=segmentation.instances,
    families=segmentation.FAMILIES,
    cuda="segmentation.run",
    onnx="segmentation.append",
    table=segmentation.table,
)
_ARGMAX = """
    >>> import fastup
    >>> fastup.plan.upsample_argmax((1, 21, 65, 65), "float32", 513).output_shape
    (1, 513, 513)
"""
_SOFTMAX_MAX = """
    >>> import fastup
    >>> fastup.plan.upsample_softmax_max((1, 21, 65, 65), "float32", 513).outputs
    (((1, 513, 513), dtype('int32')), ((1, 513, 513), dtype('float32')))
"""
_THRESHOLD = """
    >>> import fastup
    >>> fastup.plan.upsample_threshold((8, 1, 28, 28), "float32", (120, 80), 0.5).output_shape
    (8, 1, 120, 80)
"""


@operator(SEGMENTATION, _ARGMAX)
def upsample_argmax(
    logits: ArrayT,
    size: Ints | None = None,
    scale_factor: Floats | None = None,
    mode: Modes = "n-linear",
    align_corners: bool | None = None,
    antialias: bool = False,
    *,
    boxes: Boxes | None = None,
    dtype: DType = "int32",
    window: Window | None = None,
    data_format: DataFormat = "channels_first",
    threads: int | None = None,
    out: ArrayT | None = None,
) -> ArrayT:
    """Label every pixel with the largest of its upsampled logits: (N, C, *space) becomes (N, *size).

    ``y[n, i] = argmax_c interpolate(logits)[n, c, i]``, the first of equal classes. The upsampled logits are never
    held, only a few rows of one class at a time.

    Parameters
    ----------
    logits : array
        (N, C, L), (N, C, H, W) or (N, C, D, H, W); float16, bfloat16, float32, float64 or integers of at most 32 bits.
    size, scale_factor, mode, align_corners, antialias
        As in `fastup.interpolate`, but for the mode "area". The default is linear along every axis: "bilinear" for
        pictures, "trilinear" for volumes.
    boxes : array, optional
        One box (x1, y1, x2, y2) per picture, in volumes (x1, y1, z1, x2, y2, z2), in pixels of the result: labels of
        pixels outside ``x1 <= x < x2, y1 <= y < y2`` are 0, and are not computed.
    dtype : dtype
        Of the labels; torch's argmax gives int64.
    window : tuple of slice, optional
        Compute only these positions of the result, one slice per spatial axis: equal to slicing the whole.
    data_format : {"channels_first", "channels_last"}
        Where the class axis stands: second, or last.
    threads : int, optional
        Threads that this call may use; default `get_num_threads`.
    out : array, optional
        C-contiguous array of the result's shape and dtype that takes the result.

    Returns
    -------
    array
        Of the kind of `logits`.

    Raises
    ------
    TypeError
        If `logits` is no array of such numbers, or an argument is of the wrong kind.
    ValueError
        If an argument has a wrong value, the dtype cannot hold the labels, or `out` does not fit.

    Notes
    -----
    Semantics: torch.argmax(torch.nn.functional.interpolate(logits, ...), 1) (2.13); NaN counts as the largest number.

    Examples
    --------
    >>> import fastup, numpy as np
    >>> logits = np.array([[[[0.0, 4.0]], [[1.0, 1.0]]]])
    >>> fastup.upsample_argmax(logits, (1, 6))
    array([[[1, 1, 0, 0, 0, 0]]], dtype=int32)
    """
    arguments = (size, scale_factor, mode, align_corners, antialias, 0.0, dtype, window, data_format)
    result: ArrayT = _of_logits("upsample_argmax", logits, boxes, arguments, out, threads)
    return result


@operator(SEGMENTATION, _SOFTMAX_MAX)
def upsample_softmax_max(
    logits: ArrayT,
    size: Ints | None = None,
    scale_factor: Floats | None = None,
    mode: Modes = "n-linear",
    align_corners: bool | None = None,
    antialias: bool = False,
    *,
    boxes: Boxes | None = None,
    dtype: DType = "int32",
    window: Window | None = None,
    data_format: DataFormat = "channels_first",
    threads: int | None = None,
    out: tuple[ArrayT, ArrayT] | None = None,
) -> tuple[ArrayT, ArrayT]:
    """Label every pixel as `upsample_argmax` does, and tell how sure the label is: the softmax of its class.

    ``y[n, i] = argmax_c u[n, c, i]`` and ``p[n, i] = exp(max_c u) / sum_c exp(u)`` of the upsampled logits u, which are
    never held.

    Parameters
    ----------
    logits : array
        (N, C, L), (N, C, H, W) or (N, C, D, H, W); float16, bfloat16, float32 or float64.
    size, scale_factor, mode, align_corners, antialias, boxes, dtype, window, data_format, threads
        As in `upsample_argmax`; outside the boxes confidences are 0 too.
    out : tuple of two arrays, optional
        C-contiguous arrays that take labels and confidences.

    Returns
    -------
    (array, array)
        Labels, and confidences in the dtype of `logits`.

    Raises
    ------
    TypeError
        If `logits` is no array of floats, or an argument is of the wrong kind.
    ValueError
        If an argument has a wrong value, the dtype cannot hold the labels, or `out` does not fit.

    Notes
    -----
    Semantics: torch.softmax(torch.nn.functional.interpolate(logits, ...), 1).max(1) (2.13). Labels are those of
    `upsample_argmax`, whatever the rounding of the softmax.

    Examples
    --------
    >>> import fastup, numpy as np
    >>> labels, confidences = fastup.upsample_softmax_max(np.zeros((1, 4, 2, 2)), 3)
    >>> labels[0, 0].tolist(), confidences[0, 0].tolist()
    ([0, 0, 0], [0.25, 0.25, 0.25])
    """
    arguments = (size, scale_factor, mode, align_corners, antialias, 0.0, dtype, window, data_format)
    results: tuple[ArrayT, ArrayT] = _of_logits("upsample_softmax_max", logits, boxes, arguments, out, threads)
    return results


@operator(SEGMENTATION, _THRESHOLD)
def upsample_threshold(
    logits: ArrayT,
    size: Ints | None = None,
    threshold: float = 0.0,
    scale_factor: Floats | None = None,
    mode: Modes = "n-linear",
    align_corners: bool | None = None,
    antialias: bool = False,
    *,
    boxes: Boxes | None = None,
    window: Window | None = None,
    data_format: DataFormat = "channels_first",
    threads: int | None = None,
    out: ArrayT | None = None,
) -> ArrayT:
    """Tell of every pixel of every plane whether the upsampled logit exceeds a threshold: a mask, in one pass.

    ``y = interpolate(logits) > threshold``. The upsampled logits are never held.

    Parameters
    ----------
    logits : array
        (N, C, L), (N, C, H, W) or (N, C, D, H, W); float16, bfloat16, float32, float64 or integers of at most 32 bits.
    threshold : float
        Rounded to the dtype of floating-point logits first, as torch does.
    size, scale_factor, mode, align_corners, antialias, window, data_format, threads
        As in `upsample_argmax`.
    boxes : array, optional
        As in `upsample_argmax`; also one box per class, of shape (N, C, 4), in volumes (N, C, 6).
    out : array of bool, optional
        C-contiguous array of the result's shape that takes the result.

    Returns
    -------
    array of bool
        Of the kind of `logits`, with all its planes.

    Raises
    ------
    TypeError
        If `logits` is no array of such numbers, or an argument is of the wrong kind.
    ValueError
        If an argument has a wrong value, or `out` does not fit.

    Notes
    -----
    Semantics: torch.nn.functional.interpolate(logits, ...) > threshold (2.13). NaN exceeds nothing.

    Examples
    --------
    >>> import fastup, numpy as np
    >>> masks = np.array([[[[0.0, 1.0]]]])
    >>> fastup.upsample_threshold(masks, (1, 6), 0.5, boxes=[[0, 0, 5, 1]])
    array([[[[False, False, False,  True,  True, False]]]])
    """
    arguments = (size, scale_factor, mode, align_corners, antialias, threshold, "bool", window, data_format)
    result: ArrayT = _of_logits("upsample_threshold", logits, boxes, arguments, out, threads)
    return result


def _of_logits(op: str, logits: Any, boxes: Any, arguments: tuple[Any, ...], out: Any, threads: int | None) -> Any:
    """Apply, with the name that the first argument has here."""
    make_plan: Callable[..., SegmentationPlan] = functools.partial(make_segmentation, op)
    try:
        return apply(make_plan, logits, arguments, out, threads, {"boxes": _array(op, boxes)})
    except TypeError as error:
        raise check.renamed(error, "fastup: x", "fastup: logits") from None


def _array(op: str, boxes: Any) -> Any:
    """Boxes as an array; lists of numbers are common."""
    if boxes.__class__ not in (list, tuple):
        return boxes
    try:
        return np.asarray(boxes)
    except ValueError:
        check.invalid(f"{op}: boxes must have as many numbers each, got {check.shown(boxes)}")
