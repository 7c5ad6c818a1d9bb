"""zarr in, zarr out: arrays larger than memory, chunk by chunk, through dask."""

from __future__ import annotations

import contextlib
import math
from pathlib import Path
from typing import Any

import dask.array
import numpy as np
import zarr
from dask.callbacks import Callback
from rich.console import Console
from rich.progress import Progress

import fastup
from fastup.operators.argument_types import Modes

AXES = {1: "x", 2: "yx", 3: "zyx", 4: "czyx", 5: "tczyx"}  # by rank, as microscopes and OME write them
_TASK_BYTES = 32 * 2**20  # of one task's result, as far as the stored chunks are smaller
_ORDER = "tczyx"
_COMPLETE = "fastup_complete"
_BROKEN = (OSError, ValueError, TypeError, KeyError, AttributeError)  # what zarr raises for metadata that are none


def upscale(
    source: Path, target: Path, scale: tuple[float, ...], mode: Modes, axes: str | None, overwrite: bool,
    scheduler: str | None = None, align_corners: bool | None = None, antialias: bool = False,
) -> tuple[int, ...]:  # fmt: skip
    """Enlarge the array at `source` into a new one at `target`, which is marked until it is complete; its shape."""
    stored = _opened(source)
    letters = _letters(axes, stored.ndim)
    _check_target(source, target, overwrite)
    options = (None, scale if len(scale) > 1 else scale[0], mode, align_corners, None, antialias)
    planes = _as_planes(dask.array.from_zarr(source), letters)
    plan = fastup.plan.interpolate(planes.shape, planes.dtype, *options)
    grown = math.prod(plan.output_shape) / max(1, math.prod(plan.input_shape))
    most = int(_TASK_BYTES / max(grown, 1)) // stored.dtype.itemsize
    x = dask.array.from_zarr(source, chunks=whole_chunks(stored.shape, stored.chunks, most))
    y = _as_stored(fastup.interpolate(_as_planes(x, letters), *options), letters)
    with _cluster(scheduler) as client:  # before anything is replaced
        made = _created(stored, target, y, letters)
        try:
            _filled(made, y, client)
        except Exception as error:  # of the disk, of a codec, of a worker
            raise OSError(f"upscale: {target} is incomplete and marked as such: {error}") from error
        made.attrs[_COMPLETE] = True
    return tuple(y.shape)


def _cluster(scheduler: str | None) -> Any:
    """A client of the scheduler, or None for threads here."""
    if scheduler is None:
        return contextlib.nullcontext()
    from distributed import Client

    try:
        # As the default it would stay so where it cannot connect: all later calls of dask would wait for it.
        return Client(scheduler, set_as_default=False)
    except (OSError, ValueError) as error:
        raise OSError(f"upscale: scheduler must be the address of a scheduler, got {scheduler} ({error})") from None


def _check_target(source: Path, target: Path, overwrite: bool) -> None:
    """Refuse to replace what was not asked for, and what no array of zarr is: replacing deletes the folder."""
    if target.is_symlink():
        raise ValueError(f"upscale: target must be no symbolic link, got {target}")
    source, target = source.resolve(), target.resolve()
    if target == source or target in source.parents or source in target.parents:
        raise ValueError(f"upscale: target must lie apart from the source, got {target}")
    if not target.exists():
        return
    if not overwrite:
        raise FileExistsError(f"upscale: {target} exists; --overwrite replaces it")
    empty = target.is_dir() and not any(target.iterdir())
    if not (empty or _is_array(target)):
        raise ValueError(f"upscale: target must be an array of zarr to be replaced, got {target}")


def _is_array(path: Path) -> bool:
    try:
        return path.is_dir() and isinstance(zarr.open(path, mode="r"), zarr.Array)
    except _BROKEN:
        return False


def _opened(path: Path) -> Any:
    try:
        found = zarr.open(path, mode="r")
    except _BROKEN as error:
        raise ValueError(f"upscale: source must be an array of zarr, got {path}, which has none ({error})") from None
    if isinstance(found, zarr.Group):
        names = ", ".join(sorted(str(name) for name, _ in found.arrays())) or "none"
        raise ValueError(f"upscale: source must be an array of zarr, got the group {path}, whose arrays are: {names}")
    if found.attrs.get(_COMPLETE) is False:
        raise ValueError(f"upscale: source must be complete, got {path}, whose making was broken off")
    return found


