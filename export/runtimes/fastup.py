"""fastup itself, by its backend of ONNX, as the other runtimes read the graph."""

from __future__ import annotations

import onnx

from fastup.export.runtimes.runtime import Runtime, Session


class Fastup(Runtime):
    """The operators that fastup has, and the reference's for the rest."""

    name, package = "fastup", "fastup"
    decides = timed = False  # the others are compared with it
    apart = False

    def prepare(self, model: onnx.ModelProto, threads: int | None = None) -> Session:
        """The model in the backend."""
        from fastup.export import backend

        prepared = backend.prepare(model, follow="runtimes")
        return Session(lambda inputs: list(prepared.run(inputs)))


RUNTIMES = (Fastup(),)
