"""A convolution as Gather and MatMul: every output position's inputs by a table of the plan's own phases."""

from __future__ import annotations

import math

import numpy as np

from fastup.export.graph import Graph, Value
from fastup.export.operators.call import Weights
from fastup.plan import ConvPlan
from fastup.plan.base import Array


def table_bytes(plan: ConvPlan) -> int:
    """Bytes of the table of positions."""
    return 8 * math.prod(axis.n_out for axis in plan.axes) * math.prod(plan.kernel_size)


def append(graph: Graph, x: Value, plan: ConvPlan, weights: Weights) -> Value:
    """The convolution of (N, C, *space), whose spatial extents are known."""
    positions, matrices = _positions(plan), _matrices(plan, weights.weight)
    batch = graph.extent(x, 0) if isinstance(x.shape[0], str) else x.shape[0]
    flat = graph.reshape(x, [batch, plan.in_channels, -1], (x.shape[0], plan.in_channels, math.prod(_space(plan))))
    padded = graph.op(
        "Pad", flat, graph.const([0, 0, 0, 0, 0, 1]), shape=(*flat.shape[:2], math.prod(_space(plan)) + 1)
    )
    taps, outputs = positions.shape
    taken = graph.op("Gather", padded, graph.const(positions.ravel()), shape=(*flat.shape[:2], taps * outputs), axis=2)
    per_group = matrices.shape[2]
    columns = graph.reshape(
        taken, [batch, plan.groups, per_group, outputs], (x.shape[0], plan.groups, per_group, outputs)
    )
    rows = matrices.shape[1]
    product = graph.op(
        "MatMul", graph.const(matrices, matrices.dtype), columns, shape=(x.shape[0], plan.groups, rows, outputs),
        dtype=x.dtype,
    )  # fmt: skip
    space = tuple(axis.n_out for axis in plan.axes)
    y = graph.reshape(product, [batch, plan.out_channels, *space], (x.shape[0], plan.out_channels, *space))
    if weights.bias is None:
        return y
    return graph.op("Add", y, graph.const(weights.bias.reshape(-1, *(1,) * plan.rank), weights.bias.dtype))


def _space(plan: ConvPlan) -> tuple[int, ...]:
    return tuple(axis.n_in for axis in plan.axes)


def _positions(plan: ConvPlan) -> Array:
    """``[tap][output]``: flat input positions; one past the last for a tap that reads nothing there."""
    combined, inside = np.zeros((1, 1), np.int64), np.ones((1, 1), bool)
    for axis, kernel in zip(plan.axes, plan.kernel_size, strict=True):
        table = np.full((kernel, axis.n_out), -1, np.int64)
        for output in range(axis.n_out):
            phase = axis.phases[output % axis.up]
            table[list(phase.taps), output] = axis.step * (output // axis.up) + np.array(phase.shifts, np.int64)
        valid = (table >= 0) & (table < axis.n_in)
        combined = (combined[:, None, :, None] * axis.n_in + table[None, :, None, :]).reshape(
            len(combined) * kernel, -1
        )
        inside = (inside[:, None, :, None] & valid[None, :, None, :]).reshape(combined.shape)
    return np.where(inside, combined, math.prod(_space(plan)))


def _matrices(plan: ConvPlan, weight: Array) -> Array:
    """``[group][output channel][input channel and tap]``."""
    inside, outside = plan.in_channels // plan.groups, plan.out_channels // plan.groups
    if plan.kind == "conv_transpose":
        return weight.reshape(plan.groups, inside, outside, -1).swapaxes(1, 2).reshape(plan.groups, outside, -1)
    return weight.reshape(plan.groups, outside, -1)
