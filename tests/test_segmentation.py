"""Labels, confidences and masks of upsampled logits: the bits of interpolating and reducing, without the logits."""

from __future__ import annotations

import re
import tracemalloc
from typing import Any

import numpy as np
import pytest

import fastup
import fastup.export
from fastup.cpu.resample import segmentation
from fastup.export import UnsupportedExport, runtimes
from fastup.export.tolerances import tolerance
from tests.cases import SEGMENTED, Case, kind_of, quickly

Array = np.ndarray[Any, Any]
DTYPES = ("float32", "float64", "float16", "bfloat16", "uint8", "int8", "int16", "uint32", ">f4")


def logits_of(shape: tuple[int, ...], dtype: str, data_format: str, generator: np.random.Generator) -> Array:
    """Few different values, so that classes are often equal."""
    x = generator.integers(0, 5, shape)
    if dtype != "bfloat16" and np.dtype(dtype).kind == "f":
        x = np.where(generator.random(shape) < 0.5, x, 3 * generator.standard_normal(shape))
    x = x.astype(kind_of(dtype))
    return np.ascontiguousarray(np.moveaxis(x, 1, -1)) if data_format == "channels_last" else x


def upsampled(x: Array, keywords: dict[str, Any]) -> Array:
    """The logits of the plain way, classes second."""
    u = fastup.interpolate(x, **{"mode": "n-linear", **keywords})
    return np.moveaxis(u, -1, 1) if keywords.get("data_format") == "channels_last" else u


def wide(u: Array) -> Array:
    return u.astype(np.float64)


@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
@pytest.mark.parametrize("case", quickly(SEGMENTED, 5), ids=str)
def test_equals_interpolate_and_reduce(case: Case, data_format: str, generator: np.random.Generator) -> None:
    shape, keywords = case.shape, {**case.keywords, "data_format": data_format}
    for dtype in DTYPES:
        x = logits_of(shape, dtype, data_format, generator)
        u = wide(upsampled(x, keywords))
        labels = fastup.upsample_argmax(x, **keywords)
        assert labels.dtype == np.int32
        np.testing.assert_array_equal(labels, u.argmax(1))
        mask = fastup.upsample_threshold(x, threshold=1.5, **keywords)
        assert mask.dtype == bool
        np.testing.assert_array_equal(mask, np.moveaxis(u, 1, -1) > 1.5 if data_format == "channels_last" else u > 1.5)
        if x.dtype.kind in "iu":
            continue
        same, shares = fastup.upsample_softmax_max(x, **keywords)
        np.testing.assert_array_equal(same, labels)
        assert shares.dtype == x.dtype.newbyteorder("=")
        expected = 1 / np.exp(u - u.max(1, keepdims=True, initial=-np.inf)).sum(1)
        summed = 4 * np.finfo(np.float32).eps * max(4, u.shape[1]) ** 0.5  # one class after another
        rounding = {"float64": 1e-14, "float16": 1e-3, "bfloat16": 1e-2}.get(x.dtype.name, summed)
        np.testing.assert_allclose(wide(shares), expected, rtol=rounding)


@pytest.mark.peers
@pytest.mark.parametrize("case", [case for case in SEGMENTED if case.torch], ids=str)
def test_equals_torch(case: Case, generator: np.random.Generator) -> None:
    torch = pytest.importorskip("torch")
    shape, keywords = case.shape, case.keywords
    x = generator.standard_normal(shape).astype(np.float32)
    options = {"mode": {3: "linear", 4: "bilinear", 5: "trilinear"}[len(shape)], **keywords}
    u = torch.nn.functional.interpolate(torch.from_numpy(x), **options)
    found = fastup.upsample_argmax(torch.from_numpy(x), **keywords, dtype="int64")
    assert isinstance(found, torch.Tensor)
    assert torch.equal(found, u.argmax(1))
    labels, shares = fastup.upsample_softmax_max(torch.from_numpy(x), **keywords)
    values, indices = torch.softmax(u.double(), 1).max(1)
    assert torch.equal(labels.long(), indices)
    torch.testing.assert_close(shares.double(), values, rtol=1e-6, atol=0)
    assert torch.equal(fastup.upsample_threshold(torch.from_numpy(x), threshold=0.1, **keywords), u > 0.1)


