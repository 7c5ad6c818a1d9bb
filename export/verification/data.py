"""What a node is judged on: what it gets in the model, or data of its own where that tells nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import onnx

from fastup.export.runtimes import RUNTIMES
from fastup.export.self_check import sample
from fastup.export.verification.model import Found, alone

Array = np.ndarray[Any, Any]


def telling(found: Found, proto: onnx.ModelProto) -> tuple[Found, list[str]]:
    """The node with data that runtimes could differ on, and what is to be said of those that it had."""
    x = np.asarray(found.inputs[0])
    word = _says_nothing(x)
    if not word or found.op_type == "MaxUnpool":  # whose indices belong to their values
        return found, [f"the node gets {word} only"] if word else []
    if not x.size:
        return found, ["the node gets nothing: an array without items"]
    drawn = sample(x.shape, x.dtype)
    inputs = [drawn, *found.inputs[1:]]
    declared = [(one.dtype, one.shape) for one in found.outputs]
    model = alone(found.nodes, inputs, declared, proto.opset_import, proto.ir_version, found.constants)
    try:
        outputs = [np.asarray(one) for one in RUNTIMES["onnxruntime, not optimised"].prepare(model).run([drawn])]
    except Exception:  # onnxruntime has a kind of error per status
        return found, [f"the node gets {word} only"]
    told = f"the node gets {word} only, and is judged on random data"
    return replace(found, inputs=inputs, outputs=outputs), [told]


def kinds(x: Array) -> list[tuple[str, Array]]:
    """Arrays like this one on which runtimes may differ though they agree on what a model happens to give."""
    if x.dtype.kind not in "fiu" or x.size < 2:
        return []
    noise, ramp = sample(x.shape, x.dtype, 1), np.linspace(-1, 1, x.size).reshape(x.shape)
    one = np.zeros(x.shape, x.dtype)
    one[tuple(n // 2 for n in x.shape)] = 1
    if x.dtype.kind == "f":
        scale = 100 if x.dtype.itemsize == 2 else 1e4
        large = ((noise + 2) * x.dtype.type(scale)).astype(x.dtype)
        return [("noise", noise), ("a gradient", ramp.astype(x.dtype)), ("a single one", one),
                ("a constant", np.full(x.shape, 0.7, x.dtype)), ("large values", large)]  # fmt: skip
    limits = np.iinfo(x.dtype)
    low, high = max(limits.min, -(2**20)), min(limits.max, 2**20)  # runtimes add in float32 and in int32
    ramp = np.round((ramp + 1) / 2 * (high - low) + low)
    large = np.where(noise % 2 == 0, low, high)
    return [("noise", np.clip(noise, low, high)), ("a gradient", ramp.astype(x.dtype)), ("a single one", one),
            ("a constant", np.full(x.shape, 7, x.dtype)), ("large values", large.astype(x.dtype))]  # fmt: skip


def _says_nothing(x: Array) -> str:
    """What all items are, where they are the same."""
    if not x.size:
        return "nothing"
    if x.dtype.kind == "f" and np.isnan(x).any():
        return "NaN" if np.isnan(x).all() else ""
    first = x.flat[0]
    if x.size > 1 and bool((x == first).all()):
        return "zeros" if not first else "one value"
    return ""
