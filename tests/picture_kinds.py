"""Kinds of picture files, made by Pillow, libvips and, where it is installed, ImageMagick."""

from __future__ import annotations

import functools
import io
import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Image = pytest.importorskip("PIL.Image")
pyvips = pytest.importorskip("pyvips")

from PIL import ImageCms, ImageDraw, PngImagePlugin, TiffImagePlugin  # noqa: E402

Array = np.ndarray[Any, Any]
SIZE = (24, 18)
CONVERT = next((found for name in ("convert-im6.q16", "magick", "convert") if (found := shutil.which(name))), None)
XMP = (
    b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    b'xmlns:dc="http://purl.org/dc/elements/1.1/" dc:format="kept"/></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
)


def samples(channels: int = 3, dtype: Any = np.uint8, seed: int = 0) -> Array:
    """A smooth picture with some noise (height, width, channels)."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[: SIZE[1], : SIZE[0]]
    planes = [np.sin(x / (3 + k)) * np.cos(y / (4 + k)) * 0.4 + 0.5 for k in range(channels)]
    values = np.stack(planes, -1) + generator.normal(0, 0.02, (*y.shape, channels))
    if np.dtype(dtype).kind == "f":
        return np.asarray(values, dtype)
    return np.asarray(np.clip(values, 0, 1) * np.iinfo(dtype).max, dtype)


def image(mode: str = "RGB", seed: int = 0) -> Any:
    """The same as an image of Pillow."""
    channels = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "1": 1, "P": 3, "CMYK": 4, "LAB": 3}[mode]
    pixels = samples(channels, seed=seed)
    made = Image.fromarray(pixels[..., 0] if channels == 1 else pixels)
    if mode == "CMYK":
        return Image.frombytes("CMYK", SIZE, pixels.tobytes())
    return made if made.mode == mode else made.convert(mode)


@functools.cache  # it has the time in it
def profile() -> bytes:
    """A profile of colours."""
    made: Any = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    content: bytes = made.tobytes()
    return content


def exif(orientation: int = 1, order: str = "MM") -> bytes:
    """A block with a maker's note, a place, the size, and a thumbnail's directory."""
    block = Image.Exif()
    block.endian = ">" if order == "MM" else "<"
    block[0x010F], block[0x0110], block[0x0112] = "Maker", "Model", orientation
    block[0x013B], block[0x8298] = "Artist", "Rights"
    inner = block.get_ifd(0x8769)
    inner[0x9003], inner[0x829A], inner[0x927C] = "2020:02:03 04:05:06", (1, 250), b"note of a maker" * 9
    inner[0xA002], inner[0xA003] = SIZE
    place = block.get_ifd(0x8825)
    place[1], place[2] = "N", (48.0, 8.0, 14.5)
    content: bytes = block.tobytes()
    return content


def vips(pixels: Array, interpretation: str) -> Any:
    return pyvips.Image.new_from_array(pixels).copy(interpretation=interpretation)


def texts() -> Any:
    made = PngImagePlugin.PngInfo()
    made.add_text("Title", "a title")
    made.add_text("Description", "long " * 40, zip=True)
    made.add_itxt("Author", "Zoë", "en", "Author")
    made.add(b"gAMA", struct.pack(">I", 45455))
    return made


def frames(count: int, mode: str = "RGB") -> list[Any]:
    """Frames, each with a square elsewhere."""
    made = []
    for k in range(count):
        one = image(mode, k)
        ImageDraw.Draw(one).rectangle((2 + 3 * k, 3, 6 + 3 * k, 9), fill=(250, 40 * k, 0, 255)[: len(one.getbands())])
        made.append(one)
    return made


def several(count: int, mode: str = "RGB", **options: Any) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        first, *others = frames(count, mode)
        first.save(path, save_all=True, append_images=others, **options)

    return make


def pillow(mode: str = "RGB", **options: Any) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        image(mode).save(path, **{name: one() if callable(one) else one for name, one in options.items()})

    return make


def by_vips(saver: str, channels: int, dtype: Any, interpretation: str, **options: Any) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        try:
            getattr(vips(samples(channels, dtype), interpretation), saver)(str(path), **options)
        except pyvips.Error:
            pytest.skip("this libvips does not write it")

    return make


def magick(*arguments: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        if CONVERT is None:
            pytest.skip("ImageMagick is not installed")
        source = path.parent / "source.png"
        image().save(source)
        done = subprocess.run([CONVERT, str(source), *arguments, str(path)], capture_output=True, check=False)
        if done.returncode or not path.exists():
            pytest.skip("this ImageMagick does not write it")

    return make


def palette(bits: int, **options: Any) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        made = Image.fromarray((samples(1)[..., 0] // (256 >> bits)).astype(np.uint8))
        made = Image.frombytes("P", SIZE, made.tobytes())
        made.putpalette(np.random.default_rng(1).integers(0, 256, 3 << bits, np.uint8).tobytes())
        made.save(path, **options)

    return make


def geographic(path: Path) -> None:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, values in ((33550, (10.0, 20.0, 0.0)), (33922, (0.0, 0.0, 0.0, 5e5, 4e6, 0.0))):
        tags.tagtype[tag] = 12
        tags[tag] = values
    tags[270], tags[305], tags[42113] = "a description", "software", "-9999"
    image("L").save(path, tiffinfo=tags)


def photo(orientation: int, order: str = "MM", **options: Any) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        image().save(path, exif=exif(orientation, order), icc_profile=profile(), dpi=(240, 240), **options)

    return make


def with_iptc(path: Path) -> None:
    """A JPEG with Photoshop's resources, XMP that turns it, and segments of another program."""
    buffer = io.BytesIO()
    image().save(buffer, "JPEG", quality=91, exif=exif(6))
    data = buffer.getvalue()
    packet = XMP.replace(b'dc:format="kept"', b'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"')
    parts = [
        (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet),
        (0xED, b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x0e\x1c\x02\x19\0\x09a keyword"),
        (0xEC, b"Ducky\0\x01\0\x04\0\0\0\x50\0\0"),
    ]
    inserted = b"".join(struct.pack(">BBH", 0xFF, marker, len(one) + 2) + one for marker, one in parts)
    path.write_bytes(data[:20] + inserted + data[20:])


KINDS: dict[str, Callable[[Path], None]] = {
    # Pillow
    "grey.png": pillow("L"), "grey-alpha.png": pillow("LA"), "rgb.png": pillow("RGB"), "rgba.png": pillow("RGBA"),
    "one-bit.png": pillow("1"), "texts.png": pillow(pnginfo=texts), "exif.png": pillow(exif=exif),
    "profile.png": pillow(icc_profile=profile, dpi=(150, 150)), "palette-2.png": palette(1),
    "palette-4.png": palette(2), "palette-16.png": palette(4), "palette-256.png": palette(8),
    "palette-alpha.png": palette(4, transparency=bytes(range(0, 256, 16))),
    "animated.png": several(4, duration=[100, 200, 300, 400], loop=2), "animated-alpha.png": several(3, "RGBA"),
    "q95-444.jpg": pillow(quality=95, subsampling=0), "q80-422.jpg": pillow(quality=80, subsampling=1),
    "q50-420.jpg": pillow(quality=50, subsampling=2), "progressive.jpg": pillow(quality=85, progressive=True),
    "grey.jpg": pillow("L", quality=88), "cmyk.jpg": pillow("CMYK", quality=93),
    "comment.jpg": pillow(comment=b"words"),
    "tables.jpg": pillow(qtables=[list(range(1, 65)), list(range(2, 66))]), "iptc.jpg": with_iptc,
    "profile-of-2-segments.jpg": pillow(icc_profile=lambda: profile() + bytes(90000)),
    "xmp.jpg": pillow(xmp=XMP), **{f"turned-{k}.jpg": photo(k) for k in range(1, 9)},
    "intel-order.jpg": photo(6, "II", quality=97), "grey.tif": pillow("L"),
    "rgb-lzw.tif": pillow(compression="tiff_lzw"),
    "deflate.tif": pillow("RGBA", compression="tiff_adobe_deflate"), "packbits.tif": pillow(compression="packbits"),
    "group4.tif": pillow("1", compression="group4"), "cmyk.tif": pillow("CMYK"), "lab.tif": pillow("LAB"),
    "palette.tif": palette(8), "pages.tif": several(4), "described.tif": geographic,
    "tiff-exif.tif": pillow(exif=exif, icc_profile=profile, dpi=(300, 300)), "lossy.webp": pillow(quality=80),
    "lossless.webp": pillow("RGBA", lossless=True), "exif.webp": pillow(exif=exif, icc_profile=profile, xmp=XMP),
    "animated.webp": several(4, duration=[40, 50, 60, 70], loop=3), "static.gif": pillow("P"),
    "grey.gif": pillow("L"),
    "animated.gif": several(5, duration=[50, 100, 150, 200, 250], loop=0), "rgb.bmp": pillow(dpi=(96, 96)),
    "grey.bmp": pillow("L"), "palette.bmp": palette(8), "rgb.ppm": pillow(), "grey.pgm": pillow("L"),
    "rgb.tga": pillow(),
    # libvips
    "grey-16.png": by_vips("pngsave", 1, np.uint16, "grey16"),
    "rgb-16.png": by_vips("pngsave", 3, np.uint16, "rgb16"),
    "rgba-16.png": by_vips("pngsave", 4, np.uint16, "rgb16"),
    "interlaced.png": by_vips("pngsave", 3, np.uint8, "srgb", interlace=True),
    "two-bits.png": by_vips("pngsave", 1, np.uint8, "b-w", bitdepth=2),
    "rgb-16.tif": by_vips("tiffsave", 3, np.uint16, "rgb16"),
    "rgba-16.tif": by_vips("tiffsave", 4, np.uint16, "rgb16", compression="deflate"),
    "grey-float.tif": by_vips("tiffsave", 1, np.float32, "b-w"),
    "rgb-float.tif": by_vips("tiffsave", 3, np.float32, "rgb"),
    "signed.tif": by_vips("tiffsave", 1, np.int16, "b-w"),
    "five-bands.tif": by_vips("tiffsave", 5, np.uint8, "multiband"),
    "bigtiff.tif": by_vips("tiffsave", 3, np.uint8, "srgb", bigtiff=True),
    "tiled.tif": by_vips("tiffsave", 3, np.uint8, "srgb", tile=True, tile_width=16, tile_height=16),
    "int.tif": by_vips("tiffsave", 1, np.int32, "b-w"), "bytes.tif": by_vips("tiffsave", 1, np.int8, "b-w"),
    "jpeg.tif": by_vips("tiffsave", 3, np.uint8, "srgb", compression="jpeg", Q=90),
    "lab-float.tif": by_vips("tiffsave", 3, np.float32, "lab"),
    "cmyk-16.tif": by_vips("tiffsave", 4, np.uint16, "cmyk"),
    "rgb.avif": by_vips("heifsave", 3, np.uint8, "srgb", compression="av1"),
    "deep.avif": by_vips("heifsave", 3, np.uint16, "rgb16", compression="av1", bitdepth=10),
    # ImageMagick
    "im-16.png": magick("-depth", "16"), "im-big-endian.tif": magick("-endian", "MSB"),
    "im-white-is-zero.tif": magick("-colorspace", "gray", "-define", "quantum:polarity=min-is-white"),
    "im-float.tif": magick("-depth", "32", "-define", "quantum:format=floating-point"),
    "im-lab.tif": magick("-colorspace", "Lab"), "im-planar.tif": magick("-interlace", "plane"),
    "im-440.jpg": magick("-sampling-factor", "1x2"),
    "im-411.jpg": magick("-sampling-factor", "4x1", "-quality", "88"),
    "im-dots.jpg": magick("-units", "PixelsPerCentimeter", "-density", "118"),
    "im-rle.tga": magick("-compress", "RLE"),
    "im-bits.tif": magick("-monochrome", "-compress", "Group4"), "im-palette.gif": magick("-colors", "17"),
    "im-disposal.gif": magick(
        "(", "-clone", "0", "-roll", "+5+0", ")", "-set", "delay", "7", "-set", "dispose", "Background"
    ),
}  # fmt: skip
