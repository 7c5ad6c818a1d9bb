"""Find fastup's equivalent to each setting of other libraries: ``python -m docs.library_settings``."""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np
from PIL import Image

import fastup
from docs.figures import largest
from docs.libraries import Library, _onnxruntime, _opencv, _pillow, _skimage, _torch
from docs.nearest_setting import CASES, ROUNDING, Found, Options, nearest, pixels
from docs.page import shown, table, wrapped

PAGE = Path(__file__).with_name("library-settings.md")
_LIBRARIES = (
    _torch.library,
    _onnxruntime.library,
    _opencv.library,
    _pillow.library,
    _skimage.library,
    _skimage.scipy_library,
)
_ALIKE = ("equal", "rounding", "few pixels")
_HEADINGS = ("setting", "nearest in fastup", *(case.name for case in CASES[2]), "apart", "uint8", "verdict")
Results = list[tuple[Library, list[Found]]]


def main() -> None:
    """Run every setting and write the page."""
    results = [(library, [nearest(one) for one in library.settings]) for library in (make() for make in _LIBRARIES)]
    notes = {"onnxruntime": _same_rules(), "OpenCV": _rounded_once(), "Pillow": _grey_and_colour()}
    parts = ["# Which setting of which library is this", *_key(results), *_method()]
    for library, found in results:
        parts += [f"## {library.name} {library.version}", wrapped(library.about)]
        parts += [table(_HEADINGS, [_row(one) for one in found]), *_reasons(found)]
        parts += [wrapped(notes[library.name])] if library.name in notes else []
    PAGE.write_text("\n\n".join(parts) + "\n")


def _key(results: Results) -> list[str]:
    """What to write for what one has, where there is an equivalent."""
    rows: list[tuple[str, ...]] = []
    for library, found in results:
        alike = [one for one in found if one.verdict in _ALIKE and one.setting.code]
        if library.name == "torch" and len(alike) == len(found):
            rows.append(_same_call(found))
        else:
            rows += [(f"`{one.setting.code}`", _call(one.options[0]), _worst(one), _levels(one)) for one in alike]
    text = (
        "You have a call of another library in your pipeline, and want its pixels from fastup. In fastup x is "
        '(N, C, H, W), or (N, H, W, C) with `data_format="channels_last"`. The largest differences are those of '
        "float32 from 0 to 1, and of uint8 in levels, over four sizes; the tables below have more, and what has no "
        "equivalent."
    )
    return [wrapped(text), table(("you have", "write", "float32", "uint8"), rows)]


def _same_call(found: list[Found]) -> tuple[str, ...]:
    """One line for a library all of whose settings are fastup's."""
    worst = max(max(one.differences) for one in found)
    levels = max(one.levels for one in found if one.levels is not None)
    return "`F.interpolate(x, ...)`, every mode", "`fastup.interpolate(x, ...)`, the same", shown(worst), str(levels)


def _levels(found: Found) -> str:
    return "refused" if found.levels is None else str(found.levels)


def _worst(found: Found) -> str:
    if found.verdict == "few pixels":
        return f"{found.apart:.2%} of the pixels differ"
    return shown(max(found.differences))


def _call(options: Options) -> str:
    written = ", ".join(f'{name}="{value}"' if name == "mode" else f"{name}={value}" for name, value in options)
    return f"`fastup.interpolate(x, size, {written})`"


def _method() -> list[str]:
    height, width = pixels(2).shape[2:]
    sizes = ", ".join(f"{case.size[0]}x{case.size[1]} ({case.name})" for case in CASES[2])
    text = (
        f"A detail of {height}x{width} pixels of scikit-image's coffee is resized to {sizes}, as float32 from 0 to 1 "
        "and as uint8, by every setting of a library and by every setting that `fastup.interpolate` "
        f"({fastup.__version__}) takes. Nearest is the one that is within rounding at most sizes, then the one with "
        "the least mean square difference; where no single one fits, one for enlarging and one for shrinking. The "
        "columns of sizes have the largest difference of float32, *apart* the part of the pixels that differ by more "
        "than 1/255, *uint8* the largest difference in levels of 255 over all sizes, between the same two settings."
    )
    verdicts = (
        f"Verdicts are of float32: *equal*: every bit; *rounding*: at most {shown(ROUNDING)}; *few pixels*: all but "
        "the part that is *apart* are within a level; *only ...*: equal or rounding there, no equivalent elsewhere; "
        "**no equivalent**. Written by `python -m docs.library_settings`; the causes below the tables are ours, all "
        "figures are the run's."
    )
    return [wrapped(text), wrapped(verdicts)]


def _row(found: Found) -> tuple[str, ...]:
    up, down = (", ".join(value if name == "mode" else name for name, value in one) for one in found.options)
    ours = f"`{up}`" if up == down else f"up `{up}`, down `{down}`"
    verdict = found.verdict if found.verdict in _ALIKE else f"**{found.verdict}**"
    figures = [shown(value) for value in found.differences]
    apart = f"{found.apart:.2%}" if found.apart else "0"
    return f"`{found.setting.name}`", ours, *figures, apart, _levels(found), verdict


def _reasons(found: list[Found]) -> list[str]:
    """What is known of the causes, as a list; settings of one cause together."""
    settings: dict[str, list[str]] = {}
    for one in found:
        if one.setting.why:
            settings.setdefault(one.setting.why, []).append(f"`{one.setting.name}`")
    lines = [
        textwrap.fill(f"- {'; '.join(names)}: {why}.", 120, subsequent_indent="  ", break_on_hyphens=False)
        for why, names in settings.items()
    ]
    return ["\n".join(lines)]


def _same_rules() -> str:
    """That further names of ONNX's half_pixel are the same here."""
    difference = 0.0
    for mode, attributes in (("linear", {}), ("cubic", {}), ("nearest", {"nearest_mode": "round_prefer_ceil"})):
        for case in CASES[2]:
            first, *others = (
                _onnxruntime.setting(rule, mode, **attributes).resize(pixels(2), case.size)
                for rule in ("half_pixel", *_onnxruntime.SAME_AS_HALF_PIXEL)
            )
            difference = max(difference, *(largest(first, other) for other in others))
    names = " and ".join(f"`{name}`" for name in _onnxruntime.SAME_AS_HALF_PIXEL)
    return (
        f"{names} differ from `half_pixel` by {shown(difference)} at these sizes: they mean something else only where "
        "an axis becomes one pixel long, and where fractional `scales` are given."
    )


def _rounded_once() -> str:
    """How near to OpenCV's cubic of uint8 a float32 result is that is rounded once."""
    x = pixels(2, "uint8")
    difference = 0.0
    for case in CASES[2]:
        y = fastup.interpolate(x.astype(np.float32), case.size, mode="bicubic")
        difference = max(difference, largest(np.clip(np.rint(y), 0, 255), _opencv.resize("INTER_CUBIC")(x, case.size)))
    return (
        "INTER_CUBIC of uint8 is had by `interpolate(x.astype(np.float32), ...)`, rounded and clipped: the largest "
        f"difference is then {shown(difference)} level{'s'[: difference != 1]}."
    )


def _grey_and_colour() -> str:
    """That Pillow resizes colours as it resizes grey."""
    difference = max(
        largest(_pillow.resize(flag)(x, case.size), _pillow.grey_resize(flag)(x, case.size))
        for x in (pixels(2, "uint8"),)
        for flag in Image.Resampling
        for case in CASES[2]
    )
    return f'In mode "L" every plane differs from the same plane of mode "RGB" by {shown(difference)} levels.'


if __name__ == "__main__":
    main()
