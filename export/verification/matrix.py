"""Where runtimes diverge: one small model per cell of operators, modes, coordinate rules, ranks, dtypes and forms."""

from __future__ import annotations

import itertools
import json
import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import onnx
from onnx import helper

from fastup.export.runtimes import RUNTIMES, run_everywhere
from fastup.export.runtimes.runtime import attributes_of
from fastup.export.self_check import sample
from fastup.export.verification.known_differences import tolerance_of
from fastup.export.verification.model import Found, alone
from fastup.export.verification.report import Outcome, judge

Array = np.ndarray[Any, Any]
COORDINATES = ("half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric")
NEAREST = ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")
DTYPES = ("float64", "float16", "uint8", "int8", "int32")
_FROM, _TO, _SCALES = (5, 9, 6), (8, 4, 6), (1.6, 0.5, 1.0)  # one axis up, one down, one as it is
_OPSET, _IR = 19, 9
_NOISE = re.compile(r"^\[ONNXRuntimeError\] : \d+ : ")
# What a cell may say of a runtime; the first two are agreement.
AGREES, DIFFERS, REFUSES = ("equal", "within tolerance"), "different", "refused"


class Cell(NamedTuple):
    """One node with its inputs.

    Attributes
    ----------
    name : str
        Words of ``key=value``, the operator first: what filters go by.
    """

    name: str
    node: onnx.NodeProto
    inputs: list[Array | None]


def cells() -> Iterator[Cell]:
    """All of them."""
    yield from _resizes()
    yield from _shuffles()
    yield from _transposed()
    yield from _pools()


def _cell(op: str, words: dict[str, Any], inputs: list[Array | None], outputs: int = 1, **attributes: Any) -> Cell:
    names = [f"i{k}" if one is not None else "" for k, one in enumerate(inputs)]
    node = helper.make_node(op, names, [f"o{k}" for k in range(outputs)], op, **attributes)
    return Cell(" ".join([op, *(f"{key}={value}" for key, value in words.items())]), node, inputs)


def _resizes() -> Iterator[Cell]:
    kinds: list[dict[str, Any]] = [{"mode": "nearest", "nearest_mode": rounding} for rounding in NEAREST]
    for mode, antialias, outside in itertools.product(("linear", "cubic"), (0, 1), (0, 1)):
        kinds.append({"mode": mode, "antialias": antialias, "exclude_outside": outside})
    for kind, coordinates, rank, form in itertools.product(kinds, COORDINATES, (1, 2, 3), ("sizes", "scales")):
        yield _resize(kind, coordinates, rank, form, "float32")
    for kind, dtype in itertools.product(kinds, DTYPES):
        yield _resize(kind, "half_pixel", 2, "sizes", dtype)


def _resize(kind: dict[str, Any], coordinates: str, rank: int, form: str, dtype: str) -> Cell:
    x = sample((1, 2, *_FROM[:rank]), np.dtype(dtype))
    sizes, scales = np.array([1, 2, *_TO[:rank]], np.int64), np.array([1, 1, *_SCALES[:rank]], np.float32)
    inputs: list[Array | None] = [x, None, None, sizes] if form == "sizes" else [x, None, scales]
    words = {**kind, "coordinates": coordinates, "rank": rank, "form": form, "dtype": dtype}
    return _cell("Resize", words, inputs, coordinate_transformation_mode=coordinates, **kind)


def _shuffles() -> Iterator[Cell]:
    for dtype in ("float32", *DTYPES):
        for mode in ("DCR", "CRD"):
            x = sample((1, 8, 3, 2), np.dtype(dtype))
            yield _cell("DepthToSpace", {"mode": mode, "dtype": dtype}, [x], blocksize=2, mode=mode)
        yield _cell(
            "SpaceToDepth", {"mode": "DCR", "dtype": dtype}, [sample((1, 2, 6, 4), np.dtype(dtype))], blocksize=2
        )


def _transposed() -> Iterator[Cell]:
    forms: dict[str, dict[str, Any]] = {
        "plain": {}, "pads": {"pads": 1}, "output_padding": {"output_padding": 1}, "dilations": {"dilations": 2},
        "output_shape": {"output_shape": 7}, "same_upper": {"auto_pad": "SAME_UPPER"},
    }  # fmt: skip
    for (form, given), group, rank in itertools.product(forms.items(), (1, 2), (1, 2, 3)):
        x, w = sample((1, 4, *_FROM[:rank]), np.dtype("float32")), sample((4, 2, *(3,) * rank), np.dtype("float32"), 1)
        numbers = {"pads": 2 * rank, "output_padding": rank, "dilations": rank, "output_shape": rank}
        attributes: dict[str, Any] = {
            key: value if key not in numbers else [value] * numbers[key] for key, value in given.items()
        }
        if form == "output_shape":
            attributes["output_shape"] = [2 * n + 1 for n in _FROM[:rank]]
        words = {"form": form, "group": group, "rank": rank}
        bias = sample((2 * group,), np.dtype("float32"), 2)
        yield _cell("ConvTranspose", words, [x, w, bias], strides=[2] * rank, group=group, **attributes)


