"""Weights for learned upsampling: first values, a layer fitted to pictures, a measure of unevenness. All NumPy."""

from __future__ import annotations

from fastup.init._first_weights import bilinear as bilinear
from fastup.init._first_weights import checkerboard_score as checkerboard_score
from fastup.init._first_weights import icnr as icnr
from fastup.init._fit_subpixel import fit_subpixel as fit_subpixel

__all__ = ["bilinear", "checkerboard_score", "fit_subpixel", "icnr"]
