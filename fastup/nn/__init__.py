"""Layers with torch's names, arguments, state and repr, over the functions of fastup; for inference."""

from __future__ import annotations

from fastup.nn._activations import ELU as ELU
from fastup.nn._activations import GELU as GELU
from fastup.nn._activations import Hardswish as Hardswish
from fastup.nn._activations import LeakyReLU as LeakyReLU
from fastup.nn._activations import PReLU as PReLU
from fastup.nn._activations import ReLU as ReLU
from fastup.nn._activations import Sigmoid as Sigmoid
from fastup.nn._activations import SiLU as SiLU
from fastup.nn._activations import Softplus as Softplus
from fastup.nn._activations import Tanh as Tanh
from fastup.nn._containers import Dropout as Dropout
from fastup.nn._containers import Dropout1d as Dropout1d
from fastup.nn._containers import Dropout2d as Dropout2d
from fastup.nn._containers import Dropout3d as Dropout3d
from fastup.nn._containers import Identity as Identity
from fastup.nn._containers import Sequential as Sequential
from fastup.nn._containers import Skip as Skip
from fastup.nn._conv import Conv1d as Conv1d
from fastup.nn._conv import Conv2d as Conv2d
from fastup.nn._conv import Conv3d as Conv3d
from fastup.nn._conv import ConvTranspose1d as ConvTranspose1d
from fastup.nn._conv import ConvTranspose2d as ConvTranspose2d
from fastup.nn._conv import ConvTranspose3d as ConvTranspose3d
from fastup.nn._conv import SubPixelConv1d as SubPixelConv1d
from fastup.nn._conv import SubPixelConv2d as SubPixelConv2d
from fastup.nn._conv import SubPixelConv3d as SubPixelConv3d
from fastup.nn._module import Module as Module
from fastup.nn._normalisation import BatchNorm1d as BatchNorm1d
from fastup.nn._normalisation import BatchNorm2d as BatchNorm2d
from fastup.nn._normalisation import BatchNorm3d as BatchNorm3d
from fastup.nn._pooling import MaxPool1d as MaxPool1d
from fastup.nn._pooling import MaxPool2d as MaxPool2d
from fastup.nn._pooling import MaxPool3d as MaxPool3d
from fastup.nn._pooling import MaxUnpool1d as MaxUnpool1d
from fastup.nn._pooling import MaxUnpool2d as MaxUnpool2d
from fastup.nn._pooling import MaxUnpool3d as MaxUnpool3d
from fastup.nn._sampling import PixelShuffle as PixelShuffle
from fastup.nn._sampling import PixelUnshuffle as PixelUnshuffle
from fastup.nn._sampling import Upsample as Upsample
from fastup.nn._sampling import UpsamplingBilinear2d as UpsamplingBilinear2d
from fastup.nn._sampling import UpsamplingNearest2d as UpsamplingNearest2d

__all__ = [
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "Dropout",
    "Dropout1d",
    "Dropout2d",
    "Dropout3d",
    "Identity",
    "Softplus",
    "SiLU",
    "Hardswish",
    "GELU",
    "ELU",
    "LeakyReLU",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "MaxUnpool1d",
    "MaxUnpool2d",
    "MaxUnpool3d",
    "Module",
    "PReLU",
    "PixelShuffle",
    "PixelUnshuffle",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "Skip",
    "SubPixelConv1d",
    "SubPixelConv2d",
    "SubPixelConv3d",
    "Tanh",
    "Upsample",
    "UpsamplingBilinear2d",
    "UpsamplingNearest2d",
]
