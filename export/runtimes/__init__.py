"""Runtimes of ONNX models: one adapter each, with the interface of `Runtime`; a new one is a file in this folder."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import onnx

from fastup.export.runtimes.runtime import Array
from fastup.export.runtimes.runtime import Node as Node
from fastup.export.runtimes.runtime import Reason as Reason
from fastup.export.runtimes.runtime import Runtime as Runtime
from fastup.export.runtimes.runtime import Session as Session

_MODULES = (importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
RUNTIMES: dict[str, Runtime] = {one.name: one for module in _MODULES for one in getattr(module, "RUNTIMES", ())}


def installed() -> dict[str, Runtime]:
    """The runtimes that can be used here, by name."""
    return {name: runtime for name, runtime in RUNTIMES.items() if runtime.is_installed()}


def run(name: str, model: onnx.ModelProto, *inputs: Array) -> Any:
    """The output of a model in a runtime, or a list of its outputs."""
    results = RUNTIMES[name].prepare(model).run([*inputs])
    return results[0] if len(results) == 1 else results
