"""Pictures at the edges: what two adversaries found, as kinds."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("click.testing")
Image = pytest.importorskip("PIL.Image")
pyvips = pytest.importorskip("pyvips")
pytest.importorskip("rich")

from PIL import ImageCms  # noqa: E402

from fastup.pictures import ifd, open_picture, read, read_frames  # noqa: E402
from tests.picture_kinds import exif, image, palette, several  # noqa: E402
from tests.test_cli import invoke, opened, picture  # noqa: E402


def test_tiles_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    x = np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8)
    for compression in ("none", "deflate", "lzw"):
        path = tmp_path / f"{compression}.tif"
        options = {"tile": True, "tile_width": 32, "tile_height": 32, "compression": compression}
        pyvips.Image.new_from_array(x).tiffsave(str(path), **options)
        invoke("upscale", path, tmp_path / "out.tif", "--scale", 2, "--overwrite")
        data = bytearray(path.read_bytes())
        fields: Any = ifd.read(io.BytesIO(bytes(data)))
        places = np.frombuffer(fields[324][1], "<u4")
        if compression == "none":
            continue
        data[places[5] : places[5] + 300] = bytes(300)
        path.write_bytes(bytes(data))
        text = invoke("upscale", path, tmp_path / "bad.tif", "--scale", 2, status=2)
        assert "cannot be read: " in text
        assert not (tmp_path / "bad.tif").exists()


def test_grey_of_lab_stays_grey(tmp_path: Path) -> None:
    """a and b of bytes are signed in a TIFF: 255 is -1, and the mean of it and 0 is near 0."""
    grey = Image.merge("RGB", [image("L")] * 3)
    to_lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    lab: Any = ImageCms.applyTransform(grey, to_lab)
    lab.save(tmp_path / "in.tif")
    invoke("upscale", tmp_path / "in.tif", tmp_path / "out.png", "--scale", 1, "--mode", "nearest")
    away = np.abs(read(tmp_path / "out.png").astype(int) - np.asarray(grey))
    assert away.max() <= 4
    invoke("upscale", tmp_path / "in.tif", tmp_path / "out.tif", "--scale", 2)
    with Image.open(tmp_path / "out.tif") as one:
        assert one.mode == "LAB"
        signed = np.asarray(one)[..., 1:].astype(np.int8)
    assert np.abs(signed).max() <= 3


@pytest.mark.parametrize("turn", range(1, 9))
def test_palettes_are_turned_once(tmp_path: Path, turn: int) -> None:
    palette(4)(tmp_path / "plain.png")
    with Image.open(tmp_path / "plain.png") as plain:
        plain.save(tmp_path / "in.tif", tiffinfo={274: turn})
    for mode in ("nearest", "bicubic"):
        invoke("upscale", tmp_path / "in.tif", tmp_path / f"{mode}.png", "--scale", 1, "--mode", mode)
    with Image.open(tmp_path / "nearest.png") as one:
        assert one.mode == "P"
    np.testing.assert_array_equal(read(tmp_path / "nearest.png"), read(tmp_path / "bicubic.png"))


def test_transparent_palettes_stay_transparent(tmp_path: Path) -> None:
    palette(4, transparency=bytes(range(0, 256, 16)))(tmp_path / "in.png")
    before = read(tmp_path / "in.png")
    assert before.shape[2] == 4
    for target in ("png", "tif", "webp"):
        invoke("upscale", tmp_path / "in.png", tmp_path / f"o.{target}", "--scale", 1, "--mode", "nearest")
        assert read(tmp_path / f"o.{target}")[..., 3].tolist() == before[..., 3].tolist()
    call = ("upscale", tmp_path / "in.png", tmp_path / "o.gif", "--scale", 1, "--mode", "nearest")
    assert "alpha between 0 and 255" in invoke(*call)
    assert "has alpha" in invoke("upscale", tmp_path / "in.png", tmp_path / "o.bmp", "--scale", 1, "--mode", "nearest",
                                 status=2)  # fmt: skip


def test_colours_that_no_library_weights_are_told(tmp_path: Path) -> None:
    x = np.random.default_rng(0).integers(0, 65536, (9, 8, 4)).astype(np.uint16)
    pyvips.Image.new_from_array(x).copy(interpretation="rgb16").pngsave(str(tmp_path / "deep.png"))
    picture(tmp_path / "plain.png", "RGBA")
    told = "colours are not weighted by alpha, as pillow has it"
    call = ("--scale", 2, "--like", "pillow/bicubic")
    assert told in invoke("upscale", tmp_path / "deep.png", tmp_path / "a.png", *call)
    assert told in invoke("upscale", tmp_path / "plain.png", tmp_path / "b.png", *call, "--linear-light")
    assert invoke("upscale", tmp_path / "plain.png", tmp_path / "c.png", *call) == ""


def test_folders_within_the_target_are_sources(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("in/a.png", "b.png"):
        picture(tmp_path / name, size=(10, 8))
    invoke("upscale", tmp_path / "in", tmp_path / "b.png", tmp_path, "--scale", 2, "--overwrite")
    assert opened(tmp_path / "a.png").size == opened(tmp_path / "b.png").size == (20, 16)
    assert opened(tmp_path / "in/a.png").size == (10, 8)
    invoke("upscale", tmp_path / "in", "-o", tmp_path / "in", "--scale", 2, "--overwrite")
    assert opened(tmp_path / "in/a.png").size == (20, 16)


def test_links_that_loop_end(tmp_path: Path) -> None:
    (tmp_path / "g").mkdir()
    picture(tmp_path / "g/a.png", size=(10, 8))
    for name in ("s1", "s2"):
        (tmp_path / "g" / name).symlink_to(".", target_is_directory=True)
    invoke("upscale", tmp_path / "g" / "**" / "*.png", "-o", tmp_path / "out", "--scale", 2)
    assert [path.name for path in (tmp_path / "out").rglob("*.png")] == ["a.png"]


@pytest.mark.parametrize("name", ["pages.tif", "film.gif"])
def test_no_page_gets_a_density_that_nobody_set(tmp_path: Path, name: str) -> None:
    several(3)(tmp_path / name)
    invoke("upscale", tmp_path / name, tmp_path / "out.tif", "--scale", 2)
    with (tmp_path / "out.tif").open("rb") as stream:
        pages = ifd.read_all(stream, 9)
    assert len(pages) == 3
    assert not any({282, 283, 296} & set(page) for page in pages)


def test_programs_are_no_pictures(tmp_path: Path) -> None:
    """PostScript would be run by whoever opens it."""
    (tmp_path / "photo.png").write_bytes(
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n" + f"({tmp_path}/made) (w) file closefile\n".encode()
    )
    text = invoke("upscale", tmp_path / "photo.png", tmp_path / "out.png", "--scale", 2, status=2)
    assert "it is of no known format" in text
    assert not (tmp_path / "made").exists()


def test_densities_and_thumbnails_of_exif(tmp_path: Path) -> None:
    """Densities change places with height and width; of the small picture of the old one no byte is left."""
    block = Image.Exif()
    block.load(exif(6))
    block[0x011A], block[0x011B], block[0x0128] = 300.0, 150.0, 2
    raw = block.tobytes()
    small = io.BytesIO()
    image().save(small, "JPEG")
    body = raw[6:]
    end = len(body)
    second = b"\0\2" + b"".join(
        tag.to_bytes(2, "big") + b"\0\4\0\0\0\1" + value.to_bytes(4, "big")
        for tag, value in ((0x201, end + 30), (0x202, len(small.getvalue())))
    )
    (start,) = (int.from_bytes(body[4:8], "big"),)
    count = int.from_bytes(body[start : start + 2], "big")
    pointer = start + 2 + 12 * count
    body = body[:pointer] + end.to_bytes(4, "big") + body[pointer + 4 :] + second + b"\0\0\0\0" + small.getvalue()
    image().save(tmp_path / "in.jpg", exif=b"Exif\0\0" + body)
    invoke("upscale", tmp_path / "in.jpg", tmp_path / "out.jpg", "--scale", 2)
    with Image.open(tmp_path / "out.jpg") as one:
        after = one.getexif()
        assert (float(after[0x011A]), float(after[0x011B])) == (150.0, 300.0)
        assert len(one.info["exif"]) == len(body) + 6
        assert small.getvalue()[20:] not in one.info["exif"]
        assert after.get_ifd(0x8769)[0x9003] == "2020:02:03 04:05:06"


def test_pictures_of_no_number_are_equal_to_themselves(tmp_path: Path) -> None:
    values = np.random.default_rng(0).random((20, 20)).astype(np.float32)
    values[3, 4] = np.nan
    Image.fromarray(values).save(tmp_path / "a.tif")
    assert invoke("compare", tmp_path / "a.tif", tmp_path / "a.tif").strip() == "equal: all samples are the same"


def test_a_page_of_any_kind_can_be_taken(tmp_path: Path) -> None:
    pages = [image("P"), image("RGB", 1), image("L", 2)]
    pages[0].save(tmp_path / "in.tif", save_all=True, append_images=pages[1:])
    for number, one in enumerate(pages):
        target = tmp_path / f"{number}.png"
        invoke("upscale", tmp_path / "in.tif", target, "--scale", 1, "--mode", "nearest", "--page", number)
        found = read_frames(open_picture(target, "out"))[0]
        expected = np.asarray(one.convert("RGB") if one.mode == "P" else one)
        np.testing.assert_array_equal(found if expected.ndim == 3 else found[..., 0], expected)
