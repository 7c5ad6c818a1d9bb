"""Weighted sums along an axis as products of small matrices: blocks of outputs, and the band of inputs that they read.

A dense matrix multiplies by zeros. Along rows the blocks are one product. Along columns of short pixels each block is
a product of its own, with every weight repeated on the diagonal of a pixel's channels: onnxruntime takes 8 ms to
transpose a picture of 720 x 1280 x 3 bytes, and 5 for these products.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastup.export.graph import Graph, Value
from fastup.plan.base import Array
from fastup.plan.sampling.axis import Axis
from fastup.plan.sampling.table import Taps, whole_table

_LOW_BITS = 11  # of a weight: the rest and these are multiplied apart
_LEAST, _MOST, _INNER = 16, 64, 64  # outputs of a block, and inputs that are worth a matrix
_SHORT_PIXEL = 4  # channels
_FEWEST, _PRODUCTS = 8, 48  # outputs of a product of its own, and how many there may be


class Bands(NamedTuple):
    """Blocks of outputs: which inputs each reads, and its weights."""

    positions: Array  # block, input
    weights: Array  # block, output, input

    @property
    def outputs(self) -> int:
        """Those of all blocks, the last one's spare ones included."""
        return int(self.weights.shape[0] * self.weights.shape[1])


def _block(table: Taps, axis: Axis) -> int:
    """Outputs of a block of one product."""
    length = len(table)
    block = int(np.clip((_INNER - table.weights.shape[1]) / max(axis.scale, 1e-3), _LEAST, _MOST))
    return length if length <= 2 * block else block


def bands_of(table: Taps, axis: Axis, block: int) -> Bands:
    """The table in blocks of so many outputs."""
    taps, length = table.weights.shape[1], len(table)
    begins = np.arange(0, length, block)
    read = np.clip(table.first[:, None] + np.arange(taps), 0, axis.extent - 1)
    ends = np.minimum(begins + block, length)
    low = np.array([read[begin:end].min() for begin, end in zip(begins, ends, strict=True)])
    high = np.array([read[begin:end].max() for begin, end in zip(begins, ends, strict=True)])
    inner = int((high - low).max()) + 1
    low = np.minimum(low, axis.extent - inner)
    weights = np.zeros((len(begins), block, inner), table.weights.dtype)
    for number, (begin, end) in enumerate(zip(begins, ends, strict=True)):
        rows = np.arange(end - begin)[:, None]
        np.add.at(weights[number], (rows, read[begin:end] - low[number]), table.weights[begin:end])
    return Bands(low[:, None] + np.arange(inner), weights)