def test_semantics() -> None:
    """Two classes cross in the middle between pixels; there they are equal, and the first stands."""
    logits = np.array([[[[0, 4]], [[2, 2]]]], np.float32)
    assert fastup.upsample_argmax(logits, (1, 8)).tolist() == [[[1, 1, 1, 1, 0, 0, 0, 0]]]
    assert fastup.upsample_argmax(logits, (1, 3), align_corners=True).tolist() == [[[1, 0, 0]]]
    labels, shares = fastup.upsample_softmax_max(logits, (1, 3), align_corners=True)
    assert labels.tolist() == [[[1, 0, 0]]]
    e = np.exp(-2)
    np.testing.assert_allclose(shares, [[[1 / (1 + e), 0.5, 1 / (1 + e)]]], rtol=1e-6)
    assert fastup.upsample_threshold(logits, (1, 3), 2, align_corners=True).astype(int).tolist() == [
        [[[0, 0, 1]], [[0, 0, 0]]]
    ]


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_not_a_number_and_infinities(dtype: str) -> None:
    """NaN counts as the largest number, the first of several stands; nothing exceeds a threshold with it."""
    inf, nan = np.inf, np.nan
    pixels = np.array(
        [
            [1, nan, 3, nan],
            [nan, nan, 0, 0],
            [-inf, -inf, -inf, -inf],
            [-inf, -inf, 2, 2],
            [inf, 0, inf, 0],
            [0, inf, nan, 1],
        ],
        dtype,
    )
    x = np.ascontiguousarray(pixels.T[None, :, :, None])
    labels, shares = fastup.upsample_softmax_max(x, (6, 1))
    assert labels[0, :, 0].tolist() == [1, 0, 0, 2, 0, 2]
    assert fastup.upsample_argmax(x, (6, 1))[0, :, 0].tolist() == np.argmax(pixels, 1).tolist()
    np.testing.assert_array_equal(shares[0, :, 0], np.array([nan, nan, nan, 0.5, nan, nan], dtype))
    np.testing.assert_array_equal(fastup.upsample_threshold(x, (6, 1), 0.5)[0, :, :, 0], pixels.T > 0.5)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
