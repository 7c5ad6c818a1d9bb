"""Files of many kinds, made by other programs: what each holds is compared before and after, or it was said."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("click.testing")
Image = pytest.importorskip("PIL.Image")
pyvips = pytest.importorskip("pyvips")
pytest.importorskip("rich")

from PIL import ImageOps, JpegImagePlugin  # noqa: E402

import fastup  # noqa: E402
from fastup.pictures import ifd, open_picture, read, read_frames  # noqa: E402
from fastup.pictures.sentences import sentence  # noqa: E402
from tests.picture_kinds import KINDS, XMP, exif, image, profile  # noqa: E402
from tests.test_cli import invoke  # noqa: E402

# Fields of EXIF that say how large or how turned the picture is, or where in the file something lies.
_CHANGES = {0x0100, 0x0101, 0x0112, 0x8769, 0x8825, 0xA002, 0xA003, 0x0201, 0x0202, 0x0103}
# Fields of TIFF that say how pixels are stored.
_STORAGE = {
    254, 256, 257, 258, 262, 266, 273, 274, 277, 278, 279, 284, 297, 317, 320, 322, 323, 324, 325, 338, 339, 347, 532,
}  # fmt: skip
_OWN_TEST = _STORAGE | {33550, 33922, 34665, 34853}  # looked at elsewhere
_OF_VIPS = ("n-pages", "delay", "loop", "bits-per-sample")


def described(path: Path) -> dict[str, Any]:
    """What a file holds, as Pillow and libvips tell it."""
    found = _by_vips(path)
    with contextlib.suppress(Image.UnidentifiedImageError), Image.open(path) as one:
        found["kind"] = one.format, one.mode
        if getattr(one, "n_frames", 1) == 1:
            found.pop("delay", None)
        found["frames"] = getattr(one, "n_frames", 1)
        for name in ("icc_profile", "comment", "xmp", "gamma", "interlace", "compression", "progressive"):
            found[name] = one.info.get(name)
        found["dpi"] = tuple(round(float(dots), 1) for dots in one.info.get("dpi", ()))
        if isinstance(one, JpegImagePlugin.JpegImageFile):
            found["tables"], found["sampling"] = one.quantization, JpegImagePlugin.get_sampling(one)
            kept = [(name, data) for name, data in one.applist if name not in ("APP0", "APP1", "APP2", "APP14", "COM")]
            found["segments"] = kept
        if one.format == "PNG":
            one.load()
            found["text"] = dict(one.text)
        block = one.getexif()
        if one.format == "TIFF":
            found["tags"] = {tag: str(value) for tag, value in one.tag_v2.items() if tag not in _OWN_TEST}
        else:
            found["exif"] = {tag: value for tag, value in block.items() if tag not in _CHANGES}
        for inner in (0x8769, 0x8825):
            found[str(inner)] = {tag: value for tag, value in block.get_ifd(inner).items() if tag not in _CHANGES}
    return found


def _by_vips(path: Path) -> dict[str, Any]:
    try:
        one = pyvips.Image.new_from_file(str(path))
    except pyvips.Error:
        return {}
    found = {name: one.get(name) for name in _OF_VIPS if one.get_typeof(name)}
    return found | {"samples": (one.bands, one.format, one.interpretation)}


# What may differ, though nothing is lost: a palette that must be made anew, shades between few bits, ...
_NEW_PALETTE = {"kind", "samples", "bits-per-sample", "interlace"}
_ALLOWED = {
    ("bicubic", "palette-2.png"): _NEW_PALETTE, ("bicubic", "palette-4.png"): _NEW_PALETTE,
    ("bicubic", "palette-16.png"): _NEW_PALETTE, ("bicubic", "palette-256.png"): _NEW_PALETTE,
    ("bicubic", "palette-alpha.png"): _NEW_PALETTE, ("bicubic", "palette.tif"): _NEW_PALETTE | {"tags"},
    ("bicubic", "palette.bmp"): _NEW_PALETTE, ("bicubic", "two-bits.png"): {"bits-per-sample", "kind"},
}  # fmt: skip
_SAID = {
    *((mode, name) for mode in ("nearest", "bicubic") for name in ("im-440.jpg", "im-411.jpg")),
    *((mode, name) for mode in ("nearest", "bicubic") for name in ("animated.gif", "im-disposal.gif")),
    *(("bicubic", name) for name in ("static.gif", "grey.gif", "im-palette.gif")),
}
_BY_FORMAT = {
    ".gif": {
        "kind",
        "bits-per-sample",
        "samples",
        "compression",
        "interlace",
    },  # colours are chosen anew for each frame
    ".webp": {"kind", "samples"},
    ".tga": {"compression"},
    ".avif": {"tables"},
}


@pytest.mark.parametrize("mode", ["nearest", "bicubic"])
@pytest.mark.parametrize("name", KINDS)
def test_every_property_stays_or_is_said(tmp_path: Path, name: str, mode: str) -> None:
    source, target = tmp_path / name, tmp_path / "out" / name
    KINDS[name](source)
    text = invoke("upscale", source, target, "--scale", 2, "--mode", mode, "--json")
    *_, (one,) = [json.loads(text[text.index("[\n") :])]
    before, after = described(source), described(target)
    allowed = _ALLOWED.get((mode, name), set()) | _BY_FORMAT.get(source.suffix, set())
    for field in before:
        if field in allowed or (field == "xmp" and b"tiff:Orientation" in (before[field] or b"")):
            continue
        assert _holds(after.get(field), before[field]) or _is_said(field, one["lost"]), (
            field,
            before[field],
            after.get(field),
        )
    assert bool(one["lost"]) == ((mode, name) in _SAID or ((mode, name) in _ALLOWED and "palette" in name))
    picture, result = (open_picture(path, path.name) for path in (source, target))
    assert (result.height, result.width, result.frames) == (2 * picture.height, 2 * picture.width, picture.frames)
    assert (result.kind, result.dtype) == (picture.kind, picture.dtype)
    assert result.alpha == picture.alpha or source.suffix == ".gif"  # of which libvips makes one colour transparent
    assert result.turn == 1


def _holds(after: Any, before: Any) -> bool:
    """Equal, or for a table: with all its entries."""
    return bool(after == before) if not isinstance(before, dict) else before.items() <= after.items()


def _is_said(field: str, lost: list[str]) -> bool:
    return any(field in one for one in lost)


_LOSSY = (".jpg", ".webp", ".avif", ".gif")


@pytest.mark.parametrize("name", [name for name in KINDS if not name.endswith(_LOSSY) and name != "jpeg.tif"])
def test_pixels_are_the_definition_s(tmp_path: Path, name: str) -> None:
    source, target = tmp_path / name, tmp_path / "out" / name
    KINDS[name](source)
    x = read_frames(open_picture(source, name))
    invoke("upscale", source, target, "--scale", 2, "--mode", "nearest")
    np.testing.assert_array_equal(read_frames(open_picture(target, name)), x.repeat(2, 1).repeat(2, 2))
    picture = open_picture(source, name)
    invoke("upscale", source, target, "--scale", 2, "--overwrite")
    if picture.alpha or picture.bits < 8:
        return
    expected = fastup.interpolate(
        x, scale_factor=2, mode="bicubic", antialias=True, data_format="channels_last"
    )  # fmt: skip
    np.testing.assert_array_equal(read_frames(open_picture(target, name)), expected)


@pytest.mark.parametrize("name", [name for name in KINDS if name.startswith(("turned", "intel"))])
def test_turned_pictures_stand_upright(tmp_path: Path, name: str) -> None:
    source, target = tmp_path / name, tmp_path / "out.png"
    KINDS[name](source)
    invoke("upscale", source, target, "--scale", 1)
    with Image.open(source) as before, Image.open(target) as after:
        np.testing.assert_array_equal(np.asarray(after), np.asarray(ImageOps.exif_transpose(before)))
        assert after.getexif().get(0x0112) == 1
    with Image.open(source) as before:
        np.testing.assert_array_equal(read(source), np.asarray(ImageOps.exif_transpose(before)))


def test_exif_is_kept_byte_for_byte(tmp_path: Path) -> None:
    """But for the orientation and the size, so that makers' notes stay where their offsets say."""
    source = tmp_path / "in.jpg"
    KINDS["turned-6.jpg"](source)
    invoke("upscale", source, tmp_path / "out.jpg", "--scale", 2)
    with Image.open(source) as one, Image.open(tmp_path / "out.jpg") as other:
        before, after = one.info["exif"], other.info["exif"]
        inner, whole = other.getexif().get_ifd(0x8769), other.getexif().tobytes()
        assert (inner[0xA002], inner[0xA003]) == other.size
    assert len(before) == len(after)
    assert sum(a != b for a, b in zip(before, after, strict=True)) <= 5
    for kind in ("png", "webp"):
        invoke("upscale", source, tmp_path / f"out.{kind}", "--scale", 2)
        with Image.open(tmp_path / f"out.{kind}") as other:
            assert other.getexif().tobytes() == whole


