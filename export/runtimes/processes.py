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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx

Array = np.ndarray[Any, Any]
_HEAD = struct.Struct("<Q")  # of a message: how many pieces of memory follow
_START = 120.0  # seconds until a process must have imported its runtime: torch takes 10 from a cold disk


# Packages as bare folders: what their own files import takes half a second, and no runtime needs it.
_BARE = """\
import sys, types
sys.path[:] = {path!r}
for name, folder in {folders!r}.items():
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [folder]
from {name} import serve
serve({package!r})
"""


def _folders() -> dict[str, str]:
    export = Path(__file__).resolve().parent.parent
    return {"fastup": os.path.dirname(sys.modules["fastup"].__file__ or ""), "fastup.export": str(export)}


class Job(NamedTuple):
    """A model for a runtime, the sets of inputs to run it on, and how many seconds that may take."""

    model: onnx.ModelProto
    inputs: Sequence[Sequence[Array]]
    seconds: float


class NoAnswerError(RuntimeError):
    """Why a runtime gave no results."""


class Process:
    """One program; results come in the order of the jobs."""

    def __init__(self, package: str) -> None:
        code = _BARE.format(path=sys.path, folders=_folders(), name=__name__, package=package)
        pipe = subprocess.PIPE
        self.owner = os.getpid()
        self._process = subprocess.Popen(
            [sys.executable, "-c", code], stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL
        )
        self.says_something, self._wanted = threading.Event(), threading.Semaphore(0)
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
        self._wanted.release()
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
        """Answers, each when it is wanted: until then large ones stay in the process that made them."""
        assert self._process.stdout is not None
        with self._process.stdout as stream, contextlib.suppress(OSError, EOFError):
            while True:
                head = _taken(stream, _HEAD.size)
                self.says_something.set()
                self._wanted.acquire()
                self._answers.put(_received(stream, head))
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
_of_parents: list[Process] = []  # kept: a Popen that goes would wait for a child that this process has not
lock = threading.RLock()  # held from a job's begin to its result: answers come in the order of the jobs


def start(programs: Mapping[str, str]) -> None:
    """Let the processes of these programs import their packages, while the caller does something else."""
    with lock, contextlib.suppress(OSError):  # `begin` does without
        for program, package in programs.items():
            _of(program, package)


def _of(program: str, package: str) -> Process:
    found = _running.get(program)
    if found is None or not found.running:
        found = _running[program] = Process(package)
    return found


class Begun(NamedTuple):
    """A job that its process works on meanwhile; or what it gave, where no process can be."""

    process: Process | list[list[Array]] | NoAnswerError
    job: Job

    @property
    def started(self) -> bool:
        """Whether the process has said something, so that it will answer soon."""
        return not isinstance(self.process, Process) or self.process.says_something.is_set()

    def result(self) -> list[list[Array]] | NoAnswerError:
        """What it gives."""
        if not isinstance(self.process, Process):
            return self.process
        try:
            return self.process.receive(self.job)
        except NoAnswerError as error:
            return error


def begin(name: str, job: Job, packages: Mapping[str, str]) -> Begun:
    """Begin a job."""
    program = name.split(",")[0]
    try:
        process = _of(program, packages[program])
    except OSError:  # sandboxes allow none: then here, without a limit
        return Begun(here(name, job), job)
    process.send(name, job)
    return Begun(process, job)


def here(name: str, job: Job) -> list[list[Array]] | NoAnswerError:
    """What a runtime gives in this process."""
    from fastup.export.runtimes import RUNTIMES, last_words

    try:
        session = RUNTIMES[name].prepare(job.model)
        return [_arrays(session.run([*one])) for one in job.inputs]
    except Exception as error:  # whatever a runtime raises is its answer
        return NoAnswerError(last_words(error))


@contextlib.contextmanager
def together() -> Iterator[None]:
    """No other thread begins jobs meanwhile; at an interrupt all end, for what would still come belongs to nobody."""
    with lock:
        try:
            yield
        except BaseException:
            end()
            raise


def run(jobs: Mapping[str, Job], packages: Mapping[str, str]) -> dict[str, list[list[Array]] | NoAnswerError]:
    """What each runtime gives for its job, all at work at the same time; packages by programs."""
    with together():
        begun = {name: begin(name, job, packages) for name, job in jobs.items()}
        return {name: one.result() for name, one in begun.items()}


@atexit.register
def end() -> None:
    """Kill all of them."""
    for one in _running.values():
        one.end()
    _running.clear()


def _forget() -> None:
    """In a forked child: the processes are the parent's, and a thread that held the lock is not here."""
    global lock
    lock = threading.RLock()
    _of_parents.extend(_running.values())
    _running.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def _send(stream: Any, content: Any) -> None:
    """A pickle and the memory of its arrays, behind the number of these and all lengths; no array is copied."""
    buffers: list[Any] = []
    data = pickle.dumps(content, protocol=5, buffer_callback=lambda one: buffers.append(one.raw()))
    pieces = [data, *buffers]
    stream.write(_HEAD.pack(len(pieces)) + struct.pack(f"<{len(pieces)}Q", *(len(one) for one in pieces)))
    for one in pieces:
        stream.write(one)
    stream.flush()


def _receive(stream: Any) -> Any:
    """The next content, or None at the end."""
    try:
        return _received(stream, _taken(stream, _HEAD.size))
    except EOFError:
        return None


def _received(stream: Any, head: bytearray) -> Any:
    (count,) = _HEAD.unpack(head)
    lengths = struct.unpack(f"<{count}Q", _taken(stream, 8 * count))
    data, *buffers = [_taken(stream, length) for length in lengths]
    return pickle.loads(data, buffers=buffers)


def _taken(stream: Any, length: int) -> bytearray:
    memory = bytearray(length)
    if stream.readinto(memory) < length:
        raise EOFError
    return memory


def serve(package: str) -> None:
    """What a process does: jobs, until there are no more."""
    # OpenVINO's telemetry forks a child that keeps the pipes open; without it OpenVINO has a stub.
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    results = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is no answer
    with contextlib.suppress(ImportError):  # `prepare` says it
        importlib.import_module(package)
    _send(results, "ready")
    while (job := _receive(sys.stdin.buffer)) is not None:
        name, content, inputs = job
        answer = here(name, Job(onnx.ModelProto.FromString(content), inputs, 0.0))
        _send(results, ("error", str(answer)) if isinstance(answer, NoAnswerError) else ("results", answer))


def _arrays(outputs: Iterable[Any]) -> list[Array]:
    return [np.asarray(one) for one in outputs]
