"""Steps of a resize, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from fastup.cpu.memory import Packing
from fastup.cpu.resample import block_means, interpolation
from fastup.cpu.resample.kernels import alpha
from fastup.plan.base import Array
from fastup.plan.conventions.steps import Alpha, Cast, CellMeans, Crop, Reduce, Scale, Step
from fastup.plan.interpolation import InterpolatePlan
from fastup.plan.resizing import ResizePlan, are_together
from fastup.runtime import memory
from fastup.runtime.kernel import Family

FAMILIES = (*interpolation.FAMILIES, *block_means.FAMILIES, alpha.multiply_alpha, alpha.divide_alpha)
_NANOSECONDS = 1.0  # per pixel with alpha


def instances(dtype: np.dtype[Any]) -> Iterator[tuple[Family, tuple[Any, ...]]]:
    """The kernels that pictures of `dtype` may need."""
    yield from interpolation.instances(dtype)
    of_bytes = (block_means.FAMILIES[0], alpha.multiply_alpha, alpha.divide_alpha)
    others = (family for family in block_means.FAMILIES[1:] if dtype.name in family.elements)
    for family in of_bytes if dtype == np.uint8 else others:
        yield from ((family, key) for key in family.instances())


def launch(plan: ResizePlan, strides: tuple[int, ...]) -> Chain:
    """The steps for a picture with any strides."""
    return Chain(plan)


class Chain:
    """All steps; each but the last makes an array of its own."""

    nbytes = 0  # the steps hold their launches

    def __init__(self, plan: ResizePlan) -> None:
        """A plan's own steps."""
        self._plan = plan

    def __call__(self, source: int, target: int, keep: tuple[Any, ...], threads: int | None = None) -> None:
        """Run over arrays; `keep` begins with them."""
        x, out = keep[:2]
        steps, picture = self._plan.steps, self._plan.seen(x)
        if not are_together(self._plan.axes):
            picture = self._run(steps, picture, None, threads)
            moved = np.moveaxis(out, self._plan.axes, (-2, -1))
            moved[...] = picture.reshape(moved.shape)
        elif steps:
            self._run(steps, picture, self._plan.seen(out), threads)
        else:
            out[...] = x

    def _run(self, steps: tuple[Step, ...], x: Array, out: Array | None, threads: int | None) -> Array:
        for number, step in enumerate(steps):
            last = number == len(steps) - 1
            made = out if last and out is not None else None
            if made is None:
                made = memory.empty(step.output_shape, step.dtype if isinstance(step, Cast) else x.dtype)
            _run_step(step, x, made, threads)
            x = made
        return x


def _run_step(step: Step, x: Array, out: Array, threads: int | None) -> None:
    if isinstance(step, InterpolatePlan):
        interpolation.run(step, x, out, threads)
    elif isinstance(step, Crop):
        (top, bottom), (left, right) = step.box
        out[...] = x[:, top:bottom, left:right]
    elif isinstance(step, Cast):
        out[...] = x
    elif isinstance(step, Scale):
        np.multiply(x, np.float32(step.factor), out=out)
    elif isinstance(step, Reduce):
        block_means.run(step, x, out, threads)
    elif isinstance(step, CellMeans):
        block_means.run_cells(step, x, out, threads)
    elif isinstance(step, Alpha):
        _alpha(step, x, out, threads)
    else:
        raise TypeError(f"resize: no such step, {type(step).__name__}")


def _alpha(step: Alpha, x: Array, out: Array, threads: int | None) -> None:
    x, pixels = np.ascontiguousarray(x), x.size // x.shape[-1]
    packing = Packing(alpha.P)
    packing.set(total=pixels, items=x.shape[-1])
    family = alpha.divide_alpha if step.divides else alpha.multiply_alpha
    call = packing.launch(family("uint8"), pixels * _NANOSECONDS / 1000)
    call(x.ctypes.data, out.ctypes.data, (x, out), threads)
