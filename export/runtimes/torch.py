"""torch, by the call of ``torch.nn.functional`` that a node is described as: the proof that the words are right."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from fastup.export.runtimes.runtime import Array, Runtime, Session, attributes_of

_DOMAIN = "torch.nn.functional"


def call(function: str, arrays: Sequence[Array | None], keywords: Mapping[str, Any], last: bool) -> onnx.ModelProto:
    """A call as a model of one node, whose first array comes in; `last` where channels are the last axis."""
    names = [f"i{k}" if one is not None else "" for k, one in enumerate(arrays)]
    written: dict[str, Any] = {"keywords": json.dumps(dict(keywords)), "last": int(last)}
    node = helper.make_node(function, names, ["y"], function, domain=_DOMAIN, **written)
    x = np.asarray(arrays[0])
    kind = helper.np_dtype_to_tensor_dtype(x.dtype)
    ends = [helper.make_tensor_value_info("i0", kind, x.shape), helper.make_tensor_value_info("y", kind, None)]
    held = [
        numpy_helper.from_array(one, name) for one, name in zip(arrays[1:], names[1:], strict=True) if one is not None
    ]
    graph = helper.make_graph([node], function, ends[:1], ends[1:], held)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid(_DOMAIN, 1)])


class Torch(Runtime):
    """Functions of ``torch.nn.functional``; positions of pools are counted over the whole array, as in ONNX."""

    name, package = "torch", "torch"
    decides = timed = False  # it gives what the words say, which are found by the numbers
    calls = True

    def prepare(self, model: onnx.ModelProto, threads: int | None = None) -> Session:
        """The call."""
        (node,) = model.graph.node
        if node.domain != _DOMAIN:
            raise ValueError("torch runs calls, not nodes")
        given = attributes_of(node)
        keywords = {key: tuple(v) if isinstance(v, list) else v for key, v in json.loads(given["keywords"]).items()}
        held = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
        others = [held.get(name) for name in node.input[1:]]
        return Session(lambda inputs: _called(node.op_type, [inputs[0], *others], keywords, bool(given["last"])))


def _called(function: str, arrays: Sequence[Array | None], keywords: dict[str, Any], last: bool) -> list[Array]:
    import torch

    x, *others = [None if one is None else torch.from_numpy(np.ascontiguousarray(one)) for one in arrays]
    assert x is not None
    with torch.no_grad():
        found = getattr(torch.nn.functional, function)(torch.movedim(x, -1, 1) if last else x, *others, **keywords)
    if not isinstance(found, tuple):
        return [np.ascontiguousarray((torch.movedim(found, 1, -1) if last else found).numpy())]
    values, places = (one.numpy() for one in found)
    plane, space = math.prod(x.shape[2:]), (1,) * (places.ndim - 2)
    planes = np.arange(math.prod(places.shape[:2])).reshape(*places.shape[:2], *space)
    return [values, places + plane * planes]


RUNTIMES = (Torch(),)
