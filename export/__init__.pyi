"""Made by tests/make_stubs.py out of the declarations in fastup/operators; not to be edited."""

# ruff: noqa
# fmt: off
import onnx

from fastup.export.graph import Graph as Graph
from fastup.export.graph import UnsupportedExport as UnsupportedExport
from fastup.export.layers import to_onnx as to_onnx
from fastup.export.prepending import prepend as prepend
from fastup.export.self_check import VerificationError as VerificationError
from fastup.export.verification import ModelError as ModelError
from fastup.export.verification import Report as Report
from fastup.export.verification import verify as verify
from fastup.export.verification.fixing import Fixed as Fixed
from fastup.export.verification.fixing import fix as fix
from fastup.export.verification.showing import Shown as Shown
from fastup.export.verification.showing import show as show
from fastup.operators.argument_types import Activation
from fastup.operators.argument_types import Box
from fastup.operators.argument_types import DType
from fastup.operators.argument_types import DataFormat
from fastup.operators.argument_types import Dims
from fastup.operators.argument_types import Floats
from fastup.operators.argument_types import Ints
from fastup.operators.argument_types import Like
from fastup.operators.argument_types import Lowering
from fastup.operators.argument_types import Modes
from fastup.operators.argument_types import Order
from fastup.operators.argument_types import Padding
from fastup.operators.argument_types import Pads
from fastup.operators.argument_types import Rounding
from fastup.operators.argument_types import SubPixel
from fastup.operators.argument_types import SupportsArray
from fastup.operators.argument_types import Window
from fastup.plan.base import Plan

