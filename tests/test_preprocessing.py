"""Pictures made what models take, in NumPy and as the first nodes of a model: the same bits."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import onnx
import pytest

import fastup
import fastup.export
from fastup.export import UnsupportedExport
from tests.cases import in_every_runtime

Array = np.ndarray[Any, Any]
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def by_hand(small: Array, scale: float | None, mean: Any, std: Any) -> Array:
    y: Array = small.astype(np.float32)
    if scale is not None:
        y = y * np.float32(scale)
    if mean is not None:
        y = y - np.asarray(mean, np.float32)
    if std is not None:
        y = y / np.asarray(std, np.float32)
    return np.moveaxis(y, -1, -3)


@pytest.mark.quick
@pytest.mark.parametrize("like", ["pillow/bicubic", "torch/bilinear-antialias", "opencv/area"])
@pytest.mark.parametrize("given", [(1 / 255, MEAN, STD), (None, None, None), (1 / 127.5, 1.0, None), (1.0, MEAN, 2.0)])
def test_equals_each_step_by_hand(like: str, given: tuple[Any, ...], generator: np.random.Generator) -> None:
    picture = generator.integers(0, 256, (70, 91, 3), np.uint8)
    scale, mean, std = given
    made = fastup.preprocess(picture, 40, like=like, crop=(32, 24), scale=scale, mean=mean, std=std)
    small = fastup.resize(picture, (40, 52), like=like)[4:36, 14:38]
    np.testing.assert_array_equal(made, by_hand(small, scale, mean, std)[None])
    last = fastup.preprocess(picture, 40, like=like, crop=(32, 24), scale=scale, mean=mean, std=std, layout="NHWC")
    np.testing.assert_array_equal(last, np.moveaxis(made, 1, -1))


@pytest.mark.quick
def test_batches_grey_pictures_and_floats(generator: np.random.Generator) -> None:
    """A batch is its pictures; results of float32, as TensorFlow gives, are normalised as they are."""
    batch: Any = generator.integers(0, 256, (3, 20, 31, 3), np.uint8)
    made = fastup.preprocess(batch, (9, 14))
    np.testing.assert_array_equal(made, np.concatenate([fastup.preprocess(one, (9, 14)) for one in batch]))
    assert fastup.preprocess(batch[0, ..., 0], (9, 14)).shape == (1, 1, 9, 14)
    floats = fastup.preprocess(batch[0], (9, 14), like="tensorflow/bilinear", mean=MEAN, std=STD)
    wanted = by_hand(fastup.resize(batch[0], (9, 14), like="tensorflow/bilinear"), 1 / 255, MEAN, STD)
    np.testing.assert_allclose(floats[0], wanted, atol=2e-6)
    tall: Any = np.zeros((50, 20, 3), np.uint8)
    assert fastup.preprocess(tall, 10).shape == (1, 3, 25, 10)


def model_of(shape: tuple[Any, ...], dtype: Any = np.float32) -> onnx.ModelProto:
    graph = fastup.export.Graph(opset=17)
    x = graph.input("pixels", dtype, shape)
    return graph.model(graph.op("Neg", x), names=("logits",))


@pytest.mark.quick
@pytest.mark.parametrize("like", ["pillow/bilinear", "opencv/cubic", "torch/bicubic-antialias"])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_a_model_with_its_preprocessing(like: str, layout: str, generator: np.random.Generator) -> None:
    """The same bits as calling both one after the other."""
    picture = generator.integers(0, 256, (57, 80, 3), np.uint8)
    shape = (1, 3, 24, 24) if layout == "NCHW" else (1, 24, 24, 3)
    model = model_of(shape)
    model.metadata_props.add(key="author", value="somebody")
    given: dict[str, Any] = {"like": like, "crop": 24, "mean": MEAN, "std": STD}
    whole = fastup.export.prepend(model, picture.shape, size=28, **given)
    wanted = -fastup.preprocess(picture, 28, layout=layout, **given)
    assert [one.name for one in whole.graph.input] == ["picture"]
    assert [one.name for one in whole.graph.output] == ["logits"]
    assert whole.metadata_props[0].value == "somebody"
    assert [one.name for one in model.graph.input] == ["pixels"]  # the model itself is as it was
    for name, result in in_every_runtime(whole, picture):
        np.testing.assert_array_equal(result, wanted, err_msg=name)


@pytest.mark.quick
def test_sizes_and_layouts_come_from_the_model(generator: np.random.Generator) -> None:
    picture = generator.integers(0, 256, (30, 40, 1), np.uint8)
    whole = fastup.export.prepend(model_of(("N", 1, 12, 16), np.float16), picture.shape)
    for _, result in in_every_runtime(whole, picture):
        wanted = -fastup.preprocess(picture, (12, 16)).astype(np.float16)
        np.testing.assert_array_equal(result, wanted)


@pytest.mark.quick
@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        ({"image": np.zeros((4, 4, 3))}, TypeError, "image must be an array of uint8, got float64"),
        ({"image": "x"}, TypeError, "image must be an array of uint8, got str"),
        ({"image": np.zeros(4, np.uint8)}, ValueError, "image must be (H, W), (H, W, C) or (N, H, W, C)"),
        ({"size": (1, 2, 3)}, ValueError, "size must be an integer or two of them"),
        ({"crop": 9}, ValueError, "crop must fit in the resized picture, (4, 5), got 9"),
        ({"mean": (1, 2)}, ValueError, "mean must be a number, or one for each of 3 channels, got 2"),
        ({"std": 0}, ValueError, "std must not be 0"),
        ({"scale": "x"}, TypeError, "scale must be a number"),
        ({"layout": "CHW"}, ValueError, "layout must be"),
    ],
)
def test_wrong_calls(call: dict[str, Any], error: type[Exception], message: str) -> None:
    arguments = {"image": np.zeros((8, 10, 3), np.uint8), "size": 4, **call}
    with pytest.raises(error, match=re.escape(message)):
        fastup.preprocess(**arguments)


@pytest.mark.quick
def test_models_that_take_no_picture() -> None:
    with pytest.raises(ValueError, match="model must have an input of float32 or float16 with four axes"):
        fastup.export.prepend(model_of((1, 3, 8)), (8, 8, 3))
    with pytest.raises(ValueError, match="layout must be given"):
        fastup.export.prepend(model_of((1, 8, 8, 8)), (8, 8, 3))
    with pytest.raises(ValueError, match="size must be given"):
        fastup.export.prepend(model_of((1, 3, "H", "W")), (8, 8, 3))
    with pytest.raises(ValueError, match="name must be one of the model's inputs, pixels, got 'x'"):
        fastup.export.prepend(model_of((1, 3, 8, 8)), (8, 8, 3), name="x")
    old = model_of((1, 3, 8, 8))
    old.opset_import[0].version = 9
    with pytest.raises(UnsupportedExport, match="opset of the model must be"):
        fastup.export.prepend(old, (8, 8, 3))