def test_xmp_is_turned_upright(tmp_path: Path) -> None:
    KINDS["iptc.jpg"](tmp_path / "in.jpg")
    invoke("upscale", tmp_path / "in.jpg", tmp_path / "out.jpg", "--scale", 2)
    with Image.open(tmp_path / "out.jpg") as one:
        assert b'tiff:Orientation="1"' in one.info["xmp"]
        assert (one.size, one.getexif().get(0x0112)) == ((36, 48), 1)


def test_places_on_earth_are_those_of_the_new_pixels(tmp_path: Path) -> None:
    KINDS["described.tif"](tmp_path / "in.tif")
    invoke("upscale", tmp_path / "in.tif", tmp_path / "out.tif", "--size", "48x72")
    with Image.open(tmp_path / "out.tif") as one:
        assert one.tag_v2[33550] == (5.0, 5.0, 0.0)
        assert one.tag_v2[33922] == (0.0, 0.0, 0.0, 5e5, 4e6, 0.0)


_TARGETS = ("png", "jpg", "tif", "webp", "gif", "avif", "bmp", "ppm")


@pytest.mark.parametrize("target", _TARGETS)
def test_other_formats_hold_what_they_can(tmp_path: Path, target: str) -> None:
    """Each kind becomes a file of the other format with the right pixels, or is refused in a sentence."""
    for name in KINDS:
        source, made = tmp_path / name, tmp_path / f"{name}.{target}"
        try:
            KINDS[name](source)
        except pytest.skip.Exception:
            continue
        result = _invoked("upscale", source, made, "--scale", 2, "--mode", "nearest", "--json", "--background", "white")
        if result.exit_code:
            assert result.exit_code == 2
            assert result.output.startswith("error: "), result.output
            assert result.output.count("\n") == 1, result.output
            assert not made.exists()
            continue
        picture, other = (open_picture(path, path.name) for path in (source, made))
        assert (other.height, other.width, other.frames) == (2 * picture.height, 2 * picture.width, picture.frames)
        if (
            target in ("png", "tif", "bmp")
            and name != "jpeg.tif"
            and picture.kind in ("rgb", "grey")
            and picture.dtype == other.dtype
        ):
            x, y = read_frames(picture), read_frames(other)
            if x.shape[-1] == y.shape[-1]:
                np.testing.assert_array_equal(y, x.repeat(2, 1).repeat(2, 2), err_msg=name)


