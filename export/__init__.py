"""ONNX graphs of the operators: one exporter per operator, with the operator's name and keywords.

An exporter takes a shape, or a plan, where the operator takes an array. A dimension of the shape may be a name ("N",
"H"): then it is known at run time only. Every graph has passed ONNX's full check and strict shape inference;
``verify=True`` also runs it in onnxruntime and compares it with fastup.

``lowering``: "native" writes the operator that a reader expects (DepthToSpace, Resize, AveragePool); "portable" writes
index operators and the plan's own tables, which leave nothing to interpret; "auto" is native where onnxruntime can run
that and it gives the same numbers: the same bits where items are copied, within rounding where they are weighted.
"""

from __future__ import annotations

from typing import Any

try:
    import onnx as _onnx  # noqa: F401
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"fastup.export needs {error.name}; install it with: pip install 'fastup[onnx]'", name=error.name
    ) from None

from fastup.export.exporters import exporter as _exporter
from fastup.export.graph import Graph as Graph
from fastup.export.graph import UnsupportedExport as UnsupportedExport
from fastup.export.layers import to_onnx as to_onnx
from fastup.export.prepending import prepend as prepend
from fastup.export.self_check import VerificationError as VerificationError
from fastup.export.verification import ModelError as ModelError
from fastup.export.verification import Report as Report
from fastup.export.verification import verify as verify
from fastup.export.verification.fixing import Fixed as Fixed
from fastup.export.verification.fixing import fix as fix
from fastup.export.verification.showing import Shown as Shown
from fastup.export.verification.showing import show as show
from fastup.operators.operator import OPERATORS as _OPERATORS

__all__ = [
    "Graph",
    "ModelError",
    "Report",
    "UnsupportedExport",
    "VerificationError",
    "prepend",
    "to_onnx",
    "verify",
    "Fixed",
    "fix",
    "Shown",
    "show",
]
for _name in _OPERATORS:  # type checkers read them in __init__.pyi
    globals()[_name] = _exporter(_name)
    __all__.append(_name)


def __dir__() -> list[Any]:
    return [*__all__]
