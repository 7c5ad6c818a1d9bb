"""What the kernels of convolutions share: which part of the result a work item is, and lists among their integers."""

from __future__ import annotations

from fastup.cpu.simd.pointers import at
from fastup.runtime.fields import Fields
from fastup.runtime.kernel import inline

# What the integers of both begin with: work items; blocks of rows, strips of columns, slices, ranges of output channels
# of a group, and groups. Items count through them in this order, then through images.
ITEMS = Fields("total row_blocks strips slices ranges groups")
TABLE = Fields("weights biases slopes")  # addresses


@inline
def list_at(params, place):
    """The list that begins at this place of `params`."""
    return at(params, 8 * place)


@inline
def digits(params, item):
    """Of a work item: its block of rows, strip, slice, range of channels, group and image."""
    above = item // params[ITEMS.row_blocks]
    upper = above // params[ITEMS.strips]
    higher = upper // params[ITEMS.slices]
    highest = higher // params[ITEMS.ranges]
    image = highest // params[ITEMS.groups]
    return (
        item - above * params[ITEMS.row_blocks],
        above - upper * params[ITEMS.strips],
        upper - higher * params[ITEMS.slices],
        higher - highest * params[ITEMS.ranges],
        highest - image * params[ITEMS.groups],
        image,
    )
