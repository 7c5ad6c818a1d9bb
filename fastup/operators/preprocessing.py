"""What a model wants of a picture: resized as another library does, cropped, scaled, normalised, channels first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from fastup.arrays import mapped
from fastup.operators.argument_types import ArrayT, Ints, Like
from fastup.operators.resizing import resize
from fastup.plan import check
from fastup.runtime import memory

Array = np.ndarray[Any, Any]
Layout = Literal["NCHW", "NHWC"]
_OP = "preprocess"
LAYOUTS = ("NCHW", "NHWC")


class Geometry(NamedTuple):
    """Sizes of a preprocessing.

    Attributes
    ----------
    size : (int, int)
        Height and width that the picture is resized to.
    window : tuple of slice, or None
        The centre that is kept.
    """

    size: tuple[int, int]
    window: tuple[slice, slice] | None

    @property
    def result(self) -> tuple[int, int]:
        """Height and width in the end."""
        if self.window is None:
            return self.size
        rows, columns = self.window
        return rows.stop - rows.start, columns.stop - columns.start


def preprocess(
    image: ArrayT,
    size: Ints,
    *,
    like: Like = "pillow/bilinear",
    crop: Ints | None = None,
    scale: float | None = 1 / 255,
    mean: float | Sequence[float] | None = None,
    std: float | Sequence[float] | None = None,
    layout: Layout = "NCHW",
    threads: int | None = None,
) -> ArrayT:
    """Make a picture of bytes what a model takes: ``(resize(image) * scale - mean) / std``, channels first, in float32.

    Parameters
    ----------
    image : array of uint8
        (H, W), (H, W, C) or (N, H, W, C).
    size : int or (int, int)
        Height and width; one number is the shorter side, the longer one is ``int(size * long / short)``.
    like : str or Convention
        Whose pixels, as in `resize`.
    crop : int or (int, int), optional
        Height and width of the centre that is kept; nothing else is resampled.
    scale : float, optional
        What pixels are multiplied by.
    mean, std : float or sequence of float, optional
        Of all channels, or of each: taken away, and divided by.
    layout : {"NCHW", "NHWC"}
        Of the result.
    threads : int, optional
        Threads that this call may use; default `get_num_threads`.

    Returns
    -------
    array of float32
        (N, C, h, w) or (N, h, w, C), of the kind of `image`; N is 1 for one picture.

    Raises
    ------
    TypeError
        If `image` is no array of uint8, or an argument is of the wrong kind.
    ValueError
        If an argument has a wrong value.

    Notes
    -----
    Semantics: the image processors of Hugging Face's transformers, resize, center_crop, rescale and normalize, in
    float32.

    Examples
    --------
    >>> import fastup, numpy as np
    >>> photo = np.full((480, 640, 3), 51, np.uint8)
    >>> x = fastup.preprocess(photo, 256, like="pillow/bicubic", crop=224, mean=0.5, std=0.5)
    >>> x.shape, round(float(x[0, 0, 0, 0]), 6)
    ((1, 3, 224, 224), -0.6)
    """
    if getattr(image, "dtype", None) is None:
        raise TypeError(f"{_OP}: image must be an array of uint8, got {type(image).__name__}")
    check.choice(_OP, "layout", layout, LAYOUTS)

    def apply(picture: Array) -> Array:
        if picture.dtype != np.uint8:
            raise TypeError(f"{_OP}: image must be an array of uint8, got {picture.dtype}")
        if picture.ndim not in (2, 3, 4):
            check.invalid(f"{_OP}: image must be (H, W), (H, W, C) or (N, H, W, C), got shape {picture.shape}")
        batch = picture[None, ..., None] if picture.ndim == 2 else picture[None] if picture.ndim == 3 else picture
        table = values_of(batch.shape[3], scale, mean, std)
        places = geometry(batch.shape[1:3], size, crop)
        alpha: Any = False if not isinstance(like, str) or like.startswith("pillow") else None
        small: Array = resize(
            batch, places.size, like=like, axes=(1, 2), window=places.window, threads=threads, alpha=alpha
        )
        return _looked_up(small, table, layout)

    result: ArrayT = mapped(apply, image)
    return result


def geometry(extents: tuple[int, ...], size: Any, crop: Any) -> Geometry:
    """Sizes of a picture with these extents."""
    if check.is_sequence(size):
        sizes = check.integers(_OP, "size", size, "an integer or two of them")
        if len(sizes) != 2:
            check.invalid(f"{_OP}: size must be an integer or two of them, got {check.shown(size)}")
        height, width = sizes
    else:
        short = check.integer(_OP, "size", size, "an integer or two of them")
        long = max(1, int(short * max(extents) / max(1, min(extents))))
        height, width = (short, long) if extents[0] <= extents[1] else (long, short)
    if crop is None:
        return Geometry((height, width), None)
    kept = check.integers(_OP, "crop", crop, "an integer or two of them")
    rows, columns = kept * 2 if len(kept) == 1 else kept
    if rows > height or columns > width:
        check.invalid(f"{_OP}: crop must fit in the resized picture, {(height, width)}, got {check.shown(crop)}")
    top, left = (height - rows) // 2, (width - columns) // 2
    return Geometry((height, width), (slice(top, top + rows), slice(left, left + columns)))


def values_of(channels: int, scale: Any, mean: Any, std: Any) -> Array:
    """What each of 256 bytes becomes, by channel, in float32, each operation rounded."""
    values: Array = np.arange(256, dtype=np.float32)[None].repeat(channels, axis=0)
    if scale is not None:
        values = values * np.float32(check.number(_OP, "scale", scale))
    if mean is not None:
        values = values - _per_channel("mean", mean, channels)
    if std is not None:
        divisors = _per_channel("std", std, channels)
        if (divisors == 0).any():
            check.invalid(f"{_OP}: std must not be 0, got {check.shown(std)}")
        values = values / divisors
    return values


def _per_channel(name: str, value: Any, channels: int) -> Array:
    several = tuple(value) if check.is_sequence(value) or isinstance(value, np.ndarray) else (value,) * channels
    if len(several) != channels:
        check.invalid(f"{_OP}: {name} must be a number, or one for each of {channels} channels, got {len(several)}")
    return np.array([check.number(_OP, name, one) for one in several], np.float32)[:, None]


def _looked_up(small: Array, table: Array, layout: str) -> Array:
    """Every byte replaced by its value; floats, which some libraries give, are computed."""
    n, height, width, channels = small.shape
    out = memory.empty((n, channels, height, width) if layout == "NCHW" else small.shape, np.dtype(np.float32))
    for channel in range(channels):
        target = out[:, channel] if layout == "NCHW" else out[..., channel]
        if small.dtype == np.uint8:
            target[...] = table[channel][small[..., channel]]
        else:  # the table is a line
            first, last = table[channel][0], table[channel][255]
            target[...] = small[..., channel] * ((last - first) / np.float32(255)) + first
    return out
