"""The cache that gives equal arguments the same plan."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from fastup.plan.base import Plan

_CACHE_BYTES = 16 * 2**20
_PLAN_BYTES = 4096  # a plan without its tables
_LAUNCH_BYTES = 1024  # a launch without its integers and its table
PlanType = TypeVar("PlanType", bound="Plan")


class _Cache:
    """Least recently used plans go first once what they hold exceeds the bound.

    A plan is weighed when it comes, and again before the next one comes: by then a back-end has packed its launches. If
    it packs more for a plan later, it says so.
    """

    def __init__(self, limit: int) -> None:
        self._limit, self._bytes = limit, 0
        self._plans: OrderedDict[tuple[Any, ...], Plan] = OrderedDict()
        self._weights: dict[tuple[Any, ...], int] = {}
        self._keys: dict[int, tuple[Any, ...]] = {}  # by the plans' identity
        self._grown: list[int] = []
        self._lock = threading.Lock()

    def get(self, key: tuple[Any, ...]) -> Plan | None:
        with self._lock:
            plan = self._plans.get(key)
            if plan is not None:
                self._plans.move_to_end(key)
            return plan

    def put(self, key: tuple[Any, ...], plan: Plan) -> None:
        with self._lock:
            grown, self._grown = self._grown, []
            for number in grown:
                self._weigh(number)
            if key not in self._plans and weight(plan) <= self._limit:
                self._plans[key], self._keys[id(plan)] = plan, key
                self._weigh(id(plan))
                self._grown.append(id(plan))
            while self._bytes > self._limit:
                self._drop(next(iter(self._plans)))

    def grew(self, plan: Plan) -> None:
        """Weigh a plan anew before the next one comes, if it is kept here."""
        if id(plan) in self._keys:
            self._grown.append(id(plan))

    def clear(self) -> None:
        """Keep nothing."""
        with self._lock:
            self._bytes, self._grown = 0, []
            self._plans.clear()
            self._weights.clear()
            self._keys.clear()

    def _weigh(self, number: int) -> None:
        key = self._keys.get(number)
        if key is not None:
            now = weight(self._plans[key])
            self._bytes += now - self._weights.get(key, 0)
            self._weights[key] = now

    def _drop(self, key: tuple[Any, ...]) -> None:
        del self._keys[id(self._plans.pop(key))]
        self._bytes -= self._weights.pop(key)

    def __len__(self) -> int:
        return len(self._plans)

    def unlock(self) -> None:
        self._lock = threading.Lock()


def weight(plan: Plan) -> int:
    """Bytes that a plan holds: its tables, and what back-ends packed for it, other plans of its kind among them."""
    total = _PLAN_BYTES + plan.table_bytes
    for one in list(plan.backend_cache.values()):
        total += _LAUNCH_BYTES + (weight(one) if hasattr(one, "backend_cache") else getattr(one, "nbytes", 0))
    tile = vars(plan).get("own_tile")
    return total + (weight(tile[0]) if tile else 0)


cache = _Cache(_CACHE_BYTES)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=cache.unlock)  # another thread of the parent may have held it


def cached(build: Callable[..., PlanType]) -> Callable[..., PlanType]:
    """Remember plans by normalised arguments, which must be hashable and already checked."""

    def planned(*arguments: Any) -> PlanType:
        key = (build, *arguments)
        try:
            plan = cache.get(key)
        except (TypeError, ValueError):  # an unhashable argument; `build` says which
            return build(*arguments)
        if plan is None:
            plan = build(*arguments)
            cache.put(key, plan)
        return plan  # type: ignore[return-value]

    return planned
