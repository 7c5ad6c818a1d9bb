"""How libraries that resize pictures do it: Intel IPP, fast_image_resize, libvips, kornia-rs, SimpleITK."""

from __future__ import annotations

import ctypes
import functools
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import peers
from benchmarks.cell import Array, Cell, Way, aligned


class UnsupportedError(Exception):
    """The library has no such call."""


def _plain(cell: Cell, *modes: str) -> str:
    """The mode of a 2-D cell that asks for nothing unusual."""
    mode = str(cell.keywords.get("mode", "nearest"))
    if mode not in modes or len(cell.shape) != 4 or cell.shape[0] != 1 or cell.keywords.get("align_corners"):
        raise UnsupportedError(f"no {mode} of this kind")
    return mode


def _pixels(cell: Cell) -> tuple[int, int]:
    """Channels that lie side by side, and pictures: a picture channels-last, else one per plane."""
    return (cell.shape[-1], 1) if cell.channels_last else (1, cell.shape[1])


def _space(cell: Cell, y: Array) -> tuple[tuple[int, int], tuple[int, int]]:
    """Height and width before and after."""
    first = 1 if cell.channels_last else 2
    return cell.shape[first : first + 2], y.shape[first : first + 2]  # type: ignore[return-value]


def cykooz(cell: Cell, x: Array, y: Array) -> Way:
    """The Rust crate fast_image_resize: Pillow's filters, always stretched."""
    from cykooz_resizer import FilterType, ImageData, PixelType, ResizeAlg, ResizeOptions, Resizer, ResizerThreadPool

    mode = _plain(cell, "bilinear", "bicubic", "lanczos")
    shrinks = any(m < n for n, m in zip(*_space(cell, y), strict=True))
    if not cell.channels_last or (not cell.keywords.get("antialias") and (mode != "bilinear" or shrinks)):
        raise UnsupportedError("filters without antialias, planes")
    name = {"uint8": "U8", "uint16": "U16", "float32": "F32"}[cell.dtype] + f"x{cell.shape[-1]}"
    kind = getattr(PixelType, name.removesuffix("x1"), None) or getattr(PixelType, name)
    filters = {"bilinear": FilterType.bilinear, "bicubic": FilterType.catmull_rom, "lanczos": FilterType.lanczos3}
    options = ResizeOptions(ResizeAlg.convolution(filters[mode]))
    options.use_alpha = False
    options.thread_pool = ResizerThreadPool(peers.threads())
    (height, width), (rows, columns) = _space(cell, y)
    source, target, resizer = ImageData(width, height, kind, x.tobytes()), ImageData(columns, rows, kind), Resizer()

    def fresh() -> Any:
        made = ImageData(columns, rows, kind)
        resizer.resize(source, made, options)
        return made

    return Way(
        fresh,
        lambda: resizer.resize(source, target, options),
        lambda: np.frombuffer(fresh().get_buffer(), y.dtype).reshape(y.shape),
    )


def vips(cell: Cell, x: Array, y: Array) -> Way:
    """libvips: kernels that shrink are stretched, those that enlarge sit half a pixel elsewhere."""
    import pyvips

    mode = _plain(cell, "bilinear", "bicubic", "lanczos")
    if not (cell.channels_last and cell.keywords.get("antialias")):
        raise UnsupportedError("filters without antialias, planes")
    pyvips.cache_set_max(0)
    (height, width), (rows, columns) = _space(cell, y)
    image = pyvips.Image.new_from_array(x[0])
    kernel = {"bilinear": "linear", "bicubic": "cubic", "lanczos": "lanczos3"}[mode]

    def fresh() -> Any:
        return image.resize(columns / width, vscale=rows / height, kernel=kernel).write_to_memory()

    return Way(fresh, None, lambda: np.frombuffer(fresh(), y.dtype).reshape(y.shape))


