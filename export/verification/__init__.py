"""Verify any model: every upsampling node in every runtime, against each other and against torch's operators."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx

from fastup.export.runtimes import JUDGES, installed, packages, processes
from fastup.export.verification.beyond import unjudged
from fastup.export.verification.control_flow import inner_nodes
from fastup.export.verification.judging import Judged, Runs, judged_node
from fastup.export.verification.loading import ModelError as ModelError
from fastup.export.verification.loading import inputs_for, load
from fastup.export.verification.model import Found, find
from fastup.export.verification.report import NodeReport as NodeReport
from fastup.export.verification.report import Outcome as Outcome
from fastup.export.verification.report import Report as Report
from fastup.export.verification.report import worst


def verify(
    model: Any,
    inputs: Any = None,
    *,
    shapes: Mapping[str, Sequence[int]] | None = None,
    runtimes: Sequence[str] = JUDGES,
    like: str | None = None,
    nodes: str | None = None,
    skip: Sequence[str] = (),
    budget: float = 2.0,
    progress: Callable[[int, int, str], None] | None = None,
) -> Report:
    """Run every upsampling node of a model in every runtime that is installed, and compare.

    The model runs once in onnxruntime, so that each node is judged on what it really gets, and small nodes on noise, a
    gradient, a single one, a constant and large values too. The node alone runs in fastup, in onnxruntime (optimised
    and not), in ONNX's reference evaluator, and in whatever else is installed of OpenVINO, OpenCV, tract, MNN and
    ncnn (with pnnx); torch runs the call that the node is described as. Each has a process of its own.

    Parameters
    ----------
    model : path or onnx.ModelProto
        Of opset 7 or newer.
    inputs : array, list of arrays or dict by name, optional
        Default random ones. Of a list of dicts each is a run of its own, and of each outcome the worst is reported.
    shapes : dict of name to shape, optional
        Of inputs whose dimensions the model leaves open; default 1 for the first dimension and 64 for others.
    runtimes : sequence of str
        Those that decide; the others are reported.
    like : {"torch"}, optional
        Judge each node also by what torch's operator would have computed.
    nodes : str, optional
        A regular expression: only nodes in whose names it is found.
    skip : sequence of str
        Runtimes that are not run.
    budget : float
        Seconds that the reference evaluator, which is slow on large arrays, may take for a node; others have ten times
        as long.
    progress : callable, optional
        Called with (nodes done, nodes in all, name of the next).

    Returns
    -------
    Report

    Raises
    ------
    ModelError
        If the model is damaged, or cannot run.
    FileNotFoundError, TypeError, ValueError
        If there is no such file, or an argument is wrong.

    Examples
    --------
    >>> import fastup.export
    >>> model = fastup.export.interpolate((1, 3, 8, 8), scale_factor=2, mode="bilinear")
    >>> report = fastup.export.verify(model, like="torch")
    >>> [node.words for node in report.nodes], report.status()
    (["interpolate(size=(16, 16), mode='bilinear', align_corners=False, antialias=False)"], 0)
    """
    known_names = {one.program: one.package for one in installed().values()}
    for name in runtimes:
        if name not in known_names:
            raise ValueError(f"verify: runtimes must be among {', '.join(sorted(known_names))}, got {name!r}")
    if like not in (None, "torch"):
        raise ValueError(f"verify: like must be 'torch' or None, got {like!r}")
    if unknown := [name for name in skip if name not in known_names]:
        raise ValueError(f"verify: skip must be among {', '.join(sorted(known_names))}, got {unknown[0]!r}")
    if not budget > 0:
        raise ValueError(f"verify: budget must be greater than 0, got {budget}")
    wanted = _pattern(nodes)
    processes.start(packages(without=skip))
    proto = load(model)
    label = str(model) if not isinstance(model, onnx.ModelProto) else proto.graph.name
    sets = list(inputs) if _several(inputs) else [inputs]
    reports = []
    for given in sets:
        feeds, chosen = inputs_for(proto, given, shapes)
        runs = Runs(frozenset(skip), budget)
        inner = inner_nodes(proto, feeds)
        within = [one.found for one in inner if one.found]
        waiting = [one for one in (*find(proto, feeds), *within) if wanted.search(one.name)]
        nodes_of = _judged(waiting, proto, like, runs, progress)
        left_out = [one.name for one in inner if not one.found]
        reports.append(Report(label, chosen, tuple(runtimes), versions(), nodes_of, left_out, unjudged(proto)))
    return worst(reports)


def _several(inputs: Any) -> bool:
    return isinstance(inputs, (list, tuple)) and bool(inputs) and all(isinstance(one, Mapping) for one in inputs)


def _judged(
    waiting: list[Found],
    proto: onnx.ModelProto,
    like: str | None,
    runs: Runs,
    progress: Callable[[int, int, str], None] | None,
) -> list[NodeReport]:
    judged: list[Judged] = []
    with processes.together():
        waiting.reverse()  # each is let go when it is done
        while waiting:
            one = waiting.pop()
            if progress:
                progress(len(judged), len(judged) + len(waiting) + 1, one.name)
            judged.append(judged_node(one, proto, like, runs))
            del one
            for earlier in judged:
                earlier.finish(wait=False)
        if progress:
            progress(len(judged), len(judged), "")
        for node in judged:
            node.finish()
    return [node.report for node in judged]


def _pattern(nodes: str | None) -> re.Pattern[str]:
    try:
        return re.compile(nodes or "")
    except re.error as error:
        raise ValueError(f"verify: nodes must be a regular expression, got {nodes!r} ({error})") from None


def versions() -> dict[str, str]:
    """Of fastup and what it is compared with."""
    found = {one.package: one.version() for one in installed().values()}
    return {**found, "numpy": np.__version__}
