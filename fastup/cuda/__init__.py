"""The CUDA back-end (experimental): runs the same plans on arrays that live on a device."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import Any

try:
    import numba_cuda  # noqa: F401  (the package of the extra; Numba's own target of that name is deprecated)
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"fastup.cuda needs {error.name}; install it with: pip install 'fastup[cuda]'", name=error.name
    ) from None

from fastup.cuda import memory
from fastup.cuda.memory import View
from fastup.cuda.memory import using as using
from fastup.plan.base import Plan
from fastup.plan.registry import ROWS


def run(plan: Plan, x: View, results: tuple[View, ...], operands: tuple[Any, ...] = ()) -> None:
    """Execute `plan` on `x` and what else it takes into `results`, which are contiguous."""
    if results[0].size:
        with memory.memory_errors(plan.operator, plan.output_shape, plan.dtype):
            _runner(type(plan))(plan, x, results, operands)


@functools.cache
def _runner(kind: type[Plan]) -> Callable[..., None]:
    module, _, name = ROWS[kind].cuda.partition(".")
    runner: Callable[..., None] = getattr(importlib.import_module(f"fastup.cuda.{module}"), name)
    return runner
