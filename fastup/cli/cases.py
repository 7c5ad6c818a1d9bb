"""What the demo shows: every operator on a picture, along its rows, in its plane, or through a stack of three of it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import fastup

Array = np.ndarray[Any, Any]
Arranged = Callable[[Array], Array]
_STACK = 3  # pictures of a volume
_STEP = 5  # pixels that each is moved by


def _plane(x: Array) -> Array:
    return x


def _rows(x: Array) -> Array:
    """(height, channels, width): each row is a signal."""
    return np.ascontiguousarray(x[0].transpose(1, 0, 2))


def _stack(x: Array) -> Array:
    """(1, channels, depth, height, width)."""
    return np.stack([np.roll(x, k * _STEP, -1) for k in range(_STACK)], 2)


def _pixels(x: Array) -> Array:
    """(height, width, channels)."""
    return np.ascontiguousarray(np.moveaxis(x[0], 0, -1))


def _in_unit(x: Array) -> Array:
    """float32 from 0 to 1."""
    top = float(np.iinfo(x.dtype).max) if x.dtype.kind in "iu" else 1.0
    return (x / top).astype(np.float32)


def _logits(x: Array) -> Array:
    """Three classes by lightness: dark, middle, light."""
    light = _in_unit(x).mean(1, keepdims=True)
    return np.concatenate([1 - 2 * light, 1 - abs(4 * light - 2), 2 * light - 1], 1) * 4


def _one_logit(x: Array) -> Array:
    return _logits(x)[:, 2:]


_SHOWN: dict[Any, Arranged] = {
    _plane: lambda y: np.moveaxis(y[0], 0, -1),
    _rows: lambda y: y.transpose(0, 2, 1),
    _stack: lambda y: np.moveaxis(y[0, :, y.shape[2] // 2], 0, -1),
    _pixels: lambda y: y,
    _logits: lambda y: np.moveaxis(y.reshape(1, -1, *y.shape[-2:])[0], 0, -1),
    _one_logit: lambda y: np.moveaxis(y.reshape(1, -1, *y.shape[-2:])[0], 0, -1),
}


class Case(NamedTuple):
    """One operator with its keywords.

    Attributes
    ----------
    title : str
    operator : str
    keywords : dict
    arranged : callable
        What the operator takes of a picture (1, channels, height, width).
    floats : bool
        Whether it takes floats only.
    prepared : callable
        From such an array to the operator's own argument.
    operands : callable
        What it takes beside that argument.
    shown : callable, optional
        From a result to the channels of a picture to show.
    """

    title: str
    operator: str
    keywords: dict[str, Any]
    arranged: Arranged = _plane
    floats: bool = False
    prepared: Arranged = _plane
    operands: Callable[[Array], tuple[Array, ...]] = lambda _: ()
    shown: Arranged = _plane

    def argument(self, picture: Array) -> Array:
        """What the operator takes."""
        return np.ascontiguousarray(self.prepared(self.arranged(_in_unit(picture) if self.floats else picture)))

    def picture(self, result: Array) -> Array:
        """A result as (height, width, channels)."""
        return np.asarray(_SHOWN[self.arranged](self.shown(result)))


def _sharpening(dims: int, x: Array) -> tuple[Array]:
    """A weight for each channel: twice the middle less a small blur."""
    line = np.array([0.25, 0.5, 0.25], np.float32)
    blur = functools.reduce(np.multiply.outer, [line] * dims)
    weight = -blur
    weight[(1,) * dims] += 2
    return (np.broadcast_to(weight, (x.shape[1], 1, *weight.shape)).copy(),)


def _linear(dims: int, x: Array) -> tuple[Array]:
    """The transposed convolution that interpolates linearly by two."""
    line = np.array([0.25, 0.75, 0.75, 0.25], np.float32)
    weight = functools.reduce(np.multiply.outer, [line] * dims)
    return (np.broadcast_to(weight, (x.shape[1], 1, *weight.shape)).copy(),)


def _linear_phases(dims: int, x: Array) -> tuple[Array]:
    """The same as convolutions, one for each phase."""
    lines = np.array([[0.25, 0.75, 0], [0, 0.75, 0.25]], np.float32)
    channels = x.shape[1]
    phases = lines
    for _ in range(dims - 1):
        phases = np.multiply.outer(phases, lines)
    order = [*range(0, 2 * dims, 2), *range(1, 2 * dims, 2)]  # all phases, then all taps
    weight = np.zeros((channels, 2**dims, channels, *(3,) * dims), np.float32)
    for channel in range(channels):
        weight[channel, :, channel] = phases.transpose(order).reshape(2**dims, *(3,) * dims)
    return (weight.reshape(channels * 2**dims, channels, *(3,) * dims),)


def _convolutions(dims: int, arranged: Arranged) -> list[Case]:
    def titled(name: str) -> str:
        return f"{name}{dims}d"

    sharpen, linear, phases = (functools.partial(one, dims) for one in (_sharpening, _linear, _linear_phases))
    grouped = {"padding": 1, "groups": None}
    return [
        Case(titled("conv"), titled("conv"), grouped, arranged, True, operands=sharpen),
        Case(
            titled("conv_transpose"), titled("conv_transpose"), {"stride": 2, **grouped}, arranged, True,
            operands=linear,
        ),
        Case(
            titled("subpixel_conv"), titled("subpixel_conv"), {"upscale_factor": 2, "padding": 1}, arranged, True,
            operands=phases,
        ),
    ]  # fmt: skip


def _pooled(dims: int, x: Array) -> tuple[Array, Array]:
    values, indices = getattr(fastup, f"max_pool{dims}d")(x, 2, return_indices=True)
    return values, indices


def _pools(dims: int, arranged: Arranged) -> list[Case]:
    def pooled(x: Array) -> Array:
        return _pooled(dims, _even(x, dims))[0]

    # The indices of the pool that gave the values: kept by the picture that the case is given.
    return [
        Case(f"max_pool{dims}d", f"max_pool{dims}d", {"kernel_size": 2}, arranged),
        Case(f"max_unpool{dims}d", f"max_unpool{dims}d", {"kernel_size": 2}, arranged, True, pooled),
    ]


def _even(x: Array, dims: int) -> Array:
    """Without what windows of two would leave over."""
    whole: Any = (..., *(slice(0, extent // 2 * 2) for extent in x.shape[-dims:]))
    return np.asarray(x[whole])


def _of_dims() -> list[Case]:
    found: list[Case] = []
    for dims, arranged in ((1, _rows), (2, _plane), (3, _stack)):
        found += _convolutions(dims, arranged)
        found += _pools(dims, arranged)
    return found


def _interpolate(title: str, **keywords: Any) -> Case:
    return Case(title, "interpolate", keywords)


def _labels(operator: str, **keywords: Any) -> Case:
    arranged = _one_logit if operator == "upsample_threshold" else _logits
    return Case(f"{operator} x2", operator, {"scale_factor": 2, **keywords}, arranged, True)


def _first_phase(y: Array) -> Array:
    """Of each channel the first of its four parts."""
    return y[:, ::4]


CASES = (
    _interpolate("nearest x2", scale_factor=2),
    _interpolate("nearest x2.5", scale_factor=2.5),
    _interpolate("nearest-exact x1.7", scale_factor=1.7, mode="nearest-exact"),
    _interpolate("bilinear x2", scale_factor=2, mode="bilinear"),
    _interpolate("bilinear x2 aligned", scale_factor=2, mode="bilinear", align_corners=True),
    _interpolate("bicubic x2", scale_factor=2, mode="bicubic"),
    _interpolate("bicubic x2.5", scale_factor=2.5, mode="bicubic"),
    _interpolate("lanczos x2", scale_factor=2, mode="lanczos"),
    _interpolate("area x1.5", scale_factor=1.5, mode="area"),
    _interpolate("nearest by linear x2", scale_factor=2, mode=("nearest", "linear")),
    _interpolate("bilinear x0.6 antialias", scale_factor=0.6, mode="bilinear", antialias=True),
    _interpolate("bicubic x0.6 antialias", scale_factor=0.6, mode="bicubic", antialias=True),
    _interpolate("lanczos x0.6 antialias", scale_factor=0.6, mode="lanczos", antialias=True),
    Case("resize pillow/lanczos x0.6", "resize", {"scale_factor": 0.6, "like": "pillow/lanczos"}, _pixels),
    Case("resize opencv/linear x2", "resize", {"scale_factor": 2, "like": "opencv/linear"}, _pixels),
    Case("pixel_unshuffle 2", "pixel_unshuffle", {"downscale_factor": 2}, shown=_first_phase),
    Case(
        "pixel_shuffle 2", "pixel_shuffle", {"upscale_factor": 2}, prepared=lambda x: fastup.pixel_unshuffle(x, 2)
    ),
    Case("zero_stuff 2", "zero_stuff", {"stride": 2}),
    _labels("upsample_argmax"),
    _labels("upsample_softmax_max"),
    _labels("upsample_threshold"),
    *_of_dims(),
)  # fmt: skip


def keywords_of(case: Case, x: Array) -> dict[str, Any]:
    """A case's keywords, with a group for each channel where it has groups."""
    return {name: x.shape[1] if value is None else value for name, value in case.keywords.items()}


def operands_of(case: Case, picture: Array) -> tuple[Array, ...]:
    """What the operator takes beside its argument: a weight, or the indices of the pool that gave the argument."""
    if case.operator.startswith("max_unpool"):
        dims = int(case.operator[-2])
        return (_pooled(dims, _even(case.arranged(_in_unit(picture)), dims))[1],)
    return case.operands(case.argument(picture))