def kornia(cell: Cell, x: Array, y: Array) -> Way:
    """kornia-rs: pictures of bytes."""
    import kornia_rs

    mode = _plain(cell, "bilinear", "bicubic", "lanczos")
    antialias = bool(cell.keywords.get("antialias"))
    if cell.dtype != "uint8" or not cell.channels_last or cell.shape[-1] != 3 or (mode == "bilinear" and antialias):
        raise UnsupportedError("pictures of bytes only, bilinear without antialias")
    size = y.shape[1:3]

    def fresh() -> Any:
        return kornia_rs.imgproc.resize(x[0], size, mode, antialias=antialias)

    return Way(fresh, None, lambda: np.asarray(fresh())[None])


def sitk(cell: Cell, x: Array, y: Array) -> Way:
    """SimpleITK: one image per plane, linear interpolation at the pixels' centres."""
    import SimpleITK

    _plain(cell, "bilinear")
    if cell.channels_last or cell.keywords.get("antialias") or cell.dtype != "float32" or cell.shape[1] > 4:
        raise UnsupportedError("linear interpolation of a few planes")
    before, after = _space(cell, y)
    resample = SimpleITK.ResampleImageFilter()
    resample.SetSize([int(n) for n in reversed(after)])
    steps = [n / m for n, m in zip(reversed(before), reversed(after), strict=True)]
    resample.SetOutputSpacing(steps)
    resample.SetOutputOrigin([(step - 1) / 2 for step in steps])
    resample.SetInterpolator(SimpleITK.sitkLinear)
    resample.SetNumberOfThreads(peers.threads())
    images = [SimpleITK.GetImageFromArray(plane) for plane in x[0]]

    def fresh() -> Any:
        return [resample.Execute(image) for image in images]

    return Way(fresh, None, lambda: np.stack([SimpleITK.GetArrayFromImage(image) for image in fresh()])[None])


class _Size(ctypes.Structure):
    _fields_ = [("width", ctypes.c_int), ("height", ctypes.c_int)]


class _Point(ctypes.Structure):
    _fields_ = [("x", ctypes.c_int), ("y", ctypes.c_int)]


@functools.cache
def _ipp_library() -> Any:
    """IPP's picture functions; its own loader wants names that the package on PyPI has not, hence links beside ours."""
    import tempfile

    folder = Path(sys.prefix, "lib")
    found = sorted(folder.glob("libipp*.so.*"))
    if not found:
        raise ModuleNotFoundError("ipp")
    beside = Path(tempfile.mkdtemp(prefix="fastup-ipp-"))
    for file in found:
        for name in (file.name, f"{file.name}.1"):
            (beside / name).symlink_to(file)
    best = "k0" if (folder / "libippik0.so.12").exists() and peers.has_avx512() else "l9"
    for name in ("ippcore", f"ippvm{best}", "ippvm", f"ipps{best}", "ipps", f"ippi{best}", "ippi"):
        library = ctypes.CDLL(str(next(beside.glob(f"lib{name}.so*.1"))), mode=ctypes.RTLD_GLOBAL)
    ctypes.CDLL(str(next(beside.glob("libippcore.so*")))).ippInit()
    return library


def ipp(cell: Cell, x: Array, y: Array) -> Way:
    """Intel IPP: the picture is cut into as many bands as there are threads."""
    mode = _plain(cell, "bilinear", "bicubic", "lanczos")
    channels, pictures = _pixels(cell)
    if channels not in (1, 3, 4) or pictures > 64 or cell.dtype not in ("uint8", "uint16", "float32"):
        raise UnsupportedError("1, 3 and 4 channels")
    return _Ipp(_ipp_library(), cell, mode, x, y).way()


