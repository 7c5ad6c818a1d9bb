"""Resizing of pictures by any library's convention."""

from __future__ import annotations

from fastup.arrays import apply
from fastup.cpu.resample import resizing
from fastup.operators.argument_types import ArrayT, Box, Floats, Ints, Like, Window
from fastup.operators.operator import operator
from fastup.plan.conventions import ALL
from fastup.plan.conventions import Convention as Convention
from fastup.plan.registry import Row
from fastup.plan.resizing import ResizePlan, make_resize

RESIZE = Row(
    ResizePlan,
    launch=resizing.launch,
    instances=resizing.instances,
    families=resizing.FAMILIES,
    cuda="resizing.run",
    onnx="resizing.append",
)
_EXAMPLE = """
    >>> import fastup
    >>> plan = fastup.plan.resize((480, 640, 3), "uint8", (120, 160), like="pillow/lanczos", reducing_gap=2)
    >>> plan.output_shape
    (120, 160, 3)
"""


@operator(RESIZE, _EXAMPLE)
def resize(
    image: ArrayT,
    size: Ints | None = None,
    *,
    scale_factor: Floats | None = None,
    like: Like = "torch/bilinear",
    axes: Ints | None = None,
    box: Box | None = None,
    reducing_gap: float | None = None,
    alpha: bool | None = None,
    window: Window | None = None,
    threads: int | None = None,
    out: ArrayT | None = None,
) -> ArrayT:
    """Resize a picture to the pixels that another library gives, (H, W), (H, W, C) or with its axes named.

    Both axes are resampled one after the other, ``y[i] = sum_k weight[i, k] * x[first[i] + k]``; which pixels are read,
    their weights, the arithmetic, the order of the axes and the rounding are those of the library.

    Parameters
    ----------
    image : array
        Any strides, any byte order; which dtypes, the convention says.
    size : tuple of int, optional
        Height and width of the result; before them its depth, if `axes` are three.
    scale_factor : float or tuple of float, optional
        Output size over input size, rounded down. Give exactly one of `size` and `scale_factor`.
    like : str or Convention
        Whose pixels: one of `conventions`, such as "pillow/lanczos" or "torch/bilinear-antialias".
    axes : tuple of int, optional
        The axes of height and width; default the first two of (H, W) and (H, W, C). With "itk/..." also three: those of
        depth, height and width.
    box : (float, float, float, float), optional
        Pillow: left, top, right and bottom of the part of the image that is resized.
    reducing_gap : float, optional
        Pillow: means of whole blocks of pixels first, so that this many times the size is left.
    alpha : bool, optional
        Pillow: whether the last channel is alpha, by which colours are weighted. Default: that of two or four channels
        of bytes is, as in LA and RGBA; False for CMYK.
    window : tuple of slice, optional
        Compute only these rows and columns of the result: equal to slicing the whole.
    threads : int, optional
        Threads that this call may use; default `get_num_threads`.
    out : array, optional
        C-contiguous array of the result's shape and dtype that takes the result.

    Returns
    -------
    array
        Of the kind and dtype of `image`.

    Raises
    ------
    TypeError
        If `image` is no array or of a dtype that the library does not take, or an argument is of the wrong kind.
    ValueError
        If an argument has a wrong value, or `out` does not fit.

    Notes
    -----
    Semantics: Image.resize of Pillow 13.0, 12.3 and 11.3, cv2.resize of OpenCV 5.0 and 4.14 without Intel's library,
    torch.nn.functional.interpolate of torch 2.13, each bit for bit as their x86-64 wheels have it.

    Examples
    --------
    >>> import fastup, numpy as np
    >>> x = np.array([[0, 100, 200, 255]], np.uint8)
    >>> fastup.resize(x, (1, 2), like="pillow/bilinear")
    array([[ 71, 209]], dtype=uint8)
    >>> fastup.resize(x, (1, 2), like="torch/bilinear")
    array([[ 50, 228]], dtype=uint8)
    """
    arguments = (size, scale_factor, like, axes, box, reducing_gap, alpha, window)
    result: ArrayT = apply(make_resize, image, arguments, out, threads)
    return result


def conventions() -> list[Convention]:
    """All conventions that `resize` knows by name.

    Returns
    -------
    list of Convention
        Each with its name, and the library's call that gives the same pixels.

    Examples
    --------
    >>> import fastup
    >>> next(one.call for one in fastup.conventions() if one.name == "torch/bicubic-antialias")
    "torch.nn.functional.interpolate(x, size, mode='bicubic', antialias=True)"
    """
    return list(ALL.values())
