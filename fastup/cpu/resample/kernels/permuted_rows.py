"""Stages that resample rows of short pixels by permutation: blocks of outputs, and pixels at the ends one by one."""

from __future__ import annotations

from fastup.cpu.resample.kernels.horizontal import P, clamped_pixels, two_by_two
from fastup.cpu.resample.kernels.permute import block_bytes, lanes, permuted_sum
from fastup.cpu.simd.pointers import as_int64, at
from fastup.runtime.kernel import inline, kernel


def _block_by_block(block_sum, size):
    """A helper that computes a row, or two, in blocks of so many items, between two pixels."""
    head = block_bytes()

    @inline
    def make(params, line, line_step, dst, target_step, table):
        places, blocks, whole = as_int64(table, params[P.places]), at(table, params[P.blocks]), params[P.whole]
        items, count = params[P.items], params[P.taps]
        begin, total = params[P.regular_from] * items, (params[P.regular_to] - params[P.regular_from]) * items
        for block in range((total + size - 1) // size):
            # The last block lies over the one before, so that no store leaves the row.
            index = begin + min(block * size, total - size)
            weights, read = at(blocks, block * head * (1 + count)), as_int64(table, whole)[block]
            block_sum(line, line_step, places[block], items, weights, dst, target_step, index, read, count)

    return make


def permuted(element, taps, pair, in_steps=False):
    """A helper that computes one row, or two, by permutation; pixels at the ends one by one."""
    ends = clamped_pixels(taps, in_steps)

    def of_rows(rows):
        make = _block_by_block(permuted_sum(taps, pair, rows, in_steps=in_steps), lanes(element))

        @inline
        def whole_rows(params, line, line_step, dst, target_step, table):
            make(params, line, line_step, dst, target_step, table)
            if params[P.regular_from] > 0 or params[P.regular_to] < params[P.outputs]:
                for row in range(rows):
                    source, target = at(line, row * line_step), at(dst, row * target_step)
                    ends(params, source, target, table, 0, params[P.regular_from])
                    ends(params, source, target, table, params[P.regular_to], params[P.outputs])

        return whole_rows

    return of_rows


@kernel("element", "element", "uint8", "int64", elements=("float32",), taps=(2, 4, 0), pair=(0, 1))
def by_permutation(taps, pair):
    """Any ratio of short pixels: blocks of outputs whose items are brought to their lanes by permutation."""
    return two_by_two(permuted("float32", taps, pair))


@kernel("element", "element", "uint8", "int64", elements=("float64",), taps=(2, 4, 0))
def by_permutation_of_doubles(taps):
    """The same for float64, always from two vectors: they are half as long."""
    return two_by_two(permuted("float64", taps, True))


@kernel("element", "element", "uint8", elements=("float32",), pair=(0, 1))
def add_by_permutation(pair):
    """The same sums added to what the row holds, tap by tap; items that two blocks have in common count once."""
    make = _block_by_block(permuted_sum(0, pair, adds=True), lanes("float32"))

    def body(params, line, dst, table, start, stop):
        make(params, line, 0, dst, 0, table)

    return body
