"""Plans that are kept, executed."""

from __future__ import annotations

from typing import Any

from fastup.arrays import apply
from fastup.plan import Plan
from fastup.plan.kept_plan import Ready


def run(plan: Plan, x: Any, out: Any = None, *, operands: tuple[Any, ...] = (), threads: int | None = None) -> Any:
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
    if not isinstance(operands, (tuple, list)):
        raise TypeError(f"run: operands must be a tuple of arrays, got {type(operands).__name__}")
    named = {f"operand {number}": one for number, one in enumerate(operands)}
    return apply(Ready(plan), x, (), out, threads, named or None)
