"""``fastup upscale`` as a person would use it: which file goes where, which size it gets, what is refused or said."""

from __future__ import annotations

import io
import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastup

click_testing = pytest.importorskip("click.testing")
Image = pytest.importorskip("PIL.Image")
pytest.importorskip("pyvips")
pytest.importorskip("rich")

from fastup.cli import command  # noqa: E402
from tests.test_cli import invoke, opened, picture  # noqa: E402

COMMAND = [sys.executable, "-m", "fastup", "upscale"]


def pixels(path: Path) -> Any:
    return np.asarray(opened(path))


@pytest.mark.quick
@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "I;16"])
def test_the_kind_of_picture_stays(tmp_path: Path, mode: str) -> None:
    source = picture(tmp_path / "in.png", mode)
    invoke("upscale", source, tmp_path / "out.png", "--scale", 2, "--mode", "nearest")
    before, after = opened(source), opened(tmp_path / "out.png")
    assert (after.size, after.mode) == ((62, 40), before.mode)
    np.testing.assert_array_equal(np.asarray(after), np.asarray(before).repeat(2, 0).repeat(2, 1))


@pytest.mark.quick
def test_the_default_is_bicubic_with_antialias(tmp_path: Path) -> None:
    source = picture(tmp_path / "in.png")
    x = pixels(source).transpose(2, 0, 1)[None]
    for size in ((50, 41), (9, 7)):
        invoke("upscale", source, tmp_path / "out.png", "--size", f"{size[0]}x{size[1]}", "--overwrite")
        expected = fastup.interpolate(x, size[::-1], mode="bicubic", antialias=True)[0].transpose(1, 2, 0)
        np.testing.assert_array_equal(pixels(tmp_path / "out.png"), expected)


MODES = ("nearest", "nearest-exact", "area", "bilinear", "bicubic", "lanczos")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("options", [(), ("--no-antialias",), ("--align-corners",)])
def test_every_mode_that_is_offered_works(tmp_path: Path, mode: str, options: tuple[str, ...]) -> None:
    source = picture(tmp_path / "in.png", "L")
    if options == ("--align-corners",) and mode not in ("bilinear", "bicubic"):
        text = invoke("upscale", source, tmp_path / "out.png", "--scale", 1.5, "--mode", mode, *options, status=2)
        assert "align_corners" in text
        return
    invoke("upscale", source, tmp_path / "out.png", "--scale", 1.5, "--mode", mode, *options)
    antialias = mode in ("bilinear", "bicubic", "lanczos") and not options
    expected = fastup.interpolate(
        pixels(source)[None, None], scale_factor=1.5, mode=mode, antialias=antialias,
        align_corners=True if "--align-corners" in options else None,
    )  # fmt: skip
    np.testing.assert_array_equal(pixels(tmp_path / "out.png"), expected[0, 0])


def test_help_offers_only_what_works_for_pictures(tmp_path: Path) -> None:
    text = " ".join(invoke("upscale", "--help").split())
    assert f"--mode {'|'.join(MODES)}|learned" in text
    source = picture(tmp_path / "in.png")
    for mode in ("linear", "trilinear"):
        told = invoke("upscale", source, tmp_path / "o.png", "--scale", 2, "--mode", mode, status=2)
        assert f"mode must be one of {', '.join(MODES)}, learned for pictures, got {mode}" in told


@pytest.mark.parametrize(
    ("options", "size"),
    [
        (("--size", "300"), (300, 200)), (("--size", "15"), (15, 10)), (("--size", "1"), (1, 1)),
        (("--size", "60x60"), (60, 60)), (("--size", "60x60", "--fit"), (60, 40)),
        (("--size", "60x60", "--fill"), (90, 60)), (("--size", "60x60", "--crop"), (60, 60)),
        (("--size", "10x90", "--fit"), (10, 7)), (("--scale", "1.5"), (45, 30)), (("--scale", "0.5"), (15, 10)),
    ],
)  # fmt: skip
def test_sizes(tmp_path: Path, options: tuple[str, ...], size: tuple[int, int]) -> None:
    source = picture(tmp_path / "in.png", size=(30, 20))
    invoke("upscale", source, tmp_path / "out.png", *options)
    assert opened(tmp_path / "out.png").size == size


