"""Whose pixels these are: each library's own results are named rightly, and what nobody made is named by nobody."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastup
from tests.library_calls import LIBRARIES, plain_calls, rows_of

Array = np.ndarray[Any, Any]


def named(before: Array, after: Array) -> list[str]:
    """Names of the conventions that give these pixels."""
    return [one.convention.name for one in fastup.identify(before, after) if one.gives]


@pytest.mark.quick
@pytest.mark.parametrize("like", ["pillow/bicubic", "opencv/area", "opencv/linear", "torch/bicubic-antialias"])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_our_own_pixels_are_named(like: str, dtype: str, generator: np.random.Generator) -> None:
    before = (generator.random((41, 60)) * 255).astype(dtype)
    after = fastup.resize(before, (23, 31), like=like)
    first = fastup.identify(before, after)[0]
    assert like in named(before, after)
    assert (first.gives, first.largest, first.share) == (True, 0, 1)
    assert first.sure > 0.8


@pytest.mark.peers
@pytest.mark.parametrize("library", LIBRARIES)
def test_pixels_of_installed_libraries_are_named(library: str) -> None:
    """Pairs made by the library itself; pictures too plain to tell rows apart are named by several."""
    modules = {"pillow": "PIL", "opencv": "cv2", "tensorflow1": "tensorflow", "itk": "SimpleITK"}
    pytest.importorskip(modules.get(library, library))
    calls, give = LIBRARIES[library]
    if library not in ("pillow", "opencv"):  # ITK's splines lose a whole number that they meet from below
        calls = functools.partial(plain_calls, rows_of(library, "bspline"))
    told = 0
    for call in calls(24, 7, 40):
        if not call.options:
            told += 1
            assert f"{library}/{call.method}" in named(call.picture, give(call)), str(call)
    assert told > 8


@pytest.mark.quick
def test_changed_pictures_are_named_by_nobody(generator: np.random.Generator) -> None:
    """One level in one pixel of a hundred is another picture, and the nearest convention is the one that it was."""
    before = generator.integers(0, 256, (60, 80, 3), np.uint8)
    for like in ("pillow/lanczos", "opencv/cubic", "torch/bilinear"):
        after = fastup.resize(before, (40, 50), like=like)
        changed = generator.random(after.shape) < 0.01
        after = np.where(changed, np.where(after < 255, after + 1, 254), after).astype(np.uint8)
        matches = fastup.identify(before, after)
        assert not any(one.gives for one in matches)
        assert like.partition("/")[2] in matches[0].convention.name
        assert 0 < matches[0].largest <= 1
        assert 0.98 < matches[0].share < 1


@pytest.mark.quick
def test_flat_pictures_say_nothing() -> None:
    before = np.full((20, 30), 7, np.uint8)
    matches = fastup.identify(before, np.full((9, 12), 7, np.uint8))
    assert all(one.gives and one.sure < 0.5 for one in matches if one.share == 1)
    assert sum(one.gives for one in matches) > 100


@pytest.mark.quick
def test_floats_that_were_rounded_to_bytes(generator: np.random.Generator) -> None:
    """TensorFlow gives floats, which people round: the row is named nevertheless."""
    before = generator.integers(0, 256, (50, 40, 3), np.uint8)
    made = fastup.resize(before, (33, 61), like="tensorflow/bicubic")
    assert "tensorflow/bicubic" in named(before, made)
    assert "tensorflow/bicubic" in named(before, np.clip(np.rint(made), 0, 255).astype(np.uint8))


@pytest.mark.quick
def test_alpha_is_tried_both_ways(generator: np.random.Generator) -> None:
    before = generator.integers(0, 256, (30, 40, 4), np.uint8)
    after = fastup.resize(before, (20, 21), like="pillow/bilinear", alpha=False)
    (first, *_) = [one for one in fastup.identify(before, after) if one.gives]
    assert first.options == {"alpha": False}


@pytest.mark.quick
@pytest.mark.parametrize(
    ("before", "after", "error", "message"),
    [
        ("no array", np.zeros((3, 4)), TypeError, "before must be an array"),
        (np.zeros((3, 4)), np.zeros((3, 4, 3)), ValueError, "after must have the channels of before"),
        (np.zeros((3, 4, 1)), np.zeros((3, 4, 3)), ValueError, "after must have the channels of before"),
        (np.zeros(3), np.zeros(4), ValueError, r"before must be a picture \(H, W\) or \(H, W, C\)"),
    ],
)
def test_wrong_pictures(before: Any, after: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        fastup.identify(before, after)


def test_the_command(tmp_path: Path, generator: np.random.Generator) -> None:
    testing = pytest.importorskip("click.testing")
    image = pytest.importorskip("PIL.Image")
    from fastup.cli import command

    before = generator.integers(0, 256, (40, 50, 3), np.uint8)
    image.fromarray(before).save(tmp_path / "before.png")
    image.fromarray(fastup.resize(before, (17, 22), like="opencv/area")).save(tmp_path / "after.png")
    result = testing.CliRunner().invoke(
        command, ["identify", *(str(tmp_path / f"{n}.png") for n in ("before", "after"))]
    )
    assert result.exit_code == 0
    assert "opencv/area: cv2.resize" in " ".join(result.output.split())
    np.save(tmp_path / "flat.npy", np.zeros((9, 9), np.uint8))
    result = testing.CliRunner().invoke(command, ["identify", *[str(tmp_path / "flat.npy")] * 2])
    assert "too plain to tell them apart" in " ".join(result.output.split())
