"""Every cell of the table."""

from __future__ import annotations

from benchmarks import _interpolate, _pixel_shuffle

CELLS = (*_pixel_shuffle.CELLS, *_interpolate.CELLS)
