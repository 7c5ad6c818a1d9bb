"""What the kernels of convolutions share: which part of the result a work item is, and lists among their integers."""

from __future__ import annotations

from fastup.cpu.simd.pointers import at
from fastup.runtime.fields import Fields
from fastup.runtime.kernel import inline

# The integers that both have: work items, which count through the numbers behind them and then through images; where
# arrays lie, in bytes; what there is along the axes; the stages of rows; and the parts of the workspace.
CALL = Fields(
    """
    total row_blocks strips slices ranges groups group_in group_out block_rows number_size stored_size
    source_image source_channel source target_image target_channel target inside outside up step first
    load activate store swapped interleave stream staged_at z_at stored_at interleave_at line_at
    """,
    **dict.fromkeys(("source", "target", "inside", "outside", "up", "step", "first"), 3),
)
TABLE = Fields("weights biases slopes")  # addresses
SLICE, ROW, COLUMN = range(3)  # of three numbers along the axes


@inline
def list_at(params, place):
    """The list that begins at this place of `params`."""
    return at(params, 8 * place)


@inline
def digits(params, item):
    """Of a work item: its block of rows, strip, slice, range of channels, group and image."""
    above = item // params[CALL.row_blocks]
    upper = above // params[CALL.strips]
    higher = upper // params[CALL.slices]
    highest = higher // params[CALL.ranges]
    image = highest // params[CALL.groups]
    return (
        item - above * params[CALL.row_blocks],
        above - upper * params[CALL.strips],
        upper - higher * params[CALL.slices],
        higher - highest * params[CALL.ranges],
        highest - image * params[CALL.groups],
        image,
    )
