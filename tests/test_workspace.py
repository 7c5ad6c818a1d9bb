"""No mode, dtype or layout holds a second picture in memory: what a call uses beside its arrays stays small."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastup

Array = np.ndarray[Any, Any]
LIMIT = 8 * 2**20
CASES: list[tuple[tuple[int, ...], dict[str, Any]]] = [
    ((1, 3, 700, 900), {"size": (1801, 2011), "mode": "bilinear"}),
    ((1, 3, 700, 900), {"scale_factor": 3, "mode": "bicubic"}),
    ((1, 2300, 1900, 3), {"size": (1200, 1001), "mode": "bicubic", "antialias": True, "data_format": "channels_last"}),
    ((1, 700, 900, 4), {"scale_factor": 2.5, "mode": "lanczos", "data_format": "channels_last"}),
    ((1, 3, 900, 800), {"size": (2001, 1999), "mode": "area"}),
    ((1, 3, 2900, 1800), {"size": (333, 1234), "mode": "area"}),
    ((1, 2, 60, 70, 80), {"scale_factor": 3, "mode": "trilinear"}),
    ((1, 2, 40, 70, 80), {"scale_factor": (5, 2, 2), "mode": ("nearest", "linear", "linear")}),
    ((2, 1, 3_000_001), {"scale_factor": 2.5, "mode": "linear"}),
    ((1, 3, 700, 900), {"size": (1801, 2011), "mode": "nearest"}),
    ((1, 1, 5_000_000), {"size": 20_000, "mode": "linear", "antialias": True}),  # 500 taps an output
    ((1, 1, 5_000_000), {"size": 20_000, "mode": "area"}),
]


def peak_growth(call: Any) -> int:
    """Bytes by which the process grew beyond what it held before, at the worst moment of the call."""
    status = Path("/proc/self/status")

    def field(name: str) -> int:
        (line,) = [line for line in status.read_text().splitlines() if line.startswith(name)]
        return int(line.split()[1]) * 1024

    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = field("VmRSS")
    call()
    return field("VmHWM") - before


def _growth_of_a_first_run(plan: Any, x: Array, out: Array) -> int:
    plan.backend_cache.clear()
    return peak_growth(lambda: fastup.run(plan, x, out))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the process's own peak from /proc")
@pytest.mark.parametrize("dtype", ["float32", "uint8", "float16", "int32", ">f4"])
@pytest.mark.parametrize(("shape", "keywords"), CASES, ids=str)
def test_peak_memory_beside_the_arrays(shape: tuple[int, ...], keywords: dict[str, Any], dtype: str) -> None:
    wide = np.ones((*shape[:-1], 2 * shape[-1]), dtype)
    plan = fastup.plan.interpolate(shape, dtype, **keywords)
    out = np.ones(plan.output_shape, dtype)
    for x in (np.ones(shape, dtype), wide[..., ::2]):
        fastup.interpolate(x[..., :-1], **keywords)  # compiles the kernels and starts the threads
        grown = min(_growth_of_a_first_run(plan, x, out) for _ in range(3))  # other threads of the process grow as well
        assert grown < LIMIT, f"{grown / 2**20:.1f} MB for strides {x.strides}"
