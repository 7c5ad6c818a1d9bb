"""Plans that are kept, executed; kernels, compiled ahead of their first call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fastup.arrays import apply, bound
from fastup.operators.argument_types import ArrayT, DType, SupportsArray
from fastup.operators.operator import OPERATORS
from fastup.plan import check
from fastup.plan.base import Plan
from fastup.plan.kept_plan import Ready
from fastup.plan.registry import Execution


def run(
    plan: Plan,
    x: ArrayT,
    out: Any = None,
    *,
    operands: Sequence[SupportsArray | None] = (),
    threads: int | None = None,
) -> Any:
    """Execute a plan.

    Parameters
    ----------
    plan : fastup.plan.Plan
        From one of the functions of `fastup.plan`.
    x : array
        Of the plan's input shape and dtype.
    out : array, optional
        C-contiguous array of the result's shape and dtype that takes the result.
    operands : tuple of arrays
        What the operator takes beside `x`, as `plan` says: weight, bias and slopes of a convolution (None where there
        is none), the indices of an unpooling, the boxes of labels and masks.
    threads : int, optional
        Threads that this call may use; default `get_num_threads`.

    Returns
    -------
    array
        Of the kind and dtype of `x`.

    Raises
    ------
    ValueError
        If `x` or an operand has another shape or dtype than the plan, or `out` does not fit.

    Examples
    --------
    >>> import fastup, numpy as np
    >>> plan = fastup.plan.pixel_shuffle((4, 1, 1), "int64", 2)
    >>> fastup.run(plan, np.arange(4).reshape(4, 1, 1))
    array([[[0, 1],
            [2, 3]]])
    """
    if not isinstance(plan, Plan):
        raise TypeError(f"run: plan must be a plan of fastup.plan, got {type(plan).__name__}")
    return apply(Ready(plan), x, (), out, threads, _named(operands) or None)


def _bind(
    plan: Plan, x: Any, out: Any, operands: Sequence[SupportsArray | None], threads: int | None
) -> Callable[[], Any]:
    return bound(plan, x, out, threads, _named(operands))


Execution.bind = _bind


def _named(operands: Sequence[SupportsArray | None]) -> dict[str, Any]:
    if not isinstance(operands, (tuple, list)):
        raise TypeError(f"run: operands must be a tuple of arrays, got {type(operands).__name__}")
    return {f"operand {number}": one for number, one in enumerate(operands)}


def _listed(name: str, values: Any) -> list[Any]:
    if not check.is_sequence(values) and not isinstance(values, (set, frozenset)):
        raise TypeError(f"warmup: {name} must be a sequence, got {check.shown(values)}")
    return list(values)


def warmup(
    operators: Sequence[str] | None = None,
    dtypes: Sequence[DType] = ("float32", "uint8"),
    *,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Compile the kernels of operators and dtypes into the object cache.

    Parameters
    ----------
    operators : sequence of str, optional
        Names of public functions; default all.
    dtypes : sequence of dtypes
        Element types that will be used.
    progress : callable, optional
        Called with (kernels done, kernels in all) after each.

    Returns
    -------
    int
        Number of kernels that are now in the cache.

    Raises
    ------
    ValueError
        If an operator is unknown.

    Examples
    --------
    >>> import fastup
    >>> fastup.warmup(["pixel_shuffle"], []) == 0
    True
    """
    known = tuple(OPERATORS)
    names = known if operators is None else _listed("operators", operators)
    for name in names:
        check.choice("warmup", "operators", name, known)
    kinds = [check.dtype("warmup", dtype, "dtypes") for dtype in _listed("dtypes", dtypes)]
    for kind in kinds:
        check.movable("warmup", kind, "dtypes")
    wanted = list(dict.fromkeys(one for name in names for kind in kinds for one in OPERATORS[name].row.instances(kind)))
    for done, (family, key) in enumerate(wanted, 1):
        family(*key)
        if progress:
            progress(done, len(wanted))
    return len(wanted)
