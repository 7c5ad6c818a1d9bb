"""One sub-pixel layer trained from random weights, and from the same made equal by icnr."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

import fastup
from docs.figures import Array, largest, psnr, small_photo
from docs.page import table
from docs.panels import Tile, sheet, stretched, tile
from docs.sections import Picture, Section

_SIZE, _KERNEL = 128, 5
_STEPS = (0, 1, 100, 1000)
_DRAWS = 20
_WINDOW = (..., slice(36, 100), slice(88, 152))


class Task(NamedTuple):
    """A small picture padded for the kernel, the large one, and the normal equations of the layer between them."""

    padded: Array
    large: Array
    gram: Array
    right: Array


def make() -> Section:
    """Train both, and look at the picture on the way."""
    task = _task()
    headings = ("steps", "random: PSNR", "blocks", "icnr: PSNR", "blocks")
    tiles = [one for icnr in (False, True) for one in _tiles(task, icnr)]
    picture = Picture("icnr", "One layer in training, from random weights and from icnr", sheet(tiles, 4))
    return Section("icnr", [_about(task), table(headings, _rows(task)), picture])


def _about(task: Task) -> str:
    weight = _first(0, icnr=True).T.reshape(4, 1, _KERNEL, _KERNEL).astype(np.float32)
    once = fastup.conv2d(task.padded, np.ascontiguousarray(weight[:1]))
    difference = largest(_apply(task, _first(0, icnr=True)), fastup.interpolate(once, scale_factor=2))
    return (
        "`fastup.init.icnr` gives all phases of a sub-pixel convolution the same weights, so that it begins as one "
        f"convolution and nearest-neighbour upsampling: the largest difference between the two is {difference:.2g}. "
        f"Here one {_KERNEL}x{_KERNEL} layer learns to enlarge a photo twice by gradient descent, in the longest steps "
        "that are sure to descend, from random weights and from the same after icnr. The drawn pictures are of one "
        "draw, the first of each row stretched to its own range; figures are means over "
        f"{_DRAWS} draws: PSNR in dB against the photo, and the contrast within the blocks of 2x2 pixels that come "
        "from one pixel, in units of the photo's own: 1 is right."
    )


def _task() -> Task:
    large = small_photo("camera", 2 * _SIZE)
    small = fastup.interpolate(large, size=_SIZE, mode="bicubic", antialias=True)
    beyond = _KERNEL // 2
    padded = np.pad(small, [(0, 0), (0, 0), (beyond, beyond), (beyond, beyond)], "edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded[0, 0].astype(np.float64), (_KERNEL, _KERNEL))
    design = windows.reshape(-1, _KERNEL**2)
    targets = fastup.pixel_unshuffle(large, 2)[0].reshape(4, -1).T.astype(np.float64)
    return Task(padded, large, design.T @ design / len(design), design.T @ targets / len(design))


def _first(seed: int, icnr: bool) -> Array:
    """He's normal distribution as (taps, phases)."""
    weight = np.random.default_rng(seed).standard_normal((4, 1, _KERNEL, _KERNEL)) * np.sqrt(2 / _KERNEL**2)
    return (fastup.init.icnr(weight, 2) if icnr else weight).reshape(4, -1).T


def _trained(task: Task, weight: Array) -> list[Array]:
    """The weights after each number of steps, of the longest length that is sure to descend."""
    length = 1 / np.linalg.eigvalsh(task.gram)[-1]
    found = []
    for step in range(_STEPS[-1] + 1):
        if step in _STEPS:
            found.append(weight)
        weight = weight - length * (task.gram @ weight - task.right)
    return found


def _apply(task: Task, weight: Array) -> Array:
    phases = weight.T.reshape(4, 1, _KERNEL, _KERNEL).astype(np.float32)
    y: Array = fastup.subpixel_conv2d(task.padded, phases, upscale_factor=2)
    return y


def _rows(task: Task) -> list[list[str]]:
    """PSNR and contrast within blocks after each number of steps, from random weights and from icnr."""
    means = [
        np.mean(
            [[_figures(task, weight) for weight in _trained(task, _first(seed, icnr))] for seed in range(_DRAWS)], 0
        )
        for icnr in (False, True)
    ]
    both = np.concatenate(means, axis=1)
    return [[str(steps), *(f"{value:.2f}" for value in row)] for steps, row in zip(_STEPS, both, strict=True)]


def _figures(task: Task, weight: Array) -> tuple[float, float]:
    y = _apply(task, weight)
    return psnr(y, task.large), _within_blocks(y) / _within_blocks(task.large)


def _within_blocks(y: Array) -> float:
    return float(fastup.pixel_unshuffle(y, 2).std(axis=1).mean())


def _tiles(task: Task, icnr: bool) -> list[Tile]:
    drawn = []
    for steps, weight in zip(_STEPS, _trained(task, _first(3, icnr)), strict=True):
        y = _apply(task, weight)
        levels = y if steps else stretched(y)
        drawn.append(tile(f"{'icnr' if icnr else 'random'}, {steps} step{'s'[: steps != 1]}", levels[_WINDOW], 3))
    return drawn
