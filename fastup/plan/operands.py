"""What an operator takes beside its input: how plans see it, and weights that keep their packed form."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastup.plan.base import Array


class Operand(NamedTuple):
    """Shape and dtype of an array; all that a plan may know of it."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


class PackedWeight:
    """A weight that is arranged for the kernels once, at its first use with each geometry, and kept so.

    Attributes
    ----------
    array : numpy.ndarray
        The weight, as it was when it was packed; read-only.
    """

    def __init__(self, array: Array) -> None:
        self.array = array.copy()
        self.array.flags.writeable = False
        self.packs: dict[Any, Any] = {}  # by geometry; what the back-ends arrange

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the weight."""
        shape: tuple[int, ...] = self.array.shape
        return shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of the weight."""
        dtype: np.dtype[Any] = self.array.dtype
        return dtype

    def __getstate__(self) -> dict[str, Any]:
        """Pickle the weight alone; another process packs for its own processor."""
        return {"array": self.array, "packs": {}}

    def __repr__(self) -> str:
        return f"PackedWeight(shape={self.shape}, dtype={self.dtype})"


def described(operand: Any) -> Operand | None:
    """What a plan may know of an operand."""
    return None if operand is None else Operand(operand.shape, operand.dtype)


def same_dtype(op: str, name: str, operand: Operand, dtype: np.dtype[Any]) -> None:
    """Refuse operands of another dtype than x; byte orders may differ."""
    if operand.dtype.newbyteorder("=") != dtype.newbyteorder("="):
        raise TypeError(f"{op}: {name} must have the dtype of x ({dtype}), got {operand.dtype}")