def test_crop_keeps_the_middle(tmp_path: Path) -> None:
    source = picture(tmp_path / "in.png", "L", size=(30, 20))
    invoke("upscale", source, tmp_path / "out.png", "--size", "20x20", "--crop")
    np.testing.assert_array_equal(pixels(tmp_path / "out.png"), pixels(source)[:, 5:25])


@pytest.mark.parametrize("convention", ["pillow/lanczos", "opencv/area", "torch/bilinear-antialias", "tensorflow/area"])
def test_like_gives_a_library_s_pixels(tmp_path: Path, convention: str) -> None:
    source = picture(tmp_path / "in.png", "L")
    invoke("upscale", source, tmp_path / "out.png", "--size", "13x11", "--like", convention)
    expected = fastup.resize(pixels(source), (11, 13), like=convention)
    if expected.dtype != np.uint8:
        pytest.skip("the library gives floats")
    np.testing.assert_array_equal(pixels(tmp_path / "out.png"), expected)


def test_like_is_a_rule_of_its_own(tmp_path: Path) -> None:
    source = picture(tmp_path / "in.png")
    call = ("upscale", source, tmp_path / "out.png", "--scale", 2, "--like")
    assert "give it without --mode" in invoke(*call, "pillow/box", "--mode", "area", status=2)
    assert "pillow/bix" in invoke(*call, "pillow/bix", status=2)


@pytest.mark.parametrize("channels", ["RGBA", "LA"])
@pytest.mark.parametrize("deep", [False, True])
def test_colours_are_weighted_by_alpha(tmp_path: Path, channels: str, deep: bool) -> None:
    """A red square on transparent black: no halo. At a quarter and three quarters of its edge alpha is 64 and 191."""
    import pyvips

    x = np.zeros((8, 8, 4 if channels == "RGBA" else 2), np.uint16 if deep else np.uint8)
    top = np.iinfo(x.dtype).max
    x[2:6, 2:6, 0], x[2:6, 2:6, -1] = top, top
    kind = {"RGBA": "rgb16" if deep else "srgb", "LA": "grey16" if deep else "b-w"}[channels]
    pyvips.Image.new_from_array(x).copy(interpretation=kind).pngsave(str(tmp_path / "in.png"))
    invoke(
        "upscale", tmp_path / "in.png", tmp_path / "out.png", "--scale", 2, "--mode", "bilinear", "--no-antialias"
    )  # fmt: skip
    y = pyvips.Image.new_from_file(str(tmp_path / "out.png")).numpy()
    assert y.dtype == x.dtype
    assert y[8, 3:5, 0].tolist() == [top, top]
    assert y[8, 3:5, -1].tolist() == [round(top / 4), round(top * 3 / 4)]
    assert not y[0].any()


