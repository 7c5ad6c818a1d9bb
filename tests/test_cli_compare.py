"""``fastup compare``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("click.testing")
Image = pytest.importorskip("PIL.Image")
pytest.importorskip("pyvips")
pytest.importorskip("rich")

from tests.test_cli import invoke, opened  # noqa: E402


def pair(folder: Path, a: np.ndarray, b: np.ndarray) -> tuple[Path, Path]:
    for name, pixels in (("a.png", a), ("b.png", b)):
        Image.fromarray(pixels).save(folder / name)
    return folder / "a.png", folder / "b.png"


@pytest.mark.quick
def test_figures(tmp_path: Path) -> None:
    a = np.full((20, 30, 3), 100, np.uint8)
    b = a.copy()
    b[0, 0, 0], b[5, 7, 2] = 110, 97
    one, other = pair(tmp_path, a, b)
    found = json.loads(invoke("compare", one, other, "--json"))
    assert found["largest"] == 10
    assert found["share"] == pytest.approx(2 / 1800)
    assert found["psnr"] == pytest.approx(10 * np.log10(255**2 / ((100 + 9) / 1800)))
    assert "largest difference 10; 0.11% of samples differ" in invoke("compare", one, other)
    assert invoke("compare", one, one).strip() == "equal: all samples are the same"
    assert json.loads(invoke("compare", one, one, "--json"))["psnr"] is None


def test_similarity_is_scikit_image_s(tmp_path: Path) -> None:
    metrics = pytest.importorskip("skimage.metrics")
    generator = np.random.default_rng(0)
    a = generator.integers(0, 256, (40, 30), np.uint8)
    b = np.clip(a + generator.normal(0, 9, a.shape), 0, 255).astype(np.uint8)
    expected = metrics.structural_similarity(a, b, gaussian_weights=True, sigma=1.5, use_sample_covariance=False)
    found = json.loads(invoke("compare", *pair(tmp_path, a, b), "--json"))
    assert found["ssim"] == pytest.approx(expected)
    small = json.loads(invoke("compare", *pair(tmp_path, a[:5], b[:5]), "--json"))
    assert small["ssim"] is None


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_picture_of_differences(tmp_path: Path, dtype: type) -> None:
    a: np.ndarray = np.zeros((9, 8), dtype)
    b = a.copy()
    step = 1 if dtype == np.uint8 else 257
    b[3, 4], b[1, 1] = 10 * step, 4 * step
    call = ("compare", *pair(tmp_path, a, b), "-o", tmp_path / "away.png")
    invoke(*call)
    away = np.asarray(opened(tmp_path / "away.png"))
    assert [int(away[3, 4]), int(away[1, 1]), np.count_nonzero(away)] == [255, 102, 2]
    assert "exists; --overwrite" in invoke(*call, status=2)
    invoke(*call, "--gain", 4, "--overwrite")
    assert np.asarray(opened(tmp_path / "away.png"))[3, 4] == 40


def test_status_and_refusals(tmp_path: Path) -> None:
    a = np.zeros((9, 8, 3), np.uint8)
    b = a + np.uint8(2)
    one, other = pair(tmp_path, a, b)
    invoke("compare", one, other, "--at-most", 2)
    invoke("compare", one, other, "--at-most", 1.5, status=1)
    Image.fromarray(a[:5]).save(tmp_path / "c.png")
    text = invoke("compare", one, tmp_path / "c.png", status=2)
    assert "pictures must be alike" in text
    assert "8x9 with 3 channels of uint8" in text
    (tmp_path / "bad.png").write_bytes(b"no picture")
    assert "cannot be read" in invoke("compare", one, tmp_path / "bad.png", status=2)
    assert "must have a suffix" in invoke("compare", one, other, "-o", tmp_path / "x.xyz", status=2)
