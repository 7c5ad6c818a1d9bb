"""Which operators a mode is written in, what is refused and why, and what runtimes are known to do otherwise."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest

import fastup
import fastup.export
from fastup.export import UnsupportedExport, runtimes, self_check

Array = np.ndarray[Any, Any]
IMAGE = (1, 2, 6, 8)


def export(shape: Any = IMAGE, **keywords: Any) -> onnx.ModelProto:
    return fastup.export.interpolate(shape, **keywords)


def nodes(model: onnx.ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]


def results(shape: Any, dtype: str, **keywords: Any) -> tuple[Array, Array, Array]:
    """A native graph in onnxruntime and in the reference evaluator, and fastup's result."""
    model = export(shape, dtype=dtype, lowering="native", **keywords)
    x = self_check.sample(shape, np.dtype(dtype))
    return runtimes.run("onnxruntime", model, x), runtimes.run("reference", model, x), fastup.interpolate(x, **keywords)


@pytest.mark.parametrize(
    ("mode", "options", "expected"),
    [
        ("bilinear", {}, {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}),
        ("bilinear", {"align_corners": True}, {"mode": "linear", "coordinate_transformation_mode": "align_corners"}),
        (
            "bilinear",
            {"antialias": True},
            {
                "mode": "linear",
                "coordinate_transformation_mode": "half_pixel",
                "antialias": 1,
                "exclude_outside": 1,
            },
        ),
        (
            "bicubic",
            {"align_corners": True},
            {"mode": "cubic", "coordinate_transformation_mode": "align_corners", "cubic_coeff_a": -0.75},
        ),
        (
            "bicubic",
            {"antialias": True},
            {
                "mode": "cubic",
                "coordinate_transformation_mode": "half_pixel",
                "cubic_coeff_a": -0.5,
                "antialias": 1,
                "exclude_outside": 1,
            },
        ),
    ],
)
def test_attributes_of_resize(mode: str, options: dict[str, Any], expected: dict[str, Any]) -> None:
    (node,) = export(size=(9, 7), mode=mode, **options).graph.node
    found = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    assert {name: v.decode() if isinstance(v, bytes) else v for name, v in found.items()} == expected


@pytest.mark.quick
@pytest.mark.parametrize(
    ("keywords", "expected"),
    [
        ({"size": (9, 7), "mode": "bilinear"}, ["Resize"]),
        ({"size": (9, 7), "mode": "bilinear", "dtype": "float16"}, ["Resize"]),
        ({"size": (9, 7), "mode": "bilinear", "dtype": "bfloat16"}, ["Cast", "Resize", "Cast"]),
        ({"size": (9, 7), "mode": "bilinear", "dtype": "int16"}, ["Cast", "Resize", "Round", "Clip", "Cast"]),
        ({"size": (6, 7), "mode": "bilinear", "dtype": "float64"}, ["Gather", "Mul"] * 2 + ["Add"]),
        ({"size": (6, 8), "mode": "bilinear", "dtype": "float64"}, ["Identity"]),
        ({"size": (3, 4), "mode": "area"}, ["AveragePool"]),
        ({"size": (12, 24), "mode": "area"}, ["Resize"]),
        ({"size": (12, 2), "mode": "area"}, ["Resize", "AveragePool"]),
        ({"size": (12, 24), "mode": "area", "dtype": "int64"}, ["Gather", "Gather"]),
        ({"shape": (1, 1, 40), "size": 3, "mode": "area"}, ["MatMul"]),
        ({"shape": (1, 1, 40), "size": 3, "mode": "lanczos", "antialias": True}, ["MatMul"]),
        ({"shape": (1, 1, 40, 8), "size": (3, 8), "mode": "area"}, ["MatMul"]),
        ({"shape": (1, 1, 40, 2, 2), "size": (3, 2, 2), "mode": "area"}, ["Transpose", "MatMul", "Transpose"]),
        (
            {"shape": (1, 1, 9), "size": 20, "mode": "linear", "antialias": True, "align_corners": True},
            ["Gather", "Mul"] * 2 + ["Add"],
        ),
        ({"shape": (1, 1, 9), "size": 20, "mode": "cubic"}, ["Unsqueeze", "Resize", "Squeeze"]),
        ({"shape": ("N", 1, "L"), "size": 20, "mode": "cubic"}, ["Unsqueeze", "Resize", "Squeeze"]),
        ({"shape": (1, 9, 8, 2), "size": (18, 8), "mode": "bilinear", "data_format": "channels_last"}, ["Resize"]),
        ({"size": (12, 9), "mode": ("nearest", "linear")}, ["Resize", "Resize"]),
        ({"scale_factor": (1.0, 1.05), "mode": "bilinear"}, ["Resize"]),
        ({"shape": ("N", "C", "H", "W"), "scale_factor": 2.5, "mode": "bicubic"}, ["Resize"]),
    ],
    ids=str,
)
def test_auto_writes_what_a_reader_expects(keywords: dict[str, Any], expected: list[str]) -> None:
    found = nodes(export(**keywords))
    assert sorted(found) == sorted(expected)


