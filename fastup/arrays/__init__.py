"""One adapter per kind of array: what goes in comes out. The kind is the first word of the type's module.

An adapter is a function ``run(make_plan, x, arguments, out, threads)``; it is imported when its kind first appears.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from fastup.arrays import _numpy
from fastup.plan import Plan

MakePlan = Callable[..., Plan]
Adapter = Callable[[MakePlan, Any, tuple[Any, ...], Any, int | None], Any]

_MODULES = {"torch": "fastup.arrays._torch"}
_adapters: dict[str, Adapter] = {"numpy": _numpy.run}


def apply(make_plan: MakePlan, x: Any, arguments: tuple[Any, ...], out: Any = None, threads: int | None = None) -> Any:
    """Run the plan that `make_plan` makes of the shape and dtype of `x` and the arguments."""
    kind = type(x).__module__.partition(".")[0]
    adapter = _adapters.get(kind)
    if adapter is None:
        adapter = _adapters[kind] = _load(kind)
    return adapter(make_plan, x, arguments, out, threads)


def _load(kind: str) -> Adapter:
    module = _MODULES.get(kind)
    return importlib.import_module(module).run if module else _numpy.run
