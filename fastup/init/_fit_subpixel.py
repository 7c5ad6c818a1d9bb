"""The least-squares fit of one linear sub-pixel layer, by normal equations that add up over blocks and pictures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, SupportsIndex

import numpy as np
import numpy.typing as npt

from fastup.plan import check

Array = np.ndarray[Any, Any]
Pair = tuple[int, int]
RIDGE = 1e-6
_OP = "fit_subpixel"
# The design is made in blocks of this size: 1 to 8 MB took the same 0.12 to 0.19 s over 13 photos, 256 KB 0.31 s.
BLOCK_BYTES = 1 << 21


def fit_subpixel(
    pairs: Iterable[tuple[npt.ArrayLike, npt.ArrayLike]],
    factor: SupportsIndex | Sequence[SupportsIndex],
    kernel_size: SupportsIndex | Sequence[SupportsIndex] = 5,
    *,
    ridge: float = RIDGE,
) -> Array:
    """Fit the weights of one linear sub-pixel convolution to pairs of a small and a large picture.

    For each phase ``(i, j)`` the weights w over the k x k neighbourhood of a small pixel minimise
    ``sum (large[r*y + i, r*x + j] - sum_k w[k] * small[y, x; k])**2`` with ``sum_k w[k] = 1``, so that flat areas stay
    flat.

    Parameters
    ----------
    pairs : iterable of (array, array)
        Pictures (small, large) as (H, W), (C, H, W) or (N, C, H, W) of integers or floats, large being `factor` times
        small. All planes count alike and share the weights; a picture counts by the square of its contrast, so all
        should be in the same unit, e.g. from 0 to 1. Read one pair at a time: a generator will do.
    factor : int or tuple of int
        The upscale factor, one number or one per axis.
    kernel_size : int or tuple of int
        Odd, one number or one per axis.
    ridge : float
        Added to the normal equations' diagonal, times its mean (trace / unknowns): without a unit. It draws the layer
        to nearest-neighbour upsampling where the pictures leave it undecided; up to 1e-3 it changes no PSNR by more
        than 0.04 dB.

    Returns
    -------
    ndarray
        (product of the factors, 1, *kernel_size) in float32, for `fastup.subpixel_conv2d`.

    Raises
    ------
    TypeError
        If `pairs` holds no pairs, a picture is of no integer or floating dtype, or a number is of the wrong kind.
    ValueError
        If there are no pairs, the shapes do not fit together, a picture is smaller than the kernel or not finite, a
        kernel is even, or `ridge` is negative or not finite.

    Notes
    -----
    Only neighbourhoods inside the picture count, since what lies beyond an edge is not known. So pad by repeating the
    edge, ``np.pad(x, k // 2, "edge")``, and convolve with ``padding="valid"``: padding with zeros ("same") is equal but
    darkens a border of ``k // 2 * factor`` pixels. The weights undo the way in which the small pictures were made:
    fit them for the way in which those to be enlarged were made. Sums are float64, over blocks of 2 MB.

    A layer of this kind is the last one of W. Shi et al., Real-time single image and video super-resolution using an
    efficient sub-pixel convolutional neural network, arXiv:1609.05158; the fit is ordinary ridge regression.

    Examples
    --------
    >>> import fastup
    >>> large = np.random.default_rng(0).random((40, 60))
    >>> weight = fastup.init.fit_subpixel([(large[::2, ::2], large)], 2, 3)
    >>> weight.shape, bool(abs(weight.sum(axis=(2, 3)) - 1).max() < 1e-6)
    ((4, 1, 3, 3), True)
    >>> bool(abs(weight[0, 0] - [[0, 0, 0], [0, 1, 0], [0, 0, 0]]).max() < 1e-6)  # the pixels that were kept
    True
    """
    factors = _pair("factor", factor)
    kernel = odd(kernel_size)
    strength = _ridge(ridge)
    total: Array | None = None
    for pair in _iterated(pairs):
        small, large = _two(pair)
        products = normal_equations(small, large, factors, kernel)
        total = products if total is None else total + products
    if total is None:
        check.invalid(f"{_OP}: pairs must hold at least one pair of pictures, got none")
    return solve(total, factors, kernel, strength)


def normal_equations(small: Any, large: Any, factor: Pair, kernel: Pair) -> Array:
    """The products of all unknowns and phases of one pair, summed over its pixels; those of several pairs add up.

    The centre of a neighbourhood is taken from its other taps and from the phases: that is the constraint of a sum of
    1, leaves one unknown less, and keeps the sums small where the picture is bright.
    """
    one, other = _planes(small, large, factor, kernel)
    rows = math.prod(kernel) - 1 + math.prod(factor)
    height, width = (extent - taps + 1 for extent, taps in zip(one.shape[1:], kernel, strict=True))
    products = np.zeros((rows, rows))
    for plane, target in zip(one, other, strict=True):
        for top, bottom, left, right in _blocks(height, width, max(1, BLOCK_BYTES // (8 * rows))):
            halo = plane[top : bottom + kernel[0] - 1, left : right + kernel[1] - 1]
            first, second = (k // 2 for k in kernel)
            part = target[
                (top + first) * factor[0] : (bottom + first) * factor[0],
                (left + second) * factor[1] : (right + second) * factor[1],
            ]
            products += _products(_design(halo, part, factor, kernel))
    return products


def solve(products: Array, factor: Pair, kernel: Pair, ridge: float) -> Array:
    """The weights in float32 that the summed products decide."""
    unknowns = math.prod(kernel) - 1
    gram, right = products[:unknowns, :unknowns], products[:unknowns, unknowns:]
    diagonal = ridge * np.trace(gram) / max(1, unknowns)
    # lstsq rather than solve: flat pictures have a singular matrix, whose smallest solution is nearest-neighbour.
    others = np.linalg.lstsq(gram + diagonal * np.eye(unknowns), right, rcond=None)[0]
    weight = np.insert(others, unknowns // 2, 1 - others.sum(axis=0), axis=0)
    return np.ascontiguousarray(weight.T, np.float32).reshape(math.prod(factor), 1, *kernel)


def _products(design: Array) -> Array:
    """``design @ design.T``, in pieces that OpenBLAS leaves on one thread as long as those are not too short.

    It starts threads at rows * rows * columns = 2**18, and they wait for each other by spinning: where other programs
    held both cores, a product of 29 x 9000 took 400 ms in place of 0.4.
    """
    rows, columns = design.shape
    length = 2**18 // rows**2
    if length < 32:  # kernels beyond 9 x 9: long enough for threads to pay, too slow in short pieces
        return design @ design.T
    whole = columns // length * length
    pieces = design[:, :whole].reshape(rows, -1, length).swapaxes(0, 1)
    rest = design[:, whole:]
    total: Array = np.matmul(pieces, pieces.swapaxes(1, 2)).sum(axis=0)
    total += rest @ rest.T
    return total


def _blocks(height: int, width: int, pixels: int) -> Iterator[tuple[int, int, int, int]]:
    """Rectangles (top, bottom, left, right) of at most so many pixels, as wide as possible."""
    columns = min(width, pixels)
    rows = pixels // columns
    for top in range(0, height, rows):
        for left in range(0, width, columns):
            yield top, min(height, top + rows), left, min(width, left + columns)


def _design(halo: Array, target: Array, factor: Pair, kernel: Pair) -> Array:
    """One row per tap but the centre, then one per phase; one column per pixel."""
    height, width = halo.shape[0] - kernel[0] + 1, halo.shape[1] - kernel[1] + 1
    taps = [halo[i : i + height, j : j + width] for i, j in np.ndindex(*kernel)]
    centre = taps.pop(len(taps) // 2).astype(np.float64)
    phases = [target[i :: factor[0], j :: factor[1]] for i, j in np.ndindex(*factor)]
    design = np.empty((len(taps) + len(phases), height, width))
    if not (np.isfinite(halo).all() and np.isfinite(target).all()):
        check.invalid(f"{_OP}: pictures must be finite, got nan or infinity")
    for row, pixels in zip(design, [*taps, *phases], strict=True):
        np.subtract(pixels, centre, out=row)
    return design.reshape(len(design), -1)


def _planes(small: Any, large: Any, factor: Pair, kernel: Pair) -> tuple[Array, Array]:
    """Both pictures as (planes, H, W), views of what was given."""
    one, other = _picture(small), _picture(large)
    if one.ndim != other.ndim or one.shape[:-2] != other.shape[:-2]:
        check.invalid(f"{_OP}: pictures must have the same leading axes, got the shapes {one.shape} and {other.shape}")
    size = one.shape[-2:]
    if other.shape[-2:] != (size[0] * factor[0], size[1] * factor[1]):
        got = f"{size} and {other.shape[-2:]}"
        check.invalid(f"{_OP}: large picture must be factor {factor} times the small one, got {got}")
    if size[0] < kernel[0] or size[1] < kernel[1]:
        check.invalid(f"{_OP}: small picture must be at least as large as the kernel {kernel}, got {size}")
    return one.reshape(-1, *size), other.reshape(-1, *other.shape[-2:])


def _picture(value: Any) -> Array:
    pixels = check.as_array(_OP, "pictures", value)
    if pixels.dtype.kind not in "iuf" and pixels.dtype.name != "bfloat16":
        raise TypeError(f"{_OP}: pictures must be of an integer or floating dtype, got {pixels.dtype}")
    if not 2 <= pixels.ndim <= 4:
        check.invalid(f"{_OP}: pictures must be (H, W), (C, H, W) or (N, C, H, W), got the shape {pixels.shape}")
    return pixels


def _iterated(pairs: Any) -> Iterator[Any]:
    try:
        return iter(list(pairs)) if isinstance(pairs, memoryview) else iter(pairs)
    except (TypeError, NotImplementedError):
        raise TypeError(f"{_OP}: pairs must be an iterable of pairs of pictures, got {type(pairs).__name__}") from None


def _two(pair: Any) -> tuple[Any, Any]:
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        raise TypeError(f"{_OP}: each of pairs must be a tuple (small, large), got {type(pair).__name__}")
    return pair[0], pair[1]


def odd(kernel_size: Any) -> Pair:
    """The kernel's extents, which must have a centre."""
    kernel = _pair("kernel_size", kernel_size)
    if not (kernel[0] % 2 and kernel[1] % 2):
        check.invalid(f"{_OP}: kernel_size must be odd, got {kernel_size!r}")
    return kernel


def _pair(name: str, value: Any) -> Pair:
    first, second = check.per_axis(_OP, name, value, 2)
    return first, second


def _ridge(value: Any) -> float:
    number = check.number(_OP, "ridge", value)
    if not 0 <= number < math.inf:
        check.invalid(f"{_OP}: ridge must be finite and at least 0, got {check.shown(value)}")
    return number