def _invoked(*arguments: object) -> Any:
    from click.testing import CliRunner

    from fastup.cli import command

    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_properties_cross_formats(tmp_path: Path) -> None:
    """Profile, EXIF, XMP and dots an inch of a photo, from each of the formats that hold them to each other."""
    names = ("png", "jpg", "tif", "webp", "avif")
    image().save(tmp_path / "in.jpg", exif=exif(), icc_profile=profile(), dpi=(240, 240), xmp=XMP)
    for name in names:
        invoke("upscale", tmp_path / "in.jpg", tmp_path / f"from.{name}", "--scale", 1)
    for one, other in itertools.product(names, names):
        target = tmp_path / f"{one}-to.{other}"
        invoke("upscale", tmp_path / f"from.{one}", target, "--scale", 1)
        found = open_picture(target, target.name).properties
        assert found.icc == profile()
        assert XMP in found.xmp
        fields: Any = ifd.read(io.BytesIO(found.exif))
        assert fields[0x010F][1].startswith(b"Maker\0")
        assert fields[ifd.EXIF][0x9003][1] == b"2020:02:03 04:05:06\0"
        assert fields[ifd.GPS][1][1] == b"N\0"
        if {one, other} <= {"png", "jpg", "tif"}:
            assert found.dpi == pytest.approx((240, 240), abs=0.1)


