"""A part of a node for a runtime that is slow: fewer channels, each of which is computed as in the whole."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import onnx

from fastup.export.verification.model import Found, alone

Array = np.ndarray[Any, Any]
_APART = ("Resize", "Upsample", "MaxPool")  # operators that compute each channel from its own


class Part(NamedTuple):
    """A model of the first channels of a node's result, and what it takes."""

    model: onnx.ModelProto
    x: Array
    channels: int

    def within(self, outputs: list[Array], whole: list[Array]) -> list[Array]:
        """The outputs where the part computes them, the whole node's elsewhere."""
        made = [one.copy() for one in whole]
        for one, part in zip(made, outputs, strict=False):
            if part.shape == one[:, : self.channels].shape and part.dtype == one.dtype:
                one[:, : self.channels] = part
        return made

    @property
    def said(self) -> str:
        """For a report."""
        return f"only the first {self.channels} channels" if self.channels > 1 else "only the first channel"


def part_of(found: Found, proto: onnx.ModelProto, most: int) -> Part | None:
    """So many channels that the result has at most so many items, or one; None where channels hang together."""
    x, y = np.asarray(found.inputs[0]), found.outputs[0]
    if x.ndim < 3 or len(found.outputs) != 1 or len(found.nodes) != 1 or y.shape[0] != x.shape[0]:
        return None
    channels = max(1, y.shape[1] * most // max(1, y.size))
    if channels >= y.shape[1]:
        return None
    inputs = [None if one is None else np.asarray(one) for one in found.inputs]
    if found.op_type in _APART and x.shape[1] == y.shape[1] and "axes" not in found.attributes:
        inputs[0] = np.ascontiguousarray(x[:, :channels])
        if len(inputs) > 3 and inputs[3] is not None:  # Resize's sizes
            inputs[3] = np.array([inputs[3][0], channels, *inputs[3][2:]], np.int64)
    elif found.op_type in ("Conv", "ConvTranspose") and (found.attributes.get("group") or 1) == 1:
        last = found.op_type == "ConvTranspose"
        inputs[1:] = [None if one is None else _cut(one, channels, last and k == 0) for k, one in enumerate(inputs[1:])]
    else:
        return None
    declared = [(y.dtype, (y.shape[0], channels, *y.shape[2:]))]
    model = alone(found.nodes, inputs, declared, proto.opset_import, proto.ir_version)
    return Part(model, np.asarray(inputs[0]), channels)


def _cut(operand: Array, channels: int, second: bool) -> Array:
    """The first channels of a result, by a weight's first or second axis, or by a bias."""
    return np.ascontiguousarray(operand[:, :channels] if second else operand[:channels])
