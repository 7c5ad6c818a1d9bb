"""One adapter per kind of array: what goes in comes out. The kind is the first word of the type's module.

An adapter is a module, imported when its kind first appears: ``run(make_plan, x, arguments, out, threads, operands)``
executes, ``view(array, name)`` gives NumPy's view of a further array, ``wrap(array)`` turns a result into its kind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import numpy as np

from fastup.arrays import _described, _numpy
from fastup.plan.base import Plan
from fastup.plan.operands import Operand, PackedWeight
from fastup.runtime import forks

MakePlan = Callable[..., Plan]

_GPU = "fastup.arrays._cuda"
_MODULES = {
    "torch": "fastup.arrays._torch",
    "dask": "fastup.arrays._dask",
    **dict.fromkeys(("numba", "numba_cuda", "cupy"), _GPU),
}
_adapters: dict[str, ModuleType] = {"numpy": _numpy}
_of_types: dict[type, ModuleType] = {np.ndarray: _numpy, Operand: _described}


def apply(
    make_plan: MakePlan,
    x: Any,
    arguments: tuple[Any, ...],
    out: Any = None,
    threads: int | None = None,
    operands: Mapping[str, Any] | None = None,
) -> Any:
    """Run the plan that `make_plan` makes of shape and dtype of `x`, those of further arrays, and the arguments."""
    adapter = _adapter_of(x)
    if operands is None:
        return adapter.run(make_plan, x, arguments, out, threads)
    others = tuple(operand(name, value) for name, value in operands.items())
    return adapter.run(make_plan, x, arguments, out, threads, others)


def bound(plan: Plan, x: Any, out: Any, threads: int | None, operands: Mapping[str, Any]) -> Callable[[], Any]:
    """What executes a plan on arrays in the memory of the CPU, which are checked here, and gives `out`."""
    several = isinstance(out, tuple)
    views = [_in_memory(name, one) for name, one in (("x", x), *(("out", one) for one in (out if several else (out,))))]
    others = tuple(operand(name, value) for name, value in operands.items())
    call = _numpy.bound(plan, views[0], tuple(views[1:]) if several else views[1], threads, others)

    def bound_call() -> Any:
        call()
        return out

    return bound_call


def _in_memory(name: str, array: Any) -> np.ndarray[Any, Any]:
    found = operand(name, array)
    if not isinstance(found, np.ndarray):
        raise TypeError(f"bind: {name} must be an array in the memory of the CPU, got {type(array).__name__}")
    return found


def operand(name: str, value: Any) -> Any:
    """NumPy's view of an array that an operator takes beside its input; None and packed weights stay as they are."""
    if value is None or isinstance(value, PackedWeight):
        return value
    return _adapter_of(value).view(value, name)


def held(name: str, value: Any) -> Any:
    """NumPy's view of values that will be copied, such as a layer's state: where they come from does not matter."""
    if value is None or isinstance(value, PackedWeight):
        return value
    adapter = _adapter_of(value)
    return getattr(adapter, "values_of", adapter.view)(value, name)


def mapped(function: Callable[..., Any], x: Any, *others: Any) -> Any:
    """`function` of NumPy's views of arrays; its result is of the kind of `x`."""
    return _mapped(_adapter_of(x), function, x, others)


def _mapped(adapter: ModuleType, function: Callable[..., Any], x: Any, others: tuple[Any, ...]) -> Any:
    views = [adapter.view(x, "x"), *(operand("x", one) for one in others)]
    if any(getattr(one, "on_device", False) for one in views):
        raise TypeError("fastup: this layer computes with NumPy, got an array on a GPU; layers of operators take those")
    return adapter.wrap(function(*views))


# What torch.compile reads of a function: it calls such ones as they are, or says that it cannot.
doors = (apply, mapped, _mapped, operand, held)
for _door in doors:
    _door.__dict__.update(
        _torchdynamo_disable=True, _torchdynamo_disable_msg="fastup works on NumPy's memory and has no graph of torch"
    )


def _adapter_of(x: Any) -> ModuleType:
    return _of_types.get(type(x)) or _found_adapter(x)


def _found_adapter(x: Any) -> ModuleType:
    kind = type(x).__module__.partition(".")[0]
    adapter = _adapters.get(kind)
    if adapter is None:
        module = _MODULES.get(kind)
        if module is None:
            return forks.late_import(_GPU) if hasattr(x, "__cuda_array_interface__") else _numpy
        adapter = _adapters[kind] = forks.late_import(module)
    return adapter