@pytest.mark.parametrize("name", ["animated.gif", "animated.webp", "animated.png"])
@pytest.mark.parametrize("other", ["gif", "webp", "png"])
def test_animations_cross_formats(tmp_path: Path, name: str, other: str) -> None:
    source, target = tmp_path / name, tmp_path / f"out.{other}"
    KINDS[name](source)
    invoke("upscale", source, target, "--scale", 2)
    before, after = (open_picture(path, path.name) for path in (source, target))
    assert (after.frames, after.properties.times) == (before.frames, before.properties.times)
    assert after.properties.loop == before.properties.loop
    x, y = (read_frames(one)[..., :3].astype(int) for one in (before, after))
    away = np.abs(y[:, ::2, ::2] - x).mean((1, 2, 3))
    assert (away < 30).all()
    invoke("upscale", source, tmp_path / f"one.{other}", "--scale", 2, "--page", 2)
    assert open_picture(tmp_path / f"one.{other}", "one").frames == 1


def test_pages_of_unlike_sizes_are_refused(tmp_path: Path) -> None:
    Image.new("RGB", (5, 5)).save(tmp_path / "in.tif", save_all=True, append_images=[Image.new("RGB", (6, 7), "red")])
    call = ("upscale", tmp_path / "in.tif", tmp_path / "out.tif", "--scale", 2)
    assert "pages of different sizes or kinds; --page takes one" in invoke(*call, status=2)
    invoke(*call, "--page", 1)
    with Image.open(tmp_path / "out.tif") as one:
        assert (one.size, one.getpixel((3, 3))) == ((12, 14), (255, 0, 0))


_DAMAGED = (
    "rgb.png",
    "q95-444.jpg",
    "progressive.jpg",
    "rgb-lzw.tif",
    "pages.tif",
    "animated.gif",
    "lossy.webp",
    "rgb.avif",
)


@pytest.mark.parametrize("name", _DAMAGED)
def test_damaged_files_give_one_sentence_and_no_file(tmp_path: Path, name: str) -> None:
    """25 of each: cut off, or bytes changed. What a decoder takes for whole becomes a whole file."""
    KINDS[name](tmp_path / name)
    whole, chance = (tmp_path / name).read_bytes(), random.Random(name)
    source, target = tmp_path / f"damaged-{name}", tmp_path / f"out-{name}"
    refused = 0
    for k in range(25):
        data = bytearray(whole)
        if k % 2:
            del data[chance.randrange(1, len(data)) :]
        else:
            for _ in range(1 + k):
                data[chance.randrange(len(data))] = chance.randrange(256)
        source.write_bytes(bytes(data))
        result = _invoked("upscale", source, target, "--scale", 2, "--overwrite")
        assert result.exit_code in (0, 2), (k, result.output, result.exception)
        if result.exit_code:
            refused += 1
            assert result.output.startswith("error: "), result.output
            assert result.output.count("\n") == 1, result.output
            assert not target.exists()
        else:
            with Image.open(target) as one:
                one.load()
            target.unlink()
        assert not list(tmp_path.glob(".*"))
    assert refused >= 8


def test_large_pictures_go_strip_by_strip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same pixels as in memory, for all kinds that have strips, with alpha, light, turns and cropping."""
    from fastup.pictures import job, strips

    calls: list[tuple[str, tuple[object, ...]]] = [
        ("rgb.png", ()), ("rgba-16.tif", ()), ("pages.tif", ("--mode", "lanczos")), ("cmyk.tif", ()),
        ("grey-float.tif", ("--like", "pillow/lanczos")), ("rgb.png", ("--linear-light",)),
        ("turned-6.jpg", ("--format", "png")), ("turned-3.jpg", ("--format", "tiff")),
        ("rgb.png", ("--size", "31x31", "--crop")), ("rgb.png", ("--size", "9")), ("q95-444.jpg", ()),
        ("rgba.png", ("--format", "jpeg", "--background", "red")), ("one-bit.png", ()),
        ("cmyk.jpg", ("--format", "png")),
    ]  # fmt: skip
    for number, (name, options) in enumerate(calls):
        source = tmp_path / name
        KINDS[name](source)
        size = () if "--size" in options else ("--scale", 2.5)
        made = []
        for limit in (2**40, 0):
            monkeypatch.setattr(job, "IN_MEMORY", limit)
            monkeypatch.setattr(strips, "_STRIP_BYTES", 2000)
            folder = tmp_path / f"{number}-{limit}"
            invoke("upscale", source, "-o", folder, *size, *options)
            (path,) = folder.iterdir()
            made.append(path)
        a, b = (read_frames(open_picture(path, path.name)) for path in made)
        assert a.dtype == b.dtype
        if made[0].suffix in (".jpg", ".jpeg"):
            assert np.abs(a.astype(int) - b).max() < 40  # another encoder's tables
        else:
            np.testing.assert_array_equal(a, b, err_msg=f"{name} {options}")


def test_damaged_large_pictures_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that cannot be read end the result; what was made of those before is thrown away."""
    from fastup.pictures import job

    monkeypatch.setattr(job, "IN_MEMORY", 0)
    for name in ("rgb.png", "q95-444.jpg", "rgb-lzw.tif"):
        KINDS[name](tmp_path / name)
        data = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(data[: int(len(data) * 0.7)])
        for target in ("out.tif", "out.png", "out.jpg"):
            text = invoke("upscale", tmp_path / name, tmp_path / target, "--scale", 2, status=2)
            assert f"{name} cannot be read: " in text
            assert text.count("\n") == 1
            assert not (tmp_path / target).exists()