__all__ = [
    "Graph",
    "UnsupportedExport",
    "to_onnx",
    "prepend",
    "VerificationError",
    "ModelError",
    "Report",
    "verify",
    "Fixed",
    "fix",
    "Shown",
    "show",
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
    shape: Dims | Plan, weight: SupportsArray | None = None, bias: SupportsArray | None = None, stride: Ints = 1,
    padding: Padding = 0, dilation: Ints = 1, groups: int = 1, *, activation: Activation | None = None, window: Window |
    None = None, data_format: DataFormat = "channels_first", opset: int = 18, lowering: Lowering = "auto", verify: bool
    = False
) -> onnx.ModelProto: ...
def conv2d(
    shape: Dims | Plan, weight: SupportsArray | None = None, bias: SupportsArray | None = None, stride: Ints = 1,
    padding: Padding = 0, dilation: Ints = 1, groups: int = 1, *, activation: Activation | None = None, window: Window |
    None = None, data_format: DataFormat = "channels_first", opset: int = 18, lowering: Lowering = "auto", verify: bool
    = False
) -> onnx.ModelProto: ...
def conv3d(
    shape: Dims | Plan, weight: SupportsArray | None = None, bias: SupportsArray | None = None, stride: Ints = 1,
    padding: Padding = 0, dilation: Ints = 1, groups: int = 1, *, activation: Activation | None = None, window: Window |
    None = None, data_format: DataFormat = "channels_first", opset: int = 18, lowering: Lowering = "auto", verify: bool
    = False
) -> onnx.ModelProto: ...
def conv_transpose1d(
    shape: Dims | Plan, weight: SupportsArray | None = None, bias: SupportsArray | None = None, stride: Ints = 1,
    padding: Pads = 0, output_padding: Ints = 0, groups: int = 1, dilation: Ints = 1, *, output_size: Ints | None =
    None, activation: Activation | None = None, window: Window | None = None, data_format: DataFormat =
    "channels_first", opset: int = 18, lowering: Lowering = "auto", verify: bool = False
) -> onnx.ModelProto: ...
def conv_transpose2d(
    shape: Dims | Plan, weight: SupportsArray | None = None, bias: SupportsArray | None = None, stride: Ints = 1,
    padding: Pads = 0, output_padding: Ints = 0, groups: int = 1, dilation: Ints = 1, *, output_size: Ints | None =
    None, activation: Activation | None = None, window: Window | None = None, data_format: DataFormat =
    "channels_first", opset: int = 18, lowering: Lowering = "auto", verify: bool = False
) -> onnx.ModelProto: ...
def conv_transpose3d(
    shape: Dims | Plan, weight: SupportsArray | None = None, bias: SupportsArray | None = None, stride: Ints = 1,
    padding: Pads = 0, output_padding: Ints = 0, groups: int = 1, dilation: Ints = 1, *, output_size: Ints | None =
    None, activation: Activation | None = None, window: Window | None = None, data_format: DataFormat =
    "channels_first", opset: int = 18, lowering: Lowering = "auto", verify: bool = False
) -> onnx.ModelProto: ...
def subpixel_conv1d(
    shape: Dims | Plan, weight: SupportsArray | None = None, bias: SupportsArray | None = None, *, upscale_factor: Ints
    | None = None, padding: Padding = 0, activation: Activation | None = None, window: Window | None = None,
    data_format: DataFormat = "channels_first", subpixel: SubPixel = "conv", opset: int = 18, lowering: Lowering =
    "auto", verify: bool = False
) -> onnx.ModelProto: ...
def subpixel_conv2d(
    shape: Dims | Plan, weight: SupportsArray | None = None, bias: SupportsArray | None = None, *, upscale_factor: Ints
    | None = None, padding: Padding = 0, activation: Activation | None = None, window: Window | None = None,
    data_format: DataFormat = "channels_first", subpixel: SubPixel = "conv", opset: int = 18, lowering: Lowering =
    "auto", verify: bool = False
) -> onnx.ModelProto: ...
def subpixel_conv3d(
    shape: Dims | Plan, weight: SupportsArray | None = None, bias: SupportsArray | None = None, *, upscale_factor: Ints
    | None = None, padding: Padding = 0, activation: Activation | None = None, window: Window | None = None,
    data_format: DataFormat = "channels_first", subpixel: SubPixel = "conv", opset: int = 18, lowering: Lowering =
    "auto", verify: bool = False
) -> onnx.ModelProto: ...
def resize(
    shape: Dims | Plan, size: Ints | None = None, *, scale_factor: Floats | None = None, like: Like = "torch/bilinear",
    axes: Ints | None = None, box: Box | None = None, reducing_gap: float | None = None, alpha: bool | None = None,
    window: Window | None = None, dtype: DType = "uint8", opset: int = 18, lowering: Lowering = "auto", verify: bool =
    False
) -> onnx.ModelProto: ...
def interpolate(
    shape: Dims | Plan, size: Ints | None = None, scale_factor: Floats | None = None, mode: Modes = "nearest",
    align_corners: bool | None = None, recompute_scale_factor: bool | None = None, antialias: bool = False, *, rounding:
    Rounding = "floor", window: Window | None = None, data_format: DataFormat = "channels_first", dtype: DType =
    "float32", opset: int = 18, lowering: Lowering = "auto", verify: bool = False
) -> onnx.ModelProto: ...
def max_pool1d(
    shape: Dims | Plan, kernel_size: Ints | None = None, stride: Ints | None = None, padding: Ints = 0, dilation: Ints =
    1, ceil_mode: bool = False, return_indices: bool = False, *, data_format: DataFormat = "channels_first", dtype:
    DType = "float32", opset: int = 18, lowering: Lowering = "auto", verify: bool = False
) -> onnx.ModelProto: ...
def max_pool2d(
    shape: Dims | Plan, kernel_size: Ints | None = None, stride: Ints | None = None, padding: Ints = 0, dilation: Ints =
    1, ceil_mode: bool = False, return_indices: bool = False, *, data_format: DataFormat = "channels_first", dtype:
    DType = "float32", opset: int = 18, lowering: Lowering = "auto", verify: bool = False
) -> onnx.ModelProto: ...
def max_pool3d(
    shape: Dims | Plan, kernel_size: Ints | None = None, stride: Ints | None = None, padding: Ints = 0, dilation: Ints =
    1, ceil_mode: bool = False, return_indices: bool = False, *, data_format: DataFormat = "channels_first", dtype:
    DType = "float32", opset: int = 18, lowering: Lowering = "auto", verify: bool = False
) -> onnx.ModelProto: ...
def max_unpool1d(
    shape: Dims | Plan, kernel_size: Ints | None = None, stride: Ints | None = None, padding: Ints = 0, output_size:
    Ints | None = None, *, data_format: DataFormat = "channels_first", dtype: DType = "float32", opset: int = 18,
    lowering: Lowering = "auto", verify: bool = False
) -> onnx.ModelProto: ...
def max_unpool2d(
    shape: Dims | Plan, kernel_size: Ints | None = None, stride: Ints | None = None, padding: Ints = 0, output_size:
    Ints | None = None, *, data_format: DataFormat = "channels_first", dtype: DType = "float32", opset: int = 18,
    lowering: Lowering = "auto", verify: bool = False
) -> onnx.ModelProto: ...
def max_unpool3d(
    shape: Dims | Plan, kernel_size: Ints | None = None, stride: Ints | None = None, padding: Ints = 0, output_size:
    Ints | None = None, *, data_format: DataFormat = "channels_first", dtype: DType = "float32", opset: int = 18,
    lowering: Lowering = "auto", verify: bool = False
) -> onnx.ModelProto: ...
def upsample_argmax(
    shape: Dims | Plan, size: Ints | None = None, scale_factor: Floats | None = None, mode: Modes = "n-linear",
    align_corners: bool | None = None, antialias: bool = False, *, labels: DType = "int32", window: Window | None =
    None, data_format: DataFormat = "channels_first", dtype: DType = "float32", opset: int = 18, lowering: Lowering =
    "auto", verify: bool = False
) -> onnx.ModelProto: ...
def upsample_softmax_max(
    shape: Dims | Plan, size: Ints | None = None, scale_factor: Floats | None = None, mode: Modes = "n-linear",
    align_corners: bool | None = None, antialias: bool = False, *, labels: DType = "int32", window: Window | None =
    None, data_format: DataFormat = "channels_first", dtype: DType = "float32", opset: int = 18, lowering: Lowering =
    "auto", verify: bool = False
) -> onnx.ModelProto: ...
def upsample_threshold(
    shape: Dims | Plan, size: Ints | None = None, threshold: float = 0.0, scale_factor: Floats | None = None, mode:
    Modes = "n-linear", align_corners: bool | None = None, antialias: bool = False, *, window: Window | None = None,
    data_format: DataFormat = "channels_first", dtype: DType = "float32", opset: int = 18, lowering: Lowering = "auto",
    verify: bool = False
) -> onnx.ModelProto: ...
def pixel_shuffle(
    shape: Dims | Plan, upscale_factor: Ints | None = None, *, order: Order = "CRD", window: Window | None = None,
    data_format: DataFormat = "channels_first", dtype: DType = "float32", opset: int = 18, lowering: Lowering = "auto",
    verify: bool = False
) -> onnx.ModelProto: ...
def pixel_unshuffle(
    shape: Dims | Plan, downscale_factor: Ints | None = None, *, order: Order = "CRD", window: Window | None = None,
    data_format: DataFormat = "channels_first", dtype: DType = "float32", opset: int = 18, lowering: Lowering = "auto",
    verify: bool = False
) -> onnx.ModelProto: ...
def zero_stuff(
    shape: Dims | Plan, stride: Ints | None = None, padding: Ints = 0, *, data_format: DataFormat = "channels_first",
    dtype: DType = "float32", opset: int = 18, lowering: Lowering = "auto", verify: bool = False
) -> onnx.ModelProto: ...