def test_same_size_is_no_scale() -> None:
    """A factor that leaves an axis as it is would move every sample of a runtime: torch ignores it, and `sizes` do."""
    model = export(scale_factor=(1.1, 1.7), mode="bilinear")
    (scales,) = [onnx.numpy_helper.to_array(constant) for constant in model.graph.initializer]
    assert scales[:3].tolist() == [1, 1, 1]
    assert float(scales[3]) == pytest.approx(1.7)
    model = export(scale_factor=2, mode="bilinear")
    (sizes,) = [onnx.numpy_helper.to_array(constant) for constant in model.graph.initializer]
    assert sizes.tolist() == [1, 2, 12, 16]


NATIVE, PORTABLE = "lowering='native'", "lowering='portable' exports this call"
KNOWN, OTHERS = "known spatial sizes export this call", ", and lowering='native' writes it for other runtimes"
SYMBOLIC = ("N", 2, "H", "W")
WINDOWS = "ONNX has no average over windows of unequal size, as area from"
LARGE = "Resize cannot antialias with align_corners=True; lowering='portable' exports this call with tables of 2 MB"
REFUSALS: list[tuple[dict[str, Any], str]] = [
    ({"size": 9, "mode": "lanczos", "lowering": "native"}, f"ONNX has no lanczos; {PORTABLE}"),
    ({"size": 4, "mode": "area", "lowering": "native"}, f"{WINDOWS} 6 to 4 needs; {PORTABLE}"),
    (
        {"size": 4, "mode": "bilinear", "antialias": True, "align_corners": True, "lowering": "native"},
        f"Resize cannot antialias with align_corners=True; {PORTABLE}",
    ),
    (
        {"size": 4, "mode": "bilinear", "antialias": True, "opset": 17, "lowering": "native"},
        f"Resize needs opset 18 for antialias, got 17; {PORTABLE}",
    ),
    (
        {"scale_factor": 1.09, "mode": "bilinear", "rounding": "ceil", "lowering": "native"},
        f"{NATIVE} has no scale that turns 6 into 7; {PORTABLE}",
    ),
    (
        {"shape": SYMBOLIC, "scale_factor": 1.7, "mode": "bilinear", "rounding": "ceil"},
        f"{NATIVE} takes the floor of symbolic sizes, not rounding='ceil'; {KNOWN}",
    ),
    ({"shape": SYMBOLIC, "size": 9, "mode": "lanczos"}, f"ONNX has no lanczos; {KNOWN}"),
    ({"shape": SYMBOLIC, "size": 9, "mode": "area"}, f"{WINDOWS} H to 9 needs; {KNOWN}"),
    (
        {"shape": SYMBOLIC, "size": 9, "mode": "bilinear", "lowering": "portable"},
        f"tables of mode 'bilinear' need known spatial sizes, got 'H'; {NATIVE} exports this call",
    ),
    (
        {"shape": SYMBOLIC, "size": 9, "mode": "lanczos", "lowering": "portable"},
        f"tables of mode 'lanczos' need known spatial sizes, got 'H'; {KNOWN}",
    ),
    (
        {"shape": SYMBOLIC, "size": 9, "mode": "bilinear", "dtype": "float64"},
        f"onnxruntime has no Resize in float64, as dtype float64 needs; {KNOWN}{OTHERS}",
    ),
    (
        {"shape": (*SYMBOLIC, "D"), "size": 9, "mode": "cubic"},
        f"onnxruntime has no cubic Resize of volumes; {KNOWN}{OTHERS}",
    ),
    (
        {"shape": SYMBOLIC, "size": 9, "mode": "bicubic", "data_format": "channels_last"},
        f"onnxruntime has no cubic Resize that shrinks channels-last pictures; {KNOWN}{OTHERS}",
    ),
    (
        {"shape": SYMBOLIC, "scale_factor": 1.3, "mode": "bicubic"},
        f"onnxruntime copies where a cubic Resize keeps every size, whatever the scale factor; {KNOWN}{OTHERS}",
    ),
    (
        {"shape": SYMBOLIC, "size": 9, "mode": ("nearest", "linear")},
        f"a native nearest takes other pixels unless the factor is whole; {KNOWN}{OTHERS}",
    ),
    (
        {"shape": SYMBOLIC, "scale_factor": 2, "mode": "bilinear", "window": (slice(1, 3), slice(None))},
        "window needs known output sizes; size, or known spatial sizes, export this call",
    ),
    (
        {"shape": (1, 1, 4000), "size": 100, "mode": "linear", "antialias": True, "align_corners": True},
        LARGE,
    ),
    (
        {"shape": (1, 1, 70_000), "size": 70_001, "mode": "linear", "dtype": "float64"},
        f"onnxruntime has no Resize in float64, as dtype float64 needs; {PORTABLE} with tables of 3 MB{OTHERS}",
    ),
]


