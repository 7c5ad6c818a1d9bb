"""Interpolation."""

from __future__ import annotations

from fastup.arrays import apply
from fastup.cpu.resample import interpolation
from fastup.operators.argument_types import ArrayT, DataFormat, Floats, Ints, Modes, Rounding, Window
from fastup.operators.operator import operator
from fastup.plan.interpolation import InterpolatePlan, make_interpolate
from fastup.plan.registry import Row

INTERPOLATE = Row(
    InterpolatePlan,
    launch=interpolation.launch,
    instances=interpolation.instances,
    families=interpolation.FAMILIES,
    cuda="interpolation.run",
    onnx="interpolation.append",
)
_EXAMPLE = """
    >>> import fastup
    >>> plan = fastup.plan.interpolate((1, 3, 10, 10), "float32", scale_factor=2.5)
    >>> plan.output_shape, plan.sampling_scale
    ((1, 3, 25, 25), (0.4000000059604645, 0.4000000059604645))
"""


@operator(INTERPOLATE, _EXAMPLE)
def interpolate(
    x: ArrayT,
    size: Ints | None = None,
    scale_factor: Floats | None = None,
    mode: Modes = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
    *,
    rounding: Rounding = "floor",
    window: Window | None = None,
    data_format: DataFormat = "channels_first",
    threads: int | None = None,
    out: ArrayT | None = None,
) -> ArrayT:
    """Resize the spatial axes of (N, C, L), (N, C, H, W) or (N, C, D, H, W).

    Axis by axis, ``y[i] = sum_k weight[i, k] * x[clip(first[i] + k)]``. The sampled coordinate is
    ``(i + 0.5) * scale - 0.5``, with scale = input size / output size, or 1 / scale_factor where that is given;
    ``i * (n - 1) / (m - 1)`` with `align_corners`. Linear has the two weights of the fraction, cubic Keys' four
    (a = -0.75), lanczos six; area is the mean of the input positions that an output position covers; nearest copies
    position ``floor(i * scale)``, nearest-exact ``floor((i + 0.5) * scale)``.

    Parameters
    ----------
    x : array
        The nearest modes take every dtype with items of 1, 2, 4, 8 or 16 bytes; the others float16, bfloat16
        (ml_dtypes), float32, float64 and all integers. Any strides, any byte order.
    size : int or tuple of int, optional
        Output size, for all spatial axes or for each.
    scale_factor : float or tuple of float, optional
        Output size over input size, for all spatial axes or for each. Give exactly one of `size` and `scale_factor`.
    mode : str or tuple of str
        "nearest", "nearest-exact", "n-linear", "cubic", "lanczos" or "area"; torch's names "linear", "bilinear",
        "bicubic" and "trilinear" demand x of their rank. A tuple gives each spatial axis its own: "nearest",
        "nearest-exact", "linear", "cubic", "lanczos" or "area".
    align_corners : bool, optional
        Linear and cubic: let the first and last positions of input and output coincide. None means False, and is the
        only value for nearest and area.
    recompute_scale_factor : bool, optional
        True: take the scale from the sizes, not from `scale_factor`.
    antialias : bool
        Linear, cubic (then with a = -0.5) and lanczos: stretch the filter where the axis shrinks, and cut it off at
        the edges.
    rounding : {"floor", "round", "ceil"}
        How the output size follows from `scale_factor`; torch takes the floor.
    window : tuple of slice, optional
        Compute only these positions of the result, one slice per spatial axis: equal to slicing the whole.
    data_format : {"channels_first", "channels_last"}
        Where the channel axis stands: second, or last.
    threads : int, optional
        Threads that this call may use; default `get_num_threads`.
    out : array, optional
        C-contiguous array of the result's shape and dtype that takes the result.

    Returns
    -------
    array
        Of the kind and dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is no array or of a dtype that the mode cannot take, or an argument is of the wrong kind.
    ValueError
        If an argument has a wrong value, or `out` does not fit.

    Notes
    -----
    Semantics: torch.nn.functional.interpolate (2.13), its generic kernels, in its own arithmetic. Pictures of uint8 in
    bilinear and bicubic mode, and in lanczos with antialias, take torch's 16-bit weights and round after each axis.
    All other sums are float32, of integers float64 unless float32 holds every weight, rounded once, half to even;
    integers saturate. Windows of more than 256 items are summed in float64 or wider, within two units in the last
    place; means of integers are exact. torch has no antialias and no cubic outside pictures, and no lanczos without
    antialias.

    Along an axis of more than 2**22 outputs, or where float32 coordinates would be off by more than 2**-10 of a pixel,
    coordinates are float64 in all modes; torch's are off by whole pixels there.

    torch takes other nearest pixels in about two of 6,000 size pairs where it uses its kernel for small or
    channels-last pictures, and ignores a scale factor there whose output is one or two times the input; fastup follows
    one rule at every size.

    Examples
    --------
    >>> import fastup, numpy as np
    >>> x = np.array([[[[1, 2], [3, 4]]]])
    >>> fastup.interpolate(x, scale_factor=2)
    array([[[[1, 1, 2, 2],
             [1, 1, 2, 2],
             [3, 3, 4, 4],
             [3, 3, 4, 4]]]])
    >>> fastup.interpolate(x.astype("float32"), (2, 4), mode="bilinear")
    array([[[[1.  , 1.25, 1.75, 2.  ],
             [3.  , 3.25, 3.75, 4.  ]]]], dtype=float32)
    >>> fastup.interpolate(x, size=(1, 3), mode="nearest-exact")
    array([[[[3, 4, 4]]]])
    """
    arguments = (
        size, scale_factor, mode, align_corners, recompute_scale_factor, antialias, rounding, window, data_format,
    )  # fmt: skip
    result: ArrayT = apply(make_interpolate, x, arguments, out, threads)
    return result
