"""How further runtimes of networks do the resampling of cells: LiteRT, MNN, ncnn, JAX, and a Halide schedule."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import peers
from benchmarks.cell import Array, Cell, Way, aligned
from benchmarks.picture_libraries import UnsupportedError


def _resize(cell: Cell, *modes: str) -> str:
    mode = str(cell.keywords.get("mode", "nearest"))
    usual = not (cell.keywords.get("antialias") or cell.keywords.get("align_corners"))
    if cell.operator != "interpolate" or mode not in modes or len(cell.shape) != 4 or not usual:
        raise UnsupportedError(f"no {mode} of this kind")
    if cell.dtype != "float32":
        raise UnsupportedError("float32 only")
    return mode


def jax(cell: Cell, x: Array, y: Array) -> Way:
    """jax.image.resize, compiled; its cubic is another one."""
    import jax
    import jax.numpy

    mode = str(cell.keywords.get("mode", "nearest"))
    if cell.operator != "interpolate" or mode not in ("bilinear", "nearest") or cell.dtype != "float32":
        raise UnsupportedError(f"no {mode} of {cell.dtype}")
    antialias = bool(cell.keywords.get("antialias"))
    method = {"bilinear": "linear", "nearest": "nearest"}[mode]
    resize = jax.jit(lambda value: jax.image.resize(value, y.shape, method, antialias=antialias))
    value = jax.numpy.asarray(x)
    return Way(lambda: resize(value).block_until_ready(), None, lambda: np.asarray(resize(value)))


def ncnn(cell: Cell, x: Array, y: Array) -> Way:
    """Its Interp layer, in float32 throughout."""
    import ncnn

    mode = _resize(cell, "nearest", "bilinear", "bicubic")
    if cell.channels_last or cell.shape[0] != 1:
        raise UnsupportedError("one picture in planes")
    number = {"nearest": 1, "bilinear": 2, "bicubic": 3}[mode]
    layer = f"Interp resize 1 1 in out 0={number} 3={y.shape[2]} 4={y.shape[3]}"
    net = ncnn.Net()
    options = net.opt
    options.num_threads, options.use_vulkan_compute = peers.threads(), False
    for name in ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_storage"):
        setattr(options, name, False)
    net.opt = options
    with tempfile.TemporaryDirectory() as folder:
        text, weights = Path(folder, "net.param"), Path(folder, "net.bin")
        text.write_text(f"7767517\n2 2\nInput in 0 1 in\n{layer}\n")
        weights.write_bytes(b"")
        if net.load_param(str(text)) or net.load_model(str(weights)):
            raise UnsupportedError("the layer is refused")
    source = ncnn.Mat(x[0]).clone()

    def fresh() -> Any:
        extractor = net.create_extractor()
        extractor.input("in", source)
        return extractor.extract("out")[1]

    return Way(fresh, None, lambda: np.array(fresh())[None])


def mnn(cell: Cell, x: Array, y: Array) -> Way:
    """The exported graph, converted; `into` stays in MNN's own memory and layout."""
    import MNN

    _resize(cell, "nearest", "bilinear", "bicubic")
    if cell.channels_last:
        raise UnsupportedError("planes")
    with tempfile.TemporaryDirectory() as folder:
        graph, model = Path(folder, "graph.onnx"), Path(folder, "graph.mnn")
        graph.write_bytes(cell.model().SerializeToString())
        names = ["mnnconvert", "-f", "ONNX", "--modelFile", str(graph), "--MNNModel", str(model), "--bizCode", "x"]
        code = f"import sys; from MNN.tools import mnnconvert; sys.argv = {names!r}; mnnconvert.main()"
        # Its tools would install further packages by pip, unasked and into whatever environment is active.
        environment = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": ""}
        subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, env=environment)
        net = MNN.Interpreter(str(model))
    session = net.createSession({"numThread": peers.threads(), "backend": "CPU", "precision": "high"})
    source, target = net.getSessionInput(session), net.getSessionOutput(session)
    kind, order = MNN.Halide_Type_Float, MNN.Tensor_DimensionType_Caffe
    given = MNN.Tensor(x.shape, kind, x, order)
    source.copyFrom(given)

    def fresh() -> Any:
        source.copyFrom(given)
        net.runSession(session)
        memory = np.empty(y.shape, np.float32)
        tensor = MNN.Tensor(y.shape, kind, memory, order)
        target.copyToHostTensor(tensor)
        return memory, tensor

    def result() -> Array:
        _, tensor = fresh()
        return np.array(tensor.getNumpyData()).reshape(y.shape)

    return Way(fresh, lambda: net.runSession(session), result)


