"""Run the steps of B-splines: tables for the kernels, and what NumPy does as well."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from fastup.cpu.memory import Packing
from fastup.cpu.resample.kernels import spline
from fastup.cpu.resample.resample_call import Table
from fastup.plan.base import Array
from fastup.plan.conventions.spline_steps import Clipped, Rounded, Smoothed, Splined
from fastup.plan.sampling.libraries import scipy
from fastup.runtime.workers import Launch

FAMILIES = (spline.spline, spline.recursive_filter, spline.smooth)
_KEPT = 64  # steps whose tables wait for the next call: to make them takes 150 us
_NANOSECONDS = 1.0  # per tap, or item that a filter passes
_PAIR = np.dtype([("place", np.int64), ("weight", np.float64)])


def splined(step: Splined, x: Array, out: Array, threads: int | None) -> None:
    """Coefficients of the pixels, and their sums at all positions; both arrays hold float64."""
    pad = scipy.pads(step.order, step.mode)
    if pad:
        kind: Any = "edge" if step.mode == "nearest" else "constant"
        x = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)), mode=kind)
    x = np.array(x) if step.order > 1 else np.ascontiguousarray(x)
    gains, filters, sums = _calls(step)
    for gain, call in zip(gains, filters, strict=True):  # in place, along rows' axis first
        x *= gain
        call(x.ctypes.data, x.ctypes.data, (x, x), threads)
    sums(x.ctypes.data, out.ctypes.data, (x, out), threads)


@functools.lru_cache(maxsize=_KEPT)
def _calls(step: Splined) -> tuple[list[float], list[Launch], Launch]:
    """What pixels are multiplied by before each filter, the filters, and the sums."""
    pad = scipy.pads(step.order, step.mode)
    n, height, width, items = step.input_shape
    height, width = height + 2 * pad, width + 2 * pad
    edge, gains, filters = scipy.EDGES[step.mode].recursion, [], []
    for extent, inner in ((height, width * items), (width, items)):
        gain, poles = scipy.recursions(step.order, edge, extent, step.most_terms)
        if poles:
            gains.append(gain)
            filters.append(_filter(poles, n * height * width * items, extent, inner))
    return gains, filters, _sum(step, height * width * items, width * items)


def _filter(poles: list[scipy.Recursion], total: int, extent: int, inner: int) -> Launch:
    """The recursions along one axis."""
    table, records = Table(), []
    table.add(np.zeros(len(poles) * spline.POLE.size))
    for one in poles:
        (first, first_count), (last, last_count) = (_listed(table, sums) for sums in (one.first, one.last))
        bits = np.array(one.pole).view(np.int64)
        records.append(spline.POLE.fill(
            pole=int(bits), first=first, first_count=first_count, last=last, last_count=last_count
        ))  # fmt: skip
    content = table.array().copy()
    head = np.array(records, np.int64)
    content[: head.nbytes] = head.ravel().view(np.uint8)
    packing = Packing(spline.FILTER)
    packing.set(total=total // extent, extent=extent, inner=inner, poles=len(poles))
    work = total * len(poles) * 2 * _NANOSECONDS / 1000
    return packing.launch(spline.recursive_filter("float64"), work, content, content.ctypes.data)


def _listed(table: Table, weights: Array) -> tuple[int, int]:
    """Where the table lists positions and weights that are not 0, and how many."""
    places = np.flatnonzero(weights)
    pairs = np.empty(len(places), _PAIR)
    pairs["place"], pairs["weight"] = places, weights[places]
    return table.add(pairs), len(places)


def _sum(step: Splined, picture: int, row: int) -> Launch:
    """The taps of both axes; items of a picture and of a row, as they were enlarged."""
    n, height, width, items = step.input_shape
    (rows, row_weights), (places, weights) = (
        scipy.taps(step.order, step.mode, coordinates, extent)
        for coordinates, extent in zip(step.coordinates(), (height, width), strict=True)
    )
    table, packing = Table(), Packing(spline.TAPS)
    packing.set(
        total=n * step.size[0], rows=step.size[0], width=step.size[1], items=items, taps=step.order + 1,
        picture=picture, row_places=table.add(np.where(rows < 0, rows, rows * row)),
        row_weights=table.add(row_weights), places=table.add(np.where(places < 0, places, places * items)),
        weights=table.add(weights),
    )  # fmt: skip
    content = table.array()
    work = math.prod(step.output_shape) * (step.order + 1) ** 2 * _NANOSECONDS / 1000
    return packing.launch(spline.spline("float64"), work, content, content.ctypes.data)


def smoothed(step: Smoothed, x: Array, out: Array, threads: int | None) -> None:
    """One axis of float32 or float64."""
    x = np.ascontiguousarray(x)
    extent, inner = x.shape[step.axis], math.prod(x.shape[step.axis + 1 :])
    weights = scipy.gaussian(extent, step.size)
    radius = len(weights) - 1
    table, packing = Table(), Packing(spline.SMOOTH)
    packing.set(
        total=x.size // inner, extent=extent, inner=inner, radius=radius, weights=table.add(weights),
        places=table.add(scipy.neighbours(extent, radius, step.edge)),
    )  # fmt: skip
    content = table.array()
    work = x.size * (1 + radius) * _NANOSECONDS / 1000
    call = packing.launch(spline.smooth(x.dtype.name), work, content, content.ctypes.data)
    call(x.ctypes.data, out.ctypes.data, (x, out), threads)


def rounded(step: Rounded, x: Array, out: Array, threads: int | None) -> None:
    """float64 as the step's dtype."""
    if step.dtype.kind not in "iu":
        out[...] = x
        return
    limits = np.iinfo(step.dtype)
    away = _ROUNDINGS[step.rounding](x)
    # The largest integers of 64 bits are no float64, and a cast of what lies beyond gives anything.
    with np.errstate(invalid="ignore"):
        np.copyto(out, np.clip(away, float(limits.min), float(limits.max)), casting="unsafe")
    if step.dtype.itemsize == 8:
        out[away >= float(limits.max)] = limits.max


def _half_away(x: Array) -> Array:
    return np.asarray(np.trunc(x + np.copysign(0.5, x)))


_ROUNDINGS: dict[str, Callable[[Array], Array]] = {
    "half even": np.rint,
    "half away": _half_away,
    "toward zero": np.trunc,
}


def range_of(x: Array) -> tuple[Array, Array]:
    """The least and the largest item of each picture that are numbers."""
    axes = (1, 2, 3)
    low, high = x.min(axes, keepdims=True, initial=np.inf), x.max(axes, keepdims=True, initial=-np.inf)
    if np.isnan(low).any():
        low, high = np.fmin.reduce(x, axes, keepdims=True), np.fmax.reduce(x, axes, keepdims=True)
    return low, high


def clipped(step: Clipped, x: Array, out: Array, limits: tuple[Array, Array]) -> None:
    """Nothing beyond the limits; beyond the edges there was 0, which stays if it was outside them."""
    low, high = limits
    if step.widened:
        least, most = range_of(x)
        widen = ~((low <= 0) & (high >= 0)) & (least <= 0) & (most >= 0)
        low, high = np.where(widen, np.minimum(low, 0), low), np.where(widen, np.maximum(high, 0), high)
    np.clip(x, low.astype(x.dtype), high.astype(x.dtype), out=out)
