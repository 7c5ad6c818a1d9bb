"""Every cell of the table."""

from __future__ import annotations

from benchmarks import convolution, interpolation, pooling, resizing, segmentation, shuffle, stuffing

CELLS = (
    *shuffle.CELLS,
    *interpolation.CELLS,
    *resizing.CELLS,
    *segmentation.CELLS,
    *convolution.CELLS,
    *pooling.CELLS,
    *stuffing.CELLS,
)
