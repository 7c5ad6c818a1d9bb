"""Activation functions in place."""

from __future__ import annotations

import math
from typing import Any

from numba import cuda

NAMES = ("relu", "leaky_relu", "tanh", "sigmoid", "silu", "gelu", "gelu_tanh", "hardswish", "elu", "softplus")
RELU, LEAKY_RELU, TANH, SIGMOID, SILU, GELU, GELU_TANH, HARDSWISH, ELU, SOFTPLUS = range(len(NAMES))
_ROOT_HALF, _TWO_ROOTS = math.sqrt(0.5), 2 * math.sqrt(2 / math.pi)


@cuda.jit
def activate(total: Any, kind: Any, channels: Any, pixels: Any, numbers: Any, dst: Any) -> None:
    """A channel has so many pixels in a row, and a number beside the function's name."""
    for i in range(cuda.grid(1), total, cuda.gridsize(1)):
        x, number = dst[i], numbers[i // pixels % channels]
        if kind == RELU:
            dst[i] = x - x if x < 0 else x
        elif kind == LEAKY_RELU:
            dst[i] = x if x > 0 else x * number
        elif kind == TANH:
            dst[i] = math.tanh(x)
        elif kind == SIGMOID:
            dst[i] = 1 / (1 + math.exp(-x))
        elif kind == SILU:
            dst[i] = x / (1 + math.exp(-x)) if x > -80 else x * math.exp(x)
        elif kind == GELU:
            dst[i] = x * math.erfc(-x * _ROOT_HALF) / 2
        elif kind == GELU_TANH:
            distance = _TWO_ROOTS * (x + 0.044715 * x * x * x)
            dst[i] = x / (1 + math.exp(-distance)) if distance > -80 else x * math.exp(distance)
        elif kind == HARDSWISH:
            dst[i] = x * min(max(x + 3, 0), 6) / 6 if x <= 3 else x
        elif kind == ELU:
            dst[i] = number * math.expm1(x) if x <= 0 else x
        elif kind == SOFTPLUS:
            scaled = x * number
            smooth = max(scaled, 0) + math.log1p(math.exp(-abs(scaled)))
            dst[i] = x if scaled > 20 else smooth / number
