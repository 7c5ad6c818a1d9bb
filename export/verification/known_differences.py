"""What may differ between runtimes: by rounding, or by what is known of a node, with what to change in the model."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastup.export.runtimes import Reason, Runtime
from fastup.export.tolerances import Tolerance, error_of_resize, of_sums, ulp_of_half
from fastup.export.verification.model import Found


def tolerance_of(found: Found) -> tuple[Tolerance, str]:
    """What rounding explains for a node, and why."""
    x = np.asarray(found.inputs[0])
    if found.op_type in ("Resize", "Upsample") and found.attributes.get("mode", "nearest") != "nearest":
        if x.dtype.kind in "iu":
            return Tolerance(1.0), "integers are rounded, by some runtimes cut off"
        allowed = Tolerance(error_of_resize(x, x.shape), ulp_of_half(x.dtype))
        return allowed, "float32 coordinates move a sample by eps times the length of its axis"
    if found.op_type == "ConvTranspose":
        weight = np.asarray(found.inputs[1])
        products = weight.shape[0] * math.prod(weight.shape[2:])
        return of_sums(x, weight, 1, 2.0**-23), f"sums of {products} products in another order"
    if found.op_type == "Conv":
        weight = np.asarray(found.inputs[1])
        return of_sums(x, weight, 0, 2.0**-23), f"sums of {math.prod(weight.shape[1:])} products in another order"
    return Tolerance(), "items are only moved or compared"


def known(found: Found, runtime: Runtime) -> Reason | None:
    """The known difference of a runtime on a node, if it is one: its own, or one in which runtimes disagree."""
    return runtime.known(found) or _resize(found)


def _resize(found: Found) -> Reason | None:
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
