"""What was pickled once and must still load: a plan of each family and kind, a packed weight, a network."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import fastup
from fastup import nn
from fastup.plan import Plan
from tests.pinned_calls import numbers

_plans = fastup.plan
_WINDOW = (slice(3, 9), slice(4))
PLANS: dict[str, Callable[[], Plan]] = {
    "nearest": partial(_plans.interpolate, (1, 3, 20, 21), "uint8", (33, 17)),
    "area": partial(_plans.interpolate, (1, 3, 20, 21), "float32", (7, 40), mode="area"),
    "antialias": partial(_plans.interpolate, (1, 3, 20, 21), "float32", (33, 17), mode="bicubic", antialias=True),
    "lanczos": partial(_plans.interpolate, (1, 3, 20, 21), "uint8", (9, 8), mode="lanczos", antialias=True),
    "fixed point": partial(_plans.interpolate, (1, 3, 20, 21), "uint8", scale_factor=2, mode="bilinear"),
    "aligned": partial(_plans.interpolate, (1, 20, 21, 3), "float64", 30, mode="bicubic", align_corners=True,
                       data_format="channels_last"),
    "mode of each axis": partial(_plans.interpolate, (2, 3, 20), "float16", scale_factor=1.7, mode=("linear",)),
    "volume": partial(_plans.interpolate, (1, 2, 5, 6, 7), "float32", (9, 4, 13), mode="trilinear"),
    "window": partial(_plans.interpolate, (1, 3, 20, 21), "uint8", scale_factor=2, mode="bilinear", window=_WINDOW),
    "tile": lambda: _plans.interpolate((1, 3, 20, 21), "float32", 50, mode="bicubic").tile(_WINDOW),
    "shuffle": partial(_plans.pixel_shuffle, (1, 12, 5, 5), "uint8", 2),
    "shuffle window": partial(_plans.pixel_shuffle, (1, 5, 5, 12), "uint8", 2, order="DCR", window=_WINDOW,
                              data_format="channels_last"),
    "unshuffle": partial(_plans.pixel_unshuffle, (1, 3, 8, 12), "float64", (2, 3)),
    "zero stuffing": partial(_plans.zero_stuff, (1, 2, 8), "float32", 2, 1),
    "convolution": partial(_plans.conv2d, (2, 6, 14, 15), "float32", (8, 3, 3, 3), padding="same", groups=2),
    "activation": partial(_plans.conv1d, (2, 6, 14), "float64", (8, 6, 3), stride=2, activation=("leaky_relu", 0.2)),
    "slopes": partial(_plans.conv2d, (2, 6, 14, 15), "float32", (8, 6, 3, 3), activation="prelu"),
    "dilation": partial(_plans.conv3d, (1, 2, 7, 8, 9), "float16", (4, 2, 3, 3, 3), dilation=(1, 2, 2), padding=1),
    "convolution window": partial(_plans.conv2d, (2, 6, 14, 15), "float32", (8, 6, 3, 3), window=_WINDOW),
    "transposed": partial(_plans.conv_transpose2d, (2, 6, 14, 15), "float32", (6, 4, 4, 4), stride=2, padding=1),
    "transposed, dilation": partial(_plans.conv_transpose1d, (2, 6, 14), "float32", (6, 4, 3), stride=3, dilation=2,
                                    output_padding=1),
    "transposed window": partial(_plans.conv_transpose2d, (2, 6, 14, 15), "float64", (6, 4, 4, 4), stride=2,
                                 window=_WINDOW),
    "sub-pixel": partial(_plans.subpixel_conv2d, (2, 14, 15, 6), "float32", (16, 6, 3, 3), upscale_factor=2,
                         padding="same", activation="tanh", data_format="channels_last"),
    "pool": partial(_plans.max_pool2d, (1, 3, 13, 14), "uint8", 3, 2, 1, 2, ceil_mode=True),
    "pool, indices": partial(_plans.max_pool3d, (1, 2, 8, 8, 8), "int16", 2, return_indices=True),
    "unpool": partial(_plans.max_unpool1d, (1, 2, 8), "float32", 2),
    "argmax": partial(_plans.upsample_argmax, (1, 5, 8, 8), "float32", 20, boxes_shape=(1, 4)),
    "softmax": partial(_plans.upsample_softmax_max, (1, 5, 8, 8), "float32", 20, mode="bicubic", labels="uint8"),
    "threshold": partial(_plans.upsample_threshold, (1, 1, 8, 8), "float32", 20, 0.5, window=_WINDOW),
}  # fmt: skip


def operands(plan: Plan) -> tuple[Any, ...]:
    """What the plan takes beside its input."""
    if isinstance(plan, fastup.plan.ConvPlan):
        weight = numbers(plan.weight_shape, plan.dtype)
        slopes = numbers((plan.out_channels,), plan.dtype) if plan.activation[0] == "prelu" else None
        return (weight, None, slopes)
    if isinstance(plan, fastup.plan.MaxUnpoolPlan):
        positions = np.arange(0, 2 * plan.input_shape[-1], 2)
        return (np.broadcast_to(positions, plan.input_shape),)
    if isinstance(plan, fastup.plan.SegmentationPlan) and plan.boxes:
        return (np.array([[1, 2, 15, 16]], "float32"),)
    return ()


def results(plan: Plan) -> list[bytes]:
    """The bits that the plan gives."""
    made = fastup.run(plan, numbers(plan.input_shape, plan.dtype), operands=operands(plan))
    return [one.tobytes() for one in (made if isinstance(made, tuple) else (made,))]


def filled(layer: nn.Module) -> Any:
    """The layer with parameters from whole-number arithmetic; first values are random."""
    state = layer.state_dict()
    values = {name: np.abs(numbers(one.shape, one.dtype)) / 8 for name, one in state.items()}
    layer.load_state_dict({name: values[name].astype(one.dtype) for name, one in state.items()})
    return layer


def network() -> Any:
    """A network with layers of all kinds that hold something."""
    down = [nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.PReLU(4), nn.MaxPool2d(2, return_indices=True)]
    up = [nn.MaxUnpool2d(2), nn.Skip(nn.Sequential(nn.Conv2d(4, 4, 1), nn.LeakyReLU(0.2))), nn.ReLU()]
    last = [nn.ConvTranspose2d(8, 4, 4, 2, 1), nn.SubPixelConv2d(4, 4, 2), nn.PixelShuffle(2), nn.Upsample(None, 1.5)]
    return filled(nn.Sequential(*down, *up, *last))


def packed() -> Any:
    """A weight that layers hold."""
    return fastup.pack_weight(numbers((4, 2, 3, 3), "float32"))


OBJECTS: dict[str, Callable[[], Any]] = {**PLANS, "packed weight": packed, "network": network}
