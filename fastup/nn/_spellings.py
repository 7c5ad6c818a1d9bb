"""States as other programs write them: wrapped, prefixed, halved, with weights as lengths and directions."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from fastup import arrays

Array = np.ndarray[Any, Any]
# Under which key trainers put the state, the better one first: the averaged parameters are those that are published.
_WRAPPERS = ("params_ema", "params", "state_dict")
_PARALLEL = "module."  # what torch's DataParallel puts before every key
# Length and direction of a weight: torch.nn.utils.weight_norm, and that of torch.nn.utils.parametrizations.
_NORMED = (("weight_g", "weight_v"), ("parametrizations.weight.original0", "parametrizations.weight.original1"))
HALVES = ("float16", "bfloat16")
FLOATS = (*HALVES, "float32", "float64")


def plain(state: Mapping[str, Any], expected: Iterable[str]) -> Mapping[str, Any]:
    """The state with the keys of a layer, as far as its own keys are spelled otherwise."""
    wanted = set(expected)
    for wrapper in _WRAPPERS:
        inner = state.get(wrapper)
        if wrapper not in wanted and isinstance(inner, Mapping):
            return plain(inner, wanted)
    if state and not wanted & set(state) and all(str(key).startswith(_PARALLEL) for key in state):
        return plain({key[len(_PARALLEL) :]: value for key, value in state.items()}, wanted)
    return _with_weights(state, wanted)


def _with_weights(state: Mapping[str, Any], wanted: set[str]) -> Mapping[str, Any]:
    """Weights in place of their lengths and directions."""
    found = dict(state)
    for length, direction in _NORMED:
        for key in [key for key in state if str(key).endswith(length)]:
            prefix = key[: -len(length)]
            if prefix + "weight" in wanted and prefix + "weight" not in state and prefix + direction in state:
                parts = found.pop(prefix + length), found.pop(prefix + direction)
                found[prefix + "weight"] = _product(*(arrays.held(prefix + "weight", part) for part in parts))
    return found


def _product(length: Array, direction: Array) -> Array:
    """The weight g * v / |v|, the length of v taken over the axes along which g has one item."""
    axes = tuple(k for k in range(direction.ndim) if length.ndim == 0 or length.shape[k] == 1)
    wide = direction.astype(np.float64)
    norm = np.sqrt((wide * wide).sum(axis=axes, keepdims=True))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(length.astype(np.float64) * (wide / norm)).astype(direction.dtype)


def cast(array: Array, held: Array) -> Array:
    """Floats of another width, and integers of another width, in the dtype that is held, as torch copies them."""
    one, other = array.dtype, held.dtype
    if one.name in FLOATS and other.name in FLOATS:
        with np.errstate(over="ignore"):
            return array.astype(other)
    fits = one.kind in "iu" and other.kind in "iu" and np.array_equal(array.astype(other), array)
    return array.astype(other) if fits else array


def near(missing: Iterable[str], surplus: Iterable[str], listed: Callable[[list[str]], str]) -> str:
    """Which of the keys that are there may have been meant, for a message; empty if none."""
    given = [str(key) for key in surplus]
    pairs = {key: difflib.get_close_matches(key, given, 1, 0.8) for key in missing}
    found = [f"{key} may be {match[0]}" for key, match in pairs.items() if match]
    return listed(found)
