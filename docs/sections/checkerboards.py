"""Checkerboards of untrained layers that upsample, and what a blur after the shuffle does about them."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

import fastup
from docs.figures import Array, centre_of_mass, phase_spread, small_photo
from docs.page import table
from docs.panels import Tile, sheet, stretched, tile
from docs.sections import Picture, Section

_CHANNELS, _DRAWS = 16, 100
_WINDOW = (..., slice(36, 100), slice(24, 88))
Layer = Callable[[Array, np.random.Generator], tuple[Array, Array]]  # the result, and the weight of a transposed form


def make() -> Section:
    """Layers with random weights, as training begins."""
    names = ("transposed 3x3", "transposed 4x4", "sub-pixel 3x3", "sub-pixel, icnr")
    rows = []
    for name in names:
        score, spread = _over_draws(_LAYERS[name])
        rows.append((name, _ones(name), f"{score:.2f}", f"{spread:.2f}"))
    picture = Picture("checkerboards", "One untrained layer of each kind, x2", sheet(_tiles(names), 4))
    headings = ("layer", "score, ones", "score, random", "spread")
    return Section("Checkerboards", [_about(), table(headings, rows), picture])


def make_blur() -> Section:
    """The 2x2 mean after the shuffle: what it takes away, and where it moves the picture."""
    names = ("sub-pixel 3x3", "sub-pixel, icnr")
    tiles, found = [], []
    for name in names:
        y = _first(name)
        soft = _blurred(y)
        found.append(f"the spread of {name} goes from {phase_spread(y):.2f} to {phase_spread(soft):.2f}")
        tiles += [_drawn(name, y), _drawn(f"{name}, blur", soft)]
    dot = np.zeros((1, 1, 15, 15), np.float32)
    dot[..., 7, 7] = 1
    text = (
        "A mean over 2x2 pixels after the shuffle, with the first row and column repeated, takes one pixel of each "
        f"phase into every result. With it {' and '.join(found)}. It also moves the picture by "
        f"{centre_of_mass(_blurred(dot)) - 7:.2f} pixels to the right and down, since the middle of two pixels lies "
        "between them. The idea is of Y. Sugawara et al., Super-resolution using convolutional neural networks without "
        "any checkerboard artifacts, arXiv:1806.02658; fast.ai's PixelShuffle_ICNR has it as `blur=True`."
    )
    picture = Picture("blur", "Layers without and with a mean of 2x2 after", sheet(tiles, 4))
    return Section("Blur after the shuffle", [text, picture])


def _about() -> str:
    return (
        f"A grey photo becomes {_CHANNELS} feature maps (a random 3x3 convolution and ReLU), and one layer with random "
        "weights (He's normal distribution) enlarges them twice; a 64x64 detail is drawn with each pixel as 3x3. A "
        "kernel that the stride does not divide covers outputs unevenly: `fastup.init.checkerboard_score` of a kernel "
        f"of ones. But independent random weights are uneven as well: the score's mean over {_DRAWS} draws. The spread "
        "is that of the means of the result's four phases, largest less smallest, in standard deviations of the "
        "result, the mean of the same draws."
    )


def _he(generator: np.random.Generator, outputs: int, inputs: int, kernel: int) -> Array:
    values: Array = generator.standard_normal((outputs, inputs, kernel, kernel)) * np.sqrt(2 / (inputs * kernel**2))
    return values.astype(np.float32)


def _features(generator: np.random.Generator) -> Array:
    weight = _he(generator, _CHANNELS, 1, 3)
    return np.asarray(fastup.conv2d(_grey(), weight, padding=1, activation="relu"))


@functools.cache
def _grey() -> Array:
    return small_photo("camera", 128)


def _transposed(kernel: int) -> Layer:
    def layer(x: Array, generator: np.random.Generator) -> tuple[Array, Array]:
        weight = _he(generator, 1, _CHANNELS, kernel).swapaxes(0, 1)
        extra = kernel % 2  # an odd kernel leaves the last output out
        return fastup.conv_transpose2d(x, weight, stride=2, padding=1, output_padding=extra), weight

    return layer


def _subpixel(icnr: bool) -> Layer:
    def layer(x: Array, generator: np.random.Generator) -> tuple[Array, Array]:
        weight = _he(generator, 4, _CHANNELS, 3)
        weight = fastup.init.icnr(weight, 2) if icnr else weight
        y = fastup.subpixel_conv2d(x, weight, upscale_factor=2, padding=1)
        return y, fastup.subpixel_to_transposed(weight, 2)[0]

    return layer


_LAYERS = {
    "transposed 3x3": _transposed(3),
    "transposed 4x4": _transposed(4),
    "sub-pixel 3x3": _subpixel(False),
    "sub-pixel, icnr": _subpixel(True),
}


def _first(name: str) -> Array:
    return _LAYERS[name](_features(np.random.default_rng(1)), np.random.default_rng(2))[0]


def _over_draws(layer: Layer) -> tuple[float, float]:
    """Means of the score and of the spread."""
    found = []
    for seed in range(_DRAWS):
        generator = np.random.default_rng(seed)
        y, weight = layer(_features(generator), generator)
        found.append((fastup.init.checkerboard_score(weight, 2), phase_spread(y)))
    score, spread = np.mean(found, axis=0)
    return float(score), float(spread)


def _ones(name: str) -> str:
    kernel = {"transposed 3x3": 3, "transposed 4x4": 4}.get(name, 6)  # 3x3 of each phase is 6x6 of the transposed form
    return f"{fastup.init.checkerboard_score(np.ones((1, 1, kernel, kernel)), 2):.2f}"


def _blurred(y: Array) -> Array:
    """The mean of each pixel, the one before, the one above, and the one before that."""
    padded = np.pad(y, [(0, 0), (0, 0), (1, 0), (1, 0)], "edge")
    soft: Array = fastup.conv2d(padded, np.full((1, 1, 2, 2), 0.25, np.float32))
    return soft


def _drawn(name: str, y: Array) -> Tile:
    return tile(f"{name}\nspread {phase_spread(y):.2f}", stretched(y)[_WINDOW], 3)


def _tiles(names: tuple[str, ...]) -> list[Tile]:
    return [_drawn(name, _first(name)) for name in names]
