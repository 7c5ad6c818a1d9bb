"""tract, a runtime in Rust."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import onnx

from fastup.export.runtimes.runtime import Array, Runtime, Session


class Tract(Runtime):
    """A model that tract has optimised; it takes files only."""

    name, package = "tract", "tract"
    decides = timed = False

    def prepare(self, model: onnx.ModelProto, threads: int | None = None) -> Session:
        """The model, ready to run."""
        import tract

        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "model.onnx")
            file.write_bytes(model.SerializeToString())
            runnable = tract.onnx().load(file).into_model().into_runnable()

        def run(inputs: list[Array]) -> list[Array]:
            return [one.to_numpy() for one in runnable.run([np.ascontiguousarray(value) for value in inputs])]

        return Session(run)


RUNTIMES = (Tract(),)
