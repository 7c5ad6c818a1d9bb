"""The fastest upsampling on a CPU for NumPy arrays, with PyTorch's exact semantics and export to ONNX."""

from __future__ import annotations

from fastup import init as init
from fastup import plan as plan
from fastup.cpu import warmup as warmup
from fastup.functional import interpolate as interpolate
from fastup.functional import pixel_shuffle as pixel_shuffle
from fastup.functional import pixel_unshuffle as pixel_unshuffle
from fastup.functional import run as run
from fastup.runtime.memory import release_memory as release_memory
from fastup.runtime.workers import get_num_threads as get_num_threads
from fastup.runtime.workers import set_num_threads as set_num_threads

__version__ = "0.1.0"
__all__ = [
    "get_num_threads",
    "init",
    "interpolate",
    "pixel_shuffle",
    "pixel_unshuffle",
    "plan",
    "release_memory",
    "run",
    "set_num_threads",
    "warmup",
]