def test_boxes(rank: int, data_format: str, generator: np.random.Generator) -> None:
    shape = (4, 3, 6, 7, 8)[: 2 + rank]
    size = (21, 40, 300)[3 - rank :]
    x = logits_of(shape, "float32", data_format, generator)
    keywords: dict[str, Any] = {"size": size, "data_format": data_format}
    boxes = np.stack([generator.uniform(-5, n + 5, (4, 2)) for n in reversed(size)], axis=2)
    boxes = np.sort(boxes, axis=1).reshape(4, -1)
    boxes[0, :rank], boxes[0, rank:], boxes[1, :rank] = -100, 1000, boxes[1, rank:]  # all of it, and nothing
    inside = inside_of(boxes, size)
    whole = fastup.upsample_argmax(x, **keywords)
    np.testing.assert_array_equal(fastup.upsample_argmax(x, **keywords, boxes=boxes), np.where(inside, whole, 0))
    labels, shares = fastup.upsample_softmax_max(x, **keywords, boxes=boxes.tolist())
    np.testing.assert_array_equal(labels, np.where(inside, whole, 0))
    np.testing.assert_array_equal(shares, np.where(inside, fastup.upsample_softmax_max(x, **keywords)[1], 0))
    mask, spread = fastup.upsample_threshold(x, **keywords), inside[:, None]
    if data_format == "channels_last":
        spread = inside[..., None]
    np.testing.assert_array_equal(fastup.upsample_threshold(x, **keywords, boxes=boxes), mask & spread)
    if data_format == "channels_first":
        many = np.stack([boxes, boxes[::-1], boxes], axis=1)
        each = np.stack([inside_of(many[:, k], size) for k in range(3)], axis=1)
        np.testing.assert_array_equal(fastup.upsample_threshold(x, **keywords, boxes=many), mask & each)
    window: Any = tuple(slice(n // 4, n - 1) for n in size)
    np.testing.assert_array_equal(
        fastup.upsample_argmax(x, **keywords, boxes=boxes.astype(int), window=window),
        fastup.upsample_argmax(x, **keywords, boxes=boxes.astype(int))[(slice(None), *window)],
    )


def inside_of(boxes: Array, size: tuple[int, ...]) -> Array:
    """Which pixels are in a box, by its corners; x goes along the last axis."""
    rank = len(size)
    inside = np.ones((len(boxes), *size), bool)
    for k, places in enumerate(np.indices(size)[::-1]):
        low, high = (boxes[:, corner * rank + k].reshape(-1, *[1] * rank) for corner in (0, 1))
        inside &= (low <= places) & (places < high)
    return inside


@pytest.mark.parametrize("shape", [(2, 5, 20, 30), (2, 3, 6, 20, 30)])
def test_windows_tiles_and_out(shape: tuple[int, ...], generator: np.random.Generator) -> None:
    x = generator.standard_normal(shape).astype(np.float32)
    scale, rank = 3.7, len(shape) - 2
    whole = fastup.upsample_softmax_max(x, scale_factor=scale)
    window: Any = (slice(5, 20), slice(-70, None), slice(13, 14))[:rank]
    found = fastup.upsample_softmax_max(x, scale_factor=scale, window=window)
    plan = fastup.plan.upsample_softmax_max(x.shape, x.dtype, scale_factor=scale)
    needed: Any = (..., *plan.input_window(window))
    tile = fastup.run(plan.tile(window), x[needed].copy())
    for one, other, cut in zip(whole, found, tile, strict=True):
        np.testing.assert_array_equal(other, one[(slice(None), *window)])
        np.testing.assert_array_equal(cut, other)
    out = np.zeros(whole[0].shape, np.uint8), np.zeros(whole[0].shape, np.float32)
    assert fastup.upsample_softmax_max(x, scale_factor=scale, dtype="uint8", out=out) is not None
    np.testing.assert_array_equal(out[0], whole[0])
    np.testing.assert_array_equal(out[1], whole[1])


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int32", "uint64"])
def test_dtypes_of_labels(dtype: str, generator: np.random.Generator) -> None:
    x = generator.standard_normal((1, 100, 5, 6)).astype(np.float32)
    labels = fastup.upsample_argmax(x, 17, dtype=dtype)
    assert labels.dtype == dtype
    np.testing.assert_array_equal(labels, fastup.upsample_argmax(x, 17))


def test_any_block_gives_the_same(monkeypatch: pytest.MonkeyPatch, generator: np.random.Generator) -> None:
    for shape, size in (((2, 5, 9, 11), (40, 37)), ((1, 3, 5, 6, 7), (11, 13, 20))):
        x = generator.standard_normal(shape).astype(np.float32)
        expected = fastup.upsample_argmax(x, size)
        for bytes_ in (1, 3000, 10**7):
            monkeypatch.setattr(segmentation, "_BLOCK_BYTES", bytes_)
            plan = fastup.plan.upsample_argmax(shape, "float32", size)
            plan.backend_cache.clear()
            np.testing.assert_array_equal(fastup.upsample_argmax(x, size, threads=3), expected)
        plan.backend_cache.clear()


_HUGE = 10**400
_THRESHOLDS = {"nan": np.nan, "inf": np.inf, "-inf": -np.inf, "huge": _HUGE, "-huge": -_HUGE, "300": 300, "-0.5": -0.5}


@pytest.mark.parametrize("name", _THRESHOLDS)
def test_any_threshold(name: str, generator: np.random.Generator) -> None:
    threshold: Any = _THRESHOLDS[name]
    number = {"huge": np.inf, "-huge": -np.inf}.get(name, threshold)
    for dtype in ("uint8", "float32", "float16", "int32"):
        x = generator.integers(0, 255, (1, 2, 5, 6)).astype(dtype)
        expected = wide(fastup.interpolate(x, 9, mode="n-linear")) > number
        np.testing.assert_array_equal(fastup.upsample_threshold(x, 9, threshold), expected)


def test_boxes_in_half_precision() -> None:
    x = np.random.default_rng(0).random((1, 3, 4, 5), np.float32)
    boxes = np.array([[2050, 0, 5000, 5000]], np.float16)
    whole = fastup.upsample_argmax(x, (8, 3000))
    window = (slice(0, 8), slice(1, 3000))
    found = fastup.upsample_argmax(x, (8, 3000), boxes=boxes, window=window)
    np.testing.assert_array_equal(found, np.where(np.arange(1, 3000) >= 2050, whole[:, :, 1:], 0))


def test_views_need_no_copy(generator: np.random.Generator) -> None:
    x = generator.standard_normal((2, 20, 9, 8)).astype(np.float32)
    view = x[:, ::-2, :, ::3].swapaxes(2, 3)
    np.testing.assert_array_equal(fastup.upsample_argmax(view, (30, 31)), fastup.upsample_argmax(view.copy(), (30, 31)))


def test_memory_does_not_hold_the_logits() -> None:
    x = np.random.default_rng(0).random((1, 40, 40, 40), np.float32)
    fastup.upsample_argmax(x, 400)  # tables and workspaces stay
    upsampled_bytes = 40 * 400 * 400 * 4
    tracemalloc.start()
    try:
        fastup.upsample_argmax(x, 400)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 400 * 400 * 4 <= peak < upsampled_bytes / 10


@pytest.mark.parametrize("lowering", ["native", "portable"])
@pytest.mark.parametrize("operator", ["upsample_argmax", "upsample_softmax_max", "upsample_threshold"])
def test_export(operator: str, lowering: str, generator: np.random.Generator) -> None:
    for shape, keywords in (
        ((2, 5, 9, 11), {"size": (40, 37)}),
        ((1, 9, 11, 5), {"size": (20, 60), "data_format": "channels_last", "align_corners": True}),
        ((1, 3, 4, 5, 6), {"scale_factor": 2, "mode": "nearest"}),
        ((1, 5, 9, 11), {"scale_factor": 3, "window": (slice(2, 9), slice(5, 33))}),
    ):
        for dtype, opset in (("float32", 11), ("float32", 18), ("float16", 13), ("bfloat16", 18), ("uint8", 21)):
            if dtype == "bfloat16" and lowering == "native":
                continue
            if dtype == "uint8" and operator == "upsample_softmax_max":
                continue
            exporter = getattr(fastup.export, operator)
            model = exporter(shape, **keywords, dtype=dtype, opset=opset, lowering=lowering, verify=True)
            x = (8 * generator.standard_normal(shape)).astype(kind_of(dtype))
            found, wanted = runtimes.run("onnxruntime", model, x), getattr(fastup, operator)(x, **keywords)
            first, second = (one[0] if isinstance(one, (list, tuple)) else one for one in (found, wanted))
            assert (first.shape, first.dtype) == (second.shape, second.dtype)
            assert np.mean(first != second) < 0.02, (shape, keywords, dtype)
            if lowering == "native" and dtype == "float32" and len(shape) == 4:
                again = runtimes.run("reference", model, x)
                first = again[0] if isinstance(again, list) else again
                assert np.mean(first != second) < 0.02


@pytest.mark.parametrize("mode", ["nearest", "n-linear"])
@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "uint16", "int32", "uint32"])
def test_thresholds_between_integers(dtype: str, mode: str) -> None:
    """Numbers that float32 rounds to an integer, and numbers that it has not."""
    x = np.array([np.iinfo(dtype).min, 2, 3, np.iinfo(dtype).max], dtype).reshape(1, 1, 2, 2)
    y = fastup.interpolate(x, 4, mode=mode)
    for threshold in (2.9999999999, 3, 3.0000000001, -0.5, 1e300, -1e300, np.inf, -np.inf, np.nan):
        np.testing.assert_array_equal(fastup.upsample_threshold(x, 4, threshold, mode=mode), y > threshold)


