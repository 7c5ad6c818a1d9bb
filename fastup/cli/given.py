"""What a user gives to a model: shapes and arrays by the names of its inputs, and pictures."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import click
import numpy as np

Array = np.ndarray[Any, Any]
_CHANNELS = (1, 3, 4)  # of what can be a picture


def named_shapes(_context: Any, _parameter: Any, values: tuple[str, ...]) -> dict[str, tuple[int, ...]]:
    """Shapes by the names of inputs, out of texts such as x=1,3,64,64."""
    found = {}
    for value in values:
        name, _, numbers = value.rpartition("=")
        if not name or not all(part.strip().isdecimal() for part in numbers.split(",")):
            raise click.BadParameter(f"{value!r} is not like x=1,3,64,64")
        found[name] = tuple(int(part) for part in numbers.split(","))
    return found


def named_inputs(_context: Any, _parameter: Any, values: tuple[str, ...]) -> dict[str, Array]:
    """Arrays by the names of inputs, out of texts such as x=picture.npy."""
    found = {}
    for value in values:
        name, _, file = value.partition("=")
        if not file:
            raise click.BadParameter(f"{value!r} is not like x=picture.npy")
        try:
            found[name] = np.load(file, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise click.BadParameter(f"{file} is no array of NumPy ({error})") from None
    return found


def data_of(_context: Any, _parameter: Any, file: str | None) -> dict[str, Array] | Path:
    """Arrays of a file, or the folder whose pictures are to be taken."""
    if file is None:
        return {}
    if Path(file).is_dir():
        return Path(file)
    try:
        with open(file, "rb") as stream, np.load(stream, allow_pickle=False) as held:
            return {name: held[name] for name in held.files}
    except (OSError, ValueError, EOFError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise click.BadParameter(f"{file} is no file that numpy.savez wrote ({error})") from None


def pictures_for(model: Path, folder: Path, shapes: dict[str, tuple[int, ...]]) -> list[dict[str, Array]]:
    """Every picture of a folder as the first input of a model: resized where that has a size, 0 to 1 in floats."""
    from fastup.export.verification.loading import inputs_for, load

    proto = load(model)
    name, sample = next(iter(inputs_for(proto, None, shapes)[0].items()))  # weights may stand among a graph's inputs
    dims = next(one for one in proto.graph.input if one.name == name).type.tensor_type.shape.dim
    fixed = {k for k, dim in enumerate(dims) if dim.HasField("dim_value") and dim.dim_value > 0}
    files = sorted(one for one in folder.iterdir() if one.is_file() and not one.name.startswith("."))
    if not files:
        raise FileNotFoundError(f"verify: {folder} holds no pictures")
    fixed |= set(range(sample.ndim)) if name in shapes else set()
    return [{name: _as_input(file, sample, fixed)} for file in files]


def _as_input(file: Path, sample: Array, fixed: set[int]) -> Array:
    import fastup
    from fastup import pictures

    last = sample.ndim == 4 and sample.shape[1] not in _CHANNELS and sample.shape[3] in _CHANNELS
    if sample.ndim != 4 or not (last or sample.shape[1] in _CHANNELS):
        raise ValueError(
            f"verify: pictures need an input like (1, 3, H, W) or (1, H, W, 3), this one is {sample.shape}"
        )
    channel, space = (3, (1, 2)) if last else (1, (2, 3))
    pixels = _with_channels(np.asarray(pictures.read(file)), sample.shape[channel])
    if set(space) & fixed:
        size = [sample.shape[k] if k in fixed else pixels.shape[n] for n, k in enumerate(space)]
        pixels = np.asarray(fastup.resize(pixels, size, like="pillow/bilinear"))
    if sample.dtype.kind == "f":
        limit = np.iinfo(pixels.dtype).max if pixels.dtype.kind in "iu" else 1.0
        pixels = pixels / limit
    laid = pixels if last else np.moveaxis(pixels, -1, 0)
    return np.ascontiguousarray(np.stack([laid] * sample.shape[0]).astype(sample.dtype))


def _with_channels(pixels: Array, channels: int) -> Array:
    """Grey, RGB or RGBA samples as so many channels."""
    colours = pixels[..., : 3 if pixels.shape[-1] >= 3 else 1]
    if channels == 1:
        return np.ascontiguousarray(colours[..., :1] if colours.shape[-1] == 1 else colours[..., 1:2])
    colours = np.repeat(colours, 3, -1) if colours.shape[-1] == 1 else colours
    full = np.iinfo(pixels.dtype).max if pixels.dtype.kind in "iu" else 1
    alpha = pixels[..., -1:] if pixels.shape[-1] in (2, 4) else np.full_like(colours[..., :1], full)
    return np.ascontiguousarray(np.concatenate([colours, alpha], -1) if channels == 4 else colours)
