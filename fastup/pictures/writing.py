"""Arrays, or images of libvips that are made row by row -> files, with the properties of their sources.

Pillow writes what has palettes, and JPEG by its source's own tables; libvips writes the rest, and all that does not fit
in memory. Properties of PNG, JPEG and TIFF are put into the file that either has written.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyvips
from PIL import Image, features

from fastup.pictures import containers, exif, fields, gif, ifd
from fastup.pictures.conversion import Pixels, as_image
from fastup.pictures.formats import Format
from fastup.pictures.frames import from_signed
from fastup.pictures.properties import Properties, jpeg_density, jpeg_pieces, png_pieces
from fastup.pictures.reading import Array

_TIME = 100  # milliseconds of a frame, where nothing says how long it is shown
QUALITY = 90  # where no source says another
_FULL_CHROMA = 90  # from this quality on, unless the source says another
_STANDARD_MEAN = 57.625  # of the table of luminance in annex K of JPEG, at quality 50
_PILLOW_NAMES = {"none": None, "lzw": "tiff_lzw", "deflate": "tiff_adobe_deflate", "packbits": "packbits"}
_CLASSIC_BYTES = 3 * 2**30  # above, a TIFF may pass 4 GB
_MODES = {
    ("grey", 1): "L", ("grey", 2): "LA", ("rgb", 3): "RGB", ("rgb", 4): "RGBA", ("cmyk", 4): "CMYK", ("lab", 3): "LAB",
}  # fmt: skip


@dataclass(frozen=True)
class Target:
    """What a file is to be.

    Attributes
    ----------
    format : Format
    pixels : Pixels
    height, width, frames : int
        Of the result.
    placement : Placement
        Where its pixels lie in the source.
    properties : Properties
    quality : int or None
        From 1 to 100, where the user says it.
    palette : mapping
        Colours of indices, in Pillow's words.
    same : bool
        Whether the source is of the same format.
    moved : bool
        Whether every pixel is one of the source.
    """

    format: Format
    pixels: Pixels
    height: int
    width: int
    frames: int
    placement: fields.Placement
    properties: Properties
    quality: int | None
    palette: Mapping[str, Any]
    same: bool
    moved: bool

    @property
    def encoding(self) -> Mapping[str, Any]:
        """How the source was encoded, if it is of the format."""
        return self.properties.encoding if self.same else {}

    @property
    def bytes(self) -> int:
        """Of all pixels."""
        return self.frames * self.height * self.width * self.pixels.channels * self.pixels.dtype.itemsize


def save(path: Path, target: Target, frames: Array | None, image: Any = None) -> None:
    """Write the file; `frames` is None where `image` has rows one after the other."""
    _WRITERS.get(target.format.name, _plain)(path, target, frames, image)


def _vips(target: Target, frames: Array | None, image: Any) -> Any:
    """As an image of libvips."""
    return as_image(frames, target.pixels) if frames is not None else image


def _pillow(target: Target, frames: Array | None, image: Any) -> list[Image.Image]:
    """As images of Pillow."""
    if frames is None:
        shape = target.frames, target.height, target.width, target.pixels.channels
        frames = np.frombuffer(image.write_to_memory(), target.pixels.dtype).reshape(shape)
    return [_one(target, np.ascontiguousarray(frame)) for frame in frames]


def _one(target: Target, frame: Array) -> Image.Image:
    pixels = target.pixels
    size = target.width, target.height
    if pixels.palette:
        made = Image.frombytes("P", size, frame.tobytes())
        made.putpalette(target.palette["colours"], target.palette["mode"])
        return made
    if pixels.bits == 1:
        return Image.fromarray(frame[..., 0]).convert("1", dither=Image.Dither.NONE)
    if pixels.dtype == np.uint16:
        return Image.fromarray(frame[..., 0])
    mode = _MODES[pixels.kind, pixels.channels]
    frame = from_signed(frame) if mode == "LAB" else frame
    return Image.frombuffer(mode, size, frame.tobytes(), "raw", mode, 0, 1)


def _png(path: Path, target: Target, frames: Array | None, image: Any) -> None:
    pixels = target.pixels
    if target.frames > 1 or pixels.palette:
        first, *others = _pillow(target, frames, image)
        options = _animation(target, others) | dict(target.palette.get("info", {}))
        first.save(path, "PNG", **options)
    else:
        bits = pixels.bits if pixels.bits < 8 else 8 * pixels.dtype.itemsize
        _vips(target, frames, image).pngsave(
            os.fsencode(path), bitdepth=bits, interlace="interlaced" in target.encoding, filter="all", keep="none"
        )
    containers.put_into_png(path, png_pieces(target.properties, (target.width, target.height)))


def _animation(target: Target, others: list[Image.Image]) -> dict[str, Any]:
    """Pillow's options for frames after the first one."""
    if not others:
        return {}
    times = target.properties.times
    options: dict[str, Any] = {"save_all": True, "append_images": others, "loop": target.properties.loop}
    return options | ({"duration": list(times)} if len(times) == len(others) + 1 else {})


