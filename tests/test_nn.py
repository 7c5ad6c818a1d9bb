"""Layers: torch's names, arguments and repr."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastup
import fastup.nn
from tests.test_interpolation_exact import assert_exact

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
        ("Upsample", (), {"scale_factor": 30, "mode": "bilinear"}),
        ("Upsample", (), {"scale_factor": 30, "mode": "bilinear", "align_corners": True}),
        ("Upsample", (), {"size": (90, 71), "mode": "bicubic"}),
        ("Upsample", (), {"scale_factor": 2.3, "mode": "bicubic", "align_corners": True}),
        ("Upsample", (), {"scale_factor": (2.3, 40), "mode": "bilinear", "recompute_scale_factor": True}),
        ("Upsample", (), {"scale_factor": 0.5, "mode": "area"}),
        ("UpsamplingBilinear2d", (), {"scale_factor": 30}),
        ("UpsamplingBilinear2d", (), {"size": (91, 60)}),
        ("UpsamplingBilinear2d", (200,), {}),
    ],
)
def test_equal_to_torchs_layer(name: str, arguments: Any, keywords: Any, torch: Any) -> None:
    ours, theirs = getattr(fastup.nn, name)(*arguments, **keywords), getattr(torch.nn, name)(*arguments, **keywords)
    assert repr(ours) == repr(theirs)
    assert ours.extra_repr() == theirs.extra_repr()
    assert_exact(ours(X), theirs(torch.from_numpy(X)).numpy(), X)


@pytest.mark.parametrize(
    ("shape", "keywords"),
    [
        ((1, 2, 17), {"scale_factor": 2.5, "mode": "linear"}),
        ((1, 2, 17), {"size": 40, "mode": "linear", "align_corners": True}),
        ((1, 2, 3, 4, 5), {"scale_factor": 2, "mode": "trilinear"}),
        ((1, 2, 3, 4, 5), {"size": (5, 4, 9), "mode": "area"}),
    ],
)
def test_other_ranks_equal_torchs_layer(shape: tuple[int, ...], keywords: dict[str, Any], torch: Any) -> None:
    x = np.linspace(-1, 1, int(np.prod(shape)), dtype=np.float32).reshape(shape)
    ours, theirs = fastup.nn.Upsample(**keywords), torch.nn.Upsample(**keywords)
    assert repr(ours) == repr(theirs)
    assert_exact(ours(x), theirs(torch.from_numpy(x)).numpy(), x)


@pytest.mark.quick
@pytest.mark.parametrize("mode", ["nearest", "area", "bilinear", "bicubic", "cubic", "n-linear", "lanczos"])
def test_the_layer_is_the_function(mode: str) -> None:
    aligned = True if mode in ("bilinear", "bicubic", "cubic", "n-linear") else None
    layer = fastup.nn.Upsample(scale_factor=1.7, mode=mode, align_corners=aligned)
    expected = fastup.interpolate(X, scale_factor=1.7, mode=mode, align_corners=aligned)
    np.testing.assert_array_equal(layer(X), expected)
    assert repr(layer) == f"Upsample(scale_factor=1.7, mode={mode!r})"
    bilinear = fastup.nn.UpsamplingBilinear2d(size=(7, 9))
    assert repr(bilinear) == "UpsamplingBilinear2d(size=(7, 9), mode='bilinear')"
    np.testing.assert_array_equal(bilinear(X), fastup.interpolate(X, (7, 9), mode="bilinear", align_corners=True))


@pytest.mark.quick
def test_recompute_reaches_the_function() -> None:
    layer = fastup.nn.Upsample(scale_factor=1.3, recompute_scale_factor=True)
    np.testing.assert_array_equal(layer(X), fastup.interpolate(X, scale_factor=1.3, recompute_scale_factor=True))


def test_a_layer_without_forward() -> None:
    with pytest.raises(TypeError, match=r"^Module: a layer must define forward$"):
        fastup.nn.Module()(X)