def _letters(axes: str | None, ndim: int) -> str:
    """The meaning of each axis, checked."""
    if ndim not in AXES:
        raise ValueError(f"upscale: source must have from 1 to {len(AXES)} axes, got {ndim}")
    letters = AXES[ndim] if axes is None else axes
    if len(letters) != ndim or len(set(letters)) != ndim or not set(letters) <= set(_ORDER):
        rule = f"{ndim} different letters of {_ORDER} (t and c are kept, z, y and x are enlarged)"
        raise ValueError(f"upscale: axes must be {rule}, got {axes!r}")
    if not set(letters) & set("zyx"):
        raise ValueError(f"upscale: axes must name one of z, y and x, got {axes!r}")
    return letters


def whole_chunks(shape: tuple[int, ...], stored: tuple[int, ...], most: int) -> tuple[int, ...]:
    """Multiples of stored chunks, of at most so many items if a stored chunk has no more; along the last axis first."""
    chunks = [*stored]
    for axis in reversed(range(len(shape))):
        others = math.prod(chunks) // chunks[axis]
        count = max(1, min(-(-shape[axis] // stored[axis]), most // (others * stored[axis])))
        chunks[axis] = count * stored[axis]
    return tuple(chunks)


def _as_planes(x: Any, letters: str) -> Any:
    """(N, C, *space), whatever the order of the axes."""
    order = [letters.index(letter) for letter in _ORDER if letter in letters]
    x = x.transpose(order)
    if "t" not in letters:
        x = x[None]
    return x if "c" in letters else x[:, None]


def _as_stored(y: Any, letters: str) -> Any:
    """The axes of the source again."""
    if "c" not in letters:
        y = y[:, 0]
    if "t" not in letters:
        y = y[0]
    present = [letter for letter in _ORDER if letter in letters]
    return y.transpose([present.index(letter) for letter in letters])


def _created(stored: Any, target: Path, y: Any, letters: str) -> Any:
    """An array stored as the source is, which says that it is not complete."""
    chunks = stored.chunks
    if stored.shards is None:  # else shards are multiples of chunks, and may reach beyond the array as these may
        chunks = tuple(min(chunk, extent) for chunk, extent in zip(chunks, y.shape, strict=True))
    attributes = {_COMPLETE: False, "fastup_version": fastup.__version__}
    return zarr.create_array(
        target, shape=y.shape, chunks=chunks, dtype=y.dtype, zarr_format=stored.metadata.zarr_format, overwrite=True,
        attributes=attributes, filters=stored.filters, compressors=stored.compressors, fill_value=stored.fill_value,
        **_of_format(stored.metadata, stored, letters),
    )  # fmt: skip


def _of_format(metadata: Any, stored: Any, letters: str) -> dict[str, Any]:
    """What only one of the two formats of zarr has; OME's images of format 2 need their separator /."""
    if metadata.zarr_format == 2:
        separator = {"name": "v2", "separator": metadata.dimension_separator}
        return {"order": metadata.order, "chunk_key_encoding": separator}
    kept = {"shards": stored.shards, "serializer": stored.serializer, "chunk_key_encoding": metadata.chunk_key_encoding}
    return {**kept, "dimension_names": metadata.dimension_names or list(letters)}


def _filled(made: Any, y: Any, client: Any) -> None:
    """Compute and write; no two tasks write into one stored chunk, or into one shard of them."""
    written = made.shards or made.chunks
    if any(begin % chunk for axis, chunk in zip(y.chunks, written, strict=True) for begin in np.cumsum(axis)[:-1]):
        y = y.rechunk(whole_chunks(y.shape, written, _TASK_BYTES // y.dtype.itemsize))
    tasks = dask.array.store(y, made, lock=False, compute=False)
    if client is not None:
        client.compute(tasks).result()
        return
    with Progress(console=Console(stderr=True), transient=True) as progress, _Bar(progress):
        tasks.compute()


class _Bar(Callback):  # type: ignore[misc]
    """A progress bar of tasks."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        super().__init__(start=self._begin, posttask=self._step)

    def _begin(self, dsk: Any) -> None:
        self._task = self._progress.add_task("upscaling", total=len(dsk))

    def _step(self, *_: Any) -> None:
        self._progress.advance(self._task)
