"""The fastest upsampling on a CPU for NumPy arrays, with PyTorch's exact semantics and export to ONNX."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from fastup import init as init
from fastup import plan as plan
from fastup.operators import Convention as Convention
from fastup.operators import Match as Match
from fastup.operators import conv1d as conv1d
from fastup.operators import conv2d as conv2d
from fastup.operators import conv3d as conv3d
from fastup.operators import conv_transpose1d as conv_transpose1d
from fastup.operators import conv_transpose2d as conv_transpose2d
from fastup.operators import conv_transpose3d as conv_transpose3d
from fastup.operators import conventions as conventions
from fastup.operators import identify as identify
from fastup.operators import interpolate as interpolate
from fastup.operators import max_pool1d as max_pool1d
from fastup.operators import max_pool2d as max_pool2d
from fastup.operators import max_pool3d as max_pool3d
from fastup.operators import max_unpool1d as max_unpool1d
from fastup.operators import max_unpool2d as max_unpool2d
from fastup.operators import max_unpool3d as max_unpool3d
from fastup.operators import pack_weight as pack_weight
from fastup.operators import pixel_shuffle as pixel_shuffle
from fastup.operators import pixel_unshuffle as pixel_unshuffle
from fastup.operators import preprocess as preprocess
from fastup.operators import resize as resize
from fastup.operators import run as run
from fastup.operators import subpixel_conv1d as subpixel_conv1d
from fastup.operators import subpixel_conv2d as subpixel_conv2d
from fastup.operators import subpixel_conv3d as subpixel_conv3d
from fastup.operators import subpixel_to_transposed as subpixel_to_transposed
from fastup.operators import transposed_to_subpixel as transposed_to_subpixel
from fastup.operators import upsample_argmax as upsample_argmax
from fastup.operators import upsample_softmax_max as upsample_softmax_max
from fastup.operators import upsample_threshold as upsample_threshold
from fastup.operators import warmup as warmup
from fastup.operators import zero_stuff as zero_stuff
from fastup.runtime.memory import release_memory as release_memory
from fastup.runtime.workers import get_num_threads as get_num_threads
from fastup.runtime.workers import set_num_threads as set_num_threads

if TYPE_CHECKING:
    from fastup import cuda as cuda
    from fastup import export as export
    from fastup import networks as networks
    from fastup import nn as nn

__version__ = "0.1.0"
__all__ = [
    "Convention",
    "Match",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "conventions",
    "get_num_threads",
    "identify",
    "init",
    "interpolate",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "max_unpool1d",
    "max_unpool2d",
    "max_unpool3d",
    "pack_weight",
    "pixel_shuffle",
    "pixel_unshuffle",
    "plan",
    "preprocess",
    "release_memory",
    "resize",
    "run",
    "set_num_threads",
    "subpixel_conv1d",
    "subpixel_conv2d",
    "subpixel_conv3d",
    "subpixel_to_transposed",
    "transposed_to_subpixel",
    "upsample_argmax",
    "upsample_softmax_max",
    "upsample_threshold",
    "warmup",
    "zero_stuff",
]
_ON_FIRST_USE = ("cuda", "export", "networks", "nn")


def __getattr__(name: str) -> Any:
    """Import the parts that not every program needs when they are first asked for."""
    if name in _ON_FIRST_USE:
        return importlib.import_module(f"fastup.{name}")
    raise AttributeError(f"module 'fastup' has no attribute {name!r}")
