"""B-splines as SciPy's ndimage and scikit-image have them: taps, weights, recursive filters, edges; in float64."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from fastup.plan.base import Array

ORDERS = range(6)
PAD = 12  # pixels that modes whose edge has no recursion are enlarged by, of orders from 2 on
_NEGLIGIBLE = 1e-20  # of a weight
_HOLE = -1


class Edge(NamedTuple):
    """What a mode does beyond the edges, in three places.

    Attributes
    ----------
    coordinate : str
        To coordinates: "none" leaves them, "constant" makes the whole pixel 0, others bring them back.
    recursion : {"mirror", "reflect", "wrap"}
        What the recursive filter takes the picture for.
    taps : str
        To single taps; "constant" makes them 0.
    pads : bool
        Whether orders from 2 on enlarge the picture first.
    """

    coordinate: str
    recursion: str
    taps: str
    pads: bool = False


EDGES = {
    "constant": Edge("constant", "mirror", "mirror"),
    "nearest": Edge("none", "reflect", "nearest", True),
    "reflect": Edge("reflect", "reflect", "reflect"),
    "mirror": Edge("mirror", "mirror", "mirror"),
    "wrap": Edge("wrap of corners", "mirror", "mirror"),
    "grid-wrap": Edge("wrap", "wrap", "wrap"),
    "grid-constant": Edge("none", "mirror", "constant", True),
}
_ROOT_4, _ROOT_5 = math.sqrt(438976), math.sqrt(4436.25)
POLES = {
    2: (math.sqrt(8) - 3,),
    3: (math.sqrt(3) - 2,),
    4: (math.sqrt(664 - _ROOT_4) + math.sqrt(304) - 19, math.sqrt(664 + _ROOT_4) - math.sqrt(304) - 19),
    5: (
        math.sqrt(67.5 - _ROOT_5) + math.sqrt(26.25) - 6.5,
        math.sqrt(67.5 + _ROOT_5) - math.sqrt(26.25) - 6.5,
    ),
}


def pads(order: int, mode: str) -> int:
    """Pixels by which each side is enlarged before anything else."""
    return PAD if order > 1 and EDGES[mode].pads else 0


def corners(n_in: int, n_out: int) -> Array:
    """Coordinates that keep the first and the last pixel's centre."""
    return np.arange(n_out) * ((n_in - 1) / (n_out - 1) if n_out > 1 else 1.0)


def cells(n_in: int, n_out: int) -> Array:
    """Coordinates that keep the outer edges of the first and the last pixel."""
    return (np.arange(n_out) + 0.5) * (n_in / n_out) - 0.5


def taps(order: int, mode: str, x: Array, n_in: int) -> tuple[Array, Array]:
    """Input position and weight of each tap at each coordinate; -1 for one that reads 0.

    Positions are those of the enlarged picture, if it is.
    """
    edge, pad = EDGES[mode], pads(order, mode)
    x, extent = x + pad, n_in + 2 * pad
    x, outside = _brought_back(x, extent, edge.coordinate)
    first, weights = _weights(x, order)
    read = first[:, None] + np.arange(order + 1)
    hole = outside[:, None] | ((read < 0) | (read >= extent) if edge.taps == "constant" else False)
    return np.where(hole, _HOLE, _folded(read, extent, edge.taps)), weights


def _weights(x: Array, order: int) -> tuple[Array, Array]:
    """The first tap, and the centred B-spline at all of them; the last weight is what the others leave of 1."""
    whole = np.floor(x if order % 2 else x + 0.5)
    past = x - whole if order % 2 else x + 0.5 - whole
    found = [np.ones_like(past)]
    for degree in range(1, order + 1):
        before = [np.zeros_like(past), *found, np.zeros_like(past)]
        found = [
            (past + degree - k) * before[k] / degree + (k + 1 - past) * before[k + 1] / degree
            for k in range(degree + 1)
        ]
    if order:
        found[order] = np.ones_like(past)
        for k in range(order):
            found[order] = found[order] - found[k]
    return whole.astype(np.int64) - order // 2, np.stack(found, axis=1)


def _folded(index: Array, extent: int, rule: str) -> Array:
    """Positions within the picture."""
    if rule == "mirror":
        if extent == 1:
            return np.zeros_like(index)
        index = np.mod(index, 2 * extent - 2)
        return np.where(index >= extent, 2 * extent - 2 - index, index)
    if rule == "reflect":
        index = np.mod(index, 2 * extent)
        return np.where(index >= extent, 2 * extent - 1 - index, index)
    return np.mod(index, extent) if rule == "wrap" else np.clip(index, 0, extent - 1)


def _brought_back(x: Array, extent: int, rule: str) -> tuple[Array, Array]:
    """Coordinates within the picture, and which pixels are 0 altogether."""
    nowhere = np.zeros(x.shape, bool)
    below, above, last = x < 0, x > extent - 1, extent - 1
    if rule == "none":
        return x, nowhere
    if rule == "constant":
        return np.where(below | above, 0.0, x), below | above
    if extent == 1:
        return np.zeros_like(x), nowhere
    if rule == "mirror":
        turned = np.mod(x, 2 * last)
        turned = np.where(turned >= extent, 2 * last - turned, turned)
        return np.where(below, -x, np.where(above, turned, x)), nowhere
    if rule == "reflect":
        return np.where(below, -x - 1, np.where(x >= extent, 2 * extent - x - 1, x)), nowhere
    period = extent if rule == "wrap" else last
    from_below = np.trunc((-1 - x if rule == "wrap" else -x) / period) + 1
    wrapped = np.where(above, x - period * np.trunc(x / period), x)
    return np.where(below, x + period * from_below, wrapped), nowhere