def test_a_library_s_alpha_is_said(tmp_path: Path) -> None:
    source = picture(tmp_path / "in.png", "RGBA")
    text = invoke("upscale", source, tmp_path / "a.png", "--scale", 2, "--like", "opencv/linear")
    assert "colours are not weighted by alpha, as opencv has it" in text
    assert invoke("upscale", source, tmp_path / "b.png", "--scale", 2, "--like", "pillow/bicubic") == ""
    expected = Image.fromarray(pixels(source)).resize((62, 40), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(pixels(tmp_path / "b.png"), np.asarray(expected))


@pytest.mark.parametrize("mode", ["area", "bilinear"])
def test_light_is_added_not_samples(tmp_path: Path, mode: str) -> None:
    """Of black and white, half the light is 188."""
    board = (np.indices((8, 8)).sum(0) % 2 * 255).astype(np.uint8)
    Image.fromarray(np.stack([board] * 3, -1)).save(tmp_path / "in.png")
    call = ("upscale", tmp_path / "in.png", tmp_path / "out.png", "--mode", mode, "--no-antialias", "--scale", 0.5)
    invoke(*call)
    assert set(pixels(tmp_path / "out.png").ravel().tolist()) == {128}
    invoke(*call, "--overwrite", "--linear-light")
    assert set(pixels(tmp_path / "out.png").ravel().tolist()) == {188}


def test_light_is_that_of_the_profile(tmp_path: Path) -> None:
    """With a profile of gamma 1 samples are light."""
    from PIL import ImageCms

    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    linear = b"curv\0\0\0\0\0\0\0\0" + bytes(4)
    count = int.from_bytes(profile[128:132], "big")
    for k in range(count):
        entry = 132 + 12 * k
        if bytes(profile[entry : entry + 4]) in (b"rTRC", b"gTRC", b"bTRC"):
            profile[entry + 4 : entry + 12] = len(profile).to_bytes(4, "big") + (12).to_bytes(4, "big")
    profile += linear
    board = (np.indices((8, 8)).sum(0) % 2 * 255).astype(np.uint8)
    Image.fromarray(np.stack([board] * 3, -1)).save(tmp_path / "in.png", icc_profile=bytes(profile))
    invoke(
        "upscale", tmp_path / "in.png", tmp_path / "out.png", "--mode", "area", "--scale", 0.5, "--linear-light"
    )  # fmt: skip
    assert set(pixels(tmp_path / "out.png").ravel().tolist()) == {128}
    assert opened(tmp_path / "out.png").info["icc_profile"] == bytes(profile)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("gamma", [None, 1.0, 1.8, 2.2])
def test_samples_come_back_from_light(dtype: Any, gamma: float | None) -> None:
    from fastup.pictures.light import Curves, curves

    steps = np.arange(2**16) / (2**16 - 1)
    curve = curves("grey", b"") if gamma is None else Curves((steps**gamma,))
    samples = np.arange(np.iinfo(dtype).max + 1, dtype=dtype)[:, None]
    back = curve.samples(curve.light(samples), np.dtype(dtype))
    # A gamma leaves less than a float32's step between the darkest samples of 16 bits.
    dark = 0 if dtype == np.uint8 or gamma is None else 2
    assert np.abs(back.astype(int) - samples).max() <= dark


@pytest.mark.quick
def test_standard_input_and_output(tmp_path: Path) -> None:
    source = picture(tmp_path / "in.png")
    done = subprocess.run(
        [*COMMAND, "-", "-", "--scale", "2", "--format", "tiff"], input=source.read_bytes(), capture_output=True,
        check=True,
    )  # fmt: skip
    assert done.stderr == b""
    with Image.open(io.BytesIO(done.stdout)) as image:
        assert (image.format, image.size) == ("TIFF", (62, 40))
    text = invoke("upscale", source, "-", "--scale", 2, status=2)
    assert "standard output must be given --format" in text


@pytest.mark.quick
def test_several_sources_need_a_folder(tmp_path: Path) -> None:
    one, two = (picture(tmp_path / name, size=(10, 8)) for name in ("1.png", "2.png"))
    before = two.read_bytes()
    text = invoke("upscale", one, two, "--scale", 2, status=2)
    assert "exists; --overwrite" in text
    for target in (two, tmp_path / "new.png"):
        text = invoke("upscale", one, two, target, "--scale", 2, "--overwrite", status=2)
        assert "must be a folder that exists, or end with a slash, or be given by -o" in text
    assert not (tmp_path / "new.png").exists()
    assert two.read_bytes() == before
    for call in ((f"{tmp_path}/a/",), ("-o", tmp_path / "b")):
        invoke("upscale", one, two, *call, "--scale", 2)
    assert {path.name for path in (tmp_path / "a").iterdir()} == {path.name for path in (tmp_path / "b").iterdir()}
    assert opened(tmp_path / "b/2.png").size == (20, 16)


def test_folders_and_patterns(tmp_path: Path) -> None:
    (tmp_path / "in/deep/er").mkdir(parents=True)
    for name in ("a.png", "deep/b.jpg", "deep/er/c.tif"):
        picture(tmp_path / "in" / name, size=(10, 8))
    (tmp_path / "in/deep/notes.txt").write_text("no picture")
    text = invoke("upscale", tmp_path / "in", "-o", tmp_path / "in/out", "--scale", 2)
    assert "left out, for their names are of no pictures: 1" in text
    made = {str(path.relative_to(tmp_path / "in/out")) for path in (tmp_path / "in/out").rglob("*") if path.is_file()}
    assert made == {"a.png", "deep/b.jpg", "deep/er/c.tif"}
    # The target's own files are no sources.
    invoke("upscale", tmp_path / "in", "-o", tmp_path / "in/out", "--scale", 2, "--overwrite")
    assert len([path for path in (tmp_path / "in/out").rglob("*") if path.is_file()]) == 3
    invoke("upscale", tmp_path / "in" / "**" / "*.jpg", f"{tmp_path}/jpg/", "--scale", 2, "--format", "webp")
    made = {str(path.relative_to(tmp_path / "jpg")) for path in (tmp_path / "jpg").rglob("*.*")}
    assert made == {"deep/b.webp", "out/deep/b.webp"}
    assert "no file is in nothing*.png" in invoke("upscale", "nothing*.png", "-o", tmp_path, "--scale", 2, status=2)


def test_two_pictures_for_one_file_are_refused(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        picture(tmp_path / folder / "x.png")
    text = invoke("upscale", tmp_path / "a/x.png", tmp_path / "b/x.png", "-o", tmp_path / "out", "--scale", 2, status=2)
    assert "would both become" in text
    assert not (tmp_path / "out").exists()


@pytest.mark.quick
def test_files_are_replaced_only_when_asked(tmp_path: Path) -> None:
    source, target = picture(tmp_path / "in.png"), picture(tmp_path / "out.png")
    before = target.read_bytes()
    assert "exists; --overwrite replaces it" in invoke("upscale", source, target, "--scale", 2, status=2)
    invoke("upscale", source, target, "--scale", 2, "--skip-existing")
    assert target.read_bytes() == before
    target.chmod(0o640)
    invoke("upscale", source, target, "--scale", 2, "--overwrite")
    assert opened(target).size == (62, 40)
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    invoke("upscale", source, source, "--scale", 2, "--overwrite")  # in its own place
    assert opened(source).size == (62, 40)
    assert "not both" in invoke("upscale", source, target, "--scale", 2, "--overwrite", "--skip-existing", status=2)


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights")
def test_links_stay_links(tmp_path: Path) -> None:
    source, real = picture(tmp_path / "in.png"), picture(tmp_path / "real.png")
    (tmp_path / "link.png").symlink_to(real)
    invoke("upscale", source, tmp_path / "link.png", "--scale", 2, "--overwrite")
    assert (tmp_path / "link.png").is_symlink()
    assert opened(real).size == (62, 40)


@pytest.mark.quick
def test_nothing_is_computed_before_all_can_be_written(tmp_path: Path) -> None:
    alpha, plain = picture(tmp_path / "rgba.png", "RGBA"), picture(tmp_path / "plain.png")
    photo = picture(tmp_path / "photo.jpg")
    before = photo.read_bytes()
    text = invoke("upscale", alpha, photo, "--scale", 2, "--overwrite", status=2)
    assert "has alpha, which jpeg cannot hold" in text
    assert photo.read_bytes() == before
    text = invoke("upscale", plain, alpha, "-o", tmp_path / "out", "--format", "jpg", "--scale", 2, status=2)
    assert not (tmp_path / "out").exists()
    text = invoke("upscale", plain, tmp_path / "a.xyz", "--scale", 2, status=2)
    assert "the target must have a suffix of" in text
    assert "is no folder" in invoke("upscale", plain, tmp_path / "photo.jpg" / "a.png", "--scale", 2, status=2)


def test_a_background_takes_the_place_of_alpha(tmp_path: Path) -> None:
    Image.new("RGBA", (8, 8), (255, 0, 0, 128)).save(tmp_path / "in.png")
    call = ("upscale", tmp_path / "in.png", tmp_path / "out.bmp", "--scale", 2, "--overwrite", "--background")
    invoke(*call, "white")
    assert opened(tmp_path / "out.bmp").getpixel((3, 3)) == (255, 127, 127)
    invoke(*call, "#0000ff")
    assert opened(tmp_path / "out.bmp").getpixel((3, 3)) == (128, 0, 127)
    assert "is no colour" in invoke(*call, "colourless", status=2)


def test_a_batch_stops_or_goes_on(tmp_path: Path) -> None:
    sources = [picture(tmp_path / f"{k}.png", size=(10, 8)) for k in range(3)]
    (tmp_path / "1.png").write_bytes(b"no picture")
    text = invoke("upscale", *sources, "-o", tmp_path / "out", "--scale", 2, status=2)
    assert "1.png cannot be read: it is of no known format" in text
    assert not (tmp_path / "out").exists()
    text = invoke("upscale", *sources, "-o", tmp_path / "out", "--scale", 2, "--keep-going", status=1)
    assert text.count("error:") == 1
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"0.png", "2.png"}


def test_a_picture_that_fails_while_it_is_read(tmp_path: Path) -> None:
    sources = [picture(tmp_path / f"{k}.jpg", size=(200, 150)) for k in range(3)]
    sources[1].write_bytes(sources[1].read_bytes()[:3000])
    text = invoke("upscale", *sources, "-o", tmp_path / "out", "--scale", 2, "--keep-going", "--jobs", 2, status=1)
    assert text.count("\n") == 1
    assert "1.jpg cannot be read: " in text
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"0.jpg", "2.jpg"}
    text = invoke("upscale", *sources, "-o", tmp_path / "out", "--scale", 2, "--overwrite", "--jobs", 1, status=2)
    assert "1.jpg cannot be read: " in text


