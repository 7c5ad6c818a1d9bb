"""Every message of the convolutions and of what belongs to them, in full."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastup
import fastup.export

X = np.zeros((1, 4, 5, 6), np.float32)
W = np.zeros((8, 4, 3, 3), np.float32)
T = np.zeros((4, 8, 3, 3), np.float32)
SPATIAL = "an integer or one integer per spatial axis"
PADDING = "an integer, one integer per spatial axis or one pair (before, after) per spatial axis"
FLOATS = "dtype float16, bfloat16, float32 or float64"


def conv(*arguments: Any, **keywords: Any) -> Callable[[], Any]:
    return lambda: fastup.conv2d(*arguments, **keywords)


def transpose(*arguments: Any, **keywords: Any) -> Callable[[], Any]:
    return lambda: fastup.conv_transpose2d(*arguments, **keywords)


def subpixel(*arguments: Any, **keywords: Any) -> Callable[[], Any]:
    return lambda: fastup.subpixel_conv2d(*arguments, **keywords)


def stuff(*arguments: Any, **keywords: Any) -> Callable[[], Any]:
    return lambda: fastup.zero_stuff(*arguments, **keywords)


TABLE: list[tuple[Callable[[], Any], type[Exception], str]] = [
    # arrays
    (conv(X, [[1.0]]), TypeError, "fastup: weight must be an array in the memory of the CPU, got list"),
    (conv(X, W, bias=[1.0]), TypeError, "fastup: bias must be an array in the memory of the CPU, got list"),
    (conv(X.astype(int), W.astype(int)), TypeError, f"conv2d: x must have {FLOATS}, got int64"),
    (conv(X, W.astype("f8")), TypeError, "conv2d: weight must have the dtype of x (float32), got float64"),
    (
        transpose(X, T, np.zeros(8)),
        TypeError,
        "conv_transpose2d: bias must have the dtype of x (float32), got float64",
    ),
    (conv(X, W, np.zeros(3, "f4")), ValueError, "conv2d: bias must have shape (8,), got (3,)"),
    (
        subpixel(X, W, np.zeros(2, "f4"), upscale_factor=2),
        ValueError,
        "subpixel_conv2d: bias must have shape (8,), got (2,)",
    ),
    # shapes
    (
        conv(X[0, 0], W),
        ValueError,
        "conv2d: x must have 4 dimensions, or 3 without a batch, got shape (5, 6)",
    ),
    (conv(X, W[0]), ValueError, "conv2d: weight must have 4 dimensions, got shape (4, 3, 3)"),
    (conv(X, W[:0]), ValueError, "conv2d: weight must have no axis of extent 0, got shape (0, 4, 3, 3)"),
    (
        conv(X, W[:, :3]),
        ValueError,
        "conv2d: channels of x must be 3 for weight of shape (8, 3, 3, 3), got 4 for x of shape (1, 4, 5, 6)",
    ),
    (
        conv(X, W, groups=2),
        ValueError,
        "conv2d: channels of x must be 8 for weight of shape (8, 4, 3, 3) * groups 2, got 4 "
        "for x of shape (1, 4, 5, 6)",
    ),
    (
        conv(np.zeros((1, 12, 5, 6), "f4"), W, groups=3),
        ValueError,
        "conv2d: axis 0 of weight must be divisible by groups 3, got 8",
    ),
    (
        transpose(X, T[:3]),
        ValueError,
        "conv_transpose2d: channels of x must be 3 for weight of shape (3, 8, 3, 3), got 4 for x of shape (1, 4, 5, 6)",
    ),
    (
        transpose(X, T, groups=3),
        ValueError,
        "conv_transpose2d: axis 0 of weight must be divisible by groups 3, got 4",
    ),
    (
        conv(X[..., :2, :], W),
        ValueError,
        "conv2d: padded input must be at least as large as the kernel (3, 3), got (2, 6) for x of shape (1, 4, 2, 6)",
    ),
    (
        conv(X, W, dilation=3),
        ValueError,
        "conv2d: padded input must be at least as large as the kernel (7, 7), got (5, 6) for x of shape (1, 4, 5, 6)",
    ),
    (
        transpose(X[..., :1, :1], T, padding=2),
        ValueError,
        "conv_transpose2d: result must have a size of at least 1, got (-1, -1) for x of shape (1, 4, 1, 1)",
    ),
    # numbers
    (conv(X, W, stride=0), ValueError, "conv2d: stride must be at least 1, got 0"),
    (conv(X, W, stride=1.5), TypeError, f"conv2d: stride must be {SPATIAL}, got 1.5"),
    (conv(X, W, stride=True), TypeError, f"conv2d: stride must be {SPATIAL}, got True"),
    (
        conv(X, W, stride=(1, 1, 1)),
        ValueError,
        "conv2d: stride must be one integer per spatial axis (2), got (1, 1, 1)",
    ),
    (conv(X, W, dilation=-1), ValueError, "conv2d: dilation must be at least 1, got -1"),
    (conv(X, W, groups=0), ValueError, "conv2d: groups must be at least 1, got 0"),
    (conv(X, W, groups=2.0), TypeError, "conv2d: groups must be an integer, got 2.0"),
    (conv(X, W, padding=-1), ValueError, "conv2d: padding must be at least 0, got -1"),
    (conv(X, W, padding=0.5), TypeError, f"conv2d: padding must be {PADDING}, got 0.5"),
    (conv(X, W, padding="full"), ValueError, "conv2d: padding must be 'same', 'valid' or numbers, got 'full'"),
    (
        conv(X, W, padding=(1, 1, 1)),
        ValueError,
        "conv2d: padding must have one entry per spatial axis (2), got (1, 1, 1)",
    ),
    (conv(X, W, padding=((1, 1, 1), 0)), ValueError, f"conv2d: padding must be {PADDING}, got ((1, 1, 1), 0)"),
    (conv(X, W, padding="same", stride=2), ValueError, "conv2d: stride must be 1 with padding='same', got (2, 2)"),
    (
        transpose(X, T, padding="same"),
        ValueError,
        "conv_transpose2d: padding must be 'same', 'valid' or numbers, got 'same'",
    ),
    (
        transpose(X, T, stride=2, output_padding=2),
        ValueError,
        "conv_transpose2d: output_padding must be smaller than stride or dilation, got (2, 2) "
        "with stride (2, 2) and dilation (1, 1)",
    ),
    (
        transpose(X, T, stride=2, output_size=(11, 20)),
        ValueError,
        "conv_transpose2d: output_size must be from (11, 13) to (12, 14) for x of shape (1, 4, 5, 6), got (11, 20)",
    ),
    (
        transpose(X, T, stride=2, output_size=11, output_padding=1),
        ValueError,
        "conv_transpose2d: output_padding must be 0 where output_size is given, got 1",
    ),
    (subpixel(X, W, upscale_factor=0), ValueError, "subpixel_conv2d: upscale_factor must be at least 1, got 0"),
    (
        subpixel(X, W, upscale_factor=3),
        ValueError,
        "subpixel_conv2d: output channels of weight must be divisible by 9 for upscale_factor (3, 3), got 8",
    ),
    # activations and layout
    (
        conv(X, W, activation="mish"),
        ValueError,
        "conv2d: activation must be one of 'none', 'relu', 'leaky_relu', 'prelu', 'tanh', 'sigmoid', 'silu', 'gelu', "
        "'gelu_tanh', 'hardswish', 'elu', 'softplus', got 'mish'",
    ),
    (conv(X, W, activation=1), TypeError, "conv2d: activation must be a string, got 1"),
    (
        conv(X, W, activation=("relu", 1)),
        ValueError,
        "conv2d: activation must be a name, ('leaky_relu', slope), ('elu', alpha), ('softplus', beta), "
        "('gelu', 'tanh') or ('prelu', slopes), got ('relu', 1)",
    ),
    (conv(X, W, activation=("leaky_relu", "a")), TypeError, "conv2d: slope of leaky_relu must be a number, got 'a'"),
    (
        conv(X, W, activation="prelu"),
        ValueError,
        "conv2d: activation 'prelu' must come with slopes, ('prelu', slopes), got 'prelu'",
    ),
    (
        conv(X, W, activation=("prelu", np.zeros(3, "f4"))),
        ValueError,
        "conv2d: slopes of prelu must have shape (8,), got (3,)",
    ),
    (
        conv(X, W, data_format="nchw"),
        ValueError,
        "conv2d: data_format must be one of 'channels_first', 'channels_last', got 'nchw'",
    ),
    # plans
    (
        lambda: fastup.run(fastup.plan.conv2d(X.shape, "f4", W.shape), X),
        ValueError,
        "run: operands must be a weight of shape (8, 4, 3, 3), a bias and slopes, got shapes []",
    ),
    (
        lambda: fastup.run(fastup.plan.conv2d(X.shape, "f4", W.shape), X, operands=(W[:4],)),
        ValueError,
        "run: operands must be a weight of shape (8, 4, 3, 3), a bias and slopes, got shapes [(4, 4, 3, 3)]",
    ),
    (
        lambda: fastup.run(fastup.plan.pixel_shuffle(X.shape, "f4", 2), X, operands=(W,)),
        ValueError,
        "run: operands must be empty for a plan of pixel_shuffle, got 1",
    ),
    (
        lambda: fastup.run(fastup.plan.pixel_shuffle(X.shape, "f4", 2), X, operands=5),
        TypeError,
        "run: operands must be a tuple of arrays, got int",
    ),
    # weights
    (lambda: fastup.pack_weight(X.astype(int)), TypeError, f"pack_weight: weight must have {FLOATS}, got int64"),
    (
        lambda: fastup.transposed_to_subpixel(X[0, 0], 2),
        ValueError,
        "transposed_to_subpixel: weight must have 3 to 5 axes, none of extent 0, got shape (5, 6)",
    ),
    (
        lambda: fastup.subpixel_to_transposed(W, 3),
        ValueError,
        "subpixel_to_transposed: weight must have output channels divisible by 9, got 8",
    ),
    # zero_stuff
    (stuff(X, 0), ValueError, "zero_stuff: stride must be at least 1, got 0"),
    (stuff(X, 2, -1), ValueError, "zero_stuff: padding must be at least 0, got -1"),
    (stuff(X[0, 0], 2), ValueError, "zero_stuff: x must have 3 to 5 dimensions, got shape (5, 6)"),
    # exporters
    (lambda: fastup.export.conv2d(X.shape), TypeError, "conv2d: weight must be an array, got None"),
    (
        lambda: fastup.export.conv2d(("N", "C", 5, 6), W),
        fastup.export.UnsupportedExport,
        "conv2d: channels must be a number, got 'C'",
    ),
    (
        lambda: fastup.export.conv2d(("N", 4, "H", 6), W, lowering="portable"),
        fastup.export.UnsupportedExport,
        "conv2d: lowering='portable' needs known spatial sizes, got 'H'; lowering='native' exports this call",
    ),
    (
        lambda: fastup.export.conv2d(("N", 4, "H", 6), W.astype("f8")),
        fastup.export.UnsupportedExport,
        "conv2d: onnxruntime has no float64 kernel of convolutions, and a table in its place would be unknown or "
        "larger than 1 MB; lowering='native' exports this call for other runtimes",
    ),
    (
        lambda: fastup.export.conv_transpose2d(("N", 4, "H", 6), T, stride=2, output_size=12),
        fastup.export.UnsupportedExport,
        "conv_transpose2d: output_size needs known spatial sizes; output_padding exports this call",
    ),
    (
        lambda: fastup.export.subpixel_conv2d(
            X.shape, W, np.arange(8, dtype="f4"), upscale_factor=2, subpixel="conv_transpose"
        ),
        fastup.export.UnsupportedExport,
        "subpixel_conv2d: subpixel='conv_transpose' needs the same bias in all phases",
    ),
    (
        lambda: fastup.export.subpixel_conv2d(X.shape, W, upscale_factor=2, subpixel="none"),
        ValueError,
        "subpixel_conv2d: subpixel must be one of 'conv', 'conv_transpose', got 'none'",
    ),
]


@pytest.mark.quick
@pytest.mark.parametrize(("call", "kind", "message"), TABLE, ids=[f"{row[2][:50]}-{k}" for k, row in enumerate(TABLE)])
def test_message(call: Callable[[], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as caught:
        call()
    assert type(caught.value) is kind
    assert str(caught.value) == message
