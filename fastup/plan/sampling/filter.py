"""What all code knows of a filter of interpolation: one record for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from fastup.plan.base import Array

Weight = Callable[[Array], Array]


class Form(NamedTuple):
    """A filter as it is sampled at a coordinate, or as it is stretched by antialiasing.

    Attributes
    ----------
    weight : callable
        Weights at distances in pixels, in float64. They need not sum to 1.
    in_torch : callable, optional
        The same rounding for rounding as torch has them, in the dtype of its argument, and whether that is float64.
        Sampled: from fractions of a pixel to the weights of all taps. Stretched: at distances.
    fixed : callable, optional
        `weight` as torch's kernels for uint8 pictures have it, before they round to 16 bits; None where they have none.
    onnx : mapping, optional
        The attributes of a Resize with the same weights; None where there is none. Where pixels are weighted, the
        coordinates are half_pixel or align_corners.
    """

    weight: Weight = np.ones_like
    in_torch: Callable[[Array, bool], Array] | None = None
    fixed: Weight | None = None
    onnx: Mapping[str, Any] | None = None


@dataclass(frozen=True, eq=False)
class Filter:
    """What happens along an axis.

    It weighs pixels around a coordinate (`half`), or copies one (`copies_at`), or means those that it covers
    (`averages`).

    Attributes
    ----------
    name : str
        As the mode of one axis.
    half : int
        Pixels before a coordinate, and behind it, that have a weight where the filter is not stretched.
    sampled : Form
        Along axes that are not antialiased.
    stretched : Form, optional
        Along antialiased axes; None if the filter takes no antialias.
    any_rank : str, optional
        Its `mode`; default the name.
    ranked : mapping of int to str
        torch's names, which demand a number of spatial axes.
    align_corners : bool
        Whether corners can be aligned.
    interpolates : bool
        Whether an axis that keeps size and scale is left as it is. False: its pixels are blurred.
    heeds_scale : bool
        Whether a scale factor moves the samples of an axis that keeps its size. Never of antialiased ones.
    reads_zeros : bool
        Whether taps of weight 0 are read, as torch reads them where it samples: 0 * inf is NaN there. Kernels have such
        sums, in torch's order, of two and of four taps.
    clamps : bool
        Whether a coordinate before the first pixel counts as the first pixel.
    digits : (int, int), optional
        Binary digits of a sampled weight: so many for each of the coordinate's, and so many more; None if endless.
    copies_at : float, optional
        Of what copies: output position i takes input position floor((i + copies_at) * scale).
    averages : bool
        Whether every output position is the mean of the input positions that it covers.
    """

    name: str
    half: int
    sampled: Form
    stretched: Form | None = None
    any_rank: str | None = None
    ranked: Mapping[int, str] = field(default_factory=dict)
    align_corners: bool = False
    interpolates: bool = True
    heeds_scale: bool = True
    reads_zeros: bool = False
    clamps: bool = False
    digits: tuple[int, int] | None = None
    copies_at: float | None = None
    averages: bool = False

    @property
    def mode(self) -> str:
        """The mode that means it along all axes, whatever their number."""
        return self.any_rank or self.name

    @property
    def copies(self) -> bool:
        """Whether every output position is an input position as it is, whatever the sizes."""
        return self.copies_at is not None

    def form(self, antialias: bool) -> Form:
        """The stretched form if it is asked for and there is one, else the sampled one."""
        return (self.stretched if antialias else None) or self.sampled
