"""Plans: what a call would do, as plain data.

``plan = fastup.plan.interpolate(shape, dtype, size=...)`` takes the arguments of the operator with a shape and a dtype
in place of the array. `fastup.run` executes it, the exporters print it, and `Plan.output_shape` answers without either.
"""

from __future__ import annotations

from typing import Any

from fastup.plan import check
from fastup.plan.base import Plan as Plan
from fastup.plan.conv_plans import conv1d as conv1d
from fastup.plan.conv_plans import conv2d as conv2d
from fastup.plan.conv_plans import conv3d as conv3d
from fastup.plan.conv_plans import conv_transpose1d as conv_transpose1d
from fastup.plan.conv_plans import conv_transpose2d as conv_transpose2d
from fastup.plan.conv_plans import conv_transpose3d as conv_transpose3d
from fastup.plan.conv_plans import subpixel_conv1d as subpixel_conv1d
from fastup.plan.conv_plans import subpixel_conv2d as subpixel_conv2d
from fastup.plan.conv_plans import subpixel_conv3d as subpixel_conv3d
from fastup.plan.convolution import ConvPlan as ConvPlan
from fastup.plan.interpolation import InterpolatePlan as InterpolatePlan
from fastup.plan.interpolation import make_interpolate
from fastup.plan.pool_plans import max_pool1d as max_pool1d
from fastup.plan.pool_plans import max_pool2d as max_pool2d
from fastup.plan.pool_plans import max_pool3d as max_pool3d
from fastup.plan.pool_plans import max_unpool1d as max_unpool1d
from fastup.plan.pool_plans import max_unpool2d as max_unpool2d
from fastup.plan.pool_plans import max_unpool3d as max_unpool3d
from fastup.plan.pooling import MaxPoolPlan as MaxPoolPlan
from fastup.plan.pooling import MaxUnpoolPlan as MaxUnpoolPlan
from fastup.plan.sampling.modes import MODES as MODES
from fastup.plan.segmentation import SegmentationPlan as SegmentationPlan
from fastup.plan.segmentation import upsample_argmax as upsample_argmax
from fastup.plan.segmentation import upsample_softmax_max as upsample_softmax_max
from fastup.plan.segmentation import upsample_threshold as upsample_threshold
from fastup.plan.shuffle import PixelShufflePlan as PixelShufflePlan
from fastup.plan.shuffle import make_pixel_shuffle, make_pixel_unshuffle
from fastup.plan.stuffing import ZeroStuffPlan as ZeroStuffPlan
from fastup.plan.stuffing import zero_stuff as zero_stuff

__all__ = [
    "ConvPlan",
    "InterpolatePlan",
    "MODES",
    "MaxPoolPlan",
    "MaxUnpoolPlan",
    "PixelShufflePlan",
    "Plan",
    "SegmentationPlan",
    "ZeroStuffPlan",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "interpolate",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "max_unpool1d",
    "max_unpool2d",
    "max_unpool3d",
    "pixel_shuffle",
    "pixel_unshuffle",
    "subpixel_conv1d",
    "subpixel_conv2d",
    "subpixel_conv3d",
    "upsample_argmax",
    "upsample_softmax_max",
    "upsample_threshold",
    "zero_stuff",
]


def pixel_shuffle(
    shape: Any,
    dtype: Any,
    upscale_factor: Any,
    *,
    order: str = "CRD",
    window: Any = None,
    data_format: str = "channels_first",
) -> PixelShufflePlan:
    """Plan of `fastup.pixel_shuffle` for an array of this shape and dtype.

    Examples
    --------
    >>> import fastup
    >>> fastup.plan.pixel_shuffle((1, 12, 5, 5), "uint8", 2).output_shape
    (1, 3, 10, 10)
    """
    op = "pixel_shuffle"
    return make_pixel_shuffle(
        check.shape(op, shape), check.dtype(op, dtype), upscale_factor, order, data_format, window
    )


def pixel_unshuffle(
    shape: Any,
    dtype: Any,
    downscale_factor: Any,
    *,
    order: str = "CRD",
    window: Any = None,
    data_format: str = "channels_first",
) -> PixelShufflePlan:
    """Plan of `fastup.pixel_unshuffle` for an array of this shape and dtype.

    Examples
    --------
    >>> import fastup
    >>> fastup.plan.pixel_unshuffle((1, 3, 10, 10), "uint8", 2).output_shape
    (1, 12, 5, 5)
    """
    op = "pixel_unshuffle"
    return make_pixel_unshuffle(
        check.shape(op, shape), check.dtype(op, dtype), downscale_factor, order, data_format, window
    )


def interpolate(
    shape: Any,
    dtype: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: Any = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
    *,
    rounding: str = "floor",
    window: Any = None,
    data_format: str = "channels_first",
) -> InterpolatePlan:
    """Plan of `fastup.interpolate` for an array of this shape and dtype.

    Examples
    --------
    >>> import fastup
    >>> plan = fastup.plan.interpolate((1, 3, 10, 10), "float32", scale_factor=2.5)
    >>> plan.output_shape, plan.sampling_scale
    ((1, 3, 25, 25), (0.4000000059604645, 0.4000000059604645))
    """
    return make_interpolate(
        check.shape("interpolate", shape),
        check.dtype("interpolate", dtype),
        size,
        scale_factor,
        mode,
        align_corners,
        recompute_scale_factor,
        antialias,
        rounding,
        window,
        data_format,
    )
