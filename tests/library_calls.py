"""Seeded calls of other libraries' resize: the pictures, what fastup is asked for, and what the library gives.

`python -m tests.make_library_data` stores digests of the libraries' results, so that parity is tested without them.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import fastup

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class LibraryCall:
    """One picture and one resize of it."""

    picture: Array
    size: tuple[int, ...]
    method: str
    options: dict[str, Any] = field(default_factory=dict)
    mode: str = ""  # of a picture of Pillow

    def __str__(self) -> str:
        return f"{self.method} {self.mode} {self.picture.shape} {self.picture.dtype} {self.size} {self.options}"


def digest(array: Array) -> str:
    """A short one of shape, dtype and content; all NaN are the same."""
    if array.dtype.kind == "f":
        array = np.where(np.isnan(array), np.array(np.nan, array.dtype), array)
    content = np.ascontiguousarray(array).tobytes() + f"{array.shape}{array.dtype.str}".encode()
    return hashlib.sha256(content).hexdigest()[:16]


def numbers(generator: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Array:
    """All values of the dtype, with many at its ends: overshoots are cut off there."""
    kind = np.dtype(dtype)
    if kind.kind == "f":
        values = generator.standard_normal(shape) * 10.0 ** generator.integers(-3, 6)
        return values.astype(kind)
    low, high = np.iinfo(kind).min, np.iinfo(kind).max
    values = generator.integers(low, high, shape, kind, endpoint=True)
    return np.where(generator.random(shape) < 0.3, generator.choice([low, high], shape), values).astype(kind)


def extents(generator: np.random.Generator, most: int) -> tuple[int, int, int, int]:
    """Height and width before and after: any, of one pixel, very unlike, equal along an axis, or of a whole ratio."""
    n, m, h, w = (int(one) for one in generator.integers(1, most, 4))
    kind = generator.integers(0, 8)
    if kind == 0:
        n = 1
    elif kind == 1:
        m, w = int(generator.integers(1, 6)), int(generator.integers(1, 6))
    elif kind == 2:
        h = n
    elif kind == 3:
        w = m
    elif kind == 4:
        h, w = max(1, n // 2), max(1, m // 3)
    return n, m, h, w


PILLOW_MODES = {
    "L": (np.uint8, 0),
    "LA": (np.uint8, 2),
    "RGB": (np.uint8, 3),
    "RGBA": (np.uint8, 4),
    "CMYK": (np.uint8, 4),
    "I;16": (np.uint16, 0),
    "I": (np.int32, 0),
    "F": (np.float32, 0),
}
PILLOW_METHODS = ("nearest", "box", "bilinear", "hamming", "bicubic", "lanczos", "mks2013", "mks2021")


def pillow_calls(count: int, seed: int = 0, most: int = 90, methods: tuple[str, ...] = PILLOW_METHODS) -> Iterator[Any]:
    """Calls of Image.resize."""
    generator = np.random.default_rng(seed)
    for number in range(count):
        mode = list(PILLOW_MODES)[number % len(PILLOW_MODES)]
        method = methods[number // len(PILLOW_MODES) % len(methods)]
        dtype, channels = PILLOW_MODES[mode]
        height, width, h, w = extents(generator, most)
        picture = numbers(generator, (height, width, channels) if channels else (height, width), dtype)
        options: dict[str, Any] = {}
        if generator.random() < 0.4:
            left, right = np.sort(generator.uniform(0, width, 2))
            top, bottom = np.sort(generator.uniform(0, height, 2))
            if generator.random() < 0.4:
                left, top = float(np.floor(left)), float(np.floor(top))
            if right - left > 0.01 and bottom - top > 0.01:
                options["box"] = (float(left), float(top), float(right), float(bottom))
        if mode != "I;16" and generator.random() < 0.3:
            options["reducing_gap"] = float(generator.choice([1.0, 1.5, 2.0, 3.0]))
        yield LibraryCall(picture, (h, w), method, options, mode)


def pillow(call: LibraryCall) -> Array:
    """What the installed Pillow gives."""
    from PIL import Image

    height, width = call.picture.shape[:2]
    image = Image.frombytes(call.mode, (width, height), np.ascontiguousarray(call.picture).tobytes())
    method = getattr(Image.Resampling, call.method.upper())
    made = image.resize((call.size[1], call.size[0]), method, **call.options)
    return np.frombuffer(made.tobytes(), call.picture.dtype).reshape((*call.size, *call.picture.shape[2:]))


OPENCV_METHODS = ("nearest", "nearest_exact", "linear", "linear_exact", "cubic", "area", "lanczos4")


def opencv_calls(count: int, seed: int = 0, most: int = 90) -> Iterator[Any]:
    """Calls of cv2.resize; a quarter of them shrinks by whole factors."""
    generator = np.random.default_rng(seed)
    for number in range(count):
        height, width, h, w = extents(generator, most)
        if number % 8 == 0:
            height, width = 2 * h, 2 * w
        elif number % 8 == 1:
            height, width = (int(one) for one in generator.integers(1, 6, 2) * (h, w))
        dtype = (np.uint8, np.uint16, np.float32)[number % 3]
        channels = int(generator.integers(0, 5))
        picture = numbers(generator, (height, width, channels) if channels else (height, width), dtype)
        yield LibraryCall(picture, (h, w), OPENCV_METHODS[number // 3 % len(OPENCV_METHODS)])


def opencv(call: LibraryCall) -> Array:
    """What the installed OpenCV gives without Intel's library."""
    import cv2

    cv2.ipp.setUseIPP(call.mode == "ipp")
    method = getattr(cv2, f"INTER_{call.method.upper()}")
    made = cv2.resize(call.picture, (call.size[1], call.size[0]), interpolation=method)
    return np.asarray(made).reshape((*call.size, *call.picture.shape[2:]))


