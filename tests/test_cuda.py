"""The CUDA back-end against the CPU's: in Numba's simulator, or on a GPU where there is one."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

import fastup
import fastup.networks
import fastup.nn

pytest.importorskip("numba_cuda", reason="needs the extra cuda")
SIMULATED = os.environ.get("NUMBA_ENABLE_CUDASIM") == "1"

from numba import cuda

if not (SIMULATED or cuda.is_available()):
    pytest.skip("no GPU here, and NUMBA_ENABLE_CUDASIM=1 is not set", allow_module_level=True)

from fastup.arrays import _cuda as adapter
from fastup.cuda import copies, memory
from fastup.cuda import segmentation as segmentation
from fastup.cuda.kernels import convert
from fastup.cuda.kernels.gather import GAP
from fastup.plan.sampling.filters import FILTERS
from tests.cases import CASES, CONVS, POOLS, SEGMENTED, STUFFED, Case
from tests.test_filters import MITCHELL
from tests.test_interpolation_windows import random_window
from tests.test_windows import at, plan_of

Array = np.ndarray[Any, Any]
SMALL = [case for case in (*CASES, *CONVS, *POOLS, *STUFFED) if np.prod(case.shape) <= 2000]
MOVED = [case for case in SMALL if case.operator in ("pixel_shuffle", "zero_stuff")]
# A rounding per product and sum, in another order than the CPU's for convolutions, and without contraction here.
CLOSE = {"float32": 1e-6, "float64": 2e-15, "float16": 2e-3, "bfloat16": 2e-2}


@pytest.fixture(autouse=True)
def few_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread of the simulator is one of the system; 32 of them go through all items, in steps of the grid."""
    if SIMULATED:
        monkeypatch.setattr(memory, "THREADS", 16)
        monkeypatch.setattr(memory, "MOST_BLOCKS", 2)
        monkeypatch.setattr(memory, "MOST_ROWS", 3)


def on_device(operands: dict[str, Array]) -> dict[str, Any]:
    return {name: cuda.to_device(one) for name, one in operands.items()}


def host(device_array: Any) -> Array:
    found: Array = device_array.copy_to_host()
    return found


def check(case: Case, dtype: str) -> None:
    kind = np.dtype(dtype)
    x, operands = case.input(kind), case.arrays(kind) if case.operands else {}
    wanted, found = case.run(x, **operands), case.run(cuda.to_device(x), **on_device(operands))
    pairs = zip(wanted, found, strict=True) if isinstance(wanted, tuple) else [(wanted, found)]
    for expected, device_array in pairs:
        result = host(device_array)
        assert (result.shape, result.dtype) == (expected.shape, expected.dtype)
        if expected.dtype.kind == "f" and case.operator not in ("pixel_shuffle", "pixel_unshuffle", "zero_stuff"):
            sums = 5 if case in CONVS else 1  # of a few dozen terms near 1
            np.testing.assert_allclose(result, expected, rtol=CLOSE[dtype], atol=sums * CLOSE[dtype])
        else:
            np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("case", SMALL, ids=str)
def test_equals_the_cpu(case: Case) -> None:
    check(case, "float32")


@pytest.mark.parametrize("dtype", ["float64", "float16", "uint8", "int8", "uint16", "int32", "uint64", "int64"])
@pytest.mark.parametrize("case", SMALL[::4], ids=str)
def test_other_dtypes_equal_the_cpu(case: Case, dtype: str) -> None:
    if case in CONVS and not dtype.startswith("float"):
        pytest.skip("convolutions take floats")
    check(case, dtype)


@pytest.mark.parametrize("dtype", ["bool", "complex64", "complex128"])
@pytest.mark.parametrize(
    "case", [one for one in SMALL if one.operator in ("pixel_shuffle", "zero_stuff")][::3], ids=str
)
def test_what_is_only_moved(case: Case, dtype: str) -> None:
    x = case.input("float32").astype(dtype)
    np.testing.assert_array_equal(host(case.run(cuda.to_device(x))), case.run(x))


@pytest.mark.parametrize("antialias", [False, True])
def test_a_filter_that_only_its_record_knows(antialias: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FILTERS, "mitchell", MITCHELL)
    for size in ((9, 4), (5, 6)):
        check(Case("interpolate", (1, 2, 5, 6), {"size": size, "mode": "mitchell", "antialias": antialias}), "float32")


