"""Calls whose results are pinned to the bit: every operator, with inputs that no library changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

import fastup

_FLOATS = ("float16", "float32", "float64")
Calls = Iterator[tuple[str, Callable[[], Any]]]


def numbers(shape: tuple[int, ...], dtype: str) -> np.ndarray[Any, Any]:
    """Values from whole-number arithmetic, which no library changes: of bytes all, of floats some between -4 and 4."""
    count = int(np.prod(shape))
    raw = (np.arange(count, dtype=np.int64) * 2654435761 + 12345) % 65537
    values = (raw % 256) if dtype == "uint8" else (raw - 32768) if dtype == "int16" else (raw - 32768) / 8192
    return values.astype(dtype).reshape(shape)


def calls() -> Calls:
    """Calls of all operators: a name, and what gives the results."""
    yield from _interpolations()
    yield from _options_of_interpolations()
    yield from _copies()
    yield from _copies_of_all_ranks()
    yield from _convolutions()
    yield from _convolutions_of_all_ranks()
    yield from _options_of_convolutions()
    yield from _pools()
    yield from _pools_of_other_ranks()
    yield from _labels()
    yield from _options_of_labels()


def _interpolations() -> Calls:
    modes = ("nearest", "nearest-exact", "bilinear", "bicubic", "lanczos", "area")
    for mode in modes:
        for dtype in (*_FLOATS, "uint8", "int16"):
            x = numbers((2, 3, 13, 17), dtype)
            for size in ((26, 34), (21, 40), (7, 9)):
                yield f"{mode} {dtype} {size}", partial(fastup.interpolate, x, size, mode=mode)
    for mode in ("bilinear", "bicubic", "lanczos"):
        for dtype in ("float32", "uint8"):
            x = numbers((1, 3, 29, 31), dtype)
            yield (
                f"antialias {mode} {dtype}",
                partial(fastup.interpolate, x, (11, 14), mode=mode, antialias=True),
            )
    x = numbers((1, 2, 9, 11), "float32")
    yield "aligned", partial(fastup.interpolate, x, (20, 15), mode="bicubic", align_corners=True)
    yield "factor", partial(fastup.interpolate, x, scale_factor=1.7, mode="bilinear")
    yield "window", partial(fastup.interpolate, x, scale_factor=3, mode="bilinear", window=(slice(3, 9), slice(5, 30)))
    yield "last", partial(fastup.interpolate, x, scale_factor=2.5, mode="bicubic", data_format="channels_last")
    volume = numbers((1, 2, 5, 6, 7), "float32")
    yield "trilinear", partial(fastup.interpolate, volume, (9, 11, 13), mode="trilinear")
    yield "mixed", partial(fastup.interpolate, volume, (9, 11, 13), mode=("nearest", "cubic", "linear"))
    line = numbers((2, 3, 50), "float64")
    yield "linear", partial(fastup.interpolate, line, 77, mode="linear")


def _copies() -> Calls:
    for dtype in ("uint8", "float32", "float64"):
        x = numbers((2, 36, 5, 7), dtype)
        yield f"shuffle {dtype}", partial(fastup.pixel_shuffle, x, 3)
        yield f"shuffle DCR {dtype}", partial(fastup.pixel_shuffle, x, (2, 3), order="DCR")
        large = numbers((2, 3, 12, 18), dtype)
        yield f"unshuffle {dtype}", partial(fastup.pixel_unshuffle, large, 3)
        yield f"stuffed {dtype}", partial(fastup.zero_stuff, large, 2, 1)


def _convolutions() -> Calls:
    for dtype in _FLOATS:
        x, w = numbers((2, 6, 14, 15), dtype), numbers((8, 3, 3, 3), dtype)
        b, t = numbers((8,), dtype), numbers((6, 4, 4, 4), dtype)
        s = numbers((12, 6, 3, 3), dtype)
        for activation in (None, "relu", ("leaky_relu", 0.2), "tanh", "sigmoid"):
            yield (
                f"conv2d {dtype} {activation}",
                partial(fastup.conv2d, x, w, b, stride=(1, 2), padding=1, groups=2, activation=activation),
            )
        yield f"dilated {dtype}", partial(fastup.conv2d, x, w, padding="same", dilation=2, groups=2)
        yield f"transposed {dtype}", partial(fastup.conv_transpose2d, x, t, stride=2, padding=1)
        yield f"sub-pixel {dtype}", partial(fastup.subpixel_conv2d, x, s, upscale_factor=2, padding=1)
    x, w = numbers((1, 40, 12, 13), "float32"), numbers((48, 40, 3, 3), "float32")
    yield "wide", partial(fastup.conv2d, x, w, padding=1)
    last = np.ascontiguousarray(x.transpose(0, 2, 3, 1))
    yield "wide, channels last", partial(fastup.conv2d, last, w, padding=1, data_format="channels_last")
    yield (
        "1-D",
        partial(fastup.conv_transpose1d, numbers((1, 3, 20), "float32"), numbers((3, 2, 5), "float32"), stride=3),
    )
    yield "3-D", partial(fastup.conv3d, numbers((1, 2, 6, 7, 8), "float32"), numbers((3, 2, 3, 3, 3), "float32"))


def _pools() -> Calls:
    for dtype in (*_FLOATS, "uint8", "int16"):
        x = numbers((2, 3, 13, 14), dtype)
        yield f"pool {dtype}", partial(fastup.max_pool2d, x, 2, return_indices=True)
        yield f"pool 3 {dtype}", partial(fastup.max_pool2d, x, 3, 2, 1, ceil_mode=True, return_indices=True)
        yield f"unpool {dtype}", partial(fastup.max_unpool2d, *fastup.max_pool2d(x, 2, return_indices=True), 2)


def _labels() -> Calls:
    x = numbers((1, 7, 9, 10), "float32")
    yield "argmax", partial(fastup.upsample_argmax, x, (30, 31))
    yield "softmax", partial(fastup.upsample_softmax_max, x, (30, 31))
    yield "threshold", partial(fastup.upsample_threshold, x, (30, 31), 0.5, boxes=[[1, 2, 20, 25]])


def _options_of_interpolations() -> Calls:
    window = (slice(3, 15), slice(5, 30))
    for mode in ("nearest", "nearest-exact", "bilinear", "bicubic", "lanczos", "area"):
        for dtype in ("float32", "uint8"):
            x = numbers((1, 3, 9, 11), dtype)
            up = partial(fastup.interpolate, size=(22, 37), mode=mode)
            yield f"{mode} {dtype} window", partial(up, x, window=window)
            yield f"{mode} {dtype} channels last", partial(up, _last(x), data_format="channels_last")
        yield f"{mode} bfloat16", partial(fastup.interpolate, numbers((1, 3, 9, 11), _bfloat16()), (22, 7), mode=mode)
        turned = numbers((1, 3, 11, 9), "float32").swapaxes(2, 3)
        yield f"{mode} turned", partial(fastup.interpolate, turned, (22, 7), mode=mode)
    for mode in ("bilinear", "bicubic"):
        for dtype in (*_FLOATS, "uint8"):
            x = numbers((1, 2, 9, 11), dtype)
            yield f"{mode} {dtype} aligned", partial(fastup.interpolate, x, (20, 5), mode=mode, align_corners=True)
    line, volume = numbers((1, 2, 40), "float32"), numbers((1, 2, 5, 6, 7), "float32")
    for mode in ("nearest", "nearest-exact", "cubic", "lanczos", "area", "n-linear"):
        yield f"{mode} 1-D", partial(fastup.interpolate, line, 63, mode=mode)
        yield f"{mode} 3-D", partial(fastup.interpolate, volume, (9, 4, 13), mode=mode)
    x = numbers((1, 2, 9, 11), "float32")
    yield "recomputed", partial(fastup.interpolate, x, None, 1.7, "bilinear", recompute_scale_factor=True)
    for rounding in ("round", "ceil"):
        yield f"rounding {rounding}", partial(fastup.interpolate, x, None, 1.7, rounding=rounding)
    long = numbers((1, 1, 700, 3), "float32")
    yield "long antialias", partial(fastup.interpolate, long, (11, 9), mode="bicubic", antialias=True)


def _bfloat16() -> Any:
    import ml_dtypes

    return ml_dtypes.bfloat16


def _last(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.ascontiguousarray(np.moveaxis(x, 1, -1))


def _copies_of_all_ranks() -> Calls:
    for rank in (1, 2, 3):
        x, window = numbers((1, 2 * 2**rank, *(4, 6, 8)[:rank]), "uint8"), (slice(1, 2),) * rank
        factor = (2,) * rank  # a number would mean two axes
        for function in (fastup.pixel_shuffle, fastup.pixel_unshuffle):
            name = f"{function.__name__} {rank}-D"
            yield name, partial(function, x, factor)
            yield f"{name} window", partial(function, x, factor, window=window)
            yield f"{name} channels last", partial(function, _last(x), factor, order="DCR", data_format="channels_last")
        yield f"zero_stuff {rank}-D", partial(fastup.zero_stuff, x, (3,) * rank, 1)
        yield (
            f"zero_stuff {rank}-D channels last",
            partial(fastup.zero_stuff, _last(x), (3,) * rank, data_format="channels_last"),
        )


def _convolutions_of_all_ranks() -> Calls:
    for rank in (1, 2, 3):
        x = numbers((2, 4, *(7, 8, 9)[:rank]), "float32")
        w, wide = numbers((6, 2, *(3,) * rank), "float32"), numbers((3 * 2**rank, 4, *(3,) * rank), "float32")
        b, spread = numbers((6,), "float32"), numbers((4, 3, *(4,) * rank), "float32")
        last, window = {"data_format": "channels_last"}, {"window": (slice(1, 4),) * rank}
        conv = partial(getattr(fastup, f"conv{rank}d"), weight=w, bias=b, stride=2, padding=1, groups=2)
        transposed = partial(getattr(fastup, f"conv_transpose{rank}d"), weight=spread, bias=b, stride=2, groups=2)
        subpixel = partial(getattr(fastup, f"subpixel_conv{rank}d"), weight=wide, upscale_factor=2, padding="same")
        for name, call in {"conv": conv, "conv_transpose": transposed, "subpixel_conv": subpixel}.items():
            yield f"{name} {rank}-D", partial(call, x)
            yield f"{name} {rank}-D channels last", partial(call, _last(x), **last)
            yield f"{name} {rank}-D window", partial(call, x, **window)
        yield f"conv {rank}-D dilated", partial(conv, x, dilation=2)
        yield f"conv_transpose {rank}-D dilated", partial(transposed, x, dilation=2, padding=1, output_padding=1)


def _options_of_convolutions() -> Calls:
    x, t, s = (numbers(shape, "float32") for shape in ((2, 6, 10, 11), (6, 4, 4, 4), (16, 6, 3, 3)))
    slopes = numbers((4,), "float32")
    for activation in ("relu", "leaky_relu", "tanh", "sigmoid", ("prelu", slopes)):
        name = activation if isinstance(activation, str) else "prelu"
        kept = {"activation": activation}
        yield f"transposed {name}", partial(fastup.conv_transpose2d, x, t, stride=2, padding=1, **kept)
        yield f"sub-pixel {name}", partial(fastup.subpixel_conv2d, x, s, upscale_factor=2, padding=1, **kept)
    w = numbers((8, 3, 3, 3), "float32")
    yield "pairs of paddings", partial(fastup.conv2d, x, w, padding=((0, 2), (1, 0)), groups=2)
    yield "packed", partial(fastup.conv2d, x, fastup.pack_weight(w), padding="valid", groups=2)
    yield "output size", partial(fastup.conv_transpose2d, x, t, stride=3, output_size=(32, 35))
    yield "depthwise", partial(fastup.conv2d, x, numbers((6, 1, 5, 5), "float32"), padding=2, groups=6)
    yield "pointwise", partial(fastup.conv2d, x, numbers((9, 6, 1, 1), "float32"))
    half = numbers((2, 6, 10, 11), _bfloat16()), numbers((8, 6, 3, 3), _bfloat16())
    yield "conv2d bfloat16", partial(fastup.conv2d, *half, activation="relu")
    yield "to sub-pixel", partial(_first, fastup.transposed_to_subpixel, t, 2, 1)
    yield "to transposed", partial(_first, fastup.subpixel_to_transposed, s, 2)


def _first(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments)[0]


def _pools_of_other_ranks() -> Calls:
    for rank in (1, 3):
        x = numbers((2, 3, *(8, 9, 10)[:rank]), "float32")
        pool, unpool = getattr(fastup, f"max_pool{rank}d"), getattr(fastup, f"max_unpool{rank}d")
        yield f"pool {rank}-D", partial(pool, x, 3, 2, 1, return_indices=True)
        yield f"pool {rank}-D dilated", partial(pool, x, 2, 1, 0, 2)
        values, indices = pool(x, 2, return_indices=True)
        yield f"unpool {rank}-D", partial(unpool, values, indices, 2, output_size=x.shape[2:])
    x = _last(numbers((2, 3, 13, 14), "uint8"))
    last = {"data_format": "channels_last"}
    yield "pool channels last", partial(fastup.max_pool2d, x, 2, return_indices=True, **last)
    values, indices = fastup.max_pool2d(x, 2, return_indices=True, **last)
    yield "unpool channels last", partial(fastup.max_unpool2d, values, indices, 2, **last)


def _options_of_labels() -> Calls:
    x, one = numbers((2, 5, 9, 10), "float32"), numbers((2, 1, 9, 10), "float32")
    for function in (fastup.upsample_argmax, fastup.upsample_softmax_max):
        name = function.__name__
        yield f"{name} bicubic", partial(function, x, (20, 7), mode="bicubic", align_corners=True)
        yield f"{name} uint8 labels", partial(function, x, scale_factor=2, dtype="uint8")
        yield f"{name} antialias", partial(function, x, (5, 4), antialias=True)
        yield f"{name} channels last", partial(function, _last(x), 31, data_format="channels_last")
        yield f"{name} window", partial(function, x, 31, window=(slice(4, 9), slice(20)))
        yield f"{name} 3-D", partial(function, numbers((1, 3, 4, 5, 6), "float32"), 9)
    yield "upsample_threshold nearest", partial(fastup.upsample_threshold, one, 30, 0.1, mode="nearest")
    yield "upsample_threshold window", partial(fastup.upsample_threshold, one, 30, window=(slice(4, 9), slice(20)))