def rows_of(library: str, *without: str) -> list[str]:
    """The conventions of a library without its name; some of them left out."""
    rows = [one.name.partition("/")[2] for one in fastup.conventions() if one.name.startswith(f"{library}/")]
    return [row for row in rows if not any(word in row for word in without)]


def plain_calls(methods: list[str], count: int, seed: int = 0, most: int = 90) -> Iterator[Any]:
    """Calls of a library that takes any numbers: lines of pixels, of one to four channels."""
    generator = np.random.default_rng(seed)
    for number in range(count):
        height, width, h, w = extents(generator, most)
        dtype = (np.uint8, np.float32, np.int16)[int(generator.integers(0, 3))]
        picture = numbers(generator, (height, width, int(generator.integers(1, 5))), dtype)
        yield LibraryCall(picture, (h, w), methods[number % len(methods)])


def tensorflow(call: LibraryCall) -> Array:
    """What tf.image.resize gives."""
    import tensorflow as tf

    method, smooth = call.method.removesuffix("-antialias"), call.method.endswith("-antialias")
    return np.asarray(tf.image.resize(call.picture, call.size, method, antialias=smooth).numpy())


def tensorflow1(call: LibraryCall) -> Array:
    """What the operators of version 1 give."""
    import tensorflow as tf

    method, _, option = call.method.partition("-")
    name = "nearest_neighbor" if method == "nearest" else method
    options = {"align_corners": {"align_corners": True}, "half_pixel": {"half_pixel_centers": True}}.get(option, {})
    function = getattr(tf.compat.v1.image, f"resize_{name}")
    return np.asarray(function(call.picture[None], call.size, **options).numpy()[0])


def jax(call: LibraryCall) -> Array:
    """What jax.image.resize gives."""
    from jax import image

    method, smooth = call.method.removesuffix("-no_antialias"), not call.method.endswith("-no_antialias")
    shape = (*call.size, call.picture.shape[2])
    return np.asarray(image.resize(call.picture, shape, method, antialias=smooth))


def scipy(call: LibraryCall) -> Array:
    """What scipy.ndimage.zoom gives."""
    import warnings

    from scipy import ndimage

    order, _, rest = call.method.partition("-")
    mode, grid = rest.removesuffix("-grid"), call.method.endswith("-grid")
    factors = [m / n for n, m in zip(call.picture.shape, call.size, strict=False)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        planes = [
            ndimage.zoom(call.picture[..., channel], factors, order=int(order), mode=mode, grid_mode=grid)
            for channel in range(call.picture.shape[2])
        ]
    return np.stack(planes, axis=-1)


def skimage(call: LibraryCall) -> Array:
    """What skimage.transform.resize gives."""
    import warnings

    from skimage import transform

    resize: Any = transform.resize
    words = call.method.split("-")
    options: dict[str, Any] = {"order": int(words[0])}
    if len(words) > 1 and words[1] in ("symmetric", "edge", "constant", "wrap"):
        options["mode"] = words[1]
    if "no_anti_aliasing" in words:
        options["anti_aliasing"] = False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asarray(resize(
            call.picture, call.size, preserve_range="preserve_range" in words, **options
        ))  # fmt: skip


def itk(call: LibraryCall) -> Array:
    """What SimpleITK's Resample gives, channel by channel; of pictures, and of volumes."""
    import SimpleITK

    planes = []
    for channel in range(call.picture.shape[-1]):
        image = SimpleITK.GetImageFromArray(np.ascontiguousarray(call.picture[..., channel]))
        size = [int(extent) for extent in reversed(call.size)]
        spacing = [n / m for n, m in zip(image.GetSize(), size, strict=True)]
        origin = [0.5 * (one - 1) for one in spacing]
        method = {
            "nearest": SimpleITK.sitkNearestNeighbor,
            "linear": SimpleITK.sitkLinear,
            "bspline": SimpleITK.sitkBSpline3,
        }[call.method]
        made = SimpleITK.Resample(
            image, size, SimpleITK.Transform(), method, origin, spacing, image.GetDirection(), 0, image.GetPixelID()
        )
        planes.append(SimpleITK.GetArrayFromImage(made))
    return np.stack(planes, axis=-1)


LIBRARIES: dict[str, tuple[Callable[..., Iterator[Any]], Callable[[LibraryCall], Array]]] = {
    "pillow": (pillow_calls, pillow),
    "opencv": (opencv_calls, opencv),
    "tensorflow": (functools.partial(plain_calls, rows_of("tensorflow", "lanczos")), tensorflow),
    "tensorflow1": (functools.partial(plain_calls, rows_of("tensorflow1")), tensorflow1),
    "jax": (functools.partial(plain_calls, ["nearest"]), jax),
    "scipy": (functools.partial(plain_calls, [row for row in rows_of("scipy") if row[0] in "01"]), scipy),
    "skimage": (functools.partial(plain_calls, [row for row in rows_of("skimage") if row[0] in "01"]), skimage),
    "itk": (functools.partial(plain_calls, rows_of("itk", "bspline")), itk),
}
