"""The filters of interpolation, and the modes that name them.

A new filter is a weight function and a record of `FILTERS`, and nothing elsewhere.
"""

from __future__ import annotations

import functools
import math
from typing import Any, Literal

import numpy as np

from fastup.plan import check
from fastup.plan.base import Array
from fastup.plan.sampling.filter import Filter, Form


def fma(a: Any, b: Any, c: Any, double: bool) -> Any:
    """The sum a * b + c in one rounding.

    In float64 the product of two float32 numbers is exact. For float64 the product's rounding error is found by
    Dekker's splitting and added at the end, which rounds a second time in about one of 2**50 cases.
    """
    if not double:
        # All three as float64: before NumPy 2 an array without axes gives way to a float32 one.
        return (np.asarray(a, np.float64) * np.asarray(b, np.float64) + np.asarray(c, np.float64)).astype(np.float32)
    a, b, c = (np.asarray(value, np.float64) for value in (a, b, c))
    product = a * b
    (a_high, a_low), (b_high, b_low) = _split(a), _split(b)
    error = a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)
    total = product + c
    part = total - product
    return total + (((product - (total - part)) + (c - part)) + error)


def _split(value: Any) -> tuple[Any, Any]:
    scaled = value * 134_217_729.0  # 2**27 + 1
    high = scaled - (scaled - value)
    return high, value - high


def triangle(x: Array) -> Array:
    """The weights of linear interpolation."""
    return np.asarray(np.maximum(0.0, 1 - np.abs(x)))


def _linear(past: Array, _double: bool) -> Array:
    return np.stack([1 - past, past], axis=1)


def keys(a: float, x: Array) -> Array:
    """Keys' cubic kernel."""
    x = np.abs(x)
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))


# Products and sums are contracted where torch 2.13's compiled code contracts them (x86-64 with FMA).
def _cubic(past: Array, double: bool) -> Array:
    """Keys' kernel with a = -0.75; the last sum of each polynomial is not contracted."""
    one = past.dtype.type(1)

    def near(x: Array) -> Array:
        return np.asarray(fma(1.25, x, -2.25, double) * x * x + one)

    def far(x: Array) -> Array:
        inner = fma(fma(-0.75, x, 3.75, double), x, -6.0, double)
        return np.asarray(inner * x + past.dtype.type(3))

    rest = one - past
    return np.stack([far(past + one), near(past), near(rest), far(rest + one)], axis=1)


def _stretched_cubic(x: Array, double: bool) -> Array:
    """Keys' kernel with a = -0.5, every sum contracted."""
    x = np.abs(x)
    near = fma(fma(1.5, x, -2.5, double) * x, x, 1.0, double)
    far = fma(fma(fma(-0.5, x, 2.5, double), x, -4.0, double), x, 2.0, double)
    return np.where(x < 1, near, np.where(x < 2, far, 0)).astype(x.dtype)


def lanczos3(x: Array) -> Array:
    """sinc(x) sinc(x / 3) within three pixels."""
    return np.where(np.abs(x) < 3, _sinc(x) * _sinc(x / 3), 0.0)


def _sinc(x: Array) -> Array:
    """sin(pi x) / (pi x), by the series of the sine about the nearest whole x.

    NumPy's sine is not the same everywhere: NumPy 1.24 on AVX-512 errs by units in the last place that others do not.
    """
    whole = np.rint(x)
    past = x - whole
    square = (np.pi * past) ** 2
    series = np.ones_like(x)
    for power in range(20, 0, -2):  # of at most (pi / 2)**2, whose eleventh term is below 1e-17
        series = 1 - square / (power * (power + 1)) * series
    folded = np.divide(past, x, out=np.ones_like(x), where=x != 0)
    return np.asarray((1 - 2 * (whole % 2)) * series * folded)


def _sine_lanczos3(x: Array) -> Array:
    """As torch writes it, with the C library's sine: another order of operations would be other 16-bit weights."""

    def sinc(value: float) -> float:
        return math.sin(value * math.pi) / (value * math.pi) if value else 1.0

    flat = [sinc(v) * sinc(v / 3) if abs(v) < 3 else 0.0 for v in x.ravel().tolist()]
    return np.array(flat).reshape(x.shape)