def halide(cell: Cell, x: Array, y: Array) -> Way:
    """Twice the size, bilinear, with a schedule of ours: a fair bound of what a compiler can do."""
    import halide

    _resize(cell, "bilinear")
    doubled = all(m == 2 * n for n, m in zip(x.shape[2:], y.shape[2:], strict=True))
    if cell.channels_last or cell.shape[0] != 1 or not doubled or y.shape[-1] % 32:
        raise UnsupportedError("a schedule for x2 of planes only")
    plane, row, column = halide.Var("plane"), halide.Var("row"), halide.Var("column")
    source = halide.BoundaryConditions.repeat_edge(halide.Buffer(x[0]))
    wide, out = halide.Func("wide"), halide.Func("out")

    def between(odd: Any, before: Any, here: Any, after: Any) -> Any:
        return halide.select(odd == 0, 0.25 * before + 0.75 * here, 0.75 * here + 0.25 * after)

    at = column / 2
    wide[column, row, plane] = between(
        column % 2, source[at - 1, row, plane], source[at, row, plane], source[at + 1, row, plane]
    )
    at = row / 2
    out[column, row, plane] = between(
        row % 2, wide[column, at - 1, plane], wide[column, at, plane], wide[column, at + 1, plane]
    )
    pair, half = halide.Var("pair"), halide.Var("half")
    out.bound(column, 0, y.shape[3]).bound(row, 0, y.shape[2])
    out.split(row, pair, half, 2).unroll(half).vectorize(column, 32).parallel(plane)
    wide.compute_at(out, pair).store_at(out, plane).fold_storage(row, 4).vectorize(column, 32)
    out.compile_jit(halide.get_host_target())
    target = aligned(np.zeros_like(y))
    buffer = halide.Buffer(target[0])

    def fresh() -> Array:
        made = np.empty_like(y)
        out.realize(halide.Buffer(made[0]))
        return made

    return Way(fresh, lambda: out.realize(buffer), fresh)


def litert(cell: Cell, x: Array, y: Array) -> Way:
    """LiteRT with XNNPACK, whose pictures are channels-last."""
    from ai_edge_litert.interpreter import Interpreter

    mode = _resize(cell, "nearest", "bilinear")
    if not cell.channels_last:
        raise UnsupportedError("channels-last only")
    net = Interpreter(model_content=_flat_model(mode, x.shape, y.shape), num_threads=peers.threads())
    net.allocate_tensors()
    source, target = (one[0]["index"] for one in (net.get_input_details(), net.get_output_details()))

    def fresh() -> Array:
        net.set_tensor(source, x)
        net.invoke()
        made: Array = net.get_tensor(target)
        return made

    net.set_tensor(source, x)
    return Way(fresh, net.invoke, fresh)


def _flat_model(mode: str, before: tuple[int, ...], after: tuple[int, ...]) -> bytes:
    """A model of one resize in LiteRT's file format."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    size = schema.BufferT()
    size.data = np.frombuffer(np.array(after[1:3], np.int32).tobytes(), np.uint8)
    tensors = []
    kinds = (schema.TensorType.FLOAT32, schema.TensorType.INT32, schema.TensorType.FLOAT32)
    for number, (shape, kind) in enumerate(zip((before, (2,), after), kinds, strict=True)):
        tensor = schema.TensorT()
        tensor.shape, tensor.type, tensor.name, tensor.buffer = list(shape), kind, b"%d" % number, number == 1
        tensors.append(tensor)
    bilinear = mode == "bilinear"
    options = schema.ResizeBilinearOptionsT() if bilinear else schema.ResizeNearestNeighborOptionsT()
    options.halfPixelCenters, options.alignCorners = bilinear, False
    code, operator = schema.OperatorCodeT(), schema.OperatorT()
    name = "RESIZE_BILINEAR" if bilinear else "RESIZE_NEAREST_NEIGHBOR"
    code.builtinCode = code.deprecatedBuiltinCode = getattr(schema.BuiltinOperator, name)
    code.version = 3
    operator.inputs, operator.outputs, operator.builtinOptions = [0, 1], [2], options
    kind_name = "ResizeBilinearOptions" if bilinear else "ResizeNearestNeighborOptions"
    operator.builtinOptionsType = getattr(schema.BuiltinOptions, kind_name)
    graph, model = schema.SubGraphT(), schema.ModelT()
    graph.tensors, graph.operators, graph.inputs, graph.outputs = tensors, [operator], [0], [2]
    model.version, model.operatorCodes, model.subgraphs, model.buffers = 3, [code], [graph], [schema.BufferT(), size]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