def test_turned_pages_go_strip_by_strip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from fastup.pictures import job

    pages = [image(seed=k) for k in range(3)]
    pages[0].save(tmp_path / "in.tif", save_all=True, append_images=pages[1:], tiffinfo={274: 6})
    made = []
    for limit in (2**40, 0):
        monkeypatch.setattr(job, "IN_MEMORY", limit)
        invoke("upscale", tmp_path / "in.tif", tmp_path / f"{limit}.tif", "--scale", 2)
        made.append(read_frames(open_picture(tmp_path / f"{limit}.tif", "made")))
    assert made[0].shape == (3, 48, 36, 3)
    np.testing.assert_array_equal(*made)


def test_black_and_white_is_cut_in_the_middle(tmp_path: Path) -> None:
    KINDS["one-bit.png"](tmp_path / "in.png")
    x = read_frames(open_picture(tmp_path / "in.png", "in"))
    y = fastup.interpolate(x, scale_factor=2, mode="bicubic", antialias=True, data_format="channels_last")
    for suffix in ("png", "tif", "bmp"):
        invoke("upscale", tmp_path / "in.png", tmp_path / f"out.{suffix}", "--scale", 2)
        with Image.open(tmp_path / f"out.{suffix}") as one:
            assert one.mode == "1"
            np.testing.assert_array_equal(np.asarray(one), y[0, ..., 0] > 127)


@pytest.mark.parametrize("premultiplied", [False, True])
def test_alpha_that_weights_already_stays_so(tmp_path: Path, premultiplied: bool) -> None:
    x = np.tile(np.array([200, 100, 0, 100], np.uint8), (8, 8, 1))
    pyvips.Image.new_from_array(x).copy(interpretation="srgb").tiffsave(
        str(tmp_path / "in.tif"), premultiply=premultiplied
    )  # fmt: skip
    invoke("upscale", tmp_path / "in.tif", tmp_path / "out.tif", "--scale", 2)
    before, after = (open_picture(tmp_path / name, name) for name in ("in.tif", "out.tif"))
    with Image.open(tmp_path / "out.tif") as one:
        assert one.tag_v2[338] == ((1,) if premultiplied else (2,))
    a, b = read_frames(before), read_frames(after)
    assert np.abs(b[0, ::2, ::2].astype(int) - a[0]).max() <= 1


def test_channels_of_any_meaning_are_no_alpha(tmp_path: Path) -> None:
    x = np.random.default_rng(0).integers(0, 256, (9, 8, 4), np.uint8)
    pyvips.Image.new_from_array(x).copy(interpretation="srgb").tiffsave(str(tmp_path / "in.tif"))
    ifd.put_into(tmp_path / "in.tif", [{338: (ifd.SHORT, b"\0\0")}])
    invoke("upscale", tmp_path / "in.tif", tmp_path / "out.tif", "--scale", 2)
    expected = fastup.interpolate(
        x[None], scale_factor=2, mode="bicubic", antialias=True, data_format="channels_last"
    )  # fmt: skip
    np.testing.assert_array_equal(read_frames(open_picture(tmp_path / "out.tif", "out")), expected)
    assert ifd.read(io.BytesIO((tmp_path / "out.tif").read_bytes()))[338] == (ifd.SHORT, b"\0\0")
    assert "has 4 channels" in invoke("upscale", tmp_path / "in.tif", tmp_path / "o.png", "--scale", 2, status=2)


