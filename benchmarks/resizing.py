"""Cells of resizing by convention: the peer is the library whose pixels they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks import peers
from benchmarks.cell import Array, Cell, Way

_SHRUNK, _GROWN = (720, 1280), (2160, 3840)


def _method(cell: Cell) -> str:
    return str(cell.keywords["like"]).partition("/")[2]


def _fresh(call: Callable[[], Any]) -> Way:
    return Way(call, None, lambda: np.asarray(call()))


def _pillow(cell: Cell, x: Array, y: Array) -> Way:
    from PIL import Image

    image, method = Image.fromarray(x), getattr(Image.Resampling, _method(cell).upper())
    height, width = cell.keywords["size"]
    return _fresh(lambda: image.resize((width, height), method))


def _opencv(cell: Cell, x: Array, y: Array) -> Way:
    import cv2

    cv2.setNumThreads(peers.threads())
    cv2.ipp.setUseIPP(False)
    method = getattr(cv2, f"INTER_{_method(cell).upper()}")
    height, width = cell.keywords["size"]
    target = np.empty_like(y)
    return Way(
        lambda: cv2.resize(x, (width, height), interpolation=method),
        lambda: cv2.resize(x, (width, height), dst=target, interpolation=method),
        lambda: cv2.resize(x, (width, height), interpolation=method),
    )


def _tensorflow(cell: Cell, x: Array, y: Array) -> Way:
    import tensorflow as tf

    method, smooth = _method(cell).removesuffix("-antialias"), _method(cell).endswith("-antialias")
    image = tf.constant(x)
    return _fresh(lambda: tf.image.resize(image, cell.keywords["size"], method, antialias=smooth).numpy())


def _jax(cell: Cell, x: Array, y: Array) -> Way:
    import jax

    image, shape = jax.numpy.asarray(x), (*cell.keywords["size"], x.shape[2])
    resize = jax.jit(lambda one: jax.image.resize(one, shape, _method(cell)))
    return _fresh(lambda: resize(image).block_until_ready())


def _scipy(cell: Cell, x: Array, y: Array) -> Way:
    from scipy import ndimage

    order, _, mode = _method(cell).partition("-")
    factors = [m / n for n, m in zip(x.shape, y.shape, strict=True)]
    return _fresh(lambda: ndimage.zoom(x, factors, order=int(order), mode=mode))


def _skimage(cell: Cell, x: Array, y: Array) -> Way:
    from skimage import transform

    resize: Any = transform.resize
    return _fresh(lambda: resize(x, cell.keywords["size"], order=int(_method(cell))))


def _rows() -> Iterator[tuple[str, Any, tuple[str, ...], float, float]]:
    """Library, its way, methods, the ratio to reach, and how far values may be apart."""
    yield "pillow", _pillow, ("nearest", "box", "bilinear", "hamming", "bicubic", "lanczos", "mks2013"), 2.5, 0.0
    methods = ("nearest", "nearest_exact", "linear", "linear_exact", "cubic", "area", "lanczos4")
    yield "opencv", _opencv, methods, 1.2, 0.0
    yield "tensorflow", _tensorflow, ("bilinear", "bicubic", "area", "lanczos3-antialias"), 4.0, 1e-3
    yield "jax", _jax, ("linear", "cubic"), 4.0, 1e-2
    yield "scipy", _scipy, ("1-mirror", "3-mirror"), 4.0, 1.0
    yield "skimage", _skimage, ("1", "3"), 4.0, 1e-6


_FLOATS = ("opencv", "tensorflow", "jax", "scipy", "skimage")


def drawn(generator: np.random.Generator, shape: tuple[int, ...], size: tuple[int, ...]) -> Cell:
    """A cell of any convention, of bytes or of float32 where the library takes such pictures."""
    rows = list(_rows())
    library, way, methods, target, tolerance = rows[int(generator.integers(len(rows)))]
    dtype = str(generator.choice(["uint8", "float32"])) if library in _FLOATS else "uint8"
    shape = shape if shape[2] > 1 or library in ("tensorflow", "jax") else shape[:2]
    keywords: dict[str, Any] = {"size": size, "like": f"{library}/{generator.choice(methods)}"}
    if library == "pillow" and shape[2:] == (4,):
        keywords["alpha"] = True
    return Cell("resize", shape, keywords, dtype, target, None, {library: way}, tolerance)


CELLS = (
    *(
        Cell("resize", (1080, 1920, 3), {"size": size, "like": f"{library}/{name}"}, "uint8", target, None,
             {library: way}, tolerance)
        for library, way, methods, target, tolerance in _rows()
        for size in (_SHRUNK, _GROWN)
        for name in methods
    ),
    Cell("resize", (1080, 1920, 4), {"size": _SHRUNK, "like": "pillow/bicubic"}, "uint8", 2.5,
         peers={"pillow": _pillow}),
    Cell("resize", (3000, 4000, 3), {"size": (224, 224), "like": "pillow/bilinear"}, "uint8", 2.5,
         peers={"pillow": _pillow}),
    Cell("resize", (1080, 1920), {"size": _SHRUNK, "like": "pillow/lanczos"}, "float32", 2.5,
         peers={"pillow": _pillow}),
    *(
        Cell("resize", (1080, 1920, 3), {"size": _SHRUNK, "like": f"opencv/{name}"}, "float32", 1.2,
             peers={"opencv": _opencv})
        for name in ("linear", "cubic", "area")
    ),
)  # fmt: skip
