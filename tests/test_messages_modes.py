"""Messages of interpolate about its smooth modes and windows, in full."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastup
import fastup.nn
from tests.test_messages import V, X, assert_message

W = np.zeros((1, 1, 2, 3, 4), np.float32)
SLICES = "a tuple of slices, one per spatial axis"
AXIS_MODES = "'nearest', 'nearest-exact', 'linear', 'cubic', 'lanczos', 'area'"
NUMERIC = "an integer dtype, float16, bfloat16, float32 or float64 for this mode"
PLAN = fastup.plan.interpolate(X.shape, X.dtype, 8, mode="bilinear")


def resize(*arguments: Any, **keywords: Any) -> Callable[[], Any]:
    return lambda: fastup.interpolate(*arguments, **keywords)


def pixels(dtype: Any) -> Any:
    return np.zeros((1, 1, 2, 2), dtype)


TABLE: list[tuple[Callable[[], Any], type[Exception], str]] = [
    # a mode per axis
    (
        resize(X, 2, mode=("linear",)),
        ValueError,
        "interpolate: mode must have 2 entries for x of shape (1, 8, 4, 6), got ('linear',)",
    ),
    (
        resize(X, 2, mode=["linear", "nearest", "area"]),
        ValueError,
        "interpolate: mode must have 2 entries for x of shape (1, 8, 4, 6), got ('linear', 'nearest', 'area')",
    ),
    (
        resize(V, 2, mode=("linear", "linear")),
        ValueError,
        "interpolate: mode must have 1 entry for x of shape (1, 3, 8), got ('linear', 'linear')",
    ),
    (
        resize(X, 2, mode=("linear", "quadratic")),
        ValueError,
        f"interpolate: mode of an axis must be one of {AXIS_MODES}, got 'quadratic'",
    ),
    (
        resize(X, 2, mode=("bilinear", "nearest")),
        ValueError,
        f"interpolate: mode of an axis must be one of {AXIS_MODES}, got 'bilinear'",
    ),
    (resize(X, 2, mode=("linear", 3)), TypeError, "interpolate: mode of an axis must be a string, got 3"),
    # torch's names belong to a rank
    (
        resize(V, 2, mode="bilinear"),
        ValueError,
        "interpolate: mode 'bilinear' must be given x of 4 dimensions (mode 'n-linear' takes any), got shape (1, 3, 8)",
    ),
    (
        resize(W, 2, mode="bicubic"),
        ValueError,
        "interpolate: mode 'bicubic' must be given x of 4 dimensions (mode 'cubic' takes any),"
        " got shape (1, 1, 2, 3, 4)",
    ),
    (
        resize(X, 2, mode="linear"),
        ValueError,
        "interpolate: mode 'linear' must be given x of 3 dimensions (mode 'n-linear' takes any),"
        " got shape (1, 8, 4, 6)",
    ),
    (
        resize(X, 2, mode="trilinear"),
        ValueError,
        "interpolate: mode 'trilinear' must be given x of 5 dimensions (mode 'n-linear' takes any),"
        " got shape (1, 8, 4, 6)",
    ),
    (
        lambda: fastup.nn.UpsamplingBilinear2d(2)(V),
        ValueError,
        "interpolate: mode 'bilinear' must be given x of 4 dimensions (mode 'n-linear' takes any), got shape (1, 3, 8)",
    ),
    # options
    (
        resize(X, 2, mode="area", align_corners=False),
        ValueError,
        "interpolate: align_corners must be None for mode 'area', got False",
    ),
    (
        resize(X, 2, mode=("nearest", "area"), align_corners=True),
        ValueError,
        "interpolate: align_corners must be None for mode ('nearest', 'area'), got True",
    ),
    (
        resize(X, 2, mode="lanczos", align_corners=True, antialias=True),
        ValueError,
        "interpolate: align_corners must be None or False for mode 'lanczos', got True",
    ),
    (
        resize(X, 2, mode=("lanczos", "area"), align_corners=True),
        ValueError,
        "interpolate: align_corners must be None or False for mode ('lanczos', 'area'), got True",
    ),
    (
        resize(X, 2, mode="bilinear", align_corners="yes"),
        TypeError,
        "interpolate: align_corners must be True or False, got 'yes'",
    ),
    (
        resize(X, 2, mode="nearest-exact", antialias=True),
        ValueError,
        "interpolate: antialias must be False for mode 'nearest-exact', got True",
    ),
    (
        resize(X, 2, mode="area", antialias=True),
        ValueError,
        "interpolate: antialias must be False for mode 'area', got True",
    ),
    (
        resize(X, 2, mode=("nearest", "area"), antialias=True),
        ValueError,
        "interpolate: antialias must be False for mode ('nearest', 'area'), got True",
    ),
    # dtypes
    (resize(pixels(bool), 2, mode="bilinear"), TypeError, f"interpolate: x must have {NUMERIC}, got dtype bool"),
    (resize(pixels("c8"), 2, mode="area"), TypeError, f"interpolate: x must have {NUMERIC}, got dtype complex64"),
    (
        resize(pixels("c16"), 2, mode=("nearest", "linear")),
        TypeError,
        f"interpolate: x must have {NUMERIC}, got dtype complex128",
    ),
    (
        resize(pixels(np.longdouble), 2, mode="lanczos"),
        TypeError,
        f"interpolate: x must have {NUMERIC}, got dtype {np.dtype(np.longdouble)}",
    ),
    (resize(pixels(object), 2, mode="cubic"), TypeError, f"interpolate: x must have {NUMERIC}, got dtype object"),
    # sizes
    (resize(X, (0, 3), mode="bilinear"), ValueError, "interpolate: size must be at least 1, got 0"),
    (
        resize(X, scale_factor=0.1, mode="bicubic"),
        ValueError,
        "interpolate: scale_factor must give sizes of at least 1, got 0.1, which gives (0, 0)"
        " for x of shape (1, 8, 4, 6)",
    ),
    (
        resize(X, scale_factor=1e-40, mode="bilinear", rounding="ceil"),
        ValueError,
        "interpolate: scale_factor must have a reciprocal in float32, got 1e-40",
    ),
    (
        resize(X.astype("float64"), scale_factor=1e-310, mode="bilinear", rounding="ceil"),
        ValueError,
        "interpolate: scale_factor must have a reciprocal in float64, got 1e-310",
    ),
    (
        resize(X.astype("int64"), scale_factor=1e-310, mode="bilinear", rounding="ceil"),
        ValueError,
        "interpolate: scale_factor must have a reciprocal in float64, got 1e-310",
    ),
    (
        resize(pixels("float32"), 2**22, mode="bilinear"),
        MemoryError,
        "interpolate: result of shape (1, 1, 4194304, 4194304) and dtype float32 needs 70368744177664 bytes,"
        " more than there are",
    ),
    # windows
    (resize(X, 2, window=3), TypeError, f"interpolate: window must be {SLICES}, got 3"),
    (resize(X, 2, window=slice(1, 2)), TypeError, f"interpolate: window must be {SLICES}, got slice(1, 2, None)"),
    (resize(X, 2, window=(1, 2)), TypeError, f"interpolate: window must be {SLICES}, got (1, 2)"),
    (
        resize(X, 2, window=(..., slice(1))),
        TypeError,
        f"interpolate: window must be {SLICES}, got (Ellipsis, slice(None, 1, None))",
    ),
    (resize(X, 2, window=(slice(0.5), slice(2))), TypeError, f"interpolate: window must be {SLICES}, got 0.5"),
    (resize(X, 2, window=(slice(True), slice(2))), TypeError, f"interpolate: window must be {SLICES}, got True"),
    (
        resize(X, 2, window=(slice(0, 2, 2), slice(2))),
        ValueError,
        "interpolate: window must have slices of step 1, got slice(0, 2, 2)",
    ),
    (
        resize(X, 2, window=(slice(2), slice(2, 0, -1))),
        ValueError,
        "interpolate: window must have slices of step 1, got slice(2, 0, -1)",
    ),
    (
        resize(X, 9, window=(slice(2),)),
        ValueError,
        "interpolate: window must have 2 slices for a result of size (9, 9), got 1",
    ),
    (
        resize(V, 9, window=(slice(2),) * 2),
        ValueError,
        "interpolate: window must have 1 slice for a result of size (9,), got 2",
    ),
    (
        resize(X, 9, window=(slice(2), slice(3, 10))),
        ValueError,
        "interpolate: window must lie within the result of size (9, 9), got :2, 3:10",
    ),
    (
        resize(X, 9, window=(slice(-10, None), slice(3))),
        ValueError,
        "interpolate: window must lie within the result of size (9, 9), got -10:, :3",
    ),
    (lambda: PLAN.input_window(3), TypeError, f"interpolate: window must be {SLICES}, got 3"),
    (lambda: PLAN.input_window((1, 2)), TypeError, f"interpolate: window must be {SLICES}, got (1, 2)"),
    (
        lambda: PLAN.input_window((slice(2),)),
        ValueError,
        "interpolate: window must have 2 slices for a result of size (8, 8), got 1",
    ),
    (lambda: PLAN.indices, ValueError, "interpolate: indices must be asked of a nearest mode, got 'bilinear'"),
    (
        resize(X, 1, mode="area", out=np.zeros((1, 8, 2, 2), np.float32)),
        ValueError,
        "interpolate: out must have shape (1, 8, 1, 1) for x of shape (1, 8, 4, 6), got (1, 8, 2, 2)",
    ),
]


@pytest.mark.quick
@pytest.mark.parametrize(("call", "kind", "message"), TABLE, ids=[message[:90] for _, _, message in TABLE])
def test_message(call: Callable[[], Any], kind: type[Exception], message: str) -> None:
    assert_message(call, kind, message)
