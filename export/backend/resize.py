"""ONNX's Resize and Upsample by fastup's resampler: the axes of a plan follow ONNX's rules instead of torch's."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fastup import operators
from fastup.plan import InterpolatePlan
from fastup.plan.sampling.axis import Axis
from fastup.plan.sampling.filter import Filter, Form
from fastup.plan.sampling.filters import FILTERS, keys
from fastup.plan.sampling.libraries.onnx import COORDINATES, NEAREST_MODES, OnnxRule, outside

Array = np.ndarray[Any, Any]
_AT_ONCE = 3  # axes of one plan
_FLOATS = ("float16", "bfloat16", "float32", "float64")


class Attributes(NamedTuple):
    """What a Resize says, beside its inputs."""

    mode: str = "nearest"
    coordinates: str = "half_pixel"
    nearest: str = "round_prefer_floor"
    cubic_coeff_a: float = -0.75
    exclude_outside: bool = False
    extrapolation_value: float = 0.0
    antialias: bool = False
    policy: str = "stretch"


def resize(
    x: Array,
    scales: Sequence[float] | None,
    sizes: Sequence[int] | None,
    roi: Sequence[float] | None,
    axes: Sequence[int] | None,
    given: Attributes,
    follow: str,
) -> Array:
    """The result; with `follow` "onnx" a fractional length counts as ONNX's tests count it, else as runtimes do."""
    _check(given)
    axes = [axis % x.ndim for axis in (range(x.ndim) if axes is None else axes)]
    targets = _targets(x, axes, scales, sizes, given.policy)
    regions = [(0.0, 1.0)] * len(axes) if not roi else list(zip(roi[: len(axes)], roi[len(axes) :], strict=True))
    rules, record = {}, _filter(given)
    for axis, (scale, size), region in zip(axes, targets, regions, strict=True):
        width = scale * x.shape[axis] if follow == "onnx" and scales else float(size)
        rule = OnnxRule(
            given.coordinates, scale, width, given.nearest, given.exclude_outside, region,
            filter=record, antialias=given.antialias,
        )  # fmt: skip
        if size != x.shape[axis] or not _copies(rule, given, x.shape[axis]):
            rules[axis] = (rule, size)
    y = _resampled(x, rules, given)
    if given.coordinates == "tf_crop_and_resize":
        for axis, (rule, size) in rules.items():
            beyond = outside(rule, np.arange(size), x.shape[axis])
            y[(slice(None),) * axis + (beyond,)] = given.extrapolation_value
    return y


def _filter(given: Attributes) -> Filter:
    if given.mode == "cubic":
        return Filter("cubic", 2, Form(functools.partial(keys, given.cubic_coeff_a)))
    return FILTERS[given.mode]


def _check(given: Attributes) -> None:
    for name, value, known in (
        ("mode", given.mode, ("nearest", "linear", "cubic")),
        ("coordinate_transformation_mode", given.coordinates, COORDINATES),
        ("nearest_mode", given.nearest, NEAREST_MODES),
        ("keep_aspect_ratio_policy", given.policy, ("stretch", "not_larger", "not_smaller")),
    ):
        if value not in known:
            raise ValueError(f"Resize: {name} must be one of {', '.join(known)}, got {value!r}")


def _targets(
    x: Array, axes: Sequence[int], scales: Sequence[float] | None, sizes: Sequence[int] | None, policy: str
) -> list[tuple[float, int]]:
    """Scale and size of each axis."""
    extents = [x.shape[axis] for axis in axes]
    if sizes is None or not len(sizes):
        if scales is None or len(scales) != len(axes):
            raise ValueError(
                f"Resize: scales or sizes must be given for {len(axes)} axes, got {scales!r} and {sizes!r}"
            )
        return [(float(scale), math.floor(n * float(scale))) for scale, n in zip(scales, extents, strict=True)]
    if policy == "stretch":
        return [(int(size) / n, int(size)) for size, n in zip(sizes, extents, strict=True)]
    ratios = [int(size) / n for size, n in zip(sizes, extents, strict=True)]
    scale = min(ratios) if policy == "not_larger" else max(ratios)
    return [(scale, math.floor(scale * n + 0.5)) for n in extents]


def _copies(rule: OnnxRule, given: Attributes, n: int) -> bool:
    """Whether every position of an axis that keeps its size stays as it is."""
    if given.coordinates == "tf_crop_and_resize":
        return rule.region == (0.0, 1.0) and rule.width == n
    return rule.scale == 1 and given.coordinates != "tf_half_pixel_for_nn"


def _resampled(x: Array, rules: dict[int, tuple[OnnxRule, int]], given: Attributes) -> Array:
    """Integers are summed in float64, and rounded once, half to even, saturated."""
    if not rules:
        return x.copy()
    moves = given.mode == "nearest"
    if x.dtype.kind in "iu" and len(rules) <= _AT_ONCE:
        return _some_axes(x, rules, given)
    y = x if moves or x.dtype.name in _FLOATS else x.astype(np.float64)
    left = sorted(rules)
    while left:
        y, left = _some_axes(y, {axis: rules[axis] for axis in left[:_AT_ONCE]}, given), left[_AT_ONCE:]
    if y.dtype == x.dtype:
        return y
    limits = np.iinfo(x.dtype)
    return np.clip(np.rint(y), limits.min, limits.max).astype(x.dtype)


def _some_axes(x: Array, rules: dict[int, tuple[OnnxRule, int]], given: Attributes) -> Array:
    """Up to three axes, moved behind all others and resampled by one plan."""
    last = list(range(x.ndim - len(rules), x.ndim))
    moved = np.moveaxis(x, list(rules), last)
    outer = moved.shape[: x.ndim - len(rules)]
    extents = moved.shape[len(outer) :]
    flat = moved.reshape(1, math.prod(outer), *extents)
    double = x.dtype == np.float64 or (x.dtype.kind in "iu" and given.mode != "nearest")
    axes = tuple(
        Axis(rule.filter, n, size, 1 / rule.scale, False, True, double, False, (0, size), rule)
        for n, (rule, size) in zip(extents, rules.values(), strict=True)
    )
    sizes = tuple(size for _, size in rules.values())
    shape = (1, math.prod(outer), *sizes)
    if 0 in shape:
        return np.zeros((*outer, *sizes), x.dtype)
    plan = InterpolatePlan(
        "interpolate", flat.shape, flat.dtype, "channels_first", shape, sizes, None, given.mode, False, True, axes
    )
    return np.moveaxis(operators.run(plan, flat).reshape(*outer, *sizes), last, list(rules))
