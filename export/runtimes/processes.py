"""Runtimes in processes of their own, each with a time limit: what crashes or hangs there is an answer like any other.

A process serves one program from its first job to the end of the caller. It reads jobs from its standard input and
writes answers to its standard output, each a pickle behind its length; both ends are this file, and nothing else is
read from anybody.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import os
import pickle
import queue
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import onnx

Array = np.ndarray[Any, Any]
_LENGTH = struct.Struct("<Q")
_START = 120.0  # seconds until a process must have imported its runtime: torch takes 10 from a cold disk


class Job(NamedTuple):
    """A model for a runtime, the sets of inputs to run it on, and how many seconds that may take."""

    model: onnx.ModelProto
    inputs: Sequence[Sequence[Array]]
    seconds: float


class NoAnswerError(RuntimeError):
    """Why a runtime gave no results."""


class Process:
    """One program; results come in the order of the jobs."""

    def __init__(self, program: str, package: str) -> None:
        code = f"import sys; sys.path[:] = {sys.path!r}; from {__name__} import serve; serve({package!r})"
        pipe = subprocess.PIPE
        self.program, self.owner = program, os.getpid()
        self._process = subprocess.Popen(
            [sys.executable, "-c", code], stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL
        )
        self._answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._since = time.monotonic() + _START  # when the job that waits was begun
        self._ready = False
        self._jobs: queue.SimpleQueue[Any] = queue.SimpleQueue()
        for task in (self._read, self._write):  # a process that hangs reads nothing
            threading.Thread(target=task, daemon=True).start()

    def send(self, name: str, job: Job) -> None:
        """Begin a job."""
        if self._ready:
            self._since = time.monotonic()
        self._jobs.put((name, job.model.SerializeToString(), [[*one] for one in job.inputs]))

    def receive(self, job: Job) -> list[list[Array]]:
        """The outputs for each set of inputs."""
        if not self._ready:
            self._next(_START)
            self._ready, self._since = True, time.monotonic()
        kind, found = self._next(self._since + job.seconds - time.monotonic(), job.seconds)
        self._since = time.monotonic()
        if kind == "error":
            raise NoAnswerError(found)
        return list(found)

    def _next(self, seconds: float, allowed: float = _START) -> Any:
        try:
            answer = self._answers.get(timeout=max(0.0, seconds))
        except queue.Empty:
            self.end()
            raise NoAnswerError(f"not done within {allowed:g} seconds; a larger budget gives it more") from None
        if answer is None:
            status = self._process.wait()
            self.end()
            raise NoAnswerError(f"its process ended with status {status}")
        return answer

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as stream, contextlib.suppress(OSError):
            while (answer := _receive(stream)) is not None:
                self._answers.put(answer)
        self._answers.put(None)

    def _write(self) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError, ValueError), self._process.stdin as stream:  # it has ended: `receive` tells
            while (job := self._jobs.get()) is not None:
                _send(stream, job)

    @property
    def running(self) -> bool:
        """Whether it is this process's child, and has not ended."""
        return self.owner == os.getpid() and self._process.poll() is None

    def end(self) -> None:
        """Kill it."""
        if self.owner == os.getpid():
            self._process.kill()
            self._process.wait()
            self._jobs.put(None)


_running: dict[str, Process] = {}
_lock = threading.RLock()


def start(programs: Mapping[str, str]) -> None:
    """Let the processes of these programs import their packages, while the caller does something else."""
    with _lock:
        for program, package in programs.items():
            _of(program, package)


def _of(program: str, package: str) -> Process:
    found = _running.get(program)
    if found is None or not found.running:
        found = _running[program] = Process(program, package)
    return found


def run(jobs: Mapping[str, Job], packages: Mapping[str, str]) -> dict[str, list[list[Array]] | NoAnswerError]:
    """What each runtime gives for its job, all at work at the same time; packages by programs."""
    answers: dict[str, list[list[Array]] | NoAnswerError] = {}
    with _lock:
        at_work: dict[str, Process] = {}
        try:
            for name, job in jobs.items():
                program = name.split(",")[0]
                at_work[name] = _of(program, packages[program])
                at_work[name].send(name, job)
            for name, job in jobs.items():
                answers[name] = _answer(at_work[name], job)
        except BaseException:  # an interrupt: what would still come belongs to nobody
            for one in at_work.values():
                one.end()
            raise
    return answers


def _answer(process: Process, job: Job) -> list[list[Array]] | NoAnswerError:
    try:
        return process.receive(job)
    except NoAnswerError as error:
        return error


@atexit.register
def end() -> None:
    """Kill all of them."""
    for one in _running.values():
        one.end()
    _running.clear()


def _send(stream: Any, content: Any) -> None:
    data = pickle.dumps(content, protocol=pickle.HIGHEST_PROTOCOL)
    stream.write(_LENGTH.pack(len(data)))
    stream.write(data)
    stream.flush()


def _receive(stream: Any) -> Any:
    """The next content, or None at the end."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    data = stream.read(*_LENGTH.unpack(head))
    return pickle.loads(data) if len(data) == _LENGTH.unpack(head)[0] else None


def serve(package: str) -> None:
    """What a process does: jobs, until there are no more."""
    from fastup.export.runtimes import RUNTIMES, first_line

    # OpenVINO's telemetry forks a child that keeps the pipes open; without it OpenVINO has a stub.
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    results = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is no answer
    with contextlib.suppress(ImportError):  # `prepare` says it
        importlib.import_module(package)
    _send(results, "ready")
    while (job := _receive(sys.stdin.buffer)) is not None:
        name, content, inputs = job
        try:
            session = RUNTIMES[name].prepare(onnx.ModelProto.FromString(content))
            _send(results, ("results", [_arrays(session.run(one)) for one in inputs]))
        except Exception as error:  # whatever a runtime raises is its answer
            _send(results, ("error", first_line(error)))


def _arrays(outputs: Iterable[Any]) -> list[Array]:
    return [np.asarray(one) for one in outputs]