def test_pages_have_properties_of_their_own(tmp_path: Path) -> None:
    """Each page's description goes into the result, and a page that is taken out brings its own."""
    pages = [image(seed=k) for k in range(3)]
    pages[0].save(tmp_path / "in.tif", save_all=True, append_images=pages[1:])
    ifd.put_into(tmp_path / "in.tif", [{270: (ifd.ASCII, f"page {k}\0".encode())} for k in range(3)])
    invoke("upscale", tmp_path / "in.tif", tmp_path / "out.tif", "--scale", 2)
    with (tmp_path / "out.tif").open("rb") as stream:
        assert [one[270] for one in ifd.read_all(stream, 9)] == [(2, f"page {k}\0".encode()) for k in range(3)]
    invoke("upscale", tmp_path / "in.tif", tmp_path / "one.tif", "--scale", 2, "--page", 2)
    with (tmp_path / "one.tif").open("rb") as stream:
        assert [one[270] for one in ifd.read_all(stream, 9)] == [(2, b"page 2\0")]
    assert "has no page 3" in invoke(
        "upscale", tmp_path / "in.tif", tmp_path / "o.tif", "--page", 3, "--scale", 2, status=2
    )


@pytest.mark.parametrize("middles", [False, True])
def test_places_on_earth_of_a_cropped_picture(tmp_path: Path, middles: bool) -> None:
    """A pixel's corner, or its middle where the file says so, keeps its place: x = scale * (column - tie) + place."""
    keys = np.array([1, 1, 0, 1, 1025, 0, 1, 2 if middles else 1], "<u2").tobytes()
    image("L").resize((20, 40)).save(tmp_path / "in.tif")

    def doubles(*values: float) -> Any:
        return ifd.DOUBLE, np.array(values, "<f8").tobytes()

    held: Any = {33550: doubles(10, 10, 0), 33922: doubles(0, 0, 0, 500, 900, 0), 34735: (ifd.SHORT, keys)}
    ifd.put_into(tmp_path / "in.tif", [held])
    invoke("upscale", tmp_path / "in.tif", tmp_path / "out.tif", "--size", "40x40", "--crop")
    with (tmp_path / "out.tif").open("rb") as stream:
        found: Any = ifd.read(stream)
    scale, tie = (np.frombuffer(found[tag][1], "<f8") for tag in (33550, 33922))
    assert scale[:2].tolist() == [5, 5]
    half = 0.5 if middles else 0.0
    for column, row in ((0, 0), (7, 3)):
        before = (500 + 10 * (column / 2), 900 - 10 * ((row + 20) / 2))  # of the corner in the picture before
        place = (tie[3] + 5 * (column - half - tie[0]), tie[4] - 5 * (row - half - tie[1]))
        shift = -10 * half, 10 * half
        assert np.allclose(np.add(before, shift), place)


def test_depths_that_pillow_cuts_down_are_said(tmp_path: Path) -> None:
    x = np.random.default_rng(0).integers(0, 65536, (9, 8, 3)).astype(">u2")
    (tmp_path / "in.ppm").write_bytes(b"P6\n# a word\n8 9\n65535\n" + x.tobytes())
    text = invoke("upscale", tmp_path / "in.ppm", tmp_path / "out.png", "--scale", 2)
    assert "16 bits a sample: 8 are kept" in text
    (tmp_path / "in.pgm").write_bytes(b"P5 8 9 65535\n" + x[..., 0].tobytes())
    assert invoke("upscale", tmp_path / "in.pgm", tmp_path / "grey.png", "--scale", 1, "--mode", "nearest") == ""
    np.testing.assert_array_equal(read(tmp_path / "grey.png")[..., 0], x[..., 0])


def test_white_of_ten_bits_is_white(tmp_path: Path) -> None:
    white = np.full((16, 16, 3), 65535, np.uint16)
    pyvips.Image.new_from_array(white).copy(interpretation="rgb16").heifsave(
        str(tmp_path / "in.avif"), compression="av1", bitdepth=10, lossless=True
    )  # fmt: skip
    invoke("upscale", tmp_path / "in.avif", tmp_path / "out.png", "--scale", 2)
    assert read(tmp_path / "out.png").min() == 65535
    invoke("upscale", tmp_path / "in.avif", tmp_path / "out.avif", "--scale", 2)
    assert pyvips.Image.new_from_file(str(tmp_path / "out.avif")).get("bits-per-sample") == 10


