"""Pixel shuffle and unshuffle on the CPU: one permuted copy."""

from __future__ import annotations

from fastup.cpu.permuted_copy import permuted_copy
from fastup.plan import PixelShufflePlan
from fastup.runtime.workers import Launch


def launch(plan: PixelShufflePlan, strides: tuple[int, ...]) -> Launch | None:
    """The copy for a source with these strides (in items)."""
    return permuted_copy(plan.digits(strides), plan.dtype.itemsize)
