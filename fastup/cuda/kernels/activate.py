"""Activation functions in place: one kernel for each."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from numba import cuda

_ROOT_HALF, _TWO_ROOTS = math.sqrt(0.5), 2 * math.sqrt(2 / math.pi)


def _relu(x: Any, _: Any) -> Any:
    return x - x if x < 0 else x


def _leaky_relu(x: Any, slope: Any) -> Any:
    return x if x > 0 else x * slope


def _tanh(x: Any, _: Any) -> Any:
    return math.tanh(x)


def _sigmoid(x: Any, _: Any) -> Any:
    return 1 / (1 + math.exp(-x))


def _silu(x: Any, _: Any) -> Any:
    return x / (1 + math.exp(-x)) if x > -700 else x * math.exp(x)


def _gelu(x: Any, _: Any) -> Any:
    return x * math.erfc(-x * _ROOT_HALF) / 2


def _gelu_tanh(x: Any, _: Any) -> Any:
    distance = _TWO_ROOTS * (x + 0.044715 * x * x * x)
    return x / (1 + math.exp(-distance)) if distance > -700 else x * math.exp(distance)


def _hardswish(x: Any, _: Any) -> Any:
    return x * min(max(x + 3, 0), 6) / 6 if x <= 3 else x


def _elu(x: Any, alpha: Any) -> Any:
    return alpha * math.expm1(x) if x <= 0 else x


def _softplus(x: Any, beta: Any) -> Any:
    scaled = x * beta
    return x if scaled > 20 else (max(scaled, 0) + math.log1p(math.exp(-abs(scaled)))) / beta


def _kernel(function: Callable[[Any, Any], Any]) -> Any:
    device = cuda.jit(device=True)(function)

    @cuda.jit
    def activate(total: Any, channels: Any, pixels: Any, numbers: Any, dst: Any) -> None:
        """A channel has so many pixels in a row, and a number beside the function's name."""
        for i in range(cuda.grid(1), total, cuda.gridsize(1)):
            dst[i] = device(dst[i], numbers[i // pixels % channels])

    return activate


_FUNCTIONS = (_relu, _leaky_relu, _tanh, _sigmoid, _silu, _gelu, _gelu_tanh, _hardswish, _elu, _softplus)
KERNELS = {function.__name__[1:]: _kernel(function) for function in _FUNCTIONS}