def _jpeg(path: Path, target: Target, frames: Array | None, image: Any) -> None:
    options = _jpeg_options(target)
    if frames is None:
        quality = options.get("quality") or _quality(options["qtables"])
        chroma = "off" if options.get("subsampling") == "4:4:4" else "on"
        interlaced = bool(options.get("progressive"))
        image.jpegsave(os.fsencode(path), Q=quality, subsample_mode=chroma, interlace=interlaced, keep="none")
    else:
        _pillow(target, frames, image)[0].save(path, "JPEG", **options)
    pieces = jpeg_pieces(target.properties, (target.width, target.height))
    containers.put_into_jpeg(path, pieces, jpeg_density(target.properties))


def _jpeg_options(target: Target) -> dict[str, Any]:
    """Tables and chroma as the source has them, in Pillow's words."""
    options = {name: value for name, value in target.encoding.items() if value}
    if "subsampling" in target.encoding:  # one that no writer has is not thrown away
        options.setdefault("subsampling", "4:4:4")
    if target.quality is not None or "qtables" not in options:
        options.pop("qtables", None)
        options["quality"] = target.quality or QUALITY
        full = options["quality"] >= _FULL_CHROMA
        options.setdefault("subsampling", "4:4:4" if full else "4:2:0")
    return options


def _quality(tables: Mapping[int, Any]) -> int:
    """The quality of libjpeg whose table of luminance has the same mean."""
    percent = float(np.mean(tables[min(tables)])) / _STANDARD_MEAN * 100
    return int(np.clip(round((200 - percent) / 2 if percent <= 100 else 5000 / percent), 1, 100))


def _tiff(path: Path, target: Target, frames: Array | None, image: Any) -> None:
    pixels = target.pixels
    if pixels.palette or (pixels.kind == "lab" and pixels.dtype == np.uint8):
        first, *others = _pillow(target, frames, image)
        first.save(path, "TIFF", save_all=True, append_images=others, compression=_PILLOW_NAMES[_compression(target)])
    else:
        whole = _vips(target, frames, image)
        if target.frames > 1:
            whole = _with_fields(whole, {"page-height": target.height})
        compression = _compression(target)
        whole.tiffsave(
            os.fsencode(path), compression=compression, bitdepth=pixels.bits if pixels.bits < 8 else 0, keep="none",
            predictor=_predictor(pixels) if compression in ("lzw", "deflate") else "none",
            Q=target.quality or QUALITY, bigtiff=target.bytes > _CLASSIC_BYTES,
        )  # fmt: skip
    size = target.width, target.height
    held = fields.fields(target.properties, size, target.placement, target.frames)
    ifd.put_into(path, held, without=fields.DENSITY)  # which libvips makes up


def _compression(target: Target) -> str:
    """The source's, as far as it is for such pixels; LZW where the source is no TIFF."""
    pixels = target.pixels
    found = str(target.encoding.get("compression", "none" if target.same else "lzw"))
    if found == ("jpeg" if pixels.bits == 1 else "ccittfax4"):
        return "lzw"
    plain = pixels.dtype == np.uint8 and pixels.kind in ("grey", "rgb") and not (pixels.alpha or pixels.palette)
    return "lzw" if found == "jpeg" and not plain else found


