"""Runtimes of ONNX models: one adapter each, with the interface of `Runtime`; a new one is a file in this folder."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Container, Mapping, Sequence
from typing import Any

import onnx

from fastup.export.runtimes import processes
from fastup.export.runtimes.processes import Job as Job
from fastup.export.runtimes.runtime import Array
from fastup.export.runtimes.runtime import Node as Node
from fastup.export.runtimes.runtime import Reason as Reason
from fastup.export.runtimes.runtime import Runtime as Runtime
from fastup.export.runtimes.runtime import Session as Session

_LONG = 60.0  # seconds for a small model
_LONGEST = 200  # characters of what a runtime says


def discovered() -> dict[str, Runtime]:
    """Those of all files of the folder, by name."""
    modules = (importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
    return {runtime.name: runtime for module in modules for runtime in getattr(module, "RUNTIMES", ())}


RUNTIMES = discovered()
JUDGES = tuple(dict.fromkeys(runtime.program for runtime in RUNTIMES.values() if runtime.decides))


def installed(settings: bool = True) -> dict[str, Runtime]:
    """The runtimes that can be used here, by name; those that differ by settings only are left out where asked."""
    found = {name: runtime for name, runtime in RUNTIMES.items() if runtime.is_installed()}
    return {name: runtime for name, runtime in found.items() if settings or name == runtime.program}


def run(name: str, model: onnx.ModelProto, *inputs: Array) -> Any:
    """The output of a model in a runtime, or a list of its outputs."""
    results = RUNTIMES[name].prepare(model).run([*inputs])
    return results[0] if len(results) == 1 else results


def run_everywhere(
    model: onnx.ModelProto, inputs: Sequence[Array], settings: bool = True
) -> tuple[dict[str, list[Array]], dict[str, str]]:
    """The outputs of a model in each runtime that is installed, and what those say that refuse it."""
    names = [name for name, one in installed(settings).items() if not one.calls]
    results, refusals = run_jobs({name: Job(model, [inputs], _LONG) for name in names})
    return {name: found[0] for name, found in results.items()}, refusals


def run_jobs(jobs: Mapping[str, Job]) -> tuple[dict[str, list[list[Array]]], dict[str, str]]:
    """The outputs of each runtime for each of its sets of inputs, and what those say that give none."""
    answers: dict[str, list[list[Array]] | processes.NoAnswerError]
    answers = {name: processes.here(name, job) for name, job in jobs.items() if not RUNTIMES[name].apart}
    answers |= processes.run({name: job for name, job in jobs.items() if RUNTIMES[name].apart}, packages())
    results = {name: one for name, one in answers.items() if not isinstance(one, processes.NoAnswerError)}
    return results, {name: str(one) for name, one in answers.items() if isinstance(one, processes.NoAnswerError)}


def packages(without: Container[str] = ()) -> dict[str, str]:
    """What the process of each program that is installed has to import."""
    found = {one.program: one.package for one in installed().values() if one.apart}
    return {program: package for program, package in found.items() if program not in without}


def last_words(error: BaseException) -> str:
    """The end of what an error says, in at most 200 characters: runtimes tell what is wrong last."""
    words = " ".join(str(error).split()) or type(error).__name__
    return words if len(words) <= _LONGEST else f"... {words[4 - _LONGEST :]}"


def first_line(error: BaseException) -> str:
    """What an error says, in one line of at most 200 characters."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:_LONGEST]
