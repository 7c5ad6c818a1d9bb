"""What convolutions, plain and transposed, would be called in torch, and why they cannot be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import onnx

from fastup import operators
from fastup.export.backend.windows import transposed, windows
from fastup.export.runtimes import torch
from fastup.export.verification.meanings import Candidate, Meaning
from fastup.export.verification.model import Found

Array = np.ndarray[Any, Any]


def conv_transpose(found: Found, _opset: int) -> Meaning:
    """A transposed convolution, its pads as torch has them."""
    x, w = np.asarray(found.inputs[0]), np.asarray(found.inputs[1])
    bias = np.asarray(found.inputs[2]) if len(found.inputs) > 2 and found.inputs[2] is not None else None
    rank = x.ndim - 2
    placed = _torch_pads(found, x.shape[2:], w.shape[2:])
    given = found.attributes
    shown: dict[str, Any] = {"stride": given.get("strides")}
    shown |= {"padding": placed.before, "output_padding": placed.more} if placed.causes == [] else {}
    shown |= {"dilation": given.get("dilations"), "groups": given.get("group")}
    words = ", ".join(f"{name}={_plain(value)}" for name, value in shown.items() if _matters(name, value))
    named = f"conv_transpose{rank}d(weight of {tuple(w.shape)}{', ' + words if words else ''})"
    if placed.causes:
        return Meaning(named, [], placed.causes, [])

    def call() -> Array:
        operator = getattr(operators, f"conv_transpose{rank}d")
        strides, dilations = given.get("strides") or 1, given.get("dilations") or 1
        arguments = (tuple(strides) if isinstance(strides, Sequence) else 1, placed.before, placed.more)
        dilation = tuple(dilations) if isinstance(dilations, Sequence) else 1
        result: Array = operator(x, w, bias, *arguments, given.get("group") or 1, dilation)
        return result

    def called() -> onnx.ModelProto:
        keywords = {
            "stride": given.get("strides") or 1, "padding": placed.before, "output_padding": placed.more,
            "groups": given.get("group") or 1, "dilation": given.get("dilations") or 1,
        }  # fmt: skip
        return torch.call(f"conv_transpose{rank}d", [x, w, bias], keywords, last=False)

    return Meaning(named, [Candidate(named, call, torch=called)], [], [])


def conv(found: Found, _opset: int) -> Meaning:
    """A convolution, as one stands before a shuffle."""
    x, w = np.asarray(found.inputs[0]), np.asarray(found.inputs[1])
    bias = np.asarray(found.inputs[2]) if len(found.inputs) > 2 and found.inputs[2] is not None else None
    rank, given = x.ndim - 2, found.attributes
    made = windows(
        "Conv", w.shape[2:], x.shape[2:], given.get("strides"), given.get("dilations"), given.get("pads"),
        given.get("auto_pad"),
    )  # fmt: skip
    keywords: dict[str, Any] = {
        "stride": made.stride, "padding": made.before, "dilation": made.dilation, "groups": given.get("group") or 1,
    }  # fmt: skip
    words = ", ".join(f"{name}={_plain(value)}" for name, value in keywords.items() if _matters(name, value))
    named = f"conv{rank}d(weight of {tuple(w.shape)}{', ' + words if words else ''})"
    if made.before != made.after:
        told = f"torch pads both ends alike, this node {made.before} and {made.after}"
        return Meaning(named, [], [(told, "a Pad before it, as torch writes one")], [])

    def call() -> Array:
        return np.asarray(getattr(operators, f"conv{rank}d")(x, w, bias, **keywords))

    def called() -> onnx.ModelProto:
        return torch.call(f"conv{rank}d", [x, w, bias], keywords, last=False)

    return Meaning(named, [Candidate(named, call, torch=called)], [], [])


class _Pads(NamedTuple):
    """Pads of a transposed convolution as torch has them, or why it cannot."""

    before: tuple[int, ...]
    more: tuple[int, ...]
    causes: list[tuple[str, str]]


def _torch_pads(found: Found, space: Sequence[int], kernel: Sequence[int]) -> _Pads:
    """What pads, auto_pad or a shape come to: torch pads both ends alike, and adds less than a stride at the end."""
    given, rank = found.attributes, len(space)
    auto, wanted = given.get("auto_pad") or "NOTSET", given.get("output_shape")
    auto = auto.decode() if isinstance(auto, bytes) else auto
    more = tuple(given.get("output_padding") or (0,) * rank)
    made = windows(
        "ConvTranspose", kernel, space, given.get("strides"), given.get("dilations"), given.get("pads"), None
    )
    if wanted is None and auto in ("SAME_UPPER", "SAME_LOWER"):
        wanted = [n * s for n, s in zip(space, made.stride, strict=True)]
    if wanted is not None:
        made = transposed(made, space, more, list(wanted)[-rank:], auto == "SAME_UPPER")
    added = tuple(b - a + m for b, a, m in zip(made.before, made.after, more, strict=True))
    if any(extra < 0 or extra >= max(s, d) for extra, s, d in zip(added, made.stride, made.dilation, strict=True)):
        told = f"torch pads both ends alike, this node {made.before} and {made.after}"
        return _Pads((), (), [(told, "pads that differ by less than a stride, more at the beginning")])
    if any(one < 0 for one in made.before):
        return _Pads((), (), [("the result is longer than all that the input reaches", "no output_shape")])
    return _Pads(made.before, added, [])


def _matters(name: str, value: Any) -> bool:
    usual = 0 if "padding" in name else 1
    return value is not None and any(one != usual for one in (value if isinstance(value, Sequence) else [value]))


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, Sequence) else value
