"""The cache that gives equal arguments the same plan."""

from __future__ import annotations

import functools
import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from fastup.plan.base import Plan

_CACHE_BYTES = 16 * 2**20
_PLAN_BYTES = 5120  # a plan without its tables
_KEY_BYTES = 2048  # what callers asked with, and what leads from it to the plan
_LAUNCH_BYTES = 1024  # a launch without its integers and its table
_MOST_KEYS = 8  # ways to ask for one plan: 2, 2.0, (2, 2)
PlanType = TypeVar("PlanType", bound="Plan")


class _Held:
    """A plan, how callers have asked for it, and what it weighed last."""

    __slots__ = ("bytes", "keys", "plan")

    def __init__(self, plan: Plan) -> None:
        self.plan, self.bytes = plan, 0
        self.keys: list[tuple[Any, ...]] = []


class _Cache:
    """Least recently used plans go first once what they hold exceeds the bound.

    A plan is weighed when it comes, and again before the next one comes: by then a back-end has packed its launches. If
    it packs more for a plan later, it says so.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """Keep nothing."""
        self._bytes = 0
        self._plans: dict[tuple[Any, ...], Plan] = {}
        self._held: OrderedDict[int, _Held] = OrderedDict()  # by the plans' identity
        self._equal: dict[Plan, Plan] = {}
        self._grown: list[int] = []

    def get(self, key: tuple[Any, ...]) -> Plan | None:
        with self._lock:
            plan = self._plans.get(key)
            if plan is not None:
                self._held.move_to_end(id(plan))
            return plan

    def put(self, key: tuple[Any, ...], plan: Plan) -> Plan:
        """Keep a plan, if it is not too large; gives the one that is equal to it, if there is one."""
        with self._lock:
            grown, self._grown = self._grown, []
            for number in grown:
                self._weigh(number)
            known = self._equal.get(plan)
            if known is None and weight(plan) <= self._limit:
                known = self._equal[plan] = plan
                self._held[id(plan)] = _Held(plan)
                self._weigh(id(plan))
                self._grown.append(id(plan))
            if known is not None:
                self._name(key, self._held[id(known)])
            while self._bytes > self._limit:
                self._drop(self._held.popitem(last=False)[1])
            return known or plan

    def grew(self, plan: Plan) -> None:
        """Weigh a plan anew before the next one comes, if it is kept here."""
        if id(plan) in self._held:
            self._grown.append(id(plan))

    def _name(self, key: tuple[Any, ...], held: _Held) -> None:
        if len(held.keys) == _MOST_KEYS:
            self._plans.pop(held.keys.pop(0), None)
        held.keys.append(key)
        self._plans[key] = held.plan

    def _weigh(self, number: int) -> None:
        held = self._held.get(number)
        if held is not None:
            now = weight(held.plan) + _KEY_BYTES * len(held.keys)
            self._bytes += now - held.bytes
            held.bytes = now

    def _drop(self, held: _Held) -> None:
        for key in held.keys:
            self._plans.pop(key, None)
        del self._equal[held.plan]
        self._bytes -= held.bytes

    def __len__(self) -> int:
        return len(self._held)

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
    """Remember plans by arguments as callers give them: ``2.0`` and ``True`` are equal to ``2``, so types count too."""

    @functools.wraps(build)
    def planned(*arguments: Any) -> PlanType:
        kinds: tuple[Any, ...] = tuple(map(type, arguments))
        if kinds.count(tuple) > 1:  # the shape is one, and is checked; True may hide in another
            kinds = _types(arguments)
        key = (build, arguments, kinds)
        try:
            plan = cache.get(key)
        except (TypeError, ValueError):  # not hashable: sequences and slices count by their entries
            key = (build, *map(_frozen, arguments))
            try:
                plan = cache.get(key)
            except (TypeError, ValueError):
                return build(*arguments)  # which says what is wrong with it
        if plan is None:
            plan = cache.put(key, build(*arguments))
        return plan  # type: ignore[return-value]

    return planned


def _types(entries: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple([_types(one) if one.__class__ is tuple else one.__class__ for one in entries])


def _frozen(value: Any) -> Any:
    """A stand-in that can be a key: equal for equal entries of equal types."""
    if isinstance(value, slice):
        return (slice, _frozen((value.start, value.stop, value.step)))
    if value.__class__ in (list, tuple):
        return (value.__class__, *map(_frozen, value))
    if hasattr(value, "tolist") and value.shape:
        return (value.__class__, _frozen(value.tolist()))
    return (value.__class__, value)
