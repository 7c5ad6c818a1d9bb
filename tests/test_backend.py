"""ONNX's own backend tests, each of which a fastup operator must compute, and what they leave out."""

from __future__ import annotations

import functools
import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper
from onnx.backend.test import BackendTest

from fastup.export import backend, runtimes

Array = np.ndarray[Any, Any]
NODES = re.compile(
    r"test_(resize_|upsample_nearest_cpu|depthtospace_|spacetodepth|convtranspose|(basic_)?conv_with|maxpool_|maxunpool_)"
)
MODELS = re.compile(
    r"test_(Conv[123]d|ConvTranspose2d|MaxPool[123]d|PixelShuffle|operator_(conv|convtranspose|maxpool)_)"
)
# These spell their operator out in Reshape and Transpose, so that no node of ours is in them.
NOT_OURS = re.compile(r"test_(depthtospace|spacetodepth).*_expanded_cpu|test_PixelShuffle_cpu")


def _collected() -> dict[str, Callable[[], None]]:
    """Every test of these operators that the installed onnx has."""
    found: dict[str, Callable[[], None]] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # onnx makes all its cases here, some with overflows
        cases = BackendTest(backend.FastupBackend, __name__).test_cases
    for case in cases.values():
        wanted = MODELS if "Model" in case.__name__ and "Node" not in case.__name__ else NODES
        for name in dir(case):
            if wanted.match(name) and name.endswith("_cpu"):
                found[name] = functools.partial(getattr(case, name), case(name))
    return found


TESTS = _collected()


@pytest.mark.parametrize("name", sorted(TESTS))
@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::DeprecationWarning")
def test_of_onnx(name: str) -> None:
    before = backend.calls.total()
    TESTS[name]()
    assert (backend.calls.total() > before) != bool(NOT_OURS.fullmatch(name)), "who computed this?"


def test_none_of_them_is_missing() -> None:
    """90 node tests and 40 model tests in onnx 1.23; fewer mean that a name has changed."""
    models = sum(1 for name in TESTS if MODELS.match(name))
    assert len(TESTS) - models >= 80
    assert models >= 38


def _node(op: str, inputs: list[Array | None], follow: str = "onnx", opset: int = 19, **attributes: Any) -> Array:
    names = [f"i{k}" if one is not None else "" for k, one in enumerate(inputs)]
    node = helper.make_node(op, names, ["y"], **attributes)
    given = [one for one in inputs if one is not None]
    (y,) = backend.run_node(node, given, follow=follow, opset=opset)
    return np.asarray(y)


@pytest.mark.quick
def test_the_switch_on_fractional_lengths() -> None:
    """Two of three columns with scales of 0.6: ONNX counts 2.4 positions, runtimes and torch 2."""
    x = np.arange(4, dtype=np.float32).reshape(1, 1, 1, 4)
    scales = np.array([1, 1, 1, 0.6], np.float32)
    given: dict[str, Any] = {"mode": "linear", "coordinate_transformation_mode": "align_corners"}
    np.testing.assert_allclose(_node("Resize", [x, None, scales], **given).ravel(), [0, 3 / 1.4], rtol=1e-6)
    np.testing.assert_allclose(_node("Resize", [x, None, scales], "runtimes", **given).ravel(), [0, 3], rtol=1e-6)


@pytest.mark.quick
def test_the_switch_on_unpooling() -> None:
    """Index 5 in a 4 x 4 plane is (1, 1); in one of 5 x 5 it is (1, 0)."""
    x, indices = np.ones((1, 1, 2, 2), np.float32), np.array([[[[5, 7], [13, 15]]]], np.int64)
    given: dict[str, Any] = {"kernel_shape": [2, 2], "strides": [2, 2]}
    shape = np.array([1, 1, 5, 5], np.int64)
    found = {follow: _node("MaxUnpool", [x, indices, shape], follow, **given)[0, 0] for follow in ("onnx", "runtimes")}
    assert np.argwhere(found["onnx"]).tolist() == [[1, 1], [1, 3], [3, 1], [3, 3]]
    assert np.argwhere(found["runtimes"]).tolist() == [[1, 0], [1, 2], [2, 3], [3, 0]]