@pytest.mark.parametrize("threshold", [-np.inf, -3e9, np.nan, 3e9, 0.5])
def test_export_of_any_threshold(threshold: float) -> None:
    for dtype in ("int32", "uint8"):
        x = np.array([np.iinfo(dtype).min, 0, 1, np.iinfo(dtype).max], dtype).reshape(1, 1, 2, 2)
        model = fastup.export.upsample_threshold(x.shape, 2, threshold, mode="nearest", dtype=dtype)
        expected = fastup.upsample_threshold(x, 2, threshold, mode="nearest")
        np.testing.assert_array_equal(expected, x > threshold)
        np.testing.assert_array_equal(runtimes.run("onnxruntime", model, x), expected)


def test_wrong_labels_are_no_ties() -> None:
    """The difference of two bytes may need more than a byte."""
    x = np.array([100, -100], np.int8).reshape(1, 2, 1, 1)
    plan = fastup.plan.upsample_argmax(x.shape, x.dtype, 1, mode="nearest")
    allowed = tolerance(plan, fastup.export.upsample_argmax(plan), x)
    assert allowed.misses(np.array([[[1]]]), np.array([[[0]]])) == 1
    assert allowed.misses(np.array([[[0]]]), np.array([[[0]]])) == 0


def test_export_of_symbolic_sizes(generator: np.random.Generator) -> None:
    model = fastup.export.upsample_argmax(("N", 5, "H", "W"), scale_factor=4, verify=True)
    x = generator.standard_normal((2, 5, 7, 9)).astype(np.float32)
    np.testing.assert_array_equal(runtimes.run("onnxruntime", model, x), fastup.upsample_argmax(x, scale_factor=4))


