"""Chains of nodes that only move items: what they mean is told by where an arange goes, not by their shapes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import onnx

from fastup import operators

Array = np.ndarray[Any, Any]
OPERATORS = (
    "Reshape",
    "Transpose",
    "Squeeze",
    "Unsqueeze",
    "Flatten",
    "Identity",
    "Expand",
    "Tile",
    "Slice",
    "Gather",
    "GatherND",
)
_ALONE = ("Gather", "Tile")  # each of which can enlarge something by itself
_LONGEST = 10  # steps of a chain
_WIDEST = 64  # nodes between a tensor that is taken apart and the Concat that puts it together again
_ORDERS = ("CRD", "DCR")  # torch's order of channels first


class Move(NamedTuple):
    """What a chain is called, fastup's call that moves the same items, and torch's: function, keywords, layout."""

    words: str
    call: Callable[[Array], Array]
    torch: tuple[str, dict[str, Any], bool] | None = None


class Step(NamedTuple):
    """One node that moves items, or all from a tensor that is taken apart to where its parts are joined."""

    source: str
    output: str
    nodes: list[onnx.NodeProto]


def chains(graph: onnx.GraphProto) -> Iterator[list[Step]]:
    """The longest chains of steps, each the only reader of the one before."""
    readers: dict[str, set[str]] = {}  # nodes by their first outputs
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, set()).add(next(iter(node.output), ""))
    steps = list(_steps(graph))
    following: dict[str, list[Step]] = {}
    for step in steps:
        following.setdefault(step.source, []).append(step)
    ends, held, seen = {one.name for one in graph.output}, {one.name for one in graph.initializer}, set[str]()
    for step in steps:
        if step.output in seen or step.source in held:
            continue
        chain = [step]
        while len(chain) < _LONGEST and chain[-1].output not in ends:
            name = chain[-1].output
            rest = [one for one in following.get(name, []) if readers[name] <= {node.output[0] for node in one.nodes}]
            if not rest:
                break
            chain.append(rest[0])
        seen |= {one.output for one in chain}
        if len(chain) > 1 or len(step.nodes) > 1 or step.nodes[0].op_type in _ALONE:
            yield chain


def _steps(graph: onnx.GraphProto) -> Iterator[Step]:
    """All of a graph, in its order."""
    made = {name: (place, node) for place, node in enumerate(graph.node) for name in node.output}
    for node in graph.node:
        if node.domain not in ("", "ai.onnx") or not node.input:
            continue
        if node.op_type in OPERATORS:
            yield Step(node.input[0], node.output[0], [node])
        elif node.op_type == "Concat" and (step := _joined(node, made)) is not None:
            yield step


def _joined(last: onnx.NodeProto, made: Mapping[str, tuple[int, onnx.NodeProto]]) -> Step | None:
    """All between a Concat and the one tensor whose parts it joins, if there is one."""
    nodes, open_ones = {len(made) + 1: last}, set(last.input)
    while len(open_ones) > 1 and len(nodes) < _WIDEST:
        name = max(open_ones, key=lambda one: made[one][0] if one in made else -1)
        if name not in made:
            return None
        place, node = made[name]
        if node.op_type not in (*OPERATORS, "Split", "Concat"):
            return None
        nodes[place] = node
        open_ones -= set(node.output)
        open_ones |= set(node.input) if node.op_type == "Concat" else {node.input[0]}
    if len(open_ones) != 1:
        return None
    return Step(open_ones.pop(), last.output[0], [nodes[place] for place in sorted(nodes)])


def parts(chain: Sequence[Step]) -> Iterator[tuple[int, int]]:
    """Where parts of a chain begin and end, the longest ones first; one node alone only if that can enlarge."""
    for length in range(len(chain), 0, -1):
        for start in range(len(chain) - length + 1):
            if length > 1 or len(chain[start].nodes) > 1 or chain[start].nodes[0].op_type in _ALONE:
                yield start, start + length


def possible(before: Sequence[int], after: Sequence[int]) -> bool:
    """Whether some move turns the one shape into the other."""
    return next(_candidates(tuple(before), tuple(after)), None) is not None


def named(shape: Sequence[int], places: Array) -> Move | None:
    """The move of an array of this shape whose result has the items of these places, if fastup has it."""
    x = np.arange(math.prod(shape), dtype=np.int64).reshape(shape)
    if places.size == x.size and np.array_equal(places.ravel(), x.ravel()):
        return None  # a reshape is no shuffle, though it is some in shapes with ones
    for move in _candidates(tuple(shape), places.shape):
        try:
            if np.array_equal(move.call(x), places):
                return move
        except (ValueError, TypeError):
            continue
    return None


def _candidates(before: tuple[int, ...], after: tuple[int, ...]) -> Iterator[Move]:
    """What might turn the one shape into the other."""
    if 0 in before or 0 in after:
        return
    if len(before) == len(after) >= 3 and before[0] == after[0]:
        yield from _shuffles(before, after, last=False)
        yield from _shuffles(before, after, last=True)
    if len(before) == 3 and len(after) == 4:
        yield from _patches(before, after)
        yield from _folds(after, before, back=True)
    if len(before) == 4 and len(after) == 3:
        yield from _folds(before, after, back=False)


def _shuffles(before: tuple[int, ...], after: tuple[int, ...], last: bool) -> Iterator[Move]:
    space = slice(1, -1) if last else slice(2, None)
    channel = -1 if last else 1
    layout: Any = "channels_last" if last else "channels_first"
    suffix = " of channels last" if last else ""
    a, b = before[space], after[space]
    grows = all(n % m == 0 for m, n in zip(a, b, strict=True))
    shrinks = all(m % n == 0 for m, n in zip(a, b, strict=True))
    if a == b or not (grows or shrinks):
        return
    factors = tuple(n // m if grows else m // n for m, n in zip(a, b, strict=True))
    shown = factors[0] if len(set(factors)) == 1 else factors
    if before[channel] == after[channel] and grows:
        words, torch = f"interpolate(scale_factor={shown}){suffix}", {"scale_factor": factors, "mode": "nearest"}
        yield Move(words, _nearest(factors, layout), ("interpolate", torch, last))
        repeats = tuple(n // m for m, n in zip(before, after, strict=True))
        yield Move(f"tile({repeats})", lambda x: np.tile(x, repeats))
        return
    name = "pixel_shuffle" if grows else "pixel_unshuffle"
    keyword = "upscale_factor" if grows else "downscale_factor"
    square = len(factors) == 2 and len(set(factors)) == 1
    for order in _ORDERS:
        told = "" if order == "CRD" else " of channels in the order DCR" if grows else " into channels in the order DCR"
        known = (name, {keyword: factors[0]}, last) if order == "CRD" and square else None
        yield Move(f"{name}({shown}){told}{suffix}", _shuffle(name, factors, order, layout), known)
    if shrinks and len(factors) == 2 and not last:
        told = f"pixel_unshuffle({shown}) into channels in the order DCR, phases column by column"
        yield Move(told, lambda x: _focus(x, *factors))


def _focus(x: Array, down: int, right: int) -> Array:
    """Phases by columns, as YOLOv5's first layer slices them."""
    found = np.asarray(operators.pixel_unshuffle(x, (down, right), order="DCR"))
    phases = found.reshape(found.shape[0], down, right, -1, *found.shape[2:])
    return np.ascontiguousarray(phases.swapaxes(1, 2)).reshape(found.shape)


