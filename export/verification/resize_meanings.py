"""What a Resize would be called in torch, and why it cannot be."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import onnx

from fastup import operators
from fastup.export.runtimes import torch
from fastup.export.verification.meanings import Candidate, Meaning
from fastup.export.verification.model import Found
from fastup.plan.sampling.filter import Filter
from fastup.plan.sampling.filters import FILTERS

Array = np.ndarray[Any, Any]


def resize(found: Found, opset: int) -> Meaning:
    """A Resize or Upsample: every mode of torch that it might be, by size and by scale."""
    x, y, given = np.asarray(found.inputs[0]), found.outputs[0], found.attributes
    mode, rank = given.get("mode", "nearest"), x.ndim - 2
    causes = _resize_causes(found, opset)
    last = x.shape[:2] != y.shape[:2] and (x.shape[0], x.shape[-1]) == (y.shape[0], y.shape[-1])
    if not 1 <= rank <= 3 or (x.shape[:2] != y.shape[:2] and not last):
        return Meaning(f"a resize of {x.shape} to {y.shape}", [], [("batch or channels are resized", "none")], [])
    size = y.shape[1:-1] if last else y.shape[2:]
    align = given.get("coordinate_transformation_mode", "half_pixel") == "align_corners"
    smooth = {"align_corners": align, "antialias": bool(given.get("antialias", 0))}
    candidates = []
    for record in _filters(mode):
        name, options = record.ranked.get(rank, record.mode), smooth if record.half else {}
        words = ", ".join([f"size={size}", f"mode={name!r}", *(f"{key}={value}" for key, value in options.items())])
        options = {**options, "data_format": "channels_last"} if last else options
        told = " of channels last" if last else ""
        candidates.append(_interpolation(f"interpolate({words}){told}", x, {"size": size, "mode": name, **options}))
        factors = _factors(found, opset, last)
        if factors:
            by_scale = words.replace(f"size={size}", f"scale_factor={factors}")
            given = {"scale_factor": factors, "mode": name, **options}
            candidates.append(_interpolation(f"interpolate({by_scale}){told}", x, given))
    return Meaning(candidates[0][0], candidates, causes, [])


def _filters(mode: str) -> list[Filter]:
    """Those that are a Resize of this mode."""
    return [record for record in FILTERS.values() if (record.sampled.onnx or {}).get("mode") == mode]


def _interpolation(words: str, x: Array, keywords: dict[str, Any]) -> Candidate:
    last = keywords.get("data_format") == "channels_last"
    plain = {key: value for key, value in keywords.items() if key != "data_format"}

    def called() -> onnx.ModelProto:
        return torch.call("interpolate", [x], plain, last)

    return Candidate(words, lambda: operators.interpolate(x, **keywords), "interpolate", keywords, called)


def _factors(found: Found, opset: int, last: bool = False) -> tuple[float, ...]:
    """The spatial scales, where the node has some."""
    if found.op_type == "Upsample":
        scales = found.attributes.get("scales", found.inputs[1] if len(found.inputs) > 1 else None)
    else:
        place = 1 if opset < 11 else 2
        scales = found.inputs[place] if len(found.inputs) > place else None
    if scales is None or not len(scales) or "axes" in found.attributes:
        return ()
    return tuple(float(scale) for scale in (list(scales)[1:-1] if last else list(scales)[2:]))


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