def test_dry_runs_and_lists(tmp_path: Path) -> None:
    sources = [picture(tmp_path / f"{k}.png", size=(10, 8)) for k in range(2)]
    call = ("upscale", *sources, "-o", tmp_path / "out", "--scale", 2, "--json")
    planned = json.loads(invoke(*call, "--dry-run"))
    assert not (tmp_path / "out").exists()
    done = json.loads(invoke(*call))
    again = json.loads(invoke(*call, "--skip-existing"))
    assert [[one["status"] for one in run] for run in (planned, done, again)] == [
        ["checked"] * 2, ["written"] * 2, ["skipped"] * 2
    ]  # fmt: skip
    assert [(one["width"], one["height"]) for one in done] == [(20, 16)] * 2
    assert [one["target"] for one in done] == [str(tmp_path / f"out/{k}.png") for k in range(2)]


def test_strict_refuses_what_is_not_kept(tmp_path: Path) -> None:
    source = picture(tmp_path / "in.png", "P")
    call = ("upscale", source, tmp_path / "out.png", "--scale", 2)
    assert "cannot keep all: the palette: its colours are mixed" in invoke(*call, "--strict", status=2)
    assert not (tmp_path / "out.png").exists()
    assert invoke(*call) == f"{source}: not kept: the palette: its colours are mixed\n"
    invoke(*call, "--strict", "--mode", "nearest", "--overwrite")


