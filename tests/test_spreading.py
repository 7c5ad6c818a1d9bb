"""Which stage resamples the pixels of a row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastup
from fastup.cpu import spreading
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
    chosen = spreading.common([spreading.strip_of(plan.axes[0], 1)], "float32")
    assert chosen is not None
    assert chosen.method == method
