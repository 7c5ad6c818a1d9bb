"""Tensors of torch on the CPU: in and out without a copy."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.autograd import forward_ad

from fastup import arrays
from fastup.arrays import _numpy
from fastup.runtime import forks


def run(
    make_plan: Any,
    x: Any,
    arguments: tuple[Any, ...],
    out: Any,
    threads: int | None,
    operands: tuple[Any, ...] = (),
) -> Any:
    """Plan for the tensor's memory, execute, and give a tensor back (`out` itself where one was given)."""
    if x.is_cuda:
        return _on_gpu().run(make_plan, x, arguments, out, threads, operands)
    given = out if isinstance(out, tuple) else (out,)
    if out is not None and not all(isinstance(one, torch.Tensor) for one in given):
        wrong = next(one for one in given if not isinstance(one, torch.Tensor))
        raise TypeError(f"fastup: out must be a tensor like x, got {type(wrong).__name__}")
    targets: Any = None if out is None else tuple(view(one, "out") for one in given)
    if targets is not None and not isinstance(out, tuple):
        targets = targets[0]
    results = _numpy.run(make_plan, view(x, "x"), arguments, targets, threads, operands)
    if out is not None:
        return out
    return tuple(map(wrap, results)) if isinstance(results, tuple) else wrap(results)


def _on_gpu() -> Any:
    from fastup.arrays import _cuda

    return _cuda


def view(tensor: Any, name: str) -> Any:
    """The tensor's memory as an array; of one on a GPU, what is known of it."""
    refuse_lost(tensor, name)
    return values_of(tensor, name)


def values_of(tensor: Any, name: str) -> Any:
    """The same for values that are only copied, so that no gradient is expected to reach them."""
    if tensor.is_cuda:
        return _on_gpu().view(tensor, name)
    if tensor.device.type != "cpu" or tensor.layout != torch.strided:
        raise TypeError(
            f"fastup: {name} must be a dense tensor on the CPU, got one of {tensor.layout} on {tensor.device}"
        )
    if tensor.is_conj() or tensor.is_neg():
        if name == "out":
            raise TypeError("fastup: out must be a tensor with memory of its own, got a lazy conjugate or negative")
        tensor = tensor.resolve_conj().resolve_neg()
    tensor = tensor.detach()
    try:
        if tensor.dtype == torch.bfloat16:
            tensor, dtype = tensor.view(torch.int16), forks.late_import("ml_dtypes").bfloat16
            return np.asarray(tensor.numpy().view(dtype))
        return np.asarray(tensor.numpy())
    except (RuntimeError, TypeError) as error:  # what torch.func and the exporters pass in place of tensors; quantised
        raise TypeError(
            f"fastup: {name} must be a tensor with memory of its own, got {type(tensor).__name__} ({error})"
        ) from None


def refuse_lost(tensor: Any, name: str) -> None:
    """Refuse tensors of which torch follows what they are used for, since here it would lose sight of them."""
    if tensor.requires_grad and torch.is_grad_enabled():
        raise TypeError(
            f"fastup: {name} must be a tensor without a gradient, got one that requires it;"
            " call with its .detach(), or under torch.no_grad()"
        )
    if torch.jit.is_tracing():
        raise TypeError(
            f"fastup: {name} must be a tensor outside of torch.jit.trace and torch.onnx.export, got one that is traced;"
            " a trace would hold the result as a constant (fastup.export makes graphs of ONNX)"
        )
    if forward_ad._current_level >= 0 and forward_ad.unpack_dual(tensor).tangent is not None:
        raise TypeError(f"fastup: {name} must be a tensor without a tangent, got one of forward-mode differentiation")
    if torch._C._get_dispatch_mode(torch._C._TorchDispatchModeKey.PROXY) is not None:
        raise TypeError(f"fastup: {name} must be a tensor outside of make_fx and torch.export, got one that is traced")


def wrap(array: np.ndarray[Any, Any]) -> Any:
    """The array's memory as a tensor."""
    if array.dtype.name == "bfloat16":
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(array)


# torch.compile shall not take apart what is called here: it would take NumPy's functions for torch's. By the C part
# alone, as torch._dynamo takes a second to import; at the module's level, which it never compiles.
_frames: Any = getattr(torch._C._dynamo, "eval_frame", None)
if hasattr(_frames, "set_code_exec_strategy"):
    _skip = _frames._FrameExecStrategy(_frames._FrameAction.SKIP, _frames._FrameAction.SKIP)
    for _function in (*arrays.doors, run, view, values_of, wrap):
        _frames.set_code_exec_strategy(_function.__code__, _skip)
