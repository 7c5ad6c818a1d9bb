"""Conventions that a caller puts together."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastup.plan import check
from fastup.plan.conventions.record import OPERATOR, Convention, Request
from fastup.plan.conventions.steps import Step, resample
from fastup.plan.sampling.libraries import free

ARITHMETICS = ("float32", "float64", "bytes")
ORDERS = ("columns first", "rows first")
ROUNDINGS = ("half even", "half away", "half up", "toward zero")
_BITS = 22


def build(convention: Convention, request: Request) -> tuple[Step, ...]:
    """Both axes by the same rule."""
    settings = _checked(convention, request.dtype)
    bits = _BITS if settings["arithmetic"] == "bytes" else 0
    rule: Any = free.FreeWeights(
        settings["filter"], settings["cubic_coeff_a"], settings["coordinates"], settings["antialias"],
        settings["edge"], bits,
    )  # fmt: skip
    if settings["filter"] == "nearest":
        rule = free.FreeNearest(settings["coordinates"])
    call: dict[str, Any] = {"double": settings["arithmetic"] == "float64"}
    if request.dtype.kind in "iu":
        call["rounding"] = settings["rounding"]
    if settings["order"] == "columns first" or settings["filter"] == "nearest":
        return (resample(request.shape, request.dtype, (rule, rule), request.size, **call),)
    rows = resample(request.shape, request.dtype, (rule, None), (request.size[0], request.shape[2]), **call)
    return (rows, resample(rows.output_shape, request.dtype, (None, rule), request.size, **call))


def _checked(convention: Convention, dtype: np.dtype[Any]) -> dict[str, Any]:
    """All settings, and an error for those that have no meaning."""
    choices = {
        "filter": free.FILTERS, "coordinates": free.COORDINATES, "edge": free.EDGES, "arithmetic": ARITHMETICS,
        "order": ORDERS, "rounding": ROUNDINGS,
    }  # fmt: skip
    found: dict[str, Any] = {
        name: check.choice(OPERATOR, f"{name} of like", getattr(convention, name) or known[0], known)
        for name, known in choices.items()
    }
    found["filter"] = convention.filter or "linear"
    found["antialias"] = check.flag(OPERATOR, "antialias of like", bool(convention.antialias))
    a = convention.cubic_coeff_a
    found["cubic_coeff_a"] = -0.5 if a is None else check.number(OPERATOR, "cubic_coeff_a of like", a)
    if found["arithmetic"] == "bytes" and dtype != np.uint8:
        check.invalid(f"{OPERATOR}: arithmetic of like must be 'float32' or 'float64' for {dtype}, got 'bytes'")
    if found["arithmetic"] == "bytes" and found["rounding"] not in ("half even", "half up"):
        check.invalid(f"{OPERATOR}: rounding of like must be 'half up' with bytes, got {found['rounding']!r}")
    if found["arithmetic"] == "bytes":
        found["rounding"] = "half even"  # the sums of bytes round themselves, half up
    return found
