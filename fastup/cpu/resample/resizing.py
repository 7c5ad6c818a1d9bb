"""Steps of a resize, one after the other."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from fastup.cpu.memory import Packing
from fastup.cpu.resample import bands, block_means, interpolation, splines
from fastup.cpu.resample.kernels import alpha
from fastup.plan.base import Array
from fastup.plan.conventions.spline_steps import Banded, Clipped, Mixed, Rounded, Scaled, Smoothed, Splined
from fastup.plan.conventions.steps import Alpha, Cast, CellMeans, Crop, Reduce, Scale, Step
from fastup.plan.interpolation import InterpolatePlan
from fastup.plan.resizing import VOLUME, ResizePlan, are_together
from fastup.runtime import memory
from fastup.runtime.kernel import Family
from fastup.runtime.workers import Launch

FAMILIES = (*interpolation.FAMILIES, *block_means.FAMILIES, *splines.FAMILIES, alpha.multiply_alpha, alpha.divide_alpha)
_NANOSECONDS = 1.0  # per pixel with alpha


def instances(dtype: np.dtype[Any]) -> Iterator[tuple[Family, tuple[Any, ...]]]:
    """The kernels that pictures of `dtype` may need."""
    yield from interpolation.instances(dtype)
    for family in splines.FAMILIES:
        yield from ((family, key) for key in family.instances())
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
        rank = self._plan.rank
        if not are_together(self._plan.axes):
            picture = self._run(steps, picture, None, threads)
            moved = np.moveaxis(out, self._plan.axes, range(-rank, 0))
            moved[...] = picture.reshape(moved.shape)
        elif rank == VOLUME:
            out[...] = self._run(steps, picture, None, threads).reshape(out.shape)
        elif steps:
            self._run(steps, picture, self._plan.seen(out), threads)
        else:
            out[...] = x

    def _run(self, steps: tuple[Step, ...], x: Array, out: Array | None, threads: int | None) -> Array:
        limits = None
        for number, step in enumerate(steps):
            if x.shape != step.input_shape:  # planes of a volume, or its lines
                x = x.reshape(step.input_shape)
            last = number == len(steps) - 1
            made = out if last and out is not None else None
            if limits is None and not isinstance(step, Scaled) and any(isinstance(one, Clipped) for one in steps):
                limits = splines.range_of(x)
            if made is None:
                made = memory.empty(step.output_shape, _dtype_after(step, x.dtype))
            if isinstance(step, Clipped) and limits is not None:
                splines.clipped(step, x, made, limits)
            else:
                _RUNS[type(step)](step, x, made, threads)
            x = made
        return x


def _dtype_after(step: Step, dtype: np.dtype[Any]) -> np.dtype[Any]:
    """That of what a step makes."""
    if isinstance(step, (Cast, Rounded)):
        return step.dtype
    return np.dtype(np.float64) if isinstance(step, (Scaled, Splined)) else dtype


def _alpha(step: Alpha, x: Array, out: Array, threads: int | None) -> None:
    x = np.ascontiguousarray(x)
    _alpha_call(step)(x.ctypes.data, out.ctypes.data, (x, out), threads)


@functools.lru_cache(maxsize=64)
def _alpha_call(step: Alpha) -> Launch:
    items, pixels = step.input_shape[-1], math.prod(step.input_shape[:-1])
    packing = Packing(alpha.P)
    packing.set(total=pixels, items=items)
    family = alpha.divide_alpha if step.divides else alpha.multiply_alpha
    return packing.launch(family("uint8"), pixels * _NANOSECONDS / 1000)


def _cropped(step: Crop, x: Array, out: Array, threads: int | None) -> None:
    out[...] = x[(slice(None), *(slice(*part) for part in step.box))]


def _cast(step: Cast, x: Array, out: Array, threads: int | None) -> None:
    out[...] = x


def _times(step: Scale | Scaled, x: Array, out: Array, threads: int | None) -> None:
    np.multiply(x, out.dtype.type(step.factor), out=out)
    if isinstance(step, Scaled) and step.factor < 1:
        np.maximum(out, -1.0, out=out)


def _mixed(step: Mixed, x: Array, out: Array, threads: int | None) -> None:
    np.matmul(x, np.array(step.matrix).T, out=out)


_RUNS: dict[type[Any], Callable[..., None]] = {
    InterpolatePlan: interpolation.run,
    Mixed: _mixed,
    Alpha: _alpha,
    Banded: bands.run,
    Cast: _cast,
    CellMeans: block_means.run_cells,
    Crop: _cropped,
    Reduce: block_means.run,
    Rounded: splines.rounded,
    Scale: _times,
    Scaled: _times,
    Smoothed: splines.smoothed,
    Splined: splines.splined,
}
