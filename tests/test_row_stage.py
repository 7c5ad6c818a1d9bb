"""Which stage resamples the pixels of a row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastup
from fastup.cpu.resample import row_stage
from fastup.cpu.resample.strip import strip_of
from fastup.runtime import cpu_info
from fastup.runtime.kernel import target_has

GENERAL = "permutation" if target_has("avx2") else "table"


@pytest.mark.quick
@pytest.mark.parametrize(
    ("keywords", "method"),
    [
        ({"scale_factor": 2, "mode": ("linear",)}, "regular"),
        ({"scale_factor": 4, "mode": ("cubic",)}, "regular"),
        ({"scale_factor": 2, "mode": ("linear",), "align_corners": True}, GENERAL),
        ({"scale_factor": 4, "mode": ("cubic",), "align_corners": True}, GENERAL),
        ({"size": 513, "mode": ("linear",)}, GENERAL),
        ({"size": 17, "mode": ("linear",), "antialias": True}, "table"),
    ],
    ids=str,
)
def test_weights_that_repeat_need_no_table(keywords: dict[str, Any], method: str) -> None:
    """With align_corners weights repeat over a few pixels here and there: that is not enough."""
    plan = fastup.plan.interpolate((1, 1, 256), np.float32, **keywords)
    chosen = row_stage.common([strip_of(plan.axes[0], 1)], "float32")
    assert chosen is not None
    assert chosen.method == method


@pytest.mark.quick
@pytest.mark.parametrize("mode", ["linear", "cubic"])
@pytest.mark.parametrize("factor", [2, 4])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rows_that_stream_themselves_hold_the_same_numbers(
    mode: str, factor: int, dtype: str, generator: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In lines of any length, from any address on: streamed blocks begin where a vector is aligned."""
    for width in (1, 15, 16, 17, 40, 97, 5000):
        x = generator.standard_normal((2, 3, width)).astype(dtype)
        plan = fastup.plan.interpolate(x.shape, dtype, scale_factor=factor, mode=(mode,))
        expected = fastup.run(plan, x)
        plan.backend_cache.clear()
        with monkeypatch.context() as patch:
            patch.setattr(cpu_info, "caches", lambda: cpu_info.Caches(0, 0, 0))
            for offset in range(0, 16, 5):
                memory = np.full(plan.output_shape[1] * plan.output_shape[2] * 2 + 32, 7, dtype)
                out = memory[offset : offset + expected.size].reshape(expected.shape)
                np.testing.assert_array_equal(fastup.run(plan, x, out), expected)
                assert (memory[offset + expected.size :] == 7).all()
        plan.backend_cache.clear()