@pytest.mark.parametrize("lowering", ["auto", "native"])
@pytest.mark.parametrize(
    ("shape", "keywords"),
    [
        (("N", 7, 9, 3), {"size": (10, 1)}),
        (("N", 7, 9, 3), {"size": (1, 10), "mode": "bicubic"}),
        (("N", 7, 3, 2), {"scale_factor": (1.5, 0.5), "align_corners": True}),
        (("N", "H", "W", 3), {"size": (10, 1)}),
    ],
)
def test_export_of_symbolic_batches_channels_last(
    shape: tuple[Any, ...], keywords: dict[str, Any], lowering: str, generator: np.random.Generator
) -> None:
    """onnxruntime's optimiser moves the Transpose before a Resize and must not lose its sizes."""
    keywords = {**keywords, "data_format": "channels_last"}
    model = fastup.export.upsample_argmax(shape, **keywords, lowering=lowering, verify=True)
    x = generator.standard_normal((2, 7, *(9 if n == "W" else n for n in shape[2:]))).astype(np.float32)
    np.testing.assert_array_equal(runtimes.run("onnxruntime", model, x), fastup.upsample_argmax(x, **keywords))


def test_export_names_what_was_called() -> None:
    symbolic = ("N", 3, "H", "W")
    with pytest.raises(fastup.export.UnsupportedExport, match=r"^upsample_argmax: ONNX has no lanczos"):
        fastup.export.upsample_argmax(symbolic, scale_factor=2, mode="lanczos")
    rule = r"^upsample_softmax_max: dtype of labels must have 32 bits for 'C' classes, got uint8"
    with pytest.raises(fastup.export.UnsupportedExport, match=rule):
        fastup.export.upsample_softmax_max(("N", "C", "H", "W"), scale_factor=2, labels="uint8")


X = np.zeros((2, 3, 4, 5), np.float32)
CHANNELLESS = np.zeros((2, 0, 4, 5), np.float32)


