"""The demo's times: fastup, and whoever else is installed, takes the case and gives the same values."""

from __future__ import annotations

import functools
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import fastup
from fastup.cli.cases import Array, Case

_ROUNDS, _CALLS = 7, 3
_CLOSE = 4  # levels of 255: peers further away compute something else
_FLOATS_CLOSE = 1e-4
_Call = Callable[[], Any]


def times(
    case: Case, arrays: tuple[Array, ...], keywords: dict[str, Any], results: list[Array], models: dict[str, Any],
    sessions: dict[str, Any], form: str | None,
) -> dict[str, float]:  # fmt: skip
    """Median milliseconds a call of each."""
    calls: dict[str, _Call] = {"fastup": lambda: getattr(fastup, case.operator)(*arrays, **keywords)}
    if form is not None:
        fed = [*arrays][: len(models[form].graph.input)]
        calls["onnxruntime"] = lambda: sessions[form].run(fed)
        calls |= _peers(case, arrays, keywords, results[0], models[form])
    return _times(calls)


def _peers(case: Case, arrays: tuple[Array, ...], keywords: dict[str, Any], y: Array, model: Any) -> dict[str, _Call]:
    """Further peers that are installed, can do the case, and give the same values (smooth modes: about the same)."""
    from fastup.export.runtimes import installed

    others = {name: runtime for name, runtime in installed().items() if runtime.timed and name != "onnxruntime"}
    fed = [*arrays][: len(model.graph.input)]
    builds: dict[str, Callable[[], _Call | None]] = {
        "torch": lambda: _torch(case, arrays, keywords),
        **{name: functools.partial(_exported, runtime, model, fed) for name, runtime in others.items()},
        "opencv": lambda: _opencv(case, arrays[0], y),
    }
    found = {}
    for name, build in builds.items():
        try:
            call = build()
            if call and _close(case, _first(call()), y):
                found[name] = call
        except (ModuleNotFoundError, RuntimeError, ValueError, TypeError):  # not here, or not for this mode or dtype
            continue
    return found


def _first(results: Any) -> Array:
    return np.asarray(results[0] if isinstance(results, (list, tuple)) else results)


def _close(case: Case, result: Array, y: Array) -> bool:
    if result.shape != y.shape:
        return False
    if y.dtype.kind == "f":
        return bool(np.allclose(result, y, _FLOATS_CLOSE, _FLOATS_CLOSE))
    smooth = case.operator == "interpolate" and "nearest" not in str(case.keywords.get("mode", "nearest"))
    if not smooth or y.dtype.kind not in "iu":
        return np.array_equal(result, y)
    scale = np.iinfo(y.dtype).max / 255
    return float(np.abs(result.astype(np.float64) - y).max()) <= _CLOSE * scale


def _torch(case: Case, arrays: tuple[Array, ...], keywords: dict[str, Any]) -> _Call | None:
    import torch

    function = getattr(torch.nn.functional, case.operator, None)
    if function is None:
        return None
    tensors = [torch.from_numpy(array) for array in arrays]
    return lambda: function(*tensors, **keywords)


def _exported(runtime: Any, model: Any, fed: list[Array]) -> _Call:
    session = runtime.prepare(model)
    return lambda: session.run(fed)


def _opencv(case: Case, x: Array, y: Array) -> _Call | None:
    """Plane by plane; OpenCV has three of the modes, without antialias and without aligned corners."""
    import cv2

    codes = {"nearest": cv2.INTER_NEAREST, "bilinear": cv2.INTER_LINEAR, "bicubic": cv2.INTER_CUBIC}
    code = codes.get(str(case.keywords.get("mode", "nearest")))
    if case.operator != "interpolate" or code is None or {"antialias", "align_corners"} & set(case.keywords):
        return None
    size = y.shape[:1:-1]
    planes = x.reshape(-1, *x.shape[2:])
    return lambda: np.stack([cv2.resize(p, size, interpolation=code) for p in planes]).reshape(y.shape)


def _times(calls: dict[str, _Call]) -> dict[str, float]:
    """Median milliseconds a call; the libraries take turns, and each turn begins with a call that does not count."""
    found: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(_ROUNDS):
        for name, call in calls.items():
            call()
            begin = time.perf_counter()
            for _ in range(_CALLS):
                call()
            found[name].append((time.perf_counter() - begin) / _CALLS * 1e3)
    return {name: statistics.median(values) for name, values in found.items()}
