"""Reductions of upsampled logits: one thread for each pixel goes through the classes."""

from __future__ import annotations

import math
from typing import Any

from numba import cuda

from fastup.runtime.fields import Fields

BOXED = Fields("extents first items planes axes", extents=3, first=3)  # items of a pixel, planes of a box


@cuda.jit
def argmax(total: Any, classes: Any, pixels: Any, begin: Any, plane: Any, values: Any, labels: Any) -> None:
    """The first of the largest classes, NaN being the largest number; `values` holds `pixels` of each class."""
    for i in range(cuda.grid(1), total, cuda.gridsize(1)):
        picture = i // pixels
        place = picture * classes * pixels + i - picture * pixels
        label, best = 0, values[place]
        for number in range(1, classes):
            value = values[place + number * pixels]
            if value > best or (value != value and best == best):
                label, best = number, value
        labels[picture * plane + begin + i - picture * pixels] = label


@cuda.jit
def confidence(
    total: Any, classes: Any, pixels: Any, begin: Any, plane: Any, values: Any, labels: Any, shares: Any
) -> None:
    """The softmax of the class that `argmax` found; NaN where its logit is infinite."""
    for i in range(cuda.grid(1), total, cuda.gridsize(1)):
        picture = i // pixels
        place = picture * classes * pixels + i - picture * pixels
        target = picture * plane + begin + i - picture * pixels
        best = values[place + labels[target] * pixels]
        summed = best - best
        for number in range(classes):
            summed += math.exp(values[place + number * pixels] - best)
        shares[target] = 1 / summed


@cuda.jit
def exceeds(total: Any, pixels: Any, begin: Any, plane: Any, limit: Any, values: Any, mask: Any) -> None:
    """Whether values exceed the number that `limit` holds."""
    for i in range(cuda.grid(1), total, cuda.gridsize(1)):
        picture = i // pixels
        mask[picture * plane + begin + i - picture * pixels] = values[i] > limit[0]


@cuda.jit
def clear(total: Any, table: Any, boxes: Any, result: Any) -> None:
    """Zeros beyond the boxes."""
    axes = table[BOXED.axes]
    for i in range(cuda.grid(1), total, cuda.gridsize(1)):
        rest = i // table[BOXED.items]
        above = rest // table[BOXED.extents + 2]
        column, rest = rest - above * table[BOXED.extents + 2] + table[BOXED.first + 2], above
        above = rest // table[BOXED.extents + 1]
        row, rest = rest - above * table[BOXED.extents + 1] + table[BOXED.first + 1], above
        plane = rest // table[BOXED.extents]
        slice_ = rest - plane * table[BOXED.extents] + table[BOXED.first]
        box = plane // table[BOXED.planes] * 2 * axes
        inside = boxes[box] <= column and column < boxes[box + axes]
        if axes > 1:
            inside = inside and boxes[box + 1] <= row and row < boxes[box + axes + 1]
        if axes > 2:
            inside = inside and boxes[box + 2] <= slice_ and slice_ < boxes[box + axes + 2]
        if not inside:
            result[i] = 0