def fixed(graph: Graph, x: Value, place: int, axis: Axis, bits: int) -> Value:
    """Bytes (N, H, W, C) times integer weights along rows (`place` 1) or columns, rounded: whole numbers of float32.

    All sums are whole numbers that float32, or else float64, holds.
    """
    table = whole_table(axis)
    table = Taps(table.first, table.weights.astype(np.int64))
    if place == 2 and int(x.shape[3]) <= _SHORT_PIXEL:
        cut = bands_of(table, axis, min(len(table), max(_FEWEST, -(-len(table) // _PRODUCTS))))
        return _Fixed(graph, cut, bits, axis.length).along_columns(x)
    cut = bands_of(table, axis, _block(table, axis))
    made = _Fixed(graph, cut, bits, axis.length)
    if place == 1:
        return made.along_rows(x)
    return graph.transpose(made.along_rows(graph.transpose(x, [0, 2, 1, 3])), [0, 2, 1, 3])


class _Fixed:
    """Sums of one axis in whole numbers; the weights of two words are multiplied apart."""

    def __init__(self, graph: Graph, cut: Bands, bits: int, length: int) -> None:
        self.graph, self.cut, self.bits, self.length = graph, cut, bits, length
        upper, self.words = cut.weights, [cut.weights]
        if bits > _LOW_BITS:
            upper = (cut.weights + (1 << _LOW_BITS - 1)) >> _LOW_BITS
            self.words = [upper, cut.weights - (upper << _LOW_BITS)]
        most = 255 * max(int(np.abs(word).sum(axis=2).max(initial=0)) for word in self.words)
        self.kind = np.float32 if most + (1 << max(bits - 1, 0)) < 1 << 24 else np.float64

    def along_rows(self, x: Value) -> Value:
        """(N, A, B, C) with A resampled."""
        graph, cut, (n, extent, across, items) = self.graph, self.cut, x.shape
        row = int(across) * int(items)
        flat = graph.reshape(x, [_free(n), extent, row], (n, extent, row))
        read = graph.op("Gather", flat, graph.const(cut.positions), shape=(n, *cut.positions.shape, row), axis=1)
        read, shape = graph.cast(read, self.kind), (n, *cut.weights.shape[:2], row)
        sums = [
            graph.op("MatMul", graph.const(word, self.kind), read, dtype=self.kind, shape=shape) for word in self.words
        ]
        whole = (n, cut.outputs, across, items)
        return self._cut(graph.reshape(self._pixels(sums), [_free(n), *whole[1:]], whole), 1)

    def along_columns(self, x: Value) -> Value:
        """(N, A, B, C) with B resampled, block by block."""
        graph, cut, (n, height, width, items) = self.graph, self.cut, x.shape
        count, block, inner = cut.weights.shape
        flat = graph.reshape(x, [_free(n), height, int(width) * int(items)], (n, height, int(width) * int(items)))
        flat, parts = graph.cast(flat, self.kind), []
        for number, positions in enumerate(cut.positions):
            begin, end = int(positions[0]) * int(items), (int(positions[-1]) + 1) * int(items)
            bounds = (graph.const([one]) for one in (begin, end, 2))
            read = graph.op("Slice", flat, *bounds, shape=(n, height, inner * int(items)))
            by = np.concatenate([np.kron(word[number].T, np.eye(int(items))) for word in self.words], axis=1)
            parts.append(graph.op("MatMul", read, graph.const(by, self.kind), shape=(n, height, by.shape[1])))
        made = len(self.words) * block * int(items)
        joined = graph.op("Concat", *parts, shape=(n, height, count * made), axis=2)
        apart = (n, height, count, len(self.words), block * int(items))
        joined = graph.reshape(joined, [_free(n), *apart[1:]], apart)
        numbers = [graph.const(word) for word in range(len(self.words))]
        sums = [graph.op("Gather", joined, one, shape=(*apart[:3], apart[4]), axis=3) for one in numbers]
        whole = (n, height, cut.outputs, items)
        return self._cut(graph.reshape(self._pixels(sums), [_free(n), *whole[1:]], whole), 2)

    def _pixels(self, sums: list[Value]) -> Value:
        """``clip(sum + half >> bits)`` in float32; a lower word's sum is shifted first, which loses nothing."""
        graph, kind, bits, total = self.graph, self.kind, self.bits, sums[0]
        if len(sums) > 1:
            rest = graph.op("Floor", graph.op("Mul", sums[1], graph.const(2.0**-_LOW_BITS, kind)))
            total, bits = graph.op("Add", total, rest), bits - _LOW_BITS
        half = graph.op("Add", total, graph.const(float(1 << bits - 1), kind))
        pixels = graph.op("Floor", graph.op("Mul", half, graph.const(2.0**-bits, kind)))
        return graph.cast(graph.clamp(pixels, 0, 255), np.float32)

    def _cut(self, y: Value, place: int) -> Value:
        """Without the last block's spare outputs."""
        if y.shape[place] == self.length:
            return y
        shape = (*y.shape[:place], self.length, *y.shape[place + 1 :])
        return self.graph.op("Slice", y, *(self.graph.const([one]) for one in (0, self.length, place)), shape=shape)


def _free(n: int | str) -> int:
    return -1 if isinstance(n, str) else n
