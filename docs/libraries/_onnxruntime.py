"""Resize of ONNX in onnxruntime: the attributes that change values."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from docs.libraries import Array, Library, Resize, Setting, version
from fastup.export import runtimes

_OPSET = 19
_COORDINATES = ("half_pixel", "align_corners", "asymmetric")
SAME_AS_HALF_PIXEL = ("pytorch_half_pixel", "half_pixel_symmetric")  # but for length 1 and fractional scales
_NEAREST = ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")
_CUBIC = (-0.75, -0.5)
_OTHER_SIZES = (
    "at some sizes it takes other pixels, since its coordinates round otherwise; the exporter then writes Gather"
)
_WHY = {
    ("half_pixel", "round_prefer_floor"): "ONNX's default; of two pixels at the same distance it takes the first, "
    "torch the second, and at /2 all are at the same distance",
    ("half_pixel", "round_prefer_ceil"): _OTHER_SIZES,
    ("asymmetric", "floor"): _OTHER_SIZES,
}
_BACKEND = "`fastup.export.backend` has this rule, `interpolate` has not"


def library() -> Library:
    """Every coordinate rule with every rule of nearest, linear, and cubic; antialias with half_pixel."""
    settings = [_nearest(rule, nearest) for rule in _COORDINATES for nearest in _NEAREST]
    settings += [setting(rule, "linear") for rule in _COORDINATES]
    settings += [setting(rule, "cubic", cubic_coeff_a=a) for rule in _COORDINATES for a in _CUBIC]
    settings += [setting("half_pixel", "linear", antialias=1, exclude_outside=outside) for outside in (0, 1)]
    settings += [
        setting("half_pixel", "cubic", antialias=1, exclude_outside=outside, cubic_coeff_a=a)
        for a in _CUBIC
        for outside in (0, 1)
    ]
    about = (
        f"The operator Resize of opset {_OPSET}, with `sizes`. What has no equivalent in `interpolate` still runs in "
        "`fastup.export.backend`, which has every rule of ONNX."
    )
    return Library("onnxruntime", version("onnxruntime"), about, settings)


def setting(rule: str, mode: str, **attributes: Any) -> Setting:
    """Resize with these attributes."""
    name = ", ".join([mode, rule, *(f"{key}={value}" for key, value in attributes.items())])
    why = _why(rule, attributes)
    given = {"mode": mode, "coordinate_transformation_mode": rule, **attributes}
    return Setting(name, _resize(given), "" if why else f"Resize: {name}", why)


def _nearest(rule: str, nearest: str) -> Setting:
    why = _WHY.get((rule, nearest), _BACKEND)
    found = setting(rule, "nearest", nearest_mode=nearest)
    name = f"nearest, {rule}, {nearest}"
    return found._replace(name=name, why=why, code="" if why == _BACKEND else f"Resize: {name}")


def _why(rule: str, attributes: dict[str, Any]) -> str:
    a = attributes.get("cubic_coeff_a")
    if rule == "asymmetric":
        return _BACKEND
    if attributes.get("antialias"):
        reasons = [] if attributes["exclude_outside"] else ["torch cuts the filter off at the edges, this repeats them"]
        reasons += ["torch has a = -0.5 with antialias"] if a == -0.75 else []
        return "; ".join(reasons)
    return "torch has a = -0.75 without antialias" if a == -0.5 else ""


def _resize(attributes: dict[str, Any]) -> Resize:
    return lambda x, size: runtimes.run("onnxruntime", _model(attributes, x, size), x)


def _model(attributes: dict[str, Any], x: Array, size: tuple[int, ...]) -> onnx.ModelProto:
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(x.dtype))
    shape = [*x.shape[:2], *size]
    sizes = helper.make_tensor("sizes", TensorProto.INT64, [len(shape)], shape)
    node = helper.make_node("Resize", ["x", "", "", "sizes"], ["y"], **attributes)
    ends = [helper.make_tensor_value_info("x", kind, x.shape), helper.make_tensor_value_info("y", kind, shape)]
    graph = helper.make_graph([node], "resize", ends[:1], ends[1:], [sizes])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=9)
