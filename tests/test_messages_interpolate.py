"""Messages of interpolate about any mode, in full."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastup
from tests.test_messages import NUMBER, SPATIAL, V, X, assert_message


def resize(*arguments: Any, **keywords: Any) -> Callable[[], Any]:
    return lambda: fastup.interpolate(*arguments, **keywords)


TABLE: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (
        resize(np.zeros((1, 4, 2, 2), "S3"), 2),
        TypeError,
        "interpolate: x must have items of 1, 2, 4, 8 or 16 bytes without Python objects, got dtype |S3",
    ),
    (resize(np.zeros((4, 4)), 2), ValueError, "interpolate: x must have 3, 4 or 5 dimensions, got shape (4, 4)"),
    (
        resize(np.zeros((1, 1, 0, 4)), 2),
        ValueError,
        "interpolate: spatial sizes must be at least 1, got (0, 4) for x of shape (1, 1, 0, 4)",
    ),
    (
        resize(X, 2, mode="quadratic"),
        ValueError,
        "interpolate: mode must be one of 'nearest', 'nearest-exact', 'area', 'cubic', 'lanczos', 'n-linear', 'linear',"
        " 'bilinear', 'bicubic', 'trilinear', got 'quadratic'",
    ),
    (resize(X, 2, mode=2), TypeError, "interpolate: mode must be a string, got 2"),
    (
        resize(X, 2, data_format=None),
        TypeError,
        "interpolate: data_format must be a string, got None",
    ),
    (
        resize(X, 2, rounding="up"),
        ValueError,
        "interpolate: rounding must be one of 'floor', 'round', 'ceil', got 'up'",
    ),
    (resize(X), ValueError, "interpolate: give exactly one of size and scale_factor, got neither"),
    (resize(X, 2, 2), ValueError, "interpolate: give exactly one of size and scale_factor, got both"),
    (resize(X, 2.0), TypeError, f"interpolate: size must be {SPATIAL}, got 2.0"),
    (resize(X, True), TypeError, f"interpolate: size must be {SPATIAL}, got True"),
    (resize(X, 0), ValueError, "interpolate: size must be at least 1, got 0"),
    (resize(X, (4, -1)), ValueError, "interpolate: size must be at least 1, got -1"),
    (resize(X, (4,)), ValueError, "interpolate: size must have 2 entries for x of shape (1, 8, 4, 6), got (4,)"),
    (resize(V, (4, 4)), ValueError, "interpolate: size must have 1 entry for x of shape (1, 3, 8), got (4, 4)"),
    (
        resize(X, scale_factor=(2.0, 2.0, 2.0)),
        ValueError,
        "interpolate: scale_factor must have 2 entries for x of shape (1, 8, 4, 6), got (2.0, 2.0, 2.0)",
    ),
    (resize(X, scale_factor="2"), TypeError, f"interpolate: scale_factor must be {NUMBER}, got '2'"),
    (resize(X, scale_factor=True), TypeError, f"interpolate: scale_factor must be {NUMBER}, got True"),
    (resize(X, scale_factor=[2, None]), TypeError, f"interpolate: scale_factor must be {NUMBER}, got None"),
    (
        resize(X, scale_factor=float("nan")),
        ValueError,
        "interpolate: scale_factor must be finite and greater than 0, got nan",
    ),
    (
        resize(X, scale_factor=(2, float("inf"))),
        ValueError,
        "interpolate: scale_factor must be finite and greater than 0, got inf",
    ),
    (
        resize(X, scale_factor=1e-40, rounding="ceil"),
        ValueError,
        "interpolate: scale_factor must have a reciprocal in float32, got 1e-40",
    ),
    (
        resize(X, scale_factor=10**310),
        ValueError,
        f"interpolate: scale_factor must be finite and greater than 0, got {str(10**310)[:120]}...",
    ),
    (resize(X, scale_factor=0), ValueError, "interpolate: scale_factor must be finite and greater than 0, got 0"),
    (resize(X, scale_factor=-2), ValueError, "interpolate: scale_factor must be finite and greater than 0, got -2"),
    (
        resize(X, scale_factor=0.1),
        ValueError,
        "interpolate: scale_factor must give sizes of at least 1, got 0.1, which gives (0, 0)"
        " for x of shape (1, 8, 4, 6)",
    ),
    (
        resize(X, 2**40),
        ValueError,
        "interpolate: result must be smaller than 2**63 bytes, got shape (1, 8, 1099511627776, 1099511627776)"
        " and dtype float32",
    ),
    (
        resize(X, scale_factor=1e308),
        ValueError,
        "interpolate: result must be smaller than 2**63 bytes, got scale_factor 1e+308",
    ),
    (
        resize(np.zeros((1, 1, 1, 2), np.uint8), (2**20, 2**40)),
        MemoryError,
        "interpolate: result of shape (1, 1, 1048576, 1099511627776) and dtype uint8 needs 1152921504606846976 bytes,"
        " more than there are",
    ),
    (
        resize(np.zeros((1, 1, 2, 2), np.uint8), 2**24),
        MemoryError,
        "interpolate: result of shape (1, 1, 16777216, 16777216) and dtype uint8 needs 281474976710656 bytes,"
        " more than there are",
    ),
    (
        resize(X, 2, align_corners=True),
        ValueError,
        "interpolate: align_corners must be None for mode 'nearest', got True",
    ),
    (
        resize(X, 2, mode="nearest-exact", align_corners=False),
        ValueError,
        "interpolate: align_corners must be None for mode 'nearest-exact', got False",
    ),
    (resize(X, 2, antialias=True), ValueError, "interpolate: antialias must be False for mode 'nearest', got True"),
    (resize(X, 2, antialias=1), TypeError, "interpolate: antialias must be True or False, got 1"),
    (
        resize(X, 2, recompute_scale_factor="yes"),
        TypeError,
        "interpolate: recompute_scale_factor must be True or False, got 'yes'",
    ),
    (
        resize(X, 2, recompute_scale_factor=True),
        ValueError,
        "interpolate: recompute_scale_factor must be None or False when size is given, got True",
    ),
    (resize(X, 2, threads=0), ValueError, "interpolate: threads must be at least 1, got 0"),
    (resize(X, 2, threads=1.5), TypeError, "interpolate: threads must be an integer, got 1.5"),
    (resize(X, 2, threads=int), TypeError, "interpolate: threads must be an integer, got <class 'int'>"),
]


@pytest.mark.quick
@pytest.mark.parametrize(("call", "kind", "message"), TABLE, ids=[message[:90] for _, _, message in TABLE])
def test_message(call: Callable[[], Any], kind: type[Exception], message: str) -> None:
    assert_message(call, kind, message)
