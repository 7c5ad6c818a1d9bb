"""``fastup fit``, ``upscale --mode learned`` and the leave-one-out table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastup
from fastup.export import runtimes

pytest.importorskip("click")
Image = pytest.importorskip("PIL.Image")
pytest.importorskip("rich")

from fastup.cli import learned, leave_one_out  # noqa: E402
from tests.test_cli import invoke, opened, picture  # noqa: E402


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fit")
    sources = [picture(folder / name, mode) for name, mode in (("a.png", "RGB"), ("b.png", "LA"), ("c.tif", "I;16"))]
    invoke("fit", *sources, "-o", folder / "w.npz", "--kernel-size", 3)
    return folder / "w.npz"


def stored(path: Path) -> dict[str, Any]:
    with np.load(path) as found:
        return dict(found)


def samples(path: Path) -> Any:
    """Pixels as they lie in the file: Pillow 10 widens 16 bits to 32."""
    pixels = np.asarray(opened(path))
    return pixels.astype(np.uint16) if pixels.dtype == np.int32 else pixels


def by_definition(plane: Any, weight: Any, factor: int) -> Any:
    """Edge repeated, a sum per phase, rounded and clipped."""
    kernel = weight.shape[-1]
    padded = np.pad(plane.astype(np.float64), kernel // 2, "edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kernel, kernel))
    phases = np.einsum("hwij,pij->hwp", windows, weight[:, 0]).reshape(*plane.shape, factor, factor)
    large = phases.swapaxes(1, 2).reshape(plane.shape[0] * factor, plane.shape[1] * factor)
    return np.clip(np.rint(large), np.iinfo(plane.dtype).min, np.iinfo(plane.dtype).max)


@pytest.mark.quick
def test_fit_writes_what_fit_subpixel_gives(tmp_path: Path) -> None:
    paths = [picture(tmp_path / f"{mode[0]}{len(mode)}.png", mode, (33, 20)) for mode in ("RGBA", "L", "I;16")]
    text = invoke("fit", *paths, "-o", tmp_path / "w", "--scale", 3, "--kernel-size", 3)
    assert text.strip() == f"{tmp_path / 'w'}  x3, 3x3, 3 pictures"
    pairs = []
    for path in paths:
        pixels = samples(path)
        colours = np.moveaxis(pixels[..., :3], -1, 0) if pixels.ndim == 3 else pixels[None]
        large = np.ascontiguousarray(colours[:, :18])
        small = fastup.interpolate(large[None], size=(6, 11), mode="bicubic", antialias=True)[0]
        white = np.iinfo(pixels.dtype).max
        pairs.append((small / white, large / white))
    found = stored(tmp_path / "w")
    np.testing.assert_allclose(found["weight"], fastup.init.fit_subpixel(pairs, 3, 3), rtol=0, atol=1e-5)
    assert found["weight"].shape == (9, 1, 3, 3)
    assert (found["factor"].tolist(), found["kernel_size"].tolist(), found["format_version"].tolist()) == (
        [3, 3], [3, 3], 1,
    )  # fmt: skip


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "I;16"])
def test_upscale_applies_the_layer_to_every_kind_of_picture(tmp_path: Path, weights: Path, mode: str) -> None:
    source = picture(tmp_path / "in.png", mode)
    invoke("upscale", source, tmp_path / "out.png", "--mode", "learned", "--weights", weights)
    assert opened(tmp_path / "out.png").size == (62, 40)
    assert opened(tmp_path / "out.png").mode == opened(source).mode
    x, y = (np.atleast_3d(samples(path)) for path in (source, tmp_path / "out.png"))
    assert y.dtype == x.dtype
    alpha = x.shape[2] in (2, 4)  # by which the other channels are weighted
    for channel in range(x.shape[2] - 1 if alpha else 0, x.shape[2]):
        expected = by_definition(x[..., channel], stored(weights)["weight"], 2)
        difference = np.abs(y[..., channel] - expected)
        assert difference.max() <= 1  # where a sum is next to a half, or in float32 of 16 bits
        assert np.mean(difference != 0) < 0.01
        assert {0, np.iinfo(y.dtype).max} <= set(y[..., channel].ravel().tolist())  # noise that clips


def test_flat_pictures_stay_flat_up_to_the_border(tmp_path: Path, weights: Path) -> None:
    source = tmp_path / "in.png"
    Image.new("RGBA", (9, 7), (255, 1, 200, 255)).save(source)
    invoke("upscale", source, tmp_path / "out.png", "--mode", "learned", "--weights", weights, "--scale", 2)
    after = np.asarray(opened(tmp_path / "out.png"))
    np.testing.assert_array_equal(after, np.broadcast_to(np.array([255, 1, 200, 255]), (14, 18, 4)))


def test_integers_of_32_bits_and_floats(weights: Path) -> None:
    layer = learned.read(weights)
    noise = np.random.default_rng(4).random((1, 8, 9))
    wide = (noise * 2**31).astype(np.int32)
    exact = by_definition(wide[0], layer.weight, 2)
    assert np.abs(learned.enlarge(wide, layer)[0].astype(np.float64) - exact).max() <= 1
    real = learned.enlarge(noise.astype(np.float32), layer)
    assert real.dtype == np.float32
    assert real.min() < 0 < 1 < real.max()  # nothing is clipped


def test_fit_replaces_only_when_asked(tmp_path: Path) -> None:
    source, target = picture(tmp_path / "a.png"), tmp_path / "w.npz"
    target.write_text("mine")
    text = invoke("fit", source, "-o", target, status=2)
    assert text.strip() == f"error: fit: {target} exists; --overwrite replaces it"
    assert target.read_text() == "mine"
    invoke("fit", source, "-o", target, "--overwrite")
    assert stored(target)["weight"].shape == (4, 1, 5, 5)


def test_fit_errors_are_one_line(tmp_path: Path) -> None:
    source, target = picture(tmp_path / "a.png"), tmp_path / "w.npz"
    tiny = picture(tmp_path / "tiny.png", size=(9, 20))
    assert "give --output, --leave-one-out or both" in invoke("fit", source, status=2)
    for arguments, message in (
        (("-o", target), "pictures must be given, or scikit-image be installed for --leave-one-out, got none"),
        ((source, tiny, "-o", target), f"pictures must be at least 10x10 pixels, got 9x20 in {tiny}"),
        ((source, "--leave-one-out"), "leave-one-out must have at least 2 pictures, got 1"),
    ):
        assert invoke("fit", *arguments, status=2).strip() == f"error: fit: {message}"
    text = invoke("fit", source, "-o", target, "--kernel-size", 4, status=2)
    assert text.strip() == "error: fit_subpixel: kernel_size must be odd, got 4"
    assert not target.exists()


@pytest.mark.quick
def test_upscale_errors_are_one_line(tmp_path: Path, weights: Path) -> None:
    source, target = picture(tmp_path / "in.png"), tmp_path / "out.png"
    given = ("--mode", "learned", "--weights", weights)
    for arguments, message in (
        (("--mode", "learned"), "weights must be given for the mode learned, got none; fastup fit writes them"),
        ((*given, "--scale", 3), "scale must equal the factor 2 of the weights, got 3"),
        ((*given, "--size", "5x5"), "mode learned must be without --size, --antialias and --align-corners, got one"),
        ((*given, "--antialias"), "mode learned must be without --size, --antialias and --align-corners, got one"),
        (
            ("--scale", 2, "--weights", weights),
            "weights must be given with the mode learned only, got the mode bicubic",
        ),
    ):
        assert invoke("upscale", source, target, *arguments, status=2).strip() == f"error: upscale: {message}"
    assert not target.exists()


def test_upscale_refuses_other_files(tmp_path: Path, weights: Path) -> None:
    good = stored(weights)
    wrong = {
        "version.npz": good | {"format_version": 2},
        "missing.npz": {"weight": good["weight"]},
        "shape.npz": good | {"weight": good["weight"][:3]},
        "nan.npz": good | {"weight": good["weight"] * np.float32(np.nan)},
        "even.npz": good | {"weight": np.zeros((4, 1, 2, 2), np.float32), "kernel_size": (2, 2)},
        "objects.npz": good | {"weight": np.array([None])},
    }
    for name, entries in wrong.items():
        np.savez(tmp_path / name, **entries)
    np.save(tmp_path / "array.npy", good["weight"])
    (tmp_path / "text.npz").write_text("no archive")
    (tmp_path / "cut.npz").write_bytes(weights.read_bytes()[:-40])
    source = picture(tmp_path / "in.png")
    for name in (*wrong, "array.npy", "text.npz", "cut.npz"):
        given = ("--mode", "learned", "--weights", tmp_path / name)
        text = invoke("upscale", source, tmp_path / "out.png", *given, status=2)
        rule = (
            "have the format version 1, got 2 in" if name == "version.npz" else "be a file that fastup fit wrote, got"
        )
        assert text.startswith(f"error: upscale: weights must {rule} {tmp_path / name}"), name
        assert text.count("\n") == 1, name


def test_the_weights_export_as_they_are(tmp_path: Path, weights: Path) -> None:
    onnx = pytest.importorskip("onnx")

    call = ("--shape", "N,1,H,W", "--upscale-factor", 2, "--weights", weights, "-o", tmp_path / "m.onnx")
    invoke("export", "subpixel_conv2d", *call)
    plane = np.random.default_rng(5).integers(0, 256, (1, 12, 14), np.uint8)
    x = np.pad(plane, ((0, 0), (1, 1), (1, 1)), "edge").astype(np.float32)
    y = runtimes.run("onnxruntime", onnx.load(tmp_path / "m.onnx"), x[None])[0]
    expected = learned.enlarge(plane, learned.read(weights))
    assert np.abs(np.clip(np.rint(y), 0, 255) - expected).max() <= 1


def test_leave_one_out_fits_on_the_others_only(tmp_path: Path) -> None:
    sources = [picture(tmp_path / f"{name}.png", size=(40, 30)) for name in "ab"]
    Image.fromarray(np.random.default_rng(9).integers(0, 256, (26, 44), np.uint8)).save(sources[1])
    text = invoke("fit", *sources, "--leave-one-out", "-o", tmp_path / "w.npz")
    (line,) = (line for line in text.splitlines() if line.startswith("│ a "))
    figures = [float(cell) for cell in line.strip("│ ").split("│")[2:]]
    small, large = learned.pair(np.asarray(opened(sources[0])), (2, 2), (5, 5), "a")
    other = learned.pair(np.asarray(opened(sources[1]))[..., None], (2, 2), (5, 5), "b")
    layer = learned.Layer(fastup.init.fit_subpixel([tuple(learned.in_unit(one) for one in other)], 2), (2, 2))
    bicubic, lanczos = (fastup.interpolate(small[None], scale_factor=2, mode=m)[0] for m in ("bicubic", "lanczos"))
    inner = large[:, 4:-4, 4:-4].astype(np.float64)
    expected = [
        10 * np.log10(255**2 / np.mean((y[:, 4:-4, 4:-4] - inner) ** 2))
        for y in (bicubic, lanczos, learned.enlarge(small, layer))
    ]
    np.testing.assert_allclose(figures[:3], expected, atol=0.006)
    np.testing.assert_allclose(figures[3:], [expected[2] - expected[0], expected[2] - expected[1]], atol=0.006)
    assert (tmp_path / "w.npz").exists()


@pytest.mark.quick
def test_the_layer_beats_bicubic_on_the_photos() -> None:
    pytest.importorskip("skimage")
    text = invoke("fit", "--leave-one-out")
    rows = [line.strip("│ ").split("│") for line in text.splitlines() if line.startswith("│") and "mean" not in line]
    gains = {cells[0].strip(): float(cells[5]) for cells in rows}
    assert list(gains) == [photo.stem for photo in leave_one_out.photos()]
    assert len(gains) == 17
    assert gains.pop("cell") < 0  # at 53 dB, rounding is what is left, and the sharper layer amplifies it
    assert min(gains.values()) > 0.5
    assert sum(gains.values()) / len(gains) > 0.85