def test_large_pictures_are_refused_unless_allowed(tmp_path: Path) -> None:
    header = picture(tmp_path / "in.png").read_bytes()
    import zlib

    fields = header[12:16] + (60000).to_bytes(4, "big") * 2 + header[24:29]
    bomb = header[:12] + fields + zlib.crc32(fields).to_bytes(4, "big") + header[33:]
    (tmp_path / "bomb.png").write_bytes(bomb)
    text = invoke("upscale", tmp_path / "bomb.png", tmp_path / "out.png", "--scale", 2, status=2)
    assert "has 3,600,000,000 pixels, more than 2,147,483,648; --max-pixels allows more" in text
    assert text.count("\n") == 1
    call = ("upscale", picture(tmp_path / "small.png"), tmp_path / "out.png", "--scale", 2, "--max-pixels")
    assert "--max-pixels allows more" in invoke(*call, 100, status=2)
    invoke(*call, 0)


def test_errors_are_one_line(tmp_path: Path) -> None:
    source = picture(tmp_path / "in.png")
    assert "give exactly one of --scale and --size" in invoke("upscale", source, tmp_path / "o.png", status=2)
    text = invoke("upscale", source, tmp_path / "o.png", "--scale", "-1", status=2)
    assert text.strip() == "error: interpolate: scale_factor must be finite and greater than 0, got -1.0"
    assert "No such file" in invoke("upscale", tmp_path / "none.png", tmp_path / "o.png", "--scale", 2, status=2)
    assert "is not of the form 640x480" in invoke("upscale", source, tmp_path / "o.png", "--size", "big", status=2)
    assert "with --size WIDTHxHEIGHT" in invoke("upscale", source, tmp_path / "o.png", "--size", 9, "--fit", status=2)
    assert "--format must be one of" in invoke("upscale", source, "-", "--scale", 2, "--format", "xyz", status=2)
    assert "give a target" in invoke("upscale", source, "--scale", 2, status=2)
    (tmp_path / "empty.png").touch()
    assert "it is empty" in invoke("upscale", tmp_path / "empty.png", tmp_path / "o.png", "--scale", 2, status=2)


