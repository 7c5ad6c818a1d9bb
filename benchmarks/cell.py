"""A cell of the table: one call, the ways to do it, and what they must give."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

import fastup
import fastup.export
import fastup.networks
from fastup.export.self_check import sample

Array = np.ndarray[Any, Any]


class Way(NamedTuple):
    """One library's way: `fresh` allocates its result, `into` writes into memory that exists (None: it cannot)."""

    fresh: Callable[[], Any] | None
    into: Callable[[], Any] | None
    result: Callable[[], Array]  # the values, for the check before timing


@dataclass(frozen=True)
class Cell:
    """One row of the table."""

    operator: str
    shape: tuple[int, ...]
    keywords: dict[str, Any]
    dtype: str = "float32"
    target: float | None = None  # the ratio to reach, in both columns
    limit: float | None = None  # the part of the limit to reach
    peers: Mapping[str, Callable[[Cell, Array, Array], Way]] = field(default_factory=dict)
    tolerance: float = 0.0  # how far a peer's values may be from ours
    operands: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # shapes of weights
    ours: Callable[[Cell, Array, Array], Way] | None = None  # fastup's way, where it is not the usual one

    @property
    def title(self) -> str:
        """The call, in short."""
        words = [f"{name}={value}" for name, value in {**self.operands, **self.keywords}.items()]
        return f"{self.operator} {self.shape} {self.dtype} {', '.join(words)}"

    @property
    def channels_last(self) -> bool:
        """Whether the channel axis stands last."""
        return self.keywords.get("data_format") == "channels_last"

    def input(self) -> Array:
        """Random values in 64-byte aligned memory: onnxruntime and OpenVINO would copy anything else."""
        return aligned(sample(self.shape, np.dtype(self.dtype)))

    def example(self) -> tuple[Array, Array]:
        """An input, and fastup's result for it in aligned memory of its own."""
        x = self.input()
        return x, aligned(getattr(fastup, self.operator)(x, **self.arrays(), **self.keywords))

    def arrays(self) -> dict[str, Array]:
        """Random weights, so small that results are near 1."""
        found = {}
        for number, (name, shape) in enumerate(self.operands.items(), 1):
            values = sample(shape, np.dtype("float64"), seed=number)
            found[name] = aligned((values / np.sqrt(np.prod(shape[1:]))).astype(self.dtype))
        return found

    def model(self) -> Any:
        """The graph that reads best: native where the operator can express the call."""
        exporter = getattr(fastup.export, self.operator)
        if self.operands:
            return exporter(self.shape, **self.arrays(), **self.keywords)
        return exporter(self.shape, **self.keywords, dtype=self.dtype)

    def agree(self, result: Array, expected: Array) -> bool:
        """Whether a peer's values are those that the cell is about."""
        if result.shape != expected.shape:
            return False
        if self.tolerance == 0:
            return np.array_equal(result, expected)
        return bool(np.abs(result.astype(np.float64) - expected).max() <= self.tolerance)

    def share_beyond(self, result: Array, expected: Array) -> float:
        """The share of a peer's values that are further from ours than the cell allows."""
        if result.shape != expected.shape:
            return 1.0
        away = np.abs(result.astype(np.float64) - expected)
        return float((~(away <= self.tolerance)).mean())


class NetworkCell(Cell):
    """A whole network of `fastup.networks`, with its first weights; the keywords are its arguments."""

    @functools.cached_property
    def network(self) -> Any:
        """The network; its first weights are random, so it is made once."""
        return getattr(fastup.networks, self.operator)(**self.keywords)

    def example(self) -> tuple[Array, Array]:
        """An input, and fastup's result for it."""
        x = self.input()
        return x, aligned(self.network(x))

    def model(self) -> Any:
        """The exported graph."""
        return fastup.export.to_onnx(self.network, self.shape)


def aligned(values: Array) -> Array:
    """A copy in memory aligned to 64 bytes."""
    memory = np.empty(values.nbytes + 64, np.uint8)
    start = -memory.ctypes.data % 64
    copy = memory[start : start + values.nbytes].view(values.dtype).reshape(values.shape)
    copy[...] = values
    return copy


def keeping_last_four(call: Callable[[], Any]) -> Callable[[], None]:
    """As programs hold results for a while; else every library would reuse one warm block for ever."""
    kept: deque[Any] = deque(maxlen=4)
    return lambda: kept.append(call())
