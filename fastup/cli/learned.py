"""The learned layer of ``fastup fit``: its file, the small pictures that it is fitted on, and its use."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import fastup

Array = np.ndarray[Any, Any]
Pair = tuple[int, int]
_FORMAT = 1
_ALPHA = (2, 4)  # numbers of channels of which the last is alpha


class Layer(NamedTuple):
    """The weights (product of the factors, 1, *kernel) and what they are for."""

    weight: Array
    factor: Pair

    @property
    def kernel(self) -> Pair:
        """Extents of the neighbourhood."""
        height, width = self.weight.shape[2:]
        return height, width


def write(layer: Layer, path: Path) -> None:
    """Write an .npz under exactly this name."""
    with path.open("wb") as file:
        np.savez(file, weight=layer.weight, factor=layer.factor, kernel_size=layer.kernel, format_version=_FORMAT)


def read(path: Path) -> Layer:
    """The layer of a file that `write` wrote."""
    try:
        # Opened here, since np.load leaves files that are no archive open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            found = {key: stored[key] for key in ("weight", "factor", "kernel_size", "format_version")}
    except (ValueError, OSError, TypeError, AttributeError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"upscale: weights must be a file that fastup fit wrote, got {path} ({error})") from None
    if found["format_version"].tolist() != _FORMAT:
        version = found["format_version"].tolist()
        raise ValueError(f"upscale: weights must have the format version {_FORMAT}, got {version} in {path}")
    weight, factor, kernel = found["weight"], found["factor"], found["kernel_size"]
    fits = factor.shape == kernel.shape == (2,) and factor.dtype.kind == kernel.dtype.kind == "i"
    shape = (math.prod(factor.tolist()), 1, *kernel.tolist()) if fits else ()
    if weight.shape != shape or weight.dtype != np.float32 or not (kernel % 2).all() or not np.isfinite(weight).all():
        raise ValueError(f"upscale: weights must be a file that fastup fit wrote, got {path} (its entries do not fit)")
    return Layer(weight, (int(factor[0]), int(factor[1])))


def largest(pixels: Array) -> float:
    """White: the largest integer of the dtype, or 1."""
    return float(np.iinfo(pixels.dtype).max) if pixels.dtype.kind in "iu" else 1.0


def pair(pixels: Array, factor: Pair, kernel: Pair, name: object) -> tuple[Array, Array]:
    """Small and large colour planes (C, H, W) of a picture (H, W, C): without alpha, cut to a multiple of the factor.

    The small one is made by antialiased bicubic interpolation and rounded to the picture's dtype, as a file holds it.
    """
    size = [extent // r for extent, r in zip(pixels.shape[:2], factor, strict=True)]
    if any(extent < k for extent, k in zip(size, kernel, strict=True)):
        least, got = [k * r for k, r in zip(kernel, factor, strict=True)], pixels.shape
        raise ValueError(
            f"fit: pictures must be at least {least[1]}x{least[0]} pixels, got {got[1]}x{got[0]} in {name}"
        )
    colours = pixels[: size[0] * factor[0], : size[1] * factor[1], : pixels.shape[2] - (pixels.shape[2] in _ALPHA)]
    large = np.ascontiguousarray(np.moveaxis(colours, -1, 0))
    return fastup.interpolate(large[None], size=size, mode="bicubic", antialias=True)[0], large


def in_unit(pixels: Array) -> Array:
    """Pixels from 0 to 1, so that pictures of 8 and 16 bits count alike; floats as they are."""
    values = pixels.astype(_computed(pixels))
    values /= largest(pixels)
    return values


def _computed(pixels: Array) -> np.dtype[Any]:
    """float32, or float64 for integers of 32 bits."""
    return np.result_type(pixels.dtype, np.float32)


def enlarge(planes: Array, layer: Layer) -> Array:
    """Planes (C, H, W) enlarged, rounded and clipped to their dtype; alpha is a plane like any other.

    The edge is repeated, since zeros beyond it would darken the border.
    """
    computed = _computed(planes)
    weight = layer.weight.astype(computed)
    beyond = [(k // 2, k // 2) for k in layer.kernel]
    size = [extent * r for extent, r in zip(planes.shape[1:], layer.factor, strict=True)]
    result = np.empty((len(planes), *size), planes.dtype)
    for plane, large in zip(planes, result, strict=True):
        padded = np.pad(plane.astype(computed), beyond, "edge")[None]
        y = fastup.subpixel_conv2d(padded, weight, upscale_factor=layer.factor)[0]
        if planes.dtype.kind in "iu":
            limits = np.iinfo(planes.dtype)
            np.clip(np.rint(y, out=y), limits.min, limits.max, out=y)
        large[...] = y
    return result
