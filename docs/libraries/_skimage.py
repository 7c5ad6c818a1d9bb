"""skimage.transform.resize, and scipy.ndimage.zoom below it."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from docs.libraries import NO_ANTIALIAS, OTHER_ROUNDING, Array, Library, Resize, Setting, planes, version

_SPLINE = "a cubic B-spline through all pixels, not Keys' cubic of four"
_CLIPPED = f"{_SPLINE}; results are clipped to the input's range"
_WHY = {
    (0, False): OTHER_ROUNDING,
    (0, True): "a Gaussian filter before",
    (1, False): NO_ANTIALIAS,
    (1, True): "when shrinking, a Gaussian filter before in place of a wider triangle",
    (3, False): _CLIPPED,
    (3, True): f"{_CLIPPED}; when shrinking, a Gaussian filter before",
}
_ZOOM_WHY = {
    (0, False): "nearest with corners aligned, which fastup has not",
    (0, True): OTHER_ROUNDING,
    (1, False): "its grid_mode=False is align_corners=True",
    (1, True): NO_ANTIALIAS,
    (3, False): _SPLINE,
    (3, True): _SPLINE,
}


def library() -> Library:
    """Three orders, without and with the Gaussian filter before."""
    settings = [
        Setting(
            f"order={order}, anti_aliasing={smoothed}",
            _resize(order, smoothed),
            f'transform.resize(x, size, order={order}, mode="edge", anti_aliasing={smoothed})',
            why,
        )
        for (order, smoothed), why in _WHY.items()
    ]
    about = (
        '`skimage.transform.resize(x, size, order=..., mode="edge", anti_aliasing=..., preserve_range=True)` plane by '
        'plane; of uint8 it gives floats, which were rounded. With mode="reflect", its default, edges differ.'
    )
    return Library("scikit-image", version("scikit-image"), about, settings)


def scipy_library() -> Library:
    """The same orders, with both of zoom's grids."""
    settings = [
        Setting(
            f"order={order}, grid_mode={grid}",
            _zoom(order, grid),
            f'ndimage.zoom(x, zoom, order={order}, mode="nearest", grid_mode={grid})',
            why,
        )
        for (order, grid), why in _ZOOM_WHY.items()
    ]
    about = '`scipy.ndimage.zoom(x, zoom, order=..., mode="nearest", grid_mode=...)` plane by plane.'
    return Library("SciPy", version("scipy"), about, settings)


def _resize(order: int, smoothed: bool) -> Resize:
    transform: Any = importlib.import_module("skimage.transform")  # untyped

    def resize(x: Array, size: tuple[int, ...]) -> Array:
        y = transform.resize(x, size, order=order, mode="edge", anti_aliasing=smoothed, preserve_range=True)
        return np.asarray(y if x.dtype.kind == "f" else np.rint(y)).astype(x.dtype)

    return planes(resize)


def _zoom(order: int, grid: bool) -> Resize:
    ndimage: Any = importlib.import_module("scipy.ndimage")  # untyped

    def resize(x: Array, size: tuple[int, ...]) -> Array:
        zoom = [after / before for after, before in zip(size, x.shape, strict=True)]
        return np.asarray(ndimage.zoom(x, zoom, order=order, mode="nearest", grid_mode=grid))

    return planes(resize)
