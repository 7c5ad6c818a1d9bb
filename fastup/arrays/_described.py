"""Arrays of which only shape and dtype are known: they are planned for, and the plan is the result."""

from __future__ import annotations

from typing import Any

from fastup.plan.base import Plan
from fastup.plan.operands import Operand, described


def run(
    make_plan: Any,
    x: Operand,
    arguments: tuple[Any, ...],
    out: Any,
    threads: int | None,
    operands: tuple[Any, ...] = (),
) -> Plan:
    """The plan."""
    plan: Plan = make_plan(x.shape, x.dtype, *map(described, operands), *arguments)
    return plan


def view(x: Operand, name: str) -> Operand:
    """What is known of it."""
    return x
