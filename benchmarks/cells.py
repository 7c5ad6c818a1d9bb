"""Every cell of the table."""

from __future__ import annotations

from benchmarks import _conv, _interpolate, _max_pool, _pixel_shuffle, _segmentation, _zero_stuff

CELLS = (
    *_pixel_shuffle.CELLS,
    *_interpolate.CELLS,
    *_segmentation.CELLS,
    *_conv.CELLS,
    *_max_pool.CELLS,
    *_zero_stuff.CELLS,
)
