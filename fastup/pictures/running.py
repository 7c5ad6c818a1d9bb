"""A job is run: in memory, or strip by strip where a picture and its result are too large for that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyvips

from fastup.pictures import conversion, strips, writing
from fastup.pictures.frames import read_frames
from fastup.pictures.job import Job
from fastup.pictures.reading import Array
from fastup.pictures.sentences import pillow_sentence, sentence

_HALF = 127  # between black and white


def run(job: Job, path: Path, threads: int | None, done: Callable[[float], None] = lambda _: None) -> None:
    """Read, resize and write one picture; `done` is told which part of it is made."""
    if job.large:
        _in_strips(job, path, threads, done)
        return
    frames = _made(job, read_frames(job.picture, job.indices), threads)
    done(0.9)
    try:
        writing.save(path, job.target, frames)
    except (pyvips.Error, OSError, ValueError) as error:
        raise OSError(f"{job.picture.name}: the result cannot be written: {_told(error)}") from None
    done(1.0)


def _told(error: BaseException) -> str:
    return sentence(error) if isinstance(error, pyvips.Error) else pillow_sentence(error)


def _made(job: Job, frames: Array, threads: int | None) -> Array:
    """The frames of the result."""
    made = []
    for frame in frames:
        ready = np.ascontiguousarray(job.work.before(frame))
        resized = job.request.rule.run(ready, job.request.geometry, threads)
        kept = resized[job.request.geometry.cropped(resized.shape[:2])]
        made.append(_converted(job, job.work.after(kept)))
    return made[0][None] if len(made) == 1 else np.stack(made)


def _converted(job: Job, pixels: Array) -> Array:
    """Rows of the result in the kind that its format holds."""
    before, after = job.picture, job.target.pixels
    if job.indices:
        return pixels
    kind = conversion.Pixels(before.kind, before.channels, before.alpha, pixels.dtype, before.bits)
    if after.kind != before.kind:
        pixels = conversion.to_srgb(pixels[None], kind, before.properties.icc)[0]
    if before.alpha and not after.alpha:
        assert job.request.background is not None
        pixels = conversion.flattened(pixels, job.request.background, after.kind)
    if pixels.dtype == np.uint16 and after.dtype == np.uint8:
        pixels = conversion.to_bytes(pixels)
    if after.alpha and "premultiply" in job.target.encoding:
        pixels = conversion.weighted(pixels)
    if after.bits == 1:
        pixels = np.where(pixels > _HALF, np.uint8(255), np.uint8(0))
    return pixels


def _in_strips(job: Job, path: Path, threads: int | None, done: Callable[[float], None]) -> None:
    request, target = job.request, job.target
    rows = strips.resized_rows(job.picture, request.rule, request.geometry, job.work, threads, done)
    image, stream = strips.image_of(_each(job, rows), target.width, target.height * target.frames, target.pixels)
    try:
        writing.save(path, target, None, image)
    except (pyvips.Error, OSError, ValueError) as error:
        _raise_of(job, stream)
        raise OSError(f"{job.picture.name}: the result cannot be written: {_told(error)}") from None
    _raise_of(job, stream)


def _raise_of(job: Job, stream: strips.Stream) -> None:
    """What went wrong while rows were read or made."""
    if stream.error is not None:
        raise ValueError(f"{job.picture.name} cannot be read: {_told(stream.error)}") from None


def _each(job: Job, rows: Iterator[Array]) -> Iterator[Array]:
    return (_converted(job, strip) for strip in rows)
