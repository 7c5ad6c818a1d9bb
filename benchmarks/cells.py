"""Every cell of the table."""

from __future__ import annotations

from benchmarks import convolution, interpolation, pooling, segmentation, shuffle, stuffing

CELLS = (
    *shuffle.CELLS,
    *interpolation.CELLS,
    *segmentation.CELLS,
    *convolution.CELLS,
    *pooling.CELLS,
    *stuffing.CELLS,
)
