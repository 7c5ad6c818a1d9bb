"""A plan that is there already, in the place of the function that would make it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastup.plan import check
from fastup.plan.base import Plan


@dataclass(frozen=True)
class Ready:
    """Gives its plan for the arrays that it was made for, and refuses all others."""

    plan: Plan

    def __call__(self, shape: tuple[int, ...], dtype: Any, *others: Any) -> Plan:
        """The plan."""
        if (shape, dtype) != (self.plan.input_shape, self.plan.dtype):
            expected = f"shape {self.plan.input_shape} and dtype {self.plan.dtype}"
            check.invalid(f"run: x must have {expected} for this plan, got shape {shape} and dtype {dtype}")
        self.plan.check_operands(others)
        return self.plan