def test_rounding_to_bfloat16(generator: np.random.Generator) -> None:
    """Half to even, as ml_dtypes rounds; NaN whose high bits alone would be an infinity stays NaN."""
    bfloat16 = np.dtype(pytest.importorskip("ml_dtypes").bfloat16)
    bits = generator.integers(0, 2**32, 300).astype(np.uint32)
    bits[:6] = 0x7F800000, 0xFF800000, 0x7F800001, 0x3F808000, 0x3F818000, 0x7F7FFFFF
    rounded = cuda.device_array(bits.size, np.uint16)
    memory.launch(convert.narrow, bits.size, cuda.to_device(bits), rounded)
    with np.errstate(invalid="ignore"):
        expected = bits.view(np.float32).astype(bfloat16)
    np.testing.assert_array_equal(rounded.copy_to_host().view(bfloat16).astype(np.float32), expected.astype(np.float32))


def test_bfloat16_goes_through_float32(generator: np.random.Generator) -> None:
    """Numba has no such dtype: the bits stand in memory as integers of 16 bits, as torch's tensors give them."""
    bfloat16 = np.dtype(pytest.importorskip("ml_dtypes").bfloat16)
    x = generator.standard_normal((1, 2, 5, 6)).astype(bfloat16)
    plan = fastup.plan.interpolate(x.shape, "bfloat16", size=(9, 7), mode="bilinear")
    source = memory.view_of(cuda.to_device(x.view(np.uint16)), bfloat16)
    target = cuda.device_array(plan.output_shape, np.uint16)
    fastup.cuda.run(plan, source, (memory.view_of(target, bfloat16),))
    result, expected = target.copy_to_host().view(bfloat16), fastup.interpolate(x, (9, 7), mode="bilinear")
    np.testing.assert_allclose(result.astype(np.float32), expected.astype(np.float32), rtol=1e-2)


@pytest.mark.parametrize("operator", ["interpolate", "pixel_shuffle", "conv2d", "max_pool2d", "zero_stuff"])
@pytest.mark.parametrize("layout", ["strided", "reversed", "transposed"])
def test_arrays_that_are_not_contiguous(operator: str, layout: str, generator: np.random.Generator) -> None:
    whole = generator.standard_normal((1, 8, 6, 10)).astype(np.float32)
    views: dict[str, Any] = {
        "strided": lambda a: a[:, ::2, :, ::2],
        "reversed": lambda a: a[:, :4, ::-1, ::-2],
        "transposed": lambda a: a[:, :4].swapaxes(2, 3),
    }
    seen = views[layout]
    w = generator.standard_normal((3, 4, 3, 3)).astype(np.float32)
    calls: dict[str, Any] = {
        "interpolate": lambda a, w: fastup.interpolate(a, (7, 8), mode="bicubic"),
        "pixel_shuffle": lambda a, w: fastup.pixel_shuffle(a, 2),
        "conv2d": lambda a, w: fastup.conv2d(a, w, padding=1),
        "max_pool2d": lambda a, w: fastup.max_pool2d(a, 2),
        "zero_stuff": lambda a, w: fastup.zero_stuff(a, 2),
    }
    call = calls[operator]
    expected, found = call(seen(whole), w), call(seen_on_device(whole, seen), cuda.to_device(w))
    np.testing.assert_allclose(host(found), expected, rtol=1e-5, atol=1e-5)


def seen_on_device(whole: Array, seen: Any) -> Any:
    """A view of memory on the device; Numba's own arrays cannot be turned round, so it is described."""
    if SIMULATED:
        from numba.cuda.simulator.cudadrv.devicearray import FakeCUDAArray

        return FakeCUDAArray(seen(whole))
    device, part = cuda.to_device(whole), seen(whole)
    interface = {**device.__cuda_array_interface__, "shape": part.shape, "strides": part.strides}
    begin = part.__array_interface__["data"][0] - whole.__array_interface__["data"][0]
    interface["data"] = (interface["data"][0] + begin, False)
    return memory._Interface(interface, device)


@pytest.mark.parametrize("dtype", ["float32", "uint8", "complex128"])
@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
def test_unpooling_lets_the_last_one_win(dtype: str, data_format: str, generator: np.random.Generator) -> None:
    x = generator.integers(1, 200, (2, 3, 4, 5)).astype(dtype)
    indices = generator.integers(0, 8, x.shape)
    if data_format == "channels_last":
        x, indices = (np.ascontiguousarray(np.moveaxis(one, 1, -1)) for one in (x, indices))
    y = fastup.max_unpool2d(cuda.to_device(x), cuda.to_device(indices), 2, data_format=data_format)
    np.testing.assert_array_equal(y.copy_to_host(), fastup.max_unpool2d(x, indices, 2, data_format=data_format))


