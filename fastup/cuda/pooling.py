"""Max pooling and unpooling on a device."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastup.cuda import floats, memory
from fastup.cuda.copies import contiguous
from fastup.cuda.kernels import pool
from fastup.cuda.memory import View
from fastup.plan import MaxPoolPlan, MaxUnpoolPlan, check


def run_pool(plan: MaxPoolPlan, x: View, results: tuple[View, ...], _operands: tuple[Any, ...]) -> None:
    """Fill the values, and the positions where they are wanted."""
    x, y = contiguous(plan, x), results[0]
    known = memory.kept(plan, "pool")
    if not known:
        known.append(memory.table(_pool_table(plan)))
    places = results[1].flat(np.int64)[0] if plan.return_indices else known[0]
    half = plan.dtype.name in ("float16", "bfloat16")
    src = floats.widened(x) if half else x.flat(x.dtype)[0]
    dst = floats.target(y) if half else y.flat(y.dtype)[0]
    memory.launch(pool.pool, y.size, known[0], src, dst, places)
    if half:
        floats.narrowed(dst, y)


def _pool_table(plan: MaxPoolPlan) -> list[int]:
    missing = 3 - plan.rank
    ones, zeros = (1,) * missing, (0,) * missing
    return pool.P.fill(
        inputs=ones + plan.space(plan.input_shape), outputs=ones + plan.space(plan.output_shape),
        kernel=ones + plan.kernel_size, stride=ones + plan.stride, padding=zeros + plan.padding,
        dilation=ones + plan.dilation, items=plan.channels if plan.data_format == "channels_last" else 1,
        indices=plan.return_indices,
    )  # fmt: skip


def run_unpool(plan: MaxUnpoolPlan, x: View, results: tuple[View, ...], operands: tuple[Any, ...]) -> None:
    """Fill the result; the one number that comes back to the host says whether an index was wrong."""
    y, indices = results[0], contiguous(plan, operands[0])
    x = contiguous(plan, x)
    positions = math.prod(plan.space(plan.output_shape))
    items = plan.channels if plan.data_format == "channels_last" else 1
    known = memory.kept(plan, "unpool")
    if not known:
        values = math.prod(plan.space(plan.input_shape))
        known.append(memory.table(pool.CLAIM.fill(values=values, positions=positions, items=items)))
    owners, wrong = memory.empty((y.size,), np.int64), memory.table([-1])
    memory.launch(pool.fill, y.size, -1, owners)
    flat = indices.flat(np.int64)[0]
    memory.launch(pool.claim, x.size, known[0], flat, owners, wrong)
    place = int(wrong.copy_to_host()[0])
    if place >= 0:
        check.invalid(
            f"{plan.operator}: indices must be from 0 to {positions - 1} for a result of shape {plan.output_shape}, "
            f"got {int(flat.copy_to_host()[place])} at {tuple(int(n) for n in np.unravel_index(place, x.shape))}"
        )
    parts = max(1, x.dtype.itemsize // 8)
    element = np.dtype(f"u{x.dtype.itemsize // parts}")
    src, dst = x.flat(element)[0], y.flat(element)[0]
    if parts == 2:
        memory.launch(pool.place_pairs, 2 * y.size, owners, src, dst)
    else:
        memory.launch(pool.place, y.size, owners, src, dst)
