"""Weights put into the order in which the micro-kernel reads them: panel by panel, ``[channel][tap][row]``.

``params``: 0 panels of all groups; 1 panels of a group; 2 place of their list; 3, 4 items from group to group of the
weight and of the panels; 5 items from input channel to input channel. A panel: rows, taps, channels, first item of the
weight, first item here, place of its rows; a row: its first item, and the place of its taps' items.
"""

from __future__ import annotations

from fastup.cpu.conv.kernels import gemm
from fastup.cpu.simd.moves import copy_item
from fastup.cpu.simd.pointers import at
from fastup.runtime.kernel import kernel

_, PANELS, PANEL_LIST, GROUP_SOURCE, GROUP_TARGET, CHANNEL_SOURCE, FIRST = range(7)
ROWS, TAPS, CHANNELS, SOURCE, TARGET, ROW_LIST, PANEL_ENTRY = range(7)
ROW_SOURCE, ROW_TAPS, ROW_ENTRY = range(3)


@kernel("element", "element", elements=gemm.FLOATS)
def pack():
    """A panel per work item."""

    def body(params, src, dst, start, stop):
        for item in range(start, stop):
            group = item // params[PANELS]
            panel = at(params, 8 * (params[PANEL_LIST] + PANEL_ENTRY * (item - group * params[PANELS])))
            source = group * params[GROUP_SOURCE] + panel[SOURCE]
            target = group * params[GROUP_TARGET] + panel[TARGET]
            for _channel in range(panel[CHANNELS]):
                for row in range(panel[ROWS]):
                    entry = at(params, 8 * (panel[ROW_LIST] + ROW_ENTRY * row))
                    taps = at(params, 8 * entry[ROW_TAPS])
                    for tap in range(panel[TAPS]):
                        copy_item(src, source + entry[ROW_SOURCE] + taps[tap], dst, target + tap * panel[ROWS] + row)
                target += panel[TAPS] * panel[ROWS]
                source += params[CHANNEL_SOURCE]

    return body
