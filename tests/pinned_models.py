"""Models whose bytes are pinned: every exporter, the lowerings, opsets from the lowest on, layers and networks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import fastup.export as export
from fastup import networks, nn, plan
from tests.pinned_calls import numbers
from tests.pinned_plans import filled, network

_MODES = ("nearest", "nearest-exact", "bilinear", "bicubic", "area")
Models = Iterator[tuple[str, Any]]


def models() -> Models:
    """Name and model of each call."""
    yield from _interpolations()
    yield from _operators()
    yield from _forms()
    yield from _of_all_ranks()
    yield from _layers()


def _interpolations() -> Models:
    for mode in _MODES:
        for lowering in ("auto", "portable"):
            yield f"{mode} {lowering}", export.interpolate((1, 3, 12, 12), (24, 18), mode=mode, lowering=lowering)
        yield f"{mode} symbolic", export.interpolate(("N", 3, "H", "W"), scale_factor=2, mode=mode)
    yield "lanczos", export.interpolate((1, 3, 12, 12), 7, mode="lanczos", antialias=True)
    yield "antialias", export.interpolate((1, 3, 12, 12), 7, mode="bicubic", antialias=True, dtype="uint8")


def _operators() -> Models:
    w = numbers((4, 3, 3, 3), "float32")
    yield "shuffle", export.pixel_shuffle(("N", 12, "H", "W"), 2)
    yield "unshuffle", export.pixel_unshuffle((1, 3, 8, 8), 2, opset=13)
    yield "stuffed", export.zero_stuff(("N", 3, "W"), 2)
    yield "conv", export.conv2d(("N", 3, "H", "W"), w, stride=2, activation="relu")
    yield "conv window", export.conv2d((1, 3, 9, 9), w, window=(slice(2, 5), slice(1, 4)))
    yield "transposed", export.conv_transpose2d(("N", 4, "H", "W"), w, stride=2, activation=("leaky_relu", 0.1))
    yield "portable", export.conv2d((1, 3, 9, 9), w.astype("float64"), lowering="portable")
    yield "sub-pixel", export.subpixel_conv2d((1, 3, 9, 9), w, upscale_factor=2)
    yield "pool", export.max_pool2d(("N", 3, "H", "W"), 2, return_indices=True)
    yield "unpool", export.max_unpool2d((1, 3, 4, 4), 2)
    yield "argmax", export.upsample_argmax(("N", 5, "H", "W"), scale_factor=4)
    yield "softmax", export.upsample_softmax_max((1, 5, 8, 8), 20)
    yield "threshold", export.upsample_threshold((1, 5, 8, 8), 20, 0.5)


def _forms() -> Models:
    for opset in (11, 13, 18, 21):
        yield f"nearest opset {opset}", export.interpolate((1, 3, 12, 12), 24, opset=opset)
        yield f"bilinear opset {opset}", export.interpolate(("N", 3, "H", "W"), None, 2, "bilinear", opset=opset)
        yield f"unshuffle opset {opset}", export.pixel_unshuffle((1, 3, 8, 8), 2, opset=opset)
        yield f"pool opset {opset}", export.max_pool2d((1, 3, 9, 9), 3, 2, 1, ceil_mode=True, opset=opset)
        yield f"argmax opset {opset}", export.upsample_argmax((1, 5, 8, 8), 20, opset=opset)
    for lowering in ("native", "portable"):
        yield f"shuffle {lowering}", export.pixel_shuffle((1, 12, 5, 6), 2, lowering=lowering)
        yield f"unpool {lowering}", export.max_unpool2d((1, 3, 4, 4), 2, lowering=lowering)
        yield f"stuffed {lowering}", export.zero_stuff((1, 3, 4, 4), 2, 1, lowering=lowering)
    window = (slice(3, 9), slice(4))
    yield "window", export.interpolate((1, 3, 12, 12), 24, mode="bicubic", window=window)
    yield "aligned", export.interpolate((1, 12, 12, 3), 24, None, "bilinear", True, data_format="channels_last")
    yield "float16", export.interpolate((1, 3, 12, 12), 24, mode="bilinear", dtype="float16")
    yield "of a plan", export.interpolate(plan.interpolate((1, 3, 12, 12), "float32", 24, mode="area"))
    w = numbers((12, 3, 3, 3), "float32")
    yield "sub-pixel transposed", export.subpixel_conv2d((1, 3, 9, 9), w, upscale_factor=2, subpixel="conv_transpose")
    slopes = ("prelu", numbers((12,), "float32"))
    yield "prelu", export.conv2d((1, 3, 9, 9), w, padding="same", activation=slopes)
    yield "channels last", export.conv2d((1, 9, 9, 3), w, dilation=2, data_format="channels_last")


def _of_all_ranks() -> Models:
    for rank in (1, 3):
        space, w = (8,) * rank, numbers((4, 2, *(3,) * rank), "float32")
        wide, b = numbers((2 * 2**rank, 4, *(3,) * rank), "float32"), numbers((4,), "float32")
        conv, transposed, subpixel, pool, unpool = (
            getattr(export, f"{name}{rank}d")
            for name in ("conv", "conv_transpose", "subpixel_conv", "max_pool", "max_unpool")
        )
        yield f"conv{rank}d", conv((1, 4, *space), w, b, padding=1, groups=2, activation="sigmoid")
        yield f"conv_transpose{rank}d", transposed(("N", 4, *space), w, stride=2, output_padding=1)
        yield f"subpixel_conv{rank}d", subpixel((1, 4, *space), wide, upscale_factor=2, padding="same")
        yield f"max_pool{rank}d", pool((1, 3, *space), 3, 2, 1, return_indices=True)
        yield f"max_unpool{rank}d", unpool((1, 3, *space), 2)
        yield f"pixel_shuffle {rank}-D", export.pixel_shuffle((1, 8, *space), (2,) * rank, order="DCR")
        yield f"interpolate {rank}-D", export.interpolate((1, 2, *space), None, 1.7, "n-linear")


def _layers() -> Models:
    layers = {"upsample": nn.Upsample(None, 2, "bicubic"), "unshuffle": nn.PixelUnshuffle(2), "tanh": nn.Tanh()}
    for name, layer in layers.items():
        yield f"layer {name}", export.to_onnx(layer, ("N", 2, 8, 8))
    yield "layers symbolic", export.to_onnx(network(), ("N", 2, "H", "W"))
    for lowering in ("auto", "native", "portable"):
        yield f"layers {lowering}", export.to_onnx(network(), (1, 2, 16, 16), lowering=lowering)
    yield "layers opset 13", export.to_onnx(network(), (1, 2, 16, 16), opset=13)
    small = {
        "ESPCN": (networks.ESPCN(2), (1, 1, 8, 8)),
        "FSRCNN": (networks.FSRCNN(2, d=4, s=3, m=1), (1, 1, 8, 8)),
        "UNet": (networks.UNet(1, 2, (2, 4)), ("N", 1, 8, 8)),
        "SegNet": (networks.SegNet(1, 2, (2, 4)), ("N", 1, 8, 8)),
        "DCGANGenerator": (networks.DCGANGenerator(4, 2, 1), ("N", 4, 1, 1)),
    }
    for name, (made, shape) in small.items():
        yield name, export.to_onnx(filled(made), shape)
    yield "bicubic network", export.to_onnx(networks.bicubic(2), (1, 1, 8, 8))
