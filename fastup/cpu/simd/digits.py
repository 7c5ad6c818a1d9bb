"""What the kernels of convolutions share: which part of the result a work item is, and lists among their integers.

``params`` of both begin with: 0 work items; 1 blocks of rows; 2 strips of columns; 3 slices; 4 ranges of output
channels of a group; 5 groups. Items count through them in this order, then through images.
"""

from __future__ import annotations

from fastup.cpu.simd.pointers import at
from fastup.runtime.kernel import inline

_, ROW_BLOCKS, STRIPS, SLICES, RANGES, GROUPS = range(6)


@inline
def words(params, place):
    """The list that begins at this place of `params`."""
    return at(params, 8 * place)


@inline
def digits(params, item):
    """Of a work item: its block of rows, strip, slice, range of channels, group and image."""
    above = item // params[ROW_BLOCKS]
    upper = above // params[STRIPS]
    higher = upper // params[SLICES]
    highest = higher // params[RANGES]
    image = highest // params[GROUPS]
    return (
        item - above * params[ROW_BLOCKS],
        above - upper * params[STRIPS],
        upper - higher * params[SLICES],
        higher - highest * params[RANGES],
        highest - image * params[GROUPS],
        image,
    )
