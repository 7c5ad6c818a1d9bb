"""Convolution of every kind: a thread computes `OUTPUTS` output channels at one position of one phase.

The weights of these channels come through shared memory, `PRODUCTS` at a time, so that each is read from global memory
once per block; the input is read along its rows by neighbouring threads. In float32 that is 4 KB of shared memory a
block and, on sm_90, 90 registers a thread: five blocks of 128 threads are resident on a multiprocessor.
"""

from __future__ import annotations

import math
from typing import Any

from numba import cuda, float32, float64

OUTPUTS, PRODUCTS, THREADS = 8, 128, 128
_SHARED = OUTPUTS * PRODUCTS
RELU, LEAKY_RELU, TANH, SIGMOID = range(4)
(
    POSITIONS, TILES, GROUPS, GROUP_IN, GROUP_OUT, PHASES, PHASE_LIST, NUMBERS,
    SOURCE_IMAGE, SOURCE_CHANNEL, SOURCE_PIXEL, TARGET_IMAGE, TARGET_CHANNEL, TARGET_PIXEL,
    WEIGHT_GROUP, WEIGHT_OUTPUT, WEIGHT_CHANNEL,
    IN_SLICES, IN_ROWS, IN_COLUMNS, OUT_SLICES, OUT_ROWS, OUT_COLUMNS,
    UP_SLICES, UP_ROWS, UP_COLUMNS, STEP_SLICES, STEP_ROWS, STEP_COLUMNS, ROWS, COLUMNS,
) = range(31)  # fmt: skip
PARAMS = 31
# Of a phase, after its number on each axis: taps, their list, and its number among the rows of a sub-pixel weight.
PHASE_TAPS, TAP_LIST, PHASE_NUMBER, PHASE_ENTRY = 3, 4, 5, 6
TAP_WEIGHT, TAP_ENTRY = 3, 4  # of a tap, after its shift on each axis


def _conv(kind: Any) -> Any:
    @cuda.jit
    def conv(first: Any, table: Any, src: Any, weight: Any, bias: Any, dst: Any) -> None:
        shared = cuda.shared.array(_SHARED, kind)
        sums = cuda.local.array(OUTPUTS, kind)
        # Of a block: its phase, tile of output channels, group and image; of a thread: its position.
        rest = (first + cuda.blockIdx.y) // table[PHASES]
        phase = table[PHASE_LIST] + PHASE_ENTRY * (first + cuda.blockIdx.y - rest * table[PHASES])
        above = rest // table[TILES]
        output = OUTPUTS * (rest - above * table[TILES])
        image = above // table[GROUPS]
        group = above - image * table[GROUPS]
        position = cuda.blockIdx.x * THREADS + cuda.threadIdx.x
        line = position // table[COLUMNS]
        t_column, t_slice = position - line * table[COLUMNS], line // table[ROWS]
        t_row = line - t_slice * table[ROWS]
        taps, tap_list = table[phase + PHASE_TAPS], table[phase + TAP_LIST]
        products = table[GROUP_IN] * taps
        origin = image * table[SOURCE_IMAGE] + group * table[GROUP_IN] * table[SOURCE_CHANNEL]
        for k in range(OUTPUTS):
            sums[k] = 0
        for begin in range(0, products, PRODUCTS):
            cuda.syncthreads()
            for item in range(cuda.threadIdx.x, _SHARED, THREADS):
                out, k = output + item // PRODUCTS, begin + item % PRODUCTS
                shared[item] = 0
                if out < table[GROUP_OUT] and k < products:
                    place = group * table[WEIGHT_GROUP] + (k // taps) * table[WEIGHT_CHANNEL]
                    place += (out * table[NUMBERS] + table[phase + PHASE_NUMBER]) * table[WEIGHT_OUTPUT]
                    shared[item] = weight[place + table[tap_list + TAP_ENTRY * (k % taps) + TAP_WEIGHT]]
            cuda.syncthreads()
            for k in range(min(PRODUCTS, products - begin)):
                channel = (begin + k) // taps
                tap = tap_list + TAP_ENTRY * (begin + k - channel * taps)
                s = table[STEP_SLICES] * t_slice + table[tap]
                r = table[STEP_ROWS] * t_row + table[tap + 1]
                c = table[STEP_COLUMNS] * t_column + table[tap + 2]
                inside = s >= 0 and s < table[IN_SLICES] and r >= 0 and r < table[IN_ROWS]
                if inside and c >= 0 and c < table[IN_COLUMNS]:
                    pixel = (s * table[IN_ROWS] + r) * table[IN_COLUMNS] + c
                    value = src[origin + channel * table[SOURCE_CHANNEL] + pixel * table[SOURCE_PIXEL]]
                    for out in range(OUTPUTS):
                        sums[out] = cuda.fma(value, shared[out * PRODUCTS + k], sums[out])
        s, r = table[UP_SLICES] * t_slice + table[phase], table[UP_ROWS] * t_row + table[phase + 1]
        c = table[UP_COLUMNS] * t_column + table[phase + 2]
        inside = position < table[POSITIONS] and s < table[OUT_SLICES] and r < table[OUT_ROWS]
        if inside and c < table[OUT_COLUMNS]:
            pixel = (s * table[OUT_ROWS] + r) * table[OUT_COLUMNS] + c
            for k in range(OUTPUTS):  # a constant: sums stay in registers
                if output + k < table[GROUP_OUT]:
                    channel = group * table[GROUP_OUT] + output + k
                    place = channel * table[TARGET_CHANNEL] + pixel * table[TARGET_PIXEL]
                    number = channel * table[NUMBERS] + table[phase + PHASE_NUMBER]
                    dst[image * table[TARGET_IMAGE] + place] = sums[k] + bias[number]

    return conv


CONVS = {"float32": _conv(float32), "float64": _conv(float64)}


@cuda.jit
def activate(total: Any, kind: Any, channels: Any, pixels: Any, slopes: Any, dst: Any) -> None:
    """An activation function in place; a channel has so many pixels in a row."""
    for i in range(cuda.grid(1), total, cuda.gridsize(1)):
        value = dst[i]
        if kind == RELU:
            dst[i] = value - value if value < 0 else value
        elif kind == LEAKY_RELU:
            dst[i] = value if value > 0 else value * slopes[i // pixels % channels]
        elif kind == TANH:
            dst[i] = math.tanh(value)
        else:
            dst[i] = 1 / (1 + math.exp(-value))
