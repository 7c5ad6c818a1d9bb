"""How other libraries do the smooth modes of interpolation."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks import peers, picture_libraries, tensor_libraries
from benchmarks.cell import Array, Cell, Way

_PACKETS = {
    "linear": "upsample_linear1d",
    "bilinear": "upsample_bilinear2d",
    "trilinear": "upsample_trilinear3d",
    "bicubic": "upsample_bicubic2d",
    "lanczos": "upsample_lanczos2d",
}


def torch(cell: Cell, x: Array, y: Array) -> Way:
    """The public function, and the ATen overload that takes the result's memory."""
    import torch

    keywords = {name: value for name, value in cell.keywords.items() if name != "data_format"}
    mode, aligned = keywords["mode"], bool(keywords.get("align_corners"))
    size = list(y.shape[1:-1] if cell.channels_last else y.shape[2:])

    def whole(tensor: Any) -> Any:
        return torch.nn.functional.interpolate(tensor, **keywords)

    if mode == "area":
        pool = getattr(torch.ops.aten, f"adaptive_avg_pool{len(size)}d")
        return peers.torch(cell, x, y, whole, lambda t, o: pool.out(t, size, out=o))
    name = f"_{_PACKETS[mode]}_aa" if keywords.get("antialias") else _PACKETS[mode]
    packet = getattr(torch.ops.aten, name)
    return peers.torch(cell, x, y, whole, lambda t, o: packet.out(t, size, aligned, out=o))


def opencv(cell: Cell, x: Array, y: Array) -> Way:
    """OpenCV resizes one picture: the whole of it channels-last, plane by plane channels-first, rows as one picture."""
    import cv2

    cubic, linear, area = cv2.INTER_CUBIC, cv2.INTER_LINEAR, cv2.INTER_AREA
    code = {"linear": linear, "bilinear": linear, "bicubic": cubic, "area": area}[cell.keywords["mode"]]
    if cell.keywords.get("antialias"):
        raise picture_libraries.UnsupportedError("no antialias")
    sources, shape, size = list(x.reshape(-1, *x.shape[2:])), (-1, *y.shape[2:]), y.shape[:-3:-1]
    if cell.channels_last:
        sources, shape, size = list(x), y.shape, (y.shape[2], y.shape[1])
    elif x.ndim == 3:
        sources, shape = [x.reshape(-1, x.shape[-1])], (1, -1, y.shape[-1])
        size = (y.shape[-1], sources[0].shape[0])
    target = np.zeros_like(y)

    def into(result: Array) -> Array:
        for source, plane in zip(sources, result.reshape(shape), strict=True):
            cv2.resize(source, size, dst=plane, interpolation=code)
        return result

    return Way(lambda: into(np.empty_like(y)), lambda: into(target), lambda: into(target))


def pillow(cell: Cell, x: Array, y: Array) -> Way:
    """Pillow always filters as with antialias, which makes no difference to bilinear where a picture grows."""
    from PIL import Image

    mode = getattr(Image.Resampling, cell.keywords["mode"].upper())
    pictures = list(x.squeeze(-1) if x.shape[-1] == 1 else x)
    if not cell.channels_last:
        pictures = list(x.reshape(-1, *x.shape[2:]))
    size = (y.shape[2], y.shape[1]) if cell.channels_last else (y.shape[3], y.shape[2])
    images = [Image.fromarray(picture) for picture in pictures]
    return Way(
        lambda: [image.resize(size, mode) for image in images],
        None,
        lambda: np.stack([np.asarray(image.resize(size, mode)) for image in images]).reshape(y.shape),
    )


_RUNTIMES = {name: getattr(tensor_libraries, name) for name in ("jax", "ncnn", "mnn", "halide", "litert")}
_RESIZERS = {name: getattr(picture_libraries, name) for name in ("ipp", "cykooz", "vips", "kornia", "sitk")}
_ANY: dict[str, Any] = {**peers.EXPORTED, "torch": torch, **_RUNTIMES, **_RESIZERS}
_PLANES = {**_ANY, "opencv": opencv}
_PICTURES = {**_PLANES, "pillow": pillow}
EVERY = _PICTURES


def _cell(
    shape: tuple[int, ...],
    target: float,
    limit: float | None = None,
    *,
    ways: Any = None,
    dtype: str = "float32",
    last: bool = False,
    **keywords: Any,
) -> Cell:
    if last:
        keywords["data_format"] = "channels_last"
    tolerance = {"uint8": 1.0, "uint16": 1.0, "float16": 4e-3}.get(dtype, 2e-3)
    return Cell("interpolate", shape, keywords, dtype, target, limit, ways or _PICTURES, tolerance)


