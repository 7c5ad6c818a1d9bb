"""A row of the result woven from one row per phase: the last step of convolutions.

``params``: 0 items of the row; 1 phases; 2 items from one item of the row to the next; from 3 on, where the first item
of each phase lies. Items move as plain bits.
"""

from __future__ import annotations

from fastup.cpu.kernels.simd import copy_item
from fastup.runtime.kernel import inline, kernel

OUTPUTS, PHASES, STEP, FIRST = range(4)
FACTORS = (0, 1, 2, 3, 4, 8)


@kernel("element", "element", elements=("uint16", "uint32", "uint64"), factor=FACTORS)
def join(factor):
    """Rows of `factor` phases one item after the other; 0 stands for any number of phases and any step."""

    @inline
    def singly(params, src, dst, begin):
        phases = params[PHASES]
        for phase in range(phases):
            first = params[FIRST + phase]
            for k in range(begin, (params[OUTPUTS] - phase + phases - 1) // phases):
                copy_item(src, first + k, dst, (k * phases + phase) * params[STEP])

    def any_number(params, src, dst, start, stop):
        singly(params, src, dst, 0)

    def woven(params, src, dst, start, stop):
        whole = params[OUTPUTS] // factor
        for k in range(whole):
            for phase in range(factor):
                dst[k * factor + phase] = src[params[FIRST + phase] + k]
        singly(params, src, dst, whole)

    return woven if factor else any_number
