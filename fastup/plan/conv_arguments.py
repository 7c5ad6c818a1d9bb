"""The arguments of convolutions: their rules, and the messages about them."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastup.plan import channel_shapes, check
from fastup.plan.operands import Operand, same_dtype
from fastup.plan.phases import PhasedAxis

Pairs = tuple[tuple[int, int], ...]


def kernel_size(op: str, weight: Operand | None, rank: int) -> tuple[int, ...]:
    """Extents of the kernel of a weight with so many spatial axes."""
    if weight is None:
        raise TypeError(f"{op}: weight must be an array, got None")
    if len(weight.shape) != rank + 2:
        check.invalid(f"{op}: weight must have {rank + 2} dimensions, got shape {weight.shape}")
    if 0 in weight.shape:
        check.invalid(f"{op}: weight must have no axis of extent 0, got shape {weight.shape}")
    return weight.shape[2:]


def check_operands(
    op: str,
    dtype: np.dtype[Any],
    weight: Operand,
    bias: Operand | None,
    slopes: Operand | None,
    shapes: tuple[int, int],
) -> None:
    """Refuse dtypes that are no floats or differ; `shapes` are the lengths of bias and slopes."""
    check.floats(op, "x", dtype)
    same_dtype(op, "weight", weight, dtype)
    for name, one, length in (("bias", bias, shapes[0]), ("slopes of prelu", slopes, shapes[1])):
        if one is not None:
            same_dtype(op, name, one, dtype)
            if one.shape != (length,) and not (one is slopes and one.shape == (1,)):
                check.invalid(f"{op}: {name} must have shape ({length},), got {one.shape}")


def pads(op: str, padding: Any, rank: int, of_same: Any = None) -> Pairs:
    """Zeros before and after each axis; "same" follows from kernel, strides and dilations, where it may be asked."""
    if isinstance(padding, str):
        if padding == "same" and of_same is not None:
            return same(op, *of_same)
        if padding != "valid":
            check.invalid(f"{op}: padding must be 'same', 'valid' or numbers, got {padding!r}")
        return ((0, 0),) * rank
    rule = "an integer, one integer per spatial axis or one pair (before, after) per spatial axis"
    entries = padding if check.is_sequence(padding) else (padding,) * rank
    if len(entries) != rank:
        check.invalid(f"{op}: padding must have one entry per spatial axis ({rank}), got {check.shown(padding)}")
    pairs = [entry if check.is_sequence(entry) else (entry, entry) for entry in entries]
    if any(len(pair) != 2 for pair in pairs):
        check.invalid(f"{op}: padding must be {rule}, got {check.shown(padding)}")
    before, after = ([check.integer(op, "padding", pair[k], rule, minimum=0) for pair in pairs] for k in (0, 1))
    return tuple(zip(before, after, strict=True))


def same(op: str, kernel: tuple[int, ...], strides: tuple[int, ...], dilations: tuple[int, ...]) -> Pairs:
    """The zeros that keep the size; where their number is odd, one more after, as in torch."""
    if any(s != 1 for s in strides):
        check.invalid(f"{op}: stride must be 1 with padding='same', got {strides}")
    surplus = [d * (k - 1) for k, d in zip(kernel, dilations, strict=True)]
    return tuple((n // 2, n - n // 2) for n in surplus)


def output_padding(
    op: str, output_size: Any, shape: tuple[int, ...], space: tuple[int, ...], kernel: tuple[int, ...],
    strides: tuple[int, ...], pads: Pairs, dilations: tuple[int, ...],
) -> tuple[int, ...]:  # fmt: skip
    """What is missing between the smallest output size and the wanted one, which must be less than the stride."""
    output_size = channel_shapes.spatial_part(output_size, len(space))
    wanted = check.per_axis(op, "output_size", output_size, len(space))
    least = tuple(
        (n - 1) * s - sum(p) + d * (k - 1) + 1
        for n, k, s, p, d in zip(space, kernel, strides, pads, dilations, strict=True)
    )
    if any(not low <= size < low + s for size, low, s in zip(wanted, least, strides, strict=True)):
        most = tuple(low + s - 1 for low, s in zip(least, strides, strict=True))
        check.invalid(
            f"{op}: output_size must be from {least} to {most} for x of shape {shape}, got {check.shown(output_size)}"
        )
    return tuple(size - low for size, low in zip(wanted, least, strict=True))


def channels(op: str, shape: tuple[int, ...], given: int, weight_shape: tuple[int, ...], groups: int) -> int:
    """Output channels of a weight that fits an input of `given` channels."""
    transposed = op.startswith("conv_transpose")
    wanted = weight_shape[0] if transposed else weight_shape[1] * groups
    if given != wanted:
        times = "" if transposed or groups == 1 else f" * groups {groups}"
        check.invalid(
            f"{op}: channels of x must be {wanted} for weight of shape {weight_shape}{times}, got {given} "
            f"for x of shape {shape}"
        )
    if weight_shape[0] % groups:
        check.invalid(f"{op}: axis 0 of weight must be divisible by groups {groups}, got {weight_shape[0]}")
    return weight_shape[1] * groups if transposed else weight_shape[0]


def refuse_size(
    op: str,
    shape: tuple[int, ...],
    kernel: tuple[int, ...],
    pads: Pairs,
    dilations: tuple[int, ...],
    axes: tuple[PhasedAxis, ...],
) -> None:
    """Say why a result would have no extent."""
    if op.startswith("conv_transpose"):
        size = tuple(axis.n_out for axis in axes)
        check.invalid(f"{op}: result must have a size of at least 1, got {size} for x of shape {shape}")
    reach = tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilations, strict=True))
    padded = tuple(axis.n_in + sum(p) for axis, p in zip(axes, pads, strict=True))
    check.invalid(
        f"{op}: padded input must be at least as large as the kernel {reach}, got {padded} for x of shape {shape}"
    )
