"""What must not change without being meant: signatures, results to the bit, bytes of exported models.

``python -m tests.make_pins`` writes the files; a test compares them with the code. A deliberate change is a diff of a
few lines.
"""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent / "data" / "pins"
_FLOATS = ("float16", "float32", "float64")


def numbers(shape: tuple[int, ...], dtype: str) -> np.ndarray[Any, Any]:
    """Values from whole-number arithmetic, which no library changes: of bytes all, of floats some between -4 and 4."""
    count = int(np.prod(shape))
    raw = (np.arange(count, dtype=np.int64) * 2654435761 + 12345) % 65537
    values = (raw % 256) if dtype == "uint8" else (raw - 32768) if dtype == "int16" else (raw - 32768) / 8192
    return values.astype(dtype).reshape(shape)


def signatures() -> Iterator[str]:
    """One line for each public name: parameters, their kinds and defaults."""
    import fastup
    import fastup.export
    import fastup.init
    import fastup.networks
    import fastup.nn

    for room in (fastup, fastup.plan, fastup.export, fastup.init, fastup.networks, fastup.nn):
        for name in sorted(getattr(room, "__all__", [one for one in vars(room) if not one.startswith("_")])):
            value = getattr(room, name)
            if callable(value) and value.__module__.startswith("fastup"):
                yield f"{room.__name__}.{name}{_bare(value)}"


def _bare(value: Any) -> str:
    """The signature without annotations."""
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):
        return ""
    parameters = [one.replace(annotation=inspect.Parameter.empty) for one in signature.parameters.values()]
    return str(signature.replace(parameters=parameters, return_annotation=inspect.Signature.empty))


def calls() -> Iterator[tuple[str, Callable[[], Any]]]:
    """Calls of all operators: a name, and what gives the results."""
    yield from _interpolations()
    yield from _copies()
    yield from _convolutions()
    yield from _pools()
    yield from _labels()


def _interpolations() -> Iterator[tuple[str, Callable[[], Any]]]:
    import fastup

    modes = ("nearest", "nearest-exact", "bilinear", "bicubic", "lanczos", "area")
    for mode in modes:
        for dtype in (*_FLOATS, "uint8", "int16"):
            x = numbers((2, 3, 13, 17), dtype)
            for size in ((26, 34), (21, 40), (7, 9)):
                yield f"{mode} {dtype} {size}", partial(fastup.interpolate, x, size, mode=mode)
    for mode in ("bilinear", "bicubic", "lanczos"):
        for dtype in ("float32", "uint8"):
            x = numbers((1, 3, 29, 31), dtype)
            yield (
                f"antialias {mode} {dtype}",
                partial(fastup.interpolate, x, (11, 14), mode=mode, antialias=True),
            )
    x = numbers((1, 2, 9, 11), "float32")
    yield "aligned", partial(fastup.interpolate, x, (20, 15), mode="bicubic", align_corners=True)
    yield "factor", partial(fastup.interpolate, x, scale_factor=1.7, mode="bilinear")
    yield "window", partial(fastup.interpolate, x, scale_factor=3, mode="bilinear", window=(slice(3, 9), slice(5, 30)))
    yield "last", partial(fastup.interpolate, x, scale_factor=2.5, mode="bicubic", data_format="channels_last")
    volume = numbers((1, 2, 5, 6, 7), "float32")
    yield "trilinear", partial(fastup.interpolate, volume, (9, 11, 13), mode="trilinear")
    yield "mixed", partial(fastup.interpolate, volume, (9, 11, 13), mode=("nearest", "cubic", "linear"))
    line = numbers((2, 3, 50), "float64")
    yield "linear", partial(fastup.interpolate, line, 77, mode="linear")


def _copies() -> Iterator[tuple[str, Callable[[], Any]]]:
    import fastup

    for dtype in ("uint8", "float32", "float64"):
        x = numbers((2, 36, 5, 7), dtype)
        yield f"shuffle {dtype}", partial(fastup.pixel_shuffle, x, 3)
        yield f"shuffle DCR {dtype}", partial(fastup.pixel_shuffle, x, (2, 3), order="DCR")
        large = numbers((2, 3, 12, 18), dtype)
        yield f"unshuffle {dtype}", partial(fastup.pixel_unshuffle, large, 3)
        yield f"stuffed {dtype}", partial(fastup.zero_stuff, large, 2, 1)


