"""Differences between runtimes that are known: whose, where, why, and what to change in the model."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastup.export.verification.finding import Found

Reason = tuple[str, str]  # why, what to change


def dropped(found: Found, runtime: str) -> str | None:
    """The attribute that a runtime leaves out without a word."""
    given = found.attributes
    if runtime == "openvino" and found.op_type == "Resize":
        names = [name for name in ("antialias", "exclude_outside") if given.get(name)]
        if names:
            return f"OpenVINO drops {' and '.join(names)} without a word"
    return None


def known(found: Found, runtime: str) -> Reason | None:
    """The known difference of a runtime on a node, if it is one."""
    if reason := dropped(found, runtime):
        return reason, "resize with a product of matrices, or convolve"
    for rule in (_resize, _max_unpool):
        if reason_of := rule(found, runtime):
            return reason_of
    return None


def _resize(found: Found, runtime: str) -> Reason | None:
    if found.op_type not in ("Resize", "Upsample"):
        return None
    x, y, given = np.asarray(found.inputs[0]), found.outputs[0], found.attributes
    coordinates, mode = given.get("coordinate_transformation_mode", "half_pixel"), given.get("mode", "nearest")
    by_scale = len(found.inputs) < 4 or found.inputs[3] is None
    if coordinates == "pytorch_half_pixel" and 1 in y.shape[2:]:
        return "pytorch_half_pixel at output length 1: onnxruntime samples 0, the reference -0.5", "half_pixel"
    if by_scale and coordinates == "align_corners":
        return "align_corners with fractional scales: the reference counts the fraction, runtimes positions", "sizes"
    if by_scale and any(_fraction(scale) for scale in _scales(found)):
        return "fractional scales: runtimes round coordinates and lengths differently", "sizes"
    if x.dtype == np.int8 and given.get("antialias"):
        return "onnxruntime's int8 antialias loses negative values", "a float dtype"
    if mode == "nearest" and any(n % m and m % n for n, m in zip(x.shape, y.shape, strict=True) if n and m):
        return "a fractional ratio: the coordinate's last bit decides between two pixels", "Gather with known indices"
    if x.dtype.kind in "iu":
        return "integers: some runtimes cut off where others round", "a float dtype"
    return None


def _scales(found: Found) -> list[float]:
    values: Any = found.inputs[2] if len(found.inputs) > 2 else found.attributes.get("scales", [])
    return [] if values is None else [float(one) for one in values]


def _fraction(scale: float) -> bool:
    return scale != int(scale) and 1 / scale != int(1 / scale)


def _max_unpool(found: Found, runtime: str) -> Reason | None:
    if found.op_type == "MaxUnpool" and len(found.inputs) > 2 and runtime == "reference":
        return "output_shape: the reference counts indices in the size that the windows give", "ScatterElements"
    return None


def mistaken(found: Found, runtime: str) -> str | None:
    """What a runtime is known to compute wrongly, whatever the model: its answer counts for nothing."""
    if runtime != "reference":
        return None
    if found.op_type == "ConvTranspose" and found.attributes.get("group", 1) > 1:
        return "the reference takes the first group's bias for all groups"
    if found.op_type == "MaxPool" and set(found.attributes.get("strides", [1])) == {1}:
        return "the reference gives wrong indices for stride 1"
    return None