class Recursion(NamedTuple):
    """One pole of the filter that makes coefficients of pixels: forward, then backward.

    ``c[0] = sum first * c``, ``c[i] += pole * c[i - 1]``, ``c[-1] = sum last * c``, ``c[i] = (c[i + 1] - c[i]) * pole``
    """

    pole: float
    first: Array
    last: Array


def recursions(order: int, edge: str, extent: int, most: int | None = None) -> tuple[float, list[Recursion]]:
    """What pixels are multiplied by first, and the poles; none for orders without a filter, or for one pixel.

    The sum that begins a recursion has no more than `most` terms, if that is given.
    """
    if order < 2 or extent == 1:
        return 1.0, []
    gain = 1.0
    for pole in POLES[order]:
        gain *= (1 - pole) * (1 - 1 / pole)
    return gain, [Recursion(pole, *_ends(pole, edge, extent, most)) for pole in POLES[order]]


def _ends(pole: float, edge: str, extent: int, most: int | None) -> tuple[Array, Array]:
    """The sums that begin the two recursions."""
    powers, last = pole ** np.arange(extent), np.zeros(extent)
    if edge == "mirror":  # the picture and its mirror image have a period of twice the length, less the two ends
        first = powers.copy()
        first[1:-1] += pole ** np.arange(2 * extent - 3, extent - 1, -1.0)
        first /= 1 - pole ** (2 * extent - 2)
        if most is not None and most < extent:
            first = np.where(np.arange(extent) < most, powers, 0.0)
        last[-2:] = pole * pole / (pole * pole - 1), pole / (pole * pole - 1)
    elif edge == "reflect":
        first = _reflected(pole, extent)
        last[-1] = pole / (pole - 1)
    else:
        first = np.concatenate([[1.0], powers[:0:-1]]) / (1 - pole**extent)
        last[:-1] = pole * powers[:-1]
        last[-1] = 1.0
        last *= pole / (pole**extent - 1)
    return np.where(np.abs(first) < _NEGLIGIBLE, 0.0, first), np.where(np.abs(last) < _NEGLIGIBLE, 0.0, last)


def _reflected(pole: float, extent: int) -> Array:
    """SciPy sums this one in place: in the last step it meets the sum itself in the place of the first pixel."""
    last = extent - 1
    total = np.zeros(extent)
    total[0] += 1.0
    total[last] += pole**extent
    for i in range(1, extent):
        if i > 1 and abs(pole) ** i < _NEGLIGIBLE and i < last:
            continue
        other = total * pole**extent if i == last else _unit(last - i, extent) * pole**extent
        total = total + pole**i * (_unit(i, extent) + other)
    first = total * pole / (1 - pole ** (2 * extent))
    first[0] += 1.0
    return first


def _unit(place: int, extent: int) -> Array:
    found = np.zeros(extent)
    found[place] = 1.0
    return found


def gaussian(n_in: int, n_out: int) -> Array:
    """Weights of scikit-image's filter before it shrinks an axis, from one end to the centre; just 1 where it grows."""
    deviation = max(0.0, (n_in / n_out - 1) / 2)
    if deviation <= 1e-15:
        return np.ones(1)
    radius = int(4 * deviation + 0.5)
    weights = np.exp(-0.5 / (deviation * deviation) * np.arange(-radius, radius + 1) ** 2)
    return np.asarray((weights / weights.sum())[: radius + 1])


def neighbours(n_in: int, radius: int, rule: str) -> Array:
    """Input position of each one from `radius` before the first to as far behind the last; -1 for one that is 0."""
    index = np.arange(-radius, n_in + radius)
    if rule == "constant":
        return np.where((index < 0) | (index >= n_in), _HOLE, index)
    return _folded(index, n_in, rule)


def along_channels(order: int, mode: str, channels: int) -> tuple[tuple[float, ...], ...]:
    """What the filter and the sums along an axis that keeps its size do to it: not nothing, with SciPy's own sum."""
    return tuple(map(tuple, matrix(order, mode, cells(channels, channels), channels).tolist()))


def matrix(order: int, mode: str, x: Array, n_in: int, most: int | None = None) -> Array:
    """What an axis is multiplied by to be filtered and read at coordinates: (coordinates, n_in)."""
    pad = pads(order, mode)
    filtered = np.eye(n_in)
    if pad:
        filtered = np.pad(filtered, ((pad, pad), (0, 0)), "edge" if mode == "nearest" else "constant")
    gain, poles = recursions(order, EDGES[mode].recursion, len(filtered), most)
    filtered *= gain
    for one in poles:
        filtered[0] = one.first @ filtered
        for i in range(1, len(filtered)):
            filtered[i] += one.pole * filtered[i - 1]
        filtered[-1] = one.last @ filtered
        for i in range(len(filtered) - 2, -1, -1):
            filtered[i] = one.pole * (filtered[i + 1] - filtered[i])
    places, weights = taps(order, mode, x, n_in)
    found = np.zeros((len(x), n_in))
    for tap in range(order + 1):
        found += np.where(places[:, tap] < 0, 0.0, weights[:, tap])[:, None] * filtered[places[:, tap]]
    return found


def smoothing(n_in: int, n_out: int, rule: str) -> Array:
    """What an axis is multiplied by to be smoothed by `gaussian`: (n_in, n_in)."""
    weights = gaussian(n_in, n_out)
    radius, rows, found = len(weights) - 1, np.arange(n_in), np.zeros((n_in, n_in))
    places = neighbours(n_in, radius, rule)
    for k in range(2 * radius + 1):
        read = places[rows + k]
        np.add.at(found, (rows, read), np.where(read < 0, 0.0, weights[radius - abs(k - radius)]))
    return found
