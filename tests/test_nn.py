"""Layers: torch's names, arguments and repr."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastup
import fastup.nn

X = np.arange(144, dtype=np.float32).reshape(1, 4, 6, 6)


@pytest.mark.quick
def test_worked_values() -> None:
    layer = fastup.nn.PixelShuffle(2)
    assert layer.extra_repr() == "upscale_factor=2"
    layer.load_state_dict({})  # nothing to learn
    nearest = fastup.nn.UpsamplingNearest2d(scale_factor=2)
    np.testing.assert_array_equal(
        nearest(np.arange(1, 5).reshape(1, 1, 2, 2))[0, 0], [[1, 1, 2, 2]] * 2 + [[3, 3, 4, 4]] * 2
    )


@pytest.mark.parametrize(
    ("name", "arguments", "keywords"),
    [
        ("PixelShuffle", (2,), {}),
        ("PixelUnshuffle", (3,), {}),
        ("Upsample", (), {"scale_factor": 2}),
        ("Upsample", (), {"scale_factor": (2, 1.5), "mode": "nearest-exact"}),
        ("Upsample", (), {"size": (9, 13)}),
        ("Upsample", (13,), {}),
        ("UpsamplingNearest2d", (), {"scale_factor": 3}),
        ("UpsamplingNearest2d", (), {"size": 8}),
    ],
)
def test_equal_to_torchs_layer(name: str, arguments: Any, keywords: Any, torch: Any) -> None:
    ours, theirs = getattr(fastup.nn, name)(*arguments, **keywords), getattr(torch.nn, name)(*arguments, **keywords)
    assert repr(ours) == repr(theirs)
    assert ours.extra_repr() == theirs.extra_repr()
    np.testing.assert_array_equal(ours(X), theirs(torch.from_numpy(X)).numpy())


@pytest.mark.quick
def test_recompute_reaches_the_function() -> None:
    layer = fastup.nn.Upsample(scale_factor=1.3, recompute_scale_factor=True)
    np.testing.assert_array_equal(layer(X), fastup.interpolate(X, scale_factor=1.3, recompute_scale_factor=True))


def test_a_layer_without_forward() -> None:
    with pytest.raises(TypeError, match=r"^Module: a layer must define forward$"):
        fastup.nn.Module()(X)
