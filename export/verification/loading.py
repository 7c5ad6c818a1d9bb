"""A model: read and checked before anything of it runs, and inputs for it."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError

from fastup.export.runtimes import first_line
from fastup.export.self_check import sample

Array = np.ndarray[Any, Any]
_MOST_BYTES = 2**31 - 1  # of a protobuf message, and of an input that is made up here
_BATCH, _SPACE = 1, 64  # for dimensions that the model leaves open


class ModelError(ValueError):
    """A model that cannot be verified, in one sentence."""


def load(model: Any, inlined: bool = True) -> onnx.ModelProto:
    """The model, its functions inlined if wanted; external data is read from its own folder only."""
    import onnx.inliner

    if isinstance(model, (str, os.PathLike)):
        model = _read(Path(model))
    if not isinstance(model, onnx.ModelProto):
        raise TypeError(f"verify: model must be a path or an onnx.ModelProto, got {type(model).__name__}")
    if not model.graph.node:
        raise ModelError("verify: the model has no nodes")
    if not model.opset_import:
        raise ModelError("verify: the model names no opset")
    try:
        onnx.checker.check_model(_with_shapes(model))
        _read_through(model.graph)
        return onnx.inliner.inline_local_functions(model) if model.functions and inlined else model
    except Exception as error:  # the checker's and the inliner's own kinds, and plain RuntimeErrors
        raise ModelError(f"verify: not a valid ONNX model ({first_line(error)})") from None


def _with_shapes(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with what shapes its outputs lack, which runtimes do not need and the checker does."""
    lacking = [one for one in model.graph.output if not one.type.tensor_type.HasField("shape")]
    if not lacking:
        return model
    made = onnx.ModelProto()
    made.CopyFrom(model)
    for one in made.graph.output:
        if one.type.HasField("tensor_type") and not one.type.tensor_type.HasField("shape"):
            one.type.tensor_type.shape.SetInParent()
    return made


def opset_of(model: onnx.ModelProto) -> int:
    """The version of ONNX's own operators."""
    found: int = next(one.version for one in model.opset_import if one.domain in ("", "ai.onnx"))
    return found


def _read_through(graph: onnx.GraphProto) -> None:
    """Every name and every weight, once: the checker lets some through that cannot be read."""
    for node in graph.node:
        for name in (node.name, node.op_type, node.domain, *node.input, *node.output):
            onnx.NodeProto().name = name
    for tensor in graph.initializer:
        onnx.numpy_helper.to_array(tensor)


def _read(path: Path) -> onnx.ModelProto:
    if not path.is_file():
        raise FileNotFoundError(f"verify: no such file: {path}")
    if path.stat().st_size > _MOST_BYTES:
        raise ModelError(f"verify: {path} is larger than 2 GB; keep its weights as external data")
    model = onnx.ModelProto()
    try:
        model.ParseFromString(path.read_bytes())
    except DecodeError:
        raise ModelError(f"verify: {path} is not an ONNX model, or is cut off") from None
    folder = path.resolve().parent
    for tensor in _external(model.graph):
        named = {entry.key: entry.value for entry in tensor.external_data}.get("location", "")
        data = (folder / named).resolve()
        if not data.is_relative_to(folder):
            raise ModelError(f"verify: the data of {tensor.name!r} lies outside the model's folder: {named!r}")
        if not data.is_file():
            raise ModelError(f"verify: the data of {tensor.name!r} is missing: {named!r}")
    try:
        onnx.external_data_helper.load_external_data_for_model(model, str(folder))
    except Exception as error:
        raise ModelError(f"verify: external data cannot be read ({first_line(error)})") from None
    return model


def _external(graph: onnx.GraphProto) -> list[onnx.TensorProto]:
    found = [one for one in graph.initializer if one.data_location == onnx.TensorProto.EXTERNAL]
    for node in graph.node:
        for attribute in node.attribute:
            tensors = [attribute.t, *attribute.tensors]
            found += [one for one in tensors if one.data_location == onnx.TensorProto.EXTERNAL]
            for inner in (attribute.g, *attribute.graphs):
                found += _external(inner) if inner.node or inner.initializer else []
    return found


def inputs_for(
    model: onnx.ModelProto, given: Any, shapes: Mapping[str, Sequence[int]] | None
) -> tuple[dict[str, Array], list[str]]:
    """The arrays to run on, those that were given or random ones, and what was chosen where the model left it open."""
    known = {one.name for one in model.graph.initializer}
    needed = [one for one in model.graph.input if one.name not in known]
    if given is not None and not isinstance(given, Mapping):
        values = list(given) if isinstance(given, (list, tuple)) else [given]
        if len(values) != len(needed):
            raise ModelError(f"verify: inputs must be {len(needed)} arrays, got {len(values)}")
        given = dict(zip([one.name for one in needed], values, strict=True))
    given, arrays, chosen = dict(given or {}), {}, []
    for seed, value in enumerate(needed):
        if value.name in given:
            arrays[value.name] = np.asarray(given.pop(value.name))
            continue
        shape, open_ones = _shape(value, (shapes or {}).get(value.name))
        if open_ones:
            chosen.append(f"{value.name}: {shape} ({', '.join(open_ones)} chosen)")
        arrays[value.name] = _random(value, shape, seed)
    if given:
        raise ModelError(f"verify: the model has no input named {', '.join(map(repr, given))}")
    return arrays, chosen


def _shape(value: onnx.ValueInfoProto, wanted: Sequence[int] | None) -> tuple[tuple[int, ...], list[str]]:
    kind = value.type.tensor_type
    if not value.type.HasField("tensor_type") or not kind.HasField("shape"):
        if wanted is None:
            raise ModelError(f"verify: input {value.name!r} has no shape; give one with shapes")
        return tuple(wanted), []
    dims = kind.shape.dim
    if wanted is not None and len(wanted) != len(dims):
        raise ModelError(f"verify: input {value.name!r} has {len(dims)} dimensions, got a shape of {len(wanted)}")
    shape, open_ones = [], []
    for k, dim in enumerate(dims):
        if wanted is not None:
            shape.append(int(wanted[k]))
        elif dim.HasField("dim_value") and dim.dim_value >= 0:  # Paddle writes -1 for what is open
            shape.append(dim.dim_value)
        else:
            shape.append(_BATCH if k == 0 else _SPACE)
            open_ones.append(f"{dim.dim_param or f'dimension {k}'} = {shape[-1]}")
    return tuple(shape), open_ones


def _random(value: onnx.ValueInfoProto, shape: tuple[int, ...], seed: int) -> Array:
    element = value.type.tensor_type.elem_type
    try:
        dtype = onnx.helper.tensor_dtype_to_np_dtype(element)
    except KeyError:
        raise ModelError(f"verify: input {value.name!r} has an element type that is unknown ({element})") from None
    if min(shape, default=1) < 0 or math.prod(shape) * dtype.itemsize > _MOST_BYTES:
        raise ModelError(f"verify: input {value.name!r} would need {math.prod(shape) * dtype.itemsize} bytes: {shape}")
    if dtype.kind in "iu":
        return np.random.default_rng(seed).integers(0, 100, shape).astype(dtype)
    if dtype.kind in "OSU":
        raise ModelError(f"verify: input {value.name!r} is of strings; give it with inputs")
    return sample(shape, dtype, seed)
