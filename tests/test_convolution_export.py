"""Exported convolutions in onnxruntime and in the reference evaluator."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastup
import fastup.export
from fastup.export import runtimes, self_check
from fastup.export.tolerances import tolerance
from tests.cases import CONVS, STUFFED, Case, in_every_runtime

Array = np.ndarray[Any, Any]


def exported(case: Case, shape: Any, operands: dict[str, Array], **options: Any) -> Any:
    return getattr(fastup.export, case.operator)(shape, **operands, **case.keywords, **options)


def plan_of(case: Case, dtype: Any, **more: Any) -> Any:
    shapes = {"weight_shape": case.operands["weight"]} if case.operands else {}
    return getattr(fastup.plan, case.operator)(case.shape, dtype, **shapes, **case.keywords, **more)


def assert_close(case: Case, model: Any, x: Array, operands: dict[str, Array], runtime: str = "onnxruntime") -> None:
    expected, result = case.run(x, **operands), runtimes.run(runtime, model, x)
    assert (result.shape, result.dtype) == (expected.shape, expected.dtype)
    allowed = tolerance(plan_of(case, x.dtype), model, x, tuple(operands.values()))
    assert allowed.misses(result, expected) == 0, np.abs(result.astype(float) - expected.astype(float)).max()


@pytest.mark.quick
@pytest.mark.parametrize("case", CONVS, ids=str)
@pytest.mark.parametrize(
    ("lowering", "dtype", "opset"),
    [
        ("native", "float32", 18),
        ("native", "float16", 11),
        ("auto", "float64", 13),
        ("portable", "float32", 20),
        ("auto", "float32", 21),
    ],
)
def test_every_form_in_onnxruntime(case: Case, lowering: str, dtype: str, opset: int) -> None:
    operands = case.arrays(dtype)
    model = exported(case, case.shape, operands, lowering=lowering, opset=opset)
    assert_close(case, model, case.input(dtype), operands)


@pytest.mark.parametrize("case", CONVS, ids=str)
@pytest.mark.parametrize("lowering", ["native", "portable"])
def test_reference_evaluator(case: Case, lowering: str) -> None:
    """Groups of a transposed convolution are its known difference; the portable form has none."""
    operands = case.arrays()
    model = exported(case, case.shape, operands, lowering=lowering)
    if not runtimes.RUNTIMES["reference"].can_judge(model):
        with pytest.raises((AssertionError, ValueError)):
            assert_close(case, model, case.input(), operands, "reference")
    else:
        assert_close(case, model, case.input(), operands, "reference")


@pytest.mark.quick
@pytest.mark.parametrize("case", CONVS, ids=str)
def test_symbolic_batch_and_space(case: Case) -> None:
    """One graph serves other sizes; channels are a number."""
    operands = case.arrays()
    last = case.keywords.get("data_format") == "channels_last"
    channel = len(case.shape) - 1 if last else 1
    names = tuple(n if axis == channel else f"d{axis}" for axis, n in enumerate(case.shape))
    model = exported(case, names, operands)
    assert_close(case, model, case.input(), operands)
    grown = Case(
        case.operator,
        tuple(n if axis == channel else n + 3 for axis, n in enumerate(case.shape)),
        case.keywords,
        operands=case.operands,
    )
    assert_close(grown, model, grown.input(), operands)


@pytest.mark.parametrize("case", [case for case in CONVS if case.operator.startswith("subpixel")], ids=str)
def test_sub_pixel_as_transposed_convolution(case: Case) -> None:
    operands = {"weight": case.arrays()["weight"]}
    model = exported(case, case.shape, operands, subpixel="conv_transpose")
    assert "ConvTranspose" in [node.op_type for node in model.graph.node]
    assert_close(case, model, case.input(), operands)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", ("leaky_relu", 0.3), "tanh", "sigmoid", "prelu"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_activations(activation: Any, dtype: str, generator: np.random.Generator) -> None:
    x, w = generator.standard_normal((1, 3, 9)).astype(dtype), generator.standard_normal((4, 3, 3)).astype(dtype)
    if activation == "prelu":
        activation = ("prelu", generator.standard_normal(4).astype(dtype))
    model = fastup.export.conv1d(x.shape, w, activation=activation)
    expected = fastup.conv1d(x, w, activation=activation)
    np.testing.assert_allclose(runtimes.run("onnxruntime", model, x), expected, rtol=1e-5, atol=1e-6)


def test_a_plan_brings_its_arguments(generator: np.random.Generator) -> None:
    w = generator.standard_normal((3, 2, 4, 4), np.float32)
    plan = fastup.plan.conv_transpose2d((1, 3, 5, 6), "float32", w.shape, stride=2, padding=1)
    model = fastup.export.conv_transpose2d(plan, w, verify=True)
    assert [node.op_type for node in model.graph.node] == ["ConvTranspose"]
    packed = fastup.export.conv_transpose2d(plan, fastup.pack_weight(w))
    assert packed.SerializeToString() == model.SerializeToString()


def test_verification_finds_another_weight(generator: np.random.Generator) -> None:
    w = generator.standard_normal((3, 2, 4, 4), np.float32)
    plan = fastup.plan.conv_transpose2d((1, 3, 5, 6), "float32", w.shape, stride=2, padding=1)
    model = fastup.export.conv_transpose2d(plan, w)
    w[0, 0, 0, 0] += 1e-3
    with pytest.raises(fastup.export.VerificationError, match=r"^conv_transpose2d: onnxruntime differs from fastup in"):
        self_check.compare(model, plan, operands=(w,))


@pytest.mark.parametrize("case", STUFFED, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint8", "bool"])
def test_zero_stuff(case: Case, dtype: str) -> None:
    x = case.input(dtype)
    for shape in (case.shape, tuple(f"d{axis}" for axis in range(len(case.shape)))):
        model = exported(case, shape, {}, dtype=dtype)
        for _, result in in_every_runtime(model, x, settings=False):
            assert result.dtype == x.dtype
            np.testing.assert_array_equal(result, case.run(x))