def _pools() -> Iterator[Cell]:
    for dtype, stride, rank in itertools.product(("float32", "float64", "uint8"), (1, 2), (1, 2, 3)):
        x = sample((2, 2, *_FROM[:rank]), np.dtype(dtype))
        words = {"stride": stride, "rank": rank, "dtype": dtype}
        yield _cell("MaxPool", words, [x], 2, kernel_shape=[2] * rank, strides=[stride] * rank)
    for form, rank in itertools.product(("usual", "output_shape"), (1, 2, 3)):
        small, usual = (1, 2, *(2,) * rank), 4**rank
        x = sample(small, np.dtype("float32"))
        places = np.arange(2 * 2**rank).reshape(small) * (2 * usual // (2 * 2**rank))
        wanted = np.array([1, 2, *(5,) * rank], np.int64) if form == "output_shape" else None
        inputs = [x, places, wanted] if wanted is not None else [x, places]
        yield _cell("MaxUnpool", {"form": form, "rank": rank}, inputs, kernel_shape=[2] * rank, strides=[2] * rank)


def run(cell: Cell) -> dict[str, str]:
    """What each runtime gives beside fastup: "equal", "within tolerance", "different by ...", "refused with ..."."""
    x, node = np.asarray(cell.inputs[0]), cell.node
    declared = [(dtype, [f"n{k}" for k in range(x.ndim)]) for dtype in (x.dtype, np.int64)]  # values, and positions
    outputs = declared[: len(node.output)]
    model = alone([node], cell.inputs, outputs, [helper.make_opsetid("", _OPSET)], _IR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the reference pads integers with infinity
        results, refusals = run_everywhere(model, [x], settings=False)  # a node alone is optimised to itself
    said = {name: f"{REFUSES} with {_NOISE.sub('', line)}" for name, line in refusals.items()}
    if "fastup" in said:
        return {"fastup": said["fastup"]}
    expected = results.pop("fastup")
    allowed, _ = tolerance_of(Found(node.op_type, attributes_of(node), cell.inputs, cell.name, [node], expected))
    for name, arrays in results.items():
        said[name] = _said(judge(arrays, expected, RUNTIMES[name].tolerance(allowed)))
    return {name: said[name] for name in RUNTIMES if name in said}


def _said(outcome: Outcome) -> str:
    if outcome.verdict in AGREES:
        return outcome.verdict
    return f"{DIFFERS} by {outcome.difference.absolute:.2g}" if outcome.difference else f"{DIFFERS}: {outcome.message}"


def category(said: str) -> str:
    """Agreement, difference or refusal, without the figures."""
    return "agrees" if said in AGREES else DIFFERS if said.startswith(DIFFERS) else REFUSES


def measure(only: str = "", progress: Callable[[int, int], None] | None = None) -> dict[str, dict[str, str]]:
    """All cells whose names have these words."""
    wanted = [cell for cell in cells() if set(only.split()) <= set(cell.name.split())]
    found = {}
    for number, cell in enumerate(wanted):
        found[cell.name] = run(cell)
        if progress:
            progress(number + 1, len(wanted))
    return found


def changed(now: dict[str, dict[str, str]], before: dict[str, dict[str, str]]) -> list[str]:
    """Cells of runtimes in both whose category is another, by name."""
    lines = []
    for name, cell in now.items():
        for runtime, said in cell.items():
            known = before.get(name, {}).get(runtime)
            if known is not None and category(known) != category(said):
                lines.append(f"{name}, {runtime}: was {known!r}, is {said!r}")
    return lines


def to_json(found: dict[str, dict[str, str]], versions: dict[str, str]) -> str:
    """The matrix with the versions that it was made with, a cell per line."""
    lines = [f" {json.dumps(name)}: {json.dumps(cell)}" for name, cell in found.items()]
    return "{" + f'"versions": {json.dumps(versions)}, "cells": {{\n' + ",\n".join(lines) + "\n}}\n"
