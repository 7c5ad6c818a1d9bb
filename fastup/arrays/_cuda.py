"""Arrays on a GPU (experimental): of Numba, CuPy, torch, and all that have ``__cuda_array_interface__``.

Nothing goes to the host. The result is an array of the same library on the same device, made by its own allocator, and
filled on the stream that the library works on.
"""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np

from fastup.plan import Plan, check
from fastup.plan.operands import described

try:
    from fastup import cuda
    from fastup.cuda.memory import View, contiguous_strides, empty, uploaded, view_of
except ImportError as error:
    raise RuntimeError(f"fastup: arrays on a GPU need the extra, pip install 'fastup[cuda]' ({error})") from None


def run(
    make_plan: Any,
    x: Any,
    arguments: tuple[Any, ...],
    out: Any,
    threads: int | None,
    operands: tuple[Any, ...] = (),
) -> Any:
    """Plan for the array's shape and dtype, then execute into `out` or a new array of the same library."""
    if not cuda.memory.available():
        raise RuntimeError(f"fastup: x is an array on a GPU ({type(x).__name__}), but CUDA finds none on this machine")
    source = view(x, "x")
    operands = tuple(map(_brought, operands))
    plan: Plan = make_plan(source.shape, source.dtype, *map(described, operands), *arguments)
    if plan.window is not None and plan.part is None:
        plan, index = plan.own_tile
        source = view(x[index], "x")
    wanted = plan.outputs
    _check_devices(x, operands)
    with cuda.using(_stream_of(x)) if _stream_of(x) is not None else contextlib.nullcontext():
        results = _allocated(plan, x, wanted) if out is None else _given(plan, out, wanted, source)
        views = tuple(view_of(one, dtype) for one, (_, dtype) in zip(results, wanted, strict=True))
        cuda.run(plan, source, views, operands)
    if out is not None:
        return out
    return results if len(results) > 1 else results[0]


def view(x: Any, name: str) -> View:
    """What is known of an array on a device."""
    library = _library(x)
    if library == "torch":
        import torch

        from fastup.arrays import _torch

        if x.layout != torch.strided:
            raise TypeError(f"fastup: {name} must be a dense tensor, got one of {x.layout}")
        _torch.refuse_lost(x, name)
        x = x.detach()
        if x.dtype == torch.bfloat16:
            return view_of(x.view(torch.int16), check.dtype("fastup", "bfloat16"))
    try:
        return view_of(x)
    except AttributeError:
        raise TypeError(f"fastup: {name} must be an array on the GPU, got {type(x).__name__}") from None


def _brought(operand: Any) -> Any:
    """Weights and biases that layers hold on the host, on the device; packed ones are kept there, these are not."""
    return view_of(uploaded(operand)) if isinstance(operand, np.ndarray) else operand


def wrap(array: Any) -> Any:
    """Results are of their kind already."""
    return array


def _library(x: Any) -> str:
    return type(x).__module__.partition(".")[0]


def _stream_of(x: Any) -> Any:
    """The stream on which the array's library works; None for the one that `fastup.cuda.using` says."""
    library = _library(x)
    if library == "torch":
        import torch

        return torch.cuda.current_stream(x.device).cuda_stream
    if library == "cupy":
        import cupy

        return cupy.cuda.get_current_stream().ptr
    return None


def _allocated(plan: Plan, x: Any, wanted: tuple[tuple[tuple[int, ...], np.dtype[Any]], ...]) -> tuple[Any, ...]:
    with cuda.memory.memory_errors(plan.operator, *wanted[0]):
        return tuple(_empty(x, shape, dtype, dtype == plan.dtype) for shape, dtype in wanted)


def _empty(x: Any, shape: tuple[int, ...], dtype: np.dtype[Any], of_x: bool) -> Any:
    """New memory from the allocator of the library that made x."""
    library = _library(x)
    if library == "torch":
        import torch

        return torch.empty(shape, dtype=x.dtype if of_x else getattr(torch, dtype.name), device=x.device)
    if library == "cupy":
        import cupy

        with cupy.cuda.Device(x.device):
            return cupy.empty(shape, dtype)
    return empty(shape, dtype)


def _given(plan: Plan, out: Any, wanted: tuple[tuple[tuple[int, ...], np.dtype[Any]], ...], x: View) -> tuple[Any, ...]:
    """`out` as one array per result, each of which can take its result as it is."""
    given = out if isinstance(out, tuple) else (out,)
    if len(given) != len(wanted):
        raise TypeError(f"{plan.operator}: out must be a tuple of {len(wanted)} arrays, got {type(out).__name__}")
    for one, (shape, dtype) in zip(given, wanted, strict=True):
        found = view(one, "out")
        if (found.shape, found.dtype) != (shape, dtype):
            check.invalid(
                f"{plan.operator}: out must have shape {shape} and dtype {dtype}, got {found.shape} and {found.dtype}"
            )
        if found.owner is x.owner:
            check.invalid(f"{plan.operator}: out must not be x")
        if found.size and found.strides != contiguous_strides(shape, dtype.itemsize):
            check.invalid(f"{plan.operator}: out must be C-contiguous, got strides {found.strides}")
    return given


def _device(array: Any) -> int | None:
    """The number of an array's device, where its library says it."""
    name = {"torch": "index", "cupy": "id"}.get(_library(array))
    return None if name is None else getattr(array.device, name)


def _check_devices(x: Any, operands: tuple[Any, ...]) -> None:
    """Refuse arrays on several devices, or on another than Numba's current one, where kernels run."""
    found = [_device(x), *(_device(one.owner) for one in operands if isinstance(one, View))]
    devices = {device for device in found if device is not None}
    if len(devices) > 1:
        check.invalid(f"fastup: all arrays must be on one device, got {sorted(devices)}")
    if devices - {cuda.memory.device()}:
        check.invalid(f"fastup: arrays must be on Numba's current device {cuda.memory.device()}, got {devices.pop()}")
