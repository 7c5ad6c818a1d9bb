"""Pictures larger than memory: rows are read from the top, resized strip by strip, and handed to libvips' savers.

libvips reads an image from a source of bytes in a format that it knows, so the strips are sent as a PNG whose data is
not compressed, of one grey byte for each byte of a pixel, and seen as pixels again on the other side.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyvips

import fastup
from fastup.pictures.containers import PNG, png_chunk
from fastup.pictures.conversion import VIPS_FORMATS, Pixels, interpretation
from fastup.pictures.frames import as_samples
from fastup.pictures.reading import DTYPES, Array, Picture, vips_image
from fastup.pictures.resizing import Geometry, Point, Rule, Working
from fastup.plan.base import Plan

_STRIP_BYTES = 2**25  # of the source or of the result, whichever has more
_PIECE = 2**20
_STORED = 2**16 - 1  # bytes of a block of deflate that is not compressed


class _Rows:
    """Rows of an image from the top down, of which those that a strip shares with the one before are kept."""

    def __init__(self, image: Any, begin: int, before: Point) -> None:
        self._image, self._region = image, pyvips.Region.new(image)
        self._begin, self._before = begin, before
        self._first, self._held = 0, np.empty((0, image.width, image.bands), DTYPES[image.format])

    def rows(self, start: int, stop: int) -> Array:
        """Rows from `start` to before `stop` of the frame."""
        held = self._first + len(self._held)
        if stop > held:
            fresh = self._fetched(held, stop)
            kept = self._held[min(len(self._held), max(0, start - self._first)) :]
            self._held = np.concatenate((kept, fresh)) if len(kept) else fresh
            self._first = stop - len(self._held)
        return self._held[start - self._first : stop - self._first]

    def _fetched(self, start: int, stop: int) -> Array:
        image = self._image
        data = self._region.fetch(0, self._begin + start, image.width, stop - start)
        pixels = np.frombuffer(data, DTYPES[image.format]).reshape(stop - start, image.width, image.bands)
        return self._before(as_samples(image, pixels))


def resized_rows(
    picture: Picture, rule: Rule, geometry: Geometry, work: Working, threads: int | None, done: Callable[[float], None]
) -> Iterator[Array]:
    """Strips of the result, (rows, width, channels), frame after frame."""
    turned = picture.turn != 1  # such a picture's last column may be its first row
    image = vips_image(picture, "random" if turned else "sequential")
    shape = picture.height, picture.width, picture.channels
    plan = rule.plan(shape, work.dtype, geometry)
    size = rule.size(shape, work.dtype, geometry)
    kept_rows, kept_columns = geometry.cropped(size)
    windows = list(plan.windows(_strip_bytes(plan)))
    for frame in range(picture.frames):
        of_frame = _turned(image, picture, frame) if turned else image
        source = _Rows(of_frame, 0 if turned else frame * picture.height, work.before)
        for number, window in enumerate(windows):
            strip = _strip(plan, source, window, rule, threads)
            first, last = (max(kept_rows.start, window[0].start), min(kept_rows.stop, window[0].stop))
            if first < last:
                begin = window[0].start
                yield work.after(np.ascontiguousarray(strip[first - begin : last - begin, kept_columns]))
            done((frame + (number + 1) / len(windows)) / picture.frames)


def _turned(image: Any, picture: Picture, frame: int) -> Any:
    """One frame of those below each other, upright."""
    height = image.height // picture.frames
    part = image.crop(0, frame * height, image.width, height).copy()
    part.set_type(pyvips.GValue.gint_type, "orientation", picture.turn)
    return part.autorot()


def _strip_bytes(plan: Plan) -> int:
    """Of a strip of the result: as much less as the result is less than the source, but a row at least."""
    (shape, dtype), *_ = plan.outputs
    made, read = math.prod(shape) * dtype.itemsize, math.prod(plan.input_shape) * plan.dtype.itemsize
    row = made // plan.output_shape[plan.output_spatial_axes[0]]
    return max(row, int(_STRIP_BYTES * min(1.0, made / read)))


def _strip(plan: Plan, source: _Rows, window: tuple[slice, ...], rule: Rule, threads: int | None) -> Array:
    """Whole rows of the result."""
    rows, columns = plan.input_window(window)
    needed = source.rows(rows.start, rows.stop)[:, columns]
    batch = np.ascontiguousarray(needed if rule.like is not None else needed[None])
    made = np.asarray(fastup.run(plan.tile(window), batch, threads=threads))
    return made if rule.like is not None else made[0]


def image_of(strips: Iterator[Array], width: int, height: int, pixels: Pixels) -> tuple[Any, Stream]:
    """An image of libvips whose rows are made when they are asked for, and the stream that they come from."""
    item = pixels.channels * pixels.dtype.itemsize
    stream = Stream(_png(strips, width * item, height))
    source = pyvips.SourceCustom()
    source.on_read(stream.read)
    image = pyvips.Image.new_from_source(source, "", access="sequential", unlimited=True, fail_on="error").bandfold(
        factor=item
    )
    made = image.copy(
        format=VIPS_FORMATS[pixels.dtype.name], bands=pixels.channels, interpretation=interpretation(pixels)
    )
    return made, stream


class Stream:
    """Bytes in the pieces that are asked for, and the error that ended them.

    Attributes
    ----------
    error : BaseException or None
    """

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._held = pieces, memoryview(b"")
        self.error: BaseException | None = None

    def read(self, size: int) -> bytes:
        """At most so many bytes; none at the end."""
        try:
            while not self._held:
                self._held = memoryview(next(self._pieces))
        except StopIteration:
            return b""
        except BaseException as error:  # which may not pass through libvips
            self.error = error
            return b""
        piece, self._held = self._held[:size], self._held[size:]
        return bytes(piece)


def _png(strips: Iterator[Array], width: int, height: int) -> Iterator[bytes]:
    """A grey PNG of `width` bytes a row, stored and not compressed."""
    yield PNG + png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    yield png_chunk(b"IDAT", b"\x78\x01")
    check = 1
    for strip in strips:
        items = np.ascontiguousarray(strip).view(np.uint8).reshape(len(strip), width)
        at_once = max(1, _PIECE // width)
        for start in range(0, len(strip), at_once):
            part = items[start : start + at_once]
            rows = np.zeros((len(part), width + 1), np.uint8)  # each row begins with its filter, none
            rows[:, 1:] = part
            content = rows.tobytes()
            check = zlib.adler32(content, check)
            yield png_chunk(b"IDAT", _stored(content))
    yield png_chunk(b"IDAT", b"\x01\x00\x00\xff\xff" + struct.pack(">I", check))
    yield png_chunk(b"IEND", b"")


def _stored(content: bytes) -> bytes:
    """Blocks of deflate that are not compressed."""
    blocks = []
    for k in range(0, len(content), _STORED):
        part = content[k : k + _STORED]
        blocks += [struct.pack("<BHH", 0, len(part), len(part) ^ _STORED), part]
    return b"".join(blocks)
