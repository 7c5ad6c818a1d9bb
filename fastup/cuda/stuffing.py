"""Zero stuffing on a device: a copy whose lists of places leave gaps."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastup.cuda.copies import Digits, copy
from fastup.cuda.kernels.gather import GAP
from fastup.cuda.memory import View
from fastup.plan import ZeroStuffPlan


def run(plan: ZeroStuffPlan, x: View, results: tuple[View, ...], _operands: tuple[Any, ...]) -> None:
    """Fill the result."""
    strides = [stride // x.dtype.itemsize for stride in x.strides]
    digits: Digits = []
    for axis, (extent, stride) in enumerate(zip(plan.output_shape, strides, strict=True)):
        if axis not in plan.spatial_axes:
            digits.append((extent, stride))
            continue
        k = axis - plan.spatial_axes[0]
        position, rest = np.divmod(np.arange(extent) - plan.padding[k], plan.stride[k])
        filled = (rest == 0) & (position >= 0) & (position < plan.input_shape[axis])
        digits.append((extent, np.where(filled, position * stride, GAP)))
    copy(plan, "stuff", digits, x, results[0])
