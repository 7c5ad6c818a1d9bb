"""What all plans have in common, and the cache that gives equal arguments the same plan."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, TypeVar

import numpy as np

from fastup.plan import check

Array = np.ndarray[Any, Any]
_CACHE_BYTES = 16 * 2**20
_PLAN_BYTES = 2048  # a plan without its tables, and what a back-end keeps for it


@dataclass(frozen=True)
class Plan:
    """One call of one operator with everything decided: shapes, tables, order of the copy. Plain data.

    Plans are equal when their normalised arguments are.

    Attributes
    ----------
    operator : str
        Name of the public function.
    input_shape, output_shape : tuple of int
        Shapes of the argument and of the result.
    dtype : numpy.dtype
        Of the argument and of the result.
    data_format : {"channels_first", "channels_last"}
        Where the channel axis stands: before the spatial axes, or last.
    """

    operator: str
    input_shape: tuple[int, ...]
    dtype: np.dtype[Any]
    data_format: str
    output_shape: tuple[int, ...] = field(compare=False)
    # Whether kernels take native byte order only, and whether memory that is channels-last may stay so.
    native_only: ClassVar[bool] = False
    keeps_memory_order: ClassVar[bool] = True
    # What a back-end packed for this plan, by the strides of the input; lives and dies with the plan.
    packed: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False, init=False)

    def __getstate__(self) -> dict[str, Any]:
        """Pickle the plan alone: addresses mean nothing to another process."""
        return {**self.__dict__, "packed": {}}

    @property
    def channel_axis(self) -> int:
        """Index of the channel axis."""
        return len(self.input_shape) - 1 if self.data_format == "channels_last" else self.first_spatial_axis - 1

    @property
    def first_spatial_axis(self) -> int:
        """Index of the first spatial axis."""
        return 2 if self.data_format == "channels_first" else 1

    @property
    def extra_outputs(self) -> tuple[tuple[tuple[int, ...], np.dtype[Any]], ...]:
        """Shape and dtype of each result beside the first."""
        return ()

    def check_operands(self, given: tuple[Any, ...]) -> None:
        """Refuse arrays beside the input; plans that take some say which."""
        if given:
            check.invalid(f"run: operands must be empty for a plan of {self.operator}, got {len(given)}")

    def with_channels_last(self) -> Plan:
        """The same operation on the same memory, seen with its channels last."""
        axis = self.channel_axis

        def moved(shape: tuple[int, ...]) -> tuple[int, ...]:
            return (*shape[:axis], *shape[axis + 1 :], shape[axis])

        before, after = moved(self.input_shape), moved(self.output_shape)
        return replace(self, input_shape=before, output_shape=after, data_format="channels_last")

    @property
    def table_bytes(self) -> int:
        """Bytes of the plan's tables."""
        return sum(value.nbytes for value in vars(self).values() if isinstance(value, np.ndarray))


PlanType = TypeVar("PlanType", bound=Plan)


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
        except TypeError:  # an unhashable argument; `build` says which
            return build(*arguments)
        if plan is None:
            plan = build(*arguments)
            cache.put(key, plan)
        return plan  # type: ignore[return-value]

    return planned


def read_only(table: Array) -> Array:
    """The array, locked: plans are shared."""
    table.flags.writeable = False
    return table
