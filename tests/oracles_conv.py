"""Convolutions by their definitions, in float64: one pass over the taps of the kernel."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests import oracles

Array = np.ndarray[Any, Any]


def per_axis(value: Any, rank: int) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, tuple) else (value,) * rank


def pairs(padding: Any, rank: int) -> list[tuple[int, int]]:
    return [tuple(pad) if isinstance(pad, tuple) else (pad, pad) for pad in per_axis(padding, rank)]


def every(tap: Any, dilation: Any, count: Any, stride: Any) -> Any:
    """So many positions, `stride` apart, from where a tap begins."""
    return tuple(
        slice(k * d, k * d + (n - 1) * s + 1, s) for k, d, n, s in zip(tap, dilation, count, stride, strict=True)
    )


def conv(
    x: Array, weight: Array, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Array:
    """y[m, o] = sum over channels c and taps k of w[m, c, k] * x[c, o * stride - padding + k * dilation]."""
    x, weight = x.astype(np.float64), weight.astype(np.float64)
    rank, kernel = weight.ndim - 2, weight.shape[2:]
    s, d = per_axis(stride, rank), per_axis(dilation, rank)
    x = np.pad(x, [(0, 0), (0, 0), *pairs(padding, rank)])
    out = [(n - dd * (k - 1) - 1) // ss + 1 for n, k, ss, dd in zip(x.shape[2:], kernel, s, d, strict=True)]
    y = np.zeros((x.shape[0], groups, weight.shape[0] // groups, *out))
    split = x.reshape(x.shape[0], groups, -1, *x.shape[2:])
    parts = weight.reshape(groups, -1, *weight.shape[1:])
    for tap in np.ndindex(*kernel):
        seen: Any = tuple(
            slice(k * dd, k * dd + (o - 1) * ss + 1, ss) for k, dd, o, ss in zip(tap, d, out, s, strict=True)
        )
        y += np.einsum("gmc,ngc...->ngm...", parts[(..., *tap)], split[(..., *seen)])
    return with_bias(y.reshape(x.shape[0], -1, *out), bias)


def conv_transpose(
    x: Array, weight: Array, bias: Any = None, stride: Any = 1, padding: Any = 0, output_padding: Any = 0,
    groups: int = 1, dilation: Any = 1,
) -> Array:  # fmt: skip
    """Every input position adds its kernel, `stride` apart; then `padding` is cut off."""
    x, weight = x.astype(np.float64), weight.astype(np.float64)
    rank, kernel, space = weight.ndim - 2, weight.shape[2:], x.shape[2:]
    s, d, more = per_axis(stride, rank), per_axis(dilation, rank), per_axis(output_padding, rank)
    full = [(n - 1) * ss + dd * (k - 1) + 1 + m for n, k, ss, dd, m in zip(space, kernel, s, d, more, strict=True)]
    y = np.zeros((x.shape[0], groups, weight.shape[1], *full))
    split = x.reshape(x.shape[0], groups, -1, *space)
    parts = weight.reshape(groups, -1, *weight.shape[1:])
    for tap in np.ndindex(*kernel):
        hit: Any = tuple(
            slice(k * dd, k * dd + (n - 1) * ss + 1, ss) for k, dd, n, ss in zip(tap, d, space, s, strict=True)
        )
        y[(..., *hit)] += np.einsum("gcm,ngc...->ngm...", parts[(..., *tap)], split)
    kept: Any = tuple(slice(before, n - after) for n, (before, after) in zip(full, pairs(padding, rank), strict=True))
    return with_bias(y.reshape(x.shape[0], -1, *full)[(..., *kept)], bias)


def subpixel_conv(x: Array, weight: Array, bias: Any = None, *, upscale_factor: Any, padding: Any = 0) -> Array:
    """The convolution to all phases, shuffled."""
    factors = per_axis(upscale_factor, weight.ndim - 2)
    return oracles.pixel_shuffle(conv(x, weight, bias, padding=padding), factors)


def with_bias(y: Array, bias: Any) -> Array:
    return y if bias is None else y + bias.astype(np.float64).reshape(-1, *(1,) * (y.ndim - 2))


def activated(y: Array, activation: Any) -> Array:
    """The activation functions, in float64."""
    if activation is None:
        return y
    name, slope = activation if isinstance(activation, tuple) else (activation, 0.01)
    if name in ("leaky_relu", "prelu"):
        slopes = np.asarray(slope, np.float64)
        return np.where(y > 0, y, y * slopes.reshape(-1, *(1,) * (y.ndim - 2)))
    if name == "relu":
        return np.where(y < 0, 0, y)
    with np.errstate(over="ignore"):
        return np.tanh(y) if name == "tanh" else 1 / (1 + np.exp(-y))
