"""ONNX graphs of the operators: one exporter per operator, with the operator's name and keywords.

An exporter takes a shape, or a plan, where the operator takes an array. A dimension of the shape may be a name ("N",
"H"): then it is known at run time only. Every graph has passed ONNX's full check and strict shape inference;
``verify=True`` also runs it in onnxruntime and compares it with fastup.

``lowering``: "native" writes the operator that a reader expects (DepthToSpace, Resize, AveragePool); "portable" writes
index operators and the plan's own tables, which leave nothing to interpret; "auto" is native where onnxruntime can run
that and it gives the same numbers: the same bits where items are copied, within rounding where they are weighted.
"""

from __future__ import annotations

from typing import Any

try:
    import onnx as _onnx  # noqa: F401
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"fastup.export needs {error.name}; install it with: pip install 'fastup[onnx]'", name=error.name
    ) from None

from fastup.export._conv_exporters import conv1d as conv1d
from fastup.export._conv_exporters import conv2d as conv2d
from fastup.export._conv_exporters import conv3d as conv3d
from fastup.export._conv_exporters import conv_transpose1d as conv_transpose1d
from fastup.export._conv_exporters import conv_transpose2d as conv_transpose2d
from fastup.export._conv_exporters import conv_transpose3d as conv_transpose3d
from fastup.export._conv_exporters import subpixel_conv1d as subpixel_conv1d
from fastup.export._conv_exporters import subpixel_conv2d as subpixel_conv2d
from fastup.export._conv_exporters import subpixel_conv3d as subpixel_conv3d
from fastup.export._exporters import interpolate as interpolate
from fastup.export._exporters import pixel_shuffle as pixel_shuffle
from fastup.export._exporters import pixel_unshuffle as pixel_unshuffle
from fastup.export._exporters import zero_stuff as zero_stuff
from fastup.export._pool_exporters import max_pool1d as max_pool1d
from fastup.export._pool_exporters import max_pool2d as max_pool2d
from fastup.export._pool_exporters import max_pool3d as max_pool3d
from fastup.export._pool_exporters import max_unpool1d as max_unpool1d
from fastup.export._pool_exporters import max_unpool2d as max_unpool2d
from fastup.export._pool_exporters import max_unpool3d as max_unpool3d
from fastup.export._segmentation_exporters import upsample_argmax as upsample_argmax
from fastup.export._segmentation_exporters import upsample_softmax_max as upsample_softmax_max
from fastup.export._segmentation_exporters import upsample_threshold as upsample_threshold
from fastup.export.graph import Graph as Graph
from fastup.export.graph import UnsupportedExport as UnsupportedExport
from fastup.export.layers import to_onnx as to_onnx
from fastup.export.running import VerificationError as VerificationError
from fastup.export.verification import ModelError as ModelError
from fastup.export.verification import Report as Report
from fastup.export.verification import verify as verify

__all__ = [
    "Graph",
    "ModelError",
    "Report",
    "UnsupportedExport",
    "VerificationError",
    "interpolate",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "subpixel_conv1d",
    "subpixel_conv2d",
    "subpixel_conv3d",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "max_unpool1d",
    "max_unpool2d",
    "max_unpool3d",
    "pixel_shuffle",
    "pixel_unshuffle",
    "to_onnx",
    "upsample_argmax",
    "upsample_softmax_max",
    "upsample_threshold",
    "verify",
    "zero_stuff",
]


def __dir__() -> list[Any]:
    return [*__all__]