@pytest.mark.quick
@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (
            lambda: fastup.upsample_argmax(CHANNELLESS, 8),
            ValueError,
            "upsample_argmax: class axis of logits must have from 1 to 2**31 entries, got 0 in shape (2, 0, 4, 5)",
        ),
        (
            lambda: fastup.plan.upsample_argmax((1, 2**31 + 1, 1), "uint8", 2),
            ValueError,
            "upsample_argmax: class axis of logits must have from 1 to 2**31 entries, got 2147483649 in shape "
            "(1, 2147483649, 1)",
        ),
        (
            lambda: fastup.plan.upsample_argmax((1, 129, 4), "float32", 8, labels="int8"),
            ValueError,
            "upsample_argmax: dtype of labels must be native and hold 128, got |i1",
        ),
        (
            lambda: fastup.upsample_argmax(X, 8, dtype="float32"),
            TypeError,
            "upsample_argmax: dtype of labels must be an integer dtype, got float32",
        ),
        (
            lambda: fastup.upsample_argmax(X, (8, 8, 8)),
            ValueError,
            "upsample_argmax: size must have 2 entries for x of shape (2, 3, 4, 5), got (8, 8, 8)",
        ),
        (
            lambda: fastup.upsample_softmax_max(X, "8"),
            TypeError,
            "upsample_softmax_max: size must be an integer or one integer per spatial axis, got '8'",
        ),
        (
            lambda: fastup.plan.upsample_argmax(X.shape, X.dtype, 8, labels=[1, 2]),
            TypeError,
            "upsample_argmax: dtype of labels must be a NumPy dtype, got [1, 2]",
        ),
        (
            lambda: fastup.upsample_argmax(X, 8, mode="area"),
            ValueError,
            "upsample_argmax: mode must be a mode that samples (nearest, nearest-exact, linear, cubic, lanczos), "
            "got 'area'",
        ),
        (
            lambda: fastup.upsample_argmax(X.astype(np.int64), 8),
            TypeError,
            "upsample_argmax: logits must be floats or integers of at most 32 bits, got dtype int64",
        ),
        (
            lambda: fastup.upsample_softmax_max(X.astype(np.int32), 8),
            TypeError,
            "upsample_softmax_max: logits must have dtype float16, bfloat16, float32 or float64, got int32",
        ),
        (
            lambda: fastup.upsample_threshold(X, 8, "0.5"),
            TypeError,
            "upsample_threshold: threshold must be a number, got '0.5'",
        ),
        (
            lambda: fastup.upsample_argmax(X, 8, boxes=[[0, 0, 1, 1]]),
            ValueError,
            "upsample_argmax: boxes must have one box (x1, y1, x2, y2), in volumes (x1, y1, z1, x2, y2, z2), per "
            "picture of logits of shape (2, 3, 4, 5), got shape (1, 4)",
        ),
        (
            lambda: fastup.upsample_argmax(X, 8, boxes=[[0, 0, 1, np.nan]] * 2),
            ValueError,
            "upsample_argmax: boxes must be finite, got nan",
        ),
        (
            lambda: fastup.upsample_argmax(X, 8, boxes=np.array([["a"] * 4] * 2)),
            TypeError,
            "upsample_argmax: boxes must be integers or floats, got dtype <U1",
        ),
        (
            lambda: fastup.upsample_argmax(X, 8, boxes=[[0, 0, 1, 1], [0]]),
            ValueError,
            "upsample_argmax: boxes must have as many numbers each, got [[0, 0, 1, 1], [0]]",
        ),
        (
            lambda: fastup.run(
                fastup.plan.upsample_argmax(X.shape, X.dtype, 8, boxes_shape=(2, 4)),
                X,
                operands=(np.array([["a"] * 4] * 2),),
            ),
            TypeError,
            "run: boxes must be integers or floats, got dtype <U1",
        ),
        (
            lambda: fastup.upsample_argmax(X[0, 0], 8),
            ValueError,
            "upsample_argmax: logits must have 3, 4 or 5 dimensions, got shape (4, 5)",
        ),
        (
            lambda: fastup.upsample_argmax(X, 8, window=(slice(9), slice(8))),
            ValueError,
            "upsample_argmax: window must lie within the result of size (8, 8), got :9, :8",
        ),
        (
            lambda: fastup.run(fastup.plan.upsample_argmax(X.shape, X.dtype, 8, boxes_shape=(2, 4)), X),
            ValueError,
            "run: operands must be boxes of shape (2, 4) for this plan, got shapes []",
        ),
        (
            lambda: fastup.export.upsample_argmax(fastup.plan.upsample_argmax(X.shape, X.dtype, 8, boxes_shape=(2, 4))),
            UnsupportedExport,
            "upsample_argmax: boxes are data, not part of a graph; export without them",
        ),
    ],
)
def test_messages(call: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=f"^{re.escape(message)}$"):
        call()


@pytest.mark.parametrize("dtype", ["float32", "float16", "float64"])
def test_confidences_of_very_many_classes(dtype: str, generator: np.random.Generator) -> None:
    """The softmax does not drift, however many exponentials it adds."""
    for classes in (256, 257, 20_000):
        x = (generator.standard_normal((1, classes, 2, 3)) * 3).astype(dtype)
        labels, confidences = fastup.upsample_softmax_max(x, (3, 5))
        logits = fastup.interpolate(x, (3, 5), mode="bilinear").astype(np.float64)
        exact = 1 / np.exp(logits - logits.max(1, keepdims=True)).sum(1)
        assert np.array_equal(labels, logits.argmax(1))
        eps = {"float32": 2.0**-22, "float16": 2.0**-10, "float64": 1e-14}[dtype] * (8 if classes == 256 else 1)
        np.testing.assert_allclose(
            confidences.astype(np.float64), exact, rtol=eps, atol=1e-7 if dtype == "float16" else 0
        )
