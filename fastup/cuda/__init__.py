"""The CUDA back-end: runs the same plans on arrays that live on a device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

try:
    import numba_cuda  # noqa: F401  (the package of the extra; Numba's own target of that name is deprecated)
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"fastup.cuda needs {error.name}; install it with: pip install 'fastup[cuda]'", name=error.name
    ) from None

from fastup.cuda import convolution, interpolation, memory, pooling, segmentation, shuffle, stuffing
from fastup.cuda.memory import View
from fastup.cuda.memory import using as using
from fastup.plan import (
    ConvPlan,
    InterpolatePlan,
    MaxPoolPlan,
    MaxUnpoolPlan,
    PixelShufflePlan,
    Plan,
    SegmentationPlan,
    ZeroStuffPlan,
)

_RUNNERS: dict[type[Plan], Callable[..., None]] = {
    ConvPlan: convolution.run,
    InterpolatePlan: interpolation.run,
    MaxPoolPlan: pooling.run_pool,
    MaxUnpoolPlan: pooling.run_unpool,
    PixelShufflePlan: shuffle.run,
    SegmentationPlan: segmentation.run,
    ZeroStuffPlan: stuffing.run,
}


def run(plan: Plan, x: View, results: tuple[View, ...], operands: tuple[Any, ...] = ()) -> None:
    """Execute `plan` on `x` and what else it takes into `results`, which are contiguous."""
    if results[0].size:
        with memory.memory_errors(plan.operator, plan.output_shape, plan.dtype):
            _RUNNERS[type(plan)](plan, x, results, operands)