def test_unpooling_names_a_wrong_index() -> None:
    x, indices = np.ones((1, 1, 2, 2), np.float32), np.array([[[[0, 5], [99, 15]]]])
    with pytest.raises(ValueError, match=r"must be from 0 to 15 .* got 99 at \(0, 0, 1, 0\)"):
        fastup.max_unpool2d(cuda.to_device(x), cuda.to_device(indices), 2)


@pytest.mark.parametrize("activation", ["relu", ("leaky_relu", 0.2), "tanh", "sigmoid", "prelu"])
@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
def test_activations(activation: Any, data_format: str, generator: np.random.Generator) -> None:
    x, w = generator.standard_normal((2, 3, 4, 5)), generator.standard_normal((4, 3, 3, 3))
    x, slopes = x if data_format == "channels_first" else np.moveaxis(x, 1, -1).copy(), generator.random(4)
    given = ("prelu", slopes) if activation == "prelu" else activation
    device = ("prelu", cuda.to_device(slopes)) if activation == "prelu" else activation
    keywords: dict[str, Any] = {"padding": 1, "data_format": data_format}
    y = fastup.conv2d(cuda.to_device(x), cuda.to_device(w), activation=device, **keywords)
    expected = fastup.conv2d(x, w, activation=given, **keywords)
    np.testing.assert_allclose(host(y), expected, rtol=1e-11, atol=1e-13)


def test_packed_weights_are_brought_to_the_device_once(generator: np.random.Generator) -> None:
    x, w = generator.standard_normal((1, 2, 4, 5), np.float32), generator.standard_normal((2, 3, 2, 2), np.float32)
    packed = fastup.pack_weight(w)
    first = fastup.conv_transpose2d(cuda.to_device(x), packed, stride=2).copy_to_host()
    brought = packed.packs["cuda", "float32", 0]
    fastup.conv_transpose2d(cuda.to_device(x), packed, stride=2)
    assert packed.packs["cuda", "float32", 0] is brought
    np.testing.assert_allclose(first, fastup.conv_transpose2d(x, w, stride=2), rtol=1e-5, atol=1e-6)


def test_out_and_plans(generator: np.random.Generator) -> None:
    x = generator.standard_normal((1, 2, 4, 5), np.float32)
    plan = fastup.plan.interpolate(x.shape, x.dtype, scale_factor=2, mode="nearest-exact")
    out = cuda.device_array(plan.output_shape, np.float32)
    assert fastup.run(plan, cuda.to_device(x), out) is out
    np.testing.assert_array_equal(out.copy_to_host(), fastup.run(plan, x))
    with pytest.raises(ValueError, match="out must have shape"):
        fastup.run(plan, cuda.to_device(x), cuda.device_array((1, 2, 3, 3), np.float32))
    square = cuda.to_device(x)
    with pytest.raises(ValueError, match="out must not be x"):
        fastup.interpolate(square, scale_factor=1, out=square)
    with pytest.raises(ValueError, match=r"out must have shape .* and dtype float32"):
        fastup.run(plan, cuda.to_device(x), cuda.device_array(plan.output_shape, np.float64))
    values, places = fastup.max_pool2d(cuda.to_device(x), 2, return_indices=True)
    assert places.dtype == np.int64
    np.testing.assert_array_equal(values.copy_to_host(), fastup.max_pool2d(x, 2))


def test_windows_of_the_result(generator: np.random.Generator) -> None:
    x = generator.integers(0, 256, (1, 2, 7, 9)).astype(np.uint8)
    for keywords in (
        {"size": (7, 5), "window": (slice(2, 5), slice(1, 4)), "mode": "bilinear"},
        {"size": (7, 18), "window": (slice(0, 5), slice(3, 18)), "mode": "bicubic", "antialias": True},
        {"size": (20, 18), "window": (slice(5, 6), slice(3, 18)), "mode": "nearest"},
        {"size": (4, 5), "window": (slice(1, 3), slice(0, 4)), "mode": "area"},
    ):
        result = fastup.interpolate(cuda.to_device(x), **keywords).copy_to_host()
        np.testing.assert_array_equal(result, fastup.interpolate(x, **keywords))


