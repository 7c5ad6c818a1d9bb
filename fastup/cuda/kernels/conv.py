"""Convolution of every kind: a thread computes `OUTPUTS` output channels at one position of one phase.

The weights of these channels come through shared memory, `PRODUCTS` at a time, so that each is read from global memory
once per block; the input is read along its rows by neighbouring threads. In float32 that is 4 KB of shared memory a
block and, on sm_90, 90 registers a thread: five blocks of 128 threads are resident on a multiprocessor.
"""

from __future__ import annotations

from typing import Any

from numba import cuda, float32, float64

from fastup.runtime.fields import Fields

OUTPUTS, PRODUCTS, THREADS = 8, 128, 128
_SHARED = OUTPUTS * PRODUCTS
P = Fields(
    """
    positions tiles groups group_in group_out phases phase_list numbers
    source_image source_channel source_pixel target_image target_channel target_pixel
    weight_group weight_output weight_channel inside outside up step rows columns
    """,
    **dict.fromkeys(("inside", "outside", "up", "step"), 3),
)
SLICE, ROW, COLUMN = range(3)  # of three numbers along the axes
# A phase: its number on each axis, taps, their list, and its number among the rows of a sub-pixel weight. A tap: its
# shift on each axis, and its item of the kernel.
PHASE, TAP = Fields("place taps tap_list number", place=3), Fields("shift weight", shift=3)


def _conv(kind: Any) -> Any:
    @cuda.jit
    def conv(first: Any, table: Any, src: Any, weight: Any, bias: Any, dst: Any) -> None:
        shared = cuda.shared.array(_SHARED, kind)
        sums = cuda.local.array(OUTPUTS, kind)
        # Of a block: its phase, tile of output channels, group and image; of a thread: its position.
        rest = (first + cuda.blockIdx.y) // table[P.phases]
        phase = table[P.phase_list] + PHASE.size * (first + cuda.blockIdx.y - rest * table[P.phases])
        above = rest // table[P.tiles]
        output = OUTPUTS * (rest - above * table[P.tiles])
        image = above // table[P.groups]
        group = above - image * table[P.groups]
        position = cuda.blockIdx.x * THREADS + cuda.threadIdx.x
        line = position // table[P.columns]
        t_column, t_slice = position - line * table[P.columns], line // table[P.rows]
        t_row = line - t_slice * table[P.rows]
        taps, tap_list = table[phase + PHASE.taps], table[phase + PHASE.tap_list]
        products = table[P.group_in] * taps
        origin = image * table[P.source_image] + group * table[P.group_in] * table[P.source_channel]
        for k in range(OUTPUTS):
            sums[k] = 0
        for begin in range(0, products, PRODUCTS):
            cuda.syncthreads()
            for item in range(cuda.threadIdx.x, _SHARED, THREADS):
                out, k = output + item // PRODUCTS, begin + item % PRODUCTS
                shared[item] = 0
                if out < table[P.group_out] and k < products:
                    place = group * table[P.weight_group] + (k // taps) * table[P.weight_channel]
                    place += (out * table[P.numbers] + table[phase + PHASE.number]) * table[P.weight_output]
                    shared[item] = weight[place + table[tap_list + TAP.size * (k % taps) + TAP.weight]]
            cuda.syncthreads()
            for k in range(min(PRODUCTS, products - begin)):
                channel = (begin + k) // taps
                tap = tap_list + TAP.size * (begin + k - channel * taps)
                s = table[P.step + SLICE] * t_slice + table[tap + TAP.shift + SLICE]
                r = table[P.step + ROW] * t_row + table[tap + TAP.shift + ROW]
                c = table[P.step + COLUMN] * t_column + table[tap + TAP.shift + COLUMN]
                inside = s >= 0 and s < table[P.inside + SLICE] and r >= 0 and r < table[P.inside + ROW]
                if inside and c >= 0 and c < table[P.inside + COLUMN]:
                    pixel = (s * table[P.inside + ROW] + r) * table[P.inside + COLUMN] + c
                    value = src[origin + channel * table[P.source_channel] + pixel * table[P.source_pixel]]
                    for out in range(OUTPUTS):
                        sums[out] = cuda.fma(value, shared[out * PRODUCTS + k], sums[out])
        s = table[P.up + SLICE] * t_slice + table[phase + PHASE.place + SLICE]
        r = table[P.up + ROW] * t_row + table[phase + PHASE.place + ROW]
        c = table[P.up + COLUMN] * t_column + table[phase + PHASE.place + COLUMN]
        inside = position < table[P.positions] and s < table[P.outside + SLICE] and r < table[P.outside + ROW]
        if inside and c < table[P.outside + COLUMN]:
            pixel = (s * table[P.outside + ROW] + r) * table[P.outside + COLUMN] + c
            for k in range(OUTPUTS):  # a constant: sums stay in registers
                if output + k < table[P.group_out]:
                    channel = group * table[P.group_out] + output + k
                    place = channel * table[P.target_channel] + pixel * table[P.target_pixel]
                    number = channel * table[P.numbers] + table[phase + PHASE.number]
                    dst[image * table[P.target_image] + place] = sums[k] + bias[number]

    return conv


CONVS = {"float32": _conv(float32), "float64": _conv(float64)}
