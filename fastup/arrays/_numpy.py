"""NumPy arrays, and everything that NumPy can view without a copy."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from fastup import cpu
from fastup.plan import Plan, check
from fastup.plan.kept_plan import Ready
from fastup.plan.operands import PackedWeight, described
from fastup.runtime import memory, workers

Array = np.ndarray[Any, Any]
Output = tuple[tuple[int, ...], np.dtype[Any]]
_BESIDE = (np.ndarray, PackedWeight)  # what may come beside x


def run(
    make_plan: Any,
    x: Any,
    arguments: tuple[Any, ...],
    out: Any,
    threads: int | None,
    operands: tuple[Any, ...] = (),
) -> Any:
    """Plan for `x` and the further arrays, then execute into `out` or a new array."""
    if type(x) is not np.ndarray:
        x = view(x, "x")
    for one in operands:
        if not (one is None or isinstance(one, _BESIDE)):
            where = "one on a GPU" if getattr(one, "on_device", False) else None
            kind = where or f"a {type(one).__module__}.{type(one).__name__}"
            raise TypeError(f"fastup: all arrays must be in the memory of the CPU as x is, got {kind}")
    plan: Plan = make_plan(x.shape, x.dtype, *map(described, operands), *arguments)
    if out is None and threads is None and not operands:
        launch = plan.backend_cache.get(x.strides)
        if launch is not None and x.flags.c_contiguous and x.flags.aligned and (wanted := _plain_output(plan)):
            return _relaunched(plan, launch, x, wanted)
    return execute(plan, x, out, threads, operands)


def _plain_output(plan: Plan) -> Output | None:
    """Shape and dtype of the one result that one kernel makes of the array as it is, if that is all of a call."""
    if "plain" not in plan.backend_cache:
        whole = plan.window is None and len(plan.outputs) == 1 and math.prod(plan.output_shape) > 0
        plain = whole and (plan.dtype.isnative or not plan.native_only)
        plan.backend_cache["plain"] = plan.outputs[0] if plain else None
    found: Output | None = plan.backend_cache["plain"]
    return found


def _relaunched(plan: Plan, launch: Any, x: Array, wanted: Output) -> Array:
    """`execute` for a plain call with what the same call has packed before: 12.5 us in place of 14.5 for 32x32."""
    result = _allocated(plan.operator, *wanted)
    try:
        launch(cpu.address_of(x), cpu.address_of(result), (x, result))
    except MemoryError:
        raise _no_room_to_work(plan) from None
    return result


def _no_room_to_work(plan: Plan) -> MemoryError:
    """What Python leaves without a word."""
    return check.not_enough_memory(plan.operator, *plan.outputs[0], " beside the memory to work with")


def execute(plan: Plan, x: Array, out: Any, threads: int | None, operands: tuple[Any, ...] = ()) -> Any:
    """Execute a plan whose shape and dtype are those of `x`; the result, or all results of a plan that has several."""
    if threads is not None:
        threads = workers.checked_threads(plan.operator, "threads", threads)
    if plan.native_only and not plan.dtype.isnative:
        return _natively(plan, x, out, threads)
    if out is None:
        first = plan.keeps_memory_order and plan.data_format == "channels_first"
        if first and not x.flags.c_contiguous and _is_channels_last(x, plan.channel_axis):
            return _in_its_order(plan, x, threads, operands)
    if plan.window is not None and plan.part is None:
        plan, index = plan.own_tile
        x = x[index]
    wanted = plan.outputs
    if out is None:
        results = tuple(_allocated(plan.operator, *one) for one in wanted)
    else:
        results = check.outs(plan.operator, out, wanted, x, operands)
    if results[0].size:
        try:
            cpu.run(plan, x, results[0], threads, (*operands, *results[1:]))
        except MemoryError:
            raise _no_room_to_work(plan) from None
    return results if len(results) > 1 else results[0]


def bound(plan: Plan, x: Array, out: Any, threads: int | None, operands: tuple[Any, ...]) -> Callable[[], Any]:
    """What executes a plan on these arrays, which are checked here."""
    Ready(plan)(x.shape, x.dtype, *map(described, operands))
    if threads is not None:
        threads = workers.checked_threads(plan.operator, "threads", threads)
    results = check.outs(plan.operator, out, plan.outputs, x, operands)
    if not results[0].size or (plan.native_only and not plan.dtype.isnative):
        return lambda: execute(plan, x, out, threads, operands)
    if plan.window is not None and plan.part is None:
        plan, index = plan.own_tile
        x = x[index]
    return cpu.bound(plan, x, results[0], threads, (*operands, *results[1:]))


def _allocated(operator: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    try:
        return memory.empty(shape, dtype)
    except MemoryError:
        raise check.not_enough_memory(operator, shape, dtype) from None


def _natively(plan: Plan, x: Array, out: Any, threads: int | None) -> Any:
    """Bytes are swapped before and after, for kernels that take native order only."""
    native = plan.with_dtype(plan.dtype.newbyteorder("="))
    results = execute(native, x.astype(native.dtype), None, threads)
    results = results if isinstance(results, tuple) else (results,)
    if out is None:
        results = (results[0].astype(plan.dtype), *results[1:])
    else:
        given = check.outs(plan.operator, out, plan.outputs, x)
        for target, result in zip(given, results, strict=True):
            target[...] = result
        results = given
    return results if len(results) > 1 else results[0]


def _is_channels_last(x: Array, axis: int) -> bool:
    return np.moveaxis(x, axis, -1).flags.c_contiguous


def _in_its_order(plan: Plan, x: Array, threads: int | None, operands: tuple[Any, ...]) -> Any:
    """Memory that is channels-last stays so, as torch's memory formats do: the result is a view with its axes moved."""
    axis = plan.channel_axis
    same = plan.backend_cache.get("channels_last")
    if same is None:
        same = plan.backend_cache["channels_last"] = plan.with_channels_last()
    results = execute(same, np.moveaxis(x, axis, -1), None, threads, operands)
    if isinstance(results, tuple):
        return tuple(np.moveaxis(one, -1, axis) for one in results)
    return np.moveaxis(results, -1, axis)


def view(x: Any, name: str) -> Array:
    """A view of array-likes that have memory of their own; lists and scalars are refused, not converted."""
    check.unmasked("fastup", name, x)
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


def wrap(array: Array) -> Array:
    """A result of NumPy is one already."""
    return array
