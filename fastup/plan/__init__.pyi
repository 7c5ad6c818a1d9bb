"""Made by tests/make_stubs.py out of the declarations in fastup/operators; not to be edited."""

# ruff: noqa
# fmt: off
from fastup.operators.argument_types import Activation
from fastup.operators.argument_types import Box
from fastup.operators.argument_types import DType
from fastup.operators.argument_types import DataFormat
from fastup.operators.argument_types import Floats
from fastup.operators.argument_types import Ints
from fastup.operators.argument_types import Like
from fastup.operators.argument_types import Modes
from fastup.operators.argument_types import Order
from fastup.operators.argument_types import Padding
from fastup.operators.argument_types import Pads
from fastup.operators.argument_types import Rounding
from fastup.operators.argument_types import Shape
from fastup.operators.argument_types import Window
from fastup.plan.base import Plan as Plan
from fastup.plan.convolution import ConvPlan as ConvPlan
from fastup.plan.interpolation import InterpolatePlan as InterpolatePlan
from fastup.plan.pooling import MaxPoolPlan as MaxPoolPlan
from fastup.plan.pooling import MaxUnpoolPlan as MaxUnpoolPlan
from fastup.plan.resizing import ResizePlan as ResizePlan
from fastup.plan.sampling.filters import MODES as MODES
from fastup.plan.segmentation import SegmentationPlan as SegmentationPlan
from fastup.plan.shuffle import PixelShufflePlan as PixelShufflePlan
from fastup.plan.stuffing import ZeroStuffPlan as ZeroStuffPlan

__all__ = [
    "Plan",
    "ConvPlan",
    "InterpolatePlan",
    "MaxPoolPlan",
    "MaxUnpoolPlan",
    "ResizePlan",
    "MODES",
    "SegmentationPlan",
    "PixelShufflePlan",
    "ZeroStuffPlan",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "subpixel_conv1d",
    "subpixel_conv2d",
    "subpixel_conv3d",
    "resize",
    "interpolate",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "max_unpool1d",
    "max_unpool2d",
    "max_unpool3d",
    "upsample_argmax",
    "upsample_softmax_max",
    "upsample_threshold",
    "pixel_shuffle",
    "pixel_unshuffle",
    "zero_stuff",
]

