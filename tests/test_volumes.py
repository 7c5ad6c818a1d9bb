"""Volumes by ITK's rules: three axes, their windows, chunks and graphs."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import fastup
import fastup.export
from fastup.export import UnsupportedExport
from tests.cases import in_every_runtime
from tests.library_calls import LibraryCall, digest, itk, numbers

Array = np.ndarray[Any, Any]
METHODS = ("nearest", "linear", "bspline")
# Of `call_of` by SimpleITK 2.5.7.
STORED = {"nearest": "04032fe9b8aaff4b", "linear": "9f6cf75f180b30c0"}


def call_of(method: str, seed: int) -> LibraryCall:
    """A volume of lines, and its new size."""
    generator = np.random.default_rng(seed)
    shape, size = (tuple(int(one) for one in generator.integers(3, 24, 3)) for _ in range(2))
    dtype = (np.float32, np.int16, np.uint8, np.float64)[seed % 4]
    return LibraryCall(numbers(generator, (*shape, 1 + seed % 2), dtype), size, method)


def ours(call: LibraryCall) -> Array:
    return fastup.resize(call.picture, call.size, like=f"itk/{call.method}", axes=(0, 1, 2))


@pytest.mark.peers
@pytest.mark.parametrize("method", METHODS)
def test_equals_what_is_installed(method: str) -> None:
    pytest.importorskip("SimpleITK")
    apart, total = 0, 0
    for seed in range(40):
        call = call_of(method, seed)
        made, wanted = ours(call), itk(call)
        assert made.dtype == wanted.dtype
        if method != "bspline":
            np.testing.assert_array_equal(made, wanted, err_msg=str(call))
        elif made.dtype.kind == "f":
            span = float(np.ptp(call.picture))
            np.testing.assert_allclose(made, wanted, rtol=0, atol=1e-6 * span, err_msg=str(call))
        else:  # whole numbers that ITK meets from below lose one
            apart, total = apart + int(np.count_nonzero(made != wanted)), total + made.size
            assert np.abs(made.astype(int) - wanted).max() <= 1
    assert apart <= 5e-3 * total


@pytest.mark.quick
@pytest.mark.parametrize("method", STORED)
def test_stored_bits(method: str) -> None:
    """What SimpleITK gave where the digests were made."""
    made = [ours(call_of(method, seed)) for seed in range(8)]
    assert digest(np.array([digest(one) for one in made])) == STORED[method]


@pytest.mark.quick
@pytest.mark.parametrize("method", METHODS)
def test_axes_windows_and_batches(method: str, generator: np.random.Generator) -> None:
    """Any three axes; a batch is volumes one by one; a window is a part of the whole, and so is a tile."""
    x = generator.integers(0, 256, (2, 9, 8, 7, 3), np.uint8)
    like, size = f"itk/{method}", (5, 11, 9)
    whole = fastup.resize(x, size, like=like, axes=(1, 2, 3))
    for number, one in enumerate(x):
        np.testing.assert_array_equal(fastup.resize(one, size, like=like, axes=(0, 1, 2)), whole[number])
    moved = fastup.resize(np.moveaxis(x, 1, 4), size, like=like, axes=(4, 1, 2))
    np.testing.assert_array_equal(moved, np.moveaxis(whole, 1, 4))
    window = (slice(1, 4), slice(2, 9), slice(0, 5))
    part = whole[(slice(None), *window)]
    np.testing.assert_array_equal(fastup.resize(x, size, like=like, axes=(1, 2, 3), window=window), part)
    plan = fastup.plan.resize(x.shape, "uint8", size, like=like, axes=(1, 2, 3))
    held = x[(slice(None), *plan.input_window(window))]
    np.testing.assert_array_equal(fastup.run(plan.tile(window), held), part)
    assert fastup.plan.resize(x.shape, "uint8", scale_factor=2, like=like, axes=(1, 2, 3)).output_shape[1:4] == (
        18,
        16,
        14,
    )


@pytest.mark.quick
def test_lazy_volumes(generator: np.random.Generator) -> None:
    array = pytest.importorskip("dask.array")
    x = generator.standard_normal((9, 8, 7)).astype(np.float32)
    whole = fastup.resize(x, (5, 11, 9), like="itk/linear", axes=(0, 1, 2))
    lazy: Any = fastup.resize(array.from_array(x, (4, 5, 7)), (5, 11, 9), like="itk/linear", axes=(0, 1, 2))
    np.testing.assert_array_equal(lazy.compute(), whole)


@pytest.mark.quick
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_graphs(dtype: str, generator: np.random.Generator) -> None:
    """The same bits; splines within a rounding."""
    x = (generator.random((2, 9, 8, 7, 3)) * 255).astype(dtype)
    for method in METHODS:
        call: dict[str, Any] = {"like": f"itk/{method}", "axes": (1, 2, 3)}
        for shape, window in ((("N", *x.shape[1:]), None), (x.shape, (slice(0, 3), slice(2, 9), slice(1, 6)))):
            model = fastup.export.resize(shape, (5, 11, 9), dtype=dtype, window=window, verify=False, **call)
            expected = fastup.resize(x, (5, 11, 9), window=window, **call)
            for name, result in in_every_runtime(model, x):
                if method == "bspline":
                    np.testing.assert_allclose(result, expected, rtol=1e-6, atol=1e-4, err_msg=name)
                else:
                    np.testing.assert_array_equal(result, expected, err_msg=name)
    with pytest.raises(UnsupportedExport, match="channels of volumes must be numbers"):
        fastup.export.resize((9, 8, 7, "C"), (5, 11, 9), like="itk/linear", axes=(0, 1, 2))


@pytest.mark.quick
@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"like": "pillow/bicubic"}, "axes must be two different ones of 4, got (0, 1, 2)"),
        ({"axes": (0, 1, 1)}, "axes must be two or three different ones of 4, got (0, 1, 1)"),
        ({"size": (4, 5)}, "size must be three integers, depth, height and width, got (4, 5)"),
        ({"size": None, "scale_factor": (2, 2)}, "scale_factor must be a number or three of them, got (2, 2)"),
    ],
)
def test_wrong_calls(call: dict[str, Any], message: str) -> None:
    arguments = {"size": (4, 5, 6), "like": "itk/linear", "axes": (0, 1, 2), **call}
    with pytest.raises(ValueError, match=re.escape(f"resize: {message}")):
        fastup.resize(np.zeros((8, 9, 7, 2), np.uint8), **arguments)