def test_nothing_goes_to_the_host(monkeypatch: pytest.MonkeyPatch, generator: np.random.Generator) -> None:
    x = cuda.to_device(generator.standard_normal((1, 4, 6, 6)).astype(np.float32))
    w = cuda.to_device(generator.standard_normal((4, 2, 2, 2)).astype(np.float32))

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("copied to the host")

    monkeypatch.setattr(type(x), "copy_to_host", refuse)
    fastup.pixel_shuffle(x, 2)
    fastup.interpolate(x, (9, 9), mode="bicubic", antialias=True)
    fastup.conv_transpose2d(x, w, stride=2)
    fastup.max_pool2d(x, 2, return_indices=True)
    fastup.conv_transpose2d(x, w, stride=2, activation=("prelu", cuda.to_device(np.array([0.5], np.float32))))


def test_one_slope_for_all_channels(generator: np.random.Generator) -> None:
    x, w = generator.standard_normal((1, 2, 4, 5), np.float32), generator.standard_normal((3, 2, 1, 1), np.float32)
    slope = np.array([0.5], np.float32)
    found = fastup.conv2d(cuda.to_device(x), cuda.to_device(w), activation=("prelu", cuda.to_device(slope)))
    np.testing.assert_allclose(host(found), fastup.conv2d(x, w, activation=("prelu", slope)), rtol=1e-6, atol=1e-6)


def test_empty_arrays() -> None:
    x = cuda.to_device(np.zeros((0, 4, 3, 3), np.float32))
    assert fastup.pixel_shuffle(x, 2).shape == (0, 1, 6, 6)


def test_host_and_device_do_not_mix() -> None:
    x, w = np.ones((1, 2, 4, 4), np.float32), np.ones((3, 2, 3, 3), np.float32)
    found = fastup.conv2d(cuda.to_device(x), w)  # what layers hold on the host is brought to the device
    np.testing.assert_allclose(host(found), fastup.conv2d(x, w), rtol=1e-6)
    with pytest.raises(TypeError, match="all arrays must be in the memory of the CPU as x is"):
        fastup.conv2d(x, cuda.to_device(w))
    with pytest.raises(TypeError, match="out must be an array on the GPU, got ndarray"):
        fastup.pixel_shuffle(
            cuda.to_device(np.ones((1, 4, 2, 2), np.float32)), 2, out=np.ones((1, 1, 4, 4), np.float32)
        )


def test_networks(generator: np.random.Generator) -> None:
    """Layers of operators, with the activations in them; what is an expression in NumPy says so."""
    x = generator.standard_normal((1, 1, 5, 6), np.float32)
    network = fastup.networks.ESPCN(2)
    np.testing.assert_allclose(host(network(cuda.to_device(x))), network(x), rtol=1e-4, atol=1e-6)
    with pytest.raises(TypeError, match="this layer computes with NumPy, got an array on a GPU"):
        fastup.nn.BatchNorm2d(1)(cuda.to_device(x))


def test_devices_do_not_mix(monkeypatch: pytest.MonkeyPatch) -> None:
    x, w = cuda.to_device(np.ones((1, 2, 4, 4), np.float32)), cuda.to_device(np.ones((3, 2, 3, 3), np.float32))
    monkeypatch.setattr(adapter, "_device", lambda array: int(array is w))
    with pytest.raises(ValueError, match=r"all arrays must be on one device, got \[0, 1\]"):
        fastup.conv2d(x, w)


@pytest.mark.skipif(not SIMULATED, reason="devices take no such arrays")
def test_memory_that_no_device_could_read() -> None:
    from numba.cuda.simulator.cudadrv.devicearray import FakeCUDAArray

    with pytest.raises(TypeError, match="must be in native byte order"):
        fastup.pixel_shuffle(FakeCUDAArray(np.ones((1, 4, 2, 2), ">f4")), 2)
    shifted = np.zeros(65, np.uint8)[1:].view(np.float32).reshape(1, 4, 2, 2)
    with pytest.raises(ValueError, match="must be aligned to their items of 4 bytes"):
        fastup.pixel_shuffle(FakeCUDAArray(shifted), 2)


def test_out_of_device_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise RuntimeError("Call to cuMemAlloc results in CUDA_ERROR_OUT_OF_MEMORY")

    x = cuda.to_device(np.ones((1, 4, 2, 2), np.float32))
    monkeypatch.setattr(adapter, "empty", refuse)
    with pytest.raises(MemoryError, match=r"pixel_shuffle: result of shape \(1, 1, 4, 4\) .* needs 64 bytes"):
        fastup.pixel_shuffle(x, 2)


def test_no_device(monkeypatch: pytest.MonkeyPatch) -> None:
    x = cuda.to_device(np.ones((1, 4, 2, 2), np.float32))
    monkeypatch.setattr(memory, "available", lambda: False)
    with pytest.raises(RuntimeError, match=r"x is an array on a GPU .* but CUDA finds none on this machine"):
        fastup.pixel_shuffle(x, 2)


