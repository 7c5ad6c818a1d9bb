"""One axis resampled by its table, or all axes at once as means of windows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import cuda

from fastup.runtime.fields import Fields

P = Fields("inputs outputs windows items", inputs=3, outputs=3, windows=3)
SLICE, ROW, COLUMN = range(3)  # of three numbers along the axes


@cuda.jit
def weighted(
    total: Any, n_in: Any, n_out: Any, inner: Any, taps: Any, order: Any, first: Any, counts: Any, weights: Any,
    src: Any, dst: Any,
) -> None:  # fmt: skip
    """The first product, then one contracted product and sum per tap, in the order in which torch sums.

    Neighbouring threads read neighbouring items, and `inner` of them the same table entries. On sm_90 a thread takes 55
    registers: four blocks of 256 threads are resident on a multiprocessor.
    """
    for i in range(cuda.grid(1), total, cuda.gridsize(1)):
        above = i // inner
        outer = above // n_out
        position = above - outer * n_out
        begin, base = first[position], outer * n_in * inner + (i - above * inner)
        tap = order[0]
        result = src[base + min(max(begin + tap, 0), n_in - 1) * inner] * weights[position * taps + tap]
        for k in range(1, counts[position]):
            tap = order[k]
            item = src[base + min(max(begin + tap, 0), n_in - 1) * inner]
            result = cuda.fma(item, weights[position * taps + tap], result)
        dst[i] = result


@cuda.jit
def fixed(
    total: Any, n_in: Any, n_out: Any, inner: Any, taps: Any, bits: Any, first: Any, weights: Any, src: Any, dst: Any
) -> None:
    """Pixels of uint8 with weights of 16 bits, rounded to uint8."""
    for i in range(cuda.grid(1), total, cuda.gridsize(1)):
        above = i // inner
        outer = above // n_out
        position = above - outer * n_out
        begin, base = first[position], outer * n_in * inner + (i - above * inner)
        result = 1 << (bits - 1)
        for k in range(taps):
            result += weights[position * taps + k] * src[base + min(begin + k, n_in - 1) * inner]
        dst[i] = min(max(result >> bits, 0), 255)


@cuda.jit
def area(total: Any, table: Any, most: Any, src: Any, dst: Any) -> None:
    """Means of windows: of up to `most` items a sum in their order, then one division per axis; else exact sums.

    `table`: along the axes input, output and the places of the windows, each of them a first position and a count; then
    the items of a pixel.
    """
    inner = table[P.items]
    for i in range(cuda.grid(1), total, cuda.gridsize(1)):
        rest = i // inner
        item = i - rest * inner
        above = rest // table[P.outputs + COLUMN]
        column = table[P.windows + COLUMN] + 2 * (rest - above * table[P.outputs + COLUMN])
        rest = above
        above = rest // table[P.outputs + ROW]
        row = table[P.windows + ROW] + 2 * (rest - above * table[P.outputs + ROW])
        outer = above // table[P.outputs + SLICE]
        slice_ = table[P.windows + SLICE] + 2 * (above - outer * table[P.outputs + SLICE])
        high, low = 0.0, 0.0
        result = src[0] - src[0]
        count = table[slice_ + 1] * table[row + 1] * table[column + 1]
        for s in range(table[slice_], table[slice_] + table[slice_ + 1]):
            for r in range(table[row], table[row] + table[row + 1]):
                line = ((outer * table[P.inputs + SLICE] + s) * table[P.inputs + ROW] + r) * table[P.inputs + COLUMN]
                for c in range(table[column], table[column] + table[column + 1]):
                    value = src[(line + c) * inner + item]
                    if count <= most:
                        result += value
                    else:
                        before = high
                        high = before + value
                        part = high - before
                        low += (before - (high - part)) + (value - part)
        if count <= most:
            dst[i] = result / table[slice_ + 1] / table[row + 1] / table[column + 1]
        else:
            dst[i] = (high + low if low == low else high) / count


@cuda.jit
def area_integers(total: Any, table: Any, halves: Any, src: Any, dst: Any) -> None:
    """The same of integers: whole sums of their upper and lower halves, rounded once, half to even.

    `halves`, of the items' dtype: how many bits the lower half has, and the largest number in it.
    """
    inner, shift, mask = table[P.items], halves[0], halves[1]
    for i in range(cuda.grid(1), total, cuda.gridsize(1)):
        rest = i // inner
        item = i - rest * inner
        above = rest // table[P.outputs + COLUMN]
        column = table[P.windows + COLUMN] + 2 * (rest - above * table[P.outputs + COLUMN])
        rest = above
        above = rest // table[P.outputs + ROW]
        row = table[P.windows + ROW] + 2 * (rest - above * table[P.outputs + ROW])
        outer = above // table[P.outputs + SLICE]
        slice_ = table[P.windows + SLICE] + 2 * (above - outer * table[P.outputs + SLICE])
        upper, lower = np.int64(0), np.int64(0)
        count = table[slice_ + 1] * table[row + 1] * table[column + 1]
        for s in range(table[slice_], table[slice_] + table[slice_ + 1]):
            for r in range(table[row], table[row] + table[row + 1]):
                line = ((outer * table[P.inputs + SLICE] + s) * table[P.inputs + ROW] + r) * table[P.inputs + COLUMN]
                for c in range(table[column], table[column] + table[column + 1]):
                    value = src[(line + c) * inner + item]
                    upper += np.int64(value >> shift)
                    lower += np.int64(value & mask)
        # Numba's quotient of integers is rounded down, as Python's.
        whole = upper // count
        total_rest = (upper - whole * count) * (np.int64(mask) + 1) + lower
        mean = total_rest // count
        past = total_rest - mean * count
        if 2 * past > count or (2 * past == count and mean % 2 != 0):
            mean += 1
        dst[i] = whole * (np.int64(mask) + 1) + mean
