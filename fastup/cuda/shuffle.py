"""Pixel shuffle and unshuffle on a device: one copy in another order."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastup.cuda import copies, memory
from fastup.cuda.copies import Digits, copy
from fastup.cuda.memory import View
from fastup.plan import PixelShufflePlan


def run(plan: PixelShufflePlan, x: View, results: tuple[View, ...], _operands: tuple[Any, ...]) -> None:
    """Fill the result."""
    strides = tuple(stride // x.dtype.itemsize for stride in x.strides)
    inside = plan.inside
    if inside is None:
        copy(plan, "shuffle", list(plan.digits(strides)), x, results[0])
        return
    blocks = memory.view_of(memory.empty(plan.blocks_shape, copies.storage(x.dtype)), x.dtype)
    copy(plan, "blocks", list(plan.digits(strides)), x, blocks)
    digits: Digits = []
    for axis, (extent, stride) in enumerate(zip(plan.output_shape, blocks.strides, strict=True)):
        begin = inside[axis - plan.first_spatial_axis] if axis in plan.spatial_axes else 0
        digits.append((extent, (begin + np.arange(extent)) * (stride // x.dtype.itemsize)))
    copy(plan, "inside", digits, blocks, results[0])
