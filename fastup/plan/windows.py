"""Windows of a result: slices per spatial axis, checked and with their ends resolved."""

from __future__ import annotations

from typing import Any

from fastup.plan import check

Window = tuple[tuple[int, int], ...]
_RULE = "a tuple of slices, one per spatial axis"


def as_pairs(op: str, window: Any) -> tuple[tuple[int | None, int | None], ...]:
    """The slices as hashable pairs of start and stop; steps other than 1 are refused."""
    if not check.is_sequence(window) or not all(isinstance(part, slice) for part in window):
        raise TypeError(f"{op}: window must be {_RULE}, got {check.shown(window)}")
    for part in window:
        if part.step is not None and check.whole_number(op, "window", part.step, _RULE) != 1:
            check.invalid(f"{op}: window must have slices of step 1, got {check.shown(part)}")
    return tuple((_end(op, part.start), _end(op, part.stop)) for part in window)


def _end(op: str, value: Any) -> int | None:
    return None if value is None else check.whole_number(op, "window", value, _RULE)


def normalised(op: str, pairs: tuple[tuple[int | None, int | None], ...], size: tuple[int, ...]) -> Window:
    """Absolute positions, from and to, of what `as_pairs` gave.

    Negative ends count from the end, as in a list; ends beyond the result are refused, not moved.
    """
    if len(pairs) != len(size):
        entries = "1 slice" if len(size) == 1 else f"{len(size)} slices"
        check.invalid(f"{op}: window must have {entries} for a result of size {size}, got {len(pairs)}")
    found = []
    for (start, stop), extent in zip(pairs, size, strict=True):
        if any(end is not None and not -extent <= end <= extent for end in (start, stop)):
            check.invalid(f"{op}: window must lie within the result of size {size}, got {_written(pairs)}")
        low, high, _ = slice(start, stop).indices(extent)
        found.append((low, max(low, high)))
    return tuple(found)


def _written(pairs: tuple[tuple[int | None, int | None], ...]) -> str:
    return ", ".join(f"{'' if start is None else start}:{'' if stop is None else stop}" for start, stop in pairs)