def _nearest(factors: tuple[int, ...], layout: Any) -> Callable[[Array], Array]:
    return lambda x: np.asarray(operators.interpolate(x, scale_factor=factors, data_format=layout))


def _shuffle(name: str, factors: tuple[int, ...], order: str, layout: Any) -> Callable[[Array], Array]:
    return lambda x: np.asarray(getattr(operators, name)(x, factors, order=order, data_format=layout))


def _folds(picture: tuple[int, ...], columns: tuple[int, ...], back: bool) -> Iterator[Move]:
    """Windows side by side as columns, torch's unfold with a stride of its kernel, and back."""
    (n, c, h, w), (m, rows, places) = picture, columns
    if n != m or rows % c:
        return
    for down in (k for k in range(1, rows // c + 1) if rows // c % k == 0):
        kernel = down, rows // c // down
        if 1 in kernel or h % kernel[0] or w % kernel[1] or h // kernel[0] * (w // kernel[1]) != places:
            continue
        yield _fold(picture, columns, kernel) if back else _unfold(columns, kernel)


def _unfold(columns: tuple[int, ...], kernel: tuple[int, int]) -> Move:
    keywords = {"kernel_size": kernel, "stride": kernel}
    words = f"unfold(kernel_size={kernel}, stride={kernel})"
    return Move(
        words, lambda x: np.asarray(operators.pixel_unshuffle(x, kernel)).reshape(columns), ("unfold", keywords, False)
    )


def _fold(picture: tuple[int, ...], columns: tuple[int, ...], kernel: tuple[int, int]) -> Move:
    size = picture[2:]
    keywords = {"output_size": size, "kernel_size": kernel, "stride": kernel}
    grid = tuple(length // k for length, k in zip(size, kernel, strict=True))

    def call(x: Array) -> Array:
        return np.asarray(operators.pixel_shuffle(x.reshape(*columns[:2], *grid), kernel))

    return Move(f"fold(output_size={size}, kernel_size={kernel}, stride={kernel})", call, ("fold", keywords, False))


def _patches(before: tuple[int, ...], after: tuple[int, ...]) -> Iterator[Move]:
    """Tokens (batch, patches, pixels and channels of each) laid out as a picture, as vision transformers do."""
    if not after[1] or before[2] % after[1]:
        return
    side = math.isqrt(before[2] // after[1])
    if side < 2 or side * side * after[1] != before[2] or after[2] % side or after[3] % side:
        return
    grid = after[2] // side, after[3] // side

    def call(x: Array) -> Array:
        laid = np.moveaxis(x.reshape(before[0], *grid, before[2]), -1, 1)
        return np.asarray(operators.pixel_shuffle(np.ascontiguousarray(laid), side, order="DCR"))

    yield Move(f"pixel_shuffle({side}) of patches {grid[0]}x{grid[1]}, channels in the order DCR", call)
