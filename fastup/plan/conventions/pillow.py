"""Pillow: Image.resize of 13.0, of 12.3 and of 11.3, bit for bit. Rules by experiment on the x86-64 wheels."""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import numpy as np

from fastup.plan import check
from fastup.plan.conventions.record import OPERATOR, Convention, Request
from fastup.plan.conventions.steps import Alpha, Crop, Reduce, Shape, Step, resample
from fastup.plan.sampling.libraries.pillow import BITS, KERNELS, PillowNearest, PillowWeights
from fastup.plan.sampling.rule import Rule

Box = tuple[float, float, float, float]
_SHRINKS_MORE = 2  # rows that go, for every column: from there on rows are first
_TALL = 100  # rows for every column
_ROUNDINGS = {
    "int32": "half away, as x86 converts",
    "uint16": "half away",
}


class Version(NamedTuple):
    """What differs between versions."""

    name: str
    shown: str
    filters: tuple[str, ...]
    rows_may_be_first: bool = True
    tall_in_two_calls: bool = False
    reduces_with_alpha: bool = True
    bytes_clip_apart: bool = False


_BEFORE = tuple(name for name in KERNELS if not name.startswith("mks"))
VERSIONS = (
    Version("pillow", "13.0", tuple(KERNELS)),
    Version("pillow-12", "12.3", _BEFORE, False, True, False),
    Version("pillow-11", "11.3 to 12.1", _BEFORE, False, False, False, True),
)


def _build(version: Version, name: str, request: Request) -> tuple[Step, ...]:
    height, width = request.shape[1:3]
    box = request.box or (0.0, 0.0, float(width), float(height))
    if request.size == (height, width) and box == (0, 0, width, height):
        return ()
    if not request.alpha or name == "nearest":
        return _opaque(version, name, request, box, request.reducing_gap)
    gap = request.reducing_gap if version.reduces_with_alpha else None
    inner = _opaque(version, name, request, box, gap)
    made = inner[-1].output_shape if inner else request.shape
    return (Alpha(request.shape, False), *inner, Alpha(made, True))


def _opaque(version: Version, name: str, request: Request, box: Box, gap: float | None) -> tuple[Step, ...]:
    """All but alpha: blocks first if there is a gap, then filters."""
    shape, steps = request.shape, list[Step]()
    if gap is not None and name != "nearest":
        steps, box = _reduced(name, request, box, gap)
        shape = steps[-1].output_shape if steps else shape
    height, width = shape[1:3]
    if version.tall_in_two_calls and height > width * _TALL and request.size[0] < height:
        rows = _call(version, name, request, shape, (request.size[0], width), (0.0, box[1], float(width), box[3]))
        shape = rows[-1].output_shape if rows else shape
        steps += rows
        box = (box[0], 0.0, box[2], float(request.size[0]))
    return (*steps, *_call(version, name, request, shape, request.size, box))


def _reduced(name: str, request: Request, box: Box, gap: float) -> tuple[list[Step], Box]:
    """Means of blocks so large that `gap` times the size is left, and the box in what they make."""
    (height, width), shape = request.size, request.shape
    across, down = (box[2] - box[0]) / width, (box[3] - box[1]) / height
    fx, fy = int(across / gap) or 1, int(down / gap) or 1
    if fx == fy == 1:
        return [], box
    if request.dtype == np.uint16:
        check.invalid(f"{OPERATOR}: reducing_gap must be None for uint16, which Pillow does not reduce, got {gap}")
    reach = KERNELS[name].radius - 0.5
    left, top = max(0, int(box[0] - reach * across)), max(0, int(box[1] - reach * down))
    right = min(shape[2], math.ceil(box[2] + reach * across))
    bottom = min(shape[1], math.ceil(box[3] + reach * down))
    if right <= left or bottom <= top:
        check.invalid(f"{OPERATOR}: box must not be empty, got {box}")
    crop = Crop(shape, ((top, bottom), (left, right)))
    reduce = Reduce(crop.output_shape, (fy, fx), (bottom - top, right - left))
    box = ((box[0] - left) / fx, (box[1] - top) / fy, (box[2] - left) / fx, (box[3] - top) / fy)
    return [crop, reduce], box


def _call(version: Version, name: str, request: Request, shape: Shape, size: tuple[int, int], box: Box) -> list[Step]:
    """The C function: a crop, pixels, or the passes that are needed."""
    height, width, (h, w) = shape[1], shape[2], size
    left, top, right, bottom = (float(np.float32(edge)) for edge in box)
    if left == int(left) and top == int(top) and _length(left, right) == w and _length(top, bottom) == h:
        return [Crop(shape, ((int(top), int(bottom)), (int(left), int(right))))]
    if name == "nearest":
        runs = request.dtype != np.uint16
        rules = (PillowNearest(top, bottom, runs), PillowNearest(left, right, runs))
        return [resample(shape, request.dtype, rules, size)]
    bits = BITS if request.dtype == np.uint8 else 0
    columns: Rule | None = PillowWeights(name, left, right, bits)
    rows: Rule | None = PillowWeights(name, top, bottom, bits)
    columns = columns if w != width or left != 0 or right != w else None
    rows = rows if h != height or top != 0 or bottom != h else None
    rows_first = version.rows_may_be_first and height > h and height - h > _SHRINKS_MORE * (width - w)
    if not rows_first and bits:
        return [resample(shape, request.dtype, (rows, columns), size)]
    passes: list[tuple[Rule | None, Rule | None]] = [(None, columns)] if columns else []
    passes += [(rows, None)] if rows else []
    steps: list[Step] = []
    for one in reversed(passes) if rows_first else passes:
        target = (h if one[0] else shape[1], w if one[1] else shape[2])
        rounding = _ROUNDINGS.get(request.dtype.name, "half even")
        if version.bytes_clip_apart and request.dtype == np.uint16:
            rounding = "half away, bytes apart"
        steps.append(resample(shape, request.dtype, one, target, double=True, rounding=rounding))
        shape = steps[-1].output_shape
    return steps


def _length(begin: float, end: float) -> float:
    return float(np.float32(end) - np.float32(begin))


CONVENTIONS = tuple(
    Convention(
        f"{version.name}/{name}",
        f"Image.resize((width, height), Resampling.{name.upper()}, box, reducing_gap) of Pillow {version.shown}",
        ("uint8", "uint16", "int32", "float32"),
        "Pillow has no pictures of it, or would convert them",
        functools.partial(_build, version, name),
        ("box", "reducing_gap", "alpha"),
    )
    for version in VERSIONS
    for name in ("nearest", *version.filters)
)
