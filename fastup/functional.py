"""The operators: each makes the plan of its arguments and runs it."""

from __future__ import annotations

from typing import Any

from fastup.arrays import apply
from fastup.plan import Plan, check
from fastup.plan._interpolate import make_interpolate
from fastup.plan._pixel_shuffle import make_pixel_shuffle, make_pixel_unshuffle


def pixel_shuffle(
    x: Any, upscale_factor: Any, *, order: str = "CRD", data_format: str = "channels_first", out: Any = None
) -> Any:
    """Move phases from the channels into space: (*, C*r*r, H, W) becomes (*, C, r*H, r*W).

    ``y[c, r*h + i, r*w + j] = x[c*r*r + i*r + j, h, w]`` in the order CRD, which is torch's;
    ``x[(i*r + j)*C + c, h, w]`` in the order DCR, the default of ONNX and TensorFlow.

    Parameters
    ----------
    x : array
        Of any dtype with items of 1, 2, 4, 8 or 16 bytes; any number of leading axes, any strides.
    upscale_factor : int or tuple of int
        One number stands for two spatial axes, as in torch; a tuple gives one factor for each of 1 to 3 spatial axes.
    order : {"CRD", "DCR"}
        How the channels of `x` count.
    data_format : {"channels_first", "channels_last"}
        Where the channel axis stands: before the spatial axes, or last.
    out : array, optional
        C-contiguous array of the result's shape and dtype that takes the result.

    Returns
    -------
    array
        Of the kind and dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is no array or holds Python objects, or a factor is no integer.
    ValueError
        If the channels are not divisible by the product of the factors, or `out` does not fit.

    Notes
    -----
    Semantics: torch.nn.functional.pixel_shuffle (2.13), which has two spatial axes and one factor.

    Examples
    --------
    >>> import fastup, numpy as np
    >>> x = np.arange(4).reshape(1, 4, 1, 1)
    >>> fastup.pixel_shuffle(x, 2)
    array([[[[0, 1],
             [2, 3]]]])
    >>> fastup.pixel_shuffle(np.arange(6).reshape(6, 1), (3,))
    array([[0, 1, 2],
           [3, 4, 5]])
    """
    return apply(make_pixel_shuffle, x, (upscale_factor, order, data_format), out)


def pixel_unshuffle(
    x: Any, downscale_factor: Any, *, order: str = "CRD", data_format: str = "channels_first", out: Any = None
) -> Any:
    """Move phases from space into the channels: (*, C, r*H, r*W) becomes (*, C*r*r, H, W).

    The inverse of `pixel_shuffle`: ``y[c*r*r + i*r + j, h, w] = x[c, r*h + i, r*w + j]`` in the order CRD.

    Parameters
    ----------
    x : array
        Of any dtype with items of 1, 2, 4, 8 or 16 bytes; any number of leading axes, any strides.
    downscale_factor : int or tuple of int
        One number stands for two spatial axes, as in torch; a tuple gives one factor for each of 1 to 3 spatial axes.
    order : {"CRD", "DCR"}
        How the channels of the result count.
    data_format : {"channels_first", "channels_last"}
        Where the channel axis stands: before the spatial axes, or last.
    out : array, optional
        C-contiguous array of the result's shape and dtype that takes the result.

    Returns
    -------
    array
        Of the kind and dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is no array or holds Python objects, or a factor is no integer.
    ValueError
        If the spatial sizes are not divisible by the factors, or `out` does not fit.

    Notes
    -----
    Semantics: torch.nn.functional.pixel_unshuffle (2.13). ONNX's SpaceToDepth is the order DCR.

    Examples
    --------
    >>> import fastup, numpy as np
    >>> x = np.arange(4).reshape(1, 1, 2, 2)
    >>> fastup.pixel_unshuffle(x, 2).ravel()
    array([0, 1, 2, 3])
    """
    return apply(make_pixel_unshuffle, x, (downscale_factor, order, data_format), out)


def interpolate(
    x: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: Any = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
    *,
    rounding: str = "floor",
    window: Any = None,
    data_format: str = "channels_first",
    threads: int | None = None,
    out: Any = None,
) -> Any:
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
    All other sums are float32 (float64 for float64 and for integers beyond 16 bits), rounded once, half to even;
    integers saturate. torch has no antialias and no cubic outside pictures, and no lanczos without antialias.

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
    return apply(make_interpolate, x, arguments, out, threads)


def run(plan: Plan, x: Any, out: Any = None, *, threads: int | None = None) -> Any:
    """Execute a plan.

    Parameters
    ----------
    plan : fastup.plan.Plan
        From one of the functions of `fastup.plan`.
    x : array
        Of the plan's input shape and dtype.
    out : array, optional
        C-contiguous array of the result's shape and dtype that takes the result.
    threads : int, optional
        Threads that this call may use; default `get_num_threads`.

    Returns
    -------
    array
        Of the kind and dtype of `x`.

    Raises
    ------
    ValueError
        If `x` has another shape or dtype than the plan, or `out` does not fit.

    Examples
    --------
    >>> import fastup, numpy as np
    >>> plan = fastup.plan.pixel_shuffle((4, 1, 1), "int64", 2)
    >>> fastup.run(plan, np.arange(4).reshape(4, 1, 1))
    array([[[0, 1],
            [2, 3]]])
    """
    if not isinstance(plan, Plan):
        raise TypeError(f"run: plan must be a plan of fastup.plan, got {type(plan).__name__}")

    def same(shape: Any, dtype: Any) -> Plan:
        if (shape, dtype) != (plan.input_shape, plan.dtype):
            expected = f"shape {plan.input_shape} and dtype {plan.dtype}"
            check.invalid(f"run: x must have {expected} for this plan, got shape {shape} and dtype {dtype}")
        return plan

    return apply(same, x, (), out, threads)
