"""A part of a node for a runtime that is slow: fewer channels and rows, which are computed as in the whole."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import onnx

from fastup.export.verification.model import Found, alone

Array = np.ndarray[Any, Any]
_APART = ("Resize", "Upsample", "MaxPool")  # operators that compute each channel from its own
# Seconds of ONNX's reference evaluator (1.23): a transposed convolution adds position by position, pools too.
_SECONDS = {"ConvTranspose": 4e-6, "MaxPool": 3e-6, "MaxUnpool": 3e-6}
_ITEM = 1e-6  # of the others, per item: 0.1 to 0.4 measured, with room for older versions
ENOUGH = 0.3  # seconds that a node may take as a whole
_ANCHORED = ("half_pixel", "pytorch_half_pixel", "half_pixel_symmetric", "asymmetric")  # the end moves nothing
_REACH = 4  # pixels on each side of a sample, of the longest filter


def seconds(found: Found) -> float:
    """What the reference evaluator takes for a node."""
    x, y = np.asarray(found.inputs[0]), found.outputs[0]
    if found.op_type != "ConvTranspose":
        return int(y.size) * _SECONDS.get(found.op_type, _ITEM)
    weight = np.asarray(found.inputs[1])
    positions = x.size // x.shape[1]
    return int(positions * math.prod(weight.shape[2:]) * y.shape[1]) * _SECONDS["ConvTranspose"]


class Part(NamedTuple):
    """A model of the first channels and rows of a node's result, and what it takes."""

    model: onnx.ModelProto
    x: Array
    channels: int
    rows: int
    of: tuple[int, int]

    def of_whole(self, whole: Sequence[Array]) -> list[Array]:
        """The same part of the whole node's outputs."""
        return [one[:, : self.channels, : self.rows] for one in whole]

    def right(self, outputs: Sequence[Array]) -> list[Array]:
        """What the cut does not touch of this model's outputs."""
        return [one[:, :, : self.rows] for one in outputs]

    @property
    def said(self) -> str:
        """For a report."""
        pieces = zip(("channel", "row"), (self.channels, self.rows), self.of, strict=True)
        told = [f"{count} {word}s" if count > 1 else word for word, count, total in pieces if count < total]
        return f"only the first {' and '.join(told)}"


def part_of(found: Found, proto: onnx.ModelProto) -> Part | None:
    """So much of a node that the reference evaluator is done in time, or None where that cannot be cut."""
    x, y = np.asarray(found.inputs[0]), found.outputs[0]
    if found.attributes.get("keep_aspect_ratio_policy", "stretch") != "stretch":  # sizes are bounds there
        return None
    if x.ndim < 3 or len(found.outputs) != 1 or len(found.nodes) != 1 or y.shape[0] != x.shape[0]:
        return None
    inputs = [None if one is None else np.asarray(one) for one in found.inputs]
    share = ENOUGH / seconds(found)
    channels = _cut_channels(found, inputs, max(1, int(y.shape[1] * share)))
    rows = _cut_rows(found, inputs, min(1.0, share * y.shape[1] / channels))
    if channels == y.shape[1] and rows == y.shape[2]:
        return None
    declared = [(y.dtype, [f"n{k}" for k in range(y.ndim)])]
    model = alone(found.nodes, inputs, declared, proto.opset_import, proto.ir_version)
    return Part(model, np.asarray(inputs[0]), channels, rows, y.shape[1:3])


def _cut_channels(found: Found, inputs: list[Array | None], wanted: int) -> int:
    """Leave so many channels of the result in what a node takes; how many there are then."""
    x, y = np.asarray(found.inputs[0]), found.outputs[0]
    if wanted >= y.shape[1]:
        return int(y.shape[1])
    if found.op_type in _APART and x.shape[1] == y.shape[1] and "axes" not in found.attributes:
        inputs[0] = np.ascontiguousarray(x[:, :wanted])
        if len(inputs) > 3 and inputs[3] is not None:  # Resize's sizes
            inputs[3] = np.array([inputs[3][0], wanted, *inputs[3][2:]], np.int64)
        return wanted
    if found.op_type in ("Conv", "ConvTranspose") and (found.attributes.get("group") or 1) == 1:
        second = found.op_type == "ConvTranspose"
        for place, one in enumerate(inputs[1:], 1):
            if one is not None:
                inputs[place] = np.ascontiguousarray(one[:, :wanted] if second and place == 1 else one[:wanted])
        return wanted
    return int(y.shape[1])


def _cut_rows(found: Found, inputs: list[Array | None], share: float) -> int:
    """Leave the first rows of what a node takes; how many of the result's are then as in the whole."""
    cutters: dict[str, Callable[[Found, float], tuple[int, int, int] | None]] = {
        "Resize": _resized, "Upsample": _resized, "ConvTranspose": _transposed,
    }  # fmt: skip
    rows = int(found.outputs[0].shape[2])
    cut = cutters[found.op_type](found, share) if share < 1 and found.op_type in cutters else None
    if cut is None:
        return rows
    taken, made, right = cut
    inputs[0] = np.ascontiguousarray(np.asarray(inputs[0])[:, :, :taken])
    if found.op_type == "Resize" and len(inputs) > 3 and inputs[3] is not None:
        inputs[3] = np.array([*inputs[3][:2], made, *inputs[3][3:]], np.int64)
    return right


def _resized(found: Found, share: float) -> tuple[int, int, int] | None:
    """Rows to take, to make, and of these those that the cut does not touch; the ratio has to stay what it is."""
    n, m = np.asarray(found.inputs[0]).shape[2], found.outputs[0].shape[2]
    given = found.attributes
    if given.get("coordinate_transformation_mode", _ANCHORED[0]) not in _ANCHORED or "axes" in given:
        return None
    pieces = math.gcd(n, m)
    step, made = n // pieces, m // pieces
    touched = _REACH * max(1, -(-step // made)) * made // step + made + 1
    kept = max(math.ceil(share * pieces), -(-2 * touched // made))
    return None if kept >= pieces else (kept * step, kept * made, kept * made - touched)


def _transposed(found: Found, share: float) -> tuple[int, int, int] | None:
    given, n = found.attributes, np.asarray(found.inputs[0]).shape[2]
    if given.get("output_shape") is not None:
        return None
    stride, dilation = (_first(given.get(name)) for name in ("strides", "dilations"))
    reach = dilation * (np.asarray(found.inputs[1]).shape[2] - 1) + 1
    kept = max(math.ceil(share * n), -(-2 * reach // stride))
    return None if kept >= n else (kept, 0, kept * stride - reach)


def _first(values: Sequence[int] | None) -> int:
    return int(values[0]) if values else 1