@pytest.mark.quick
@pytest.mark.parametrize(("keywords", "message"), REFUSALS, ids=[message[:70] for _, message in REFUSALS])
def test_refusal(keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(UnsupportedExport) as caught:
        export(**keywords)
    assert str(caught.value) == f"interpolate: {message}"


def test_what_a_refusal_suggests_works() -> None:
    large = {"size": 100, "mode": "linear", "antialias": True, "align_corners": True, "lowering": "portable"}
    assert nodes(export((1, 1, 4000), verify=True, **large)) == ["MatMul"]
    assert nodes(export(SYMBOLIC, size=9, mode="bilinear", dtype="float64", lowering="native")) == ["Resize"]
    with pytest.raises(UnsupportedExport, match=r"^export: dtype bfloat16 needs opset 13, got 12$"):
        export(size=9, dtype="bfloat16", opset=12)
    assert nodes(export(size=9, mode="bilinear", dtype="bfloat16", opset=13, verify=True))


# What follows are differences of the runtimes that `auto` avoids; one that is mended is noticed here.


def test_onnxruntime_copies_a_cubic_that_keeps_every_size() -> None:
    ort, reference, expected = results(IMAGE, "float32", scale_factor=(1.1, 1.05), mode="bicubic")
    assert np.abs(ort - expected).max() > 0.1
    assert np.abs(reference - expected).max() < 1e-5


@pytest.mark.parametrize(
    ("shape", "dtype", "keywords", "message"),
    [
        ((1, 1, 3, 4, 5), "float32", {"size": (6, 8, 9), "mode": "cubic"}, "'Cubic' mode only supports"),
        (IMAGE, "float64", {"size": (9, 9), "mode": "bilinear"}, "Could not find an implementation for Resize"),
        (IMAGE, "int64", {"size": (9, 9), "mode": "bilinear"}, "Could not find an implementation for Resize"),
        (
            (1, 6, 8, 2),
            "float32",
            {"size": (3, 9), "mode": "bicubic", "data_format": "channels_last"},
            "'Cubic' mode only supports",
        ),
    ],
)
def test_onnxruntime_has_no_kernel(shape: Any, dtype: str, keywords: dict[str, Any], message: str) -> None:
    model = export(shape, dtype=dtype, lowering="native", **keywords)
    x = self_check.sample(shape, np.dtype(dtype))
    with pytest.raises(Exception, match=message):
        runtimes.run("onnxruntime", model, x)
    found = runtimes.run("reference", model, x).astype(np.float64)
    expected = fastup.interpolate(x, **keywords).astype(np.float64)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_native_pictures_of_uint8_round_other_sums() -> None:
    shape, keywords = (1, 3, 43, 31), {"scale_factor": 1.7, "mode": "bilinear"}
    for found in results(shape, "uint8", **keywords)[:2]:
        away = np.abs(found.astype(int) - results(shape, "uint8", **keywords)[2])
        assert 1 <= away.max() <= 2
        assert 0 < np.count_nonzero(away) <= 0.15 * away.size


@pytest.mark.parametrize("size", [64, 100, 127])
def test_native_floats_differ_by_coordinates_in_float32(size: int) -> None:
    """The portable form is within an ulp or two of fastup at every length; a native Resize is off by eps times L."""
    shape: tuple[int, ...] = (1, 1, 3 * size)
    keywords: dict[str, Any] = {"size": 7 * size + 1, "mode": "linear"}
    expected = fastup.interpolate(self_check.sample(shape, np.dtype("f4")), **keywords)
    ort = results(shape, "float32", **keywords)[0]
    portable = runtimes.run(
        "onnxruntime", export(shape, lowering="portable", **keywords), self_check.sample(shape, np.dtype("f4"))
    )
    assert np.abs(portable - expected).max() <= 4.8e-7 < np.abs(ort - expected).max() < 2 * 2.0**-23 * 3 * size * 8