class _Ipp:
    """One resize, prepared."""

    def __init__(self, library: Any, cell: Cell, mode: str, x: Array, y: Array) -> None:
        self.library, self.x, self.y = library, x, y
        self.kind = {"uint8": "8u", "uint16": "16u", "float32": "32f"}[cell.dtype]
        self.channels, self.pictures = _pixels(cell)
        before, after = _space(cell, y)
        self.before, self.after = (_Size(width, height) for height, width in (before, after))
        self.antialias = bool(cell.keywords.get("antialias"))
        self.word = {"bilinear": "Linear", "bicubic": "Cubic", "lanczos": "Lanczos"}[mode]
        self._prepare({"bilinear": 2, "bicubic": 6, "lanczos": 16}[mode])
        name = f"ippiResizeAntialiasing_{self.kind}" if self.antialias else f"ippiResize{self.word}_{self.kind}"
        self.resize = library[f"{name}_C{self.channels}R"]
        self.bands = [self._band(number) for number in range(peers.threads())]
        self.pool = ThreadPoolExecutor(max(1, len(self.bands) - 1))

    def _check(self, status: int) -> None:
        if status < 0:
            raise UnsupportedError(f"status {status}")

    def _prepare(self, code: int) -> None:
        spec, init = ctypes.c_int(), ctypes.c_int()
        sizes = (self.before, self.after, code, int(self.antialias), ctypes.byref(spec), ctypes.byref(init))
        self._check(self.library[f"ippiResizeGetSize_{self.kind}"](*sizes))
        self.spec, self.init = (aligned(np.zeros(max(64, one.value), np.uint8)) for one in (spec, init))
        middle = "Antialiasing" if self.antialias else ""
        suffix = "" if self.antialias else f"_{self.kind}"
        shape: list[Any] = {"Linear": [], "Lanczos": [3]}.get(self.word, [])
        if self.word == "Cubic":
            shape = [ctypes.c_float(0), ctypes.c_float(0.5 if self.antialias else 0.75)]
        begin: list[Any] = [self.before, self.after, *shape, self._at(self.spec)]
        if self.antialias or self.word != "Linear":
            begin.append(self._at(self.init))
        self._check(self.library[f"ippiResize{middle}{self.word}Init{suffix}"](*begin))

    @staticmethod
    def _at(memory: Array) -> ctypes.c_void_p:
        return ctypes.c_void_p(memory.ctypes.data)

    def _band(self, number: int) -> tuple[_Point, _Size, int, Array, int]:
        """Where a band begins, its size, its first source row, its workspace, and its borders."""
        count = peers.threads()
        begin = number * self.after.height // count
        rows = (number + 1) * self.after.height // count - begin
        at, size, place, room = _Point(0, begin), _Size(self.after.width, rows), _Point(), ctypes.c_int()
        spec = self._at(self.spec)
        self._check(self.library[f"ippiResizeGetSrcOffset_{self.kind}"](spec, at, ctypes.byref(place)))
        self._check(self.library[f"ippiResizeGetBufferSize_{self.kind}"](spec, size, self.channels, ctypes.byref(room)))
        inside = (16 if number else 0) | (32 if number < count - 1 else 0)  # memory above and below is the picture's
        return at, size, place.y, aligned(np.zeros(max(64, room.value), np.uint8)), 1 | inside

    def _run(self, band: tuple[_Point, _Size, int, Array, int], source: int, target: int) -> None:
        at, size, first, room, border = band
        pixel, nothing = self.x.itemsize * self.channels, (ctypes.c_float * 4)()
        steps = (self.before.width * pixel, self.after.width * pixel)
        self._check(
            self.resize(
                ctypes.c_void_p(source + first * steps[0]), steps[0], ctypes.c_void_p(target + at.y * steps[1]),
                steps[1], at, size, border, nothing, self._at(self.spec), self._at(room),
            )
        )  # fmt: skip

    def fill(self, out: Array) -> Array:
        """Every picture, band by band."""
        sizes = (self.x.nbytes // self.pictures, out.nbytes // self.pictures)

        def band(one: Any) -> None:
            for number in range(self.pictures):
                self._run(one, self.x.ctypes.data + number * sizes[0], out.ctypes.data + number * sizes[1])

        others = [self.pool.submit(band, one) for one in self.bands[1:]]
        band(self.bands[0])
        for one in others:
            one.result()
        return out

    def way(self) -> Way:
        """Fresh and preallocated."""
        target = aligned(np.zeros_like(self.y))

        def fresh() -> Array:
            return self.fill(np.empty_like(self.y))

        return Way(fresh, lambda: self.fill(target), fresh)