@pytest.mark.skipif(sys.platform != "linux", reason="names of bytes, and pipes")
def test_names_that_are_no_words(tmp_path: Path) -> None:
    for name in (
        "a b.png",
        "a[1].png",
        "[x]",
        "\u5b57" * 83 + ".png",
        ":smile:[red].png",
        os.fsdecode(b"bad\xff\xfe.png"),
    ):
        source = picture(tmp_path / "plain.png").rename(tmp_path / name)
        target = tmp_path / "out" / (name if name.endswith("png") else name + ".png")
        invoke("upscale", source, target, "--scale", 2)
        assert opened(target).size == (62, 40)
        source.write_bytes(b"no picture")
        text = invoke("upscale", source, target, "--scale", 2, "--overwrite", status=2)
        assert "it is of no known format" in text
        source.unlink()


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of POSIX")
def test_pipes_are_sources(tmp_path: Path) -> None:
    source = picture(tmp_path / "in.png")
    script = f"{sys.executable} -m fastup upscale <(cat {source}) {tmp_path}/out.png --scale 2"
    subprocess.run(["bash", "-c", script], check=True)
    assert opened(tmp_path / "out.png").size == (62, 40)


@pytest.mark.skipif(sys.platform == "win32", reason="a signal of POSIX")
def test_a_process_that_is_told_to_end_leaves_nothing(tmp_path: Path) -> None:
    source = picture(tmp_path / "in.png", size=(1500, 1200))
    for k in range(4):
        with subprocess.Popen(
            [*COMMAND, str(source), str(tmp_path / "out.png"), "--scale", "6"], stderr=subprocess.DEVNULL
        ) as process:
            for _ in range(600):
                if list(tmp_path.glob(".fastup-*")) or process.poll() is not None:
                    break
                time.sleep(0.01)
            time.sleep(0.02 * k)
            process.terminate()
        assert process.returncode in (143, -15)
        assert [path.name for path in tmp_path.iterdir()] == ["in.png"]


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_comes_meanwhile_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool) -> None:
    from fastup import pictures

    source, target, run = picture(tmp_path / "in.png"), tmp_path / "out.png", pictures.run

    def late(job: Any, path: Path, *others: Any) -> None:
        run(job, path, *others)
        target.write_bytes(b"somebody else's")

    def refused(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(pictures, "run", late)
    if not links:
        monkeypatch.setattr(os, "link", refused)
    assert "has come meanwhile, and stays" in invoke("upscale", source, target, "--scale", 2, status=2)
    assert target.read_bytes() == b"somebody else's"
    assert {path.name for path in tmp_path.iterdir()} == {"in.png", "out.png"}
    monkeypatch.setattr(pictures, "run", run)
    invoke("upscale", source, target, "--scale", 2, "--overwrite")
    assert opened(target).size == (62, 40)


def test_results_beyond_all_disks_are_refused(tmp_path: Path) -> None:
    source = picture(tmp_path / "in.png")
    text = invoke("upscale", source, tmp_path / "out.png", "--scale", 99999, status=2)
    assert "its result would have" in text


@pytest.mark.skipif(sys.platform == "win32", reason="a limit of POSIX")
def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    source, target = picture(tmp_path / "in.png", size=(300, 200)), picture(tmp_path / "out.png")
    before = target.read_bytes()
    limited = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (60000, 60000)); from fastup.__main__ import main; main()"
    )
    for name in ("out.png", "out.jpg", "out.tif", "out.webp"):
        done = subprocess.run(
            [sys.executable, "-c", limited, "upscale", source, tmp_path / name, "--scale", "2", "--overwrite"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 2, done.stderr
        assert "cannot be written" in done.stderr
        assert done.stderr.count("\n") == 1, done.stderr
    assert target.read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"in.png", "out.png"}


@pytest.mark.skipif(sys.platform == "win32", reason="a signal of POSIX")
def test_a_killed_run_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    """At 100 moments, in the process that computes and writes one file over and over."""
    source, target = picture(tmp_path / "in.png", size=(160, 120)), picture(tmp_path / "out.png")
    runs = """
import os, signal, sys, time
from fastup.cli import command
import fastup.pictures
from PIL import Image

def upscale(scale):
    command(["upscale", sys.argv[1], sys.argv[2], "--scale", str(scale), "--overwrite"], standalone_mode=False)

for k in range(100):
    child = os.fork()
    if child == 0:
        for turn in range(10**6):
            upscale(2 + turn % 2)
    time.sleep(0.02 + 0.0037 * k)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with Image.open(sys.argv[2]) as image:
        image.load()
        print(*image.size)
"""
    done = subprocess.run(
        [sys.executable, "-c", runs, str(source), str(target)], capture_output=True, text=True, check=True
    )
    sizes = [tuple(map(int, line.split())) for line in done.stdout.splitlines()]
    assert len(sizes) == 100
    assert set(sizes) <= {(31, 20), (320, 240), (480, 360)}
    assert {(320, 240), (480, 360)} <= set(sizes)


def test_progress_is_for_terminals(tmp_path: Path) -> None:
    source = picture(tmp_path / "in.png")
    done = subprocess.run(
        [*COMMAND, str(source), str(tmp_path / "out.png"), "--scale", "2"], capture_output=True, check=True
    )
    assert (done.stdout, done.stderr) == (b"", b"")
    if sys.platform == "win32":
        return
    import pty

    leader, follower = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, str(source), str(tmp_path / "again.png"), "--scale", "2"], stderr=follower, stdout=follower
    ) as process:
        assert process.wait() == 0
    os.close(follower)
    shown = os.read(leader, 2**16).decode()
    os.close(leader)
    assert "again.png" in shown
    assert "62x40" in shown


def test_the_limit_of_pillow_is_given_back(tmp_path: Path) -> None:
    before = Image.MAX_IMAGE_PIXELS
    assert before is not None
    click_testing.CliRunner().invoke(command, ["upscale", str(picture(tmp_path / "a.png")), "-o", str(tmp_path / "b")])
    assert before == Image.MAX_IMAGE_PIXELS
