"""NumPy arrays, and everything that NumPy can view without a copy."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastup import cpu
from fastup.plan import Plan, check
from fastup.plan.operands import described
from fastup.runtime import memory, workers

Array = np.ndarray[Any, Any]


def run(
    make_plan: Any,
    x: Any,
    arguments: tuple[Any, ...],
    out: Any,
    threads: int | None,
    operands: tuple[Any, ...] = (),
) -> Array:
    """Plan for `x` and the further arrays, then execute into `out` or a new array."""
    if type(x) is not np.ndarray:
        x = view(x, "x")
    plan: Plan = make_plan(x.shape, x.dtype, *map(described, operands), *arguments)
    return execute(plan, x, out, threads, operands)


def execute(plan: Plan, x: Array, out: Any, threads: int | None, operands: tuple[Any, ...] = ()) -> Array:
    """Execute a plan whose shape and dtype are those of `x`."""
    if threads is not None:
        threads = workers.checked_threads(plan.operator, "threads", threads)
    if out is None:
        if (
            plan.data_format == "channels_first"
            and not x.flags.c_contiguous
            and _is_channels_last(x, plan.channel_axis)
        ):
            return _in_its_order(plan, x, threads, operands)
        try:
            out = memory.empty(plan.output_shape, plan.dtype)
        except MemoryError:
            raise check.not_enough_memory(plan.operator, plan.output_shape, plan.dtype) from None
    else:
        check.out(plan.operator, out, plan.output_shape, plan.dtype, x)
    if out.size:
        cpu.run(plan, x, out, threads, operands)
    return out  # type: ignore[no-any-return]


def _is_channels_last(x: Array, axis: int) -> bool:
    return np.moveaxis(x, axis, -1).flags.c_contiguous


def _in_its_order(plan: Plan, x: Array, threads: int | None, operands: tuple[Any, ...]) -> Array:
    """Memory that is channels-last stays so, as torch's memory formats do: the result is a view with its axes moved."""
    axis = plan.channel_axis
    same = plan.packed.get("channels_last")
    if same is None:
        same = plan.packed["channels_last"] = plan.with_channels_last()
    return np.moveaxis(execute(same, np.moveaxis(x, axis, -1), None, threads, operands), -1, axis)


def view(x: Any, name: str) -> Array:
    """A view of array-likes that have memory of their own; lists and scalars are refused, not converted."""
    if isinstance(x, np.ndarray):
        return x.view(np.ndarray)
    try:
        if hasattr(x, "__dlpack__") and not hasattr(x, "__array__"):
            return np.from_dlpack(x)
        if hasattr(x, "__array__") or hasattr(x, "__array_interface__") or isinstance(x, (memoryview, bytearray)):
            return np.asarray(x)
    except (BufferError, RuntimeError, ValueError, TypeError) as error:
        raise TypeError(
            f"fastup: {name} must be an array in the memory of the CPU, got {type(x).__name__} ({error})"
        ) from None
    raise TypeError(f"fastup: {name} must be an array in the memory of the CPU, got {type(x).__name__}")