_SOFT, _SHARP = functools.partial(keys, -0.5), functools.partial(keys, -0.75)  # torch's, with and without antialias
_ANTIALIAS = {"antialias": 1, "exclude_outside": 1}  # the filter is cut off at the edges, as torch does
_CUBIC = {"mode": "cubic", "cubic_coeff_a": -0.75}
_FLOOR = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
# round_prefer_ceil is floor(x + 0.5).
_CENTRE = {"mode": "nearest", "coordinate_transformation_mode": "half_pixel", "nearest_mode": "round_prefer_ceil"}

FILTERS: dict[str, Filter] = {
    record.name: record
    for record in (
        Filter("nearest", 0, Form(onnx=_FLOOR), copies_at=0.0, digits=(0, 0)),
        Filter("nearest-exact", 0, Form(onnx=_CENTRE), copies_at=0.5, digits=(0, 0)),
        Filter(
            "linear",
            1,
            Form(triangle, _linear, triangle, {"mode": "linear"}),
            Form(triangle, None, triangle, {"mode": "linear", **_ANTIALIAS}),
            any_rank="n-linear",
            ranked={1: "linear", 2: "bilinear", 3: "trilinear"},
            align_corners=True,
            heeds_scale=False,
            reads_zeros=True,
            clamps=True,
            digits=(1, 0),
        ),
        Filter(
            "cubic",
            2,
            Form(_SHARP, _cubic, _SHARP, _CUBIC),
            Form(_SOFT, _stretched_cubic, _SOFT, {**_CUBIC, "cubic_coeff_a": -0.5, **_ANTIALIAS}),
            ranked={2: "bicubic"},
            align_corners=True,
            reads_zeros=True,
            digits=(3, 2),
        ),
        Filter("lanczos", 3, Form(lanczos3), Form(lanczos3, fixed=_sine_lanczos3)),
        Filter("area", 0, Form(), averages=True, heeds_scale=False, digits=(0, 0)),
    )
}

# The same names for type checkers; a test compares them.
AxisMode = Literal["nearest", "nearest-exact", "linear", "cubic", "lanczos", "area"]
Mode = Literal[
    "nearest", "nearest-exact", "area", "cubic", "lanczos", "n-linear", "linear", "bilinear", "bicubic", "trilinear"
]


def modes() -> dict[str, tuple[Filter, int | None]]:
    """Every mode: its filter, and the number of spatial axes that it demands; in the order of messages."""
    records = FILTERS.values()
    free = sorted(records, key=lambda record: (not record.copies, record.mode))
    ranked = [(rank, record) for rank in (1, 2, 3) for record in records if rank in record.ranked]
    return {
        **{record.mode: (record, None) for record in free},
        **{record.ranked[rank]: (record, rank) for rank, record in ranked},
    }


MODES = tuple(modes())


def of_axes(op: str, mode: Any, shape: tuple[int, ...], rank: int) -> tuple[Filter, ...]:
    """What happens along each axis."""
    if isinstance(mode, tuple):
        if len(mode) != rank:
            entries = "1 entry" if rank == 1 else f"{rank} entries"
            check.invalid(f"{op}: mode must have {entries} for x of shape {shape}, got {mode}")
        return tuple(FILTERS[check.choice(op, "mode of an axis", name, tuple(FILTERS))] for name in mode)
    known = modes()
    record, wanted = known[check.choice(op, "mode", mode, tuple(known))]
    if wanted not in (None, rank):
        check.invalid(
            f"{op}: mode {mode!r} must be given x of {wanted + 2} dimensions (mode {record.mode!r} takes any),"
            f" got shape {shape}"
        )
    return (record,) * rank


def check_options(op: str, mode: Any, filters: tuple[Filter, ...], align_corners: bool | None, antialias: bool) -> None:
    """Refuse options that none of the axes has."""
    if align_corners is not None and not any(record.half for record in filters):
        check.invalid(f"{op}: align_corners must be None for mode {mode!r}, got {align_corners!r}")
    if align_corners and not any(record.align_corners for record in filters):
        check.invalid(f"{op}: align_corners must be None or False for mode {mode!r}, got True")
    if antialias and not any(record.stretched for record in filters):
        check.invalid(f"{op}: antialias must be False for mode {mode!r}, got True")


def check_dtype(op: str, filters: tuple[Filter, ...], dtype: np.dtype[Any]) -> None:
    """Refuse dtypes that the filters cannot take."""
    (check.movable if all(record.copies for record in filters) else check.numeric)(op, dtype)