def _predictor(pixels: Pixels) -> str:
    return "none" if pixels.bits < 8 else "float" if pixels.dtype.kind == "f" else "horizontal"


def _with_fields(image: Any, values: Mapping[str, Any]) -> Any:
    """The image with fields that libvips' savers look for."""
    kinds = {int: pyvips.GValue.gint_type, bytes: pyvips.GValue.blob_type, str: pyvips.GValue.gstr_type}
    changed = image.copy()
    for name, value in values.items():
        changed.set_type(kinds.get(type(value), pyvips.GValue.array_int_type), name, value)
    return changed


def _webp(path: Path, target: Target, frames: Array | None, image: Any) -> None:
    first, *others = _pillow(target, frames, image)
    one = target.properties.upright(target.width, target.height)
    named = {"icc_profile": one.icc, "exif": one.exif and exif.HEADER + one.exif, "xmp": one.xmp}
    lossless = bool(target.encoding.get("lossless")) and target.quality is None
    options = {"lossless": lossless, "quality": target.quality or QUALITY, "exact": True}
    first.save(path, "WEBP", **options, **_animation(target, others), **{k: v for k, v in named.items() if v})


def _gif(path: Path, target: Target, frames: Array | None, image: Any) -> None:
    one = target.properties.upright(target.width, target.height)
    if target.pixels.palette:
        _pillow(target, frames, image)[0].save(path, "GIF", **dict(target.palette.get("info", {})))
        gif.put_into(path, [one.comment] if one.comment else [], one.xmp)
        return
    values: dict[str, Any] = {"loop": one.loop, "delay": list(one.times) or [_TIME] * target.frames}
    if target.frames > 1:
        values["page-height"] = target.height
    whole = _with_fields(_vips(target, frames, image), values)
    whole.gifsave(os.fsencode(path), dither=0.0 if target.moved else 1.0)
    gif.put_into(path, [one.comment] if one.comment else [], one.xmp)


def _avif(path: Path, target: Target, frames: Array | None, image: Any) -> None:
    one = target.properties.upright(target.width, target.height)
    values = {"icc-profile-data": one.icc, "exif-data": one.exif and exif.HEADER + one.exif, "xmp-data": one.xmp}
    values = {name: value for name, value in values.items() if value}
    if target.pixels.dtype == np.uint8 and features.check_module("avif"):  # keeps EXIF as it is
        named = {name.partition("-")[0]: value for name, value in values.items()}
        named |= {"icc_profile": named.pop("icc")} if "icc" in named else {}
        _pillow(target, frames, image)[0].save(path, "AVIF", quality=target.quality or QUALITY, **named)
        return
    whole = _vips(target, frames, image)
    whole = _with_fields(whole, values) if values else whole
    depth = target.encoding.get("depth", 12) if target.pixels.dtype == np.uint16 else 8
    quality, keep = target.quality or QUALITY, "all" if values else "none"
    whole.heifsave(os.fsencode(path), compression="av1", Q=quality, bitdepth=depth, keep=keep)


def _plain(path: Path, target: Target, frames: Array | None, image: Any) -> None:
    """BMP, PPM, TGA and JPEG 2000, which Pillow writes."""
    names = {"bmp": "BMP", "ppm": "PPM", "tga": "TGA", "jp2": "JPEG2000"}
    options: dict[str, Any] = {}
    if "dpi" in target.format.keeps and target.properties.dpi:
        options["dpi"] = target.properties.dpi
    _pillow(target, frames, image)[0].save(path, names[target.format.name], **options)


_WRITERS: dict[str, Callable[[Path, Target, Array | None, Any], None]] = {
    "png": _png, "jpeg": _jpeg, "tiff": _tiff, "webp": _webp, "gif": _gif, "avif": _avif,
}  # fmt: skip
