"""Conventions: whose pixels a resize gives, one record for each."""

from __future__ import annotations

from fastup.plan.conventions import itk, jax, onnx, opencv, pillow, scipy, tensorflow, torch
from fastup.plan.conventions.record import Convention as Convention

ALL: dict[str, Convention] = {
    one.name: one for module in (torch, pillow, opencv, tensorflow, jax, scipy, itk, onnx) for one in module.CONVENTIONS
}