@pytest.mark.quick
@pytest.mark.parametrize("coordinates", ["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"])
@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "uint8", "int8", "int64"])
def test_sizes_in_the_reference(coordinates: str, mode: str, dtype: str, generator: np.random.Generator) -> None:
    """Every dtype, axes in any order, more than three of them."""
    x = generator.integers(-100 if dtype[0] != "u" else 0, 100, (2, 3, 4, 5)).astype(dtype)
    sizes, axes = np.array([7, 3, 3, 4], np.int64), [3, 0, 2, 1]
    given: dict[str, Any] = {"mode": mode, "coordinate_transformation_mode": coordinates, "axes": axes}
    exact = x if x.dtype.kind == "f" else x.astype(np.float64)  # older references cut integers off
    expected = _in_reference("Resize", [exact, None, None, sizes], **given)
    if x.dtype.kind != "f":
        limits = np.iinfo(x.dtype)
        expected = np.clip(np.rint(expected), limits.min, limits.max).astype(x.dtype)
    found = _node("Resize", [x, None, None, sizes], **given)
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    away = np.abs(found.astype(np.float64) - expected.astype(np.float64))
    if x.dtype.kind == "f":  # the reference weighs cubic taps in float32, whatever the dtype
        double = 1e-11 if mode != "cubic" else 2e-4
        allowed = {"float64": double, "float32": 2e-4, "float16": 0.2}
        assert away.max() <= allowed[dtype]
    else:  # halves are rounded by the last bit of a sum, which is made in another order
        assert away.max() <= 1
        assert np.count_nonzero(away) <= 0.03 * away.size


def _in_reference(op: str, inputs: list[Array | None], **attributes: Any) -> Array:
    names = [f"i{k}" if one is not None else "" for k, one in enumerate(inputs)]
    node = helper.make_node(op, names, ["y"], **attributes)
    given: dict[str, Any] = {name: one for name, one in zip(names, inputs, strict=True) if name}
    values = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(one.dtype), None)
        for name, one in given.items()
        if one is not None
    ]
    graph = helper.make_graph([node], "g", values, [helper.make_empty_tensor_value_info("y")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)])
    return np.asarray(runtimes.run("reference", model, *given.values()))


@pytest.mark.quick
def test_upsample_of_opset_7_and_9() -> None:
    x = np.arange(4, dtype=np.float32).reshape(1, 1, 2, 2)
    expected = x.repeat(2, 2).repeat(3, 3)
    np.testing.assert_array_equal(_node("Upsample", [x], opset=7, scales=[1.0, 1.0, 2.0, 3.0]), expected)
    np.testing.assert_array_equal(_node("Upsample", [x, np.array([1, 1, 2, 3], np.float32)], opset=9), expected)
    np.testing.assert_array_equal(_node("Resize", [x, np.array([1, 1, 2, 3], np.float32)], opset=10), expected)


@pytest.mark.parametrize("storage_order", [0, 1])
def test_positions_when_all_values_are_lowest(storage_order: int) -> None:
    """Padding must not win against items that are as low: the first item of each window does."""
    x = np.full((1, 2, 3, 3), -128, np.int8)
    node = helper.make_node(
        "MaxPool",
        ["x"],
        ["y", "i"],
        kernel_shape=[2, 2],
        strides=[2, 2],
        pads=[1, 1, 0, 0],
        storage_order=storage_order,
    )
    y, places = backend.run_node(node, [x], opset=12)
    assert (y == -128).all()
    rows, columns = ([[0, 0], [1, 1]], [[0, 1], [0, 1]]) if not storage_order else ([[0, 1], [0, 1]], [[0, 0], [1, 1]])
    first = np.array(rows) * 3 + np.array(columns)
    np.testing.assert_array_equal(places, np.stack([first, first + 9])[None])


@pytest.mark.quick
def test_a_wrong_attribute_is_named() -> None:
    x = np.zeros((1, 1, 2, 2), np.float32)
    with pytest.raises(ValueError, match="follow must be one of onnx, runtimes, got 'torch'"):
        _node("DepthToSpace", [np.zeros((1, 4, 1, 1), np.float32)], "torch", blocksize=2)
    sizes = np.array([1, 1, 4, 4], np.int64)
    with pytest.raises(ValueError, match=r"Resize: coordinate_transformation_mode must be one of .* got 'corner'"):
        _node("Resize", [x, None, None, sizes], coordinate_transformation_mode="corner")
    with pytest.raises(ValueError, match="device must be CPU"):
        backend.prepare(helper.make_model(helper.make_graph([], "g", [], [])), "CUDA")


def test_inputs_by_name_and_without_initial_values() -> None:
    w = onnx.numpy_helper.from_array(np.ones((1, 1, 2, 2), np.float32), "w")
    values = [helper.make_tensor_value_info(name, 1, ["a", "b", "c", "d"]) for name in ("x", "w")]
    graph = helper.make_graph(
        [helper.make_node("ConvTranspose", ["x", "w"], ["y"], strides=[2, 2])],
        "g", values, [helper.make_tensor_value_info("y", 1, ["a", "b", "e", "f"])], [w],
    )  # fmt: skip
    rep = backend.prepare(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6))
    x = np.array([[[[1, 2]]]], np.float32)
    for given in ([x], {"x": x}, [x, np.ones((1, 1, 2, 2), np.float32)]):
        np.testing.assert_array_equal(rep.run(given)[0], [[[[1, 1, 2, 2], [1, 1, 2, 2]]]])
    with pytest.raises(ValueError, match=r"inputs must be 1 arrays \(x\)"):
        rep.run([])
