"""Resizing by conventions: their order of operations is that of a CPU."""

from __future__ import annotations

from typing import Any

from fastup.cuda.memory import View
from fastup.plan import ResizePlan


def run(plan: ResizePlan, x: View, results: tuple[View, ...], _operands: tuple[Any, ...]) -> None:
    """Refuse arrays on a device."""
    raise TypeError(
        f"resize: image must be in the memory of the CPU for like={plan.like.name!r}, got an array on a GPU;"
        " interpolate takes those"
    )
