"""Conventions: whose pixels a resize gives, one record for each."""

from __future__ import annotations

from fastup.plan.conventions import jax, opencv, pillow, tensorflow, torch
from fastup.plan.conventions.record import Convention as Convention

ALL: dict[str, Convention] = {
    one.name: one for module in (torch, pillow, opencv, tensorflow, jax) for one in module.CONVENTIONS
}
