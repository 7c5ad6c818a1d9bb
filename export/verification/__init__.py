"""Verify any model: every upsampling node in every runtime, against each other and against torch's operators."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import onnx

from fastup.export.runtimes import JUDGES, Runtime, installed, run_everywhere
from fastup.export.verification.beyond import in_subgraphs, unjudged
from fastup.export.verification.data import telling
from fastup.export.verification.known_differences import known, tolerance_of
from fastup.export.verification.model import Found, alone, find, inputs_for, load, opset_of
from fastup.export.verification.model import ModelError as ModelError
from fastup.export.verification.part import part_of
from fastup.export.verification.report import NodeReport as NodeReport
from fastup.export.verification.report import Outcome as Outcome
from fastup.export.verification.report import Report as Report
from fastup.export.verification.report import judge
from fastup.export.verification.torch_equivalent import Called, Meaning, called_as, meaning
from fastup.export.verification.worker import Worker

Array = np.ndarray[Any, Any]
_MANY = 200_000  # items of a result; the reference evaluator takes 5 to 50 microseconds for each


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

    The model runs once in onnxruntime, so that each node is judged on what it really gets. Then the node alone runs in
    fastup, in onnxruntime (optimised and not), in ONNX's reference evaluator, and in OpenVINO where it is installed.

    Parameters
    ----------
    model : path or onnx.ModelProto
        Of opset 7 or newer.
    inputs : array, list of arrays or dict by name, optional
        Default random ones.
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
        Seconds that the reference evaluator, which is slow on large arrays, may take for a node, in a process of its
        own.
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
    known_names = {one.program for one in installed().values()}
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
    proto = load(model)
    feeds, chosen = inputs_for(proto, inputs, shapes)
    judged, found = [], [one for one in find(proto, feeds) if wanted.search(one.name)]
    with Worker() as worker:
        runs = _Runs(worker, frozenset(skip), budget)
        for number, one in enumerate(found):
            if progress:
                progress(number, len(found), one.name)
            judged.append(_judged(one, proto, like, runs))
    if progress:
        progress(len(found), len(found), "")
    label = str(model) if not isinstance(model, onnx.ModelProto) else proto.graph.name
    return Report(label, chosen, tuple(runtimes), versions(), judged, in_subgraphs(proto), unjudged(proto))


def _pattern(nodes: str | None) -> re.Pattern[str]:
    try:
        return re.compile(nodes or "")
    except re.error as error:
        raise ValueError(f"verify: nodes must be a regular expression, got {nodes!r} ({error})") from None


class _Runs(NamedTuple):
    """Where and how long runtimes run."""

    worker: Worker
    skipped: frozenset[str]
    budget: float

    def everywhere(self, found: Found, proto: onnx.ModelProto) -> _Ran:
        """The outputs in each runtime, and what those say that refuse; the slow one apart where there is much to do."""
        x, declared = np.asarray(found.inputs[0]), [(one.dtype, one.shape) for one in found.outputs]
        model = alone(found.nodes, found.inputs, declared, proto.opset_import, proto.ir_version, found.constants)
        apart = "reference" if sum(one.size for one in found.outputs) > _MANY else ""
        left_out = [name for name, one in installed().items() if one.program in self.skipped or name == apart]
        ran = _Ran(*run_everywhere(model, [x], without=left_out), {})
        if apart and apart not in self.skipped:
            part = part_of(found, proto, _MANY)
            try:
                outputs = self.worker.run(apart, part.model if part else model, [part.x if part else x], self.budget)
                ran.results[apart] = part.within(outputs, ran.expected(found)) if part else outputs
                ran.said[apart] = part.said if part else ""
            except RuntimeError as error:
                ran.refusals[apart] = str(error)
        return ran


class _Ran(NamedTuple):
    """What runtimes gave, or said, and what is to be said of what they gave."""

    results: dict[str, list[Array]]
    refusals: dict[str, str]
    said: dict[str, str]

    def expected(self, found: Found) -> list[Array]:
        """What others are compared with."""
        return self.results.get("fastup") or self.results.get("onnxruntime") or found.outputs


def _judged(found: Found, proto: onnx.ModelProto, like: str | None, runs: _Runs) -> NodeReport:
    begin = time.perf_counter()
    found, data = telling(found, proto)
    x, (allowed, source) = np.asarray(found.inputs[0]), tolerance_of(found)
    opset = opset_of(proto)
    words = meaning(found, opset)
    ran = runs.everywhere(found, proto)
    results, expected = ran.results, ran.expected(found)
    given = results.get("onnxruntime") or found.outputs
    called = called_as(words, given[0], allowed)
    report = NodeReport(
        found.name, found.op_type, called.words, x.shape, found.outputs[0].shape, x.dtype.name, allowed.absolute,
        source, warnings=[*data, *words.warnings],
    )  # fmt: skip
    for name, runtime in installed().items():
        if name in ran.refusals:
            report.runtimes[name] = Outcome("not run", message=ran.refusals[name])
        elif name in results:
            outcome = judge(results[name], expected, runtime.tolerance(allowed))
            outcome = _explained(found, runtime, outcome)
            outcome.message = outcome.message or ran.said.get(name, "")
            report.runtimes[name] = outcome
        if reason := runtime.dropped(found):
            report.warnings.append(reason)
    if like:
        report.torch = _like_torch(words, called)
    report.picture = _picture(results, expected)
    report.seconds = time.perf_counter() - begin
    return report


def _explained(found: Found, runtime: Runtime, outcome: Outcome) -> Outcome:
    """A difference with what is known of it."""
    if outcome.verdict != "different":
        return outcome
    if fault := runtime.mistaken(found):
        return Outcome("not judged", outcome.difference, fault)
    reason = known(found, runtime)
    return Outcome("known difference", outcome.difference, *reason) if reason else outcome


def _like_torch(words: Meaning, called: Called) -> Outcome | None:
    """The node against the operators of torch that it may stand for: one that it equals is enough."""
    if called.difference is not None and called.difference.within:
        return Outcome("equal" if called.difference.equal else "within tolerance", called.difference)
    if not words.candidates and not words.causes:
        return None
    if words.causes:
        reasons, advice = zip(*words.causes, strict=True)
        return Outcome("known difference", called.difference, "; ".join(reasons), "; ".join(dict.fromkeys(advice)))
    return Outcome("different", called.difference, "no operator of torch gives these values")


def _picture(results: dict[str, list[Array]], expected: list[Array]) -> Array | None:
    """The largest difference of any runtime at each position of the last two axes."""
    wanted = expected[0].astype(np.float64)
    if wanted.ndim < 2 or not wanted.size:
        return None
    away = np.zeros(wanted.shape[-2:])
    for outputs in results.values():
        if outputs[0].shape == wanted.shape:
            with np.errstate(invalid="ignore"):
                here = np.abs(outputs[0].astype(np.float64) - wanted)
            away = np.fmax(away, here.reshape(-1, *wanted.shape[-2:]).max(axis=0))
    return away


def versions() -> dict[str, str]:
    """Of fastup and what it is compared with."""
    found = {one.package: one.version() for one in installed().values()}
    return {**found, "numpy": np.__version__}
