"""On a real GPU only: bits that the simulator cannot promise, other libraries' arrays, their streams."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

import fastup

pytestmark = pytest.mark.gpu
pytest.importorskip("numba_cuda", reason="no GPU test was run: they need the extra cuda")
if os.environ.get("NUMBA_ENABLE_CUDASIM") == "1":
    pytest.skip("no GPU test was run: NUMBA_ENABLE_CUDASIM=1 simulates one", allow_module_level=True)

from numba import cuda

if not cuda.is_available():
    pytest.skip("no GPU test was run: CUDA finds no GPU on this machine", allow_module_level=True)

from fastup.cuda import memory
from tests.cases import CASES, POOLS, Case

EXACT = [case for case in (*CASES, *POOLS) if case.keywords.get("mode") != "area"]


@pytest.mark.parametrize("case", EXACT, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
def test_the_bits_of_the_cpu(case: Case, dtype: str) -> None:
    """Contracted as on the CPU, in the same order: nearest, shuffle, pooling, linear, cubic and the uint8 kernels."""
    x = case.input(dtype)
    wanted, found = case.run(x), case.run(cuda.to_device(x))
    pairs: Any = zip(wanted, found, strict=True) if isinstance(wanted, tuple) else [(wanted, found)]
    for expected, result in pairs:
        np.testing.assert_array_equal(result.copy_to_host(), expected)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_tensors_of_torch_on_its_stream(dtype: str) -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("this torch has no CUDA")
    x = torch.rand(1, 4, 33, 65).to(getattr(torch, dtype))
    with torch.cuda.stream(torch.cuda.Stream()):
        device = x.cuda(non_blocking=True)
        result = fastup.interpolate(device, scale_factor=2, mode="bilinear")
        shuffled = fastup.pixel_shuffle(device, 2)
        torch.cuda.current_stream().synchronize()
    assert (result.device, result.dtype) == (device.device, x.dtype)
    expected = fastup.interpolate(x.float(), scale_factor=2, mode="bilinear").to(x.dtype)
    assert torch.allclose(result.cpu().float(), expected.float(), rtol=1e-2)
    assert torch.equal(shuffled.cpu(), torch.nn.functional.pixel_shuffle(x, 2))


def test_arrays_of_cupy() -> None:
    cupy = pytest.importorskip("cupy")
    x = np.random.default_rng(0).standard_normal((1, 4, 9, 7), np.float32)
    result = fastup.interpolate(cupy.asarray(x)[:, ::-1], (20, 3), mode="bicubic", antialias=True)
    assert isinstance(result, cupy.ndarray)
    np.testing.assert_allclose(
        cupy.asnumpy(result), fastup.interpolate(x[:, ::-1], (20, 3), mode="bicubic", antialias=True)
    )


def test_any_object_with_the_interface() -> None:
    x = np.random.default_rng(0).standard_normal((1, 4, 9, 7), np.float32)
    device = cuda.to_device(x)
    result: Any = fastup.pixel_shuffle(memory._Interface(device.__cuda_array_interface__, device), 2)
    np.testing.assert_array_equal(result.copy_to_host(), fastup.pixel_shuffle(x, 2))


def test_more_than_a_device_has() -> None:
    free, _ = cuda.current_context().get_memory_info()
    x = cuda.device_array((1, 1, 1024, 1024), np.float32)
    side = int((free / 4) ** 0.5) + 4096
    with pytest.raises(MemoryError, match="more than there are"):
        fastup.interpolate(x, (side, side))
