"""List every convention of `fastup.resize`: ``python -m docs.conventions_page``; a test compares the page."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import fastup
from docs.page import table, wrapped

PAGE = Path(__file__).with_name("conventions.md")
_HEAD = """
Whose pixels `fastup.resize(image, size, like=...)` gives. Where a row says so, they are the library's to the bit on
every dtype that it takes, and so are those of the graph that `fastup.export.resize` writes. The rules were found by
experiment on the x86-64 wheels; tests hold fastup against the libraries on random pictures and sizes, and against
digests of their results where they are not installed.
"""
_LIBRARIES = {
    "torch": (
        "torch",
        "The modes of `fastup.interpolate`, for pictures as they are held; [exactness](exactness.md) has the promises.",
    ),
    "pillow": (
        "Pillow",
        "Every bit of `Image.resize`, for (H, W), two channels as LA, three as RGB, four as RGBA (CMYK with"
        " `alpha=False`), uint16 as I;16, int32 as I, float32 as F; `box` and `reducing_gap` as there. `pillow` is the"
        " newest; earlier rules have rows of their own: 13.0 filters rows first where they shrink most, 12.3 filters"
        " very tall pictures in two calls, 11.3 cuts off the two bytes of a uint16 apart.",
    ),
    "tensorflow": (
        "TensorFlow",
        "Every bit of `tf.image.resize` of 2.21 but for lanczos, which is within 1e-6 of the picture's range: its sines"
        " are the system's. Results are float32, as there, but for nearest. Keras' `Resizing` on TensorFlow gives them,"
        " rounded half to even for integers.",
    ),
    "tensorflow1": (
        "TensorFlow 1",
        "Every bit of the operators of version 1, for models of that time: corners aligned, pixel centres, or neither.",
    ),
    "keras": (
        "Keras",
        "`keras.ops.image.resize` and the layer `Resizing` on TensorFlow: its pixels, returned to the picture's dtype.",
    ),
    "onnx": (
        "ONNX",
        "Resize by its own text, as `fastup.export.backend` runs it in float64 or, of floats, their own precision."
        " Words that are left out mean half_pixel and round_prefer_floor; cubic has a = -0.75.",
    ),
    "jax": (
        "JAX",
        "Nearest to the bit; others within 5e-6 of the picture's range for sides of up to 100 pixels: XLA fuses some"
        " products and sums in most lanes of a vector and not in the rest, so that there is no one result.",
    ),
    "scipy": (
        "SciPy",
        "`scipy.ndimage.zoom` to a size; orders 0 and 1 to the bit, others within 1e-13 of the range (1e-6 of"
        " float32), integers within a level on at most one item of 10,000. `-grid` is `grid_mode=True`.",
    ),
    "skimage": (
        "scikit-image",
        "`skimage.transform.resize`, with its Gaussian where an axis shrinks unless `-no_anti_aliasing`; integers"
        " become floats from 0 to 1 unless `-preserve_range`. As near as SciPy's.",
    ),
    "itk": (
        "ITK",
        "Every bit of SimpleITK's `Resample` with the spacing of the new size and the origin moved by half of what"
        " the spacing changes. Integers lose their fraction, as there.",
    ),
    "opencv": (
        "OpenCV",
        "Every bit of `cv2.resize`, as the generic code of the x86-64 wheels has it. What wheels do as they are"
        " imported differs where they call Intel's library: linear of uint16 and float32, and cubic, with 1, 3 or 4"
        " channels;"
        " `cv2.ipp.setUseIPP(False)` switches that off.",
    ),
}


def text() -> str:
    """The page."""
    parts = ["# Conventions", wrapped(_HEAD)]
    for name, rows in groupby(fastup.conventions(), lambda one: one.name.partition("/")[0].partition("-")[0]):
        title, about = _LIBRARIES[name]
        cells = [(f"`{one.name}`", f"`{one.call}`", ", ".join(one.dtypes)) for one in rows]
        parts += [f"## {title}", wrapped(about), table(("like", "the call", "dtypes"), cells)]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    PAGE.write_text(text())
