"""fastup as an ONNX backend: ``onnx.backend.base``'s interface, for models with upsampling in them.

Resize, Upsample, DepthToSpace, SpaceToDepth, Conv, ConvTranspose, MaxPool and MaxUnpool are computed by fastup, with
every attribute and dtype of ONNX's text; all other nodes by ONNX's reference evaluator.

Where ONNX's node tests contradict onnxruntime and torch, ``follow`` decides: "onnx" (default) does as the tests,
"runtimes" as the others. That is the length of an axis with fractional `scales` and align_corners (the fraction, or the
positions there are), and what the indices of a MaxUnpool with `output_shape` count in (the size that its windows give,
or that shape).

Examples
--------
>>> import numpy as np, fastup.export
>>> from fastup.export import backend
>>> model = fastup.export.pixel_shuffle((1, 4, 2, 2), 2)
>>> (y,) = backend.prepare(model).run([np.arange(16, dtype=np.float32).reshape(1, 4, 2, 2)])
>>> y.shape
(1, 1, 4, 4)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx.backend.base import Backend, BackendRep

from fastup.export.backend.operators import calls, following
from fastup.export.runtimes.reference import evaluate

__all__ = ["FastupBackend", "calls", "is_compatible", "prepare", "run_model", "run_node", "supports_device"]
_FOLLOWED = ("onnx", "runtimes")


class _Prepared(BackendRep):
    """A model that is ready to run."""

    def __init__(self, model: onnx.ModelProto, follow: str) -> None:
        known = {value.name for value in model.graph.initializer}
        self._inputs = [value.name for value in model.graph.input]
        self._needed = [name for name in self._inputs if name not in known]
        self._evaluate = evaluate(model, new_ops=following(follow))

    def run(self, inputs: Any, **_: Any) -> tuple[Any, ...]:
        """All outputs for all inputs, in the graph's order or by name; those with initial values may be left out."""
        if not isinstance(inputs, dict):
            given = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
            names = self._inputs if len(given) == len(self._inputs) else self._needed
            if len(given) != len(names):
                raise ValueError(f"backend: inputs must be {len(self._needed)} arrays ({', '.join(self._needed)})")
            inputs = dict(zip(names, given, strict=True))
        return tuple(self._evaluate(inputs))


class FastupBackend(Backend):
    """The interface as a class; the module has its methods as functions."""

    @classmethod
    def supports_device(cls, device: str) -> bool:
        """The CPU alone."""
        return device.split(":")[0] == "CPU"

    @classmethod
    def is_compatible(cls, model: onnx.ModelProto, device: str = "CPU", **_: Any) -> bool:
        """Every model: what is not fastup's runs in the reference evaluator."""
        return cls.supports_device(device)

    @classmethod
    def prepare(cls, model: onnx.ModelProto, device: str = "CPU", **keywords: Any) -> _Prepared:
        """Check the model and make it ready; ``follow`` is the switch."""
        if not cls.supports_device(device):
            raise ValueError(f"backend: device must be CPU, got {device!r}")
        onnx.checker.check_model(model)
        return _Prepared(model, _followed(keywords))

    @classmethod
    def run_node(
        cls, node: onnx.NodeProto, inputs: Any, device: str = "CPU", outputs_info: Any = None, **keywords: Any
    ) -> tuple[Any, ...]:
        """One node; ``opset`` says whose text it follows (default the newest that onnx knows)."""
        opset = keywords.pop("opset", onnx.defs.onnx_opset_version())
        given = [name for name in node.input if name]
        values: Sequence[Any] = list(inputs.values()) if isinstance(inputs, dict) else list(inputs)
        declared = [
            onnx.helper.make_tensor_value_info(name, onnx.helper.np_dtype_to_tensor_dtype(np.asarray(v).dtype), None)
            for name, v in zip(given, values, strict=True)
        ]
        outputs = [onnx.helper.make_empty_tensor_value_info(name) for name in node.output if name]
        graph = onnx.helper.make_graph([node], "node", declared, outputs)
        imports = [onnx.helper.make_opsetid("", opset)]
        model = onnx.helper.make_model(graph, opset_imports=imports)
        return _Prepared(model, _followed(keywords)).run(dict(zip(given, map(np.asarray, values), strict=True)))


def _followed(keywords: dict[str, Any]) -> str:
    follow = str(keywords.get("follow", "onnx"))
    if follow not in _FOLLOWED:
        raise ValueError(f"backend: follow must be one of {', '.join(_FOLLOWED)}, got {follow!r}")
    return follow


prepare, run_node, run_model = FastupBackend.prepare, FastupBackend.run_node, FastupBackend.run_model
supports_device, is_compatible = FastupBackend.supports_device, FastupBackend.is_compatible
