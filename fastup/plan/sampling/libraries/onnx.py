"""ONNX's coordinate rules: what an output position of Resize reads along one axis, in float64.

Formulas: the text of Resize-19, and where it is silent (the taps of the filters) what its reference gives.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from fastup.plan.base import Array
from fastup.plan.sampling.filter import Filter
from fastup.plan.sampling.rule import Rule

COORDINATES = (
    "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric", "tf_half_pixel_for_nn",
    "tf_crop_and_resize",
)  # fmt: skip
NEAREST_MODES = ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")


@dataclass(frozen=True)
class OnnxRule(Rule):
    """How an axis is sampled.

    Attributes
    ----------
    coordinates : str
        The attribute coordinate_transformation_mode.
    scale : float
        Output positions per input position.
    width : float
        Length of the output as the rule counts it; with `scales` ONNX's tests leave it a fraction.
    nearest : str
        The attribute nearest_mode.
    exclude_outside : bool
        Whether taps beyond the edges are left out, and the others sum to 1; else they read the edge.
    region : (float, float)
        Start and end of the cut of tf_crop_and_resize, as parts of the input.
    filter : Filter
        What weighs the pixels around a coordinate, or copies one.
    antialias : bool
        Whether the filter is stretched where the axis shrinks.
    """

    coordinates: str
    scale: float
    width: float
    nearest: str = "round_prefer_floor"
    exclude_outside: bool = False
    region: tuple[float, float] = (0.0, 1.0)
    filter: Filter = field(kw_only=True)
    antialias: bool = False

    def most_taps(self, n_in: int, n_out: int) -> int:
        """Twice the filter's half, stretched, and one to spare."""
        stretch = max(1.0, 1.0 / self.scale) if self.antialias else 1.0
        return min(n_in, 2 * math.ceil(self.filter.half * stretch) + 1)

    def taps(self, position: Array, n_in: int, n_out: int) -> tuple[Array, Array]:
        """All of them inside."""
        x = sources(self, position, n_in)
        if self.filter.copies:
            first = np.clip(_rounded(self.nearest, x), 0, n_in - 1).astype(np.int64)
            return first, np.ones((len(first), 1))
        whole = np.floor(x)
        offsets, weights = _weights(self, x - whole)
        read = whole.astype(np.int64)[:, None] + offsets
        if self.exclude_outside:
            weights = np.where((read < 0) | (read >= n_in), 0.0, weights)
            weights = weights / weights.sum(axis=1, keepdims=True)
        return _inside(np.clip(read, 0, n_in - 1), weights)


def sources(rule: OnnxRule, position: Array, n_in: int) -> Array:
    """The input coordinate of each output position."""
    x, kind = position.astype(np.float64), rule.coordinates
    if kind == "align_corners":
        return np.zeros_like(x) if rule.width == 1 else x * (n_in - 1) / (rule.width - 1)
    if kind == "asymmetric":
        return x / rule.scale
    if kind == "tf_half_pixel_for_nn":
        return (x + 0.5) / rule.scale
    if kind == "tf_crop_and_resize":
        start, end = rule.region
        if rule.width == 1:
            return np.full_like(x, 0.5 * (start + end) * (n_in - 1))
        return start * (n_in - 1) + x * (end - start) * (n_in - 1) / (rule.width - 1)
    if kind == "pytorch_half_pixel" and rule.width <= 1:
        return np.zeros_like(x)
    centred = (x + 0.5) / rule.scale - 0.5
    if kind == "half_pixel_symmetric":
        # The whole positions of a fractional output stand in its middle.
        return centred + n_in / 2 * (1 - math.floor(rule.width) / (rule.scale * n_in))
    return centred


def outside(rule: OnnxRule, position: Array, n_in: int) -> Array:
    """Which output positions take the extrapolation value."""
    x = sources(rule, position, n_in)
    return (x < 0) | (x > n_in - 1)


def _rounded(nearest: str, x: Array) -> Array:
    rounded: Array = {
        "round_prefer_floor": lambda: np.ceil(x - 0.5),
        "round_prefer_ceil": lambda: np.floor(x + 0.5),
        "floor": lambda: np.floor(x),
        "ceil": lambda: np.ceil(x),
    }[nearest]()
    return rounded


def _weights(rule: OnnxRule, past: Array) -> tuple[Array, Array]:
    """Taps relative to the position before the coordinate, and their weights; stretched by antialias."""
    narrowing = min(rule.scale, 1.0) if rule.antialias else 1.0
    start = int(np.floor(-rule.filter.half / narrowing)) + 1
    offsets = np.arange(start, 2 - start)
    weights = rule.filter.sampled.weight((offsets - past[:, None]) * narrowing)
    return offsets, weights / weights.sum(axis=1, keepdims=True) if rule.antialias else weights


def _inside(read: Array, weights: Array) -> tuple[Array, Array]:
    """Taps that read the same position as one, so that all of them lie side by side."""
    first = read.min(axis=1)
    merged = np.zeros((len(read), int((read - first[:, None]).max(initial=0)) + 1))
    np.add.at(merged, (np.arange(len(read))[:, None], read - first[:, None]), weights)
    return first, merged