def test_films_that_are_cut_off_are_refused(tmp_path: Path) -> None:
    KINDS["animated.gif"](tmp_path / "in.gif")
    data = (tmp_path / "in.gif").read_bytes()
    for part in (0.3, 0.5, 0.7, 0.9):
        (tmp_path / "cut.gif").write_bytes(data[: int(len(data) * part)])
        text = invoke("upscale", tmp_path / "cut.gif", tmp_path / "out.gif", "--scale", 2, status=2)
        assert "cut.gif cannot be read: " in text


def test_words_of_gif_stay(tmp_path: Path) -> None:
    from fastup.pictures import gif

    KINDS["animated.gif"](tmp_path / "plain.gif")
    gif.put_into(tmp_path / "plain.gif", ["caf\u00e9 \u00a9".encode() * 60], XMP)
    for mode in ("nearest", "bicubic"):
        invoke("upscale", tmp_path / "plain.gif", tmp_path / "out.gif", "--scale", 2, "--mode", mode, "--overwrite")
        with (tmp_path / "out.gif").open("rb") as stream:
            assert gif.read(stream) == (["caf\u00e9 \u00a9".encode() * 60], XMP, True)
        with Image.open(tmp_path / "out.gif") as one:
            assert one.n_frames == 5
    invoke("upscale", tmp_path / "plain.gif", tmp_path / "out.png", "--scale", 2, "--page", 1)
    with Image.open(tmp_path / "out.png") as one:
        one.load()
        assert one.text["Comment"] == "caf\u00e9 \u00a9" * 60


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xd8\xff\xff", b"\xff\xd8\xff\xe0\0", b"\x89PNG\r\n\x1a\n\0\0\0\5IHDR\0\0\0\1\0aaaa",
        b"II*\0\x08\0\0\0\1\0i\x87\4\0\1\0\0\0\x08\0\0\0", b"GIF89a", b"RIFF\0\0\0\0WEBP", b"II*\0",
        b"\0\0\0\x18ftypavif\0\0\0\0", b"P6 1", b"\0" * 100,
    ],
)  # fmt: skip
def test_beginnings_of_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "in").write_bytes(content)
    text = invoke("upscale", tmp_path / "in", tmp_path / "out.png", "--scale", 2, status=2)
    assert "in cannot be read: " in text
    assert text.count("\n") == 1


def test_profiles_that_are_bombs_are_not_unpacked(tmp_path: Path) -> None:
    import zlib

    from fastup.pictures import containers

    image().save(tmp_path / "in.png")
    bomb = zlib.compress(bytes(2**27))
    containers.put_into_png(tmp_path / "in.png", [(b"iCCP", b"bomb\0\0" + bomb)])
    text = invoke("upscale", tmp_path / "in.png", tmp_path / "out.png", "--scale", 2)
    assert "a broken profile of colours" in text


@pytest.mark.parametrize("bits", ["1", "2", "4"])
def test_grey_with_one_transparent_shade(tmp_path: Path, bits: str) -> None:
    shades = (np.arange(72, dtype=np.uint8).reshape(8, 9) % 2) * np.uint8(255)
    pyvips.Image.new_from_array(shades).pngsave(str(tmp_path / "in.png"), bitdepth=int(bits))
    from fastup.pictures import containers

    containers.put_into_png(tmp_path / "in.png", [(b"tRNS", b"\0\0")])
    for mode in ("nearest", "bicubic"):
        invoke("upscale", tmp_path / "in.png", tmp_path / "out.png", "--scale", 2, "--mode", mode, "--overwrite")
        assert open_picture(tmp_path / "out.png", "out").alpha


def test_what_libvips_says_is_a_sentence() -> None:
    assert sentence(pyvips.Error("unable to load", "VipsJpeg: premature end\nVipsJpeg: more\n")) == "premature end"
    assert sentence(pyvips.Error("nothing more")) == "nothing more"


def test_a_film_behind_a_photo_is_said(tmp_path: Path) -> None:
    image().save(tmp_path / "in.jpg")
    whole = (tmp_path / "in.jpg").read_bytes()
    for tail, said in ((b"", False), (b"\0" * 99, False), (b"ftypmp42" * 50, True)):
        (tmp_path / "in.jpg").write_bytes(whole + tail)
        text = invoke("upscale", tmp_path / "in.jpg", tmp_path / "out.jpg", "--scale", 2, "--overwrite")
        assert ("what follows the picture in the file" in text) == said
