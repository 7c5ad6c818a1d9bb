"""MNN in high precision, by its own converter."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from fastup.export.runtimes.runtime import Array, Node, Runtime, Session, aspect_policy, set_attributes


class Mnn(Runtime):
    """A converted model; results are those of its own layout, brought into ONNX's."""

    name, package = "mnn", "MNN"
    decides = timed = False

    def prepare(self, model: onnx.ModelProto, threads: int | None = None) -> Session:
        """The session."""
        import MNN

        with tempfile.TemporaryDirectory() as folder:
            graph, made = Path(folder, "graph.onnx"), Path(folder, "graph.mnn")
            graph.write_bytes(model.SerializeToString())
            said = _convert(graph, made)
            if not made.is_file():
                raise ValueError(f"MNN's converter refuses: {said}")
            net = MNN.Interpreter(str(made))
        config: dict[str, Any] = {"backend": "CPU", "precision": "high"}
        session = net.createSession(config if threads is None else {**config, "numThread": threads})
        names = [value.name for value in model.graph.input]
        outputs = [value.name for value in model.graph.output]

        def run(inputs: list[Array]) -> list[Array]:
            for name, value in zip(names, inputs, strict=False):
                source = net.getSessionInput(session, name)
                source.copyFrom(_tensor(MNN, np.ascontiguousarray(value), value.shape))
            net.runSession(session)
            return [_output(MNN, net.getSessionOutput(session, name)) for name in outputs]

        return Session(run)

    def left_out(self, node: Node) -> Sequence[str]:
        """Antialiasing, one coordinate rule, and roundings of nearest that it has not."""
        if node.op_type != "Resize":
            return ()
        given = node.attributes
        names = set_attributes(node, "antialias", *(["exclude_outside"] if given.get("mode") == "cubic" else []))
        rule, rounding = given.get("coordinate_transformation_mode", "half_pixel"), given.get("nearest_mode", "")
        names += [*aspect_policy(node), *([rule] if rule == "half_pixel_symmetric" else [])]
        wrong = rounding == "ceil" or (rounding == "round_prefer_ceil" and rule == "asymmetric")
        return [*names, f"nearest_mode={rounding}"] if wrong and given.get("mode", "nearest") == "nearest" else names

    def mistaken(self, node: Node) -> str | None:
        """What MNN computes wrongly: cubic at half pixels, and output_shape with groups."""
        given = node.attributes
        rule = given.get("coordinate_transformation_mode", "half_pixel")
        if node.op_type == "Resize" and given.get("mode") == "cubic" and "half_pixel" in rule:
            return "MNN's cubic has other weights at half pixels"
        if node.op_type == "ConvTranspose" and given.get("output_shape") and given.get("group", 1) > 1:
            return "MNN gives nothing for output_shape with groups"
        return None


def _convert(graph: Path, made: Path) -> str:
    names = ["mnnconvert", "-f", "ONNX", "--modelFile", str(graph), "--MNNModel", str(made), "--bizCode", "x"]
    code = f"import sys; sys.path[:] = {sys.path!r}; from MNN.tools import mnnconvert; sys.argv = {names!r}; "
    # Its tools would install further packages by pip, unasked and into whatever environment is active.
    environment = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": ""}
    done = subprocess.run(
        [sys.executable, "-c", code + "mnnconvert.main()"], check=False, capture_output=True, env=environment, text=True
    )
    return (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:][0] if done.stderr or done.stdout else ""


def _kind(MNN: Any, dtype: np.dtype[Any]) -> Any:  # noqa: N803
    kinds = {"float32": MNN.Halide_Type_Float, "int32": MNN.Halide_Type_Int, "uint8": MNN.Halide_Type_Uint8}
    if dtype.name not in kinds:
        raise ValueError(f"MNN's sessions take no {dtype}")
    return kinds[dtype.name]


def _tensor(MNN: Any, memory: Array, shape: tuple[int, ...]) -> Any:  # noqa: N803
    return MNN.Tensor(shape, _kind(MNN, memory.dtype), memory, MNN.Tensor_DimensionType_Caffe)


def _output(MNN: Any, target: Any) -> Array:  # noqa: N803
    kinds = {
        MNN.Halide_Type_Float: np.float32, MNN.Halide_Type_Int: np.int32, MNN.Halide_Type_Uint8: np.uint8,
    }  # fmt: skip
    memory = np.empty(target.getShape(), kinds[target.getDataType()])
    held = _tensor(MNN, memory, memory.shape)
    target.copyToHostTensor(held)
    return np.array(held.getNumpyData()).reshape(memory.shape)


RUNTIMES = (Mnn(),)
