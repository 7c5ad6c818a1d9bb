"""Stages that sum bytes of a row with integer weights and keep the sums, whole numbers below 2**24, as float32.

The same pieces as those of `fixed`: a sum of bytes costs a quarter of one of floats.
"""

from __future__ import annotations

import numpy as np

from fastup.cpu.resample.kernels.fixed import as_int16, in_pieces
from fastup.cpu.resample.kernels.horizontal import P as ROW
from fastup.cpu.resample.kernels.horizontal import row_by_row
from fastup.cpu.simd.pointers import as_float32, as_int64
from fastup.runtime.kernel import inline, kernel


@kernel("uint8", "uint8", "uint8", "int64", elements=("uint8",))
def by_pieces():
    """Any ratio of short pixels: a piece makes four neighbouring items, a pair of taps at a time."""
    return in_pieces(1, 0, 0, 1, as_floats=True)


@kernel("uint8", "uint8", "uint8", "int64", elements=("uint8",), pixel=(0, 1, 2, 3))
def by_full_pieces(pixel):
    """Two pairs of taps from every piece; of four neighbouring items, or of one pixel for ratios beyond those."""
    return in_pieces(2, pixel, 0, 1, as_floats=True)


@kernel("uint8", "uint8", "uint8", "int64", elements=("uint8",))
def by_table():
    """Any pixel: rows of weights have an even number."""

    @inline
    def one_row(params, line, dst, table):
        first, weights = as_int64(table, params[ROW.first]), as_int16(table, params[ROW.weights])
        items, taps, target = params[ROW.items], params[ROW.taps], as_float32(dst, 0)
        row = (taps + 1) // 2 * 2
        for pixel in range(params[ROW.outputs]):
            begin = first[pixel] * items
            for item in range(items):
                total = np.int32(0)
                for k in range(taps):
                    total += np.int32(line[begin + k * items + item]) * np.int32(weights[pixel * row + k])
                target[pixel * items + item] = np.float32(total)

    return row_by_row(one_row)
