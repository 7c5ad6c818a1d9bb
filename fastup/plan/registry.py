"""Where plans are run: one row per class of plans. The operators fill it in; the back-ends look their part up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastup.plan.base import Plan


@dataclass(frozen=True)
class Row:
    """What every back-end has for one class of plans.

    Attributes
    ----------
    plan : type of Plan
    launch : callable
        (plan, strides in items) -> what runs it on the CPU, or None for strides that no kernel walks.
    instances : callable
        dtype -> the kernels that arrays of it may need.
    families : tuple
        All kernels, for the catalogue.
    cuda, onnx : str
        "module.function" in `fastup.cuda` and in `fastup.export.operators`, imported when first needed.
    table : callable, optional
        (plan, *operands) -> address of the kernel's table and what must stay alive beside it, where that depends on
        more than the plan.
    """

    plan: type[Plan]
    launch: Callable[..., Any]
    instances: Callable[..., Any]
    families: tuple[Any, ...]
    cuda: str
    onnx: str
    table: Callable[..., tuple[int, Any]] | None = None

    def __post_init__(self) -> None:
        ROWS[self.plan] = self


ROWS: dict[type[Plan], Row] = {}


class Execution:
    """What the functions that execute plans lend to the plans themselves."""

    bind: Callable[..., Callable[[], Any]]
