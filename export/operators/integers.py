"""Number types around an interpolation: what sums are computed in, and how they return to the input's dtype."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastup.export.graph import Graph, Value

Array = np.ndarray[Any, Any]


def working(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The type of the sums: float32, or float64 for float64 and for integers beyond 16 bits."""
    wide = dtype == np.float64 or (dtype.kind in "iu" and dtype.itemsize > 2)
    return np.dtype(np.float64 if wide else np.float32)


def returned(graph: Graph, y: Value, dtype: np.dtype[Any]) -> Value:
    """Sums as items of the dtype: integers are rounded half to even and saturate."""
    if dtype.kind not in "iu":
        return graph.cast(y, dtype)
    y, limits = graph.op("Round", y), np.iinfo(dtype)
    if dtype.itemsize == 8:
        return _saturated(graph, y, dtype)
    return graph.cast(graph.clamp(y, limits.min, limits.max), dtype)


def _saturated(graph: Graph, y: Value, dtype: np.dtype[Any]) -> Value:
    """64 bits: the largest is no float64, and a Cast of what is beyond it gives anything."""
    low, beyond = float(np.iinfo(dtype).min), float(np.iinfo(dtype).max)
    inside = graph.clamp(y, low, np.nextafter(beyond, 0))
    largest = graph.const(-1 if dtype.kind == "u" else np.iinfo(dtype).max)
    if dtype.kind == "u":  # as int64 of the same bits: onnxruntime has no Where for uint64
        inside = _wrapped(graph, inside)
    whole = graph.cast(inside, np.int64)
    fits = graph.op("Less", y, graph.const(beyond, np.float64), dtype=np.bool_)
    return graph.cast(graph.op("Where", fits, whole, largest, dtype=np.int64, shape=y.shape), dtype)


def _wrapped(graph: Graph, y: Value) -> Value:
    """2**63 and more, less 2**64."""
    small = graph.op("Less", y, graph.const(2.0**63, np.float64), dtype=np.bool_)
    return graph.op(
        "Where", small, y, graph.op("Sub", y, graph.const(2.0**64, np.float64)), dtype=np.float64, shape=y.shape
    )


def rounded_picture(graph: Graph, y: Value) -> Value:
    """Values of a uint8 picture after one axis: torch rounds them half up."""
    half = graph.op("Add", y, graph.const(0.5, y.dtype))
    return graph.clamp(graph.op("Floor", half), 0, 255)


def exact_float(weights: Array, bits: int) -> type[np.floating[Any]]:
    """A type in which sums of 8-bit pixels and integer weights are exact in any order: float32 below 2**24."""
    largest = 255 * int(np.abs(weights.astype(np.int64)).sum(axis=1).max(initial=0)) + (1 << max(bits - 1, 0))
    return np.float32 if largest < 1 << 24 else np.float64


def shifted(graph: Graph, y: Value, bits: int) -> Value:
    """Sums with 16-bit weights as pixels: (y + half) >> bits, kept within 0 to 255."""
    half = graph.op("Add", y, graph.const(float(1 << (bits - 1)), y.dtype))
    scaled = graph.op("Mul", half, graph.const(2.0**-bits, y.dtype))
    return graph.cast(graph.clamp(graph.op("Floor", scaled), 0, 255), np.float32)