def conv1d(
    shape: Shape, dtype: DType, weight_shape: Shape, stride: Ints = 1, padding: Padding = 0, dilation: Ints = 1, groups:
    int = 1, *, activation: Activation | None = None, window: Window | None = None, data_format: DataFormat =
    "channels_first"
) -> ConvPlan: ...
def conv2d(
    shape: Shape, dtype: DType, weight_shape: Shape, stride: Ints = 1, padding: Padding = 0, dilation: Ints = 1, groups:
    int = 1, *, activation: Activation | None = None, window: Window | None = None, data_format: DataFormat =
    "channels_first"
) -> ConvPlan: ...
def conv3d(
    shape: Shape, dtype: DType, weight_shape: Shape, stride: Ints = 1, padding: Padding = 0, dilation: Ints = 1, groups:
    int = 1, *, activation: Activation | None = None, window: Window | None = None, data_format: DataFormat =
    "channels_first"
) -> ConvPlan: ...
def conv_transpose1d(
    shape: Shape, dtype: DType, weight_shape: Shape, stride: Ints = 1, padding: Pads = 0, output_padding: Ints = 0,
    groups: int = 1, dilation: Ints = 1, *, output_size: Ints | None = None, activation: Activation | None = None,
    window: Window | None = None, data_format: DataFormat = "channels_first"
) -> ConvPlan: ...
def conv_transpose2d(
    shape: Shape, dtype: DType, weight_shape: Shape, stride: Ints = 1, padding: Pads = 0, output_padding: Ints = 0,
    groups: int = 1, dilation: Ints = 1, *, output_size: Ints | None = None, activation: Activation | None = None,
    window: Window | None = None, data_format: DataFormat = "channels_first"
) -> ConvPlan: ...
def conv_transpose3d(
    shape: Shape, dtype: DType, weight_shape: Shape, stride: Ints = 1, padding: Pads = 0, output_padding: Ints = 0,
    groups: int = 1, dilation: Ints = 1, *, output_size: Ints | None = None, activation: Activation | None = None,
    window: Window | None = None, data_format: DataFormat = "channels_first"
) -> ConvPlan: ...
def subpixel_conv1d(
    shape: Shape, dtype: DType, weight_shape: Shape, *, upscale_factor: Ints, padding: Padding = 0, activation:
    Activation | None = None, window: Window | None = None, data_format: DataFormat = "channels_first"
) -> ConvPlan: ...
def subpixel_conv2d(
    shape: Shape, dtype: DType, weight_shape: Shape, *, upscale_factor: Ints, padding: Padding = 0, activation:
    Activation | None = None, window: Window | None = None, data_format: DataFormat = "channels_first"
) -> ConvPlan: ...
def subpixel_conv3d(
    shape: Shape, dtype: DType, weight_shape: Shape, *, upscale_factor: Ints, padding: Padding = 0, activation:
    Activation | None = None, window: Window | None = None, data_format: DataFormat = "channels_first"
) -> ConvPlan: ...
def resize(
    shape: Shape, dtype: DType, size: Ints | None = None, *, scale_factor: Floats | None = None, like: Like =
    "torch/bilinear", axes: Ints | None = None, box: Box | None = None, reducing_gap: float | None = None, alpha: bool |
    None = None, window: Window | None = None
) -> ResizePlan: ...
def interpolate(
    shape: Shape, dtype: DType, size: Ints | None = None, scale_factor: Floats | None = None, mode: Modes = "nearest",
    align_corners: bool | None = None, recompute_scale_factor: bool | None = None, antialias: bool = False, *, rounding:
    Rounding = "floor", window: Window | None = None, data_format: DataFormat = "channels_first"
) -> InterpolatePlan: ...
def max_pool1d(
    shape: Shape, dtype: DType, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, dilation: Ints = 1,
    ceil_mode: bool = False, return_indices: bool = False, *, data_format: DataFormat = "channels_first"
) -> MaxPoolPlan: ...
def max_pool2d(
    shape: Shape, dtype: DType, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, dilation: Ints = 1,
    ceil_mode: bool = False, return_indices: bool = False, *, data_format: DataFormat = "channels_first"
) -> MaxPoolPlan: ...
def max_pool3d(
    shape: Shape, dtype: DType, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, dilation: Ints = 1,
    ceil_mode: bool = False, return_indices: bool = False, *, data_format: DataFormat = "channels_first"
) -> MaxPoolPlan: ...
def max_unpool1d(
    shape: Shape, dtype: DType, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, output_size: Ints |
    None = None, *, data_format: DataFormat = "channels_first"
) -> MaxUnpoolPlan: ...
def max_unpool2d(
    shape: Shape, dtype: DType, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, output_size: Ints |
    None = None, *, data_format: DataFormat = "channels_first"
) -> MaxUnpoolPlan: ...
def max_unpool3d(
    shape: Shape, dtype: DType, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, output_size: Ints |
    None = None, *, data_format: DataFormat = "channels_first"
) -> MaxUnpoolPlan: ...
def upsample_argmax(
    shape: Shape, dtype: DType, size: Ints | None = None, scale_factor: Floats | None = None, mode: Modes = "n-linear",
    align_corners: bool | None = None, antialias: bool = False, *, boxes_shape: Shape | None = None, labels: DType =
    "int32", window: Window | None = None, data_format: DataFormat = "channels_first"
) -> SegmentationPlan: ...
def upsample_softmax_max(
    shape: Shape, dtype: DType, size: Ints | None = None, scale_factor: Floats | None = None, mode: Modes = "n-linear",
    align_corners: bool | None = None, antialias: bool = False, *, boxes_shape: Shape | None = None, labels: DType =
    "int32", window: Window | None = None, data_format: DataFormat = "channels_first"
) -> SegmentationPlan: ...
def upsample_threshold(
    shape: Shape, dtype: DType, size: Ints | None = None, threshold: float = 0.0, scale_factor: Floats | None = None,
    mode: Modes = "n-linear", align_corners: bool | None = None, antialias: bool = False, *, boxes_shape: Shape | None =
    None, window: Window | None = None, data_format: DataFormat = "channels_first"
) -> SegmentationPlan: ...
def pixel_shuffle(
    shape: Shape, dtype: DType, upscale_factor: Ints, *, order: Order = "CRD", window: Window | None = None,
    data_format: DataFormat = "channels_first"
) -> PixelShufflePlan: ...
def pixel_unshuffle(
    shape: Shape, dtype: DType, downscale_factor: Ints, *, order: Order = "CRD", window: Window | None = None,
    data_format: DataFormat = "channels_first"
) -> PixelShufflePlan: ...
def zero_stuff(
    shape: Shape, dtype: DType, stride: Ints, padding: Ints = 0, *, data_format: DataFormat = "channels_first"
) -> ZeroStuffPlan: ...
