"""How times are taken: blocks in rotation, medians with intervals, ratios round by round.

The machine is shared and noisy, so libraries take turns: in every round each gets a block of two calls that do not
count and eight that do, back to back; the order rotates. A ratio is taken within a round, where the machine was the
same for both. Thread pools go on spinning after a call (OpenMP's and onnxruntime's for milliseconds), so each block
begins with a pause: nobody is timed beside the threads of the one before. A library that is far behind the fastest
after a few rounds is timed no further; the others go on.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

DISCARDED, TIMED, ROUNDS = 2, 8, 12
PAUSE = 0.01  # seconds
# After so many rounds, a library whose best round exceeds so many times the fastest's median is timed no further. One
# round is not enough: on a shared machine a single block has been 6 times slower than its neighbours.
TRIALS = {2: 10.0, 3: 2.5}


class Interval(NamedTuple):
    """A median and its 90 % interval."""

    low: float
    median: float
    high: float


def blocks(
    calls: Mapping[str, Callable[[], object]], rounds: int = ROUNDS, keep: tuple[str, ...] = ()
) -> dict[str, list[float]]:
    """Milliseconds per call, one number per round and library; those of `keep` are timed to the end."""
    names = list(calls)
    times: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        if number in TRIALS:
            names = _in_the_race(names, times, keep, TRIALS[number])
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            call = calls[name]
            time.sleep(PAUSE)
            for _ in range(DISCARDED):
                call()
            begin = time.perf_counter()
            for _ in range(TIMED):
                call()
            times[name].append((time.perf_counter() - begin) / TIMED * 1e3)
    return times


def _in_the_race(names: list[str], times: dict[str, list[float]], keep: tuple[str, ...], hopeless: float) -> list[str]:
    medians = {name: statistics.median(times[name]) for name in names if name not in keep}
    fastest = min(medians.values(), default=0.0)
    return [name for name in names if name in keep or min(times[name]) <= hopeless * fastest]


def interval(values: Sequence[float]) -> Interval:
    """Median, and the order statistics that enclose it with 90 % confidence whatever the distribution."""
    ordered, count = sorted(values), len(values)
    below, cumulated = 0, 0.5**count
    while cumulated < 0.05:
        below += 1
        cumulated += math.comb(count, below) * 0.5**count
    last = max(0, below - 1)
    return Interval(ordered[last], statistics.median(ordered), ordered[count - 1 - last])


def ratio(peer: Sequence[float], ours: Sequence[float]) -> Interval:
    """How many times faster we were, round by round."""
    return interval([p / o for p, o in zip(peer, ours, strict=True)])
