"""The calls whose results in torch 2.13.0 are stored in data/torch-2.13-smooth.npz, and their inputs.

The shapes take torch's generic kernels: two channels, and rows so long that bilinear pictures do not count as small.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.cases import Case

Array = np.ndarray[Any, Any]
Call = tuple[Case, str]


def name_of(call: Call) -> str:
    """The call's key in the stored file."""
    case, dtype = call
    return f"{case} {dtype}"


def input_of(call: Call) -> Array:
    """Even values over [-1, 1), or all of uint8. The raw numbers of a bit generator are the same in every NumPy."""
    case, dtype = call
    raw = np.random.PCG64(len(str(case))).random_raw(int(np.prod(case.shape)))
    if dtype == "uint8":
        return (raw >> np.uint64(56)).astype(np.uint8).reshape(case.shape)
    return ((raw >> np.uint64(11)) * 2.0**-52 - 1).astype(dtype).reshape(case.shape)


_LINES: list[dict[str, Any]] = [
    {"size": 150},
    {"size": 15},
    {"size": 1},
    {"scale_factor": 1.37},
    {"scale_factor": 2},
    {"scale_factor": 0.6},
]
_PICTURES: list[tuple[tuple[int, ...], dict[str, Any]]] = [
    ((1, 2, 3, 61), {"size": (5, 131)}),
    ((1, 2, 7, 200), {"size": (3, 127)}),
    ((1, 2, 3, 65), {"scale_factor": 2}),
    ((1, 2, 3, 50), {"scale_factor": (1.4, 2.77)}),
    ((1, 2, 2, 45), {"scale_factor": (1.7, 3.3), "recompute_scale_factor": True}),
]
_VOLUMES: list[dict[str, Any]] = [{"size": (5, 3, 19)}, {"scale_factor": 2}, {"scale_factor": (0.7, 1.6, 2.3)}]
_UINT8: list[dict[str, Any]] = [
    {"size": (17, 40)},
    {"size": (40, 11)},
    {"size": (5, 1)},
    {"scale_factor": 2},
    {"scale_factor": (1.3, 0.7)},
]


def _exact() -> list[Call]:
    """float32 and float64, equal to the last bit where kernels contract."""
    cases = []
    for aligned in ({"align_corners": False}, {"align_corners": True}):
        cases += [Case("interpolate", (1, 2, 37), {**to, "mode": "linear", **aligned}) for to in _LINES]
        for mode in ("bilinear", "bicubic"):
            cases += [Case("interpolate", shape, {**to, "mode": mode, **aligned}) for shape, to in _PICTURES]
        cases += [Case("interpolate", (1, 2, 3, 4, 9), {**to, "mode": "trilinear", **aligned}) for to in _VOLUMES]
    cases += [Case("interpolate", (1, 2, 37), {"size": size, "mode": "area"}) for size in (90, 20, 5)]
    cases += [
        Case("interpolate", (1, 2, 13, 31), {"size": size, "mode": "area"}) for size in ((4, 9), (26, 40), (5, 62))
    ]
    cases += [Case("interpolate", (1, 2, 5, 6, 7), {"size": size, "mode": "area"}) for size in ((2, 3, 4), (7, 5, 9))]
    return [(case, dtype) for case in cases for dtype in ("float32", "float64")]


def _antialiased() -> list[Call]:
    """float32 within the promised error: the order of the sum is torch's compiler's."""
    calls: list[Call] = []
    for mode in ("bilinear", "bicubic"):
        for size in ((11, 17), (40, 17), (9, 70), (30, 60)):
            keywords: dict[str, Any] = {"size": size, "mode": mode, "antialias": True}
            calls.append((Case("interpolate", (1, 2, 23, 37), keywords), "float32"))
        keywords = {"scale_factor": (0.45, 1.3), "mode": mode, "antialias": True}
        calls.append((Case("interpolate", (1, 2, 23, 37), keywords), "float32"))
    return calls


def _fixed_point() -> list[Call]:
    cases = []
    for mode in ("bilinear", "bicubic", "lanczos"):
        for to in _UINT8:
            keywords = {**to, "mode": mode}
            cases.append(Case("interpolate", (2, 3, 23, 19), {**keywords, "antialias": True}))
            if mode != "lanczos":
                cases.append(Case("interpolate", (2, 3, 23, 19), keywords))
                cases.append(Case("interpolate", (2, 3, 23, 19), {**keywords, "align_corners": True}))
    return [(case, "uint8") for case in cases]


EXACT, ANTIALIASED, FIXED_POINT = _exact(), _antialiased(), _fixed_point()
CALLS = [*EXACT, *ANTIALIASED, *FIXED_POINT]
