"""How a picture is resized: its size, the rule of interpolation, and what pixels are turned into meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import fastup
from fastup.pictures.light import Curves, curves
from fastup.pictures.reading import Array, Picture
from fastup.plan.base import Plan

MODES = ("nearest", "nearest-exact", "area", "bilinear", "bicubic", "lanczos")
SMOOTHED = ("bilinear", "bicubic", "lanczos")  # modes that have antialias
Point = Callable[[Array], Array]
Layer = Callable[[Array], Array]
STRETCH, FIT, FILL, CROP = "stretch", "fit", "fill", "crop"


@dataclass(frozen=True)
class Geometry:
    """The size that is asked for: a factor, height and width, or the longest side.

    Attributes
    ----------
    scale : float, or None
    size : tuple of int, or None
        Height and width, or one number: the longest side.
    how : str
        What `size` is where a picture has another aspect: its size (`STRETCH`), a frame to fit into (`FIT`) or to fill
        (`FILL`), of which the middle is kept (`CROP`).
    """

    scale: float | None
    size: tuple[int, ...] | None
    how: str = STRETCH

    def of(self, height: int, width: int) -> tuple[int, int] | None:
        """Height and width of the result before it is cropped; None where the factor says it."""
        if self.size is None:
            return None
        if len(self.size) == 1:
            factor = self.size[0] / max(height, width)
        elif self.how == STRETCH:
            return self.size[0], self.size[1]
        else:
            factor = (min if self.how == FIT else max)(self.size[0] / height, self.size[1] / width)
        return max(1, round(height * factor)), max(1, round(width * factor))

    def cropped(self, size: tuple[int, int]) -> tuple[slice, slice]:
        """The part of a result that is kept."""
        if self.how != CROP or self.size is None:
            return slice(0, size[0]), slice(0, size[1])
        begins = [(whole - part) // 2 for whole, part in zip(size, self.size, strict=True)]
        rows, columns = (slice(b, b + part) for b, part in zip(begins, self.size, strict=True))
        return rows, columns


@dataclass(frozen=True)
class Rule:
    """Who says what pixels become: a mode of `interpolate`, a convention of `resize`, or a layer that was fitted."""

    mode: str = "bicubic"
    antialias: bool = True
    align_corners: bool = False
    like: str | None = None
    layer: Layer | None = None
    factor: tuple[int, int] = (1, 1)

    @property
    def moves(self) -> bool:
        """Whether pixels are only moved, never mixed."""
        name = self.like.partition("/")[2] if self.like else self.mode
        return self.layer is None and name.startswith("nearest")

    @property
    def weights(self) -> bool:
        """Whether colours are weighted by alpha here: a convention does what its library does."""
        return self.like is None and not self.moves

    def plan(self, shape: tuple[int, ...], dtype: np.dtype[Any], geometry: Geometry) -> Plan:
        """The plan for a frame (height, width, channels)."""
        size = geometry.of(shape[0], shape[1])
        if self.like is not None:
            return fastup.plan.resize(shape, dtype, size, scale_factor=geometry.scale, like=self.like)
        mode: Any = self.mode
        antialias, aligned = self.antialias and mode in SMOOTHED, self.align_corners or None
        return fastup.plan.interpolate(
            (1, *shape), dtype, size, geometry.scale, mode, aligned, None, antialias, data_format="channels_last"
        )

    def size(self, shape: tuple[int, ...], dtype: np.dtype[Any], geometry: Geometry) -> tuple[int, int]:
        """Height and width of the result before it is cropped."""
        if self.layer is not None:
            return shape[0] * self.factor[0], shape[1] * self.factor[1]
        plan = self.plan(shape, dtype, geometry)
        first = 0 if self.like is not None else 1
        return plan.output_shape[first], plan.output_shape[first + 1]

    def run(self, pixels: Array, geometry: Geometry, threads: int | None) -> Array:
        """One frame (height, width, channels)."""
        if self.layer is not None:
            return np.moveaxis(self.layer(np.moveaxis(pixels, -1, 0)), 0, -1)
        plan = self.plan(pixels.shape, pixels.dtype, geometry)
        if self.like is not None:
            return np.asarray(fastup.run(plan, pixels, threads=threads))
        made: Array = np.asarray(fastup.run(plan, pixels[None], threads=threads))[0]
        return made


@dataclass(frozen=True)
class Working:
    """What pixels are while they are resized, and the way there and back, both pixel by pixel."""

    dtype: np.dtype[Any]
    before: Point
    after: Point


def _same(pixels: Array) -> Array:
    return pixels


def working(picture: Picture, rule: Rule, linear: bool) -> Working:
    """For the pixels of a picture: colours weighted by alpha, as light."""
    curve = _curves(picture) if linear and not rule.moves else None
    weighted = picture.alpha and rule.weights
    if curve is None and not weighted:
        return Working(picture.dtype, _same, _same)
    wide = np.dtype(np.float32 if picture.dtype.itemsize <= 2 or picture.dtype == np.float32 else np.float64)
    way = _Way(picture.dtype, wide, curve, picture.alpha, weighted)
    return Working(wide, way.there, way.back)


def _curves(picture: Picture) -> Curves | None:
    """Those of samples; floats are light already."""
    if picture.kind not in ("grey", "rgb"):
        raise ValueError(f"{picture.name}: --linear-light takes grey and RGB pictures, not {picture.kind}")
    if picture.dtype.kind == "f":
        return None
    if picture.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"{picture.name}: --linear-light takes samples of 8 and 16 bits, not {picture.dtype}")
    return curves(picture.kind, picture.properties.icc)


@dataclass(frozen=True)
class _Way:
    """Samples -> light, weighted by alpha, and back."""

    dtype: np.dtype[Any]
    wide: np.dtype[Any]
    curve: Curves | None
    alpha: bool
    weighted: bool

    @property
    def opaque(self) -> float:
        return float(np.iinfo(self.dtype).max) if self.dtype.kind in "iu" else 1.0

    def there(self, pixels: Array) -> Array:
        made = np.empty(pixels.shape, self.wide)
        colours = slice(0, -1) if self.alpha else slice(None)
        made[..., colours] = self.curve.light(pixels[..., colours]) if self.curve else pixels[..., colours]
        if self.alpha:
            np.divide(pixels[..., -1], self.opaque, out=made[..., -1], dtype=self.wide)
        if self.weighted:
            made[..., :-1] *= made[..., -1:]
        return made

    def back(self, made: Array) -> Array:
        pixels = np.empty(made.shape, self.dtype)
        colours = made[..., :-1] if self.alpha else made
        if self.alpha:
            alpha = np.clip(made[..., -1:], 0, 1)
            pixels[..., -1:] = self._rounded(alpha * self.wide.type(self.opaque))
        if self.weighted:
            colours = np.divide(colours, alpha, out=np.zeros_like(colours), where=alpha > 0)
        found = self.curve.samples(colours, self.dtype) if self.curve else self._rounded(colours)
        pixels[..., : colours.shape[-1]] = found
        return pixels

    def _rounded(self, values: Array) -> Array:
        """Values of samples."""
        if self.dtype.kind not in "iu":
            return values
        limits = np.iinfo(self.dtype)
        return np.clip(np.rint(values), limits.min, limits.max)
