"""The CPU back-end: runs plans on NumPy arrays."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from fastup.plan.base import Plan
from fastup.plan.cache import cache
from fastup.plan.registry import ROWS
from fastup.runtime.workers import Launch

Array = np.ndarray[Any, Any]
_STRIDES_PER_PLAN = 16  # launches that one plan keeps


def run(plan: Plan, x: Array, out: Array, threads: int | None = None, operands: tuple[Any, ...] = ()) -> None:
    """Execute `plan` on `x` and what else it takes into `out`, all of the shapes and dtypes that the plan names."""
    if not x.flags.aligned:
        x = x.copy(order="C")
    launch = plan.backend_cache.get(x.strides)
    if launch is None:
        launch = _pack(plan, x)
        if launch is None:  # strides that no kernel walks
            run(plan, x.copy(order="C"), out, threads, operands)
            return
    if not operands:
        launch(address_of(x), address_of(out), (x, out), threads)
        return
    table = ROWS[type(plan)].table
    if table is None:
        raise TypeError(f"{plan.operator}: has no operands")
    address, owners = table(plan, *operands)
    launch(address_of(x), address_of(out), (x, out, owners), threads, address)


def bound(
    plan: Plan, x: Array, out: Array, threads: int | None = None, operands: tuple[Any, ...] = ()
) -> Callable[[], None]:
    """`run` for arrays that stay where they are; operands are read anew in every call."""
    launch = (plan.backend_cache.get(x.strides) or _pack(plan, x)) if x.flags.aligned else None
    if launch is None or operands:
        return lambda: run(plan, x, out, threads, operands)
    return partial(launch, address_of(x), address_of(out), (x, out), threads)


def _pack(plan: Plan, x: Array) -> Launch | None:
    itemsize = plan.dtype.itemsize
    if any(stride % itemsize for stride in x.strides):
        return None
    launch: Launch | None = ROWS[type(plan)].launch(plan, tuple(stride // itemsize for stride in x.strides))
    if launch is not None:
        if len(plan.backend_cache) >= _STRIDES_PER_PLAN:
            plan.backend_cache.clear()
        plan.backend_cache[x.strides] = launch
        cache.grew(plan)
    return launch


def address_of(array: Array) -> int:
    """Where the items begin; the buffer protocol is four times faster than ``array.ctypes``, where it can be used."""
    try:
        return ctypes.addressof(ctypes.c_char.from_buffer(array))  # type: ignore[arg-type]
    except (TypeError, ValueError, BufferError):  # read-only, strided, or a dtype without a buffer format
        return array.ctypes.data
