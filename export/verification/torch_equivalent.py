"""What a node would be called in torch, what torch's operator gives there, and why a node cannot be it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from fastup import operators
from fastup.export.verification.model import Found
from fastup.plan.sampling.filter import Filter
from fastup.plan.sampling.filters import FILTERS

Array = np.ndarray[Any, Any]


class Meaning(NamedTuple):
    """A node in torch's words.

    Attributes
    ----------
    words : str
    candidates : list of (str, callable)
        Calls of torch's operators (fastup's, which equal them) that the author may have meant.
    causes : list of (str, str)
        What in the node keeps it from being one of them, and what to change; the first that applies comes first.
    warnings : list of str
    """

    words: str
    candidates: list[tuple[str, Callable[[], Array]]]
    causes: list[tuple[str, str]]
    warnings: list[str]


def meaning(found: Found, opset: int) -> Meaning:
    """The node in torch's words."""
    makers = {
        "Resize": _resize,
        "Upsample": _resize,
        "DepthToSpace": _depth_to_space,
        "SpaceToDepth": _space_to_depth,
        "ConvTranspose": _conv_transpose,
        "MaxUnpool": _max_unpool,
        "MaxPool": _max_pool,
        "Reshape-Transpose-Reshape": _shuffle,
    }
    return makers[found.op_type](found, opset)


def _resize(found: Found, opset: int) -> Meaning:
    x, y, given = np.asarray(found.inputs[0]), found.outputs[0], found.attributes
    mode, rank = given.get("mode", "nearest"), x.ndim - 2
    size, causes = y.shape[2:], _resize_causes(found, opset)
    if not 1 <= rank <= 3 or x.shape[:2] != y.shape[:2]:
        return Meaning(f"a resize of {x.shape} to {y.shape}", [], [("batch or channels are resized", "none")], [])
    align = given.get("coordinate_transformation_mode", "half_pixel") == "align_corners"
    smooth = {"align_corners": align, "antialias": bool(given.get("antialias", 0))}
    candidates = []
    for record in _filters(mode):
        name, options = record.ranked.get(rank, record.mode), smooth if record.half else {}
        words = ", ".join([f"size={size}", f"mode={name!r}", *(f"{key}={value}" for key, value in options.items())])
        candidates.append((f"interpolate({words})", _call(x, size, None, name, options)))
        factors = _factors(found, opset)
        if factors:
            by_scale = words.replace(f"size={size}", f"scale_factor={factors}")
            candidates.append((f"interpolate({by_scale})", _call(x, None, factors, name, options)))
    return Meaning(candidates[0][0], candidates, causes, [])


def _filters(mode: str) -> list[Filter]:
    """Those that are a Resize of this mode."""
    return [record for record in FILTERS.values() if (record.sampled.onnx or {}).get("mode") == mode]


def _call(x: Array, size: Any, factors: Any, mode: Any, options: dict[str, Any]) -> Callable[[], Array]:
    return lambda: operators.interpolate(x, size, factors, mode=mode, **options)


def _factors(found: Found, opset: int) -> tuple[float, ...]:
    """The spatial scales, where the node has some."""
    if found.op_type == "Upsample":
        scales = found.attributes.get("scales", found.inputs[1] if len(found.inputs) > 1 else None)
    else:
        place = 1 if opset < 11 else 2
        scales = found.inputs[place] if len(found.inputs) > place else None
    if scales is None or not len(scales) or "axes" in found.attributes:
        return ()
    return tuple(float(scale) for scale in list(scales)[2:])


def _resize_causes(found: Found, opset: int) -> list[tuple[str, str]]:
    given, causes = found.attributes, []
    mode = given.get("mode", "nearest")
    default = "asymmetric" if found.op_type == "Upsample" or opset < 11 else "half_pixel"
    coordinates = given.get("coordinate_transformation_mode", default)
    a = given.get("cubic_coeff_a", -0.75)
    if given.get("antialias") and not given.get("exclude_outside"):
        causes.append(("antialias without exclude_outside weighs the repeated edge", "exclude_outside=1"))
    if coordinates == "pytorch_half_pixel" and 1 in found.outputs[0].shape[2:]:
        causes.append(("pytorch_half_pixel samples position 0 where the output has length 1", "half_pixel"))
    usual = (_filters(mode)[0].form(bool(given.get("antialias"))).onnx or {}).get("cubic_coeff_a", a)
    if not math.isclose(a, usual, rel_tol=1e-6):
        causes.append((f"torch's cubic has no coefficient {a}", f"{usual}"))
    if given.get("antialias") and coordinates == "align_corners":
        causes.append(("antialias with align_corners centres its filter elsewhere than torch", "a product of matrices"))
    if mode != "nearest" and coordinates not in ("half_pixel", "align_corners", "pytorch_half_pixel"):
        causes.append((f"no mode of torch samples at {coordinates!r}", "half_pixel or align_corners"))
    if mode == "nearest":
        causes += _nearest_causes(given, coordinates)
    return causes


