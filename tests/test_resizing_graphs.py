"""Graphs of every convention: the same numbers in onnxruntime, B-splines and their Gaussians as matrices."""

from __future__ import annotations

import re

import numpy as np
import pytest

import fastup
import fastup.export
from fastup.export import UnsupportedExport
from tests.cases import in_every_runtime

LIBRARIES = sorted({one.name.partition("/")[0] for one in fastup.conventions()} - {"torch", "onnx"})


@pytest.mark.quick
@pytest.mark.parametrize("library", LIBRARIES)
def test_every_convention_has_a_graph(library: str, generator: np.random.Generator) -> None:
    """Verified as they are exported, one dtype after the other; up in one axis and down in the other."""
    rows = [one for one in fastup.conventions() if one.name.startswith(f"{library}/")]
    for number, one in enumerate(rows):
        dtype = one.dtypes[number % len(one.dtypes)]
        if (library, dtype) == ("pillow-11", "uint16") or dtype == "uint64":  # which onnxruntime has no Where of
            dtype = "uint8"
        height, width, h, w = (int(extent) for extent in generator.integers(3, 40, 4))
        fastup.export.resize((height, width, 1 + number % 4), (h, w), like=one.name, dtype=dtype, verify=True)


@pytest.mark.quick
@pytest.mark.parametrize("like", ["scipy/0-constant", "scipy/1-grid-constant-grid", "skimage/1-no_anti_aliasing"])
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_splines_without_a_filter_keep_every_bit(like: str, dtype: str, generator: np.random.Generator) -> None:
    """And a NaN stays where it is."""
    x = (generator.random((2, 13, 17, 3)) * 255).astype(dtype)
    if dtype != "uint8" and like.startswith("scipy"):
        x[0, 3, 4, 1] = np.nan
    model = fastup.export.resize(("N", 13, 17, 3), (20, 9), like=like, axes=(1, 2), dtype=dtype, verify=False)
    for name, result in in_every_runtime(model, x):
        np.testing.assert_array_equal(result, fastup.resize(x, (20, 9), like=like, axes=(1, 2)), err_msg=name)


@pytest.mark.quick
@pytest.mark.parametrize("rounding", ["half even", "half away", "half up", "toward zero"])
def test_roundings_of_ones_own(rounding: str, generator: np.random.Generator) -> None:
    x = generator.integers(-100, 100, (11, 9, 2)).astype(np.int16)
    own = fastup.Convention(filter="linear", arithmetic="float64", rounding=rounding)
    model = fastup.export.resize(x.shape, (22, 18), like=own, dtype="int16")
    for name, result in in_every_runtime(model, x):
        np.testing.assert_array_equal(result, fastup.resize(x, (22, 18), like=own), err_msg=name)


@pytest.mark.quick
def test_integers_of_64_bits_saturate() -> None:
    """The largest is no float."""
    x = np.full((4, 5, 1), 2**63 - 1, np.int64)
    x[:2] = -(2**63)
    model = fastup.export.resize(x.shape, (7, 3), like="keras/bilinear", dtype="int64")
    for name, result in in_every_runtime(model, x):
        np.testing.assert_array_equal(result, fastup.resize(x, (7, 3), like="keras/bilinear"), err_msg=name)


@pytest.mark.quick
def test_matrices_that_are_too_large() -> None:
    with pytest.raises(UnsupportedExport, match=re.escape("an axis of 9000 pixels to 5000 must be shorter")):
        fastup.export.resize((4, 9000, 1), (4, 5000), like="scipy/3-mirror", verify=False)
