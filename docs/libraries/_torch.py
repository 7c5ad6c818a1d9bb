"""torch.nn.functional.interpolate."""

from __future__ import annotations

from typing import Any

import torch

from docs.libraries import Array, Library, Resize, Setting, version

_ANOTHER_ORDER = "torch adds up the taps in another order"
_REFUSED = {"area", "linear", "trilinear"}


def library() -> Library:
    """Every mode, with and without align_corners and antialias."""
    settings = [_setting(mode) for mode in ("nearest", "nearest-exact", "area")]
    for mode in ("bilinear", "bicubic"):
        settings += [_setting(mode), _setting(mode, align_corners=True)]
        settings += [_setting(mode, antialias=True), _setting(mode, align_corners=True, antialias=True)]
    settings.append(_setting("lanczos", antialias=True))
    for mode, rank in (("linear", 1), ("trilinear", 3)):
        settings += [_setting(mode, rank), _setting(mode, rank, align_corners=True)]
    about = (
        "`torch.nn.functional.interpolate(x, size, mode=...)`; linear on the rows of the photo, trilinear on a volume "
        "of eight details of it."
    )
    return Library("torch", version("torch"), about, settings)


def _setting(mode: str, rank: int = 2, **options: bool) -> Setting:
    written = "".join(f", {name}={value}" for name, value in options.items())
    code = f'F.interpolate(x, size, mode="{mode}"{written})'
    why = _ANOTHER_ORDER if options.get("antialias") else ""
    if mode in _REFUSED:
        why = "torch has no kernel for uint8"
    return Setting(", ".join([mode, *options]), _resize({"mode": mode, **options}), code, why, rank)


def _resize(options: dict[str, Any]) -> Resize:
    def resize(x: Array, size: tuple[int, ...]) -> Array:
        y: Array = torch.nn.functional.interpolate(torch.from_numpy(x), size, **options).numpy()
        return y

    return resize
