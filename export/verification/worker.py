"""A runtime in a process of its own, with a time limit: what hangs or dies there is an answer like any other.

``python -m fastup.export.verification.worker`` reads calls from its standard input and writes results to its standard
output, each a pickle behind its length. Both ends are this file; nothing else is read from anybody.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import select
import struct
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx

Array = np.ndarray[Any, Any]
_LENGTH = struct.Struct("<Q")


class TimeLimitError(RuntimeError):
    """A runtime took longer than it was given."""


class Worker:
    """A process that is started at its first call, and anew after one that it did not answer."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """Kill the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def run(self, runtime: str, model: onnx.ModelProto, inputs: Sequence[Array], seconds: float) -> list[Array]:
        """What the runtime gives, within so many seconds from when the process is ready."""
        process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            _send(process.stdin, (runtime, model.SerializeToString(), [*inputs]))
            kind, found = _receive(process.stdout, time.monotonic() + seconds)
        except TimeLimitError:
            self.end()
            raise TimeLimitError(f"not done within {seconds:g} seconds; a larger budget gives it more") from None
        except (EOFError, BrokenPipeError):
            code = process.wait()
            self.end()
            raise RuntimeError(f"its process ended with status {code}") from None
        if kind == "error":
            raise RuntimeError(found)
        return list(found)

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            command, pipe = [sys.executable, "-m", __name__], subprocess.PIPE
            self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)
            assert self._process.stdout is not None
            _receive(self._process.stdout, None)
        return self._process


def _send(stream: Any, content: Any) -> None:
    data = pickle.dumps(content, protocol=pickle.HIGHEST_PROTOCOL)
    stream.write(_LENGTH.pack(len(data)))
    stream.write(data)
    stream.flush()


def _receive(stream: Any, end: float | None) -> Any:
    """The next content; `end` is when to stop waiting for its beginning."""
    if (
        end is not None
        and os.name == "posix"
        and not select.select([stream], [], [], max(0, end - time.monotonic()))[0]
    ):
        raise TimeLimitError
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    return pickle.loads(stream.read(*_LENGTH.unpack(head)))


def _serve() -> None:
    from fastup.export.runtimes import RUNTIMES, first_line

    results = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is no answer
    _send(results, "ready")
    with contextlib.suppress(EOFError):
        while True:
            runtime, content, inputs = _receive(sys.stdin.buffer, None)
            try:
                outputs = RUNTIMES[runtime].prepare(onnx.ModelProto.FromString(content)).run(inputs)
                _send(results, ("results", [np.asarray(one) for one in outputs]))
            except Exception as error:  # whatever a runtime raises is its answer
                _send(results, ("error", first_line(error)))


if __name__ == "__main__":
    _serve()
