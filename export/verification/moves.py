"""Chains of nodes that only move items: what they mean is told by where an arange goes, not by their shapes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import onnx

from fastup import operators

Array = np.ndarray[Any, Any]
OPERATORS = ("Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten", "Identity", "Expand", "Tile")
_LONGEST = 10  # nodes of a chain
_ORDERS = ("CRD", "DCR")  # torch's order of channels first


class Move(NamedTuple):
    """What a chain is called, and fastup's call that moves the same items."""

    words: str
    call: Callable[[Array], Array]


def chains(graph: onnx.GraphProto) -> Iterator[list[onnx.NodeProto]]:
    """The longest chains of nodes that move items, each the only reader of the one before."""
    readers: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        for name in dict.fromkeys(node.input):
            readers.setdefault(name, []).append(node)
    ends, seen = {one.name for one in graph.output}, set[int]()
    for node in graph.node:
        if not _moves(node) or id(node) in seen:
            continue
        chain = [node]
        while len(chain) < _LONGEST and (following := _following(chain[-1], readers, ends)) is not None:
            chain.append(following)
        seen |= set(map(id, chain))
        if len(chain) > 1:
            yield chain


def _moves(node: onnx.NodeProto) -> bool:
    return node.op_type in OPERATORS and node.domain in ("", "ai.onnx") and bool(node.input)


def _following(node: onnx.NodeProto, readers: dict[str, list[onnx.NodeProto]], ends: set[str]) -> onnx.NodeProto | None:
    """The next node of a chain."""
    found = readers.get(node.output[0], [])
    if len(found) != 1 or node.output[0] in ends or not _moves(found[0]) or found[0].input[0] != node.output[0]:
        return None
    return found[0]


def parts(chain: Sequence[onnx.NodeProto]) -> Iterator[tuple[int, int]]:
    """Where parts of a chain begin and end, the longest ones first."""
    for length in range(len(chain), 1, -1):
        for start in range(len(chain) - length + 1):
            yield start, start + length


def named(shape: Sequence[int], places: Array) -> Move | None:
    """The move of an array of this shape whose result has the items of these places, if fastup has it."""
    x = np.arange(math.prod(shape), dtype=np.int64).reshape(shape)
    for move in _candidates(tuple(shape), places.shape):
        try:
            if np.array_equal(move.call(x), places):
                return move
        except (ValueError, TypeError):
            continue
    return None


def _candidates(before: tuple[int, ...], after: tuple[int, ...]) -> Iterator[Move]:
    """What might turn the one shape into the other."""
    if len(before) == len(after) >= 3 and before[0] == after[0]:
        yield from _shuffles(before, after, last=False)
        yield from _shuffles(before, after, last=True)
    if len(before) == 3 and len(after) == 4:
        yield from _patches(before, after)


def _shuffles(before: tuple[int, ...], after: tuple[int, ...], last: bool) -> Iterator[Move]:
    space = slice(1, -1) if last else slice(2, None)
    channel = -1 if last else 1
    layout: Any = "channels_last" if last else "channels_first"
    suffix = " of channels last" if last else ""
    a, b = before[space], after[space]
    grows = all(m and n % m == 0 for m, n in zip(a, b, strict=True))
    shrinks = all(n and m % n == 0 for m, n in zip(a, b, strict=True))
    if a == b or not (grows or shrinks):
        return
    factors = tuple(n // m if grows else m // n for m, n in zip(a, b, strict=True))
    shown = factors[0] if len(set(factors)) == 1 else factors
    if before[channel] == after[channel] and grows:
        yield Move(f"interpolate(scale_factor={shown}){suffix}", _nearest(factors, layout))
        return
    name = "pixel_shuffle" if grows else "pixel_unshuffle"
    for order in _ORDERS:
        told = "" if order == "CRD" else " of channels in the order DCR" if grows else " into channels in the order DCR"
        yield Move(f"{name}({shown}){told}{suffix}", _shuffle(name, factors, order, layout))


def _nearest(factors: tuple[int, ...], layout: Any) -> Callable[[Array], Array]:
    return lambda x: np.asarray(operators.interpolate(x, scale_factor=factors, data_format=layout))


def _shuffle(name: str, factors: tuple[int, ...], order: str, layout: Any) -> Callable[[Array], Array]:
    return lambda x: np.asarray(getattr(operators, name)(x, factors, order=order, data_format=layout))


def _patches(before: tuple[int, ...], after: tuple[int, ...]) -> Iterator[Move]:
    """Tokens (batch, patches, pixels and channels of each) laid out as a picture, as vision transformers do."""
    if not after[1] or before[2] % after[1]:
        return
    side = math.isqrt(before[2] // after[1])
    if side * side * after[1] != before[2] or not side or after[2] % side or after[3] % side:
        return
    grid = after[2] // side, after[3] // side

    def call(x: Array) -> Array:
        laid = np.moveaxis(x.reshape(before[0], *grid, before[2]), -1, 1)
        return np.asarray(operators.pixel_shuffle(np.ascontiguousarray(laid), side, order="DCR"))

    yield Move(f"pixel_shuffle({side}) of patches {grid[0]}x{grid[1]}, channels in the order DCR", call)
