"""Tensors of torch on the CPU: in and out without a copy."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from fastup.arrays import _numpy


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
    if tensor.dtype == torch.bfloat16:
        import ml_dtypes

        tensor, dtype = tensor.view(torch.int16), ml_dtypes.bfloat16
        return np.asarray(tensor.numpy().view(dtype))
    return np.asarray(tensor.numpy())


def wrap(array: np.ndarray[Any, Any]) -> Any:
    """The array's memory as a tensor."""
    if array.dtype.name == "bfloat16":
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(array)