def _convolutions() -> Iterator[tuple[str, Callable[[], Any]]]:
    import fastup

    for dtype in _FLOATS:
        x, w = numbers((2, 6, 14, 15), dtype), numbers((8, 3, 3, 3), dtype)
        b, t = numbers((8,), dtype), numbers((6, 4, 4, 4), dtype)
        s = numbers((12, 6, 3, 3), dtype)
        for activation in (None, "relu", ("leaky_relu", 0.2), "tanh", "sigmoid"):
            yield (
                f"conv2d {dtype} {activation}",
                partial(fastup.conv2d, x, w, b, stride=(1, 2), padding=1, groups=2, activation=activation),
            )
        yield f"dilated {dtype}", partial(fastup.conv2d, x, w, padding="same", dilation=2, groups=2)
        yield f"transposed {dtype}", partial(fastup.conv_transpose2d, x, t, stride=2, padding=1)
        yield f"sub-pixel {dtype}", partial(fastup.subpixel_conv2d, x, s, upscale_factor=2, padding=1)
    x, w = numbers((1, 40, 12, 13), "float32"), numbers((48, 40, 3, 3), "float32")
    yield "wide", partial(fastup.conv2d, x, w, padding=1)
    last = np.ascontiguousarray(x.transpose(0, 2, 3, 1))
    yield "wide, channels last", partial(fastup.conv2d, last, w, padding=1, data_format="channels_last")
    yield (
        "1-D",
        partial(fastup.conv_transpose1d, numbers((1, 3, 20), "float32"), numbers((3, 2, 5), "float32"), stride=3),
    )
    yield "3-D", partial(fastup.conv3d, numbers((1, 2, 6, 7, 8), "float32"), numbers((3, 2, 3, 3, 3), "float32"))


def _pools() -> Iterator[tuple[str, Callable[[], Any]]]:
    import fastup

    for dtype in (*_FLOATS, "uint8", "int16"):
        x = numbers((2, 3, 13, 14), dtype)
        yield f"pool {dtype}", partial(fastup.max_pool2d, x, 2, return_indices=True)
        yield f"pool 3 {dtype}", partial(fastup.max_pool2d, x, 3, 2, 1, ceil_mode=True, return_indices=True)
        yield f"unpool {dtype}", partial(fastup.max_unpool2d, *fastup.max_pool2d(x, 2, return_indices=True), 2)


def _labels() -> Iterator[tuple[str, Callable[[], Any]]]:
    import fastup

    x = numbers((1, 7, 9, 10), "float32")
    yield "argmax", partial(fastup.upsample_argmax, x, (30, 31))
    yield "softmax", partial(fastup.upsample_softmax_max, x, (30, 31))
    yield "threshold", partial(fastup.upsample_threshold, x, (30, 31), 0.5, boxes=[[1, 2, 20, 25]])


def digests() -> dict[str, str]:
    """A hash of the results of each call."""
    found = {}
    for name, call in calls():
        results = call()
        results = results if isinstance(results, tuple) else (results,)
        digest = hashlib.sha256()
        for one in results:
            digest.update(f"{one.dtype} {one.shape}".encode() + np.ascontiguousarray(one).tobytes())
        found[name] = digest.hexdigest()[:16]
    return found


def models() -> dict[str, str]:
    """A hash of the bytes of models of all exporters."""
    import fastup.export as export

    w = numbers((4, 3, 3, 3), "float32")
    made = {}
    for mode in ("nearest", "nearest-exact", "bilinear", "bicubic", "area"):
        for lowering in ("auto", "portable"):
            made[f"{mode} {lowering}"] = export.interpolate((1, 3, 12, 12), (24, 18), mode=mode, lowering=lowering)
        made[f"{mode} symbolic"] = export.interpolate(("N", 3, "H", "W"), scale_factor=2, mode=mode)
    made["lanczos"] = export.interpolate((1, 3, 12, 12), 7, mode="lanczos", antialias=True)
    made["antialias"] = export.interpolate((1, 3, 12, 12), 7, mode="bicubic", antialias=True, dtype="uint8")
    made["shuffle"] = export.pixel_shuffle(("N", 12, "H", "W"), 2)
    made["unshuffle"] = export.pixel_unshuffle((1, 3, 8, 8), 2, opset=13)
    made["stuffed"] = export.zero_stuff(("N", 3, "W"), 2)
    made["conv"] = export.conv2d(("N", 3, "H", "W"), w, stride=2, activation="relu")
    made["conv window"] = export.conv2d((1, 3, 9, 9), w, window=(slice(2, 5), slice(1, 4)))
    made["transposed"] = export.conv_transpose2d(("N", 4, "H", "W"), w, stride=2, activation=("leaky_relu", 0.1))
    made["portable"] = export.conv2d((1, 3, 9, 9), w.astype("float64"), lowering="portable")
    made["sub-pixel"] = export.subpixel_conv2d((1, 3, 9, 9), w, upscale_factor=2)
    made["pool"] = export.max_pool2d(("N", 3, "H", "W"), 2, return_indices=True)
    made["unpool"] = export.max_unpool2d((1, 3, 4, 4), 2)
    made["argmax"] = export.upsample_argmax(("N", 5, "H", "W"), scale_factor=4)
    made["softmax"] = export.upsample_softmax_max((1, 5, 8, 8), 20)
    made["threshold"] = export.upsample_threshold((1, 5, 8, 8), 20, 0.5)
    written = {name: model.SerializeToString(deterministic=True) for name, model in made.items()}
    return {name: hashlib.sha256(content).hexdigest()[:16] for name, content in written.items()}


def main() -> None:
    """Write all files."""
    import onnx

    FOLDER.mkdir(exist_ok=True, parents=True)
    (FOLDER / "signatures.txt").write_text("\n".join(signatures()) + "\n")
    (FOLDER / "results.json").write_text(json.dumps(digests(), indent=1) + "\n")
    (FOLDER / "models.json").write_text(json.dumps({"onnx": onnx.__version__, **models()}, indent=1) + "\n")


if __name__ == "__main__":
    main()
