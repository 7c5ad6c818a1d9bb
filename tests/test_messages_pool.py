"""Every message of max pooling, of unpooling and of their exporters, in full."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastup
import fastup.export
from tests.test_messages import assert_message

X = np.zeros((1, 2, 8, 6), np.float32)
V, I = np.zeros((1, 2, 4, 3), np.float32), np.zeros((1, 2, 4, 3), np.int64)  # noqa: E741
SPATIAL = "an integer or one integer per spatial axis"
NUMBERS = "an integer dtype, float16, bfloat16, float32 or float64 for max pooling"


def pool(*arguments: Any, **keywords: Any) -> Callable[[], Any]:
    return lambda: fastup.max_pool2d(*arguments, **keywords)


def unpool(*arguments: Any, **keywords: Any) -> Callable[[], Any]:
    return lambda: fastup.max_unpool2d(*arguments, **keywords)


def overlapping_pair() -> Any:
    memory = np.zeros((1, 2, 4, 3), np.int64)
    values = memory.reshape(-1)[:12].view(np.float32).reshape(1, 2, 4, 3)
    return fastup.max_pool2d(X, 2, return_indices=True, out=(values, memory))


def over_its_indices() -> Any:
    memory = np.zeros((1, 2, 8, 6), np.int64)
    return fastup.max_unpool2d(V.astype(np.int64), memory.reshape(-1)[:24].reshape(V.shape), 2, out=memory)


TABLE: list[tuple[Callable[[], Any], type[Exception], str]] = [
    # arrays
    (pool([[1]], 2), TypeError, "fastup: x must be an array in the memory of the CPU, got list"),
    (pool(X > 0, 2), TypeError, f"max_pool2d: x must have {NUMBERS}, got dtype bool"),
    (pool(X.astype("c8"), 2), TypeError, f"max_pool2d: x must have {NUMBERS}, got dtype complex64"),
    (pool(X[0, 0], 2), ValueError, "max_pool2d: x must have 4 dimensions, or 3 without a batch, got shape (8, 6)"),
    (unpool(V, I.tolist(), 2), TypeError, "fastup: indices must be an array in the memory of the CPU, got list"),
    (unpool(V, None, 2), TypeError, "max_unpool2d: indices must have dtype int64, got None"),
    (unpool(V, I.astype("i4"), 2), TypeError, "max_unpool2d: indices must have dtype int64, got int32"),
    (unpool(V, I.astype("u8"), 2), TypeError, "max_unpool2d: indices must have dtype int64, got uint64"),
    (
        unpool(V, I[..., :2], 2),
        ValueError,
        "max_unpool2d: indices must have the shape of x (1, 2, 4, 3), got (1, 2, 4, 2)",
    ),
    (
        unpool(V.astype("S3"), I, 2),
        TypeError,
        "max_unpool2d: x must have items of 1, 2, 4, 8 or 16 bytes without Python objects, got dtype |S3",
    ),
    (
        unpool(V, I + 48, 2),
        ValueError,
        "max_unpool2d: indices must be from 0 to 47 for a result of shape (1, 2, 8, 6), got 48 at (0, 0, 0, 0)",
    ),
    # windows
    (pool(X, 2.0), TypeError, f"max_pool2d: kernel_size must be {SPATIAL}, got 2.0"),
    (pool(X, True), TypeError, f"max_pool2d: kernel_size must be {SPATIAL}, got True"),
    (pool(X, 0), ValueError, "max_pool2d: kernel_size must be at least 1, got 0"),
    (pool(X, (2, 2, 2)), ValueError, "max_pool2d: kernel_size must be one integer per spatial axis (2), got (2, 2, 2)"),
    (pool(X, 2, 0), ValueError, "max_pool2d: stride must be at least 1, got 0"),
    (pool(X, 2, padding=-1), ValueError, "max_pool2d: padding must be at least 0, got -1"),
    (
        pool(X, 2, padding=2),
        ValueError,
        "max_pool2d: padding must be at most half of kernel_size, got (2, 2) with kernel_size (2, 2)",
    ),
    (pool(X, 2, dilation=0), ValueError, "max_pool2d: dilation must be at least 1, got 0"),
    (pool(X, 2**70), ValueError, f"max_pool2d: kernel_size must be less than 2**63, got {2**70}"),
    (pool(X, 2**40), ValueError, f"max_pool2d: kernel_size must be less than 2**31, got ({2**40}, {2**40})"),
    (pool(X, 2, (1, 2**31)), ValueError, f"max_pool2d: stride must be less than 2**31, got (1, {2**31})"),
    (pool(X, 2, dilation=2**62), ValueError, f"max_pool2d: dilation must be less than 2**31, got ({2**62}, {2**62})"),
    (pool(X, 2, ceil_mode=1), TypeError, "max_pool2d: ceil_mode must be True or False, got 1"),
    (pool(X, 2, return_indices=None), TypeError, "max_pool2d: return_indices must be True or False, got None"),
    (
        pool(X, 2, data_format="NCHW"),
        ValueError,
        "max_pool2d: data_format must be one of 'channels_first', 'channels_last', got 'NCHW'",
    ),
    # sizes
    (
        pool(X, 7),
        ValueError,
        "max_pool2d: result must have a size of at least 1, got (1, 0) for x of shape (1, 2, 8, 6)",
    ),
    (
        unpool(V[:, :, :1], I[:, :, :1], 2, padding=1),
        ValueError,
        "max_unpool2d: result must have a size of at least 1, got (0, 4) for x of shape (1, 2, 1, 3)",
    ),
    (
        unpool(V, I, 2, output_size=(10, 6)),
        ValueError,
        "max_unpool2d: output_size must be from (7, 5) to (9, 7) for x of shape (1, 2, 4, 3), got (10, 6)",
    ),
    (
        unpool(V, I, 2**40),
        ValueError,
        f"max_unpool2d: result must be smaller than 2**63 bytes, got shape (1, 2, {2**42}, {3 * 2**40})"
        " and dtype float32",
    ),
    # out
    (
        pool(X, 2, return_indices=True, out=V.copy()),
        TypeError,
        "max_pool2d: out must be a tuple of 2 arrays, got ndarray",
    ),
    (
        pool(X, 2, return_indices=True, out=(V.copy(), I.astype("i4"))),
        ValueError,
        "max_pool2d: out must have dtype int64, got int32",
    ),
    (
        pool(X, 2, out=(V.copy(), I.copy())),
        TypeError,
        "max_pool2d: out must be an array of the same kind as x, got tuple",
    ),
    (
        overlapping_pair,
        ValueError,
        "max_pool2d: out must not share memory with another array of the call, got arrays that overlap",
    ),
    (
        over_its_indices,
        ValueError,
        "max_unpool2d: out must not share memory with another array of the call, got arrays that overlap",
    ),
    # plans
    (
        lambda: fastup.run(fastup.plan.max_unpool2d(V.shape, "float32", 2), V),
        ValueError,
        "run: operands must be the indices for a plan of max_unpool2d, got 0 arrays",
    ),
    (
        lambda: fastup.run(fastup.plan.max_unpool2d(V.shape, "float32", 2), V, operands=(I[..., :2],)),
        ValueError,
        "run: indices must have the shape of x (1, 2, 4, 3), got (1, 2, 4, 2)",
    ),
    # export
    (
        lambda: fastup.export.max_pool2d(X.shape, 2, dtype="int64"),
        fastup.export.UnsupportedExport,
        "max_pool2d: onnxruntime compares no int64; cast to int32 or float64 first",
    ),
    (
        lambda: fastup.export.max_unpool2d((1, 2, "H", 3), 2, lowering="native"),
        fastup.export.UnsupportedExport,
        "max_unpool2d: lowering='native' needs known sizes; lowering='portable' exports this call",
    ),
    (
        lambda: fastup.export.max_unpool2d(V.shape, 2, dtype="uint8", lowering="native"),
        fastup.export.UnsupportedExport,
        "max_unpool2d: lowering='native' needs a floating dtype of ONNX's MaxUnpool;"
        " lowering='portable' exports this call",
    ),
    (
        lambda: fastup.export.max_unpool2d((1, "C", 4, 3), 2),
        fastup.export.UnsupportedExport,
        "max_unpool2d: channels must be a number, got 'C'",
    ),
]


@pytest.mark.quick
@pytest.mark.parametrize(("call", "kind", "message"), TABLE, ids=[f"{row[2][:50]}-{k}" for k, row in enumerate(TABLE)])
def test_message(call: Callable[[], Any], kind: type[Exception], message: str) -> None:
    assert_message(call, kind, message)
