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
_PLAN_BYTES = 2048  # a plan without its tables, and what a back-end keeps for it
PlanType = TypeVar("PlanType", bound="Plan")


class _Cache:
    """Least recently used plans go first once their tables exceed the bound."""

    def __init__(self, limit: int) -> None:
        self._limit, self._bytes = limit, 0
        self._plans: OrderedDict[tuple[Any, ...], Plan] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[Any, ...]) -> Plan | None:
        with self._lock:
            plan = self._plans.get(key)
            if plan is not None:
                self._plans.move_to_end(key)
            return plan

    def put(self, key: tuple[Any, ...], plan: Plan) -> None:
        with self._lock:
            if key in self._plans or self._cost(plan) > self._limit:
                return
            self._plans[key] = plan
            self._bytes += self._cost(plan)
            while self._bytes > self._limit:
                self._bytes -= self._cost(self._plans.popitem(last=False)[1])

    def __len__(self) -> int:
        return len(self._plans)

    @staticmethod
    def _cost(plan: Plan) -> int:
        return _PLAN_BYTES + plan.table_bytes

    def unlock(self) -> None:
        self._lock = threading.Lock()


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
