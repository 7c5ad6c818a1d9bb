"""One node in every runtime, on what it gets and on data of several kinds, and what its differences mean."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import onnx

from fastup.export.runtimes import RUNTIMES, Job, Runtime, installed, last_words, packages, processes, run_jobs
from fastup.export.tolerances import Tolerance
from fastup.export.verification.data import kinds, telling
from fastup.export.verification.known_differences import known, tolerance_of
from fastup.export.verification.loading import opset_of
from fastup.export.verification.model import Found, alone
from fastup.export.verification.part import ENOUGH, Part, part_of, seconds
from fastup.export.verification.report import VERDICTS, NodeReport, Outcome, Picture, judge
from fastup.export.verification.torch_equivalent import Called, Meaning, called_as, meaning

Array = np.ndarray[Any, Any]
_MANY = 200_000  # items of a result; above that only the model's own data
_EXPECTED = ("fastup", "onnxruntime, not optimised", "onnxruntime")  # the first that runs a node
_SLOW, _PATIENCE = "reference", 10  # times the budget for the others


class Runs(NamedTuple):
    """Where and how long runtimes run."""

    skipped: frozenset[str]
    budget: float

    def begin(self, found: Found, proto: onnx.ModelProto) -> tuple[_Ran, dict[str, processes.Begun]]:
        """What fastup gives, on each kind of data where there are not too many items; the others are at work on it."""
        declared = [(one.dtype, one.shape) for one in found.outputs]
        model = alone(found.nodes, found.inputs, declared, proto.opset_import, proto.ir_version, found.constants)
        x, large = np.asarray(found.inputs[0]), sum(one.size for one in found.outputs) > _MANY
        words, sets = zip(("", x), *([] if large else kinds(x)), strict=True)
        runtimes = {name: one for name, one in installed().items() if one.program not in self.skipped and not one.calls}
        jobs = {name: Job(model, [[one] for one in sets], self._seconds(name)) for name in runtimes}
        part = part_of(found, proto) if _SLOW in jobs and seconds(found) > ENOUGH else None
        if part:
            jobs[_SLOW] = Job(part.model, [[part.x]], self.budget)
        first = sorted(jobs, key=lambda name: name not in _EXPECTED)
        imported = packages()
        begun = {name: processes.begin(name, jobs[name], imported) for name in first if runtimes[name].apart}
        results, refusals = run_jobs({name: job for name, job in jobs.items() if not runtimes[name].apart})
        if "fastup" in results and [one.shape for one in results["fastup"][0]] == [one.shape for one in found.outputs]:
            found = replace(found, outputs=results["fastup"][0])  # the model's own need no place any more
        return _Ran(found, words, sets, results, refusals, part, {}), begun

    def torch(self, called: Called, ran: _Ran) -> processes.Begun | None:
        """Let torch run the call that a node is described as, where it is described as one."""
        if "torch" in self.skipped or not RUNTIMES["torch"].is_installed():
            return None
        model = called.torch()
        if model is None:
            return None
        job = Job(model, [[one] for one in ran.sets], self._seconds("torch"))
        return processes.begin("torch", job, packages())

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
    allowed: dict[int, Tolerance]

    def expected(self, number: int) -> list[Array]:
        """What others are compared with on one set."""
        for name in _EXPECTED:
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
        cut = self.part if name == _SLOW else None
        if cut:
            self.results[name] = [cut.right(self.results[name][0])]
        found = [self._one(runtime, number, outputs, cut) for number, outputs in enumerate(self.results[name])]
        worst = max(found, key=lambda one: VERDICTS.index(one.verdict) if one.verdict in VERDICTS else -1)
        kind = self.words[found.index(worst)]
        if kind and worst.verdict not in VERDICTS[:2]:
            worst.message = f"on {kind}: {worst.message}" if worst.message else f"on {kind}"
        if cut:
            worst.message = worst.message or cut.said
        return worst

    def kept(self) -> _Ran:
        """Only what others are compared with, for one that comes later."""
        name = next((one for one in _EXPECTED if one in self.results), "")
        results = {name: self.results[name]} if name else {}
        return self._replace(results=results, found=replace(self.found, outputs=self.expected(0)))

    def _one(self, runtime: Runtime, number: int, outputs: list[Array], cut: Part | None) -> Outcome:
        found, expected = self.on(number), self.expected(number)
        if number not in self.allowed:
            self.allowed[number] = tolerance_of(found)[0]
        allowed = runtime.tolerance(self.allowed[number])
        outcome = judge(outputs, cut.of_whole(expected) if cut else expected, allowed)
        if outcome.verdict != "different":
            return outcome
        if fault := runtime.mistaken(found):
            return Outcome("not judged", outcome.difference, fault)
        reason = known(found, runtime)
        return Outcome("known difference", outcome.difference, *reason) if reason else outcome


@dataclass
class Judged:
    """A node's report, and what torch still works on: its process takes longest to start."""

    report: NodeReport
    ran: _Ran | None
    torch: processes.Begun | None

    def finish(self, wait: bool = True) -> None:
        """Put what torch gives into the report, now or if it has begun to answer."""
        if self.torch is None or self.ran is None or not (wait or self.torch.started):
            return
        answer = self.torch.result()
        if isinstance(answer, processes.NoAnswerError):
            self.report.runtimes["torch"] = Outcome("not run", message=last_words(answer))
        else:
            self.ran.results["torch"] = answer
            self.report.runtimes["torch"] = self.ran.outcome("torch", RUNTIMES["torch"])
        self.ran = self.torch = None


def judged_node(found: Found, proto: onnx.ModelProto, like: str | None, runs: Runs) -> Judged:
    """What is to be told of a node."""
    begin = time.perf_counter()
    found, data = telling(found, proto)
    x, (allowed, source) = np.asarray(found.inputs[0]), tolerance_of(found)
    words = meaning(found, opset_of(proto))
    ran, begun = runs.begin(found, proto)
    found = ran.found
    picture = Picture(found.outputs[0].shape)
    outcomes = _outcomes(ran, begun, picture)
    given = ran.results["onnxruntime"][0] if "onnxruntime" in ran.results else found.outputs
    called = called_as(words, given[0], allowed)
    torch = runs.torch(called, ran)
    report = NodeReport(
        found.name, found.op_type, called.words, x.shape, found.outputs[0].shape, x.dtype.name, allowed.absolute,
        source, outcomes, warnings=[*filter(None, [found.said]), *data, *words.warnings], picture=picture.away,
    )  # fmt: skip
    report.warnings += [
        reason
        for runtime in installed().values()
        if runtime.program not in runs.skipped and (reason := runtime.dropped(found))
    ]
    if like:
        report.torch = _like_torch(words, called)
    report.seconds = time.perf_counter() - begin
    return Judged(report, ran.kept() if torch else None, torch)


def _outcomes(ran: _Ran, begun: dict[str, processes.Begun], picture: Picture) -> dict[str, Outcome]:
    """Of all runtimes; each lets go of what it gave, but for what others are compared with."""
    outcomes = {name: Outcome("not run", message=said) for name, said in ran.refusals.items()}
    for name in [*ran.results, *begun]:
        if name in begun:
            answer = begun[name].result()
            if isinstance(answer, processes.NoAnswerError):
                outcomes[name] = Outcome("not run", message=last_words(answer))
                continue
            ran.results[name] = answer
        outcomes[name] = ran.outcome(name, RUNTIMES[name])
        picture.add(ran.results[name][0][0], ran.expected(0)[0])
        if name not in _EXPECTED:
            del ran.results[name]
    return {name: outcomes[name] for name in RUNTIMES if name in outcomes}


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
