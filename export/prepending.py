"""Preprocessing as part of a model: bytes of a picture in, what the model took before inside."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import compose, helper

from fastup.export.graph import LOWEST_OPSET, NEWEST_OPSET, Graph, UnsupportedExport, Value
from fastup.export.operators import resizing
from fastup.export.operators.call import Call
from fastup.operators.argument_types import Ints, Like
from fastup.operators.preprocessing import LAYOUTS, geometry
from fastup.plan import check
from fastup.plan.resizing import make_resize

_OP = "prepend"
_FLOATS: dict[int, Any] = {onnx.TensorProto.FLOAT: np.float32, onnx.TensorProto.FLOAT16: np.float16}
_CHANNELS = (1, 3, 4)


def prepend(
    model: onnx.ModelProto | str | Path,
    picture: Sequence[int],
    *,
    size: Ints | None = None,
    like: Like = "pillow/bilinear",
    crop: Ints | None = None,
    scale: float | None = 1 / 255,
    mean: float | Sequence[float] | None = None,
    std: float | Sequence[float] | None = None,
    layout: str | None = None,
    name: str | None = None,
) -> onnx.ModelProto:
    """Put the preprocessing of a picture in front of a model: the values are those of `fastup.preprocess`.

    Parameters
    ----------
    model : onnx.ModelProto or path
        With an input of float32 or float16, of one picture.
    picture : (int, int, int)
        Height, width and channels of the pictures that the result takes: tables follow from them.
    size, like, crop, scale, mean, std
        As in `fastup.preprocess`; the size is by default that of the model's input.
    layout : {"NCHW", "NHWC"}, optional
        Of the model's input; default the one in which its channels are 1, 3 or 4.
    name : str, optional
        Of the model's input, if it has several.

    Returns
    -------
    onnx.ModelProto
        With an input "picture", uint8 (H, W, C), in the place of the model's.

    Raises
    ------
    ValueError
        If the model has no such input, or an argument has a wrong value.

    Examples
    --------
    >>> import fastup.export
    >>> model = fastup.export.interpolate((1, 3, 32, 32), scale_factor=2)
    >>> whole = fastup.export.prepend(model, (48, 64, 3), like="pillow/bicubic", mean=0.5, std=0.5)
    >>> [(one.name, [d.dim_value for d in one.type.tensor_type.shape.dim]) for one in whole.graph.input]
    [('picture', [48, 64, 3])]
    """
    loaded = onnx.ModelProto()
    loaded.CopyFrom(onnx.load(model) if isinstance(model, (str, Path)) else model)
    target = _input_of(loaded, name)
    shape = tuple(check.integer(_OP, "picture", one, "height, width and channels") for one in picture)
    if len(shape) != 3:
        check.invalid(f"{_OP}: picture must be height, width and channels, got {check.shown(picture)}")
    layout = _layout(target, layout)
    dims = [dim.dim_value or None for dim in target.type.tensor_type.shape.dim]
    places = geometry(shape[:2], _size(dims, layout) if size is None else size, crop)
    before = Graph(_opset(loaded))
    x = before.input("picture", np.uint8, shape)
    plan = make_resize(
        shape, np.dtype(np.uint8), places.size, None, like, None, None, None,
        False if isinstance(like, str) and like.startswith("pillow") else None, places.window,
    )  # fmt: skip
    y = before.cast(resizing.append(before, x, plan, Call("auto")), np.float32)
    y = _normalised(before, y, shape[2], scale, mean, std)
    y = before.cast(before.with_axis(y, 0), _FLOATS[target.type.tensor_type.elem_type])
    y = before.transpose(y, [0, 3, 1, 2]) if layout == "NCHW" else y
    return _merged(before.model(y), loaded, target.name)


def _input_of(model: onnx.ModelProto, name: str | None) -> onnx.ValueInfoProto:
    constants = {one.name for one in model.graph.initializer}
    inputs = [one for one in model.graph.input if one.name not in constants]
    found = [one for one in inputs if name in (None, one.name)]
    if len(found) != 1:
        names = ", ".join(one.name for one in inputs) or "none"
        check.invalid(f"{_OP}: name must be one of the model's inputs, {names}, got {name!r}")
    target: onnx.ValueInfoProto = found[0]
    tensor = target.type.tensor_type
    if tensor.elem_type not in _FLOATS or len(tensor.shape.dim) != 4:
        check.invalid(f"{_OP}: model must have an input of float32 or float16 with four axes, got {target.name}")
    return target


def _layout(target: onnx.ValueInfoProto, layout: str | None) -> str:
    if layout is not None:
        return str(check.choice(_OP, "layout", layout, LAYOUTS))
    dims = [dim.dim_value for dim in target.type.tensor_type.shape.dim]
    fits = [one for one, place in (("NCHW", 1), ("NHWC", 3)) if dims[place] in _CHANNELS]
    if len(fits) != 1:
        check.invalid(f"{_OP}: layout must be given for an input of shape {dims}")
    return fits[0]


def _size(dims: list[int | None], layout: str) -> tuple[int, int]:
    height, width = dims[2:] if layout == "NCHW" else dims[1:3]
    if height is None or width is None:
        check.invalid(f"{_OP}: size must be given for an input whose height and width are not known")
    return height, width


def _opset(model: onnx.ModelProto) -> int:
    version = next((one.version for one in model.opset_import if one.domain in ("", "ai.onnx")), 0)
    if not LOWEST_OPSET <= version <= NEWEST_OPSET:
        raise UnsupportedExport(f"{_OP}: opset of the model must be {LOWEST_OPSET} to {NEWEST_OPSET}, got {version}")
    return int(version)


def _normalised(graph: Graph, y: Value, channels: int, scale: Any, mean: Any, std: Any) -> Value:
    """Each operation rounded, as `preprocess` has them."""
    for kind, value in (("Mul", scale), ("Sub", mean), ("Div", std)):
        if value is not None:
            several = value if check.is_sequence(value) or isinstance(value, np.ndarray) else [value] * channels
            if len(several) not in (1, channels):
                check.invalid(f"{_OP}: mean and std must be numbers, or one for each of {channels} channels")
            y = graph.op(kind, y, graph.const(several, np.float32))
    return y


def _merged(before: onnx.ModelProto, model: onnx.ModelProto, name: str) -> onnx.ModelProto:
    """Both as one; what the model says of itself is kept."""
    first = compose.add_prefix(before, "preprocess_")
    for one in (first.graph.input[0], *first.graph.node):
        if isinstance(one, onnx.ValueInfoProto):
            old, one.name = one.name, "picture"
        else:
            one.input[:] = ["picture" if each == old else each for each in one.input]
    first.ir_version = model.ir_version = max(first.ir_version, model.ir_version)
    whole = compose.merge_models(first, model, io_map=[(first.graph.output[0].name, name)])
    whole.producer_name, whole.producer_version = model.producer_name, model.producer_version
    helper.set_model_props(whole, {one.key: one.value for one in model.metadata_props})
    whole.graph.name = model.graph.name
    onnx.checker.check_model(whole)
    return whole
