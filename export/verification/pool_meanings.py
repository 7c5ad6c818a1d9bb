"""What pools with positions, and their reverse, would be called in torch, and why they cannot be."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import onnx

from fastup import operators
from fastup.export.backend.windows import windows
from fastup.export.runtimes import torch
from fastup.export.verification.meanings import Candidate, Meaning
from fastup.export.verification.model import Found

Array = np.ndarray[Any, Any]


def max_pool(found: Found, _opset: int) -> Meaning:
    """A pool with its positions, which ONNX counts over the whole array."""
    x, given = np.asarray(found.inputs[0]), found.attributes
    kernel, ceil = tuple(given["kernel_shape"]), bool(given.get("ceil_mode"))
    rank = len(kernel)
    made = windows(
        "MaxPool", kernel, x.shape[2:], given.get("strides"), given.get("dilations"), given.get("pads"),
        given.get("auto_pad"),
    )  # fmt: skip
    name = f"max_pool{rank}d"
    keywords: dict[str, Any] = {"kernel_size": kernel, "stride": made.stride}
    keywords |= {"padding": made.before} if any(made.before) else {}
    keywords |= {"dilation": made.dilation} if set(made.dilation) != {1} else {}
    keywords |= {"ceil_mode": True} if ceil else {}
    keywords["return_indices"] = True
    words = f"{name}({', '.join(f'{key}={value}' for key, value in keywords.items())})"
    causes = []
    if made.before != made.after:
        causes.append((f"torch pads both ends alike, this node {made.before} and {made.after}", "equal pads"))
    if given.get("storage_order"):
        causes.append(("positions count along columns; torch's along rows", "storage_order=0"))
    if causes:
        return Meaning(words, [], causes, [])

    def call() -> Array:
        return np.asarray(getattr(operators, name)(x, **keywords)[0])

    return Meaning(words, [Candidate(words, call, torch=lambda: torch.call(name, [x], keywords, last=False))], [], [])


def max_unpool(found: Found, _opset: int) -> Meaning:
    """An unpooling, whose positions may count within planes."""
    x, indices, y = np.asarray(found.inputs[0]), np.asarray(found.inputs[1]), found.outputs[0]
    kernel = tuple(found.attributes["kernel_shape"])
    stride = tuple(found.attributes.get("strides", (1,) * len(kernel)))
    plane, planes = math.prod(y.shape[2:]), math.prod(y.shape[:2])
    words = f"max_unpool{len(kernel)}d(kernel_size={kernel}, stride={stride})"
    offsets = (np.arange(planes) * plane).reshape(*x.shape[:2], *(1,) * len(kernel))
    per_plane = planes > 1 and indices.min(initial=0) >= 0 and indices.max(initial=0) < plane
    inside = indices if per_plane else indices - offsets
    causes = []
    if per_plane:
        causes.append(("indices count within each plane, as torch's do; ONNX's count over the whole array",
                       "add n * plane to those of plane n, or ScatterElements"))  # fmt: skip

    padding = tuple(found.attributes.get("pads", (0,) * len(kernel)))[: len(kernel)]
    keywords = {"kernel_size": kernel, "stride": stride, "padding": padding, "output_size": y.shape[2:]}
    name = f"max_unpool{len(kernel)}d"

    def call() -> Array:  # refuses indices of other planes, which torch has not
        result: Array = getattr(operators, name)(x, np.ascontiguousarray(inside), **keywords)
        return result

    def called() -> onnx.ModelProto:
        return torch.call(name, [x, np.ascontiguousarray(inside)], keywords, last=False)

    return Meaning(words, [Candidate(words, call, name, keywords, called)], causes, [])
