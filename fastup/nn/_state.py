"""Parameters by torch's keys: listed, checked, and read from mappings and files."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastup import arrays
from fastup.nn import _spellings
from fastup.plan import check

if TYPE_CHECKING:
    from fastup.nn._module import Module

Array = np.ndarray[Any, Any]
_SHOWN = 6  # keys that a message lists
_BITS = {"F": (16, 32, 64), "BF": (16,), "I": (8, 16, 32, 64), "U": (8, 16, 32, 64)}
_WORDS = {"F": "float", "BF": "bfloat", "I": "int", "U": "uint"}
_SAFE_DTYPES = {"BOOL": "bool", **{f"{k}{bits}": f"{_WORDS[k]}{bits}" for k in _WORDS for bits in _BITS[k]}}


class Keys(NamedTuple):
    """What did not fit when a state was loaded, named as torch names it."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class Entry(NamedTuple):
    """One parameter of a layer or of a layer within."""

    layer: Module
    name: str
    prefix: str
    array: Array

    @property
    def key(self) -> str:
        """The key in the state."""
        return self.prefix + self.name

    @property
    def keys(self) -> list[str]:
        """The key, and the one that other programs use."""
        other = self.layer.other_keys.get(self.name)
        return [self.key] if other is None else [self.key, self.prefix + other]


def entries(layer: Module, prefix: str = "") -> Iterator[Entry]:
    """The parameters of a layer and of all layers within, in torch's order."""
    for name, array in layer.own_state.items():
        if array is not None:
            yield Entry(layer, name, prefix, array)
    for name, child in layer.named_children():
        yield from entries(child, f"{prefix}{name}.")


def fitting(op: str, key: str, value: Any, held: Array | None) -> Array:
    """`value` as an array that can stand in for the parameter `held`."""
    if held is None:
        check.invalid(f"{op}: {key} must be None for a layer that is made without, got {type(value).__name__}")
    if value is None:
        raise TypeError(f"{op}: {key} must be an array, got None")
    array: Array = arrays.held(key, value)
    if array.dtype.newbyteorder("=") != held.dtype:
        raise TypeError(f"{op}: {key} must have dtype {held.dtype}, got {array.dtype}")
    if array.shape != held.shape:
        check.invalid(f"{op}: {key} must have shape {held.shape}, got {array.shape}")
    return array.astype(held.dtype, copy=False)


def load(layer: Module, state: Any, strict: bool) -> Keys:
    """Give the layer what the state has for it."""
    op = type(layer).__name__
    held = list(entries(layer))
    given = _spellings.plain(_mapping(op, state), [key for entry in held for key in entry.keys])
    taken: dict[str, Entry] = {}
    missing = []
    for entry in held:
        key = next((key for key in entry.keys if key in given), None)
        if key is not None:
            taken[key] = entry
        elif entry.name not in entry.layer.optional_keys:
            missing.append(entry.key)
    surplus = [key for key in given if key not in taken]
    if strict and (missing or surplus):
        listed = [f"{word} {_listed(keys)}" for word, keys in (("missing", missing), ("surplus", surplus)) if keys]
        near = _spellings.near(missing, surplus, _listed)
        hint = f" ({near})" if near else ""
        check.invalid(f"{op}: state must have exactly the keys of the layer, {', '.join(listed)}{hint}")
    fit = [(entry, fitting(op, key, _cast(key, given[key], entry.array), entry.array)) for key, entry in taken.items()]
    for entry, array in fit:
        setattr(entry.layer, entry.name, array)
    return Keys(missing, surplus)


def _cast(key: str, value: Any, held: Array) -> Any:
    return value if value is None else _spellings.cast(arrays.held(key, value), held)


def _listed(keys: list[str]) -> str:
    more = [f"and {len(keys) - _SHOWN} more"] if len(keys) > _SHOWN else []
    return ", ".join([*map(str, keys[:_SHOWN]), *more])


def _mapping(op: str, state: Any) -> Mapping[str, Any]:
    if isinstance(state, Mapping):
        return state
    rule = "a mapping of arrays or the path of an .npz, .safetensors, .pth or .pt file"
    if not isinstance(state, (str, os.PathLike)):
        raise TypeError(f"{op}: state must be {rule}, got {type(state).__name__}")
    path = Path(state)
    readers = {".npz": _from_npz, ".safetensors": _from_safetensors, ".pth": _from_torch, ".pt": _from_torch}
    if path.suffix not in readers:
        check.invalid(f"{op}: state must be {rule}, got {str(path)!r}")
    try:
        return readers[path.suffix](op, path)
    except (ImportError, OSError, TypeError):
        raise
    except Exception as error:  # each reader has its own for files that are none of its kind
        check.invalid(f"{op}: state must be {rule}, got {str(path)!r} ({error})")


def _from_npz(op: str, path: Path) -> dict[str, Array]:
    with np.load(path) as stored:
        return dict(stored)


def _from_torch(op: str, path: Path) -> dict[str, Any]:
    """By torch, of whose pickles nothing but tensors and containers is read."""
    try:
        torch = importlib.import_module("torch")
    except ModuleNotFoundError as error:
        told = f"{op}: state in a {path.suffix} file must be read by torch, or be saved as .npz or .safetensors"
        raise ModuleNotFoundError(told, name=error.name) from None
    found: Any = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(found, Mapping):
        raise ValueError(f"it holds {type(found).__name__}, no mapping")
    return dict(found)


def _from_safetensors(op: str, path: Path) -> dict[str, Array]:
    try:
        safetensors = importlib.import_module("safetensors")
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{op}: state in a .safetensors file must be read by the package safetensors, which"
            " pip install 'fastup[safetensors]' brings",
            name=error.name,
        ) from None
    # Not its loader for NumPy, which does not know bfloat16.
    return {key: _array(op, key, **tensor) for key, tensor in safetensors.deserialize(path.read_bytes())}


def _array(op: str, key: str, dtype: str, shape: list[int], data: Any) -> Array:
    if dtype not in _SAFE_DTYPES:
        raise TypeError(f"{op}: {key} must have one of the dtypes {', '.join(_SAFE_DTYPES)}, got {dtype}")
    kind = check.dtype(op, _SAFE_DTYPES[dtype])
    little = kind if kind.name == "bfloat16" else kind.newbyteorder("<")
    return np.frombuffer(data, little).reshape(shape)
