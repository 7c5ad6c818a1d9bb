"""ncnn in float32, by pnnx's converter; it has no batch axis."""

from __future__ import annotations

import importlib.util
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from fastup.export.runtimes.runtime import Array, Node, Runtime, Session, set_attributes

_LOW = ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_storage", "use_vulkan_compute")


class Ncnn(Runtime):
    """A converted net."""

    name, package = "ncnn", "ncnn"
    decides = timed = False

    def is_installed(self) -> bool:
        """Whether it and its converter are here."""
        return super().is_installed() and importlib.util.find_spec("pnnx") is not None

    def prepare(self, model: onnx.ModelProto, threads: int | None = None) -> Session:
        """The net."""
        shapes = [[dim.dim_value for dim in one.type.tensor_type.shape.dim] for one in model.graph.input]
        if any(one.type.tensor_type.elem_type != onnx.TensorProto.FLOAT for one in model.graph.input):
            raise ValueError("ncnn is asked for float32 only")
        if any(shape[:1] != [1] for shape in shapes):
            raise ValueError("ncnn has no batch axis")
        net = _net(model, shapes, threads)

        def run(inputs: list[Array]) -> list[Array]:
            import ncnn

            extractor = net.create_extractor()
            for k, value in enumerate(inputs):
                extractor.input(f"in{k}", ncnn.Mat(np.ascontiguousarray(value[0])).clone())
            return [np.array(extractor.extract(f"out{k}")[1])[None] for k in range(len(model.graph.output))]

        return Session(run)

    def left_out(self, node: Node) -> Sequence[str]:
        """Antialiasing; linear and cubic are at half pixels or aligned, nearest is asymmetric with floor."""
        if node.op_type != "Resize":
            return ()
        names = set_attributes(node, "antialias", "exclude_outside")
        rule, nearest = node.attributes.get("coordinate_transformation_mode", "half_pixel"), node.attributes.get("mode")
        if nearest in (None, "nearest"):
            return [*names, rule] if rule != "asymmetric" else names
        return [*names, rule] if rule == "asymmetric" else names


def _net(model: onnx.ModelProto, shapes: list[list[int]], threads: int | None) -> Any:
    import ncnn

    net = ncnn.Net()
    options = net.opt
    for name in _LOW:
        setattr(options, name, False)
    if threads:
        options.num_threads = threads
    net.opt = options
    with tempfile.TemporaryDirectory() as folder:
        graph, text, weights = (Path(folder, f"graph.{end}") for end in ("onnx", "ncnn.param", "ncnn.bin"))
        graph.write_bytes(model.SerializeToString())
        given = ",".join(str(shape).replace(" ", "") + "f32" for shape in shapes)
        command = [str(_converter()), graph.name, f"inputshape={given}", "fp16=0", "optlevel=2"]
        done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
        if not text.is_file() or net.load_param(str(text)) or net.load_model(str(weights)):
            said = (done.stderr.strip() or done.stdout.strip()).splitlines()
            raise ValueError(f"pnnx refuses: {said[-1] if said else done.returncode}")
    return net


def _converter() -> Path:
    """The program in pnnx's wheel; importing pnnx would import torch."""
    found = importlib.util.find_spec("pnnx")
    assert found is not None
    assert found.origin is not None
    folder = Path(found.origin).parent
    return next(file for file in (folder / "pnnx", folder / "pnnx.exe") if file.is_file())


RUNTIMES = (Ncnn(),)