def test_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every launch goes to the stream that the block names."""
    seen = []

    class Kernel:
        def __getitem__(self, configuration: Any) -> Any:
            seen.append(configuration[2])
            return lambda *_: None

    x, stream = cuda.to_device(np.ones((1, 4, 2, 2), np.float32)), cuda.stream()
    monkeypatch.setattr(copies, "gather", Kernel())
    with fastup.cuda.using(stream):
        fastup.pixel_shuffle(x, 2)
    fastup.pixel_shuffle(x, 2)
    assert seen == [stream, 0]


def test_items_are_moved_as_wide_as_they_lie() -> None:
    """Neighbours that stay together move as one item: eight bytes are two of float32, eight of uint8."""
    assert copies._widened(1, [(3, 64), (64, 1)], [192, 192]) == (8, [(3, 8), (8, 1)])
    assert copies._widened(4, [(3, 10), (10, 1)], [120, 120]) == (8, [(3, 5), (5, 1)])
    assert copies._widened(4, [(3, 9), (9, 1)], [108, 108]) == (4, [(3, 9), (9, 1)])
    assert copies._widened(4, [(3, 10), (10, 1)], [116, 120]) == (4, [(3, 10), (10, 1)])
    size, digits = copies._widened(4, [(3, np.array([4, -6, GAP])), (2, 1)], [48, 24])
    assert size == 8
    np.testing.assert_array_equal(digits[0][1], [2, -3, GAP])


@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
@pytest.mark.parametrize("case", [case for case in SEGMENTED if 0 < np.prod(case.shape) <= 700][::2], ids=str)
def test_labels_and_masks(case: Case, data_format: str, generator: np.random.Generator, monkeypatch: Any) -> None:
    """Values that are halves of small integers, so that contraction on the CPU changes nothing."""
    monkeypatch.setattr(segmentation, "_BLOCK_ITEMS", 2000)
    for mode in ("nearest", "n-linear"):
        keywords: dict[str, Any] = {"scale_factor": 2, "mode": mode, "data_format": data_format}
        x = generator.integers(0, 5, case.shape).astype(np.float32)
        if data_format == "channels_last":
            x = np.ascontiguousarray(np.moveaxis(x, 1, -1))
        rank = x.ndim - 2
        boxes = np.stack([np.array([1.5] * rank + [5.0] * rank) - number for number in range(len(x))])
        on_gpu = cuda.to_device(x)
        calls: list[tuple[dict[str, Any], dict[str, Any]]] = [({}, {})]
        calls.append(({"boxes": boxes}, {"boxes": cuda.to_device(boxes)}))
        for extra, placed in calls:
            labels = fastup.upsample_argmax(on_gpu, **keywords, **placed)
            np.testing.assert_array_equal(host(labels), fastup.upsample_argmax(x, **keywords, **extra))
            mask = fastup.upsample_threshold(on_gpu, threshold=2, **keywords, **placed)
            np.testing.assert_array_equal(host(mask), fastup.upsample_threshold(x, threshold=2, **keywords, **extra))
            same, shares = fastup.upsample_softmax_max(on_gpu, **keywords, **placed)
            np.testing.assert_array_equal(host(same), host(labels))
            expected = fastup.upsample_softmax_max(x, **keywords, **extra)[1]
            np.testing.assert_allclose(host(shares), expected, rtol=1e-5)


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_confidences_in_many_blocks(dtype: str, generator: np.random.Generator, monkeypatch: Any) -> None:
    monkeypatch.setattr(segmentation, "_BLOCK_ITEMS", 400)
    x = generator.standard_normal((1, 2, 8, 9)).astype(dtype)
    found = fastup.upsample_softmax_max(cuda.to_device(x), scale_factor=2)[1]
    np.testing.assert_allclose(host(found), fastup.upsample_softmax_max(x, scale_factor=2)[1], rtol=2e-3)


@pytest.mark.parametrize(
    "case",
    [one for one in SMALL if one.operator not in ("zero_stuff", "interpolate") and one not in POOLS][::5],
    ids=str,
)
def test_windows(case: Case, generator: np.random.Generator) -> None:
    x, operands, plan = case.input("float32"), case.arrays("float32"), plan_of(case, "float32")
    whole = case.run(x, **operands)
    for _ in range(2):
        window = random_window(plan.result_size, generator)
        y = case.run(cuda.to_device(x), **on_device(operands), window=window)
        np.testing.assert_allclose(host(y), whole[at(plan, window)], rtol=1e-5, atol=1e-5)
