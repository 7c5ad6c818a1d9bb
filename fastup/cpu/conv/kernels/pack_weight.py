"""Weights put into the order in which the micro-kernel reads them: panel by panel, ``[channel][tap][row]``.

``params``: panels of all groups; panels of a group; place of their list; items from group to group of the weight and of
the panels; items from input channel to input channel. A panel: rows, taps, channels, first item of the weight, first
item here, place of its rows; a row: its first item, and the place of its taps' items.
"""

from __future__ import annotations

from fastup.cpu.conv.kernels import gemm
from fastup.cpu.simd.moves import copy_item
from fastup.cpu.simd.pointers import at
from fastup.runtime.fields import Fields
from fastup.runtime.kernel import kernel

P = Fields("total panels panel_list group_source group_target channel_source")
PANEL, ROW = Fields("rows taps channels source target row_list"), Fields("source taps")


@kernel("element", "element", elements=gemm.FLOATS)
def pack_weight():
    """A panel per work item."""

    def body(params, src, dst, start, stop):
        for item in range(start, stop):
            group = item // params[P.panels]
            panel = at(params, 8 * params[P.panel_list] + PANEL.bytes * (item - group * params[P.panels]))
            source = group * params[P.group_source] + panel[PANEL.source]
            target = group * params[P.group_target] + panel[PANEL.target]
            for _channel in range(panel[PANEL.channels]):
                for row in range(panel[PANEL.rows]):
                    entry = at(params, 8 * panel[PANEL.row_list] + ROW.bytes * row)
                    taps = at(params, 8 * entry[ROW.taps])
                    for tap in range(panel[PANEL.taps]):
                        place = target + tap * panel[PANEL.rows] + row
                        copy_item(src, source + entry[ROW.source] + taps[tap], dst, place)
                target += panel[PANEL.taps] * panel[PANEL.rows]
                source += params[P.channel_source]

    return body