CELLS = (
    _cell((1, 64, 256, 256), 1.4, 0.65, scale_factor=2, mode="bilinear"),
    _cell((1, 64, 256, 256), 4, 0.65, scale_factor=2, mode="bilinear", align_corners=True),
    _cell((8, 21, 65, 65), 1.4, 0.65, size=(513, 513), mode="bilinear"),
    _cell((1, 3, 1080, 1920), 1.5, 0.65, scale_factor=2, mode="bilinear"),
    _cell((1, 256, 40, 40), 2, scale_factor=2, mode="bilinear"),
    _cell((1, 3, 32, 32), 1.2, scale_factor=2, mode="bilinear"),
    _cell((1, 3, 270, 480), 1.6, scale_factor=4, mode="bicubic"),
    _cell((1, 64, 128, 128), 2, scale_factor=2, mode="bicubic"),
    _cell((1, 16, 32, 64, 64), 5, 0.65, scale_factor=2, mode="trilinear", ways=_ANY),
    _cell((8, 64, 4096), 2, 0.65, scale_factor=4, mode="linear"),
    _cell((1, 1, 480_000), 1, scale_factor=2, mode="linear"),
    _cell((1, 1, 1, 1_000_000), 1, size=(1, 1000), mode="bilinear", antialias=True, ways=_ANY),
    _cell((1, 3, 1080, 1920), 2, size=(720, 1280), mode="bilinear", antialias=True, ways=_ANY),
    _cell((1, 3, 1080, 1920), 2.5, size=(720, 1280), mode="bicubic", antialias=True, ways=_ANY),
    _cell((8, 21, 65, 65), 4, scale_factor=2, mode="area"),
    _cell((8, 21, 513, 513), 4, size=(65, 65), mode="area"),
    _cell((1, 3, 1080, 1920), 1.8, scale_factor=2, mode="bilinear", dtype="uint8", ways=_PICTURES),
    _cell((1, 3, 1080, 1920), 1.8, scale_factor=2, mode="bicubic", dtype="uint8", ways=_PICTURES),
    _cell((1, 1080, 1920, 3), 1.5, scale_factor=2, mode="bilinear", dtype="uint8", ways=_PICTURES, last=True),
    _cell((1, 1080, 1920, 3), 1.5, scale_factor=2, mode="bicubic", dtype="uint8", ways=_PICTURES, last=True),
    _cell((1, 1080, 1920, 3), 1.3, 0.65, scale_factor=2, mode="bilinear", last=True),
    _cell((1, 1080, 1920, 3), 1.6, 0.65, scale_factor=2, mode="bicubic", last=True),
    _cell((1, 720, 1280, 3), 1.2, scale_factor=1.5, mode="bilinear", last=True),
    _cell((1, 720, 1280, 3), 1.2, scale_factor=1.5, mode="bicubic", last=True),
    _cell((1, 1080, 1920, 3), 1.2, size=(720, 1280), mode="bilinear", antialias=True, dtype="uint8", last=True),
    _cell((1, 1080, 1920, 3), 1.5, size=(720, 1280), mode="bicubic", antialias=True, dtype="uint8", last=True),
    _cell((1, 1080, 1920, 3), 1.5, size=(720, 1280), mode="lanczos", antialias=True, dtype="uint8", last=True),
    _cell((1, 1080, 1920, 4), 1.2, size=(720, 1280), mode="bilinear", antialias=True, dtype="uint8", last=True),
    _cell((1, 1080, 1920, 1), 1.2, size=(720, 1280), mode="bilinear", antialias=True, dtype="uint8", last=True),
    _cell((1, 3, 1080, 1920), 1.2, size=(720, 1280), mode="bilinear", antialias=True, dtype="uint8"),
    _cell((1, 1079, 1913, 3), 1.2, size=(719, 1277), mode="bilinear", antialias=True, dtype="uint8", last=True),
    _cell((1, 3000, 4000, 3), 1.5, size=(224, 224), mode="bilinear", antialias=True, dtype="uint8", last=True),
    _cell((1, 3, 3000, 4000), 1.5, size=(224, 224), mode="bilinear", antialias=True, dtype="uint8"),
    _cell((1, 1080, 1920, 3), 1.8, scale_factor=2, mode="lanczos", antialias=True, dtype="uint8", last=True),
    _cell((1, 1080, 1920, 3), 1.5, size=(720, 1280), mode="bilinear", antialias=True, dtype="uint16", last=True),
    _cell((1, 1080, 1920, 3), 1.5, scale_factor=2, mode="bilinear", dtype="uint16", last=True),
    _cell((1, 1080, 1920, 3), 1.1, size=(720, 1280), mode="bilinear", antialias=True, last=True),
    _cell((1, 2, 100, 180), 1.1, scale_factor=8, mode="bilinear"),
    _cell((1, 256, 256, 64), 1.3, 0.65, scale_factor=2, mode="bilinear", last=True),
    _cell((1, 64, 256, 256), 4, 0.65, scale_factor=2, mode="bilinear", dtype="float16"),
)