def _nearest_causes(given: dict[str, Any], coordinates: str) -> list[tuple[str, str]]:
    rounding = given.get("nearest_mode", "floor" if coordinates == "asymmetric" else "round_prefer_floor")
    written = {"mode": "nearest", "coordinate_transformation_mode": coordinates, "nearest_mode": rounding}
    if any(record.sampled.onnx == written for record in _filters("nearest")):
        return [("at this ratio runtimes round the coordinate otherwise than torch", "Gather with known indices")]
    advice = "asymmetric with floor (nearest), half_pixel with round_prefer_ceil (nearest-exact)"
    return [(f"no nearest mode of torch is {coordinates} with {rounding}", advice)]


def _depth_to_space(found: Found, _opset: int) -> Meaning:
    r, order = found.attributes["blocksize"], found.attributes.get("mode", "DCR")
    x = np.asarray(found.inputs[0])
    if order == "CRD":
        return Meaning(f"pixel_shuffle({r})", [(f"pixel_shuffle({r})", lambda: operators.pixel_shuffle(x, r))], [], [])
    warning = "DCR is TensorFlow's order of channels; torch's pixel_shuffle is CRD"
    return Meaning(f"pixel_shuffle({r}) of channels in the order DCR", [], [], [warning] if x.shape[1] > r * r else [])


def _space_to_depth(found: Found, _opset: int) -> Meaning:
    r, order = found.attributes["blocksize"], found.attributes.get("mode", "DCR")
    x = np.asarray(found.inputs[0])
    call = (f"pixel_unshuffle({r})", lambda: operators.pixel_unshuffle(x, r))
    if order == "CRD":
        return Meaning(call[0], [call], [], [])
    if x.shape[1] == 1:  # both orders are the same
        return Meaning(call[0], [call], [], [])
    warning = f"SpaceToDepth puts phases before channels; pixel_unshuffle({r}) of torch has another order of channels"
    return Meaning(f"pixel_unshuffle({r}) into channels in the order DCR", [], [], [warning])


def _shuffle(found: Found, _opset: int) -> Meaning:
    x, y = np.asarray(found.inputs[0]), found.outputs[0]
    operator, order = found.shuffle or ("pixel_shuffle", "CRD")
    r = round(max(x.shape[1], y.shape[1]) / max(1, min(x.shape[1], y.shape[1]))) or 1
    r = math.isqrt(r)
    words = f"{operator}({r})" if order == "CRD" else f"{operator}({r}) of channels in the order DCR"
    call = (words, lambda: getattr(operators, operator)(x, r, order=order))
    return Meaning(words, [call] if r > 1 and x.ndim == 4 else [], [], [])


def _conv_transpose(found: Found, _opset: int) -> Meaning:
    x, w = np.asarray(found.inputs[0]), np.asarray(found.inputs[1])
    given, rank = found.attributes, x.ndim - 2
    shown = {
        "stride": given.get("strides"), "padding": given.get("pads"), "output_padding": given.get("output_padding"),
        "dilation": given.get("dilations"), "groups": given.get("group"),
    }  # fmt: skip
    words = ", ".join(f"{name}={_plain(value)}" for name, value in shown.items() if _matters(name, value))
    return Meaning(f"conv_transpose{rank}d(weight of {tuple(w.shape)}{', ' + words if words else ''})", [], [], [])


def _matters(name: str, value: Any) -> bool:
    usual = 0 if "padding" in name else 1
    return value is not None and any(one != usual for one in (value if isinstance(value, Sequence) else [value]))


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, Sequence) else value


def _max_pool(found: Found, _opset: int) -> Meaning:
    given = found.attributes
    kernel, stride = tuple(given["kernel_shape"]), tuple(given.get("strides", ()))
    words = f"max_pool{len(kernel)}d(kernel_size={kernel}, stride={stride or 1}, return_indices=True)"
    return Meaning(words, [], [], [])


def _max_unpool(found: Found, _opset: int) -> Meaning:
    x, indices, y = np.asarray(found.inputs[0]), np.asarray(found.inputs[1]), found.outputs[0]
    kernel = tuple(found.attributes["kernel_shape"])
    stride = tuple(found.attributes.get("strides", (1,) * len(kernel)))
    plane, planes = math.prod(y.shape[2:]), math.prod(y.shape[:2])
    words = f"max_unpool{len(kernel)}d(kernel_size={kernel}, stride={stride})"
    offsets = (np.arange(planes) * plane).reshape(*x.shape[:2], *(1,) * len(kernel))
    per_plane = planes > 1 and indices.min(initial=0) >= 0 and indices.max(initial=0) < plane
    inside = indices if per_plane else indices - offsets
    causes = []
    if per_plane:
        causes.append(("indices count within each plane, as torch's do; ONNX's count over the whole array",
                       "add n * plane to those of plane n, or ScatterElements"))  # fmt: skip

    def call() -> Array:  # refuses indices of other planes, which torch has not
        operator = getattr(operators, f"max_unpool{len(kernel)}d")
        padding = tuple(found.attributes.get("pads", (0,) * len(kernel)))[: len(kernel)]
        result: Array = operator(x, np.ascontiguousarray(inside), kernel, stride, padding, y.shape[2:])
        return result

    return Meaning(words, [(words, call)], causes, [])
