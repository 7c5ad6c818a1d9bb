"""Which rows of z are made together: panels of one product, and bundles whose rows make whole rows of the result."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from fastup.cpu.conv.phase_grid import PANEL, Geometry


class Bundle(NamedTuple):
    """Tap groups that have the column phases of some row phases between them, for some output channels."""

    groups: tuple[int, ...]
    channels: int

    def rows(self, geometry: Geometry) -> int:
        """Rows of z, which stand tap group by tap group, then channel by channel."""
        return self.channels * sum(len(geometry.tap_groups[number].phases) for number in self.groups)

    def weights(self, geometry: Geometry) -> int:
        """Numbers of weights per input channel."""
        groups = [geometry.tap_groups[number] for number in self.groups]
        return self.channels * sum(len(group.phases) * group.size for group in groups)


def panels_of(rows: int) -> list[int]:
    """Rows of each panel: full ones, and what is left in one panel or two."""
    rest = {0: [], 5: [3, 2]}.get(rows % PANEL, [rows % PANEL])
    return [PANEL] * (rows // PANEL) + rest


def kinds(geometry: Geometry) -> list[Bundle]:
    """The kinds of bundle of a geometry, with as many channels as fill the panels of all their tap groups."""
    found: list[tuple[set[tuple[int, ...]], list[int]]] = []
    for number, group in enumerate(geometry.tap_groups):
        rows, numbers = {phase[:2] for phase in group.phases}, [number]
        for other in [one for one in found if one[0] & rows]:
            found.remove(other)
            rows, numbers = rows | other[0], other[1] + numbers
        found.append((rows, numbers))
    return [Bundle(tuple(numbers), _whole(geometry, numbers)) for _, numbers in found]


def _whole(geometry: Geometry, groups: list[int]) -> int:
    return PANEL // math.gcd(PANEL, *(len(geometry.tap_groups[number].phases) for number in groups))


def channels_of_whole_panels(geometry: Geometry) -> int:
    """Output channels that fill the panels of all tap groups."""
    return _whole(geometry, list(range(len(geometry.tap_groups))))


def bundles(geometry: Geometry, channels: int) -> Iterator[tuple[int, Bundle]]:
    """The bundles of so many output channels in the order in which they are made, each with its first channel."""
    for kind in kinds(geometry):
        for begin in range(0, channels, kind.channels):
            yield begin, kind._replace(channels=min(kind.channels, channels - begin))
