"""One node in every runtime, on what it gets and on data of several kinds, and what its differences mean."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import onnx

from fastup.export.runtimes import RUNTIMES, Job, Runtime, installed, run_jobs
from fastup.export.verification.data import kinds, telling
from fastup.export.verification.known_differences import known, tolerance_of
from fastup.export.verification.loading import opset_of
from fastup.export.verification.model import Found, alone
from fastup.export.verification.part import Part, part_of
from fastup.export.verification.report import VERDICTS, NodeReport, Outcome, judge
from fastup.export.verification.torch_equivalent import Called, Meaning, called_as, meaning

Array = np.ndarray[Any, Any]
_MANY = 200_000  # items of a result; the reference evaluator takes 5 to 50 microseconds for each
_SLOW, _PATIENCE = "reference", 10  # times the budget for the others


class Runs(NamedTuple):
    """Where and how long runtimes run."""

    skipped: frozenset[str]
    budget: float

    def __call__(self, found: Found, proto: onnx.ModelProto) -> _Ran:
        """The outputs in each runtime, on each kind of data where there are not too many items."""
        declared = [(one.dtype, one.shape) for one in found.outputs]
        model = alone(found.nodes, found.inputs, declared, proto.opset_import, proto.ir_version, found.constants)
        x, large = np.asarray(found.inputs[0]), sum(one.size for one in found.outputs) > _MANY
        words, sets = zip(("", x), *([] if large else kinds(x)), strict=True)
        names = [name for name, one in installed().items() if one.program not in self.skipped and not one.calls]
        jobs = {name: Job(model, [[one] for one in sets], self._seconds(name)) for name in names}
        part = part_of(found, proto, _MANY) if large and _SLOW in jobs else None
        if part:
            jobs[_SLOW] = Job(part.model, [[part.x]], self.budget)
        results, refusals = run_jobs(jobs)
        ran = _Ran(found, words, sets, results, refusals, part)
        if part and _SLOW in results:
            results[_SLOW] = [part.within(results[_SLOW][0], ran.expected(0))]
        return ran

    def torch(self, called: Called, ran: _Ran) -> None:
        """What torch gives for the call that a node is described as, where it is described as one."""
        if "torch" in self.skipped or not RUNTIMES["torch"].is_installed():
            return
        model = called.torch()
        if model is None:
            return
        results, refusals = run_jobs({"torch": Job(model, [[one] for one in ran.sets], self._seconds("torch"))})
        ran.results.update(results)
        ran.refusals.update(refusals)

    def _seconds(self, name: str) -> float:
        return self.budget if name == _SLOW else _PATIENCE * self.budget


class _Ran(NamedTuple):
    """What runtimes gave, or said, for a node on several sets of inputs; the first is what the model gives it."""

    found: Found
    words: Sequence[str]
    sets: Sequence[Array]
    results: dict[str, list[list[Array]]]
    refusals: dict[str, str]
    part: Part | None

    def expected(self, number: int) -> list[Array]:
        """What others are compared with on one set."""
        for name in ("fastup", "onnxruntime, not optimised", "onnxruntime"):
            if name in self.results:
                return self.results[name][number]
        return self.found.outputs if number == 0 else []

    def on(self, number: int) -> Found:
        """The node as it is on one set."""
        if number == 0:
            return self.found
        outputs = self.expected(number)
        return replace(self.found, inputs=[self.sets[number], *self.found.inputs[1:]], outputs=outputs)

    def outcome(self, name: str, runtime: Runtime) -> Outcome:
        """The worst of a runtime on all sets."""
        found = [self._one(runtime, number, outputs) for number, outputs in enumerate(self.results[name])]
        worst = max(found, key=lambda one: VERDICTS.index(one.verdict) if one.verdict in VERDICTS else -1)
        kind = self.words[found.index(worst)]
        if kind and worst.verdict not in VERDICTS[:2]:
            worst.message = f"on {kind}: {worst.message}" if worst.message else f"on {kind}"
        if name == _SLOW and self.part:
            worst.message = worst.message or self.part.said
        return worst

    def _one(self, runtime: Runtime, number: int, outputs: list[Array]) -> Outcome:
        found = self.on(number)
        outcome = judge(outputs, self.expected(number), runtime.tolerance(tolerance_of(found)[0]))
        if outcome.verdict != "different":
            return outcome
        if fault := runtime.mistaken(found):
            return Outcome("not judged", outcome.difference, fault)
        reason = known(found, runtime)
        return Outcome("known difference", outcome.difference, *reason) if reason else outcome


def judged_node(found: Found, proto: onnx.ModelProto, like: str | None, runs: Runs) -> NodeReport:
    """What is to be told of a node."""
    begin = time.perf_counter()
    found, data = telling(found, proto)
    x, (allowed, source) = np.asarray(found.inputs[0]), tolerance_of(found)
    words = meaning(found, opset_of(proto))
    ran = runs(found, proto)
    given = ran.results["onnxruntime"][0] if "onnxruntime" in ran.results else found.outputs
    called = called_as(words, given[0], allowed)
    runs.torch(called, ran)
    report = NodeReport(
        found.name, found.op_type, called.words, x.shape, found.outputs[0].shape, x.dtype.name, allowed.absolute,
        source, warnings=[*data, *words.warnings],
    )  # fmt: skip
    for name, runtime in installed().items():
        if name in ran.refusals:
            report.runtimes[name] = Outcome("not run", message=ran.refusals[name])
        elif name in ran.results:
            report.runtimes[name] = ran.outcome(name, runtime)
        if runtime.program not in runs.skipped and (reason := runtime.dropped(found)):
            report.warnings.append(reason)
    if like:
        report.torch = _like_torch(words, called)
    report.picture = _picture([one[0] for one in ran.results.values()], ran.expected(0))
    report.seconds = time.perf_counter() - begin
    return report


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


def _picture(results: Sequence[list[Array]], expected: list[Array]) -> Array | None:
    """The largest difference of any runtime at each position of the last two axes."""
    wanted = expected[0].astype(np.float64)
    if wanted.ndim < 2 or not wanted.size:
        return None
    away = np.zeros(wanted.shape[-2:])
    for outputs in results:
        if outputs[0].shape == wanted.shape:
            with np.errstate(invalid="ignore"):
                here = np.abs(outputs[0].astype(np.float64) - wanted)
            away = np.fmax(away, here.reshape(-1, *wanted.shape[-2:]).max(axis=0))
    return away
